// Compares only when a run ends by a colder day, so a run up to the last day is lost.
class Rise {
    static int longest(int[] temperatures) {
        int longest = 1;
        int run = 1;
        for (int day = 1; day < temperatures.length; day++) {
            if (temperatures[day] > temperatures[day - 1]) {
                run++;
            } else {
                longest = Math.max(longest, run);
                run = 1;
            }
        }
        return longest;
    }
}
