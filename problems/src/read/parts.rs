//! Statements, included files, attachments, and the validators that a package has.

use std::collections::BTreeMap;

use crate::defect::{DefectKind, Feature, Place, WarningKind};
use crate::files::Files;
use crate::package::{Format, Markup, NamedFile, Statement};
use crate::yaml::Notes;

/// How far into a statement its name is looked for.
const MAX_STATEMENT_BYTES: u64 = 1 << 20;

/// The files of a folder with their paths in it.
pub(super) fn named(files: &Files, folder: &str) -> Vec<NamedFile> {
    files.under(folder).map(|(path, file)| NamedFile { path: path.to_owned(), file }).collect()
}

/// The statements, from the folder of either version.
pub(super) fn statements(files: &Files, format: Format, notes: &mut Notes) -> Vec<Statement> {
    let (own, other) = if format.is_legacy() {
        ("problem_statement", "statement")
    } else {
        ("statement", "problem_statement")
    };
    let mut statements = Vec::new();
    for folder in [own, other] {
        let found: Vec<_> = files
            .under(folder)
            .filter_map(|(path, file)| {
                let (language, markup) = statement_name(path)?;
                Some(Statement { language: language.to_owned(), markup, file })
            })
            .collect();
        if folder == other && !found.is_empty() {
            notes.warn(Place::file(folder), WarningKind::ForeignFolder);
        }
        statements.extend(found);
    }
    if let Some(file) = files.get("problem.pdf") {
        notes.warn(Place::file("problem.pdf"), WarningKind::ForeignFolder);
        statements.push(Statement { language: "en".into(), markup: Markup::Pdf, file });
    }
    if statements.is_empty() {
        notes.warn(Place::package(), WarningKind::NoStatement);
    }
    statements.sort_by(|a, b| (&a.language, a.markup).cmp(&(&b.language, b.markup)));
    statements
}

/// Takes `problem.LANG.EXT` or `problem.EXT` apart.
fn statement_name(path: &str) -> Option<(&str, Markup)> {
    let (stem, extension) = path.rsplit_once('.')?;
    let markup = match extension {
        "md" => Markup::Markdown,
        "tex" => Markup::Tex,
        "pdf" => Markup::Pdf,
        _ => return None,
    };
    match stem.strip_prefix("problem")? {
        "" => Some(("en", markup)),
        rest => Some((rest.strip_prefix('.').filter(|code| !code.contains(['.', '/']))?, markup)),
    }
}

/// The names that TeX statements give, for packages whose problem.yaml gives none. At last, the slug.
pub(super) fn names_from_statements(
    files: &Files,
    statements: &[Statement],
    slug: &str,
    notes: &mut Notes,
) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let readable = |s: &&Statement| s.markup == Markup::Tex && s.file.size <= MAX_STATEMENT_BYTES;
    for statement in statements.iter().filter(readable) {
        // A statement that cannot be read is no reason to refuse the package here; showing it will say so.
        let text = files.read(&statement.file.name).unwrap_or_default();
        if let Some(name) = tex_name(&String::from_utf8_lossy(&text)) {
            names.insert(statement.language.clone(), name);
        }
    }
    if names.is_empty() {
        names.insert("en".into(), slug.to_owned());
    }
    let used = names.values().next().cloned().unwrap_or_default();
    notes.warn(Place::file(super::problem_yaml::FILE), WarningKind::MissingKey { key: "name", used });
    names
}

/// The name in `%% plainproblemname: NAME`, else in `\problemname{NAME}`.
fn tex_name(text: &str) -> Option<String> {
    let plain = text.lines().find_map(|line| {
        line.trim_start()
            .strip_prefix("%%")
            .and_then(|rest| rest.trim_start().strip_prefix("plainproblemname:"))
    });
    let braced =
        || text.split_once(r"\problemname{").and_then(|(_, rest)| rest.split_once('}')).map(|(n, _)| n);
    plain.or_else(braced).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The files to put over submissions, by language.
pub(super) fn include(files: &Files) -> BTreeMap<String, Vec<NamedFile>> {
    let mut include: BTreeMap<String, Vec<NamedFile>> = BTreeMap::new();
    for (path, file) in files.under("include") {
        if let Some((language, path)) = path.split_once('/') {
            include.entry(language.to_owned()).or_default().push(NamedFile { path: path.to_owned(), file });
        }
    }
    include
}

/// Says which validators are missing, and which ask for what is not judged yet.
pub(super) fn check_validators(files: &Files, format: Format, default: bool, notes: &mut Notes) {
    if !["input_validators", "input_format_validators"].iter().any(|folder| files.has_folder(folder)) {
        notes.warn(Place::package(), WarningKind::NoInputValidator);
    }
    for folder in ["output_validator", "output_validators"] {
        if !files.has_folder(folder) {
            continue;
        }
        if default {
            notes.warn(Place::file(folder), WarningKind::UnusedValidator);
        } else if !notes.defects.iter().any(|defect| matches!(defect.kind, DefectKind::Unsupported(_))) {
            notes.defect(Place::file(folder), DefectKind::Unsupported(Feature::CustomValidator));
        }
    }
    if files.has_folder("static_validator") {
        if format.is_legacy() {
            notes.warn(Place::file("static_validator"), WarningKind::UnusedValidator);
        } else {
            notes.defect(Place::file("static_validator"), DefectKind::Unsupported(Feature::StaticValidator));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statement_names_are_taken_apart() {
        for (path, expected) in [
            ("problem.tex", Some(("en", Markup::Tex))),
            ("problem.ko.md", Some(("ko", Markup::Markdown))),
            ("problem.pt-BR.pdf", Some(("pt-BR", Markup::Pdf))),
            ("problem.en.html", None),
            ("problems.en.md", None),
            ("problem.a.b.md", None),
            ("figures/problem.pdf", None),
        ] {
            assert_eq!(statement_name(path), expected, "{path}");
        }
    }

    #[test]
    fn tex_statements_give_names() {
        assert_eq!(tex_name("\\problemname{A $+$ B}\ntext").as_deref(), Some("A $+$ B"));
        assert_eq!(tex_name("%% plainproblemname: A+B\n\\problemname{$A$}").as_deref(), Some("A+B"));
        assert_eq!(tex_name("\\problemname{}"), None);
    }
}
