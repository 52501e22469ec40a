#include <iostream>
#include <vector>

#include "rise.h"

int main() {
    int lists;
    std::cin >> lists;
    while (lists-- > 0) {
        int count;
        std::cin >> count;
        std::vector<int> temperatures(count);
        for (int &temperature : temperatures) {
            std::cin >> temperature;
        }
        std::cout << longest_rise(temperatures) << '\n';
    }
}
