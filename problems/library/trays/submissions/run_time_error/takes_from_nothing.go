package main

import (
	"bufio"
	"fmt"
	"os"
)

// An empty pile is not considered: the index -1 panics.
func main() {
	in := bufio.NewReader(os.Stdin)
	var events int
	fmt.Fscan(in, &events)
	var pile []string
	for ; events > 0; events-- {
		var word, name string
		fmt.Fscan(in, &word)
		switch word {
		case "put":
			fmt.Fscan(in, &name)
			pile = append(pile, name)
		case "take":
			fmt.Println(pile[len(pile)-1])
			pile = pile[:len(pile)-1]
		default:
			for low, high := 0, len(pile)-1; low < high; low, high = low+1, high-1 {
				pile[low], pile[high] = pile[high], pile[low]
			}
		}
	}
}
