#ifndef RISE_H
#define RISE_H

int longest_rise(const int *temperatures, int count);

#endif
