#include "rise.h"

int longest_rise(const int *temperatures, int count) {
    int longest = 1;
    int run = 1;
    for (int day = 1; day < count; day++) {
        run = temperatures[day] > temperatures[day - 1] ? run + 1 : 1;
        if (run > longest) {
            longest = run;
        }
    }
    return longest;
}
