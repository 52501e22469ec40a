#include <cmath>
#include <cstdio>

int main() {
    double a, b;
    if (std::scanf("%lf %lf", &a, &b) != 2) {
        return 1;
    }
    // The curve is convex, so from the right Newton's method comes down and never overshoots.
    double x = 1001;
    for (int i = 0; i < 200; i++) {
        x -= (x * x * x + a * x - b) / (3 * x * x + a + 1e-300);
    }
    std::printf("%.12f\n", std::fabs(x));
}
