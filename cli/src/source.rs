//! Which program is meant: the files, their language, and whether their text can be sent at all.

use std::io::Read;
use std::path::{Path, PathBuf};

use codementor_protocol::{LanguageId, MAX_SOURCE_BYTES, MAX_SOURCE_FILES, SourceFile};
use codementor_runners::Languages;
use codementor_runners::language::DetectError;

use crate::foreign;

/// A program that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The runner.
    pub language: LanguageId,
    /// The program.
    pub files: Vec<SourceFile>,
    /// The file to start from, where the student names one.
    pub entry: Option<String>,
}

/// Why a program cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no source file to take by default.
    #[error("{}", t!("there is no source file in {dir}", dir = dir.display()))]
    NothingHere {
        /// The folder.
        dir: PathBuf,
    },
    /// There are several to take by default.
    #[error("{}", t!(
        "there are {count} source files here: {names}",
        count = names.len(), names = names.join(", ")
    ))]
    Ambiguous {
        /// Their names.
        names: Vec<String>,
        /// Whether they are of one language, so that all of them can be one program.
        together: bool,
    },
    /// The folder cannot be listed.
    #[error("{}", t!("cannot list {dir}: {source}", dir = dir.display(), source))]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not there, or cannot be read.
    #[error("{}", t!("cannot read {path}: {reason}", path = path.display(), reason = reason(source)))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder instead of a file.
    #[error("{}", t!("{path} is a folder, not a source file", path = path.display()))]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A name that cannot be sent.
    #[error("{}", t!("the file name {path} cannot be used: {rule}", path = format_args!("{:?}", path), rule))]
    BadName {
        /// The file.
        path: PathBuf,
        /// Why.
        rule: &'static str,
    },
    /// Two files with one name.
    #[error("{}", t!("two of the files are named {name}: only the name is sent, without its folder", name))]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A file without text.
    #[error("{}", t!("{path} is empty", path = path.display()))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file that is no text.
    #[error("{}", t!(
        "{path} is not a text file: it has a NUL byte at byte {offset}",
        path = path.display(), offset
    ))]
    Binary {
        /// The file.
        path: PathBuf,
        /// The first NUL, counted from 0.
        offset: usize,
    },
    /// A text file in two-byte characters.
    #[error("{}", t!("{path} is in UTF-16, not in UTF-8", path = path.display()))]
    Utf16 {
        /// The file.
        path: PathBuf,
    },
    /// A text file in another encoding.
    #[error("{}", t!(
        "{path} is not UTF-8: byte {offset} is 0x{byte}{what}",
        path = path.display(),
        offset,
        byte = format_args!("{:02x}", byte),
        what = if *korean { t!("; it reads as CP949 (EUC-KR)") } else { "" }
    ))]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first wrong byte, counted from 0.
        offset: usize,
        /// Its value.
        byte: u8,
        /// Whether the whole file decodes as CP949.
        korean: bool,
    },
    /// More text than may be sent.
    #[error("{}", t!("the source is larger than {kibibytes} KiB", kibibytes = MAX_SOURCE_BYTES / 1024))]
    TooLong,
    /// More files than may be sent.
    #[error("{}", t!(
        "{count} files are too many: at most {max_source_files} may be sent",
        count, max_source_files = MAX_SOURCE_FILES
    ))]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// The language cannot be told.
    #[error("{}", foreign::detect(.0))]
    Language(#[from] DetectError),
    /// `--entry` names none of the files.
    #[error("{}", t!("--entry {entry} is none of the files: {names}", entry, names = names.join(", ")))]
    NoSuchEntry {
        /// As given.
        entry: String,
        /// The files.
        names: Vec<String>,
    },
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => t!("there is no such file").into(),
        std::io::ErrorKind::PermissionDenied => t!("permission denied").into(),
        _ => error.to_string(),
    }
}

impl SourceError {
    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NothingHere { .. } => t!("name the files: codementor submit FILE... -p PROBLEM").into(),
            Self::Ambiguous { together: true, .. } => {
                t!("name the files that belong together, or take all of them with --yes").into()
            }
            Self::Ambiguous { together: false, names } => {
                t!("name the one that is meant, such as: codementor submit {names}", names = names[0])
            }
            Self::BadName { .. } | Self::Duplicate { .. } => t!("rename or copy the file first").into(),
            Self::IsFolder { .. } => t!("name the files in it").into(),
            Self::Empty { .. } => t!("has it been saved?").into(),
            Self::Binary { .. } => t!("send the source, not the compiled program").into(),
            Self::Utf16 { path } => {
                t!(
                    "save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 {quoted} > fixed && mv fixed \
                     {quoted}",
                    quoted = quoted(path)
                )
            }
            Self::NotUtf8 { path, korean: true, .. } => {
                t!(
                    "convert it: iconv -f CP949 -t UTF-8 {quoted} > fixed && mv fixed {quoted}",
                    quoted = quoted(path)
                )
            }
            Self::NotUtf8 { korean: false, .. } => t!("save it as UTF-8").into(),
            Self::TooLong => {
                t!("a program is text that a person wrote; read large tables from the input").into()
            }
            Self::NoSuchEntry { .. } => t!("name the file as it is sent, without its folder").into(),
            // The others say themselves what to do.
            Self::Language(_) | Self::Folder { .. } | Self::Unreadable { .. } | Self::TooMany { .. } => {
                return None;
            }
        })
    }
}

/// A path as it can be pasted into a shell.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "./_-+".contains(c);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Chooses and reads a program. `confirm` is asked where all source files of a folder would be taken as one program;
/// it is given their names.
pub fn choose(
    files: &[PathBuf],
    language: Option<&str>,
    entry: Option<&str>,
    dir: &Path,
    languages: &Languages,
    confirm: impl FnOnce(&[String]) -> bool,
) -> Result<Chosen, SourceError> {
    let wanted = language.map(|given| languages.by_name(given)).transpose()?.map(|found| found.id().clone());
    let paths = match files {
        [] => default_files(dir, wanted.as_ref(), languages, confirm)?,
        _ => files.iter().map(|file| dir.join(file)).collect(),
    };
    if paths.len() > MAX_SOURCE_FILES {
        return Err(SourceError::TooMany { count: paths.len() });
    }
    let shown = |path: &Path| path.strip_prefix(dir).unwrap_or(path).to_path_buf();
    let mut read: Vec<SourceFile> = Vec::new();
    let mut room = MAX_SOURCE_BYTES;
    for path in &paths {
        let name = base_name(&shown(path))?;
        if read.iter().any(|file| file.name == name) {
            return Err(SourceError::Duplicate { name });
        }
        let text = read_text(path, &shown(path), room)?;
        room -= text.len();
        read.push(SourceFile { name, text });
    }
    let names: Vec<&str> = read.iter().map(|file| file.name.as_str()).collect();
    let language = languages.detect(&names, language)?.id().clone();
    let entry = entry.map(|entry| {
        // A path is taken for the file that it leads to: only names are sent.
        let name = Path::new(entry).file_name().map_or(entry.into(), |name| name.to_string_lossy());
        match read.iter().any(|file| file.name == name) {
            true => Ok(name.into_owned()),
            false => Err(SourceError::NoSuchEntry {
                entry: entry.into(),
                names: read.iter().map(|file| file.name.clone()).collect(),
            }),
        }
    });
    Ok(Chosen { language, entry: entry.transpose()?, files: read })
}

/// What is taken where no file is named: the only source file, else `main.*`, else all if `confirm` agrees.
fn default_files(
    dir: &Path,
    wanted: Option<&LanguageId>,
    languages: &Languages,
    confirm: impl FnOnce(&[String]) -> bool,
) -> Result<Vec<PathBuf>, SourceError> {
    let unlisted = |source| SourceError::Folder { dir: dir.into(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unlisted)? {
        let entry = entry.map_err(unlisted)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let known = languages.iter().any(|l| wanted.is_none_or(|id| id == l.id()) && l.is_source(&name));
        if known && !name.starts_with('.') && entry.path().is_file() {
            names.push(name);
        }
    }
    names.sort();
    let mains: Vec<&String> = names
        .iter()
        .filter(|name| Path::new(name).file_stem().is_some_and(|s| s.eq_ignore_ascii_case("main")))
        .collect();
    match (names.as_slice(), mains.as_slice()) {
        ([], _) => Err(SourceError::NothingHere { dir: dir.into() }),
        ([only], _) => Ok(vec![dir.join(only)]),
        (_, [main]) => Ok(vec![dir.join(main)]),
        _ => {
            let together = languages.iter().any(|l| names.iter().all(|name| l.is_source(name)));
            if together && confirm(&names) {
                Ok(names.iter().map(|name| dir.join(name)).collect())
            } else {
                Err(SourceError::Ambiguous { names, together })
            }
        }
    }
}

/// The name that is sent: the last part of the path, never a folder.
fn base_name(path: &Path) -> Result<String, SourceError> {
    let bad = |rule| SourceError::BadName { path: path.into(), rule };
    // `..` and `/` have no last part.
    let name = path.file_name().ok_or(SourceError::IsFolder { path: path.into() })?;
    let name = name.to_str().ok_or_else(|| bad(t!("it is not UTF-8")))?;
    if name.chars().any(char::is_control) {
        return Err(bad(t!("it has a line end or another control character in it")));
    }
    if name.contains('\\') {
        return Err(bad(t!("it has a backslash in it")));
    }
    // A compiler would take the one for an option, and overlook the other.
    if name.starts_with(['-', '.']) {
        return Err(bad(t!("it begins with a dash or a dot")));
    }
    if name.len() > 200 {
        return Err(bad(t!("it is longer than 200 bytes")));
    }
    Ok(name.to_owned())
}

fn read_text(path: &Path, shown: &Path, room: usize) -> Result<String, SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: shown.into(), source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(SourceError::IsFolder { path: shown.into() });
    }
    // Neither a huge file nor an endless device is read further than is needed to refuse it.
    let mut bytes = Vec::new();
    file.take(room as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.is_empty() || bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(SourceError::Empty { path: shown.into() });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(SourceError::Utf16 { path: shown.into() });
    }
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        return Err(SourceError::Binary { path: shown.into(), offset });
    }
    if bytes.len() > room {
        return Err(SourceError::TooLong);
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let korean = encoding_rs::EUC_KR.decode_without_bom_handling_and_without_replacement(bytes).is_some();
        SourceError::NotUtf8 { path: shown.into(), offset, byte: bytes[offset], korean }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn languages() -> Languages {
        Languages::load(None).expect("the embedded languages are sound")
    }

    /// Makes the files, chooses, and says what was chosen or why nothing was.
    fn check(made: &[(&str, &[u8])], named: &[&str], language: Option<&str>, agrees: bool) -> String {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (name, content) in made {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
            std::fs::write(path, content).expect("is written");
        }
        let files: Vec<PathBuf> = named.iter().map(PathBuf::from).collect();
        match choose(&files, language, None, dir.path(), &languages(), |_| agrees) {
            Ok(chosen) => {
                let names: Vec<String> = chosen.files.into_iter().map(|file| file.name).collect();
                format!("{}: {}", chosen.language, names.join(" "))
            }
            Err(error) => error.to_string().replace(&dir.path().display().to_string(), "DIR"),
        }
    }

    #[test]
    fn what_is_chosen_is_the_table() {
        let py: (&str, &[u8]) = ("a.py", b"print()");
        let b: (&str, &[u8]) = ("b.py", b"print()");
        let main: (&str, &[u8]) = ("main.cpp", b"int main(){}");
        let head: (&str, &[u8]) = ("list.h", b"int x;");
        let c: (&str, &[u8]) = ("x.c", b"int y;");
        let notes: (&str, &[u8]) = ("notes.txt", b"hi");
        type Row<'a> = (&'a [(&'a str, &'a [u8])], &'a [&'a str], Option<&'a str>, bool, &'a str);
        #[rustfmt::skip]
        let table: &[Row] = &[
            // made, named, -l, agrees to take all, what is chosen
            (&[py],          &["a.py"],              None,         false, "python3: a.py"),
            (&[py, notes],   &[],                    None,         false, "python3: a.py"),
            (&[py, main],    &[],                    None,         false, "cpp: main.cpp"),
            (&[py, main],    &[],                    Some("python3"), false, "python3: a.py"),
            (&[py, b],       &[],                    None,         false, "there are 2 source files here: a.py, b.py"),
            (&[py, b],       &[],                    None,         true,  "python3: a.py b.py"),
            (&[py, c],       &[],                    None,         true,  "there are 2 source files here: a.py, x.c"),
            (&[notes],       &[],                    None,         false, "there is no source file in DIR"),
            (&[main, head],  &["main.cpp", "list.h"], None,        false, "cpp: main.cpp list.h"),
            (&[c, head],     &["list.h", "x.c"],     None,         false, "c: list.h x.c"),
            (&[py, main],    &["a.py", "main.cpp"],  None,         false, "a.py is Python 3 and main.cpp is C++: submit one language at a time"),
            (&[py, main],    &["a.py", "main.cpp"],  Some("cpp"),  false, "a.py cannot be a C++ file…"),
            (&[notes],       &["notes.txt"],         None,         false, "notes.txt is in no language that there is; name the language with -l…"),
            (&[notes],       &["notes.txt"],         Some("PYTHON3"), false, "notes.txt cannot be a Python 3 file: those end in .py"),
            (&[py],          &["a.py"],              Some("pyhton3"), false, "unknown language 'pyhton3', did you mean python3?; there are c, cpp, go, java, javascript, python3, rust"),
            (&[py],          &["no.py"],             None,         false, "cannot read no.py: there is no such file"),
            (&[("d/a.py", b"x")], &["d"],            None,         false, "d is a folder, not a source file"),
            (&[("d/a.py", b"x")], &[".."],           None,         false, ".. is a folder, not a source file"),
            (&[("d/a.py", b"x")], &["d/a.py"],       None,         false, "python3: a.py"),
            (&[("d/a.py", b"x")], &["d/../d/a.py"],  None,         false, "python3: a.py"),
            (&[py, ("d/a.py", b"x")], &["a.py", "d/a.py"], None,   false, "two of the files are named a.py: only the name is sent, without its folder"),
            (&[("my a.py", b"x"), ("a-x.py", b"x")], &["my a.py", "a-x.py"], None, false, "python3: my a.py a-x.py"),
            (&[("-x.py", b"x")], &["-x.py"],         None,         false, "the file name \"-x.py\" cannot be used: it begins with a dash or a dot"),
            (&[("a\nb.py", b"x")], &["a\nb.py"],     None,         false, "the file name \"a\\nb.py\" cannot be used: it has a line end or another control character in it"),
            (&[("e.py", b"")], &["e.py"],            None,         false, "e.py is empty"),
            (&[("e.py", b" \n")], &["e.py"],         None,         false, "e.py is empty"),
            (&[("e.py", b"ab\0c")], &["e.py"],       None,         false, "e.py is not a text file: it has a NUL byte at byte 2"),
            (&[("e.py", b"\xff\xfea\0")], &["e.py"], None,         false, "e.py is in UTF-16, not in UTF-8"),
            (&[("e.py", b"# \xc7\xd5\xb0\xe8")], &["e.py"], None,  false, "e.py is not UTF-8: byte 2 is 0xc7; it reads as CP949 (EUC-KR)"),
            (&[("e.py", b"# \xff\xff")], &["e.py"],  None,         false, "e.py is not UTF-8: byte 2 is 0xff"),
        ];
        for (made, named, language, agrees, expected) in table {
            let chosen = check(made, named, *language, *agrees);
            // The lists of extensions are the languages' own matter.
            let same = match expected.strip_suffix('…') {
                Some(beginning) => chosen.starts_with(beginning),
                None => chosen == *expected,
            };
            assert!(same, "{named:?} {language:?}: {chosen:?} instead of {expected:?}");
        }
    }

    #[test]
    fn the_bounds_hold_to_the_byte() {
        let fits = vec![b'#'; MAX_SOURCE_BYTES];
        assert_eq!(check(&[("a.py", &fits)], &["a.py"], None, false), "python3: a.py");
        let over = vec![b'#'; MAX_SOURCE_BYTES + 1];
        assert_eq!(check(&[("a.py", &over)], &["a.py"], None, false), "the source is larger than 512 KiB");
        let both = check(&[("a.py", &fits), ("b.py", b"x")], &["a.py", "b.py"], None, false);
        assert_eq!(both, "the source is larger than 512 KiB");
        let names: Vec<String> = (0..=MAX_SOURCE_FILES).map(|n| format!("{n}.py")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let made: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, b"x".as_slice())).collect();
        assert_eq!(check(&made, &names, None, false), "65 files are too many: at most 64 may be sent");
    }

    #[test]
    fn a_file_without_an_end_is_not_read_to_its_end() {
        let error = choose(&["/dev/zero".into()], Some("c"), None, Path::new("/"), &languages(), |_| false);
        assert!(matches!(error, Err(SourceError::Binary { offset: 0, .. })), "{error:?}");
    }

    #[test]
    fn hints_name_what_to_type() {
        let korean = SourceError::NotUtf8 { path: "내 a.py".into(), offset: 0, byte: 0xc7, korean: true };
        let hint = "convert it: iconv -f CP949 -t UTF-8 '내 a.py' > fixed && mv fixed '내 a.py'";
        assert_eq!(korean.hint().as_deref(), Some(hint));
    }

    #[test]
    fn the_entry_is_one_of_the_files() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("a.py"), "print()").expect("is written");
        let choose = |entry| choose(&["a.py".into()], None, Some(entry), dir.path(), &languages(), |_| false);
        assert_eq!(choose("sub/a.py").expect("is chosen").entry.as_deref(), Some("a.py"));
        assert!(matches!(choose("b.py"), Err(SourceError::NoSuchEntry { .. })));
    }
}
