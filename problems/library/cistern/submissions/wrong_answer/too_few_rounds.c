#include <stdio.h>

// Twenty rounds of bisection leave an error of a thousandth.
int main(void) {
    double a, b;
    if (scanf("%lf %lf", &a, &b) != 2) {
        return 1;
    }
    double low = 0, high = 1001;
    for (int round = 0; round < 20; round++) {
        double middle = (low + high) / 2;
        if (middle * middle * middle + a * middle < b) {
            low = middle;
        } else {
            high = middle;
        }
    }
    printf("%.9f\n", low);
    return 0;
}
