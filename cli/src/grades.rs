//! Grades in the forms that learning platforms take. Each has its own rules for whom it knows and for what a blank means,
//! so that who cannot be exported is left out and named, and never given a zero.

use std::collections::HashSet;

use codementor_protocol::{FORMULA, Grade, GradeTable, Points, Standing, Timestamp, Verdict};
use serde_json::{Value, json};

use crate::args::grade::Missing;

/// The most points that Moodle takes without being told otherwise.
const MOODLE_MOST: &str = "100";

/// How an export is made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What those get who handed nothing in.
    pub missing: Missing,
    /// Canvas's number of the assignment.
    pub canvas_id: Option<u64>,
    /// What the most points are scaled to.
    pub out_of: Option<Points>,
}

/// Grades as text, and whom they lack.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// The file.
    pub text: String,
    /// Who is not in it, with the reason.
    pub left_out: Vec<(String, &'static str)>,
    /// Of whom that was said already.
    told: HashSet<(Option<String>, &'static str)>,
}

/// Why grades cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Canvas would read the title's end as its own number.
    #[error("{}", t!(
        "the title '{text}' ends in a number in parentheses, which Canvas takes for its own id of an \
         assignment",
        text = .0
    ))]
    CanvasTitle(String),
    /// Moodle would refuse the file.
    #[error("{}", t!(
        "'{assignment}' has {most} points, and Moodle refuses grades above {moodle_most}",
        assignment, most, moodle_most = MOODLE_MOST
    ))]
    MoodleMost {
        /// The assignment.
        assignment: String,
        /// Its points.
        most: Points,
    },
    /// The format has nothing that the option could change.
    #[error("{}", t!("{option} says nothing in this format", option))]
    Unused {
        /// The option.
        option: &'static str,
    },
    /// A file for each student needs a folder.
    #[error("{}", t!("gradescope takes a file for each student"))]
    NoFolder,
    /// Only one assignment goes into such a file.
    #[error("{}", t!("'{text}' is a course; this form is for one assignment", text = .0))]
    OneAssignment(String),
    /// What was typed is neither.
    #[error("{}", t!("'{text}' is neither an assignment, such as cs101/hw3, nor a course", text = .0))]
    Neither(String),
    /// The file cannot be made.
    #[error("{}", t!("the file cannot be made: {text}", text = .0))]
    Csv(String),
}

impl ExportError {
    /// What to do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::CanvasTitle(_) => {
                t!("--canvas-id ID names Canvas's own; it is at the end of the assignment's address").into()
            }
            Self::MoodleMost { .. } => t!("--out-of {moodle_most} scales them", moodle_most = MOODLE_MOST),
            Self::Unused { .. } => t!("leave it out").into(),
            Self::NoFolder => t!("--out names the folder to write them to").into(),
            Self::OneAssignment(course) => {
                t!("codementor assignment list {course} lists its assignments", course)
            }
            Self::Neither(_) => t!("codementor assignment list shows what there is").into(),
            Self::Csv(_) => return None,
        })
    }
}

/// Canvas's gradebook: one assignment, graded rows only, since a blank over a grade would count as a change.
pub fn canvas(table: &GradeTable, options: Options) -> Result<Export, ExportError> {
    let header = match options.canvas_id {
        Some(id) => format!("{} ({id})", safe(&table.title)),
        None if ends_in_number(&table.title) => return Err(ExportError::CanvasTitle(table.title.clone())),
        None => safe(&table.title),
    };
    let most = options.out_of.unwrap_or(table.max_score).to_string();
    let mut rows = vec![
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
            .map(str::to_owned)
            .into_iter()
            .chain([header])
            .collect(),
        ["    Points Possible", "", "", "", "", &most].map(str::to_owned).to_vec(),
    ];
    let mut export = Export::default();
    for grade in &table.rows {
        let score = match (grade.standing, score(table, grade, options)) {
            (Standing::Excused, _) => "EX".to_owned(),
            (_, Ok(score)) => score.to_string(),
            (_, Err(why)) => {
                export.leave_out(grade, why);
                continue;
            }
        };
        let row = grade.row.as_ref();
        let known =
            |of: fn(&codementor_protocol::RosterRow) -> &Option<String>| row.and_then(|row| of(row).clone());
        let (id, login) = (known(|row| &row.canvas_id), known(|row| &row.login));
        let student_id = grade.student_id.clone();
        if id.is_none() && login.is_none() && student_id.is_none() {
            export.leave_out(grade, t!("has no id that Canvas could know"));
            continue;
        }
        if [&id, &login, &student_id].into_iter().flatten().any(|id| id.starts_with(FORMULA)) {
            export.leave_out(grade, t!("has an id that a spreadsheet would take for a formula"));
            continue;
        }
        let name =
            match (row.and_then(|row| row.last_name.as_ref()), row.and_then(|row| row.first_name.as_ref())) {
                (Some(last), Some(first)) => format!("{last}, {first}"),
                _ => grade.name.clone(),
            };
        let section = known(|row| &row.section).unwrap_or_default();
        let blank = Option::unwrap_or_default;
        rows.push(vec![safe(&name), blank(id), blank(student_id), blank(login), safe(&section), score]);
    }
    export.text = csv(&rows)?;
    Ok(export)
}

/// Moodle's import of grades. One student whom it does not know, or a comment without a grade, would spoil the rest.
pub fn moodle(table: &GradeTable, options: Options) -> Result<Export, ExportError> {
    let most = options.out_of.unwrap_or(table.max_score);
    if MOODLE_MOST.parse().is_ok_and(|bound: Points| most > bound) {
        return Err(ExportError::MoodleMost { assignment: table.assignment.to_string(), most });
    }
    let item = safe(&table.title);
    let mut rows =
        vec![vec!["email".to_owned(), "idnumber".into(), item.clone(), format!("{item} feedback")]];
    let mut export = Export::default();
    for grade in &table.rows {
        let score = match score(table, grade, options) {
            Ok(score) => score,
            Err(why) => {
                export.leave_out(grade, why);
                continue;
            }
        };
        let email = grade.row.as_ref().and_then(|row| row.email.clone());
        let Some(student_id) = grade.student_id.clone().filter(|id| !id.starts_with(FORMULA)) else {
            export.leave_out(grade, t!("has no student id that Moodle could know"));
            continue;
        };
        // Moodle keeps five decimals; cutting never gives more than there was.
        let score = score.to_string();
        let score = match score.split_once('.') {
            Some((whole, part)) if part.len() > 5 => format!("{whole}.{}", &part[..5]),
            _ => score,
        };
        rows.push(vec![email.unwrap_or_default(), student_id, score, comment(grade)]);
    }
    export.text = csv(&rows)?;
    Ok(export)
}

/// One line for each student and assignment.
pub fn long(tables: &[GradeTable], options: Options) -> Result<Export, ExportError> {
    let header = [
        "assignment",
        "duedate",
        "timestamp",
        "student_id",
        "last_name",
        "first_name",
        "email",
        "raw_score",
        "late_submission_penalty",
        "score",
        "max_score",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut export = Export::default();
    for table in tables {
        for grade in &table.rows {
            let score = match (grade.standing, score(table, grade, options)) {
                (Standing::Withdrawn, _) => {
                    export.leave_out(grade, t!("has left the course"));
                    continue;
                }
                (_, Ok(score)) => score.to_string(),
                // Blank is what they get: excused, not judged, or nothing handed in.
                (_, Err(_)) => String::new(),
            };
            let row = grade.row.as_ref();
            let (last, first) = match row.and_then(|row| row.last_name.clone()) {
                Some(last) => (last, row.and_then(|row| row.first_name.clone()).unwrap_or_default()),
                None => (grade.name.clone(), String::new()),
            };
            let who = grade.student_id.clone().or(grade.user.as_ref().map(ToString::to_string));
            let scaled = |points: Points| scaled(table, points, options).to_string();
            rows.push(vec![
                table.assignment.to_string(),
                grade.extended.or(table.due).map(moment).unwrap_or_default(),
                grade.handed_in.map(moment).unwrap_or_default(),
                safe(&who.unwrap_or_default()),
                safe(&last),
                safe(&first),
                safe(&row.and_then(|row| row.email.clone()).unwrap_or_default()),
                grade.raw_score.map(scaled).unwrap_or_default(),
                grade.raw_score.map(|_| scaled(grade.late_penalty)).unwrap_or_default(),
                score,
                options.out_of.unwrap_or(table.max_score).to_string(),
            ]);
        }
    }
    export.text = csv(&rows)?;
    Ok(export)
}

/// Gradescope's `results.json`, by the name of the student's file.
pub fn gradescope(table: &GradeTable, options: Options) -> (Vec<(String, String)>, Export) {
    let mut files = Vec::new();
    let (mut export, mut names) = (Export::default(), HashSet::new());
    for grade in &table.rows {
        let score = match score(table, grade, options) {
            Ok(score) => score,
            Err(why) => {
                export.leave_out(grade, why);
                continue;
            }
        };
        let who =
            grade.student_id.clone().or(grade.user.as_ref().map(ToString::to_string)).unwrap_or_default();
        // A student id may be anything that can be printed, and is to be a name of a file here.
        let plain: String = who
            .chars()
            .map(|letter| if letter.is_alphanumeric() || "-_".contains(letter) { letter } else { '_' })
            .collect();
        if !names.insert(plain.to_lowercase()) {
            export.leave_out(grade, t!("has an id that makes the same file name as another's"));
            continue;
        }
        let set = grade.overridden.is_some();
        let tests: Vec<Value> = grade
            .problems
            .iter()
            .zip(1..)
            .map(|(problem, number)| {
                let got = problem.score.unwrap_or(Points::ZERO);
                let verdict = problem.verdict.map_or("nothing was handed in", Verdict::token);
                let late = if problem.late { ", late" } else { "" };
                json!({
                    "name": problem.problem, "number": number.to_string(),
                    "score": decimal(scaled(table, got, options)),
                    "max_score": decimal(scaled(table, problem.max_score, options)),
                    "status": if problem.verdict == Some(Verdict::Accepted) { "passed" } else { "failed" },
                    "output": format!("{verdict}{late}"), "output_format": "text", "visibility": "visible",
                })
            })
            .collect();
        let said = if set { "; set by those who teach" } else { "" };
        let results = json!({
            "score": decimal(score),
            "output": format!("{}: {score} of {} points{said}", table.assignment, options.out_of.unwrap_or(table.max_score)),
            "output_format": "text", "test_output_format": "text", "test_name_format": "text",
            "visibility": "visible", "stdout_visibility": "hidden",
            "extra_data": { "codementor": { "user": grade.user, "student_id": grade.student_id } },
            "tests": tests,
        });
        files.push((format!("{plain}.json"), format!("{results:#}\n")));
    }
    (files, export)
}

impl Export {
    /// A file that lacks nobody.
    pub(crate) fn of(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    fn leave_out(&mut self, grade: &Grade, why: &'static str) {
        // Once, and not for each assignment of a course.
        let who = grade.student_id.clone().or_else(|| grade.user.as_ref().map(ToString::to_string));
        if who.is_none() || self.told.insert((who, why)) {
            self.left_out.push((grade.name.clone(), why));
        }
    }
}

/// The points that an export says, or why there are none to say.
fn score(table: &GradeTable, grade: &Grade, options: Options) -> Result<Points, &'static str> {
    if let Some(score) = grade.counts() {
        return Ok(scaled(table, score, options));
    }
    match (grade.standing, options.missing) {
        (Standing::Missing, Missing::Zero) => Ok(Points::ZERO),
        (Standing::Missing, Missing::Blank) => Err(t!("has handed nothing in (--missing zero says so)")),
        (Standing::Withdrawn, _) => Err(t!("has left the course")),
        (Standing::Excused, _) => Err(t!("is excused")),
        (Standing::Unjudged, _) => Err(t!("has handed in what is not judged yet")),
        (Standing::InTime | Standing::Late, _) => Err(t!("has no points")),
    }
}

fn scaled(table: &GradeTable, points: Points, options: Options) -> Points {
    options.out_of.map_or(points, |most| most.share(points, table.max_score))
}

fn comment(grade: &Grade) -> String {
    if grade.overridden.is_some() {
        return "set by those who teach".into();
    }
    let said = |problem: &codementor_protocol::ProblemGrade| {
        let got = problem.score.unwrap_or(Points::ZERO);
        let late = if problem.late { " (late)" } else { "" };
        format!("{} {got}/{}{late}", problem.problem, problem.max_score)
    };
    grade.problems.iter().map(said).collect::<Vec<_>>().join("; ")
}

/// A text that no spreadsheet takes for a formula.
fn safe(text: &str) -> String {
    // White space in front does not keep a spreadsheet from it.
    match text.trim_start().starts_with(FORMULA) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

fn ends_in_number(title: &str) -> bool {
    let inner = title.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    inner.is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A moment as nbgrader writes it, in UTC.
fn moment(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0);
    at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

/// Points as a number of JSON, as near as such numbers come.
fn decimal(points: Points) -> Value {
    points.to_string().parse::<f64>().map_or(Value::Null, |number| json!(number))
}

fn csv(rows: &[Vec<String>]) -> Result<String, ExportError> {
    let failed = |error: String| ExportError::Csv(error);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| failed(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}
