import java.io.IOException;
import java.io.InputStream;

public class Turnstile {
    private static final byte[] BUFFER = new byte[1 << 16];
    private static int filled = 0;
    private static int next = 0;

    private static int readByte(InputStream in) throws IOException {
        if (next == filled) {
            filled = in.read(BUFFER);
            next = 0;
            if (filled <= 0) {
                filled = 0;
                return -1;
            }
        }
        return BUFFER[next++];
    }

    private static int readInt(InputStream in) throws IOException {
        int digit = readByte(in);
        int value = 0;
        while (digit >= '0') {
            value = 10 * value + digit - '0';
            digit = readByte(in);
        }
        return value;
    }

    public static void main(String[] args) throws IOException {
        InputStream in = System.in;
        int count = readInt(in);
        long total = 0;
        int busiest = -1;
        int times = 0;
        for (int i = 0; i < count; i++) {
            int reading = readInt(in);
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
