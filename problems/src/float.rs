//! Numbers as the format writes them, and whether two of them are near enough.
//!
//! The arithmetic is decided in binary floating point where its error cannot matter, and exactly, in decimal, where
//! it could: 1.1 is within 0.1 of 1.0, and 1e400 is not 2e400.

use std::cmp::Ordering;

/// The longest text of a tolerance, which bounds the work of an exact comparison.
const MAX_TOLERANCE_LENGTH: usize = 64;

/// The largest exponent, either way, that a tolerance may have.
const MAX_TOLERANCE_EXPONENT: i64 = 400;

/// Exponents beyond this are cut off to it: no two texts that fit into memory tell the difference.
const MAX_EXPONENT: i64 = 1 << 40;

/// A tolerance: how far a number may be from the answer's.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    text: String,
    value: f64,
}

impl Tolerance {
    /// Reads a tolerance, which is a number that is not negative. `None` if it is no such thing.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_TOLERANCE_LENGTH {
            return None;
        }
        let number = Number::parse(text.as_bytes())?;
        let exact = number.exact();
        if !exact.is_zero() && (exact.negative || exact.lead().abs() > MAX_TOLERANCE_EXPONENT) {
            return None;
        }
        Some(Self { text: text.to_owned(), value: number.value })
    }

    /// The tolerance as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn exact(&self) -> Decimal {
        Number::parse(self.text.as_bytes()).map_or(Decimal::ZERO, |number| number.exact())
    }
}

/// A number as it stands in an output.
#[derive(Debug, Clone, Copy)]
pub struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
    value: f64,
}

impl<'a> Number<'a> {
    /// Reads `[+-]?(\d*\.\d+|\d+\.|\d+)([eE][+-]?\d+)?`, all of `text` and nothing else.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = sign(text);
        let (whole, rest) = digits(rest);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => digits(rest),
            _ => (&[][..], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => {
                let (negative, rest) = sign(rest);
                let (digits, rest) = digits(rest);
                if digits.is_empty() || !rest.is_empty() {
                    return None;
                }
                let size = digits
                    .iter()
                    .fold(0i64, |size, digit| (size * 10 + i64::from(digit - b'0')).min(MAX_EXPONENT));
                if negative { -size } else { size }
            }
            _ => return None,
        };
        // The grammar above is a part of the one that Rust parses, so that neither step fails.
        let value = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
        Some(Self { negative, whole, fraction, exponent, value })
    }

    /// The nearest floating-point number.
    pub fn value(&self) -> f64 {
        self.value
    }

    fn exact(&self) -> Decimal {
        let digits = self.whole.iter().chain(self.fraction).map(|digit| digit - b'0').collect();
        Decimal { negative: self.negative, digits, low: self.exponent - self.fraction.len() as i64 }.trimmed()
    }
}

/// Whether `got` is near enough to `answer` by either of the tolerances.
pub fn within(
    answer: &Number<'_>,
    got: &Number<'_>,
    absolute: Option<&Tolerance>,
    relative: Option<&Tolerance>,
) -> bool {
    absolute.is_some_and(|tolerance| near(answer, got, tolerance, false))
        || relative.is_some_and(|tolerance| near(answer, got, tolerance, true))
}

fn near(answer: &Number<'_>, got: &Number<'_>, tolerance: &Tolerance, relative: bool) -> bool {
    near_in_binary(answer.value, got.value, tolerance.value, relative)
        .unwrap_or_else(|| near_exactly(&answer.exact(), &got.exact(), &tolerance.exact(), relative))
}

/// `None` where rounding could have decided.
fn near_in_binary(answer: f64, got: f64, tolerance: f64, relative: bool) -> Option<bool> {
    let usual =
        |value: f64| value.is_finite() && (value == 0.0 || value.abs() > 1e-150) && value.abs() < 1e150;
    if !(usual(answer) && usual(got) && usual(tolerance)) {
        return None;
    }
    let bound = if relative { tolerance * answer.abs() } else { tolerance };
    let apart = (got - answer).abs();
    let error = 4.0 * f64::EPSILON * (answer.abs() + got.abs() + bound);
    if apart + error < bound {
        Some(true)
    } else if apart - error > bound {
        Some(false)
    } else {
        None
    }
}

fn near_exactly(answer: &Decimal, got: &Decimal, tolerance: &Decimal, relative: bool) -> bool {
    if answer == got {
        return true;
    }
    let bound = if relative { answer.times(tolerance) } else { tolerance.clone() };
    let (large, small) = if answer.compare_size(got).is_ge() { (answer, got) } else { (got, answer) };
    // Where one number is tiny beside the other, their distance is about the larger one. That settles most cases, and
    // what it leaves open has a bound of about that size, so that nothing below aligns digits that are far apart.
    let gap = if small.is_zero() { i64::MAX } else { large.lead() - small.lead() };
    if gap > 2 {
        if bound.is_zero() || bound.lead() < large.lead() - 1 {
            return false;
        }
        if bound.lead() > large.lead() + 1 {
            return true;
        }
    }
    let floor = large.low.min(if bound.is_zero() { large.low } else { bound.low }) - 2;
    let speck = Decimal { negative: small.negative, digits: vec![1], low: floor };
    let small = if !small.is_zero() && small.lead() < floor { &speck } else { small };
    large.apart(small).compare_size(&bound).is_le()
}

/// An exact decimal number: `digits` × 10^`low`, with no zero digit at either end; zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    low: i64,
}

impl Decimal {
    const ZERO: Self = Self { negative: false, digits: Vec::new(), low: 0 };

    fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The place of the first digit.
    fn lead(&self) -> i64 {
        self.low + self.digits.len() as i64 - 1
    }

    fn trimmed(mut self) -> Self {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.low += 1;
        }
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        if self.digits.is_empty() { Self::ZERO } else { self }
    }

    /// Compares without the sign.
    fn compare_size(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Neither ends in a zero, so that of two that agree as far as one goes, the longer is larger.
            (false, false) => self.lead().cmp(&other.lead()).then_with(|| self.digits.cmp(&other.digits)),
        }
    }

    /// The size of the product. The second factor is short.
    fn times(&self, other: &Self) -> Self {
        let mut places = vec![0u32; self.digits.len() + other.digits.len()];
        for (i, a) in self.digits.iter().enumerate() {
            for (j, b) in other.digits.iter().enumerate() {
                places[i + j + 1] += u32::from(*a) * u32::from(*b);
            }
        }
        let mut carry = 0;
        for place in places.iter_mut().rev() {
            carry += *place;
            *place = carry % 10;
            carry /= 10;
        }
        let digits = places.into_iter().map(|place| place as u8).collect();
        Self { negative: false, digits, low: self.low + other.low }.trimmed()
    }

    /// The distance to a number that is not larger in size.
    fn apart(&self, smaller: &Self) -> Self {
        if smaller.is_zero() {
            return Self { negative: false, ..self.clone() };
        }
        let low = self.low.min(smaller.low);
        let mut total = vec![0i8; (self.lead() - low + 2) as usize];
        let step: i8 = if self.negative == smaller.negative { -1 } else { 1 };
        for (number, factor) in [(self, 1), (smaller, step)] {
            // The end of `total` is the place `low`.
            let end = total.len() - (number.low - low) as usize;
            let start = end - number.digits.len();
            for (place, digit) in total[start..end].iter_mut().zip(&number.digits) {
                *place += factor * *digit as i8;
            }
        }
        let mut carry = 0;
        for place in total.iter_mut().rev() {
            let sum = *place + carry;
            *place = sum.rem_euclid(10);
            carry = sum.div_euclid(10);
        }
        Self { negative: false, digits: total.into_iter().map(|place| place as u8).collect(), low }.trimmed()
    }
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_near(answer: &str, got: &str, tolerance: &str, relative: bool) -> bool {
        let tolerance = Tolerance::parse(tolerance).unwrap();
        let (absolute, relative) = if relative { (None, Some(&tolerance)) } else { (Some(&tolerance), None) };
        let number = |text: &'static str| Number::parse(text.as_bytes()).unwrap();
        within(&number(leak(answer)), &number(leak(got)), absolute, relative)
    }

    fn leak(text: &str) -> &'static str {
        Box::leak(text.to_owned().into_boxed_str())
    }

    #[test]
    fn the_grammar_is_that_of_the_format() {
        for good in [
            "0",
            "-0",
            "+1",
            "1.",
            ".5",
            "-.5",
            "1.5",
            "1e5",
            "1.E-5",
            ".5e+10",
            "007",
            "1e99999999999999999999",
        ] {
            assert!(Number::parse(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "", ".", "+", "-", "e5", ".e5", "1e", "1e+", "0e", "0x0", "0x1p3", "inf", "-inf", "nan",
            "infinity", "1f", "1_0", "1,5", "--1", "+-1", "1.2.3", "1e5.0", "1e5e5", " 1", "1 ", "1\0", "\0",
            "١",
        ] {
            assert!(Number::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_tolerance_is_a_plain_number_that_is_not_negative() {
        for good in ["0", "1e-6", "0.000001", "1E-9", "1e-400"] {
            assert!(Tolerance::parse(good).is_some(), "{good}");
        }
        for bad in ["", "-1e-6", "nan", "inf", "0x1", "1e-401", "1e401", "e", &"1".repeat(65)] {
            assert!(Tolerance::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn distances_are_exact() {
        let big = format!("1{}", "0".repeat(400));
        let big_and_one = format!("1{}1", "0".repeat(399));
        let thirty = "3".repeat(30_000);
        for (answer, got, tolerance, relative, near) in [
            ("1.0", "1.1", "0.1", false, true),
            ("1.0", "0.9", "0.1", false, true),
            ("1.0", "1.10000000000000000000000000001", "0.1", false, false),
            ("1.0", "0.89999999999999999999999999999", "0.1", false, false),
            ("10", "11", "0.1", true, true),
            ("10", "9", "0.1", true, true),
            ("11", "10", "0.1", true, true),
            ("9", "10", "0.1", true, false),
            ("-10", "-11", "0.1", true, true),
            ("-10", "10", "1.9", true, false),
            ("-10", "10", "2", true, true),
            ("0", "-0", "0", false, true),
            ("0", "0.1", "0.1", false, true),
            ("0", "1e-9", "0.5", true, false),
            ("0", "0e5", "0.5", true, true),
            ("5", "5.000", "0", false, true),
            ("5", "5.0001", "0", true, false),
            ("1e400", "2e400", "1e-6", true, false),
            ("1e400", "2e400", "1e300", false, false),
            ("1e400", "2e400", "1e400", false, true),
            ("1e400", "1.0000001e400", "1e-6", true, true),
            ("1e-400", "2e-400", "1e-6", true, false),
            ("1e-400", "2e-400", "1e-6", false, true),
            ("1", "1e-999999999999", "1", false, true),
            ("1", "-1e-999999999999", "1", false, false),
            ("-1", "-1e-999999999999", "1", false, true),
            ("1e-999999999999", "1", "1", false, true),
            ("1e-999999999999", "1", "1", true, false),
            ("1e999999999999", "1", "1", true, true),
            ("1e999999999999", "-1", "1", true, false),
            ("1e999999999999", "1e999999999999", "0", false, true),
            ("1e99999999999999999999999", "0", "1", true, true),
            ("1", "1e999999999999", "1e300", false, false),
            (&big, &big_and_one, "1", false, true),
            (&big, &big_and_one, "0.999", false, false),
            (&thirty, &thirty, "0", false, true),
        ] {
            assert_eq!(
                is_near(answer, got, tolerance, relative),
                near,
                "{answer} {got} {tolerance} {relative}"
            );
        }
    }

    proptest! {
        #[test]
        fn exact_and_binary_agree(a in -1e6f64..1e6, s in -1e6f64..1e6, e in 1e-9f64..1e3, relative: bool) {
            if let Some(binary) = near_in_binary(a, s, e, relative) {
                let decimal = |value: f64| Number::parse(leak(&format!("{value:e}")).as_bytes()).unwrap().exact();
                prop_assert_eq!(near_exactly(&decimal(a), &decimal(s), &decimal(e), relative), binary);
            }
        }

        #[test]
        fn an_absolute_tolerance_reaches_as_far_up_as_down(a in -100_000i64..100_000, by in 0i64..1000, e in 0i64..1000) {
            let near = |got: i64| is_near(&format!("{a}e-3"), &format!("{got}e-3"), &format!("{e}e-3"), false);
            prop_assert_eq!(near(a + by), by <= e);
            prop_assert_eq!(near(a - by), by <= e);
        }

        #[test]
        fn integers_are_compared_as_integers(a in -10_000i128..10_000, s in -10_000i128..10_000, e in 0i128..3000, shift in -600i32..600) {
            let expected = (s - a).abs() * 1000 <= e * a.abs();
            prop_assert_eq!(is_near(&format!("{a}e{shift}"), &format!("{s}e{shift}"), &format!("{e}e-3"), true), expected);
        }

        #[test]
        fn any_text_is_parsed_or_refused(text: Vec<u8>) {
            if let Some(number) = Number::parse(&text) {
                prop_assert!(!number.value().is_nan());
            }
        }
    }
}
