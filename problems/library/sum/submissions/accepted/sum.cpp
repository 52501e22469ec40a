#include <bits/stdc++.h>

int main() {
    int count;
    std::cin >> count;
    std::vector<long long> entries(count);
    for (auto &entry : entries) {
        std::cin >> entry;
    }
    std::cout << std::accumulate(entries.begin(), entries.end(), 0LL) << '\n';
}
