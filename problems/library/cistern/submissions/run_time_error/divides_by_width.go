package main

import "fmt"

// Starts from a guess in whole numbers, and divides by a even where it is 0: a panic.
func main() {
	var a, b int
	fmt.Scan(&a, &b)
	guess := float64(b / a)
	low, high := 0.0, guess+1
	for i := 0; i < 200; i++ {
		middle := (low + high) / 2
		if middle*middle*middle+float64(a)*middle < float64(b) {
			low = middle
		} else {
			high = middle
		}
	}
	fmt.Println(low)
}
