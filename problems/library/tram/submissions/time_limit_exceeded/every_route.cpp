#include <algorithm>
#include <climits>
#include <iostream>
#include <utility>
#include <vector>

static int stops, lines;
static std::vector<std::vector<std::pair<int, int>>> trams;
static std::vector<bool> visited;
static int best = INT_MAX;

// Tries every route that visits no stop twice: their number doubles with each crossing.
static void ride(int stop, int now) {
    if (stop == stops) {
        best = std::min(best, now);
        return;
    }
    visited[stop] = true;
    for (const auto &[other, minutes] : trams[stop]) {
        if (!visited[other]) {
            ride(other, now + minutes);
        }
    }
    visited[stop] = false;
}

int main() {
    std::cin >> stops >> lines;
    trams.resize(stops + 1);
    visited.resize(stops + 1);
    for (int i = 0; i < lines; i++) {
        int a, b, minutes;
        std::cin >> a >> b >> minutes;
        trams[a].push_back({b, minutes});
        trams[b].push_back({a, minutes});
    }
    ride(1, 0);
    if (best == INT_MAX) {
        std::cout << "walk\n";
    } else {
        std::cout << best << '\n';
    }
}
