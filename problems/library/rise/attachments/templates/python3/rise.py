def longest_rise(temperatures):
    return 0
