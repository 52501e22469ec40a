import java.util.Scanner;

// Walks until it is back at the first post, but with a step that never gets there.
public class LostPost {
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
        int post = 0;
        do {
            int next = post + 1 < count ? post + 1 : 1;
            length += Math.hypot(xs[next] - xs[post], ys[next] - ys[post]);
            post = next;
        } while (post != 0);
        System.out.println(length);
    }
}
