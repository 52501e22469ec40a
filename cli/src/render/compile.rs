//! What a compiler says, with a caret under the place in the student's own source.

use codementor_protocol::{Diagnostic, Severity, SourceFile};
use unicode_width::UnicodeWidthStr;

use crate::render::layout::{Blanks, Layout, units};
use crate::terminal::Paint;
use crate::{locale, sanitize};

/// How many diagnostics are shown; one mistake can make a compiler say hundreds.
const MOST: usize = 10;
/// How many lines of a compiler's own words are shown where it gives no diagnostics.
const MOST_LINES: usize = 40;

/// The diagnostics, or the compiler's own words where there are none, ending in a line end.
pub fn render(diagnostics: &[Diagnostic], output: &str, files: &[SourceFile], paint: Paint) -> String {
    if diagnostics.is_empty() {
        return words(output, paint);
    }
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    // Warnings do not matter while nothing can be built.
    let shown: Vec<&Diagnostic> =
        diagnostics.iter().filter(|diagnostic| !failed || diagnostic.severity != Severity::Warning).collect();
    let mut text = String::new();
    for diagnostic in shown.iter().take(MOST) {
        text.push_str(&one(diagnostic, files, paint));
    }
    if shown.len() > MOST {
        text.push_str(&t!("{cut} and {more} more\n", cut = paint.cut(), more = shown.len() - MOST));
    }
    text
}

fn one(diagnostic: &Diagnostic, files: &[SourceFile], paint: Paint) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => paint.bad(t!("error")),
        Severity::Warning => paint.odd(t!("warning")),
        Severity::Note => paint.strong(t!("note")),
    };
    let message = sanitize::text(diagnostic.message.trim_end()).replace('\n', "\n  ");
    let place = match diagnostic.column {
        Some(column) => format!("{}:{}:{column}", sanitize::line(&diagnostic.file), diagnostic.line),
        None => format!("{}:{}", sanitize::line(&diagnostic.file), diagnostic.line),
    };
    let mut text = format!("{severity}: {message}\n --> {}\n", paint.place(&place));
    let source = files
        .iter()
        .find(|file| file.name == diagnostic.file)
        .and_then(|file| file.text.lines().nth((diagnostic.line as usize).checked_sub(1)?));
    let fix = diagnostic.fix.as_ref().map(|fix| t!("write: {fix}", fix = sanitize::line(fix)));
    let Some(source) = source else {
        if let Some(fix) = fix {
            text.push_str(&format!("  {fix}\n"));
        }
        return text;
    };
    let number = diagnostic.line.to_string();
    let blank = " ".repeat(number.len());
    let column = diagnostic.column.map_or(0, |column| (column as usize).saturating_sub(1));
    let end =
        diagnostic.end_column.map_or(column + 1, |end| (end as usize).saturating_sub(1).max(column + 1));
    let room = paint.width.saturating_sub(number.len() + 3).max(20);
    let (line, focus) =
        Layout::new(&units(source.as_bytes()), Blanks::Plain, paint).window(column..end, room, paint);
    text.push_str(&format!("{} | {line}\n", paint.faint(&number)));
    if diagnostic.column.is_some() {
        let caret = format!("{}{}", " ".repeat(focus.start), "^".repeat(focus.len()));
        let fix = fix.map(|fix| format!(" {fix}")).unwrap_or_default();
        text.push_str(&format!("{blank} | {}\n", paint.bad(&format!("{caret}{fix}"))));
    } else if let Some(fix) = fix {
        text.push_str(&format!("{blank} | {fix}\n"));
    }
    text
}

fn words(output: &str, paint: Paint) -> String {
    let output = locale::said(output.trim_end());
    let output = sanitize::text(&output);
    if output.is_empty() {
        return t!("  The compiler said nothing.\n").into();
    }
    // One sentence, such as which file to start from, is read to its end.
    if !output.contains('\n') {
        return wrapped(&output, paint);
    }
    quote(&output, MOST_LINES, paint)
}

/// A sentence behind a bar, in as many lines as it takes.
fn wrapped(sentence: &str, paint: Paint) -> String {
    let room = paint.width.saturating_sub(4).max(20);
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.width() + 1 + word.width() <= room => {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    quote(&lines.join("\n"), MOST_LINES, paint)
}

/// Foreign text, each line behind a bar: no line of it can pass for one of ours, nor for a command to a CI runner.
pub(crate) fn quote(clean: &str, most: usize, paint: Paint) -> String {
    let mut text = String::new();
    for line in clean.lines().take(most) {
        let room = paint.width.saturating_sub(4).max(20);
        let (line, _) = Layout::new(&units(line.as_bytes()), Blanks::Plain, paint).window(0..0, room, paint);
        text.push_str(&format!("  | {line}\n"));
    }
    let more = clean.lines().count().saturating_sub(most);
    if more > 0 {
        text.push_str(&t!(
            "  {cut} and {more_lines}\n",
            cut = paint.cut(),
            more_lines = count!(more as u64, "more line")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_read_to_its_end() {
        let sentence = "it is not clear which file to start from: helper.py, other.py. Name one of them main.py, or say \
                        which with --entry";
        let shown = words(sentence, Paint::PLAIN);
        let lines: Vec<&str> =
            shown.lines().map(|line| line.strip_prefix("  | ").expect("stands behind a bar")).collect();
        assert!(lines.len() > 1 && lines.iter().all(|line| line.width() <= Paint::PLAIN.width), "{shown}");
        assert_eq!(lines.join(" "), sentence);
    }
}
