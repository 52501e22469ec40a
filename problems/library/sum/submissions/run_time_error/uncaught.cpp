#include <iostream>
#include <string>

// std::stoi throws std::out_of_range for what does not fit in an int, and nobody catches it.
int main() {
    int count;
    std::cin >> count;
    long long total = 0;
    std::string word;
    for (int i = 0; i < count; i++) {
        std::cin >> word;
        total += std::stoi(word);
    }
    std::cout << total << '\n';
}
