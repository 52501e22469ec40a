//! What says who somebody is within a program: in comments and in texts, never in code.

use codementor_protocol::SourceFile;

use super::known::Known;
use super::{imports, replaced};
use crate::feedback::tokens::{Kind, Syntax, tokens};

/// What was replaced, and by what: each stand-in occurs nowhere in the student's program.
#[derive(Debug, Clone)]
pub(super) struct Marks {
    /// The whole program, for stand-ins that are not in it.
    program: String,
    /// Stand-in and original.
    pairs: Vec<(String, String)>,
    /// What the server knows of the author.
    known: Known,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// What follows a word such as `author:`, or is known of the author.
    Person,
    /// What the course or the assignment is called.
    Place,
    /// A line of a comment that stands where authors write who they are.
    Note,
    Mail,
    Handle,
    /// A number as students or telephones have.
    Number,
    /// A path on somebody's disk.
    Path,
    /// The name in the path of a home folder.
    Home,
    /// An address on the web.
    Link,
}

impl Mark {
    fn stand_in(self, number: usize) -> String {
        match self {
            Self::Person => format!("PERSON{number}"),
            Self::Place => format!("COURSE{number}"),
            Self::Note => format!("NOTE{number}"),
            Self::Mail => format!("person{number}@example.com"),
            Self::Handle => format!("@person{number}"),
            Self::Number => format!("NUMBER{number}"),
            Self::Path => format!("/path{number}"),
            Self::Home => format!("user{number}"),
            Self::Link => format!("/link{number}"),
        }
    }
}

/// Where something is that says who somebody is.
struct Found {
    mark: Mark,
    start: usize,
    end: usize,
}

/// Words after which a person is named to the end of the line.
const NAMING: [&str; 7] =
    ["@author", "written by", "created by", "coded by", "made by", "modified by", "copyright"];

/// Words after which this is so if a colon follows.
const NAMING_WITH_COLON: [&str; 28] = [
    "name",
    "id",
    "section",
    "by",
    "author",
    "authors",
    "student",
    "student id",
    "student no",
    "student no.",
    "student number",
    "student name",
    "full name",
    "course",
    "professor",
    "instructor",
    "university",
    "e-mail",
    "email",
    "작성자",
    "이름",
    "성명",
    "학번",
    "학과",
    "소속",
    "교수",
    "과목",
    "분반",
];

/// The same, only where a text at the top of a file is looked at.
const AT_THE_TOP: [&str; 5] = ["date", "class", "assignment", "homework", "날짜"];

/// Words that follow `@` in comments without being anybody's.
const TAGS: [&str; 32] = [
    "param",
    "params",
    "return",
    "returns",
    "throws",
    "exception",
    "since",
    "version",
    "see",
    "link",
    "linkplain",
    "code",
    "literal",
    "deprecated",
    "override",
    "inheritdoc",
    "value",
    "brief",
    "details",
    "note",
    "todo",
    "file",
    "type",
    "typedef",
    "property",
    "class",
    "author",
    "date",
    "ts-ignore",
    "ts",
    "serial",
    "apinote",
];

/// Numbers of at least this many digits can be somebody's.
const DIGITS: usize = 7;

impl Marks {
    pub(super) fn new(files: &[SourceFile], known: Known) -> Self {
        let program = files.iter().flat_map(|file| [file.text.as_str(), "\n"]).collect();
        Self { program, pairs: Vec::new(), known }
    }

    /// What the server knows of the author.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Replaces them in a file.
    pub(super) fn take(&mut self, name: &str, text: &str) -> String {
        let syntax = Syntax::of_file(name);
        let tokens = tokens(syntax, text);
        let imports = imports::range(syntax, text, &tokens.tokens);
        let texts = tokens.tokens.iter().filter(|token| token.kind == Kind::Text);
        let texts = texts.map(|token| (token.start..token.start + token.text.len(), false));
        let mut places: Vec<_> =
            tokens.comments.iter().map(|range| (range.clone(), true)).chain(texts).collect();
        places.sort_by_key(|(range, _)| range.start);
        let words: Vec<&str> = tokens.tokens.iter().map(|token| token.text).collect();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (range, is_comment) in places {
            out.push_str(&text[at..range.start]);
            at = range.end;
            // What is written for a tool is no comment for people.
            let is_directive = syntax == Syntax::Go && text[range.clone()].starts_with("//go:");
            let is_note = is_comment
                && !is_directive
                && imports.start <= range.start
                && range.end <= imports.end
                && text[..range.start].rsplit('\n').next().is_some_and(|before| before.trim().is_empty());
            let piece = &text[range];
            let mut rest = 0;
            let all = match is_note {
                true => notes(piece),
                false => find(piece, is_comment, &words, &self.known),
            };
            for found in all {
                out.push_str(&piece[rest..found.start]);
                out.push_str(&self.stand_in(found.mark, &piece[found.start..found.end]));
                rest = found.end;
            }
            out.push_str(&piece[rest..]);
        }
        out.push_str(&text[at..]);
        out
    }

    /// Replaces those that were replaced in the program, and what is known of the author.
    pub(super) fn take_known(&self, text: &str) -> String {
        let pairs = self.pairs.iter().map(|(stand_in, original)| (original.as_str(), stand_in.as_str()));
        let text = replaced(text, joins, pairs);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for found in without_overlaps(known(&text, false, &[], &self.known)) {
            out.push_str(&text[at..found.start]);
            out.push_str(&found.mark.stand_in(0));
            at = found.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// Puts the originals back.
    pub(super) fn put_back(&self, text: &str) -> String {
        let pairs = self.pairs.iter().map(|(stand_in, original)| (stand_in.as_str(), original.as_str()));
        replaced(text, joins, pairs)
    }

    fn stand_in(&mut self, mark: Mark, original: &str) -> String {
        let stem = mark.stand_in(0);
        let is_of_mark = |stand_in: &str| stand_in.trim_end_matches(char::is_numeric).len() < stand_in.len();
        let same_kind = |stand_in: &str| {
            let bare = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
            bare(stand_in) == bare(&stem) && (mark == Mark::Mail || is_of_mark(stand_in))
        };
        if let Some((known, _)) = self.pairs.iter().find(|(known, o)| o == original && same_kind(known)) {
            return known.clone();
        }
        // Each number is tried once, and the program is too short to hold them all.
        let free = |stand_in: &String| {
            !self.program.contains(stand_in.as_str())
                && !self.pairs.iter().any(|(known, _)| known == stand_in)
        };
        let stand_in = (1..).map(|number| mark.stand_in(number)).find(free).unwrap_or(stem);
        self.pairs.push((stand_in.clone(), original.to_owned()));
        stand_in
    }
}

/// Stand-ins have no letters or digits written to them, but a sign of any kind.
fn joins(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// Whether a text at the top of a file names somebody.
pub(super) fn is_personal(text: &str, known: &Known) -> bool {
    let named = |line: &str| AT_THE_TOP.iter().any(|word| after_colon(&line.to_lowercase(), word).is_some());
    !find(text, true, &[], known).is_empty() || text.lines().any(named)
}

/// The lines of a comment, without its signs.
fn notes(piece: &str) -> Vec<Found> {
    let mut all = Vec::new();
    let mut start = 0;
    let is_sign = |c: char| c.is_whitespace() || "/*#!-=+_~".contains(c);
    for line in piece.split_inclusive('\n') {
        let begin = line.len() - line.trim_start_matches(is_sign).len();
        let end = line.trim_end_matches(is_sign).len();
        if begin < end {
            all.push(Found { mark: Mark::Note, start: start + begin, end: start + end });
        }
        start += line.len();
    }
    all
}

fn known<'a>(
    piece: &'a str,
    is_comment: bool,
    code: &'a [&'a str],
    known: &Known,
) -> impl Iterator<Item = Found> + use<'a> {
    known.find(piece, is_comment, code).into_iter().map(|spot| {
        let mark = if spot.is_place { Mark::Place } else { Mark::Person };
        Found { mark, start: spot.start, end: spot.end }
    })
}

/// All that says who somebody is, in order and without overlaps. `code` has the tokens of the program.
fn find(piece: &str, is_comment: bool, code: &[&str], author: &Known) -> Vec<Found> {
    let mut all = Vec::new();
    let mut start = 0;
    for line in piece.split_inclusive('\n') {
        if is_comment {
            all.extend(person(line).map(|(from, to)| Found {
                mark: Mark::Person,
                start: start + from,
                end: start + to,
            }));
        }
        start += line.len();
    }
    mails_and_handles(piece, is_comment, &mut all);
    paths(piece, is_comment, &mut all);
    if is_comment {
        numbers(piece, code, &mut all);
        links(piece, &mut all);
    }
    all.extend(known(piece, is_comment, code, author));
    without_overlaps(all)
}

/// Of two that overlap the one that begins first holds the other, or most of it; of two that are the same, the first says
/// better what it is.
fn without_overlaps(all: impl IntoIterator<Item = Found>) -> Vec<Found> {
    let mut all: Vec<Found> = all.into_iter().collect();
    all.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
    let mut end = 0;
    all.retain(|found| {
        let is_free = found.start >= end && found.start < found.end;
        if is_free {
            end = found.end;
        }
        is_free
    });
    all
}

/// Who is named in a line of a comment.
fn person(line: &str) -> Option<(usize, usize)> {
    // Lower case of one byte for one, so that places stay.
    let lower = line.to_ascii_lowercase();
    let naming = NAMING.iter().filter_map(|word| after_word(&lower, word));
    let naming = naming.chain(NAMING_WITH_COLON.iter().filter_map(|word| after_colon(&lower, word)));
    let start = naming.chain(after_by(line, &lower)).min()?;
    let name = line[start..].trim_start_matches([' ', '\t', ':', '：', '-', '=']);
    let start = line.len() - name.len();
    let name = name.split("*/").next().unwrap_or(name).trim_end();
    let name = name.trim_end_matches(['"', '\'']);
    (!name.is_empty()).then_some((start, start + name.len()))
}

/// What follows a word, if it stands alone.
fn after_word(text: &str, word: &str) -> Option<usize> {
    let joins = |c: char| c.is_alphanumeric();
    text.match_indices(word).map(|(at, _)| (at, at + word.len())).find_map(|(start, end)| {
        let alone = !text[..start].ends_with(joins) && !text[end..].starts_with(joins);
        alone.then_some(end)
    })
}

/// What follows the word `by` where it is a name: at the beginning of a line one that begins with a capital, elsewhere
/// two of them. Names in Korean and others have no capitals.
fn after_by(line: &str, lower: &str) -> Option<usize> {
    lower.match_indices("by").find_map(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + 2..]);
        let name = after.trim_start_matches([' ', '\t']);
        let alone = !before.ends_with(char::is_alphanumeric) && name.len() < after.len();
        let is_first = !before.contains(char::is_alphanumeric);
        let is_name =
            |word: &str| word.starts_with(|c: char| c.is_uppercase() || (!c.is_ascii() && c.is_alphabetic()));
        let names = name.split_whitespace().take_while(|word| is_name(word)).count();
        (alone && names >= if is_first { 1 } else { 2 }).then_some(at + 2)
    })
}

/// What follows a word and a colon.
fn after_colon(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| (at, at + word.len())).find_map(|(start, end)| {
        let after = text[end..].trim_start_matches([' ', '\t']);
        let colon = after.chars().next().filter(|c| *c == ':' || *c == '：')?;
        // Two are an operator.
        let alone_colon = !after.starts_with("::");
        let alone = !text[..start].ends_with(char::is_alphanumeric);
        (alone && alone_colon).then_some(text.len() - after.len() + colon.len_utf8())
    })
}

fn mails_and_handles(piece: &str, is_comment: bool, all: &mut Vec<Found>) {
    let is_local = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    let is_domain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    for (at, _) in piece.match_indices('@') {
        let local = piece[..at].len() - piece[..at].trim_end_matches(is_local).len();
        let after = &piece[at + 1..];
        let domain = &after[..after.find(|c| !is_domain(c)).unwrap_or(after.len())];
        let domain = domain.trim_end_matches(['.', '-']);
        let is_mail = domain.rsplit_once('.').is_some_and(|(host, top)| {
            !host.is_empty() && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
        if local > 0 && is_mail {
            all.push(Found { mark: Mark::Mail, start: at - local, end: at + 1 + domain.len() });
            continue;
        }
        let end =
            after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(after.len());
        let handle = after[..end].trim_end_matches('-');
        let alone = !piece[..at].ends_with(|c: char| c.is_alphanumeric() || "_.)]`".contains(c));
        if is_comment
            && alone
            && handle.len() >= 2
            && handle.starts_with(|c: char| c.is_ascii_alphabetic())
            && !TAGS.contains(&handle.to_ascii_lowercase().as_str())
            && !after[end..].starts_with('(')
        {
            all.push(Found { mark: Mark::Handle, start: at, end: at + 1 + handle.len() });
        }
    }
}

/// Paths in home folders: in comments as a whole, in texts only the name, since a program may need the rest.
fn paths(piece: &str, is_comment: bool, all: &mut Vec<Found>) {
    let lower = piece.to_ascii_lowercase();
    for root in ["/home/", "/users/", "\\users\\", "\\\\users\\\\"] {
        for (at, _) in lower.match_indices(root) {
            let name = at + root.len();
            let ends = |c: char| c.is_whitespace() || "\"'`<>|,;)".contains(c);
            let end =
                piece[name..].find(|c| ends(c) || "/\\".contains(c)).map_or(piece.len(), |end| name + end);
            if end == name {
                continue;
            }
            if is_comment {
                let start = piece[..at].len()
                    - piece[..at].trim_end_matches(|c: char| !ends(c) && !"(=".contains(c)).len();
                let end = piece[name..].find(ends).map_or(piece.len(), |end| name + end);
                let end = name + piece[name..end].split("*/").next().map_or(0, str::len);
                all.push(Found { mark: Mark::Path, start: at - start, end });
            } else {
                all.push(Found { mark: Mark::Home, start: name, end });
            }
        }
    }
}

/// Addresses on the web, with a scheme or without, and home folders that are called by `~`.
fn links(piece: &str, all: &mut Vec<Found>) {
    let ends = |c: char| c.is_whitespace() || "\"'`<>()[]{}|,;".contains(c);
    let mut at = 0;
    for word in piece.split_inclusive(ends) {
        let start = at;
        at += word.len();
        let word = word.trim_end_matches(ends).split("*/").next().unwrap_or_default();
        let bare = word.trim_start_matches(['/', '*', '#', ':', '=', '!']);
        let (from, word) = (start + word.len() - bare.len(), bare.trim_end_matches(['.', ':', '!', '?']));
        let (host, path) = word.split_once('/').unwrap_or((word, ""));
        let is_host = |host: &str| {
            let host = host.to_ascii_lowercase();
            let is_known = |top: &str| {
                TOPS.contains(&top) || (top.len() == 2 && top.bytes().all(|b| b.is_ascii_lowercase()))
            };
            let is_label = |label: &str| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            host.split('.').all(is_label) && host.rsplit_once('.').is_some_and(|(_, top)| is_known(top))
        };
        let is_link = word.contains("://")
            || word.to_ascii_lowercase().starts_with("www.")
            || (!path.is_empty() && is_host(host));
        let is_home = host.strip_prefix('~').is_some_and(|name| {
            word.len() > host.len()
                && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))
        });
        if is_link || is_home {
            let mark = if is_link { Mark::Link } else { Mark::Path };
            all.push(Found { mark, start: from, end: from + word.len() });
        }
    }
}

/// The ends of names of hosts that are longer than those of countries.
const TOPS: [&str; 8] = ["com", "org", "net", "edu", "dev", "app", "info", "blog"];

/// Numbers as students or telephones have them. Those that the program uses, and round ones, are about the problem.
fn numbers(piece: &str, code: &[&str], all: &mut Vec<Found>) {
    let mut at = 0;
    while let Some(found) = piece[at..].find(|c: char| c.is_ascii_digit()) {
        let start = at + found;
        let mut end = start;
        let mut before = ' ';
        for c in piece[start..].chars() {
            let goes_on = c.is_ascii_digit() || (c == '-' && before.is_ascii_digit());
            if !goes_on {
                break;
            }
            before = c;
            end += 1;
        }
        at = end;
        let number = piece[start..end].trim_end_matches('-');
        let end = start + number.len();
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let joins = |c: char| c.is_ascii_alphanumeric() || "_.^*".contains(c);
        let alone = !piece[..start].ends_with(joins)
            && !piece[end..].starts_with(|c: char| c.is_ascii_alphanumeric());
        // Limits such as 1000000 and moduli such as 1000000007.
        let middle = digits.get(1..digits.len().saturating_sub(1)).unwrap_or_default();
        let is_round = middle.bytes().all(|digit| digit == b'0') || middle.bytes().all(|digit| digit == b'9');
        let is_known = ["998244353", "2147483647", "2147483648", "4294967295", "4294967296", "1234567890"];
        if alone
            && digits.len() >= DIGITS
            && digits.len() <= 16
            && !is_round
            && !is_known.contains(&digits.as_str())
            && !code.contains(&number)
        {
            all.push(Found { mark: Mark::Number, start, end });
        }
    }
}
