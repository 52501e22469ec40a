import java.util.Scanner;

// The post after the last one is not in the array: ArrayIndexOutOfBoundsException.
public class OffByOne {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int count = in.nextInt();
        double[] xs = new double[count];
        double[] ys = new double[count];
        for (int i = 0; i < count; i++) {
            xs[i] = in.nextInt();
            ys[i] = in.nextInt();
        }
        double length = 0;
        for (int i = 0; i < count; i++) {
            length += Math.hypot(xs[i + 1] - xs[i], ys[i + 1] - ys[i]);
        }
        System.out.println(length);
    }
}
