// The recursion has no end: StackOverflowError.
class Rise {
    static int longest(int[] temperatures) {
        return run(temperatures, 0);
    }

    private static int run(int[] temperatures, int day) {
        int next = (day + 1) % temperatures.length;
        int run = run(temperatures, next);
        return temperatures[next] > temperatures[day] ? run + 1 : 1;
    }
}
