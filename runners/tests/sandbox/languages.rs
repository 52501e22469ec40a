//! Each language on a real container: right programs are right, and each way to fail has its own verdict.

use codementor_protocol::{Limits, Verdict};
use codementor_runners::{CaseInput, CaseRun, Source};

use crate::house::{House, build, file, tight, verdict};

/// The same programs in one language. They differ by the word that they read.
struct Sample {
    language: &'static str,
    /// Reads a word: `add` goes on to read two numbers and prints their sum; `hold` uses 60 MiB and prints `held`;
    /// `hog` takes memory until there is none; `loop` never ends; `fail` ends by an error that it does not catch.
    program: &'static str,
    /// What is not a program in it.
    broken: &'static str,
}

const SAMPLES: [Sample; 7] = [
    Sample {
        language: "c",
        program: r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
    char word[16];
    if (scanf("%15s", word) != 1) return 1;
    if (!strcmp(word, "add")) { long a, b; if (scanf("%ld %ld", &a, &b) != 2) return 1; printf("%ld\n", a + b); }
    if (!strcmp(word, "hold")) { memset(malloc(60 << 20), 1, 60 << 20); puts("held"); }
    if (!strcmp(word, "hog")) for (;;) { char *more = malloc(1 << 20); if (more) memset(more, 1, 1 << 20); }
    if (!strcmp(word, "loop")) for (volatile int i = 0;; i++);
    if (!strcmp(word, "fail")) abort();
}"#,
        broken: "int main(void) { return x; }",
    },
    Sample {
        language: "cpp",
        program: r#"
#include <bits/stdc++.h>
using namespace std;
int main() {
    string word;
    cin >> word;
    if (word == "add") { long a, b; cin >> a >> b; cout << a + b << endl; }
    if (word == "hold") { vector<char> v(60 << 20, 1); cout << "held" << endl; }
    if (word == "hog") { vector<vector<char>> v; for (;;) v.emplace_back(1 << 20, 1); }
    if (word == "loop") for (volatile int i = 0;; i = i + 1);
    if (word == "fail") throw runtime_error("failed");
}"#,
        broken: "int main() { return x; }",
    },
    Sample {
        language: "java",
        program: r#"
import java.util.*;
class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        switch (in.next()) {
            case "add" -> System.out.println(in.nextLong() + in.nextLong());
            case "hold" -> { byte[] b = new byte[60 << 20]; Arrays.fill(b, (byte) 1); System.out.println("held"); }
            case "hog" -> { List<byte[]> all = new ArrayList<>(); for (;;) all.add(new byte[1 << 20]); }
            case "loop" -> { for (;;) Thread.onSpinWait(); }
            case "fail" -> throw new IllegalStateException("failed");
        }
    }
}"#,
        broken: "class Main { int x = y; }",
    },
    Sample {
        language: "javascript",
        program: r#"
const words = require('fs').readFileSync(0, 'utf8').split(/\s+/);
if (words[0] === 'add') console.log(Number(words[1]) + Number(words[2]));
if (words[0] === 'hold') { const b = Buffer.alloc(60 << 20, 1); console.log(b.length ? 'held' : ''); }
if (words[0] === 'hog') { const all = []; for (;;) all.push(new Array(1000).fill({}).map(() => ({ a: 1 }))); }
if (words[0] === 'loop') for (;;);
if (words[0] === 'fail') throw new Error('failed');
"#,
        broken: "function (",
    },
    Sample {
        language: "python3",
        program: r#"
import sys
words = sys.stdin.read().split()
if words[0] == 'add': print(int(words[1]) + int(words[2]))
if words[0] == 'hold': b = b'x' * (60 << 20); print('held')
if words[0] == 'hog':
    all = []
    while True: all.append([0] * 100000)
if words[0] == 'loop':
    while True: pass
if words[0] == 'fail': raise ValueError('failed')
"#,
        broken: "def f(:",
    },
    Sample {
        language: "rust",
        program: r#"
use std::io::Read;
fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[0] {
        "add" => println!("{}", words[1].parse::<i64>().unwrap() + words[2].parse::<i64>().unwrap()),
        "hold" => { let v = vec![1u8; 60 << 20]; println!("{}", if std::hint::black_box(&v)[7] == 1 { "held" } else { "" }) }
        "hog" => { let mut all = Vec::new(); loop { all.push(std::hint::black_box(vec![1u8; 1 << 20])) } }
        "loop" => loop { std::hint::spin_loop() },
        _ => panic!("failed"),
    }
}"#,
        broken: "fn main() { let x: i32 = \"\"; }",
    },
    Sample {
        language: "go",
        program: r#"
package main
import "fmt"
func main() {
    var word string
    fmt.Scan(&word)
    switch word {
    case "add":
        var a, b int
        fmt.Scan(&a, &b)
        fmt.Println(a + b)
    case "hold":
        b := make([]byte, 60<<20)
        for i := range b { b[i] = 1 }
        fmt.Println("held")
    case "hog":
        var all [][]byte
        for {
            b := make([]byte, 1<<20)
            for i := range b { b[i] = 1 }
            all = append(all, b)
        }
    case "loop":
        for { }
    case "fail":
        panic("failed")
    }
}"#,
        broken: "package main\nfunc main() { x }",
    },
];

const TABLE: [(&str, &str, Verdict); 6] = [
    ("add 20 22", "42\n", Verdict::Accepted),
    ("hold", "held\n", Verdict::Accepted),
    ("hog", "", Verdict::MemoryLimit),
    ("loop", "", Verdict::TimeLimit),
    ("fail", "", Verdict::RuntimeError),
    ("add 1 2", "3\n", Verdict::Accepted),
];

async fn judge(sample: &Sample) {
    let house = House::new().await;
    let runner = house.runner(sample.language).await;
    // Filling the memory takes a garbage collector a second of CPU time, on a crowded machine three, and there ten on the
    // clock.
    let limits = Limits { time_ms: 6000, memory_mib: 256, ..Limits::default() };
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();

    let broken = [file(&runner, sample.broken)];
    let source = Source { language: &runner.language, submitted: &broken, included: &[], entry: None };
    let refused = sandbox.build(&source, &limits).await.unwrap();
    assert!(!refused.ok && !refused.output.bytes.is_empty(), "{}: {refused:?}", sample.language);

    build(&mut sandbox, &runner, sample.program, &limits).await;
    let cases =
        TABLE.map(|(input, ..)| CaseRun { stdin: CaseInput::Bytes(input.into()), ..CaseRun::default() });
    let mut cases = sandbox.run(cases.into(), &limits).await.unwrap();
    for (input, output, expected) in TABLE {
        let done = cases.next().await.unwrap().unwrap();
        let found = verdict(&done.exited, &limits, done.stdout == output.as_bytes());
        let stderr = done.stderr.bytes.escape_ascii().to_string();
        assert_eq!(found, expected, "{} {input}: {:?} {stderr:.2000}", sample.language, done.exited);
    }
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn compiled_languages_have_the_verdicts_of_the_table() {
    for sample in SAMPLES.iter().filter(|sample| ["c", "cpp", "rust", "go"].contains(&sample.language)) {
        judge(sample).await;
    }
}

#[tokio::test]
async fn languages_with_a_runtime_have_the_verdicts_of_the_table() {
    for sample in SAMPLES.iter().filter(|sample| ["java", "javascript", "python3"].contains(&sample.language))
    {
        judge(sample).await;
    }
}

/// Programs whose runtime collects garbage for longer than the time limit before it gives up, and one that only holds much.
const FULL: [(&str, &str, Verdict); 3] = [
    (
        "java",
        "import java.util.*;
class Main {
    public static void main(String[] args) {
        Map<Integer, String> all = new HashMap<>();
        for (int i = 0; ; i++) all.put(i, \"k\" + i);
    }
}",
        Verdict::MemoryLimit,
    ),
    (
        "javascript",
        "const all = []; for (;;) all.push({ a: all.length, b: String(all.length) });",
        Verdict::MemoryLimit,
    ),
    (
        "java",
        "class Main {
    static byte[] fresh;
    public static void main(String[] args) {
        byte[] held = new byte[110 << 20];
        for (int i = 0; ; i++) { fresh = new byte[1 << 16]; held[i & 0xffffff]++; }
    }
}",
        Verdict::TimeLimit,
    ),
];

#[tokio::test]
async fn a_heap_that_is_full_counts_before_the_time_that_is_over() {
    let house = House::new().await;
    let limits = Limits { time_ms: 1000, memory_mib: 256, ..tight() };
    for (language, program, expected) in FULL {
        let runner = house.runner(language).await;
        let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
        build(&mut sandbox, &runner, program, &limits).await;
        let mut cases = sandbox.run(vec![CaseRun::default()], &limits).await.unwrap();
        let done = cases.next().await.unwrap().unwrap();
        assert_eq!(verdict(&done.exited, &limits, false), expected, "{language}: {:?}", done.exited);
        sandbox.close().await;
    }
    house.close().await;
}
