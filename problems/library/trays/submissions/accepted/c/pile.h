#ifndef PILE_H
#define PILE_H

#define NAME_SIZE 11

void pile_put(const char *name);

/* NULL if the pile is empty. */
const char *pile_take(void);

void pile_turn(void);

#endif
