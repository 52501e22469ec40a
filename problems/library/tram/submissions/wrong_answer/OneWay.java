import java.util.Arrays;
import java.util.Scanner;

// Lets the trams go only from the first stop to the second.
public class OneWay {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int stops = in.nextInt();
        int lines = in.nextInt();
        int[][] trams = new int[lines][3];
        for (int[] tram : trams) {
            for (int i = 0; i < 3; i++) {
                tram[i] = in.nextInt();
            }
        }
        long[] arrival = new long[stops + 1];
        Arrays.fill(arrival, Integer.MAX_VALUE);
        arrival[1] = 0;
        boolean improved = true;
        while (improved) {
            improved = false;
            for (int[] tram : trams) {
                if (arrival[tram[0]] + tram[2] < arrival[tram[1]]) {
                    arrival[tram[1]] = arrival[tram[0]] + tram[2];
                    improved = true;
                }
            }
        }
        System.out.println(arrival[stops] >= Integer.MAX_VALUE ? "walk" : arrival[stops]);
    }
}
