//! codementor.toml: what the package format has no key for. Cases to generate and the rules of feedback are read here;
//! who reads the other tables is not this crate's concern.

use codementor_protocol::FeedbackPolicy;

use super::load_text;
use crate::defect::{DefectKind, Place, WarningKind};
use crate::files::Files;
use crate::names::{self, Name};
use crate::package::{FeedbackRules, MAX_FEEDBACK_STEPS, Recipe};
use crate::yaml::{MAX_YAML_BYTES, Notes};

/// The file.
const FILE: &str = "codementor.toml";

/// What the file says.
#[derive(Default)]
pub(super) struct Settings {
    /// The recipes of cases that are not there yet.
    pub(super) generate: Vec<Recipe>,
    /// The rules of feedback.
    pub(super) feedback: FeedbackRules,
}

/// Reads the file, if there is one.
pub(super) fn read(files: &Files, notes: &mut Notes) -> Settings {
    let Some(text) = load_text(files, FILE, MAX_YAML_BYTES, notes) else { return Settings::default() };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            notes.defect(Place::line(FILE, line), DefectKind::Toml(error.message().to_owned()));
            return Settings::default();
        }
    };
    let mut recipes = Vec::new();
    let mut feedback = FeedbackRules::default();
    for (key, value) in &table {
        match (key.as_str(), value) {
            ("generate", toml::Value::Array(items)) => {
                recipes = items.iter().filter_map(|item| recipe(item, notes)).collect();
            }
            ("generate", _) => {
                bad::<()>("generate", value, "a list of tables, each begun by [[generate]]", notes);
            }
            ("feedback", toml::Value::Table(table)) => feedback = feedback_rules(table, notes),
            ("feedback", _) => {
                bad::<()>("feedback", value, "a table, begun by [feedback]", notes);
            }
            ("parameter", _) => {}
            _ => notes.warn(Place::file(FILE), WarningKind::UnknownKey(key.clone())),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for recipe in &recipes {
        if !seen.insert(&recipe.case) {
            notes.defect(Place::file(FILE), DefectKind::GeneratedTwice(recipe.case.clone()));
        }
        for (role, name) in [("generator", &recipe.generator), ("solution", &recipe.solution)] {
            if files.get(name).is_none() && !files.has_folder(name) {
                notes.defect(Place::file(FILE), DefectKind::NoProgram { role, name: name.clone() });
            }
        }
    }
    // A case that is there was generated when the package was built.
    recipes.retain(|recipe| {
        !["in", "ans"].iter().all(|end| files.get(&format!("data/{}.{end}", recipe.case)).is_some())
    });
    Settings { generate: recipes, feedback }
}

/// A value that cannot be read is a defect, since whatever took its place might show more than its author allows.
fn feedback_rules(table: &toml::Table, notes: &mut Notes) -> FeedbackRules {
    let mut rules = FeedbackRules::default();
    for (key, value) in table {
        let place = format!("feedback.{key}");
        match key.as_str() {
            "policy" => {
                let policies = [FeedbackPolicy::Off, FeedbackPolicy::Hints, FeedbackPolicy::Full];
                rules.policy = policies
                    .into_iter()
                    .find(|policy| value.as_str() == Some(policy.token()))
                    .or_else(|| bad(&place, value, "\"off\", \"hints\" or \"full\"", notes));
            }
            "steps" => {
                rules.steps = value
                    .as_integer()
                    .and_then(|steps| u32::try_from(steps).ok())
                    .filter(|steps| (1..=MAX_FEEDBACK_STEPS).contains(steps))
                    .or_else(|| {
                        bad(&place, value, &format!("a number from 1 to {MAX_FEEDBACK_STEPS}"), notes)
                    });
            }
            "hold" => rules.hold = truth(&place, value, notes),
            "comment" => rules.comment = truth(&place, value, notes),
            _ => notes.warn(Place::file(FILE), WarningKind::UnknownKey(place)),
        }
    }
    rules
}

fn truth(key: &str, value: &toml::Value, notes: &mut Notes) -> Option<bool> {
    value.as_bool().or_else(|| bad(key, value, "true or false", notes))
}

fn recipe(item: &toml::Value, notes: &mut Notes) -> Option<Recipe> {
    let Some(table) = item.as_table() else { return bad("generate", item, "a table", notes) };
    for key in table.keys().filter(|key| !["case", "generator", "args", "solution"].contains(&key.as_str())) {
        notes.warn(Place::file(FILE), WarningKind::UnknownKey(format!("generate.{key}")));
    }
    let missing = toml::Value::String("missing".into());
    let mut text = |key: &str| {
        let value = table.get(key).unwrap_or(&missing);
        match table.get(key).and_then(toml::Value::as_str) {
            Some(text) => Some(text.to_owned()),
            None => bad(&format!("generate.{key}"), value, "a text", notes),
        }
    };
    let (case, generator, solution) = (text("case"), text("generator"), text("solution"));
    let args = match table.get("args") {
        None => Some(Vec::new()),
        Some(value) => value
            .as_array()
            .and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect())
            .or_else(|| bad("generate.args", value, "a list of texts", notes)),
    };
    let case = case?;
    let is_case = names::path(&case) == Name::Plain
        && case.split_once('/').is_some_and(|(folder, _)| ["sample", "secret"].contains(&folder));
    if !is_case {
        let value = toml::Value::String(case);
        return bad("generate.case", &value, "a test's name, such as secret/03-big", notes);
    }
    Some(Recipe { case, generator: generator?, args: args?, solution: solution? })
}

fn bad<T>(key: &str, value: &toml::Value, expected: &str, notes: &mut Notes) -> Option<T> {
    let (key, found, expected) = (key.to_owned(), value.to_string(), expected.to_owned());
    notes.defect(Place::file(FILE), DefectKind::BadValue { key, found, expected });
    None
}
