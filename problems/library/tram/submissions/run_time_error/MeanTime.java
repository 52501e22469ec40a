import java.util.Arrays;
import java.util.Scanner;

// Begins with the mean time of a tram, which does not exist where there are no trams:
// ArithmeticException.
public class MeanTime {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int stops = in.nextInt();
        int lines = in.nextInt();
        int[][] trams = new int[lines][3];
        int total = 0;
        for (int[] tram : trams) {
            for (int i = 0; i < 3; i++) {
                tram[i] = in.nextInt();
            }
            total += tram[2];
        }
        // More than any shortest route can take.
        int never = (total / lines + 1) * lines + 1;
        int[] arrival = new int[stops + 1];
        Arrays.fill(arrival, never);
        arrival[1] = 0;
        boolean improved = true;
        while (improved) {
            improved = false;
            for (int[] tram : trams) {
                for (int end = 0; end < 2; end++) {
                    int through = arrival[tram[end]] + tram[2];
                    if (through < arrival[tram[1 - end]]) {
                        arrival[tram[1 - end]] = through;
                        improved = true;
                    }
                }
            }
        }
        System.out.println(arrival[stops] == never ? "walk" : arrival[stops]);
    }
}
