#include <iostream>

int main() {
    int count;
    std::cin >> count;
    // Two equal numbers cancel each other out in an exclusive or, wherever they stand.
    int lonely = 0;
    for (int sock; std::cin >> sock;) {
        lonely ^= sock;
    }
    std::cout << lonely << '\n';
}
