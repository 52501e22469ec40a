package main

// Skips to the end of a run, but stays there when the run is a single day.
func LongestRise(temperatures []int) int {
	longest := 1
	for start := 0; start < len(temperatures)-1; {
		end := start
		for end+1 < len(temperatures) && temperatures[end+1] > temperatures[end] {
			end++
		}
		if end-start+1 > longest {
			longest = end - start + 1
		}
		start = end
	}
	return longest
}
