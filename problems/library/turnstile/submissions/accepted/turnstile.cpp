#include <cstdio>

int main() {
    int count;
    if (std::scanf("%d", &count) != 1) {
        return 1;
    }
    long long total = 0;
    int busiest = -1;
    int times = 0;
    for (int i = 0; i < count; i++) {
        int reading;
        if (std::scanf("%d", &reading) != 1) {
            return 1;
        }
        total += reading;
        if (reading > busiest) {
            busiest = reading;
            times = 0;
        }
        if (reading == busiest) {
            times++;
        }
    }
    std::printf("%lld %d %d\n", total, busiest, times);
}
