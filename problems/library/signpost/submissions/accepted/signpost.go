package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	var places []string
	width := 0
	for in.Scan() {
		place := in.Text()
		places = append(places, place)
		if len(place)-2 > width {
			width = len(place) - 2
		}
	}
	edge := "+" + strings.Repeat("-", width+2) + "+"
	fmt.Println(edge)
	for _, place := range places {
		if place[0] == 'L' {
			fmt.Printf("| %-*s |\n", width, place[2:])
		} else {
			fmt.Printf("| %*s |\n", width, place[2:])
		}
	}
	fmt.Println(edge)
}
