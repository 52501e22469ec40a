class Rise {
    static int longest(int[] temperatures) {
        int longest = 0;
        int start = 0;
        for (int day = 0; day < temperatures.length; day++) {
            if (day > 0 && temperatures[day] <= temperatures[day - 1]) {
                start = day;
            }
            longest = Math.max(longest, day - start + 1);
        }
        return longest;
    }
}
