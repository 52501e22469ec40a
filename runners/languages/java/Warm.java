package codementor;

import java.io.*;
import java.math.*;
import java.util.*;
import java.util.function.*;
import java.util.stream.*;

public class Warm {
    record Pair(int a, int b) {}
    sealed interface Shape permits Circle, Square {}
    record Circle(double r) implements Shape {}
    record Square(double s) implements Shape {}
    static double area(Shape s) { return switch (s) { case Circle c -> Math.PI * c.r() * c.r(); case Square q -> q.s() * q.s(); }; }
    public static void main(String[] args) throws Exception {
        Scanner in = new Scanner("3 4\nhello world\n2.5 x\n99999999999\n");
        int n = in.nextInt(); long m = in.nextLong(); in.nextLine(); String line = in.nextLine(); double d = in.nextDouble();
        BufferedReader r = new BufferedReader(new InputStreamReader(System.in));
        String text = r.readLine();
        StringTokenizer t = new StringTokenizer(text == null ? "1 2 3" : text);
        int sum = 0; while (t.hasMoreTokens()) sum += t.nextToken().length();
        for (String part : "1 2 3".split(" ")) sum += Integer.parseInt(part);
        List<Integer> list = new ArrayList<>(List.of(3, 1, 2)); Collections.sort(list); list.sort(Comparator.reverseOrder());
        Map<String, Integer> map = new HashMap<>(); map.merge("a", 1, Integer::sum); map.computeIfAbsent("b", k -> 2);
        TreeMap<Integer, List<Integer>> tree = new TreeMap<>(); tree.computeIfAbsent(1, k -> new ArrayList<>()).add(2);
        Deque<int[]> deque = new ArrayDeque<>(); deque.add(new int[]{1, 2});
        PriorityQueue<long[]> queue = new PriorityQueue<>((x, y) -> Long.compare(x[0], y[0])); queue.add(new long[]{1, 2}); queue.poll();
        PriorityQueue<Pair> pairs = new PriorityQueue<>(Comparator.comparingInt(Pair::a).thenComparing(Pair::b)); pairs.add(new Pair(1, 2));
        LinkedList<Integer> linked = new LinkedList<>(list); Set<Integer> set = new HashSet<>(list); Set<String> ordered = new LinkedHashSet<>(List.of("x")); new TreeSet<>(list).first(); BitSet bits = new BitSet(10); bits.set(3);
        String joined = list.stream().map(String::valueOf).filter(s -> !s.isEmpty()).collect(Collectors.joining(" "));
        int total = IntStream.rangeClosed(1, 10).filter(i -> i % 2 == 0).map(i -> i * i).sum(); list.stream().mapToInt(Integer::intValue).max(); Arrays.stream(new int[]{1, 2}).boxed().collect(Collectors.toList()); list.stream().collect(Collectors.groupingBy(i -> i % 2, Collectors.counting()));
        int[] array = {3, 2, 1}; Arrays.sort(array); Arrays.fill(array, 1); Integer[] boxed = {2, 1}; Arrays.sort(boxed, (x, y) -> y - x); Arrays.toString(array); Arrays.asList(boxed);
        StringBuilder b = new StringBuilder(); b.append(n).append(' ').append(m).append(line).append(d).append(sum).append(joined).append(total).reverse();
        BigInteger big = new BigInteger("123456789123456789").pow(3).mod(BigInteger.valueOf(1000000007L)); BigDecimal decimal = new BigDecimal("1.5").setScale(3, RoundingMode.HALF_UP);
        System.out.println(String.format("%d %s %.3f %5d %-5s|%05d %x %c", n, line, d, sum, joined, total, 255, 'c'));
        System.out.printf("%d %.2f%n", m, d); System.out.println(b); System.out.print(big + " " + decimal + "\n"); System.err.println("x"); System.out.println(area(new Circle(1)) + " " + new Pair(1, 2) + map + tree + set + ordered + linked + bits);
        PrintWriter out = new PrintWriter(new BufferedWriter(new OutputStreamWriter(System.out))); out.println("done"); out.printf("%d\n", 1); out.flush();
        BufferedOutputStream raw = new BufferedOutputStream(System.out); raw.write("bytes\n".getBytes()); raw.flush(); DataInputStream data = new DataInputStream(System.in); data.read(new byte[16]); new StreamTokenizer(r).nextToken();
        Function<Integer, Integer> f = x -> x + 1; BiFunction<Integer, Integer, Integer> g = (x, y) -> x + y; Supplier<String> s = () -> "s"; Runnable run = () -> {}; run.run(); f.andThen(x -> x).apply(1); g.apply(1, 2); s.get(); Optional.of(1).map(x -> x + 1).orElse(0);
        Thread thread = new Thread(run); thread.start(); thread.join(); Random random = new Random(1); random.nextInt(10); Math.floorMod(-1, 3); Long.toBinaryString(5); Character.isDigit('1'); "a,b".replaceAll("[^a-z]", "").toUpperCase().chars().count(); System.nanoTime(); Objects.hash(1, 2); "x".repeat(3); String.join(",", ordered); "Text".compareTo("x"); "b".substring(0).indexOf("b"); Iterator<Integer> it = list.iterator(); while (it.hasNext()) it.next();
        try { Integer.parseInt("x"); } catch (NumberFormatException e) { StringWriter w = new StringWriter(); e.printStackTrace(new PrintWriter(w)); w.toString(); }
    }
}
