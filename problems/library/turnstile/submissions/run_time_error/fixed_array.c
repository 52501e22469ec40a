#include <stdio.h>

// Room for the samples, but not for three years: beyond it there is nowhere to write to.
static int readings[10000];

static int *place(int i) {
    return i < 10000 ? &readings[i] : NULL;
}

int main(void) {
    int count;
    if (scanf("%d", &count) != 1) {
        return 1;
    }
    long long total = 0;
    int busiest = -1;
    int times = 0;
    for (int i = 0; i < count; i++) {
        if (scanf("%d", place(i)) != 1) {
            return 1;
        }
        total += readings[i];
    }
    for (int i = 0; i < count; i++) {
        if (*place(i) > busiest) {
            busiest = *place(i);
            times = 0;
        }
        times += *place(i) == busiest;
    }
    printf("%lld %d %d\n", total, busiest, times);
    return 0;
}
