//! The difference between what a program wrote and what was expected, shown from the first place that differs, with
//! white space visible where white space is what differs.

use codementor_problems::compare::{self, Comparison, DifferenceKind, Flags};
use codementor_protocol::{Capture, CaseDetail, Verdict};
use unicode_width::UnicodeWidthStr;

use crate::render::compile::quote;
use crate::render::layout::{Blanks, Layout, Unit, units};
use crate::render::words;
use crate::terminal::Paint;
use crate::{locale, sanitize};

/// How many lines of the input and of standard error are shown.
const MOST_LINES: usize = 12;
/// How many of them are the first ones, where those in the middle are left out.
const FIRST_LINES: usize = 4;

/// A sample's outcome, ending in a line end.
pub fn render(case: &CaseDetail, paint: Paint) -> String {
    let name = sanitize::line(&case.name);
    let mut text = format!("{}: {}\n", paint.strong(&name), words::verdict(case.verdict, paint));
    if let Some(difference) = &case.difference {
        text.push_str(&format!("{}\n", sanitize::line(&locale::said(difference))));
    }
    match find(case) {
        Some(spot) => text.push_str(&show(case, spot, paint)),
        None if case.stdout.truncated() || case.expected.truncated() => {
            let kept = case.stdout.bytes.len().min(case.expected.bytes.len()) as u64;
            text.push_str(&t!(
                "The first {kept} are the same; more is not kept.\n",
                kept = words::size(kept)
            ));
        }
        None if case.verdict == Verdict::Accepted => text.push_str(t!("The output is as expected.\n")),
        None => text.push_str(t!("What it wrote is as expected.\n")),
    }
    if let Some(encoding) = legacy_encoding(&case.stdout.bytes) {
        text.push_str(&t!("Your output is not UTF-8 but reads as {encoding}: write UTF-8.\n", encoding));
    }
    text.push_str(&capture(t!("input"), &case.input, paint));
    text.push_str(&capture(t!("standard error"), &case.stderr, paint));
    text
}

/// The facts about a sample that failed, for under a verdict: the first difference of a wrong answer, and what the
/// program wrote to standard error, such as the trace of an exception. Empty where there are none.
pub fn brief(case: &CaseDetail, paint: Paint) -> String {
    let mut text = String::new();
    if case.verdict == Verdict::WrongAnswer {
        if let Some(difference) = &case.difference {
            text.push_str(&format!("{}\n", sanitize::line(&locale::said(difference))));
        }
        if let Some(spot) = find(case) {
            text.push_str(&show(case, spot, paint));
        }
        if let Some(encoding) = legacy_encoding(&case.stdout.bytes) {
            text.push_str(&t!("Your output is not UTF-8 but reads as {encoding}: write UTF-8.\n", encoding));
        }
    }
    text.push_str(&trace(&case.stderr, paint));
    if text.is_empty() {
        return text;
    }
    format!("{}: {text}", paint.strong(&sanitize::line(&case.name)))
}

/// Standard error, cut in the middle: some traces say at the top what happened, others at the end.
fn trace(stderr: &Capture, paint: Paint) -> String {
    if stderr.total == 0 {
        return String::new();
    }
    let clean = sanitize::bytes(&stderr.bytes);
    let lines: Vec<&str> = clean.lines().collect();
    let mut text = t!("standard error ({total}):\n", total = words::size(stderr.total));
    if lines.len() <= MOST_LINES {
        text.push_str(&quote(&clean, MOST_LINES, paint));
        return text;
    }
    let (first, last) = (FIRST_LINES, MOST_LINES - FIRST_LINES);
    text.push_str(&quote(&lines[..first].join("\n"), first, paint));
    let between = count!((lines.len() - MOST_LINES) as u64, "line");
    text.push_str(&t!("  {cut} {between} between\n", cut = paint.cut(), between));
    text.push_str(&quote(&lines[lines.len() - last..].join("\n"), last, paint));
    text
}

fn capture(title: &str, capture: &Capture, paint: Paint) -> String {
    if capture.total == 0 {
        return String::new();
    }
    let clean = sanitize::bytes(&capture.bytes);
    let mut text = format!("{title} ({}):\n{}", words::size(capture.total), quote(&clean, MOST_LINES, paint));
    if capture.truncated() && clean.lines().count() <= MOST_LINES {
        text.push_str(&t!("  {cut} more is not kept\n", cut = paint.cut()));
    }
    text
}

/// Korean Windows programs write CP949; a wrong answer that is only that deserves to be told.
fn legacy_encoding(bytes: &[u8]) -> Option<&'static str> {
    if std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    encoding_rs::EUC_KR.decode_without_bom_handling_and_without_replacement(bytes).map(|_| "CP949")
}

/// Where two texts part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    /// The byte in the expected text.
    expected: usize,
    /// The byte in the program's text.
    got: usize,
    /// How many bytes of each are marked.
    marked: (usize, usize),
    /// Whether only white space differs there.
    blank: bool,
}

fn find(case: &CaseDetail) -> Option<Spot> {
    let (expected, got) = (case.expected.bytes.as_slice(), case.stdout.bytes.as_slice());
    if expected == got {
        return None;
    }
    let stated = case.difference.as_deref().and_then(|words| stated(words, got)).and_then(|at| {
        let ordinal = tokens(got).take_while(|(start, end)| *end <= at && *start != at).count();
        let theirs = tokens(got).nth(ordinal).filter(|(start, end)| (*start..*end).contains(&at));
        let ours = tokens(expected).nth(ordinal);
        token_spot(expected, got, ours, theirs).filter(|spot| !spot.blank)
    });
    let spot = stated.or_else(|| match compare::compare(expected, got, &Flags::default()) {
        Comparison::Different(difference) => {
            let at = offset(got, difference.line, difference.column);
            let ordinal = tokens(got).take_while(|(start, _)| *start < at).count();
            let (ours, theirs) = (tokens(expected).nth(ordinal), tokens(got).nth(ordinal));
            let theirs = theirs.filter(|_| difference.kind != DifferenceKind::TooShort);
            token_spot(expected, got, ours, theirs)
        }
        Comparison::Same => None,
    });
    // What no rule about tokens finds is a difference in white space or in case.
    let spot = spot.unwrap_or_else(|| {
        let at = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
        let letter = |bytes: &[u8]| bytes.get(at).is_some_and(|byte| !is_space(*byte));
        Spot { expected: at, got: at, marked: (1, 1), blank: !(letter(expected) && letter(got)) }
    });
    // Where one side was cut off, that it ends there says nothing.
    let cut = |capture: &Capture, at: usize| capture.truncated() && at >= capture.bytes.len();
    (!cut(&case.expected, spot.expected) && !cut(&case.stdout, spot.got)).then_some(spot)
}

fn token_spot(
    expected: &[u8],
    got: &[u8],
    ours: Option<(usize, usize)>,
    theirs: Option<(usize, usize)>,
) -> Option<Spot> {
    let end = |bytes: &[u8]| (bytes.len(), bytes.len());
    let (ours, theirs) = match (ours, theirs) {
        (None, None) => return None,
        (ours, theirs) => (ours.unwrap_or_else(|| end(expected)), theirs.unwrap_or_else(|| end(got))),
    };
    let same = expected[ours.0..ours.1] == got[theirs.0..theirs.1];
    Some(Spot {
        expected: ours.0,
        got: theirs.0,
        marked: (ours.1 - ours.0, theirs.1 - theirs.0),
        blank: same,
    })
}

/// The place in the program's output that the problem's own rules name, as `line 3, column 5`: with tolerances, the
/// first bytes that differ need not be what is wrong.
fn stated(words: &str, got: &[u8]) -> Option<usize> {
    let number = |after: &str| {
        let (_, rest) = words.split_once(after)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse::<u64>().ok()
    };
    Some(offset(got, number("line ")?, number("column ")?))
}

/// The offset of a line and of a byte in it, both counted from 1.
fn offset(bytes: &[u8], line: u64, column: u64) -> usize {
    let skipped = (line.max(1) - 1) as usize;
    let start = match skipped {
        0 => 0,
        _ => bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .nth(skipped - 1)
            .map_or(bytes.len(), |(at, _)| at + 1),
    };
    (start + (column.max(1) - 1) as usize).min(bytes.len())
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Where each token begins and ends.
fn tokens(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes[at..].iter().position(|byte| !is_space(*byte))?;
        let end = bytes[start..].iter().position(|byte| is_space(*byte)).map_or(bytes.len(), |n| start + n);
        at = end;
        Some((start, end))
    })
}

/// A line of one of the two texts, and the place in it, in units.
struct Line {
    number: usize,
    units: Vec<Unit>,
    place: usize,
    marked: usize,
    /// Whether the text had ended before this place.
    ended: bool,
}

fn line(bytes: &[u8], at: usize, marked: usize) -> Line {
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |n| at + n + 1);
    let all = units(&bytes[start..end]);
    let size = |unit: &Unit| match unit {
        Unit::Char(character) => character.len_utf8(),
        Unit::Byte(_) => 1,
    };
    // The unit that holds the byte, also where the byte is in the middle of a character.
    let unit_at = |offset: usize| {
        let mut seen = 0;
        all.iter()
            .take_while(|unit| {
                seen += size(unit);
                seen <= offset
            })
            .count()
    };
    let place = unit_at(at - start);
    let last = unit_at((at + marked).min(end).saturating_sub(start + 1).max(at - start));
    Line {
        number: bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1,
        marked: if marked == 0 { 1 } else { last + 1 - place },
        units: all,
        place,
        ended: at >= bytes.len(),
    }
}

fn show(case: &CaseDetail, spot: Spot, paint: Paint) -> String {
    let (wanted, got) = (case.expected.bytes.as_slice(), case.stdout.bytes.as_slice());
    let ours = line(wanted, spot.expected, spot.marked.0);
    let theirs = line(got, spot.got, spot.marked.1);
    let (what, fix) = describe(wanted, got, spot);
    let mut text = match (&case.difference, spot.blank) {
        // The problem's own words have said it already.
        (Some(_), false) => String::new(),
        _ => t!(
            "line {line}, column {column}: {what}\n",
            line = theirs.number,
            column = theirs.place + 1,
            what
        ),
    };
    let blanks = if spot.blank { Blanks::Marked } else { Blanks::Plain };
    // The names of the two lines, and what stands under them before the caret.
    let (expected, yours) = (t!("expected"), t!("yours"));
    let cells = expected.width().max(yours.width());
    let named = |name: &str, line: &str| format!("  {name}{} | {line}\n", " ".repeat(cells - name.width()));
    let room = paint.width.saturating_sub(cells + 5).max(20);
    let draw = |line: &Line| {
        let shown: &[Unit] = match (blanks, line.units.last()) {
            (Blanks::Plain, Some(Unit::Char('\n'))) => &line.units[..line.units.len() - 1],
            _ => &line.units,
        };
        let focus = line.place..line.place + line.marked;
        Layout::new(shown, blanks, paint).window(focus, room, paint)
    };
    let (left, _) = draw(&ours);
    let (right, focus) = draw(&theirs);
    let other = match ours.number == theirs.number {
        true => String::new(),
        false => t!("   (line {number})", number = ours.number),
    };
    if ours.ended && ours.units.is_empty() {
        text.push_str(&named(expected, &paint.faint(t!("(nothing more)"))));
    } else {
        text.push_str(&named(expected, &format!("{left}{}", paint.faint(&other))));
    }
    if theirs.ended && theirs.units.is_empty() {
        text.push_str(&named(yours, &paint.faint(t!("(nothing more)"))));
        return text;
    }
    text.push_str(&named(yours, &right));
    let caret = format!("{}{}{fix}", " ".repeat(focus.start), "^".repeat(focus.len()));
    text.push_str(&format!("{}{}\n", " ".repeat(cells + 5), paint.bad(&caret)));
    if spot.blank && !paint.unicode {
        text.push_str(t!("  ( _ is a space, $ the end of a line )\n"));
    }
    text
}

/// What differs, and what to write under the caret.
fn describe(expected: &[u8], got: &[u8], spot: Spot) -> (String, &'static str) {
    let (ours, theirs) = (&expected[spot.expected..], &got[spot.got..]);
    if !spot.blank {
        return match (ours.is_empty(), theirs.is_empty()) {
            (false, true) => (t!("your output ends here, but more is expected").into(), ""),
            (true, false) => (t!("your output goes on, but no more is expected").into(), t!(" too much")),
            _ if ours[..spot.marked.0.min(ours.len())]
                .eq_ignore_ascii_case(&theirs[..spot.marked.1.min(theirs.len())]) =>
            {
                (t!("upper and lower case differ").into(), "")
            }
            _ => (t!("this is not what is expected").into(), ""),
        };
    }
    let same = |a: &[u8], b: &[u8]| if a == b { t!(" (rest identical)") } else { "" };
    match (ours.first(), theirs.first()) {
        (Some(b'\n'), None) => (t!("the last line end is missing").into(), ""),
        (Some(_), None) => (t!("white space at the end is missing").into(), ""),
        (_, Some(b'\r')) => (
            t!("a carriage return, as Windows writes it{same}", same = same(ours, &theirs[1..])),
            t!(" remove"),
        ),
        (None, Some(b'\n')) => {
            (t!("a line end too many{same}", same = same(ours, &theirs[1..])), t!(" remove"))
        }
        (None | Some(b'\n'), Some(blank)) if is_space(*blank) => (
            t!("trailing {blank}{same}", blank = blank_name(*blank), same = same(ours, &theirs[1..])),
            t!(" remove"),
        ),
        (Some(blank), Some(other)) if is_space(*blank) && !is_space(*other) => (
            t!("a {blank} is missing{same}", blank = blank_name(*blank), same = same(&ours[1..], theirs)),
            t!(" add it"),
        ),
        (Some(other), Some(blank)) if is_space(*blank) && !is_space(*other) => (
            t!("a {blank} too many{same}", blank = blank_name(*blank), same = same(ours, &theirs[1..])),
            t!(" remove"),
        ),
        (Some(one), Some(other)) if is_space(*one) && is_space(*other) => (
            t!(
                "a {other} where a {one} is expected{same}",
                other = blank_name(*other),
                one = blank_name(*one),
                same = same(&ours[1..], &theirs[1..])
            ),
            "",
        ),
        _ => (t!("white space differs").into(), ""),
    }
}

fn blank_name(byte: u8) -> &'static str {
    match byte {
        b' ' => t!("space"),
        b'\t' => t!("tab"),
        b'\n' => t!("line end"),
        b'\r' => t!("carriage return"),
        _ => t!("blank"),
    }
}
