package main

// Stops at the end of the first run.
func LongestRise(temperatures []int) int {
	run := 1
	for run < len(temperatures) && temperatures[run] > temperatures[run-1] {
		run++
	}
	return run
}
