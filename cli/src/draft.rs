//! An assignment as an instructor writes it: in a file, in flags, or both.

use std::path::{Path, PathBuf};

use codementor_protocol::{
    Assignment, AssignmentId, AssignmentProblem, AssignmentState, AttemptPolicy, CaseVisibility, Counting,
    FeedbackPolicy, IdError, LanguageId, LatePolicy, Points, PointsError, StopRule, Timestamp,
};
use serde::Deserialize;

use crate::args::course::Terms;
use crate::foreign;
use crate::moments::{self, MomentError};

/// Why what was written is no assignment.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The file cannot be read.
    #[error("{}", t!("cannot read {path}: {source}", path = path.display(), source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}", t!("{path} is wrong: {reason}", path = path.display(), reason))]
    BadFile {
        /// The file.
        path: PathBuf,
        /// Why, with the place.
        reason: String,
    },
    /// A moment or a span.
    #[error(transparent)]
    Moment(#[from] MomentError),
    /// The points of a problem.
    #[error("{}", foreign::points(.0))]
    Points(#[from] PointsError),
    /// A name.
    #[error("{}", foreign::id(.0))]
    Name(#[from] IdError),
    /// There is nothing to take from what is there.
    #[error("{}", t!("the assignment has no problem"))]
    NoProblem,
}

impl DraftError {
    /// What to try next, where the error does not say it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::BadFile { .. } => Some(t!("codementor assignment create --help shows a whole file").into()),
            Self::NoProblem => Some(t!("name its problems: --problem two-sum:20 --problem tram:30").into()),
            Self::Name(_) => Some(t!("a problem is written NAME:POINTS, such as two-sum:20").into()),
            Self::Unreadable { .. } | Self::Moment(_) | Self::Points(_) => None,
        }
    }
}

/// What a file holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    title: Option<String>,
    problems: Option<Vec<String>>,
    opens: Option<toml::Value>,
    due: Option<toml::Value>,
    time_zone: Option<String>,
    late: Option<FileLate>,
    attempts: Option<FileAttempts>,
    languages: Option<Vec<LanguageId>>,
    stop: Option<StopRule>,
    visibility: Option<CaseVisibility>,
    feedback: Option<FeedbackPolicy>,
    counting: Option<Counting>,
    weight: Option<toml::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileLate {
    grace: Option<String>,
    percent_per_day: Option<u32>,
    cutoff: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileAttempts {
    limit: Option<u32>,
    cool_down: Option<String>,
}

/// The assignment that flags and file describe: `before` where one is changed, else a new draft. What is not given stays
/// as it is there.
pub fn assignment(
    id: &AssignmentId,
    terms: &Terms,
    before: Option<Assignment>,
    now: Timestamp,
) -> Result<Assignment, DraftError> {
    let file = terms.file.as_deref().map(read).transpose()?.unwrap_or_default();
    let is_new = before.is_none();
    let mut draft = before.unwrap_or_else(|| blank(id));
    let pick = |flag: &Option<String>, file: Option<String>| flag.clone().or(file);

    if let Some(name) = pick(&terms.time_zone, file.time_zone) {
        draft.time_zone = name;
    } else if is_new {
        draft.time_zone = moments::own_zone();
    }
    let zone = moments::zone(&draft.time_zone)?;
    let at = |text: Option<String>| text.map(|text| moments::moment(&text, &zone, now)).transpose();
    let written = |value: Option<toml::Value>| {
        value.map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
    };
    draft.opens = at(pick(&terms.opens, written(file.opens)))?.or(draft.opens);
    draft.due = at(pick(&terms.due, written(file.due)))?.or(draft.due);
    if let Some(title) = pick(&terms.title, file.title) {
        draft.title = title;
    }
    let problems =
        if terms.problems.is_empty() { file.problems.unwrap_or_default() } else { terms.problems.clone() };
    if !problems.is_empty() {
        draft.problems = problems.iter().map(|text| problem(text)).collect::<Result<_, _>>()?;
    }
    if draft.problems.is_empty() {
        return Err(DraftError::NoProblem);
    }
    let late = file.late.unwrap_or_default();
    let span = |text: Option<String>| text.map(|text| moments::span(&text)).transpose();
    draft.late = LatePolicy {
        grace_s: span(pick(&terms.grace, late.grace))?.unwrap_or(draft.late.grace_s),
        percent_per_day: terms.late_percent.or(late.percent_per_day).unwrap_or(draft.late.percent_per_day),
        cutoff_s: span(pick(&terms.cutoff, late.cutoff))?.or(draft.late.cutoff_s),
    };
    let attempts = file.attempts.unwrap_or_default();
    draft.attempts = AttemptPolicy {
        limit: terms.attempts.or(attempts.limit).or(draft.attempts.limit),
        cool_down_s: span(pick(&terms.cool_down, attempts.cool_down))?.unwrap_or(draft.attempts.cool_down_s),
    };
    let languages: Vec<LanguageId> =
        terms.languages.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
    draft.languages = match (languages.is_empty(), file.languages) {
        (false, _) => languages,
        (true, Some(languages)) => languages,
        (true, None) => draft.languages,
    };
    draft.stop = terms.stop.map(Into::into).or(file.stop).unwrap_or(draft.stop);
    draft.visibility = terms.visibility.map(Into::into).or(file.visibility).unwrap_or(draft.visibility);
    draft.feedback = terms.feedback.map(Into::into).or(file.feedback).or(draft.feedback);
    draft.counting = terms.count.map(Into::into).or(file.counting).unwrap_or(draft.counting);
    let weight = pick(&terms.weight, written(file.weight));
    draft.weight = weight.map(|text| text.trim().parse()).transpose()?.or(draft.weight);
    if terms.open {
        draft.state = AssignmentState::Open;
    }
    Ok(draft)
}

fn blank(id: &AssignmentId) -> Assignment {
    Assignment {
        id: id.clone(),
        title: id.assignment.to_string(),
        problems: Vec::new(),
        state: AssignmentState::Draft,
        opens: None,
        due: None,
        time_zone: String::new(),
        late: LatePolicy::default(),
        attempts: AttemptPolicy::default(),
        languages: Vec::new(),
        stop: StopRule::FirstFailure,
        visibility: CaseVisibility::All,
        feedback: None,
        counting: Counting::Best,
        weight: None,
    }
}

/// Reads `two-sum:20` or `two-sum`.
fn problem(text: &str) -> Result<AssignmentProblem, DraftError> {
    let (name, points) = match text.split_once(':') {
        Some((name, points)) => (name, points.trim().parse()?),
        None => (text, Points::FULL),
    };
    Ok(AssignmentProblem { problem: name.trim().parse()?, points })
}

fn read(path: &Path) -> Result<File, DraftError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| DraftError::Unreadable { path: path.into(), source })?;
    toml::from_str(&text).map_err(|error| DraftError::BadFile {
        path: path.into(),
        reason: match error.span() {
            Some(span) => {
                let line = text[..span.start.min(text.len())].lines().count().max(1);
                t!("line {line}: {error}", line, error = error.message())
            }
            None => error.message().into(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        title = "Homework 3"
        problems = ["sum:20", "tram"]
        opens = 2026-11-27T09:00:00+09:00
        due = "2026-12-04 23:59"
        time_zone = "Asia/Seoul"
        late = { grace = "10m", percent_per_day = 10, cutoff = "3d" }
        attempts = { limit = 20, cool_down = "1m" }
        languages = ["python3"]
        stop = "never"
        visibility = "samples"
        feedback = "off"
        counting = "last"
    "#;

    fn id() -> AssignmentId {
        "cs101/hw3".parse().expect("an assignment")
    }

    fn made(text: &str, terms: Terms, before: Option<Assignment>) -> Result<Assignment, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("hw3.toml");
        std::fs::write(&path, text).expect("is written");
        let terms = Terms { file: Some(path), ..terms };
        let made = assignment(&id(), &terms, before, Timestamp(0));
        made.map_err(|error| error.to_string().replace(&format!("{}/", dir.path().display()), ""))
    }

    #[test]
    fn a_file_says_everything_and_flags_win_over_it() {
        let made =
            made(WHOLE, Terms { title: Some("Three".into()), attempts: Some(5), ..Terms::default() }, None);
        let made = made.expect("is an assignment");
        assert_eq!(
            (made.title.as_str(), made.attempts.limit, made.attempts.cool_down_s),
            ("Three", Some(5), 60)
        );
        assert_eq!(made.due, Some(Timestamp(1_796_396_340_000)));
        assert_eq!(made.opens, Some(Timestamp(1_795_737_600_000)));
        assert_eq!(made.late, LatePolicy { grace_s: 600, percent_per_day: 10, cutoff_s: Some(259_200) });
        let problems: Vec<String> =
            made.problems.iter().map(|one| format!("{}:{}", one.problem, one.points)).collect();
        assert_eq!(problems, ["sum:20", "tram:100"]);
        assert_eq!((made.stop, made.visibility), (StopRule::Never, CaseVisibility::Samples));
        assert_eq!((made.feedback, made.counting), (Some(FeedbackPolicy::Off), Counting::Last));
        assert_eq!(made.state, AssignmentState::Draft);
    }

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let before = made(WHOLE, Terms { open: true, ..Terms::default() }, None).expect("is an assignment");
        let changed = made("", Terms { due: Some("+7d".into()), ..Terms::default() }, Some(before.clone()));
        let expected = Assignment { due: Some(Timestamp(7 * 86_400_000)), ..before };
        assert_eq!(changed, Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        #[rustfmt::skip]
        let table = [
            ("problem = [\"sum\"]",                             "hw3.toml is wrong: line 1: unknown field `problem`"),
            ("title = \"x\"\nlate = { percent = 10 }",          "hw3.toml is wrong: line 2: unknown field `percent`"),
            ("problems = [\"sum:ten\"]",                        "'ten' is no amount of points"),
            ("problems = [\"Sum:10\"]",                         "'Sum' is no problem name"),
            ("problems = [\"sum\"]\ndue = \"tomorrow\"",        "'tomorrow' is no time"),
            ("problems = [\"sum\"]\ntime_zone = \"Mars\"",      "there is no time zone 'Mars'"),
            ("title = \"x\"",                                   "the assignment has no problem"),
        ];
        for (text, expected) in table {
            let error = made(text, Terms::default(), None).expect_err("is refused");
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
