package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	var count int
	fmt.Fscan(in, &count)
	seen := make(map[int]bool)
	for ; count > 0; count-- {
		var sock int
		fmt.Fscan(in, &sock)
		if seen[sock] {
			delete(seen, sock)
		} else {
			seen[sock] = true
		}
	}
	for sock := range seen {
		fmt.Println(sock)
	}
}
