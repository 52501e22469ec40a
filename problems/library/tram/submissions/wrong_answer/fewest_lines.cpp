#include <iostream>
#include <queue>
#include <utility>
#include <vector>

// Breadth-first: changes as seldom as possible, which is not the same as being fast.
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
    std::queue<int> queue;
    arrival[1] = 0;
    queue.push(1);
    while (!queue.empty()) {
        const int stop = queue.front();
        queue.pop();
        for (const auto &[other, minutes] : trams[stop]) {
            if (arrival[other] == -1) {
                arrival[other] = arrival[stop] + minutes;
                queue.push(other);
            }
        }
    }
    if (arrival[stops] == -1) {
        std::cout << "walk\n";
    } else {
        std::cout << arrival[stops] << '\n';
    }
}
