import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StreamTokenizer;
import java.util.Arrays;

public class BellmanFord {
    private static final int NEVER = Integer.MAX_VALUE / 2;

    public static void main(String[] args) throws IOException {
        StreamTokenizer in = new StreamTokenizer(new BufferedReader(new InputStreamReader(System.in)));
        int stops = next(in);
        int[][] trams = new int[next(in)][3];
        for (int[] tram : trams) {
            for (int i = 0; i < 3; i++) {
                tram[i] = next(in);
            }
        }
        int[] arrival = new int[stops + 1];
        Arrays.fill(arrival, NEVER);
        arrival[1] = 0;
        // Ends after at most as many rounds as there are stops: 10 million steps in each direction.
        boolean improved = true;
        while (improved) {
            improved = false;
            for (int[] tram : trams) {
                int a = tram[0];
                int b = tram[1];
                if (arrival[a] + tram[2] < arrival[b]) {
                    arrival[b] = arrival[a] + tram[2];
                    improved = true;
                }
                if (arrival[b] + tram[2] < arrival[a]) {
                    arrival[a] = arrival[b] + tram[2];
                    improved = true;
                }
            }
        }
        System.out.println(arrival[stops] >= NEVER ? "walk" : arrival[stops]);
    }

    private static int next(StreamTokenizer in) throws IOException {
        in.nextToken();
        return (int) in.nval;
    }
}
