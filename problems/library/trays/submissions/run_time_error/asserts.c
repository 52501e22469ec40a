#include <assert.h>
#include <stdio.h>
#include <string.h>

// Is sure that the pile is never empty, and aborts when it is.
int main(void) {
    static char pile[2000][11];
    int events;
    int height = 0;
    if (scanf("%d", &events) != 1) {
        return 1;
    }
    while (events-- > 0) {
        char word[8];
        if (scanf("%7s", word) != 1) {
            return 1;
        }
        if (strcmp(word, "put") == 0) {
            if (scanf("%10s", pile[height++]) != 1) {
                return 1;
            }
        } else if (strcmp(word, "take") == 0) {
            assert(height > 0);
            puts(pile[--height]);
        } else {
            for (int low = 0, high = height - 1; low < high; low++, high--) {
                char swapped[11];
                strcpy(swapped, pile[low]);
                strcpy(pile[low], pile[high]);
                strcpy(pile[high], swapped);
            }
        }
    }
    return 0;
}
