//! Problem packages made for the benchmark.

use std::fs;
use std::path::{Path, PathBuf};

/// Writes a package with `cases` cases, each asking for the sum of two numbers.
pub(crate) fn sums(directory: &Path, slug: &str, cases: usize) -> PathBuf {
    let root = directory.join(slug);
    fs::create_dir_all(root.join("data/secret")).expect("the folders are made");
    let yaml = format!(
        "problem_format_version: 2025-09\nname: {slug}\nuuid: 00000000-0000-4000-8000-{cases:012}\n\
         limits:\n  time_limit: 5\n  memory: 2048\n"
    );
    fs::write(root.join("problem.yaml"), yaml).expect("is written");
    for number in 0..cases {
        let (input, answer) = case(number);
        let base = root.join(format!("data/secret/{number:03}"));
        fs::write(base.with_extension("in"), input).expect("is written");
        fs::write(base.with_extension("ans"), answer).expect("is written");
    }
    root
}

/// The input and the answer of a case.
pub(crate) fn case(number: usize) -> (String, String) {
    (format!("{number} {}\n", number * 7), format!("{}\n", number * 8))
}

/// A program that adds, in Python.
pub(crate) fn python(nonce: u64) -> String {
    format!("# {nonce}\na, b = map(int, input().split())\nprint(a + b)\n")
}

/// A program that adds, in C++.
pub(crate) fn cpp(nonce: u64) -> String {
    format!(
        "// {nonce}\n#include <bits/stdc++.h>\nusing namespace std;\n\
         int main() {{ long long a, b; cin >> a >> b; cout << a + b << '\\n'; }}\n"
    )
}

/// A program that adds, in Java.
pub(crate) fn java(nonce: u64) -> String {
    format!(
        "// {nonce}\nimport java.util.Scanner;\n\npublic class Main {{\n    public static void main(String[] args) {{\n\
         Scanner in = new Scanner(System.in);\n        System.out.println(in.nextLong() + in.nextLong());\n    }}\n}}\n"
    )
}
