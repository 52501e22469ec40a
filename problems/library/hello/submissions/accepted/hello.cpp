#include <iostream>

int main() {
    std::cout << "Hello, CodeMentor!\n";
}
