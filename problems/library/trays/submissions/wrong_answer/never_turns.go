package main

import (
	"bufio"
	"fmt"
	"os"
)

// An ordinary stack, which nobody turns over.
func main() {
	in := bufio.NewReader(os.Stdin)
	var events int
	fmt.Fscan(in, &events)
	var pile []string
	for ; events > 0; events-- {
		var word, name string
		fmt.Fscan(in, &word)
		if word == "put" {
			fmt.Fscan(in, &name)
			pile = append(pile, name)
		} else if word == "take" && len(pile) == 0 {
			fmt.Println("-")
		} else if word == "take" {
			fmt.Println(pile[len(pile)-1])
			pile = pile[:len(pile)-1]
		}
	}
}
