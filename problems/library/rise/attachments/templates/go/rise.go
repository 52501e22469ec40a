package main

func LongestRise(temperatures []int) int {
	return 0
}
