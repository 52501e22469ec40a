#include <functional>
#include <iostream>
#include <queue>
#include <utility>
#include <vector>

int main() {
    int stops, lines;
    std::cin >> stops >> lines;
    std::vector<std::vector<std::pair<int, int>>> trams(stops + 1);
    while (lines-- > 0) {
        int a, b, minutes;
        std::cin >> a >> b >> minutes;
        trams[a].push_back({b, minutes});
        trams[b].push_back({a, minutes});
    }
    std::vector<int> arrival(stops + 1, -1);
    using Step = std::pair<int, int>;
    std::priority_queue<Step, std::vector<Step>, std::greater<>> queue;
    queue.push({0, 1});
    while (!queue.empty()) {
        const auto [now, stop] = queue.top();
        queue.pop();
        if (arrival[stop] != -1) {
            continue;
        }
        arrival[stop] = now;
        for (const auto &[other, minutes] : trams[stop]) {
            queue.push({now + minutes, other});
        }
    }
    if (arrival[stops] == -1) {
        std::cout << "walk\n";
    } else {
        std::cout << arrival[stops] << '\n';
    }
}
