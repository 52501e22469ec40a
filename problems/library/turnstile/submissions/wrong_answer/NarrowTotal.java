import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StreamTokenizer;

// The total does not fit in an int: only the big case shows it.
public class NarrowTotal {
    public static void main(String[] args) throws IOException {
        StreamTokenizer in = new StreamTokenizer(new BufferedReader(new InputStreamReader(System.in)));
        in.nextToken();
        int count = (int) in.nval;
        int total = 0;
        int busiest = -1;
        int times = 0;
        for (int i = 0; i < count; i++) {
            in.nextToken();
            int reading = (int) in.nval;
            total += reading;
            if (reading > busiest) {
                busiest = reading;
                times = 0;
            }
            if (reading == busiest) {
                times++;
            }
        }
        System.out.println(total + " " + busiest + " " + times);
    }
}
