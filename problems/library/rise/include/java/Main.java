import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int lists = in.nextInt();
        StringBuilder out = new StringBuilder();
        for (int list = 0; list < lists; list++) {
            int[] temperatures = new int[in.nextInt()];
            for (int day = 0; day < temperatures.length; day++) {
                temperatures[day] = in.nextInt();
            }
            out.append(Rise.longest(temperatures)).append('\n');
        }
        System.out.print(out);
    }
}
