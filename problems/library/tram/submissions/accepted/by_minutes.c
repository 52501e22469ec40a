#include <stdio.h>

#define STOPS 2000
#define LINES 5000
#define LATEST 1000

struct tram {
    int to, minutes, next;
};

/* A list of stops for each minute. No tram takes longer than LATEST minutes, so a ring of
   lists is enough. */
struct visit {
    int stop, next;
};

static struct tram trams[2 * LINES];
static struct visit visits[2 * LINES + 1];
static int first_tram[STOPS + 1], first_visit[LATEST + 1], reached[STOPS + 1];
static int visit_count;

static void plan(int stop, int minute) {
    visits[visit_count] = (struct visit){stop, first_visit[minute % (LATEST + 1)]};
    first_visit[minute % (LATEST + 1)] = visit_count++;
}

int main(void) {
    int stops, lines;
    if (scanf("%d %d", &stops, &lines) != 2) {
        return 1;
    }
    for (int stop = 1; stop <= stops; stop++) {
        first_tram[stop] = -1;
    }
    for (int minute = 0; minute <= LATEST; minute++) {
        first_visit[minute] = -1;
    }
    for (int i = 0; i < lines; i++) {
        int a, b, minutes;
        if (scanf("%d %d %d", &a, &b, &minutes) != 3) {
            return 1;
        }
        trams[2 * i] = (struct tram){b, minutes, first_tram[a]};
        first_tram[a] = 2 * i;
        trams[2 * i + 1] = (struct tram){a, minutes, first_tram[b]};
        first_tram[b] = 2 * i + 1;
    }
    plan(1, 0);
    for (int minute = 0; minute <= STOPS * LATEST; minute++) {
        int visit = first_visit[minute % (LATEST + 1)];
        first_visit[minute % (LATEST + 1)] = -1;
        for (; visit != -1; visit = visits[visit].next) {
            int stop = visits[visit].stop;
            if (reached[stop]) {
                continue;
            }
            if (stop == stops) {
                printf("%d\n", minute);
                return 0;
            }
            reached[stop] = 1;
            for (int tram = first_tram[stop]; tram != -1; tram = trams[tram].next) {
                plan(trams[tram].to, minute + trams[tram].minutes);
            }
        }
    }
    puts("walk");
    return 0;
}
