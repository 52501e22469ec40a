#include <stdio.h>
#include <string.h>

static void edge(int width) {
    putchar('+');
    for (int i = 0; i < width + 2; i++) {
        putchar('-');
    }
    putchar('+');
}

// The last line has no end.
int main(void) {
    static char sides[50], names[50][41];
    int count, width = 0;
    if (scanf("%d", &count) != 1) {
        return 1;
    }
    for (int i = 0; i < count; i++) {
        if (scanf(" %c %40[^\n]", &sides[i], names[i]) != 2) {
            return 1;
        }
        int length = (int)strlen(names[i]);
        if (length > width) {
            width = length;
        }
    }
    edge(width);
    for (int i = 0; i < count; i++) {
        printf(sides[i] == 'L' ? "\n| %-*s |" : "\n| %*s |", width, names[i]);
    }
    putchar('\n');
    edge(width);
    return 0;
}
