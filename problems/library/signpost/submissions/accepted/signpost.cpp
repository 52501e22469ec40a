#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

struct Place {
    char side;
    std::string name;
};

int main() {
    int count;
    std::cin >> count;
    std::vector<Place> places(count);
    std::size_t width = 0;
    for (auto &[side, name] : places) {
        std::cin >> side;
        std::getline(std::cin >> std::ws, name);
        width = std::max(width, name.size());
    }
    const std::string edge = '+' + std::string(width + 2, '-') + '+';
    std::cout << edge << '\n';
    for (const auto &[side, name] : places) {
        std::cout << "| " << (side == 'L' ? std::left : std::right)
                  << std::setw(static_cast<int>(width)) << name << " |\n";
    }
    std::cout << edge << '\n';
}
