#include <math.h>
#include <stdio.h>

int main(void) {
    int count;
    double first_x, first_y;
    if (scanf("%d %lf %lf", &count, &first_x, &first_y) != 3) {
        return 1;
    }
    double x = first_x, y = first_y, length = 0;
    for (int i = 1; i < count; i++) {
        double next_x, next_y;
        if (scanf("%lf %lf", &next_x, &next_y) != 2) {
            return 1;
        }
        length += hypot(next_x - x, next_y - y);
        x = next_x;
        y = next_y;
    }
    length += hypot(first_x - x, first_y - y);
    printf("%.9f\n", length);
    return 0;
}
