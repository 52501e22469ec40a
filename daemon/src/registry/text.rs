//! A problem as a student may see it: its statement, its samples, and files to start from. Nothing hidden is read here:
//! only samples, statements and attachments are ever opened.

use std::path::Path;

use codementor_problems::package::{Case, NamedFile, Package, Statement};
use codementor_problems::read::{self, Opened};
use codementor_protocol::{LanguageId, ProblemText, Refusal, RefusalCode, Slug, SourceFile};

use super::{Installed, Registry, statement};

/// The longest statement, in bytes of Markdown.
const MAX_STATEMENT: usize = 128 * 1024;
/// The most bytes of samples; samples beyond are left out and counted.
const MAX_SAMPLES: usize = 256 * 1024;
/// The most bytes of templates and attachments; what is beyond is left out.
const MAX_FILES: usize = 128 * 1024;

impl Registry {
    /// Reads what students may see of a problem.
    pub(crate) async fn text(
        &self,
        slug: &Slug,
        installed: Installed,
        wanted: Option<String>,
    ) -> Result<ProblemText, Refusal> {
        let languages: Vec<LanguageId> =
            self.languages.iter().map(|language| language.id().clone()).collect();
        let (path, slug) = (self.package_file(&installed.hash), slug.clone());
        let work = move || read(&path, slug, &installed, wanted.as_deref(), &languages);
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Refusal::new(RefusalCode::Internal, error.to_string()))?
    }
}

fn read(
    path: &Path,
    slug: Slug,
    installed: &Installed,
    wanted: Option<&str>,
    languages: &[LanguageId],
) -> Result<ProblemText, Refusal> {
    let opened = read::open(path).map_err(|_| broken("it is damaged"))?;
    let package = &opened.package;
    let chosen = choose(package, wanted);
    let statement = match chosen {
        Some(chosen) => {
            let text = opened.files.read_with(&chosen.file.name, &package.constants).map_err(broken)?;
            cut(statement::markdown(&String::from_utf8_lossy(&text), chosen.markup))
        }
        None => "This problem has no statement. Ask your instructor what to do.\n".into(),
    };
    let (samples, samples_left_out) = samples(&opened)?;
    let (templates, attachments) = files(&opened, languages);
    let name = |code: &str| package.names.get(code).cloned();
    Ok(ProblemText {
        title: wanted.and_then(name).unwrap_or_else(|| installed.title.clone()),
        problem: slug,
        package: installed.hash.clone(),
        limits: installed.limits,
        statement,
        statement_in: chosen.map(|chosen| chosen.language.clone()),
        samples,
        samples_left_out,
        templates,
        attachments,
    })
}

/// The statement in the wanted language, else in English, else the first; one that can be shown before one that cannot.
fn choose<'a>(package: &'a Package, wanted: Option<&str>) -> Option<&'a Statement> {
    package.statements.iter().min_by_key(|statement| {
        let language = Some(statement.language.as_str());
        (
            statement.markup == codementor_problems::package::Markup::Pdf,
            language != wanted,
            language != Some("en"),
        )
    })
}

type Samples = Vec<(String, String, String)>;

fn samples(opened: &Opened) -> Result<(Samples, u32), Refusal> {
    let (mut samples, mut left_out, mut room) = (Vec::new(), 0, MAX_SAMPLES);
    for case in opened.package.samples() {
        let Case { input, answer, name, .. } = case;
        let size = usize::try_from(input.size.saturating_add(answer.size)).unwrap_or(usize::MAX);
        if size > room {
            left_out += 1;
            continue;
        }
        room -= size;
        let text = |name: &str| -> Result<String, Refusal> {
            let bytes = opened.files.read(name).map_err(broken)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let name = name.strip_prefix("sample/").unwrap_or(name);
        samples.push((name.to_owned(), text(&input.name)?, text(&answer.name)?));
    }
    Ok((samples, left_out))
}

type Templates = Vec<(LanguageId, Vec<SourceFile>)>;

/// The attachments: those in a folder of a language are files to start from, the others are just files.
fn files(opened: &Opened, languages: &[LanguageId]) -> (Templates, Vec<SourceFile>) {
    let (mut templates, mut attachments, mut room) = (Templates::new(), Vec::new(), MAX_FILES);
    for NamedFile { path, file } in &opened.package.attachments {
        let size = usize::try_from(file.size).unwrap_or(usize::MAX);
        // What is no text is of no use in a terminal, and what has further folders has no place.
        let Some(text) = (size <= room)
            .then(|| opened.files.read_with(&file.name, &opened.package.constants).ok())
            .flatten()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .filter(|text| !text.contains('\0'))
        else {
            continue;
        };
        let path = path.strip_prefix("templates/").unwrap_or(path);
        let (folder, name) = path.split_once('/').map_or((None, path), |(folder, name)| (Some(folder), name));
        if name.contains('/') {
            continue;
        }
        let source = SourceFile { name: name.to_owned(), text };
        let language = languages.iter().find(|language| Some(language.as_str()) == folder);
        match (language, folder) {
            (Some(language), _) => match templates.iter_mut().find(|(known, _)| known == language) {
                Some((_, files)) => files.push(source),
                None => templates.push((language.clone(), vec![source])),
            },
            (None, None) => attachments.push(source),
            (None, Some(_)) => continue,
        }
        room -= size;
    }
    (templates, attachments)
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_STATEMENT {
        let end = (0..=MAX_STATEMENT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n\n(The statement goes on; it is too long to be shown whole.)\n");
    }
    text
}

fn broken(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(RefusalCode::Internal, format!("the package cannot be read: {error}"))
}
