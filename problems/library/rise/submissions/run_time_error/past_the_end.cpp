#include "rise.h"

#include <algorithm>

// The day after the last one does not exist: at() throws std::out_of_range.
int longest_rise(const std::vector<int> &temperatures) {
    int longest = 1;
    int run = 1;
    for (std::size_t day = 0; day < temperatures.size(); day++) {
        run = temperatures.at(day + 1) > temperatures.at(day) ? run + 1 : 1;
        longest = std::max(longest, run);
    }
    return longest;
}
