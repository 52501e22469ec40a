//! The tests of a package, and what the folders that they stand in say about them.

use std::collections::{BTreeMap, BTreeSet};

use super::{load_text, load_yaml};
use crate::compare::Flags;
use crate::defect::{DefectKind, Place, WarningKind};
use crate::files::Files;
use crate::package::{Case, Constants, FileRef, Format, NamedFile, Recipe, Visibility};
use crate::yaml::{Map, Notes};

/// The largest hint or description.
const MAX_TEXT_BYTES: u64 = 64 << 10;

/// The files of group settings: the one of 2023-07 and before, and the one of 2025-09.
const GROUP_FILES: [&str; 2] = ["testdata.yaml", "test_group.yaml"];

/// Keys of group settings that only matter where points are given.
const SCORING_KEYS: [&str; 10] = [
    "accept_score",
    "grader_flags",
    "grading",
    "max_score",
    "range",
    "reject_score",
    "require_pass",
    "score_aggregation",
    "scoring",
    "static_validation_score",
];

/// Keys of settings that are for programs that are not run.
const UNUSED_KEYS: [&str; 7] = [
    "input_validator_args",
    "input_validator_flags",
    "input_visualizer_args",
    "on_reject",
    "output_visualizer_args",
    "static_validator_args",
    "static_validator_flags",
];

/// The files of one test by what comes after its name.
#[derive(Default)]
struct Parts {
    input: Option<FileRef>,
    answer: Option<FileRef>,
    settings: Option<FileRef>,
    hint: Option<FileRef>,
    description: Option<FileRef>,
    files: Vec<NamedFile>,
}

/// What a folder passes on to what stands in it.
#[derive(Clone)]
struct Settings {
    args: Vec<String>,
    flags: Vec<String>,
    full_feedback: bool,
    /// Where the flags stand, for a message about them.
    flags_at: Place,
}

/// Reads all tests: samples first, then the hidden ones, each in the order of their names.
pub(super) fn read(
    files: &Files,
    format: Format,
    global_flags: &[String],
    constants: &Constants,
    recipes: &[Recipe],
    notes: &mut Notes,
) -> Vec<Case> {
    let (parts, groups) = sort(files);
    check_groups(&groups, format, notes);
    let mut reader = Reader { files, format, global_flags, constants, notes, folders: BTreeMap::new() };
    let mut cases = Vec::new();
    let mut all_paired = true;
    for (name, parts) in parts {
        match (&parts.input, &parts.answer) {
            (Some(_), Some(_)) => cases.extend(reader.case(name, parts)),
            (Some(input), None) => {
                all_paired = false;
                reader
                    .notes
                    .defect(Place::file(&input.name), DefectKind::NoAnswer(format!("data/{name}.ans")));
            }
            (None, Some(answer)) => {
                all_paired = false;
                reader
                    .notes
                    .defect(Place::file(&answer.name), DefectKind::NoInput(format!("data/{name}.in")));
            }
            (None, None) if recipes.iter().any(|recipe| recipe.case == name) => {}
            (None, None) => {
                let spare = [
                    parts.settings,
                    parts.hint,
                    parts.description,
                    parts.files.into_iter().next().map(|f| f.file),
                ];
                for file in spare.into_iter().flatten() {
                    reader.notes.warn(Place::file(file.name), WarningKind::Orphan);
                }
            }
        }
    }
    reader.read_all_group_settings();
    cases.sort_by(|a, b| (a.visibility, &a.name).cmp(&(b.visibility, &b.name)));
    check_flags(&cases, &reader.folders, reader.notes);
    let is_hidden = |name: &str| !name.starts_with("sample/");
    let mut names =
        cases.iter().map(|case| case.name.as_str()).chain(recipes.iter().map(|r| r.case.as_str()));
    if cases.is_empty() && recipes.is_empty() {
        if all_paired {
            reader.notes.defect(Place::package(), DefectKind::NoTests);
        }
    } else if !names.any(is_hidden) {
        reader.notes.warn(Place::package(), WarningKind::SamplesOnly);
    }
    cases
}

/// Sorts the files under `data` by the test that they belong to. The set has each folder that holds tests.
fn sort(files: &Files) -> (BTreeMap<String, Parts>, BTreeSet<String>) {
    let mut all: BTreeMap<String, Parts> = BTreeMap::new();
    let mut groups = BTreeSet::new();
    for (path, file) in files.under("data") {
        let first = path.split('/').next().unwrap_or_default();
        // Data to try validators on, under the names that several tools use.
        if path.contains('/') && ["invalid_", "valid_"].iter().any(|start| first.starts_with(start)) {
            continue;
        }
        if let Some((name, inner)) = path.split_once(".files/") {
            let inner = NamedFile { path: inner.to_owned(), file };
            all.entry(name.to_owned()).or_default().files.push(inner);
            continue;
        }
        let is_group_file = GROUP_FILES.contains(&path.rsplit('/').next().unwrap_or_default());
        let Some((name, extension)) = path.rsplit_once('.').filter(|_| !is_group_file) else { continue };
        let parts = match extension {
            "in" | "ans" | "yaml" | "hint" | "desc" => all.entry(name.to_owned()).or_default(),
            _ => continue,
        };
        match extension {
            "in" | "ans" => {
                groups.insert(group_of(name).to_owned());
                *(if extension == "in" { &mut parts.input } else { &mut parts.answer }) = Some(file);
            }
            "yaml" => parts.settings = Some(file),
            "hint" => parts.hint = Some(file),
            _ => parts.description = Some(file),
        }
    }
    (all, groups)
}

fn group_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(group, _)| group)
}

/// Says which folders hold tests where the version has none.
fn check_groups(groups: &BTreeSet<String>, format: Format, notes: &mut Notes) {
    let mixed = groups.contains("secret") && groups.iter().any(|group| group.starts_with("secret/"));
    for group in groups {
        let first = group.split('/').next().unwrap_or_default();
        let nested = group.contains('/');
        let odd = match format {
            _ if !["sample", "secret"].contains(&first) => true,
            Format::Legacy => false,
            Format::LegacyIcpc => nested,
            Format::V2023 | Format::V2025 => (first == "sample" && nested) || (group == "secret" && mixed),
        };
        if odd {
            let folder = if group.is_empty() { "data".into() } else { format!("data/{group}") };
            notes.warn(Place::file(folder), WarningKind::OddTestFolder);
        }
    }
}

/// Says which flags the default validator does not have, once for each place where they stand.
fn check_flags(cases: &[Case], folders: &BTreeMap<String, Settings>, notes: &mut Notes) {
    let mut said = BTreeSet::new();
    for case in cases {
        if let Err(error) = Flags::parse(&case.validator_flags) {
            let inherited = folders.get(&case.group).filter(|folder| folder.flags == case.validator_flags);
            let own = format!("data/{}.yaml", case.name);
            let place = inherited.map_or_else(|| Place::file(own), |folder| folder.flags_at.clone());
            if said.insert(place.to_string()) {
                notes.defect(place, DefectKind::Flags(error));
            }
        }
    }
}

struct Reader<'a> {
    files: &'a Files,
    format: Format,
    global_flags: &'a [String],
    constants: &'a Constants,
    notes: &'a mut Notes,
    /// Settings by folder, so that each file is read once.
    folders: BTreeMap<String, Settings>,
}

impl Reader<'_> {
    /// `None` only where a defect says why.
    fn case(&mut self, name: String, parts: Parts) -> Option<Case> {
        let group = group_of(&name).to_owned();
        let mut settings = self.folder(&group);
        let (mut hint, mut description) = (None, None);
        if let Some(file) = parts.settings
            && !self.format.is_legacy()
            && let Some(node) = load_yaml(self.files, &file.name, self.constants, self.notes)
        {
            let mut map = Map::open(&file.name, "", &node, self.notes);
            settings = self.inherit(&mut map, settings);
            hint = map.string("hint", self.notes);
            description = map.string("description", self.notes);
            map.skip(&UNUSED_KEYS);
            map.finish(self.notes);
        }
        let mut text = |file: Option<FileRef>| load_text(self.files, &file?.name, MAX_TEXT_BYTES, self.notes);
        Some(Case {
            visibility: if group == "sample" || group.starts_with("sample/") {
                Visibility::Sample
            } else {
                Visibility::Hidden
            },
            group,
            input: parts.input?,
            answer: parts.answer?,
            args: settings.args,
            files: parts.files,
            hint: hint.or_else(|| text(parts.hint)),
            description: description.or_else(|| text(parts.description)),
            full_feedback: settings.full_feedback,
            validator_flags: settings.flags,
            name,
        })
    }

    /// The settings that hold in a folder under `data`.
    fn folder(&mut self, group: &str) -> Settings {
        if let Some(settings) = self.folders.get(group) {
            return settings.clone();
        }
        let inherited = if group.is_empty() {
            Settings {
                args: Vec::new(),
                flags: self.global_flags.to_vec(),
                full_feedback: false,
                flags_at: Place::file(super::problem_yaml::FILE),
            }
        } else {
            let above = self.folder(group_of(group));
            Settings { full_feedback: above.full_feedback || group == "sample", ..above }
        };
        let settings = self.group_settings(group, inherited);
        self.folders.insert(group.to_owned(), settings.clone());
        settings
    }

    fn group_settings(&mut self, group: &str, mut settings: Settings) -> Settings {
        for file in GROUP_FILES {
            let name = if group.is_empty() { format!("data/{file}") } else { format!("data/{group}/{file}") };
            if self.files.get(&name).is_none() {
                continue;
            }
            if !self.has_place_for(file, group) {
                self.notes.warn(Place::file(&name), WarningKind::OddGroupSettings);
            }
            let Some(node) = load_yaml(self.files, &name, self.constants, self.notes) else { continue };
            let mut map = Map::open(&name, "", &node, self.notes);
            settings = self.inherit(&mut map, settings);
            map.scoring(&SCORING_KEYS, self.notes);
            map.skip(&UNUSED_KEYS);
            map.finish(self.notes);
        }
        settings
    }

    /// Whether the version has a file of group settings in a folder.
    fn has_place_for(&self, file: &str, group: &str) -> bool {
        let legacy_file = file == GROUP_FILES[0];
        match self.format {
            Format::Legacy | Format::LegacyIcpc => legacy_file,
            Format::V2023 if legacy_file => true,
            Format::V2023 | Format::V2025 => {
                !legacy_file
                    && matches!(
                        group.split('/').collect::<Vec<_>>()[..],
                        ["sample" | "secret"] | ["secret", _]
                    )
            }
        }
    }

    fn inherit(&mut self, map: &mut Map<'_>, above: Settings) -> Settings {
        let mut settings = above;
        if let Some(args) = map.strings("args", self.notes) {
            settings.args = args;
        }
        if let Some(full) = map.boolean("full_feedback", self.notes) {
            settings.full_feedback = full;
        }
        for key in ["output_validator_flags", "output_validator_args"] {
            let place = map.place(key);
            if let Some(flags) = map.strings(key, self.notes) {
                // The flags of problem.yaml hold for all tests; those of a group replace those of the group above.
                settings.flags = self.global_flags.iter().cloned().chain(flags).collect();
                settings.flags_at = place;
            }
        }
        settings
    }

    /// Reads the settings of folders in which no test stands, so that what is wrong in them is said too.
    fn read_all_group_settings(&mut self) {
        let folders: Vec<_> = self
            .files
            .under("data")
            .filter(|(path, _)| ["sample", "secret"].contains(&path.split('/').next().unwrap_or_default()))
            .filter(|(path, _)| GROUP_FILES.contains(&path.rsplit('/').next().unwrap_or_default()))
            .map(|(path, _)| group_of(path).to_owned())
            .collect();
        for folder in folders {
            self.folder(&folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_folders_depend_on_the_version() {
        for (groups, format, odd) in [
            (&["sample", "secret", "secret/a", "secret/a/b", "sample/a"][..], Format::Legacy, &[][..]),
            (&["sample", "secret/a"], Format::LegacyIcpc, &["data/secret/a"]),
            (&["sample", "secret/a", "secret/a/b"], Format::V2025, &[]),
            (&["sample/a", "secret"], Format::V2025, &["data/sample/a"]),
            (&["secret", "secret/a"], Format::V2025, &["data/secret"]),
            (&["", "extra", "secret"], Format::Legacy, &["data", "data/extra"]),
        ] {
            let mut notes = Notes::default();
            check_groups(&groups.iter().map(|group| (*group).to_owned()).collect(), format, &mut notes);
            let found: Vec<_> = notes.warnings.iter().map(|warning| warning.at.file.as_str()).collect();
            assert_eq!(found, odd, "{groups:?} {format:?}");
        }
    }
}
