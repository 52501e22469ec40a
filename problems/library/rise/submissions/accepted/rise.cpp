#include "rise.h"

#include <algorithm>
#include <functional>

int longest_rise(const std::vector<int> &temperatures) {
    std::ptrdiff_t longest = 0;
    for (auto start = temperatures.begin(); start != temperatures.end();) {
        // The run ends before the first day that is no warmer than the day before it.
        auto end = std::adjacent_find(start, temperatures.end(), std::greater_equal<>());
        if (end != temperatures.end()) {
            ++end;
        }
        longest = std::max(longest, end - start);
        start = end;
    }
    return static_cast<int>(longest);
}
