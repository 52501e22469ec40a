//! What a new version of a problem changes against the one that judges now: case by case, part by part.

use std::collections::{BTreeMap, BTreeSet};

use codementor_problems::files::{Files, ReadError};
use codementor_problems::package::{Case, FileRef, Visibility};
use codementor_problems::read::Opened;
use codementor_protocol::{CaseChanges, PackageChange, PackagePart, Slug};
use rusqlite::{Connection, params};

use super::limits;
use crate::store::StoreResult;

/// The parts that folders and files in the root of a package are.
const PARTS: &[(&str, PackagePart)] = &[
    ("statement", PackagePart::Statement),
    ("problem_statement", PackagePart::Statement),
    ("problem.pdf", PackagePart::Statement),
    ("output_validator", PackagePart::Validator),
    ("output_validators", PackagePart::Validator),
    ("graders", PackagePart::Validator),
    ("include", PackagePart::Include),
    ("attachments", PackagePart::Attachments),
    ("submissions", PackagePart::Submissions),
];

/// Compares two versions. What the change reaches is left for the caller to fill in.
pub(super) fn compare(before: &Opened, after: &Opened) -> Result<PackageChange, ReadError> {
    let (old, new) = (&before.package, &after.package);
    let same = Sameness { before: &before.files, after: &after.files };
    let mut parts = BTreeSet::new();
    let mut note = |part, differs: bool| {
        if differs {
            parts.insert(part);
        }
    };
    note(PackagePart::Title, old.names != new.names);
    note(PackagePart::Languages, old.languages != new.languages);
    note(PackagePart::CodeSize, old.limits.code_kib != new.limits.code_kib);
    note(PackagePart::Feedback, old.feedback != new.feedback);
    // A constant stands for a text in statements, included files and programs alike.
    note(PackagePart::Include, old.constants != new.constants);
    let mut change = PackageChange { measured: new.limits.time_limit.is_none(), ..PackageChange::default() };
    let (was, is) = (by_name(&old.cases), by_name(&new.cases));
    for (name, case) in &was {
        let list = list_of(&mut change, case);
        match is.get(name) {
            None => list.removed.push(name),
            Some(other) => {
                if case.visibility != other.visibility || !same.case(case, other)? {
                    list.changed.push(name);
                }
                note(PackagePart::Validator, case.validator_flags != other.validator_flags);
            }
        }
    }
    for (name, case) in is.iter().filter(|(name, _)| !was.contains_key(*name)) {
        list_of(&mut change, case).added.push(name);
    }
    for name in same.differing()? {
        let root = name.split('/').next().unwrap_or_default();
        let known = PARTS.iter().find(|(folder, _)| *folder == root).map(|(_, part)| *part);
        match known {
            Some(part) => note(part, true),
            // Looked at above, as far as it matters: case by case, and setting by setting.
            None if root == "data" || name == ".timelimit" => {}
            None if name == "problem.yaml" || name == "codementor.toml" => {}
            None => note(PackagePart::Other, true),
        }
    }
    let (was, is) = (limits(old), limits(new));
    change.limits = (was != is).then_some((was, is));
    if parts.is_empty() && change.limits.is_none() && change.samples.is_empty() && change.hidden.is_empty() {
        parts.insert(PackagePart::Other);
    }
    change.parts = parts.into_iter().collect();
    Ok(change)
}

/// Everything of a package, as what a new problem brings.
pub(super) fn all_new(after: &Opened) -> PackageChange {
    let measured = after.package.limits.time_limit.is_none();
    let mut change = PackageChange { measured, ..PackageChange::default() };
    for case in &after.package.cases {
        list_of(&mut change, case).added.push(&case.name);
    }
    change
}

/// How many submissions to a problem, by course, another version than this one has judged.
pub(super) fn judged_otherwise(
    db: &Connection,
    problem: &Slug,
    package: &str,
) -> StoreResult<Vec<(Option<String>, u64)>> {
    let mut statement = db.prepare_cached(
        "SELECT course, count(*) FROM submissions
         WHERE problem = ?1 AND package <> ?2 AND purpose = 'submission' AND verdict IS NOT NULL GROUP BY course",
    )?;
    let rows =
        statement.query_map(params![problem.as_str(), package], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn by_name(cases: &[Case]) -> BTreeMap<&str, &Case> {
    cases.iter().map(|case| (case.name.as_str(), case)).collect()
}

fn list_of<'a>(change: &'a mut PackageChange, case: &Case) -> &'a mut CaseChanges {
    match case.visibility {
        Visibility::Sample => &mut change.samples,
        Visibility::Hidden => &mut change.hidden,
    }
}

/// Tells whether files of two packages are the same.
struct Sameness<'a> {
    before: &'a Files,
    after: &'a Files,
}

impl Sameness<'_> {
    fn file(&self, one: &FileRef, other: &FileRef) -> Result<bool, ReadError> {
        // Most that differ differ in size, and need not be unpacked.
        Ok(one.size == other.size && self.before.hash(&one.name)? == self.after.hash(&other.name)?)
    }

    fn case(&self, one: &Case, other: &Case) -> Result<bool, ReadError> {
        let named = |case: &Case| case.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        if one.args != other.args || named(one) != named(other) {
            return Ok(false);
        }
        for (one, other) in one.files.iter().zip(&other.files) {
            if !self.file(&one.file, &other.file)? {
                return Ok(false);
            }
        }
        Ok(self.file(&one.input, &other.input)? && self.file(&one.answer, &other.answer)?)
    }

    /// The names, outside of `data`, of the files that only one has, or that differ.
    fn differing(&self) -> Result<BTreeSet<String>, ReadError> {
        let outside = |file: &FileRef| !file.name.starts_with("data/");
        let mut names = BTreeSet::new();
        for file in self.before.iter().filter(outside) {
            match self.after.get(&file.name) {
                Some(other) if self.file(&file, &other)? => {}
                _ => drop(names.insert(file.name)),
            }
        }
        for file in self.after.iter().filter(outside) {
            if self.before.get(&file.name).is_none() {
                names.insert(file.name);
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use codementor_problems::read;

    use super::*;

    const BASE: &[(&str, &str)] = &[
        ("problem.yaml", "problem_format_version: legacy\nname: Sum\nlimits:\n    memory: 64\n"),
        (".timelimit", "2\n"),
        ("problem_statement/problem.en.tex", "\\problemname{Sum}\nAdd.\n"),
        ("data/sample/1.in", "1 2\n"),
        ("data/sample/1.ans", "3\n"),
        ("data/secret/1.in", "3 4\n"),
        ("data/secret/1.ans", "7\n"),
        ("submissions/accepted/sum.py", "print(sum(map(int, input().split())))\n"),
    ];

    /// Files by their names, and their texts; without one the file is taken away.
    type Edits<'a> = &'a [(&'a str, Option<&'a str>)];

    /// The base with files replaced, added, or taken away where the text is `None`.
    fn package(root: &Path, files: Edits<'_>) -> Opened {
        let root = root.join("sum");
        let mut all: BTreeMap<&str, &str> = BASE.iter().copied().collect();
        for (name, text) in files {
            match text {
                Some(text) => drop(all.insert(name, text)),
                None => drop(all.remove(name)),
            }
        }
        for (name, text) in all {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
            std::fs::write(path, text).expect("is written");
        }
        read::open(&root).expect("can be judged")
    }

    fn told(files: Edits<'_>) -> String {
        let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let change = compare(&package(one.path(), &[]), &package(other.path(), files)).expect("is compared");
        let mut told: Vec<String> = change.parts.iter().map(|part| part.words().to_owned()).collect();
        if let Some((before, after)) = change.limits {
            told.push(format!("limits {} {}", before.time_ms, after.time_ms));
        }
        for (what, list) in [("sample", &change.samples), ("hidden", &change.hidden)] {
            for (how, names) in [("+", &list.added), ("-", &list.removed), ("~", &list.changed)] {
                told.extend(names.first.iter().map(|name| format!("{what} {how}{name}")));
            }
        }
        told.push(if change.judges_otherwise() { "judges".into() } else { "does not judge".into() });
        told.join(", ")
    }

    #[test]
    fn what_differs_is_the_table() {
        #[rustfmt::skip]
        let table: &[(Edits<'_>, &str)] = &[
            (&[],                                                          "other files, does not judge"),
            (&[("problem_statement/problem.en.tex", Some("\\problemname{Sum}\nAdd them.\n"))], "statement, does not judge"),
            (&[("data/secret/1.ans", Some("8\n"))],                        "hidden ~secret/1, judges"),
            (&[("data/sample/1.in", Some("1  2\n"))],                      "sample ~sample/1, judges"),
            (&[("data/secret/2.in", Some("1 1\n")), ("data/secret/2.ans", Some("2\n"))], "hidden +secret/2, judges"),
            (&[("data/secret/1.in", None), ("data/secret/1.ans", None), ("data/secret/0.in", Some("")), ("data/secret/0.ans", Some(""))],
                                                                           "hidden +secret/0, hidden -secret/1, judges"),
            (&[(".timelimit", Some("1\n"))],                               "limits 2000 1000, judges"),
            (&[("include/python3/lib.py", Some("x = 1\n"))],               "included files, judges"),
            (&[("codementor.toml", Some("[feedback]\npolicy = \"off\"\n"))], "feedback policy, does not judge"),
            (&[("problem.yaml", Some("problem_format_version: legacy\nname: Total\nlimits:\n    memory: 64\n"))],
                                                                           "title, does not judge"),
            (&[("problem.yaml", Some("problem_format_version: legacy\nname: Sum\nlimits:\n    memory: 64\nvalidator_flags: case_sensitive\n"))],
                                                                           "validator, judges"),
            (&[("submissions/accepted/other.py", Some("print(3)\n"))],     "own submissions, does not judge"),
        ];
        for (files, expected) in table {
            assert_eq!(told(files), *expected, "{files:?}");
        }
    }
}
