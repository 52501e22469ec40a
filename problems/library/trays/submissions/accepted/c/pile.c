#include "pile.h"

#include <stddef.h>
#include <string.h>

#define EVENTS 2000

/* The pile grows from the middle to either side, and no event moves a tray. */
static char trays[2 * EVENTS][NAME_SIZE];
static int low = EVENTS;
static int high = EVENTS;
static int turned;

void pile_put(const char *name) {
    strcpy(trays[turned ? --low : high++], name);
}

const char *pile_take(void) {
    if (low == high) {
        return NULL;
    }
    return trays[turned ? low++ : --high];
}

void pile_turn(void) {
    turned = !turned;
}
