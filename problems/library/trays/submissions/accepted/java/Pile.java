import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

class Pile {
    private final Deque<String> trays = new ArrayDeque<>();
    private boolean turned = false;

    void put(String name) {
        if (turned) {
            trays.addLast(name);
        } else {
            trays.addFirst(name);
        }
    }

    Optional<String> take() {
        return Optional.ofNullable(turned ? trays.pollLast() : trays.pollFirst());
    }

    void turn() {
        turned = !turned;
    }
}
