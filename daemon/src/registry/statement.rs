//! A statement as Markdown, whatever the package wrote it in.

use codementor_problems::package::Markup;

/// What is shown of a statement that exists as a finished page only.
const ONLY_PDF: &str = "The statement of this problem is a PDF, which cannot be shown as text. \
                        Ask your instructor where to find it.\n";

/// The statement as Markdown, without the places where samples are to stand: they come beside it.
pub(crate) fn markdown(text: &str, markup: Markup) -> String {
    match markup {
        Markup::Markdown => {
            let kept: Vec<&str> = text
                .lines()
                .filter(|line| !matches!(line.trim(), "{{nextsample}}" | "{{remainingsamples}}"))
                .collect();
            tidy(&kept.join("\n"))
        }
        Markup::Tex => tidy(&tex(text)),
        Markup::Pdf => ONLY_PDF.into(),
    }
}

/// No more than one empty line in a row, none at either end, and a line end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.trim_matches(['\n', '\r', ' ']).lines().map(str::trim_end) {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// The part of LaTeX that statements use. What is not known stays as it is written: people can read it.
fn tex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Of each open list, the number of its next item; absent for one with bullets.
    let mut lists: Vec<Option<u32>> = Vec::new();
    let mut rest = text;
    let mut verbatim = false;
    while let Some(at) = rest.find(['\\', '%', '~', '`', '\'', '$', '-', '}']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if verbatim {
            match from.strip_prefix(r"\end{verbatim}") {
                Some(after) => {
                    verbatim = false;
                    out.push_str("```\n");
                    rest = after;
                }
                None => {
                    let (one, after) = from.split_at(1);
                    out.push_str(one);
                    rest = after;
                }
            }
            continue;
        }
        if let Some(comment) = from.strip_prefix('%') {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        if from.starts_with('$') {
            // A formula is left alone: its own terms mean the same in Markdown.
            let marker = if from.starts_with("$$") { "$$" } else { "$" };
            let inner = &from[marker.len()..];
            let end = inner.find(marker).map_or(from.len(), |end| end + 2 * marker.len());
            out.push_str(&from[..end.min(from.len())]);
            rest = &from[end.min(from.len())..];
            continue;
        }
        let plain = [("---", "—"), ("--", "–"), ("``", "\""), ("''", "\""), ("~", " "), ("}", "")];
        if let Some((tex, text)) = plain.iter().find(|(tex, _)| from.starts_with(tex)) {
            out.push_str(text);
            rest = &from[tex.len()..];
            continue;
        }
        let Some(command) = from.strip_prefix('\\') else {
            let (one, after) = from.split_at(1);
            out.push_str(one);
            rest = after;
            continue;
        };
        rest = self::command(command, &mut out, &mut lists, &mut verbatim);
    }
    out.push_str(rest);
    out
}

/// One command, without its backslash. Returns what follows it.
fn command<'a>(
    text: &'a str,
    out: &mut String,
    lists: &mut Vec<Option<u32>>,
    verbatim: &mut bool,
) -> &'a str {
    let length = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    if length == 0 {
        // An escaped sign, or a line break.
        let Some(sign) = text.chars().next() else { return text };
        match sign {
            '\\' => out.push_str("  \n"),
            ',' | ' ' | ';' | ':' => out.push(' '),
            '[' | ']' => out.push_str("$$"),
            '(' | ')' => out.push('$'),
            sign => out.push(sign),
        }
        return &text[sign.len_utf8()..];
    }
    let (name, after) = text.split_at(length);
    let after = after.strip_prefix('*').unwrap_or(after);
    let (argument, behind) = argument(after);
    match (name, argument) {
        ("problemname", Some(_)) => behind,
        ("section" | "chapter", Some(title)) => {
            out.push_str(&format!("\n## {}\n", tex(title).trim()));
            behind
        }
        ("subsection" | "subsubsection" | "paragraph", Some(title)) => {
            out.push_str(&format!("\n### {}\n", tex(title).trim()));
            behind
        }
        ("texttt" | "verb", Some(code)) => {
            out.push_str(&format!("`{}`", tex(code)));
            behind
        }
        ("emph" | "textit", Some(inner)) => {
            out.push_str(&format!("*{}*", tex(inner)));
            behind
        }
        ("textbf", Some(inner)) => {
            out.push_str(&format!("**{}**", tex(inner)));
            behind
        }
        ("url", Some(address)) => {
            out.push_str(address);
            behind
        }
        ("illustration", Some(_)) => {
            let (_, behind) = self::argument(behind);
            self::argument(behind).1
        }
        ("begin", Some("itemize")) => {
            lists.push(None);
            behind
        }
        ("begin", Some("enumerate")) => {
            lists.push(Some(1));
            behind
        }
        ("end", Some("itemize" | "enumerate")) => {
            lists.pop();
            out.push('\n');
            behind
        }
        ("begin", Some("verbatim")) => {
            *verbatim = true;
            out.push_str("```");
            behind
        }
        ("begin", Some(section @ ("Input" | "Output" | "Interaction"))) => {
            out.push_str(&format!("\n## {section}\n"));
            behind
        }
        ("begin" | "end" | "vspace" | "hspace" | "label", Some(_)) => behind,
        ("item", _) => {
            let indent = "  ".repeat(lists.len().saturating_sub(1));
            let marker = match lists.last_mut() {
                Some(Some(number)) => {
                    *number += 1;
                    format!("{}.", *number - 1)
                }
                _ => "-".into(),
            };
            out.push_str(&format!("{indent}{marker} "));
            after.trim_start_matches(' ')
        }
        ("ldots" | "dots", _) => {
            out.push('…');
            after
        }
        (
            "nextsample" | "remainingsamples" | "noindent" | "medskip" | "bigskip" | "smallskip" | "par"
            | "newpage" | "centering",
            _,
        ) => after,
        // Of what is not known here, what it is about is still worth reading.
        (_, Some(inner)) => {
            out.push_str(&tex(inner));
            behind
        }
        _ => {
            out.push('\\');
            out.push_str(name);
            text.get(length..).unwrap_or_default()
        }
    }
}

/// What stands in the braces that follow, and what follows them.
fn argument(text: &str) -> (Option<&str>, &str) {
    let Some(inner) = text.strip_prefix('{') else { return (None, text) };
    let mut depth = 1;
    let mut escaped = false;
    for (at, sign) in inner.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (Some(&inner[..at]), &inner[at + 1..]);
        }
    }
    (None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_statements_use_of_latex_becomes_markdown() {
        #[rustfmt::skip]
        let table = [
            ("\\problemname{Hello}\n\nSay \\texttt{hi}.\n", "Say `hi`.\n"),
            ("\\section*{Input}\nOne $n \\le 10^5$.", "## Input\n\nOne $n \\le 10^5$.\n"),
            ("a % not shown\nb", "a b\n"),
            ("5\\% of \\emph{all} ``words''", "5% of *all* \"words\"\n"),
            ("\\begin{itemize}\n\\item one\n\\item two\n\\end{itemize}\nend", "- one\n- two\n\nend\n"),
            ("\\begin{enumerate}\n  \\item one\n  \\item two\n\\end{enumerate}", "1. one\n  2. two\n"),
            ("\\illustration{0.3}{a.png}{A {nested} caption}\ntext", "text\n"),
            ("\\unknown{x} stays", "x stays\n"),
            ("\\begin{verbatim}\n% kept ~\n\\end{verbatim}", "```\n% kept ~\n```\n"),
            ("\\begin{Input}\nA line.\n\\end{Input}", "## Input\n\nA line.\n"),
            ("1--5, \\{a\\}, never closed: \\texttt{x", "1–5, {a}, never closed: \\texttt{x\n"),
            ("an open $formula", "an open $formula\n"),
            ("합계~한 줄", "합계 한 줄\n"),
        ];
        for (text, expected) in table {
            assert_eq!(markdown(text, Markup::Tex), expected, "{text}");
        }
    }

    #[test]
    fn markdown_stays_but_for_the_places_of_samples() {
        assert_eq!(markdown("# A\n\n{{nextsample}}\n\nb\n\n\n\nc", Markup::Markdown), "# A\n\nb\n\nc\n");
        assert!(markdown("", Markup::Pdf).contains("PDF"));
    }
}
