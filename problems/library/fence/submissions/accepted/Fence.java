import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StreamTokenizer;

public class Fence {
    public static void main(String[] args) throws IOException {
        StreamTokenizer in = new StreamTokenizer(new BufferedReader(new InputStreamReader(System.in)));
        in.nextToken();
        int count = (int) in.nval;
        double[] xs = new double[count];
        double[] ys = new double[count];
        for (int i = 0; i < count; i++) {
            in.nextToken();
            xs[i] = in.nval;
            in.nextToken();
            ys[i] = in.nval;
        }
        double length = 0;
        for (int i = 0; i < count; i++) {
            int next = (i + 1) % count;
            length += Math.sqrt(Math.pow(xs[next] - xs[i], 2) + Math.pow(ys[next] - ys[i], 2));
        }
        // Double.toString may choose an exponent, such as 4.0E7, which is a number as well.
        System.out.println(length);
    }
}
