#include <stdio.h>

#include "rise.h"

int main(void) {
    static int temperatures[1000];
    int lists;
    if (scanf("%d", &lists) != 1) {
        return 1;
    }
    while (lists-- > 0) {
        int count;
        if (scanf("%d", &count) != 1 || count > 1000) {
            return 1;
        }
        for (int i = 0; i < count; i++) {
            if (scanf("%d", &temperatures[i]) != 1) {
                return 1;
            }
        }
        printf("%d\n", longest_rise(temperatures, count));
    }
    return 0;
}
