#include <stdio.h>

// Room for the samples, but not for three years: writes far past the end of the array.
static int readings[10000];

int main(void) {
    int count;
    if (scanf("%d", &count) != 1) {
        return 1;
    }
    long long total = 0;
    int busiest = -1;
    int times = 0;
    for (int i = 0; i < count; i++) {
        if (scanf("%d", &readings[i]) != 1) {
            return 1;
        }
        total += readings[i];
    }
    for (int i = 0; i < count; i++) {
        if (readings[i] > busiest) {
            busiest = readings[i];
            times = 0;
        }
        times += readings[i] == busiest;
    }
    printf("%lld %d %d\n", total, busiest, times);
    return 0;
}
