#include <inttypes.h>
#include <stdio.h>

int main(void) {
    int count;
    if (scanf("%d", &count) != 1) {
        return 1;
    }
    int64_t total = 0;
    for (int i = 0; i < count; i++) {
        int64_t entry;
        if (scanf("%" SCNd64, &entry) != 1) {
            return 1;
        }
        total += entry;
    }
    printf("%" PRId64 "\n", total);
    return 0;
}
