#include <stdio.h>
int main(void) {
    const char *s = "한글"; int x = y;
    printf("%d\n", s);
    return 0
}
