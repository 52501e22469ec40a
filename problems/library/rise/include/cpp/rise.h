#pragma once

#include <vector>

int longest_rise(const std::vector<int> &temperatures);
