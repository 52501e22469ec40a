# Wants the steepest rise for each day of a run, and a run of one day has no rise: ZeroDivisionError.
def longest_rise(temperatures):
    longest = run = 1
    start = 0
    for day in range(1, len(temperatures)):
        if temperatures[day] <= temperatures[day - 1]:
            (temperatures[day - 1] - temperatures[start]) / (run - 1)
            start, run = day, 0
        run += 1
        longest = max(longest, run)
    return longest
