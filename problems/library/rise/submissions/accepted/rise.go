package main

func LongestRise(temperatures []int) int {
	longest, run := 1, 1
	for day := 1; day < len(temperatures); day++ {
		if temperatures[day] > temperatures[day-1] {
			run++
		} else {
			run = 1
		}
		if run > longest {
			longest = run
		}
	}
	return longest
}
