//! The lines at the top of a program that only say what it uses. Comments among them and behind them stand where those
//! of its author stand, and not beside what they explain.

use std::ops::Range;

use crate::feedback::tokens::{Kind, Syntax, Token};

/// Where they begin, and where the code does that is more than that.
pub(super) fn range(syntax: Syntax, text: &str, tokens: &[Token<'_>]) -> Range<usize> {
    let code: Vec<_> = tokens.iter().filter(|token| token.kind != Kind::Layout).collect();
    let start = code.first().map_or(text.len(), |token| token.start);
    let mut depth = 0_usize;
    for line in code.chunk_by(|a, b| a.line == b.line) {
        if depth == 0 && !is_one(syntax, line) {
            return start..line[0].start;
        }
        for token in line.iter().filter(|token| token.kind == Kind::Sign) {
            match token.text {
                "(" | "{" | "[" => depth += 1,
                ")" | "}" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    start..text.len()
}

fn is_one(syntax: Syntax, line: &[&Token<'_>]) -> bool {
    let word = |at: usize| line.get(at).map_or("", |token| token.text);
    match syntax {
        Syntax::C | Syntax::Cpp => {
            (word(0) == "#" && matches!(word(1), "include" | "import" | "pragma"))
                || (word(0) == "using" && word(1) == "namespace")
                || matches!(word(0), "import" | "module")
        }
        Syntax::Go | Syntax::Java => matches!(word(0), "package" | "import"),
        Syntax::JavaScript => {
            let required = line.iter().position(|token| token.text == "require");
            let is_required = required.is_some_and(|at| {
                // Of what is called on it, nothing is an import any more.
                word(at + 1) == "(" && word(at + 3) == ")" && matches!(word(at + 4), "" | ";")
            });
            is_required || word(0) == "import" || word(0).trim_matches(['"', '\'']) == "use strict"
        }
        Syntax::Python => matches!(word(0), "import" | "from"),
        Syntax::Rust => match word(0) {
            "use" => true,
            "mod" | "extern" => line.last().is_some_and(|token| token.text == ";"),
            "#" => word(1) == "!",
            _ => false,
        },
    }
}
