package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	var lists int
	fmt.Fscan(in, &lists)
	for ; lists > 0; lists-- {
		var count int
		fmt.Fscan(in, &count)
		temperatures := make([]int, count)
		for i := range temperatures {
			fmt.Fscan(in, &temperatures[i])
		}
		fmt.Println(LongestRise(temperatures))
	}
}
