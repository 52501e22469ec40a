import java.util.Scanner;

// A counter for every number that there might be: OutOfMemoryError.
public class MemoryTable {
    public static void main(String[] args) {
        byte[][] seen = new byte[1001][];
        for (int millions = 0; millions < seen.length; millions++) {
            seen[millions] = new byte[1_000_000];
        }
        Scanner in = new Scanner(System.in);
        int count = in.nextInt();
        for (int i = 0; i < count; i++) {
            int sock = in.nextInt();
            seen[sock / 1_000_000][sock % 1_000_000]++;
        }
        for (int number = 1; number <= 1_000_000_000; number++) {
            if (seen[number / 1_000_000][number % 1_000_000] == 1) {
                System.out.println(number);
            }
        }
    }
}
