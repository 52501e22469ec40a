//! `codementor get`: a problem as files to begin with, or its statement on the terminal.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use codementor_protocol::{AssignmentId, ProblemText, ReadProblem, SourceFile};

use crate::args::course::Get;
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::problem::{self, Named};
use crate::render::markdown::Markdown;
use crate::render::words;
use crate::{locale, sanitize};

/// Why the files of a problem cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// The folder is there already.
    #[error("{}", t!("{path} is there already", path = path.display()))]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A package has no folder to be got: it is there.
    #[error("{}", t!("{path} is a package: its statement lies in it", path = path.display()))]
    IsPackage {
        /// The package.
        path: PathBuf,
    },
    /// Something cannot be written.
    #[error("{}", t!("cannot write {path}: {source}", path = path.display(), source))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl GetError {
    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => {
                Some(t!("choose another folder with --dir DIR; nothing is ever overwritten").into())
            }
            Self::IsPackage { .. } => Some(t!("a problem is named as in: codementor list").into()),
            Self::Write { .. } => None,
        }
    }
}

pub(crate) async fn run(context: &Context, args: &Get) -> Result<ExitStatus, CliError> {
    let here = super::working_directory()?;
    let meant = problem::meant(Some(Path::new(&args.problem)), &here)?;
    let problem = match meant.named {
        Named::Installed(problem) => problem,
        Named::Package(path) => return Err(GetError::IsPackage { path }.into()),
    };
    let statement_in = args.statement_in.clone().or_else(|| {
        let own = crate::locale::answers();
        own.map(|language| language.as_str().to_owned())
    });
    let request = ReadProblem { problem, assignment: meant.assignment, statement_in };
    let text = context.session().await?.request(&request).await?;
    if args.json {
        context.print_json(&text)?;
        return Ok(ExitStatus::Success);
    }
    if !args.print {
        let folder = args.dir.clone().unwrap_or_else(|| text.problem.as_str().into());
        let files = files(&text, request.assignment.as_ref(), args.language.as_deref());
        write(&folder, &files)?;
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        context.progress.note(&format!("{}: {}", folder.display(), names.join("  ")));
    }
    context.print(&show(&text, context))?;
    Ok(ExitStatus::Success)
}

/// The statement with its samples, for the terminal.
fn show(text: &ProblemText, context: &Context) -> String {
    let paint = context.terminal.out;
    let mut page = t!(
        "{title}   {time_ms} of CPU time, {memory_mib}\n\n",
        title = paint.strong(&sanitize::line(&text.title)),
        time_ms = words::duration(text.limits.time_ms),
        memory_mib = words::memory(text.limits.memory_mib * 1024)
    );
    page.push_str(&Markdown::default().render(&locale::said(&text.statement), paint));
    for (name, input, answer) in &text.samples {
        let name = sanitize::line(name);
        for (what, content) in [(t!("in"), input), (t!("out"), answer)] {
            // A text that is built cannot fail to be written to.
            let _ = writeln!(page, "\n{}", paint.strong(&t!("sample {name}, {what}:", name, what)));
            page.push_str(&sanitize::text(content));
            if !content.ends_with('\n') && !content.is_empty() {
                page.push('\n');
            }
        }
    }
    if text.samples_left_out > 0 {
        let left_out = count!(text.samples_left_out.into(), "sample");
        let _ = writeln!(page, "{}", t!("\n{left_out} more, too large to be shown", left_out));
    }
    page
}

/// The files of a problem's folder, by their names in it.
fn files(
    text: &ProblemText,
    assignment: Option<&AssignmentId>,
    language: Option<&str>,
) -> Vec<(String, String)> {
    let mut manifest = format!("problem = \"{}\"\n", text.problem);
    if let Some(assignment) = assignment {
        manifest.push_str(&format!("assignment = \"{assignment}\"\n"));
    }
    let mut files = vec![
        (".codementor/problem.toml".to_owned(), manifest),
        ("statement.md".to_owned(), format!("# {}\n\n{}", text.title, text.statement)),
    ];
    for (name, input, answer) in &text.samples {
        let name = name.replace('/', "-");
        files.push((format!("samples/{name}.in"), input.clone()));
        files.push((format!("samples/{name}.ans"), answer.clone()));
    }
    let wanted = |known: &&(_, _)| {
        let (known, _): &(codementor_protocol::LanguageId, Vec<SourceFile>) = known;
        language.is_none_or(|language| known.as_str() == language)
    };
    let templates: Vec<_> = text.templates.iter().filter(wanted).collect();
    for (language, sources) in &templates {
        // Several languages beside each other would be one program that nobody means.
        let folder = if templates.len() == 1 { String::new() } else { format!("templates/{language}/") };
        files.extend(sources.iter().map(|source| (format!("{folder}{}", source.name), source.text.clone())));
    }
    files.extend(text.attachments.iter().map(|file| (file.name.clone(), file.text.clone())));
    // Names come from the server, and what they are made of from a package: none may lead out of the folder.
    files.retain(|(name, _)| name.starts_with(".codementor/") || name.split('/').all(is_plain));
    let mut seen = Vec::new();
    files.retain(|(name, _)| !seen.contains(name) && (seen.push(name.clone()), true).1);
    files
}

fn is_plain(part: &str) -> bool {
    !part.is_empty()
        && part.len() <= 200
        && !part.starts_with(['.', '-'])
        && !part.contains(|sign: char| sign == '\\' || sign.is_control())
}

/// Writes the files into a folder that must not be there yet. A folder that could not be filled is removed again.
fn write(folder: &Path, files: &[(String, String)]) -> Result<(), GetError> {
    let cannot = |path: &Path, source| GetError::Write { path: path.into(), source };
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(GetError::Exists { path: folder.into() });
        }
        made => made.map_err(|source| cannot(folder, source))?,
    }
    let fill = || {
        for (name, content) in files {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(|source| cannot(parent, source))?;
            }
            std::fs::write(&path, content).map_err(|source| cannot(&path, source))?;
        }
        Ok(())
    };
    let filled = fill();
    if filled.is_err() {
        // The error itself is what counts; the folder was made here and holds nothing else.
        let _ = std::fs::remove_dir_all(folder);
    }
    filled
}

impl From<GetError> for CliError {
    fn from(error: GetError) -> Self {
        Self::Get(error)
    }
}

#[cfg(test)]
mod tests {
    use codementor_protocol::{Limits, PackageHash};

    use super::*;

    fn file(name: &str) -> SourceFile {
        SourceFile { name: name.into(), text: "x".into() }
    }

    fn text() -> ProblemText {
        let language = |name: &str| name.parse().expect("a language");
        ProblemText {
            problem: "rise".parse().expect("a slug"),
            title: "Warm Spell".into(),
            package: PackageHash::new("0".repeat(64)).expect("a hash"),
            limits: Limits::default(),
            statement: "Spring.\n".into(),
            statement_in: Some("en".into()),
            samples: vec![
                ("1".into(), "in".into(), "out".into()),
                ("group/2".into(), "in".into(), "out".into()),
            ],
            samples_left_out: 0,
            templates: vec![
                (language("python3"), vec![file("rise.py")]),
                (language("c"), vec![file("rise.c")]),
            ],
            attachments: vec![file("rise.h"), file("../escape"), file(".profile"), file("a\u{1b}b")],
        }
    }

    fn names(language: Option<&str>) -> Vec<String> {
        files(&text(), None, language).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn only_plain_names_become_files() {
        #[rustfmt::skip]
        assert_eq!(names(None), [
            ".codementor/problem.toml", "statement.md", "samples/1.in", "samples/1.ans", "samples/group-2.in",
            "samples/group-2.ans", "templates/python3/rise.py", "templates/c/rise.c", "rise.h",
        ]);
        assert!(names(Some("c")).contains(&"rise.c".into()), "one language lies beside the statement");
    }

    #[test]
    fn the_manifest_leads_back_to_the_assignment() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let folder = dir.path().join("rise");
        let assignment = "cs101/hw3".parse().expect("an assignment");
        write(&folder, &files(&text(), Some(&assignment), None)).expect("is written");
        let meant = problem::meant(None, &folder).expect("is found");
        assert_eq!(meant.assignment, Some(assignment));
        assert_eq!(meant.named, Named::Installed("rise".parse().expect("a slug")));
        assert!(matches!(write(&folder, &[]), Err(GetError::Exists { .. })));
        assert!(folder.join("statement.md").is_file(), "what is there stays");
    }
}
