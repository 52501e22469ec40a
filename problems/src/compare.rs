//! The default validator: is an output the same as the answer?
//!
//! It is byte-exact: a NUL is a byte like any other, and a number is what the format's grammar says, not what a C
//! library reads. Nothing is allocated for a token, and both texts are passed over once.

use crate::float::{Number, Tolerance, within};

/// How many bytes of a differing token are kept.
pub const MAX_SHOWN_TOKEN: usize = 256;

/// How outputs are compared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flags {
    /// Whether upper and lower case differ.
    pub case_sensitive: bool,
    /// Whether all white space must be the same.
    pub space_change_sensitive: bool,
    /// How far a number may be off, as a part of the answer's.
    pub relative: Option<Tolerance>,
    /// How far a number may be off.
    pub absolute: Option<Tolerance>,
}

/// Why flags are not those of the default validator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// No such flag.
    #[error(
        "the default validator has no flag '{0}'; it has case_sensitive, space_change_sensitive, \
         float_relative_tolerance E, float_absolute_tolerance E and float_tolerance E"
    )]
    Unknown(String),
    /// A tolerance flag at the end.
    #[error("the flag {0} needs a number after it, such as 1e-6")]
    NoTolerance(String),
    /// A tolerance that is no number, negative, or far out of the usual.
    #[error("'{value}' after the flag {flag} is not a tolerance; give a number such as 1e-6, without a sign")]
    BadTolerance {
        /// The flag.
        flag: String,
        /// What stands after it.
        value: String,
    },
}

impl Flags {
    /// Reads flags as they stand in a package. Where a tolerance is given twice, the later one holds.
    pub fn parse(flags: &[String]) -> Result<Self, FlagError> {
        let mut parsed = Self::default();
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            match flag.as_str() {
                "case_sensitive" => parsed.case_sensitive = true,
                "space_change_sensitive" => parsed.space_change_sensitive = true,
                "float_relative_tolerance" => parsed.relative = Some(tolerance(flag, flags.next())?),
                "float_absolute_tolerance" => parsed.absolute = Some(tolerance(flag, flags.next())?),
                "float_tolerance" => {
                    let both = tolerance(flag, flags.next())?;
                    parsed.relative = Some(both.clone());
                    parsed.absolute = Some(both);
                }
                _ => return Err(FlagError::Unknown(flag.clone())),
            }
        }
        Ok(parsed)
    }

    fn has_tolerance(&self) -> bool {
        self.relative.is_some() || self.absolute.is_some()
    }
}

fn tolerance(flag: &str, value: Option<&String>) -> Result<Tolerance, FlagError> {
    let value = value.ok_or_else(|| FlagError::NoTolerance(flag.to_owned()))?;
    Tolerance::parse(value)
        .ok_or_else(|| FlagError::BadTolerance { flag: flag.to_owned(), value: value.clone() })
}

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// The output is right.
    Same,
    /// The output is wrong, from here on.
    Different(Difference),
}

impl Comparison {
    /// Whether the output is right.
    pub fn is_same(&self) -> bool {
        matches!(self, Self::Same)
    }
}

/// The first difference between an output and the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The line of the output, counted from 1.
    pub line: u64,
    /// The byte in that line, counted from 1.
    pub column: u64,
    /// The line of the answer, counted from 1.
    pub answer_line: u64,
    /// In what they differ.
    pub kind: DifferenceKind,
    /// What the answer has: a token, or for `Whitespace` the white space; empty for `TooLong`.
    pub expected: Vec<u8>,
    /// What the output has there; empty for `TooShort`. Both are cut after `MAX_SHOWN_TOKEN` bytes.
    pub got: Vec<u8>,
}

/// In what an output differs from the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DifferenceKind {
    /// The white space, where that matters.
    Whitespace,
    /// Only upper and lower case.
    Case,
    /// A token.
    Token,
    /// The output ends where the answer has more.
    TooShort,
    /// The output goes on where the answer has ended.
    TooLong,
    /// A number is too far off.
    FloatOff {
        /// How far it is off.
        absolute: f64,
        /// How far it is off as a part of the answer's; infinite if the answer is 0.
        relative: f64,
    },
}

/// Compares an output with the answer.
pub fn compare(answer: &[u8], output: &[u8], flags: &Flags) -> Comparison {
    // Most outputs that are right are right to the byte.
    if answer == output {
        return Comparison::Same;
    }
    let mut expected = Tokens { text: answer, at: 0 };
    let mut got = Tokens { text: output, at: 0 };
    loop {
        let gap_start = (expected.at, got.at);
        let gaps = (expected.space(), got.space());
        let token_start = (expected.at, got.at);
        let tokens = (expected.token(), got.token());
        let kind = match (tokens.0.is_empty(), tokens.1.is_empty()) {
            (false, true) => Some(DifferenceKind::TooShort),
            (true, false) => Some(DifferenceKind::TooLong),
            _ if flags.space_change_sensitive && gaps.0 != gaps.1 => {
                let kind = DifferenceKind::Whitespace;
                return different(answer, output, gap_start, kind, gaps);
            }
            (true, true) => return Comparison::Same,
            (false, false) => differs(tokens.0, tokens.1, flags),
        };
        if let Some(kind) = kind {
            return different(answer, output, token_start, kind, tokens);
        }
    }
}

fn differs(expected: &[u8], got: &[u8], flags: &Flags) -> Option<DifferenceKind> {
    if expected == got {
        return None;
    }
    if flags.has_tolerance()
        && let Some(answer) = Number::parse(expected)
    {
        let Some(number) = Number::parse(got) else { return Some(DifferenceKind::Token) };
        if within(&answer, &number, flags.absolute.as_ref(), flags.relative.as_ref()) {
            return None;
        }
        let absolute = (number.value() - answer.value()).abs();
        return Some(DifferenceKind::FloatOff { absolute, relative: absolute / answer.value().abs() });
    }
    match (expected.eq_ignore_ascii_case(got), flags.case_sensitive) {
        (true, false) => None,
        (true, true) => Some(DifferenceKind::Case),
        (false, _) => Some(DifferenceKind::Token),
    }
}

fn different(
    answer: &[u8],
    output: &[u8],
    at: (usize, usize),
    kind: DifferenceKind,
    shown: (&[u8], &[u8]),
) -> Comparison {
    let before = &output[..at.1];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let cut = |bytes: &[u8]| bytes[..bytes.len().min(MAX_SHOWN_TOKEN)].to_vec();
    Comparison::Different(Difference {
        line: line_number(before),
        column: (at.1 - line_start + 1) as u64,
        answer_line: line_number(&answer[..at.0]),
        kind,
        expected: cut(shown.0),
        got: cut(shown.1),
    })
}

fn line_number(before: &[u8]) -> u64 {
    before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1
}

/// A text, taken apart into runs of white space and tokens in turn.
struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn space(&mut self) -> &'a [u8] {
        self.run(is_space)
    }

    fn token(&mut self) -> &'a [u8] {
        self.run(|byte| !is_space(byte))
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }
}

/// The white space of the C locale, which includes the vertical tab that Rust's own test leaves out.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flags(text: &str) -> Flags {
        Flags::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    fn same(answer: &str, output: &str, with: &str) -> bool {
        compare(answer.as_bytes(), output.as_bytes(), &flags(with)).is_same()
    }

    fn difference(answer: &str, output: &str, with: &str) -> Difference {
        match compare(answer.as_bytes(), output.as_bytes(), &flags(with)) {
            Comparison::Different(difference) => difference,
            Comparison::Same => panic!("{answer:?} and {output:?} are the same"),
        }
    }

    #[test]
    fn every_flag_decides_what_it_should() {
        for (answer, output, with, expected) in [
            // Without flags: case and white space do not count, bytes do.
            ("Yes\n", "yes", "", true),
            ("a b", "a\n\r\t\x0b\x0c b\n\n", "", true),
            ("", " \n", "", true),
            ("", "x", "", false),
            ("x", "", "", false),
            ("a b", "ab", "", false),
            ("ab", "a b", "", false),
            ("a", "a a", "", false),
            ("1.0", "1", "", false),
            ("\u{c4}", "\u{e4}", "", false),
            ("a\u{a0}b", "a b", "", false),
            ("a\0b", "a", "", false),
            ("a\0b", "a\0c", "", false),
            ("a\0b", "A\0B", "", true),
            ("a", "a\0", "", false),
            // case_sensitive
            ("Yes", "yes", "case_sensitive", false),
            ("Yes", "Yes ", "case_sensitive", true),
            // space_change_sensitive
            ("a b\n", "a b\n", "space_change_sensitive", true),
            ("a b\n", "A B\n", "space_change_sensitive", true),
            ("a b\n", "a  b\n", "space_change_sensitive", false),
            ("a b\n", "a\tb\n", "space_change_sensitive", false),
            ("a\n", "a", "space_change_sensitive", false),
            ("a\n", " a\n", "space_change_sensitive", false),
            ("a\n", "a\r\n", "space_change_sensitive", false),
            ("", "\n", "space_change_sensitive", false),
            // float_absolute_tolerance
            ("100", "100.1", "float_absolute_tolerance 0.1", true),
            ("100", "99.9", "float_absolute_tolerance 0.1", true),
            ("100", "101", "float_absolute_tolerance 0.1", false),
            // float_relative_tolerance
            ("100", "101", "float_relative_tolerance 0.01", true),
            ("100", "101.1", "float_relative_tolerance 0.01", false),
            ("0", "0.001", "float_relative_tolerance 0.01", false),
            // float_tolerance: either suffices
            ("100", "101", "float_tolerance 0.01", true),
            ("0", "0.001", "float_tolerance 0.01", true),
            ("100", "102", "float_tolerance 0.01", false),
            // Two tolerances, set apart
            ("100", "105", "float_absolute_tolerance 0.1 float_relative_tolerance 0.1", true),
            ("0.1", "0.2", "float_absolute_tolerance 0.1 float_relative_tolerance 0.1", true),
            ("100", "105", "float_relative_tolerance 0.1 float_relative_tolerance 0.01", false),
            // What is a number, and what is not
            ("1", "1e0", "float_tolerance 1e-6", true),
            ("1", "one", "float_tolerance 1e-6", false),
            ("1", "0x1", "float_tolerance 1e-6", false),
            ("1", "1\0", "float_tolerance 1e-6", false),
            ("0", "0x0", "float_tolerance 1e-6", false),
            ("0", "nan", "float_tolerance 1e-6", false),
            ("0", "0e", "float_tolerance 1e-6", false),
            ("1", "inf", "float_tolerance 1e-6", false),
            ("1", "-inf", "float_tolerance 1e-6", false),
            ("nan", "NaN", "float_tolerance 1e-6", true),
            ("inf", "1e999", "float_tolerance 1e-6", false),
            ("one", "1", "float_tolerance 1e-6", false),
            ("1e999", "1e999", "float_tolerance 0", true),
            ("1e999", "10e998", "float_tolerance 0", true),
            ("1e999", "2e999", "float_tolerance 1e-6", false),
            // A tolerance leaves the other rules as they are
            ("x 1", "X 1.0", "float_tolerance 1e-6", true),
            ("x 1", "X 1.0", "float_tolerance 1e-6 case_sensitive", false),
            ("1 2", "1.0  2", "float_tolerance 1e-6 space_change_sensitive", false),
            ("1 2", "1.0 2", "float_tolerance 1e-6 space_change_sensitive", true),
        ] {
            assert_eq!(same(answer, output, with), expected, "{answer:?} {output:?} {with}");
        }
    }

    #[test]
    fn wrong_flags_are_named() {
        for (given, message) in [
            ("case", "no flag 'case'"),
            ("float_tolerance", "the flag float_tolerance needs a number"),
            ("case_sensitive float_absolute_tolerance", "needs a number"),
            ("float_tolerance case_sensitive", "'case_sensitive' after the flag float_tolerance"),
            ("float_tolerance -1", "'-1' after the flag"),
            ("float_relative_tolerance 0x1", "'0x1' after"),
            ("float_absolute_tolerance nan", "'nan' after"),
        ] {
            let given: Vec<_> = given.split(' ').map(str::to_owned).collect();
            let error = Flags::parse(&given).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_difference_says_where_and_what() {
        let found = difference("1 2\n3 4\n", "1 2\n3  5\n", "");
        assert_eq!((found.line, found.column, found.answer_line), (2, 4, 2));
        assert_eq!(
            (found.kind, &*found.expected, &*found.got),
            (DifferenceKind::Token, &b"4"[..], &b"5"[..])
        );

        let found = difference("a\nb\n", "a\n\n\n", "");
        assert_eq!(
            (found.kind, found.line, found.column, found.answer_line),
            (DifferenceKind::TooShort, 4, 1, 2)
        );
        assert_eq!((&*found.expected, &*found.got), (&b"b"[..], &b""[..]));

        let found = difference("a\n", "a\nb", "");
        assert_eq!((found.kind, found.line, &*found.got), (DifferenceKind::TooLong, 2, &b"b"[..]));

        assert_eq!(difference("Yes", "yES", "case_sensitive").kind, DifferenceKind::Case);

        let found = difference("a b", "a \tb", "space_change_sensitive");
        assert_eq!((found.kind, found.column), (DifferenceKind::Whitespace, 2));
        assert_eq!((&*found.expected, &*found.got), (&b" "[..], &b" \t"[..]));

        let found = difference("2 4", "2 5", "float_tolerance 1e-6");
        assert_eq!(found.kind, DifferenceKind::FloatOff { absolute: 1.0, relative: 0.25 });
    }

    #[test]
    fn where_the_output_ends_early_that_is_said_before_the_white_space() {
        assert_eq!(difference("a b", "a\n", "space_change_sensitive").kind, DifferenceKind::TooShort);
        assert_eq!(difference("a", "a b", "space_change_sensitive").kind, DifferenceKind::TooLong);
    }

    #[test]
    fn a_long_token_is_cut() {
        let found = difference("x", &"y".repeat(MAX_SHOWN_TOKEN + 1), "");
        assert_eq!(found.got.len(), MAX_SHOWN_TOKEN);
    }

    #[test]
    fn ten_megabytes_of_numbers_are_compared_with_a_tolerance() {
        let answer = "3.14159265 ".repeat(1 << 20);
        let output = "3.14159266\n".repeat(1 << 20);
        assert!(same(&answer, &output, "float_tolerance 1e-6"));
        assert_eq!(difference(&answer, &output[..output.len() - 11], "float_tolerance 1e-6").line, (1 << 20));
    }

    fn any_flags() -> impl Strategy<Value = Flags> {
        (any::<bool>(), any::<bool>(), prop::option::of(0u32..9)).prop_map(|(case, space, digits)| {
            let tolerance = digits.map(|digits| Tolerance::parse(&format!("1e-{digits}")).unwrap());
            Flags {
                case_sensitive: case,
                space_change_sensitive: space,
                relative: tolerance.clone(),
                absolute: tolerance,
            }
        })
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_as_itself(text: Vec<u8>, flags in any_flags()) {
            prop_assert!(compare(&text, &text, &flags).is_same());
            // A copy that differs in trailing space alone goes through the tokens instead of the short cut.
            let spaced = [&text[..], b"\n"].concat();
            prop_assert_eq!(compare(&text, &spaced, &flags).is_same(), !flags.space_change_sensitive);
        }

        #[test]
        fn white_space_is_free_unless_it_counts(
            tokens in prop::collection::vec("[!-~]{1,5}", 0..8),
            spaces in prop::collection::vec("[ \t\n\r\x0b\x0c]{1,3}", 9),
        ) {
            let spaced: String = tokens.iter().zip(&spaces).flat_map(|(token, space)| [space.as_str(), token]).collect();
            let spaced = spaced + &spaces[8];
            let plain = tokens.join(" ");
            prop_assert!(same(&plain, &spaced, ""));
            prop_assert!(same(&spaced, &plain, ""));
            prop_assert_eq!(same(&plain, &spaced, "space_change_sensitive"), plain == spaced);
        }

        #[test]
        fn token_order_and_count_matter(tokens in prop::collection::vec("[a-z]{1,3}", 1..8)) {
            let plain = tokens.join(" ");
            prop_assert!(!same(&plain, &tokens[1..].join(" "), ""));
            let reversed = tokens.iter().rev().cloned().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(same(&plain, &reversed, ""), plain == reversed);
        }

        #[test]
        fn no_pair_of_texts_fails(answer: Vec<u8>, output: Vec<u8>, flags in any_flags()) {
            let plain = compare(&answer, &output, &flags);
            if let Comparison::Different(found) = plain {
                prop_assert!(found.line >= 1 && found.column >= 1);
            }
        }
    }
}
