//! What the two streams can show: decided once, from the environment, and passed down as a value.

use std::ffi::OsString;
use std::io::IsTerminal;

use crate::args::ColorChoice;
use crate::locale;
use crate::render::glyphs::{self, Glyphs};

/// What the two streams can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// How results on standard output are painted.
    pub out: Paint,
    /// How progress and errors on standard error are painted.
    pub err: Paint,
    /// Whether standard output is a terminal.
    pub out_tty: bool,
    /// Whether a person sits at standard input and standard error, so that a question can be asked.
    pub asks: bool,
    /// Whether lines on standard error may be drawn again.
    pub redraws: bool,
}

impl Terminal {
    /// Looks at the streams and the environment of this process.
    pub fn detect(choice: ColorChoice, ascii: Option<bool>) -> Self {
        let streams = Streams {
            input: std::io::stdin().is_terminal(),
            out: std::io::stdout().is_terminal(),
            err: std::io::stderr().is_terminal(),
        };
        let mut terminal = Self::decide(choice, ascii, streams, |name| std::env::var_os(name));
        if let Some(width) = streams.out.then(width).flatten() {
            terminal.out.width = width;
            terminal.err.width = width;
        }
        terminal
    }

    /// The decision, from nothing but its arguments.
    fn decide(
        choice: ColorChoice,
        ascii: Option<bool>,
        streams: Streams,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
        let dumb = env("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let colour = |tty: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR") => false,
            ColorChoice::Auto if env("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0") => true,
            ColorChoice::Auto => tty && !dumb && env("CLICOLOR").is_none_or(|v| v != "0"),
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| set(name)).and_then(&env);
        let utf8 = locale.and_then(|locale| locale.into_string().ok()).is_some_and(|it| locale::is_utf8(&it));
        let unicode = ascii.map_or(utf8, |ascii| !ascii);
        let columns = env("COLUMNS").and_then(|v| v.into_string().ok()).and_then(|v| v.parse().ok());
        let width = columns.filter(|n| (20..=1000).contains(n)).unwrap_or(Paint::WIDTH);
        Self {
            out: Paint { colour: colour(streams.out), unicode, terminal: streams.out, width },
            err: Paint { colour: colour(streams.err), unicode, terminal: streams.err, width },
            out_tty: streams.out,
            asks: streams.input && streams.err && !set("CI"),
            redraws: streams.err && !dumb && !set("CI") && !set("ACCESSIBLE"),
        }
    }
}

/// Which streams are terminals.
#[derive(Debug, Clone, Copy)]
struct Streams {
    input: bool,
    out: bool,
    err: bool,
}

fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| (20..=1000).contains(columns))
}

/// How text is painted. Colour never carries meaning that the text does not carry too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// Whether to colour.
    pub colour: bool,
    /// Whether characters outside of ASCII may be used for marks.
    pub unicode: bool,
    /// Whether a person reads it on a terminal, so that long texts are laid out for one.
    pub terminal: bool,
    /// How many cells a line has.
    pub width: usize,
}

impl Paint {
    /// The width where nothing says another.
    pub const WIDTH: usize = 80;

    /// Neither colours nor marks: for texts that are compared.
    pub const PLAIN: Self = Self { colour: false, unicode: false, terminal: false, width: Self::WIDTH };

    /// What went well.
    pub fn good(self, text: &str) -> String {
        self.wrap("32;1", text)
    }

    /// What went badly.
    pub fn bad(self, text: &str) -> String {
        self.wrap("31;1", text)
    }

    /// What deserves a look.
    pub fn odd(self, text: &str) -> String {
        self.wrap("33;1", text)
    }

    /// What stands out.
    pub fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What stands back.
    pub fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// A command to type or a place to look.
    pub fn place(self, text: &str) -> String {
        self.wrap("36", text)
    }

    /// The signs that can be shown.
    pub fn glyphs(self) -> &'static Glyphs {
        if self.unicode { &glyphs::UNICODE } else { &glyphs::ASCII }
    }

    /// The mark before something accepted.
    pub fn tick(self) -> &'static str {
        self.glyphs().tick
    }

    /// The mark before something not accepted.
    pub fn cross(self) -> &'static str {
        self.glyphs().cross
    }

    /// The mark where text was cut.
    pub fn cut(self) -> &'static str {
        self.glyphs().cut
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(choice: ColorChoice, tty: bool, env: &[(&str, &str)]) -> Terminal {
        let streams = Streams { input: tty, out: tty, err: tty };
        Terminal::decide(choice, None, streams, |name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn colour_and_redrawing_follow_the_table() {
        use ColorChoice::{Always, Auto, Never};
        let xterm = ("TERM", "xterm");
        type Row<'a> = (ColorChoice, bool, &'a [(&'a str, &'a str)], bool, bool);
        #[rustfmt::skip]
        let table: &[Row] = &[
            // choice, terminal, environment,                               colour, redraws
            (Auto,     true,     &[xterm],                                  true,   true),
            (Auto,     false,    &[xterm],                                  false,  false),
            (Auto,     true,     &[("TERM", "dumb")],                       false,  false),
            (Auto,     true,     &[],                                       false,  false),
            (Auto,     true,     &[xterm, ("NO_COLOR", "1")],               false,  true),
            (Auto,     true,     &[xterm, ("NO_COLOR", "")],                true,   true),
            (Auto,     false,    &[xterm, ("CLICOLOR_FORCE", "1")],         true,   false),
            (Auto,     false,    &[xterm, ("CLICOLOR_FORCE", "0")],         false,  false),
            (Auto,     false,    &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, false),
            (Auto,     true,     &[xterm, ("CLICOLOR", "0")],               false,  true),
            (Auto,     true,     &[xterm, ("CI", "true")],                  true,   false),
            (Auto,     true,     &[xterm, ("ACCESSIBLE", "1")],             true,   false),
            (Never,    true,     &[xterm, ("CLICOLOR_FORCE", "1")],         false,  true),
            (Always,   false,    &[("NO_COLOR", "1")],                      true,   false),
        ];
        for (choice, tty, env, colour, redraws) in table {
            let terminal = decide(*choice, *tty, env);
            assert_eq!(
                (terminal.out.colour, terminal.redraws),
                (*colour, *redraws),
                "{choice:?} {tty} {env:?}"
            );
        }
    }

    #[test]
    fn marks_are_ascii_where_the_locale_is_not_utf_8() {
        for (env, unicode) in [
            (vec![("LANG", "ko_KR.UTF-8")], true),
            (vec![("LC_ALL", "C.utf8")], true),
            (vec![("LANG", "ko_KR.UTF-8"), ("LC_ALL", "ko_KR.eucKR")], false),
            (vec![("LANG", "C")], false),
            (vec![], false),
        ] {
            assert_eq!(decide(ColorChoice::Auto, true, &env).out.unicode, unicode, "{env:?}");
        }
    }

    #[test]
    fn what_was_said_of_ascii_beats_the_locale() {
        let streams = Streams { input: true, out: true, err: true };
        for (ascii, locale, unicode) in [
            (Some(true), "ko_KR.UTF-8", false),
            (Some(false), "C", true),
            (None, "ko_KR.UTF-8", true),
            (None, "C", false),
        ] {
            let env = |name: &str| (name == "LC_ALL").then(|| locale.into());
            let terminal = Terminal::decide(ColorChoice::Auto, ascii, streams, env);
            assert_eq!(terminal.err.unicode, unicode, "{ascii:?} {locale}");
        }
    }

    #[test]
    fn colour_is_added_around_the_text_and_never_instead_of_it() {
        let paint = Paint { colour: true, ..Paint::PLAIN };
        assert_eq!(paint.bad("WRONG_ANSWER"), "\x1b[31;1mWRONG_ANSWER\x1b[0m");
        assert_eq!(Paint::PLAIN.bad("WRONG_ANSWER"), "WRONG_ANSWER");
    }
}
