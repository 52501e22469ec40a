//! How far a corrected program is from the student's: in tokens, so that layout and comments do not count, and with the
//! runs of tokens that a hint must not give away.

use std::collections::{HashMap, HashSet};

use codementor_protocol::SourceFile;

use super::tokens::{Kind, Syntax, Token, tokens};

/// How many tokens in a row give code away.
pub const RUN: usize = 8;

/// Above this a corrected program is one of its own.
const REWRITE_PERCENT: u32 = 60;

/// How many cells of the table of distances are computed at most, some 50 ms of work. Only large programs of which much
/// was changed come to it: all between their first and their last difference then counts as changed.
const MAX_CELLS: usize = 16_000_000;

/// How many places of the same tokens are looked at. Only tables of numbers have more; what is longest at another place
/// then counts as shorter, so that more is held back.
const MAX_PLACES: usize = 32;

/// What was changed between two versions of a program.
///
/// A file that the new version lacks was not changed: who corrects one file need not repeat the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// How many tokens were inserted, deleted or replaced.
    pub edits: u32,
    /// The same in percent of the old version's tokens, rounded up.
    pub changed_percent: u32,
    /// The tokens of lines that the old version does not have anywhere, one list for each group of such lines in a row.
    pub changed: Vec<Vec<String>>,
    /// For each of these and each of its tokens, how many tokens from there on the old version has in one piece too;
    /// nothing where there are fewer than [`RUN`].
    pub(super) known: Vec<Vec<usize>>,
}

impl Edit {
    /// Compares two versions.
    pub fn between(before: &[SourceFile], after: &[SourceFile]) -> Self {
        let old: Vec<Vec<Token<'_>>> = before.iter().map(read).collect();
        let (mut edits, mut total) = (0, 0);
        for (file, tokens) in before.iter().zip(&old) {
            total += tokens.len();
            if let Some(new) = after.iter().find(|new| new.name == file.name) {
                edits += distance(tokens, &read(new));
            }
        }
        let is_new = |file: &&SourceFile| !before.iter().any(|old| old.name == file.name);
        edits += after.iter().filter(is_new).map(|file| read(file).len()).sum::<usize>();
        let (changed, known) = changed_lines(&old, after);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let percent = (edits * 100).div_ceil(total.max(1));
        Self { edits: number(edits), changed_percent: number(percent), changed, known }
    }

    /// Whether nothing was changed that matters to the program.
    pub fn is_unchanged(&self) -> bool {
        self.edits == 0
    }

    /// Whether so much was changed that it is a program of its own.
    pub fn is_rewrite(&self) -> bool {
        self.changed_percent > REWRITE_PERCENT
    }
}

fn read(file: &SourceFile) -> Vec<Token<'_>> {
    tokens(Syntax::of_file(&file.name), &file.text).tokens
}

fn visible<'a, 'b>(tokens: &'b [Token<'a>]) -> impl Iterator<Item = &'b Token<'a>> {
    tokens.iter().filter(|token| token.kind != Kind::Layout)
}

/// The lines that are new, and which of their runs are not.
fn changed_lines(old: &[Vec<Token<'_>>], after: &[SourceFile]) -> (Vec<Vec<String>>, Vec<Vec<usize>>) {
    let mut known_lines: HashSet<Vec<&str>> = HashSet::new();
    let texts: Vec<Vec<&str>> =
        old.iter().map(|file| visible(file).map(|token| token.text).collect()).collect();
    let pieces = Pieces::of(&texts);
    for file in old {
        known_lines.extend(lines(file));
    }
    let mut changed = Vec::new();
    let mut known = Vec::new();
    for file in after {
        let tokens = read(file);
        let mut run: Vec<&str> = Vec::new();
        // The empty line at the end closes the last run.
        for line in lines(&tokens).into_iter().chain([Vec::new()]) {
            if !line.is_empty() && !known_lines.contains(&line) {
                run.extend(line);
            } else if !run.is_empty() {
                known.push((0..run.len()).map(|at| pieces.longest(&run[at..])).collect());
                changed.push(run.drain(..).map(str::to_owned).collect());
            }
        }
    }
    (changed, known)
}

/// Where a version has each row of [`RUN`] tokens.
struct Pieces<'a> {
    begin: HashMap<&'a [&'a str], Vec<&'a [&'a str]>>,
}

impl<'a> Pieces<'a> {
    fn of(files: &'a [Vec<&'a str>]) -> Self {
        let mut begin: HashMap<_, Vec<_>> = HashMap::new();
        for file in files {
            for (at, row) in file.windows(RUN).enumerate() {
                let places = begin.entry(row).or_default();
                if places.len() < MAX_PLACES {
                    places.push(&file[at..]);
                }
            }
        }
        Self { begin }
    }

    /// How many of these tokens stand here in one piece, from the first on.
    fn longest(&self, tokens: &[&str]) -> usize {
        let Some(places) = tokens.get(..RUN).and_then(|row| self.begin.get(row)) else { return 0 };
        let length = |place: &&[&str]| place.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        places.iter().map(length).max().unwrap_or(0)
    }
}

/// The tokens of each line that has any. Indentation is left out: a hint may name a line that was only moved.
fn lines<'a>(tokens: &[Token<'a>]) -> Vec<Vec<&'a str>> {
    let mut lines: Vec<Vec<&str>> = Vec::new();
    let mut at = 0;
    for token in visible(tokens) {
        if token.line != at || lines.is_empty() {
            at = token.line;
            lines.push(Vec::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push(token.text);
        }
    }
    lines
}

/// The least number of insertions, deletions and replacements, or more than that where it would take too long.
fn distance(before: &[Token<'_>], after: &[Token<'_>]) -> usize {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let (mut a, mut b) = (Vec::with_capacity(before.len()), Vec::with_capacity(after.len()));
    for (tokens, list) in [(before, &mut a), (after, &mut b)] {
        for token in tokens {
            let next = numbers.len() as u32;
            list.push(*numbers.entry(token.text).or_insert(next));
        }
    }
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let same = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
    let most = a.len().max(b.len());
    // Few changes are the rule, and a narrow band around the diagonal is enough for them.
    let mut limit = a.len().abs_diff(b.len()).max(16);
    loop {
        if a.len().saturating_mul((2 * limit + 1).min(b.len())) > MAX_CELLS {
            return most;
        }
        match distance_within(a, b, limit) {
            Some(distance) => return distance,
            None => limit *= 2,
        }
    }
}

/// The distance, if it is at most `limit`.
fn distance_within(a: &[u32], b: &[u32], limit: usize) -> Option<usize> {
    const FAR: usize = usize::MAX / 2;
    let mut above: Vec<usize> = (0..=b.len()).map(|j| if j <= limit { j } else { FAR }).collect();
    let mut row = vec![FAR; b.len() + 1];
    for (i, token) in a.iter().enumerate().map(|(i, token)| (i + 1, token)) {
        let (first, last) = (i.saturating_sub(limit).max(1), (i + limit).min(b.len()));
        row[first - 1] = if first == 1 { i } else { FAR };
        for j in first..=last {
            let replaced = above[j - 1] + usize::from(*token != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
        }
        if let Some(outside) = row.get_mut(last + 1) {
            *outside = FAR;
        }
        std::mem::swap(&mut above, &mut row);
    }
    Some(above[b.len()]).filter(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile { name: name.into(), text: text.into() }
    }

    fn edit(name: &str, before: &str, after: &str) -> Edit {
        Edit::between(&[file(name, before)], &[file(name, after)])
    }

    #[test]
    fn what_does_not_matter_is_no_change() {
        for (name, before, after) in [
            ("a.c", "int x=1;\nint y;", "int x = 1; /* one */\n\n\tint y; // two\n"),
            ("a.cpp", "a<b;\r\n", "a < b;\n"),
            ("a.java", "class A{}", "class A\n{\n}\n"),
            ("a.js", "f(a)", "f(\n  a\n)"),
            ("a.go", "func f() { g() }", "func f() {\n\tg()\n}\n"),
            ("a.py", "if a:\n  b\n", "# why\nif a:\n    b   # so\n\n"),
            ("a.py", "f(a, b)", "f(a,\n  b)\n"),
            ("a.rs", "fn f(){}", "/// What it does.\nfn f() {}"),
        ] {
            let found = edit(name, before, after);
            let nothing_new = found
                .changed
                .iter()
                .zip(&found.known)
                .all(|(tokens, known)| tokens.len() < RUN || known[0] == tokens.len());
            assert!(found.is_unchanged() && nothing_new, "{name} {before:?}: {found:?}");
        }
    }

    #[test]
    fn what_matters_is_counted() {
        for (name, before, after, edits) in [
            ("a.c", "x < y;", "x <= y;", 1),
            ("a.c", "f(\"a\");", "f(\"a \");", 1),
            ("a.c", "a b c d", "b c d", 1),
            ("a.c", "a = b;", "a = b + 1;", 2),
            ("a.py", "for a in b:\n  c\n  d\n", "for a in b:\n  c\nd\n", 1),
            ("a.py", "a\nb", "a; b", 1),
            ("a.go", "func f()\n{}", "func f() {}", 1),
            ("a.js", "return\na", "return a", 1),
            ("a.c", "", "a b", 2),
            ("a.c", "// f(\nx", "f(x", 2),
        ] {
            assert_eq!(edit(name, before, after).edits, edits, "{name} {before:?} {after:?}");
        }
    }

    #[test]
    fn percent_are_of_the_students_tokens_and_a_rewrite_is_above_sixty() {
        let before = "a b c d e f g h i j";
        for (after, percent, rewrite) in [
            ("a b c d e f g h i x", 10, false),
            ("a b c d u v w x y z", 60, false),
            ("a b c t u v w x y z", 70, true),
            ("a b c d e f g h i j k l m n o p q r s t u v w", 130, true),
        ] {
            let found = edit("a.c", before, after);
            assert_eq!((found.changed_percent, found.is_rewrite()), (percent, rewrite), "{after}");
        }
        let long = "a ".repeat(1000);
        let found = edit("a.c", &long, &format!("{}b", &long[..long.len() - 2]));
        assert_eq!((found.edits, found.changed_percent), (1, 1), "a change is never nothing");
        assert!(edit("a.c", "", "a").is_rewrite());
    }

    #[test]
    fn files_are_compared_by_name() {
        let before = [file("a.c", "int a;"), file("b.h", "int b;")];
        assert!(Edit::between(&before, &[before[0].clone()]).is_unchanged(), "what is left out stays");
        assert!(Edit::between(&before, &[before[1].clone(), before[0].clone()]).is_unchanged());
        let found = Edit::between(&before, &[file("c.c", "int c;")]);
        assert_eq!((found.edits, found.changed_percent), (3, 50));
    }

    #[test]
    fn changed_lines_are_those_that_are_new() {
        let before = "a = 1\nfor i in range(n):\n    a += i\nprint(a)\n";
        let after = "a = 0\nfor i in range(n + 1):\n    a += i\nprint(a)\n";
        let found = edit("a.py", before, after);
        let runs: Vec<String> = found.changed.iter().map(|run| run.join(" ")).collect();
        assert_eq!(runs, ["a = 0 for i in range ( n + 1 ) :"]);
        let moved = edit("a.py", before, "print(a)\na = 1\nfor i in range(n):\n    a += i\n");
        assert!(moved.edits > 0 && moved.changed.is_empty());
        let cut = edit("a.c", "f(a, b);\ng();", "f(a);\ng();");
        assert_eq!(cut.changed.concat().concat(), "f(a);", "a line that lost something is new");
    }

    #[test]
    fn a_large_program_is_compared_at_once_whether_little_or_all_was_changed() {
        let lines: Vec<String> = (0..20_000).map(|i| format!("x{i} = {i};")).collect();
        let (before, reversed) =
            (lines.join("\n"), lines.iter().rev().cloned().collect::<Vec<_>>().join("\n"));
        let mut little = lines.clone();
        little[0] = "y = 0;".into();
        little.remove(10_000);
        little.push("z = 1;".into());
        assert_eq!(edit("a.c", &before, &little.join("\n")).edits, 9);
        let all = edit("a.c", &before, &reversed);
        assert!(all.is_rewrite() && all.edits <= 80_000);
    }

    fn plain(a: &[u32], b: &[u32]) -> usize {
        let mut above: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut row = vec![i + 1];
            for (j, y) in b.iter().enumerate() {
                row.push((above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1));
            }
            above = row;
        }
        above[b.len()]
    }

    proptest! {
        #[test]
        fn the_distance_is_the_one_of_the_whole_table(
            a in proptest::collection::vec(0_u32..4, 0..60),
            b in proptest::collection::vec(0_u32..4, 0..60),
        ) {
            let text = |list: &[u32]| list.iter().map(|n| format!("t{n} ")).collect::<String>();
            prop_assert_eq!(edit("a.c", &text(&a), &text(&b)).edits as usize, plain(&a, &b));
        }
    }
}
