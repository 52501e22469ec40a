//! Reading a package: what can be judged is read with warnings, and all that makes it impossible is said at once.

mod data;
mod parts;
mod problem_yaml;
mod settings;
mod submissions;

use std::path::Path;

use crate::defect::{Defect, DefectKind, Place, Warning, WarningKind};
use crate::files::{Bounds, Files};
use crate::package::{Constants, Package};
use crate::slug;
use crate::yaml::{self, MAX_YAML_BYTES, Node, Notes};

/// A package that was read, with its files at hand.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The problem.
    pub package: Package,
    /// The files that it speaks of.
    pub files: Files,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
}

/// Reads a package from a folder, a `.zip` or a `.kpp`.
pub fn read(source: &Path) -> Result<(Package, Vec<Warning>), Vec<Defect>> {
    open(source).map(|opened| (opened.package, opened.warnings))
}

/// Reads a package from a folder, a `.zip` or a `.kpp`, and keeps its files at hand. This is also how a judge opens
/// one that was packed.
pub fn open(source: &Path) -> Result<Opened, Vec<Defect>> {
    open_within(source, &Bounds::default())
}

/// Reads a package from a zip in memory. Its slug is made from `name`, unless the zip has a top folder.
pub fn open_bytes(name: &str, bytes: Vec<u8>) -> Result<Opened, Vec<Defect>> {
    let mut notes = Notes::default();
    let files = Files::open_bytes(name, bytes, &Bounds::default(), &mut notes);
    finish(files, notes)
}

pub(crate) fn open_within(source: &Path, bounds: &Bounds) -> Result<Opened, Vec<Defect>> {
    let mut notes = Notes::default();
    let files = Files::open(source, bounds, &mut notes);
    finish(files, notes)
}

/// Reads what the files say, unless something is wrong with them.
pub(crate) fn finish(files: Option<Files>, mut notes: Notes) -> Result<Opened, Vec<Defect>> {
    let read = files.and_then(|files| package(&files, &mut notes).map(|package| (package, files)));
    match read {
        Some((package, files)) if notes.defects.is_empty() => {
            Ok(Opened { package, files, warnings: notes.warnings })
        }
        _ => Err(notes.defects),
    }
}

/// `None` only where a defect says why.
fn package(files: &Files, notes: &mut Notes) -> Option<Package> {
    let name = files.package_name();
    let slug = slug::from_name(name);
    if slug != name {
        let name = name.to_owned();
        notes.warn(Place::package(), WarningKind::MappedSlug { name, slug: slug.clone() });
    }
    if files.get(problem_yaml::FILE).is_none() {
        notes.defect(Place::package(), DefectKind::NoProblemYaml);
        return None;
    }
    let node = load_yaml(files, problem_yaml::FILE, &Constants::default(), notes)?;
    let head = problem_yaml::read(&node, notes)?;
    let limits = problem_yaml::with_time_limit_file(head.limits, files, notes);
    problem_yaml::refuse_what_no_judge_has(&limits, notes);
    let statements = parts::statements(files, head.format, notes);
    let names = if head.names.is_empty() {
        parts::names_from_statements(files, &statements, &slug, notes)
    } else {
        head.names
    };
    parts::check_validators(files, head.format, head.default_validation, notes);
    let settings::Settings { generate, feedback } = settings::read(files, notes);
    let cases = data::read(files, head.format, &head.validator_flags, &head.constants, &generate, notes);
    let submissions = submissions::read(files, head.format, notes);
    Some(Package {
        slug,
        names,
        format: head.format,
        uuid: head.uuid,
        limits,
        license: head.license,
        author: head.author,
        rights_owner: head.rights_owner,
        sources: head.sources,
        keywords: head.keywords,
        languages: head.languages,
        allow_file_writing: head.allow_file_writing,
        constants: head.constants,
        statements,
        include: parts::include(files),
        attachments: parts::named(files, "attachments"),
        cases,
        submissions,
        generate,
        feedback,
    })
}

/// Reads a YAML file. `None` only where a defect says why, or where there is no such file.
fn load_yaml(files: &Files, name: &str, constants: &Constants, notes: &mut Notes) -> Option<Node> {
    let text = constants.substitute(load_text(files, name, MAX_YAML_BYTES, notes)?.into_bytes());
    match yaml::parse(&String::from_utf8_lossy(&text)) {
        Ok(node) => Some(node),
        Err(error) => {
            notes.defect(Place::line(name, error.line), DefectKind::Yaml(error.message));
            None
        }
    }
}

/// Reads a text file. `None` only where a defect says why, or where there is no such file.
fn load_text(files: &Files, name: &str, most: u64, notes: &mut Notes) -> Option<String> {
    let file = files.get(name)?;
    if file.size > most {
        let bound = format!("{most} bytes");
        notes.defect(Place::file(name), DefectKind::TooLarge { what: "its size", bound });
        return None;
    }
    match files.read(name).map(String::from_utf8) {
        Ok(Ok(text)) => Some(text),
        Ok(Err(error)) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            notes.defect(Place::line(name, line), DefectKind::NotUtf8);
            None
        }
        Err(error) => {
            notes.defect(Place::file(name), DefectKind::Unreadable(error.to_string()));
            None
        }
    }
}

#[cfg(test)]
mod tests;
