package main

import (
	"bufio"
	"fmt"
	"os"
)

// Looks for every number that there might be: up to 10^9 searches through all the socks.
func main() {
	in := bufio.NewReader(os.Stdin)
	var count int
	fmt.Fscan(in, &count)
	socks := make([]int, count)
	for i := range socks {
		fmt.Fscan(in, &socks[i])
	}
	for number := 1; ; number++ {
		found := 0
		for _, sock := range socks {
			if sock == number {
				found++
			}
		}
		if found == 1 {
			fmt.Println(number)
			return
		}
	}
}
