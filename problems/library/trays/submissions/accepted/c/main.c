#include <stdio.h>
#include <string.h>

#include "pile.h"

int main(void) {
    int events;
    if (scanf("%d", &events) != 1) {
        return 1;
    }
    while (events-- > 0) {
        char word[8];
        char name[NAME_SIZE];
        if (scanf("%7s", word) != 1) {
            return 1;
        }
        if (strcmp(word, "put") == 0) {
            if (scanf("%10s", name) != 1) {
                return 1;
            }
            pile_put(name);
        } else if (strcmp(word, "take") == 0) {
            const char *taken = pile_take();
            puts(taken ? taken : "-");
        } else {
            pile_turn();
        }
    }
    return 0;
}
