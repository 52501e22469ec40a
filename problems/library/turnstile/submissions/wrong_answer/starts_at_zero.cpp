#include <iostream>

// Counts the busiest minutes only after the first of them.
int main() {
    int count;
    std::cin >> count;
    long long total = 0;
    int busiest = 0;
    int times = 0;
    while (count-- > 0) {
        int reading;
        std::cin >> reading;
        total += reading;
        if (reading > busiest) {
            busiest = reading;
            times = 0;
        } else if (reading == busiest) {
            times++;
        }
    }
    std::cout << total << ' ' << busiest << ' ' << times << '\n';
}
