#include <inttypes.h>
#include <stdio.h>

// Keeps the total in 32 bits, which the samples do not notice.
int main(void) {
    int count;
    if (scanf("%d", &count) != 1) {
        return 1;
    }
    uint32_t total = 0;
    for (int i = 0; i < count; i++) {
        int64_t entry;
        if (scanf("%" SCNd64, &entry) != 1) {
            return 1;
        }
        total += (uint32_t)entry;
    }
    printf("%" PRId32 "\n", (int32_t)total);
    return 0;
}
