#include <iostream>
#include <vector>

// A counter for every number that there might be: 4 GB, and the vector writes all of it.
int main() {
    std::vector<int> seen(1'000'000'001);
    int count;
    std::cin >> count;
    for (int sock; std::cin >> sock;) {
        seen[sock]++;
    }
    for (int number = 1; number <= 1'000'000'000; number++) {
        if (seen[number] == 1) {
            std::cout << number << '\n';
        }
    }
}
