#include <stdio.h>

// The output is right, the exit code is not.
int main(void) {
    puts("Hello, CodeMentor!");
    return 3;
}
