package main

import (
	"bufio"
	"fmt"
	"os"
)

// Remembers for every number that there might be where it lies: 4 GB.
func main() {
	place := make([]int32, 1_000_000_001)
	for number := range place {
		place[number] = -1
	}
	in := bufio.NewReader(os.Stdin)
	var count int32
	fmt.Fscan(in, &count)
	for i := int32(0); i < count; i++ {
		var sock int
		fmt.Fscan(in, &sock)
		if place[sock] == -1 {
			place[sock] = i
		} else {
			place[sock] = -1
		}
	}
	for number, i := range place {
		if i != -1 {
			fmt.Println(number)
		}
	}
}
