import java.util.Arrays;
import java.util.Scanner;

public class Lonely {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int[] socks = new int[in.nextInt()];
        for (int i = 0; i < socks.length; i++) {
            socks[i] = in.nextInt();
        }
        Arrays.sort(socks);
        int i = 0;
        while (i + 1 < socks.length && socks[i] == socks[i + 1]) {
            i += 2;
        }
        System.out.println(socks[i]);
    }
}
