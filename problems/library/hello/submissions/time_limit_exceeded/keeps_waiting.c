#include <stdio.h>

// Greets, and then polls for an answer that never comes: a right output does not
// help a program that does not end.
int main(void) {
    puts("Hello, CodeMentor!");
    fflush(stdout);
    for (;;) {
        clearerr(stdin);
        if (getchar() != EOF) {
            return 0;
        }
    }
}
