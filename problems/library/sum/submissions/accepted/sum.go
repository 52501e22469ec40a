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
	var total int64
	for i := 0; i < count; i++ {
		var entry int64
		fmt.Fscan(in, &entry)
		total += entry
	}
	fmt.Println(total)
}
