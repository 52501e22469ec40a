//! Wrong programs for small problems, whose hidden tests hold a word that stands nowhere else.

use codementor_tests::canary::CANARY;
use codementor_tests::{Draft, Home};

/// A wrong program.
pub(crate) struct Program {
    pub(crate) problem: &'static str,
    pub(crate) file: &'static str,
    /// What is wrong with it.
    pub(crate) mistake: &'static str,
    pub(crate) text: &'static str,
}

pub(crate) const PROGRAMS: [Program; 6] = [
    Program {
        problem: "first-word",
        file: "first.py",
        mistake: "prints five letters",
        text: "line = input()\nprint(line[:5])\n",
    },
    Program {
        problem: "first-word",
        file: "first.c",
        mistake: "reads five letters",
        text: "#include <stdio.h>\n\nint main(void) {\n    char word[100];\n    scanf(\"%5s\", word);\n    puts(word);\n    return 0;\n}\n",
    },
    Program {
        problem: "total",
        file: "total.py",
        mistake: "adds the count too",
        text: "import sys\n\nnumbers = list(map(int, sys.stdin.read().split()))\nprint(sum(numbers))\n",
    },
    Program {
        problem: "total",
        file: "total.cpp",
        mistake: "leaves out the last",
        text: "#include <iostream>\n\nint main() {\n    int n, x, total = 0;\n    std::cin >> n;\n    for (int i = 1; i < n; i++) {\n        std::cin >> x;\n        total += x;\n    }\n    std::cout << total << \"\\n\";\n}\n",
    },
    Program {
        problem: "largest",
        file: "largest.py",
        mistake: "begins with zero",
        text: "n = int(input())\nbest = 0\nfor _ in range(n):\n    best = max(best, int(input()))\nprint(best)\n",
    },
    Program {
        problem: "largest",
        file: "largest.py",
        mistake: "is not Python",
        text: "n = int(input()\nprint(max(int(input()) for _ in range(n)))\n",
    },
];

/// Installs the problems.
pub(crate) fn install(home: &Home) {
    let draft = |slug: &str, statement: &str| {
        let text = format!("\\problemname{{{slug}}}\n\n{statement}\n");
        Draft::new(slug, 2).file("problem_statement/problem.en.tex", text)
    };
    let hidden = |number: u32| format!("{CANARY}-{number}");
    draft("first-word", "Read a line of words, and print the first one.")
        .sample("1", "amsel drossel\n", "amsel\n")
        .secret(&hidden(1), &format!("{CANARY} fink\n"), &format!("{CANARY}\n"))
        .install(home);
    draft("total", "Read a number n, and then n numbers, one in each line. Print the sum of the n numbers.")
        .sample("1", "2\n10\n20\n", "30\n")
        .secret(&hidden(1), "3\n1\n2\n3\n", "6\n")
        .secret(&hidden(2), "0\n", "0\n")
        .install(home);
    draft(
        "largest",
        "Read a number n, and then n numbers, one in each line. Print the largest of the n numbers.",
    )
    .sample("1", "3\n1\n7\n5\n", "7\n")
    .secret(&hidden(1), "2\n-4\n-9\n", "-4\n")
    .install(home);
}
