#include <cstdio>
#include <vector>

// For each minute, counts the busier ones: more than 10^12 comparisons for the big case.
int main() {
    int count;
    if (std::scanf("%d", &count) != 1) {
        return 1;
    }
    std::vector<int> readings(count);
    long long total = 0;
    for (int &reading : readings) {
        if (std::scanf("%d", &reading) != 1) {
            return 1;
        }
        total += reading;
    }
    int busiest = 0;
    int times = 0;
    for (int candidate : readings) {
        int busier = 0;
        int equal = 0;
        for (int other : readings) {
            busier += other > candidate;
            equal += other == candidate;
        }
        if (busier == 0) {
            busiest = candidate;
            times = equal;
        }
    }
    std::printf("%lld %d %d\n", total, busiest, times);
}
