//! problem.yaml, in every version.

use std::collections::BTreeMap;

use super::load_text;
use crate::defect::{DefectKind, Feature, Place, WarningKind};
use crate::files::Files;
use crate::package::{Constants, Format, Limits, Source};
use crate::yaml::{Map, Node, Notes, Value};

/// The file.
pub(super) const FILE: &str = "problem.yaml";
/// The most of these that a package may ask for.
const MOST_SECONDS: f64 = 3600.0;
const MOST_MEMORY: f64 = 65_536.0;
const MOST_OUTPUT: f64 = 4096.0;

/// Where DOMjudge and Kattis keep a time limit.
const TIME_LIMIT_FILE: &str = ".timelimit";

const LICENSES: [&str; 7] =
    ["unknown", "public domain", "cc0", "cc by", "cc by-sa", "educational", "permission"];

/// What problem.yaml says.
pub(super) struct Head {
    pub(super) format: Format,
    pub(super) names: BTreeMap<String, String>,
    pub(super) uuid: Option<String>,
    pub(super) limits: Limits,
    pub(super) license: String,
    pub(super) author: Option<String>,
    pub(super) rights_owner: Option<String>,
    pub(super) sources: Vec<Source>,
    pub(super) keywords: Vec<String>,
    pub(super) languages: Option<Vec<String>>,
    pub(super) allow_file_writing: bool,
    pub(super) constants: Constants,
    pub(super) validator_flags: Vec<String>,
    /// Whether the default validator was asked for by name.
    pub(super) default_validation: bool,
}

/// Reads problem.yaml. `None` if its version is not known, since nothing else can be said then.
pub(super) fn read(node: &Node, notes: &mut Notes) -> Option<Head> {
    let mut map = Map::open(FILE, "", node, notes);
    let format = format(&mut map, notes)?;
    types(&mut map, notes);
    let default_validation = validation(&mut map, format, notes);
    for key in ["author", "source_url", "validator_flags", "grading"] {
        if !format.is_legacy() {
            map.foreign(key, notes);
        }
    }
    for key in ["languages", "constants", "allow_file_writing"] {
        if format.is_legacy() {
            map.foreign(key, notes);
        }
    }
    map.skip(&["grading", "version", "credits", "embargo_until", "libraries"]);
    let names = names(&mut map, notes);
    if format == Format::V2025 && !map.has("uuid") {
        notes.warn(Place::file(FILE), WarningKind::MissingKey { key: "uuid", used: "none".into() });
    }
    let uuid = map.string("uuid", notes);
    let limits = limits(&mut map, format, notes);
    let license = license(&mut map, notes);
    let source_url = map.string("source_url", notes);
    let head = Head {
        format,
        names,
        uuid,
        limits,
        license,
        author: map.string("author", notes),
        rights_owner: map.string("rights_owner", notes),
        sources: sources(&mut map, source_url, notes),
        keywords: map.strings("keywords", notes).unwrap_or_default(),
        languages: map.strings("languages", notes).filter(|list| *list != ["all"]),
        allow_file_writing: file_writing(&mut map, notes),
        constants: constants(&mut map, notes),
        validator_flags: map.strings("validator_flags", notes).unwrap_or_default(),
        default_validation,
    };
    map.finish(notes);
    Some(head)
}

/// Puts the time limit of `.timelimit` in, unless problem.yaml states one.
pub(super) fn with_time_limit_file(mut limits: Limits, files: &Files, notes: &mut Notes) -> Limits {
    let Some(text) = load_text(files, TIME_LIMIT_FILE, 1024, notes) else { return limits };
    let text = text.trim();
    match (text.parse::<f64>(), limits.time_limit) {
        (Ok(seconds), None) if seconds.is_finite() && seconds > 0.0 => limits.time_limit = Some(seconds),
        (Ok(seconds), Some(used)) if seconds.is_finite() && seconds > 0.0 => {
            if seconds != used {
                let kind = WarningKind::TwoTimeLimits { other: text.to_owned(), used: used.to_string() };
                notes.warn(Place::file(TIME_LIMIT_FILE), kind);
            }
        }
        _ => {
            let (key, found) = ("the time limit".into(), format!("'{text}'"));
            let expected = "a number of seconds above 0".into();
            notes.defect(Place::line(TIME_LIMIT_FILE, 1), DefectKind::BadValue { key, found, expected });
        }
    }
    limits
}

/// Limits that no program could ever reach on a machine that judges.
pub(super) fn refuse_what_no_judge_has(limits: &Limits, notes: &mut Notes) {
    let table = [
        ("limits.time_limit", limits.time_limit.unwrap_or(0.0), MOST_SECONDS, "s"),
        ("limits.compilation_time", limits.compilation_seconds, MOST_SECONDS, "s"),
        ("limits.memory", limits.memory_mib as f64, MOST_MEMORY, "MiB"),
        ("limits.compilation_memory", limits.compilation_memory_mib as f64, MOST_MEMORY, "MiB"),
        ("limits.output", limits.output_mib as f64, MOST_OUTPUT, "MiB"),
    ];
    for (key, found, most, unit) in table {
        if found > most {
            let (found, expected) = (found.to_string(), format!("at most {most} {unit}"));
            notes.defect(Place::file(FILE), DefectKind::BadValue { key: key.into(), found, expected });
        }
    }
}

fn file_writing(map: &mut Map<'_>, notes: &mut Notes) -> bool {
    let place = map.place("allow_file_writing");
    let allowed = map.boolean("allow_file_writing", notes).unwrap_or(false);
    if allowed {
        notes.warn(place, WarningKind::FileWriting);
    }
    allowed
}

fn format(map: &mut Map<'_>, notes: &mut Notes) -> Option<Format> {
    let key = "problem_format_version";
    if !map.has(key) {
        return Some(Format::Legacy);
    }
    let place = map.place(key);
    let before = notes.defects.len();
    let Some(version) = map.string(key, notes) else {
        return (notes.defects.len() == before).then_some(Format::Legacy);
    };
    match version.as_str() {
        "legacy" => Some(Format::Legacy),
        "legacy-icpc" => Some(Format::LegacyIcpc),
        "2023-07" | "2023-07-draft" => Some(Format::V2023),
        "2025-09" => Some(Format::V2025),
        _ => {
            notes.defect(place, DefectKind::UnknownFormat(version));
            None
        }
    }
}

fn types(map: &mut Map<'_>, notes: &mut Notes) {
    let place = map.place("type");
    for name in map.strings("type", notes).unwrap_or_default() {
        let feature = match name.as_str() {
            "pass-fail" => continue,
            "scoring" => Feature::Scoring,
            "interactive" => Feature::Interactive,
            "multi-pass" => Feature::MultiPass,
            "submit-answer" => Feature::SubmitAnswer,
            _ => {
                let (key, found) = ("type".into(), format!("'{name}'"));
                let expected = "pass-fail, scoring, interactive, multi-pass or submit-answer".into();
                notes.defect(place.clone(), DefectKind::BadValue { key, found, expected });
                continue;
            }
        };
        notes.defect(place.clone(), DefectKind::Unsupported(feature));
    }
}

/// Whether the default validator is asked for by name.
fn validation(map: &mut Map<'_>, format: Format, notes: &mut Notes) -> bool {
    if !format.is_legacy() {
        map.foreign("validation", notes);
    }
    let place = map.place("validation");
    let Some(words) = map.strings("validation", notes) else { return format.is_legacy() };
    match words.first().map(String::as_str) {
        Some("default") if words.len() == 1 => true,
        Some("custom") => {
            let mut features: Vec<_> = words[1..]
                .iter()
                .filter_map(|word| match word.as_str() {
                    "score" => Some(Feature::Scoring),
                    "interactive" => Some(Feature::Interactive),
                    "multi-pass" => Some(Feature::MultiPass),
                    _ => None,
                })
                .collect();
            if features.is_empty() {
                features.push(Feature::CustomValidator);
            }
            for feature in features {
                notes.defect(place.clone(), DefectKind::Unsupported(feature));
            }
            false
        }
        _ => {
            let (key, found) = ("validation".into(), format!("'{}'", words.join(" ")));
            let expected = "default, or custom with score, interactive or multi-pass".into();
            notes.defect(place, DefectKind::BadValue { key, found, expected });
            false
        }
    }
}

fn names(map: &mut Map<'_>, notes: &mut Notes) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    if let Some(node) = map.take("name", notes) {
        match &node.value {
            Value::Text(name) => {
                names.insert("en".into(), name.clone());
            }
            Value::Map(_) => {
                let mut by_language = Map::open(FILE, "name", node, notes);
                for language in by_language.keys() {
                    if let Some(name) = by_language.string(language, notes) {
                        names.insert(language.to_owned(), name);
                    }
                }
            }
            _ => {
                map.bad::<()>("name", node, "a text, or a map of language codes to texts", notes);
            }
        }
    }
    names.retain(|_, name| !name.trim().is_empty());
    names
}

fn limits(map: &mut Map<'_>, format: Format, notes: &mut Notes) -> Limits {
    let mut limits = Limits::default_for(format);
    let Some(node) = map.take("limits", notes) else { return limits };
    let mut map = Map::open(FILE, "limits", node, notes);
    for key in if format.is_legacy() {
        &["time_limit", "time_resolution", "time_multipliers"][..]
    } else {
        &["time_multiplier", "time_safety_margin"]
    } {
        map.foreign(key, notes);
    }
    limits.time_limit = map.positive("time_limit", notes);
    let numbers = [
        ("time_resolution", &mut limits.time_resolution),
        ("time_multiplier", &mut limits.ac_to_time_limit),
        ("time_safety_margin", &mut limits.time_limit_to_tle),
        ("compilation_time", &mut limits.compilation_seconds),
        ("validation_time", &mut limits.validation_seconds),
    ];
    for (key, limit) in numbers {
        *limit = map.positive(key, notes).unwrap_or(*limit);
    }
    let wholes = [
        ("memory", &mut limits.memory_mib),
        ("output", &mut limits.output_mib),
        ("code", &mut limits.code_kib),
        ("compilation_memory", &mut limits.compilation_memory_mib),
        ("validation_memory", &mut limits.validation_memory_mib),
        ("validation_output", &mut limits.validation_output_mib),
    ];
    for (key, limit) in wholes {
        *limit = map.whole(key, notes).unwrap_or(*limit);
    }
    map.skip(&["validation_passes"]);
    if let Some(node) = map.take("time_multipliers", notes) {
        let mut multipliers = Map::open(FILE, "limits.time_multipliers", node, notes);
        for (key, limit) in [
            ("ac_to_time_limit", &mut limits.ac_to_time_limit),
            ("time_limit_to_tle", &mut limits.time_limit_to_tle),
        ] {
            *limit = multipliers.positive(key, notes).unwrap_or(*limit);
        }
        multipliers.finish(notes);
    }
    map.finish(notes);
    limits
}

fn license(map: &mut Map<'_>, notes: &mut Notes) -> String {
    let place = map.place("license");
    let Some(license) = map.string("license", notes) else { return "unknown".into() };
    if !LICENSES.contains(&license.to_ascii_lowercase().as_str()) {
        let kind = WarningKind::OddValue {
            key: "license".into(),
            found: format!("'{license}'"),
            expected: format!("one of {}", LICENSES.join(", ")),
            then: "it is kept as it is".into(),
        };
        notes.warn(place, kind);
    }
    license
}

fn sources(map: &mut Map<'_>, legacy_url: Option<String>, notes: &mut Notes) -> Vec<Source> {
    let Some(node) = map.take("source", notes) else { return Vec::new() };
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut sources = Vec::new();
    for item in items {
        match &item.value {
            Value::Text(name) => sources.push(Source { name: name.clone(), url: legacy_url.clone() }),
            Value::Map(_) => {
                let mut map = Map::open(FILE, "source", item, notes);
                let (name, url) = (map.string("name", notes), map.string("url", notes));
                map.finish(notes);
                sources.extend(name.map(|name| Source { name, url }));
            }
            _ => {
                map.bad::<()>("source", item, "a text, or a map with name and url", notes);
            }
        }
    }
    sources
}

fn constants(map: &mut Map<'_>, notes: &mut Notes) -> Constants {
    let mut constants = BTreeMap::new();
    if let Some(node) = map.take("constants", notes) {
        let mut map = Map::open(FILE, "constants", node, notes);
        for name in map.keys() {
            let Some(node) = map.take(name, notes) else { continue };
            match &node.value {
                Value::Text(value) => {
                    constants.insert(name.to_owned(), value.clone());
                }
                Value::Map(_) => {
                    let mut variants = Map::open(FILE, &format!("constants.{name}"), node, notes);
                    for variant in variants.keys() {
                        if let Some(value) = variants.string(variant, notes) {
                            let full = if variant == "value" {
                                name.to_owned()
                            } else {
                                format!("{name}.{variant}")
                            };
                            constants.insert(full, value);
                        }
                    }
                }
                _ => {
                    map.bad::<()>(name, node, "a number, a text, or a map with value", notes);
                }
            }
        }
    }
    Constants(constants)
}
