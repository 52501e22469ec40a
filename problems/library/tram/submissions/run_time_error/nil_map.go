package main

import (
	"bufio"
	"fmt"
	"os"
)

// The map was declared, but never made: writing to it panics.
func main() {
	in := bufio.NewReader(os.Stdin)
	var stops, lines int
	fmt.Fscan(in, &stops, &lines)
	var minutes map[[2]int]int
	for ; lines > 0; lines-- {
		var a, b, t int
		fmt.Fscan(in, &a, &b, &t)
		minutes[[2]int{a, b}] = t
	}
	fmt.Println(minutes[[2]int{1, stops}])
}
