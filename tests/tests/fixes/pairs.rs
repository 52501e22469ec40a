//! Wrong programs, and what a model answers to each: a few templates with much to vary in them.

use std::fmt::{self, Write as _};

use codementor_test_model::{Request, Script, correction};
use codementor_tests::{Draft, Home};

/// Problems of one shape: a number, and that many numbers, which are folded into one. Expressions are written so that
/// they mean the same in Python and C.
pub(crate) struct Fold {
    pub(crate) slug: &'static str,
    start: &'static str,
    step: &'static str,
    /// Mistakes that show in the first case or a later one; the last shows in hidden cases only.
    mistakes: [(&'static str, &'static str); 3],
    samples: [&'static [i64]; 2],
    secrets: [&'static [i64]; 3],
    value: fn(&[i64]) -> i64,
}

pub(crate) const FOLDS: [Fold; 5] = [
    Fold {
        slug: "total",
        start: "0",
        step: "answer + x",
        mistakes: [("1", "answer + x"), ("0", "answer - x"), ("0", "answer + greater(x, 0)")],
        samples: [&[1, 2, 3], &[5]],
        secrets: [&[-1, -2, 3, 4], &[1_000_000_000, 1_000_000_000, 1_000_000_000], &[0]],
        value: |all| all.iter().sum(),
    },
    Fold {
        slug: "largest",
        start: "-4000000000",
        step: "greater(answer, x)",
        mistakes: [
            ("4000000000", "greater(answer, x)"),
            ("-4000000000", "greater(answer, -x)"),
            ("0", "greater(answer, x)"),
        ],
        samples: [&[3, 9, 2], &[7]],
        secrets: [&[-5, -3, -9], &[1_000_000_000, -1_000_000_000], &[0]],
        value: |all| all.iter().copied().fold(i64::MIN, i64::max),
    },
    Fold {
        slug: "evens",
        start: "0",
        step: "answer + (x % 2 == 0)",
        mistakes: [
            ("0", "answer + (x % 2 == 1)"),
            ("2", "answer + (x % 2 == 0)"),
            ("0", "answer + (x % 2 == 0) * (x != 0)"),
        ],
        samples: [&[1, 2, 3, 4], &[6]],
        secrets: [&[0, 0, 1], &[-2, -3, 8], &[10]],
        value: |all| all.iter().filter(|x| **x % 2 == 0).count() as i64,
    },
    Fold {
        slug: "product",
        start: "1",
        step: "answer * x % 1000007",
        mistakes: [
            ("0", "answer * x % 1000007"),
            ("1", "answer + x % 1000007"),
            ("1", "answer * greater(x, 1) % 1000007"),
        ],
        samples: [&[2, 3, 4], &[9]],
        secrets: [&[5, 0, 7], &[1000, 1000, 1000, 999], &[1]],
        value: |all| all.iter().fold(1, |answer, x| answer * x % 1_000_007),
    },
    Fold {
        slug: "alternate",
        start: "0",
        step: "x - answer",
        mistakes: [("1", "x - answer"), ("0", "answer - x"), ("0", "greater(x - answer, answer - x)")],
        samples: [&[1, 3], &[5]],
        secrets: [&[3, 1], &[10, 2, -7], &[4]],
        value: |all| all.iter().fold(0, |answer, x| x - answer),
    },
];

fn input(numbers: &[i64]) -> String {
    let all: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("{}\n{}\n", numbers.len(), all.join(" "))
}

impl Fold {
    pub(crate) fn install(&self, home: &Home) {
        let mut draft = Draft::new(self.slug, 1);
        for (number, case) in self.samples.iter().enumerate() {
            draft = draft.sample(&number.to_string(), &input(case), &format!("{}\n", (self.value)(case)));
        }
        for (number, case) in self.secrets.iter().enumerate() {
            draft = draft.secret(&number.to_string(), &input(case), &format!("{}\n", (self.value)(case)));
        }
        draft.install(home);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    C,
}

impl Language {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Python => "python3",
            Self::C => "c",
        }
    }

    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::Python => "answer.py",
            Self::C => "answer.c",
        }
    }
}

/// What a model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The right program.
    Right,
    /// The right program with a fence around it, and a word before.
    Fenced,
    /// A program that fails hidden cases, and when asked again the right one.
    Later,
    /// A right program that is another one, and when asked again the right one.
    Smaller,
    /// The right program as a whole, and half of a hint.
    HintCut,
    /// A right program that is another one, whenever it is asked.
    OverEdited,
    /// A program that is right for the samples only.
    HiddenOnly,
    /// The student's program, in another layout.
    Unchanged,
    /// The right program up to its middle, where the tokens ran out.
    Length,
    /// The right program, and then the connection ends without a word.
    NoEnd,
    /// Words, some of them with a program between them that nothing marks.
    Prose,
    /// A right program in another language.
    OtherLanguage,
    /// A program that does not end.
    Endless,
    /// A program that multiplies.
    ForkBomb,
    /// A program that knows the answers of the samples.
    SampleAnswers,
}

/// The kinds, how many pairs there are of each, whether something is delivered, and how feedback ends.
pub(crate) const KINDS: [(Kind, usize, bool, &str); 15] = [
    (Kind::Right, 140, true, "complete"),
    (Kind::Fenced, 20, true, "complete"),
    (Kind::Later, 24, true, "complete"),
    (Kind::Smaller, 16, true, "complete"),
    (Kind::HintCut, 10, true, "cut_off"),
    (Kind::OverEdited, 40, true, "complete"),
    (Kind::HiddenOnly, 80, false, "withheld"),
    (Kind::Unchanged, 30, false, "withheld"),
    (Kind::Length, 16, false, "cut_off"),
    (Kind::NoEnd, 16, false, "truncated"),
    (Kind::Prose, 20, false, "withheld"),
    (Kind::OtherLanguage, 20, false, "withheld"),
    (Kind::Endless, 16, false, "withheld"),
    (Kind::ForkBomb, 14, false, "withheld"),
    (Kind::SampleAnswers, 40, false, "withheld"),
];

/// A wrong program and what is answered to it.
pub(crate) struct Pair {
    number: usize,
    pub(crate) kind: Kind,
    pub(crate) fold: &'static Fold,
    pub(crate) language: Language,
    /// The student's program.
    pub(crate) program: String,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pair {} ({:?}, {}, {:?})", self.number, self.kind, self.fold.slug, self.language)
    }
}

/// All pairs, the kinds mixed.
pub(crate) fn all() -> Vec<Pair> {
    let kinds: Vec<Kind> =
        KINDS.iter().flat_map(|(kind, count, _, _)| std::iter::repeat_n(*kind, *count)).collect();
    let mut pairs: Vec<Pair> =
        kinds.iter().enumerate().map(|(number, kind)| Pair::new(number, *kind)).collect();
    // 7919 is prime and no divisor of their number, so that this is a permutation.
    pairs.sort_by_key(|pair| pair.number * 7919 % kinds.len());
    pairs
}

/// The number of the pair that a request is about; the student's program holds it in a name.
pub(crate) fn number(request: &Request) -> Option<usize> {
    let (_, text) = request.program().into_iter().next()?;
    let digits = text.split_once("pair")?.1;
    digits.get(..4)?.parse().ok()
}

impl Pair {
    fn new(number: usize, kind: Kind) -> Self {
        let fold = &FOLDS[number % FOLDS.len()];
        let language = if number % 3 == 2 { Language::C } else { Language::Python };
        // Where the answer fails hidden cases only, the program must have another mistake.
        let mistakes = if matches!(kind, Kind::HiddenOnly | Kind::Later) { 2 } else { 3 };
        let (start, step) = fold.mistakes[number / 5 % mistakes];
        let mut pair = Self { number, kind, fold, language, program: String::new() };
        pair.program = pair.with(start, step);
        pair
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// The right program in the student's shape.
    pub(crate) fn right(&self) -> String {
        self.with(self.fold.start, self.fold.step)
    }

    /// The program that fails hidden cases only, in the student's shape.
    pub(crate) fn hidden_only(&self) -> String {
        let (start, step) = self.fold.mistakes[2];
        self.with(start, step)
    }

    /// The student's program with another beginning and another step.
    fn with(&self, start: &str, step: &str) -> String {
        let name = format!("pair{:04}", self.number);
        match (self.language, self.number / 15 % 3) {
            (Language::Python, 0) => format!(
                "import sys\n\ngreater = max\n{name} = list(map(int, sys.stdin.read().split()))\nanswer = {start}\n\
                 for x in {name}[1:{name}[0] + 1]:\n    answer = {step}\nprint(answer)\n"
            ),
            (Language::Python, 1) => format!(
                "def greater(a, b):\n    return a if a > b else b\n\n\ndef {name}(numbers):\n    answer = {start}\n    \
                 for x in numbers:\n        answer = {step}\n    return answer\n\n\ncount = int(input())\n\
                 print({name}([int(word) for word in input().split()][:count]))\n"
            ),
            (Language::Python, _) => format!(
                "greater = max\n{name} = int(input())\nwords = input().split()\nat = 0\nanswer = {start}\n\
                 while at < {name}:\n    x = int(words[at])\n    answer = {step}\n    at += 1\nprint(answer)\n"
            ),
            (Language::C, 0) => format!(
                "#include <stdio.h>\n\nstatic inline long long greater(long long a, long long b) {{\n    return a > b ? a : \
                 b;\n}}\n\nint main(void) {{\n    int {name};\n    long long answer = {start}, x;\n    if (scanf(\"%d\", \
                 &{name}) != 1) return 1;\n    for (int i = 0; i < {name}; i++) {{\n        if (scanf(\"%lld\", &x) != 1) \
                 return 1;\n        answer = {step};\n    }}\n    printf(\"%lld\\n\", answer);\n    return 0;\n}}\n"
            ),
            (Language::C, _) => format!(
                "#include <stdio.h>\n\nlong long {name}[100];\n\nlong long greater(long long a, long long b) {{\n    if (a < \
                 b) return b;\n    return a;\n}}\n\nlong long fold(int count) {{\n    long long answer = {start};\n    for \
                 (int i = 0; i < count; i++) {{\n        long long x = {name}[i];\n        answer = {step};\n    }}\n    \
                 return answer;\n}}\n\nint main(void) {{\n    int count = 0;\n    scanf(\"%d\", &count);\n    for (int i = 0; \
                 i < count; i++) scanf(\"%lld\", &{name}[i]);\n    printf(\"%lld\\n\", fold(count));\n}}\n"
            ),
        }
    }

    /// A right program that has little of the student's.
    fn another(&self, language: Language) -> String {
        let Fold { start, step, .. } = self.fold;
        let number = self.number;
        match language {
            Language::Python => format!(
                "import functools\nimport sys\n\n\nclass Folding{number}:\n    def __init__(self, words):\n        self.items = \
                 [int(word) for word in words]\n\n    def larger(self, one, other):\n        return one if one > other else \
                 other\n\n    def run(self):\n        greater = self.larger\n        count = self.items[0]\n        return \
                 functools.reduce(lambda answer, x: {step}, self.items[1:count + 1], {start})\n\n\nif __name__ == \
                 \"__main__\":\n    folding = Folding{number}(sys.stdin.read().split())\n    sys.stdout.write(\"%d\\n\" % \
                 folding.run())\n"
            ),
            Language::C => format!(
                "#include <stdio.h>\n#include <stdlib.h>\n\nstruct folding{number} {{ long long value; long long left; }};\n\n\
                 static inline long long greater(long long one, long long other) {{ return one < other ? other : one; \
                 }}\n\nstatic int take(struct folding{number} *state) {{\n    long long x;\n    if (state->left == 0 || \
                 scanf(\"%lld\", &x) != 1) return 0;\n    long long answer = state->value;\n    state->value = {step};\n    \
                 state->left = state->left - 1;\n    return 1;\n}}\n\nint main(void) {{\n    struct folding{number} *state = \
                 malloc(sizeof *state);\n    state->value = {start};\n    if (scanf(\"%lld\", &state->left) != 1) return \
                 1;\n    while (take(state)) {{ }}\n    printf(\"%lld\\n\", state->value);\n    free(state);\n    return \
                 0;\n}}\n"
            ),
        }
    }

    fn unchanged(&self) -> String {
        let comment = match self.language {
            Language::Python => "# This works now.\n\n",
            Language::C => "// This works now.\n\n",
        };
        format!("{comment}{}", self.program)
    }

    fn endless(&self) -> String {
        let number = self.number;
        match (self.language, number % 2) {
            (Language::Python, 0) => format!("turns = {number}\nwhile True:\n    turns += 1\n"),
            (Language::Python, _) => format!("while True:\n    print({number})\n"),
            (Language::C, 0) => {
                format!(
                    "int main(void) {{\n    volatile long long turns = {number};\n    for (;;) turns++;\n}}\n"
                )
            }
            (Language::C, _) => {
                format!(
                    "#include <stdio.h>\n\nint main(void) {{\n    for (;;) printf(\"{number}\\n\");\n}}\n"
                )
            }
        }
    }

    fn fork_bomb(&self) -> String {
        let number = self.number;
        match self.language {
            Language::Python => format!(
                "import os\n\nchildren = {number}\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        \
                 children += 1\n"
            ),
            Language::C => format!(
                "#include <unistd.h>\n\nint main(void) {{\n    volatile int children = {number};\n    for (;;) children += \
                 fork() > 0;\n}}\n"
            ),
        }
    }

    pub(crate) fn sample_answers(&self) -> String {
        let [one, two] = self.fold.samples;
        let (first, second) = ((self.fold.value)(one), (self.fold.value)(two));
        let mut text = String::new();
        // A writing to a text cannot fail.
        let _ = match self.language {
            Language::Python => write!(
                text,
                "known{} = {{{:?}: {first}, {:?}: {second}}}\nlines = [input(), input()]\nprint(known{}.get(lines[1], \
                 {first}))\n",
                self.number,
                input(one).lines().nth(1).unwrap_or_default(),
                input(two).lines().nth(1).unwrap_or_default(),
                self.number,
            ),
            Language::C => write!(
                text,
                "#include <stdio.h>\n\nint main(void) {{\n    int known{number};\n    scanf(\"%d\", &known{number});\n    \
                 puts(known{number} == {} ? \"{first}\" : \"{second}\");\n}}\n",
                one.len(),
                number = self.number,
            ),
        };
        text
    }

    /// What the model answers to this request.
    pub(crate) fn answer(&self, request: &Request) -> Script {
        let hint =
            format!("Number {}: the idea is right.\n\nLook at how the answer begins and grows.", self.number);
        let say = |fix: &str| Script::correction(request, fix, &hint);
        let cut = |fix: &str| {
            let text = correction(request, fix, &hint);
            let end = text.find(&fix[fix.len() / 2..]).unwrap_or(text.len());
            Script::sse().role().delta(&text[..end])
        };
        match self.kind {
            Kind::Right => say(&self.right()),
            Kind::Fenced => say(&format!("Here it is:\n```\n{}```\n", self.right())),
            Kind::Later if request.is_repeated() => say(&self.right()),
            Kind::Later | Kind::HiddenOnly => say(&self.hidden_only()),
            Kind::Smaller if request.is_repeated() => say(&self.right()),
            Kind::Smaller | Kind::OverEdited => say(&self.another(self.language)),
            Kind::HintCut => {
                let text = correction(request, &self.right(), &hint);
                let end = text.find("Look at").unwrap_or(text.len());
                Script::sse().role().delta(&text[..end]).finish("length").usage(10, 10).done()
            }
            Kind::Unchanged => say(&self.unchanged()),
            Kind::Length => cut(&self.right()).finish("length").usage(10, 10).done(),
            // Half of these break off in the middle, the others where the program is complete and its end is not said.
            Kind::NoEnd if self.number.is_multiple_of(2) => cut(&self.right()),
            Kind::NoEnd => {
                let text = correction(request, &self.right(), &hint);
                let end = text.find(&format!("=== {} end", request.key())).unwrap_or(text.len());
                Script::sse().role().delta(&text[..end]).finish("stop")
            }
            Kind::Prose if self.number.is_multiple_of(2) => Script::answer(&hint),
            Kind::Prose => Script::answer(&format!("{hint}\n\n```\n{}```\n", self.right())),
            Kind::OtherLanguage => {
                let other = if self.language == Language::Python { Language::C } else { Language::Python };
                let text = self.another(other);
                let script = correction(request, &text, &hint);
                // Half of these keep the name of the student's file.
                let name =
                    if self.number.is_multiple_of(2) { request.file_name() } else { other.file().to_owned() };
                Script::answer(&script.replacen(&request.file_name(), &name, 1))
            }
            Kind::Endless => say(&self.endless()),
            Kind::ForkBomb => say(&self.fork_bomb()),
            Kind::SampleAnswers => say(&self.sample_answers()),
        }
    }
}
