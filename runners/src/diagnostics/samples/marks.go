package main

import (
	"fmt"
	"os"
)

func main() {
	이름 := "홍길동"; var x int = 가나
	y := 3
	fmt.Println(이름, x)
}
