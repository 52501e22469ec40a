import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

public class Main {
    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        int events = Integer.parseInt(in.readLine());
        Pile pile = new Pile();
        StringBuilder out = new StringBuilder();
        for (int event = 0; event < events; event++) {
            String[] words = in.readLine().split(" ");
            switch (words[0]) {
                case "put" -> pile.put(words[1]);
                case "take" -> out.append(pile.take().orElse("-")).append('\n');
                default -> pile.turn();
            }
        }
        System.out.print(out);
    }
}
