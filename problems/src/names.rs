//! Which names belong to a package, and which files of a folder are no part of it.

/// The longest path of a file in a package, in bytes.
pub(crate) const MAX_PATH_BYTES: usize = 1024;

/// The folders that some version of the format has.
const FOLDERS: [&str; 16] = [
    "attachments",
    "data",
    "generators",
    "graders",
    "include",
    "input_format_validators",
    "input_validators",
    "input_visualizer",
    "output_validator",
    "output_validators",
    "output_visualizer",
    "problem_statement",
    "solution",
    "statement",
    "static_validator",
    "submissions",
];

/// The files in the root that are read. `.timelimit` and `problem.pdf` are other judges' additions.
const FILES: [&str; 4] = ["problem.yaml", "codementor.toml", ".timelimit", "problem.pdf"];

/// What a name says about its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    /// As the format wants it.
    Plain,
    /// Not as the format wants it, but without harm.
    Odd,
    /// Left by an editor, a version control system or an interpreter: no part of a package, without a word.
    Auxiliary,
    /// Could be taken for an option, or cannot be shown.
    Unusable,
}

/// Judges one part of a path.
pub(crate) fn part(name: &str) -> Name {
    let auxiliary = name.starts_with('.')
        || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'))
        || [".swp", ".swo", ".bak", ".orig", ".rej", ".pyc"].iter().any(|end| name.ends_with(end))
        || ["__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"].contains(&name);
    if auxiliary {
        Name::Auxiliary
    } else if name.is_empty() || name.len() > 255 || name.starts_with('-') || name.chars().any(is_unusable) {
        Name::Unusable
    } else if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
        Name::Plain
    } else {
        Name::Odd
    }
}

fn is_unusable(c: char) -> bool {
    c.is_control() || c == '/' || c == '\\' || c == char::REPLACEMENT_CHARACTER
}

/// Judges a path by its worst part.
pub(crate) fn path(path: &str) -> Name {
    if path == ".timelimit" {
        return Name::Plain;
    }
    if path.len() > MAX_PATH_BYTES {
        return Name::Unusable;
    }
    // An auxiliary folder hides whatever is in it.
    if path.split('/').any(|name| part(name) == Name::Auxiliary) {
        return Name::Auxiliary;
    }
    path.split('/').map(part).max().unwrap_or(Name::Unusable)
}

/// What the first part of a path says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root<'a> {
    /// It belongs to the format.
    Known,
    /// It is in a folder that no version has.
    UnknownFolder(&'a str),
    /// Another judge's settings.
    ForeignSettings,
    /// A file beside the package's own, such as a README.
    Beside,
}

/// Judges where a file stands.
pub(crate) fn root(path: &str) -> Root<'_> {
    match path.split_once('/') {
        Some((folder, _)) if FOLDERS.contains(&folder) => Root::Known,
        Some((folder, _)) => Root::UnknownFolder(folder),
        None if FILES.contains(&path) => Root::Known,
        None if path == "domjudge-problem.ini" => Root::ForeignSettings,
        None => Root::Beside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_into_four_kinds() {
        for (name, kind) in [
            ("01.in", Name::Plain),
            ("_a-b.c", Name::Plain),
            ("1 (copy).in", Name::Odd),
            ("x.c++", Name::Odd),
            ("가.in", Name::Odd),
            (".git", Name::Auxiliary),
            (".01.in.swp", Name::Auxiliary),
            ("01.in~", Name::Auxiliary),
            ("#01.in#", Name::Auxiliary),
            ("sum.py.bak", Name::Auxiliary),
            ("__pycache__", Name::Auxiliary),
            ("-rf", Name::Unusable),
            ("a\nb", Name::Unusable),
            ("a\u{1b}[31m", Name::Unusable),
            ("a\\b", Name::Unusable),
            ("", Name::Unusable),
        ] {
            assert_eq!(part(name), kind, "{name:?}");
        }
        assert_eq!(part(&"a".repeat(256)), Name::Unusable);
        assert_eq!(path(&"a/".repeat(600)), Name::Unusable);
        assert_eq!(path("data/.hidden/-x"), Name::Auxiliary);
        assert_eq!(path("data/my group/01.in"), Name::Odd);
        assert_eq!((path(".timelimit"), path("data/.timelimit")), (Name::Plain, Name::Auxiliary));
    }
}
