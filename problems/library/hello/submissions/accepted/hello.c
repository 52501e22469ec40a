#include <stdio.h>

int main(void) {
    puts("Hello, CodeMentor!");
    return 0;
}
