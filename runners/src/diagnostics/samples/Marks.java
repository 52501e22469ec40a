import java.util.*;
public class Marks {
    public static void main(String[] args) {
        String 이름 = "홍길동"; int x = 가나;
        int y = "안녕";
        List<Integer> l = new ArrayList();
        System.out.printn("x");
    }
}
