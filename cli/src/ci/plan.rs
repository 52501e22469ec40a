//! What is to be graded: problems, their files, their points. Read from what lies in a repository, or made of the
//! assignment as the server keeps it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use codementor_problems::slug;
use codementor_protocol::{
    Assignment, AssignmentId, AssignmentProblem, AssignmentState, DueAssignment, Points,
};
use serde::Deserialize;

use crate::ci::CiError;
use crate::problem::{self, Meant, Named, ProblemError};

/// Where a repository names the problems of its assignment.
pub const MANIFEST: &str = ".codementor/assignment.toml";
/// The name of an assignment that has none.
pub const UNNAMED: &str = "codementor";
/// How many problems an assignment may have.
const MOST_PROBLEMS: usize = 100;

/// What is to be graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The assignment's name.
    pub name: String,
    /// What a server knows it by; of a problem that names another one, that one holds.
    pub assignment: Option<AssignmentId>,
    /// Its problems, in order; at least one.
    pub tasks: Vec<Task>,
}

/// What a repository says of what is to be graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// All of it.
    Plan(Plan),
    /// At most which assignment; its problems and points are the server's matter.
    Assignment {
        /// The assignment, where it is named.
        id: Option<AssignmentId>,
        /// The folder that the problems' folders are in.
        root: PathBuf,
    },
}

impl Plan {
    /// The plan for the assignment that is meant, out of those that the server shows: the named one, else the only one
    /// that is open. A credential for CI is shown no other.
    pub fn out_of(due: &[DueAssignment], id: Option<&AssignmentId>, root: &Path) -> Result<Self, CiError> {
        let meant = |one: &&DueAssignment| match id {
            Some(id) => one.assignment.id == *id,
            None => one.assignment.state == AssignmentState::Open,
        };
        let found: Vec<&DueAssignment> = due.iter().filter(meant).collect();
        match (found.as_slice(), id) {
            ([only], _) if !only.assignment.problems.is_empty() => {
                Ok(Self::of_assignment(&only.assignment, root))
            }
            ([only], _) => Err(CiError::NoProblems { id: only.assignment.id.clone() }),
            ([], Some(id)) => Err(CiError::NoSuchAssignment { id: id.clone() }),
            ([], None) => Err(CiError::NotNamed),
            (several, _) => Err(CiError::WhichAssignment {
                ids: several.iter().map(|one| one.assignment.id.to_string()).collect(),
            }),
        }
    }

    fn of_assignment(assignment: &Assignment, root: &Path) -> Self {
        let task = |problem: &AssignmentProblem| Task {
            points: Some(problem.points),
            ..at_its_place(alone(Named::Installed(problem.problem.clone())), root)
        };
        Self {
            name: assignment.id.assignment.to_string(),
            assignment: Some(assignment.id.clone()),
            tasks: assignment.problems.iter().map(task).collect(),
        }
    }
}

/// A problem that is to be graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The problem.
    pub problem: Named,
    /// The assignment that was named with it; without this the plan's, and without both the server finds it by the
    /// problem.
    pub assignment: Option<AssignmentId>,
    /// The folder that its files are in.
    pub dir: PathBuf,
    /// Its files, below the folder; empty for what lies there.
    pub files: Vec<PathBuf>,
    /// Whether everything in the folder belongs to this problem.
    pub whole: bool,
    /// The language, where it is fixed.
    pub language: Option<String>,
    /// The file to start from, where it is fixed.
    pub entry: Option<String>,
    /// What the problem is worth; none for as many points as the judge gives.
    pub points: Option<Points>,
}

/// Where a plan comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources<'a> {
    /// Problems that were named.
    pub problems: &'a [PathBuf],
    /// Files that were named.
    pub files: &'a [PathBuf],
    /// A manifest that was named.
    pub assignment: Option<&'a Path>,
    /// Packages to grade with, instead of installed problems.
    pub local: Option<&'a Path>,
    /// Whether nothing counts that the graded repository says of itself. It never does with packages to grade with.
    pub distrustful: bool,
}

impl Task {
    /// What the problem is called.
    pub fn name(&self) -> String {
        name_of(&self.problem)
    }
}

fn name_of(problem: &Named) -> String {
    match problem {
        Named::Installed(slug) => slug.to_string(),
        Named::Package(path) => {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            slug::from_name(&path.file_stem().unwrap_or_default().to_string_lossy())
        }
    }
}

/// The content of a manifest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: Option<String>,
    assignment: Option<AssignmentId>,
    #[serde(default, rename = "problem")]
    problems: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    problem: PathBuf,
    #[serde(default)]
    files: Vec<PathBuf>,
    language: Option<String>,
    entry: Option<String>,
    points: Option<Amount>,
}

/// Points as a number or as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Amount {
    Whole(u64),
    Fraction(f64),
    Text(String),
}

/// What is to be graded for somebody who stands in `dir`.
pub fn read(sources: &Sources, dir: &Path) -> Result<Said, CiError> {
    let packages = sources.local.map(|local| packages(&dir.join(local))).transpose()?;
    let manifest = match (sources.assignment, sources.local) {
        (Some(path), _) => Some(read_manifest(&dir.join(path), dir, sources)?),
        // Who grades with packages of their own does not let the graded repository say which of them count.
        (None, Some(local)) => {
            let path = dir.join(local).join("assignment.toml");
            if path.is_file() { Some(read_manifest(&path, dir, sources)?) } else { None }
        }
        (None, None) if sources.distrustful => None,
        (None, None) => {
            find_manifest(dir).map(|(path, root)| read_manifest(&path, &root, sources)).transpose()?
        }
    };
    let mut plan = match manifest {
        Some(Plan { tasks, assignment: Some(id), .. }) if tasks.is_empty() && sources.problems.is_empty() => {
            let own = sources.assignment.is_none() && !sources.distrustful;
            let root = if own { find_manifest(dir) } else { None };
            let root = root.map_or_else(|| dir.into(), |(_, root)| root);
            return Ok(Said::Assignment { id: Some(id), root });
        }
        Some(plan) if sources.problems.is_empty() => plan,
        None if sources.problems.is_empty()
            && packages.is_none()
            && (sources.distrustful || problem::name(None, dir).is_err_and(is_silent)) =>
        {
            return Ok(Said::Assignment { id: None, root: dir.into() });
        }
        manifest => named(sources, manifest, packages.as_deref(), dir)?,
    };
    if let Some(packages) = &packages {
        for task in &mut plan.tasks {
            if let Named::Installed(slug) = &task.problem {
                let found = packages.iter().find(|package| name_of(package) == slug.as_str());
                let missing = || CiError::NotInFolder { problem: slug.clone() };
                task.problem = found.cloned().ok_or_else(missing)?;
                // What is installed only for this is in no assignment.
                task.assignment = None;
            }
        }
    }
    finish(plan, sources, dir).map(Said::Plan)
}

/// Gives a plan the files that were named, and looks whether it can be carried out.
pub fn finish(mut plan: Plan, sources: &Sources, dir: &Path) -> Result<Plan, CiError> {
    if !sources.files.is_empty() {
        let [only] = plan.tasks.as_mut_slice() else { return Err(CiError::FilesForSeveral) };
        only.dir = dir.into();
        only.files = sources.files.to_vec();
        only.whole = false;
    }
    let mut names = HashSet::new();
    if let Some(twice) = plan.tasks.iter().map(Task::name).find(|name| !names.insert(name.clone())) {
        return Err(CiError::Twice { problem: twice });
    }
    if plan.tasks.len() > MOST_PROBLEMS {
        return Err(CiError::TooMany { count: plan.tasks.len(), most: MOST_PROBLEMS });
    }
    Ok(plan)
}

/// The plan where problems are named one by one, or all packages of a folder are meant, or the one problem of this
/// repository. What a manifest says of a problem that is named holds.
fn named(
    sources: &Sources,
    manifest: Option<Plan>,
    packages: Option<&[Named]>,
    dir: &Path,
) -> Result<Plan, CiError> {
    let problems = match (sources.problems, packages) {
        ([], Some(packages)) => packages.iter().cloned().map(alone).collect(),
        ([], None) => vec![problem::meant(None, dir).map_err(CiError::Problem)?],
        (given, _) => given
            .iter()
            .map(|given| meant(given, dir, sources))
            .collect::<Result<Vec<Meant>, _>>()
            .map_err(CiError::Problem)?,
    };
    let name = manifest.as_ref().map_or_else(|| UNNAMED.into(), |plan| plan.name.clone());
    let assignment = manifest.as_ref().and_then(|plan| plan.assignment.clone());
    let known = manifest.map(|plan| plan.tasks).unwrap_or_default();
    let only = problems.len() == 1;
    let task = |meant: Meant| {
        // What is said of a problem in another assignment is not said of this one.
        let same = |task: &&Task| {
            let theirs = task.assignment.as_ref().or(assignment.as_ref());
            task.name() == name_of(&meant.named)
                && meant.assignment.as_ref().is_none_or(|id| theirs.is_none_or(|theirs| theirs == id))
        };
        match known.iter().find(same) {
            Some(task) => Task { assignment: meant.assignment.or(task.assignment.clone()), ..task.clone() },
            None if only => Task { dir: dir.into(), whole: false, ..at_its_place(meant, dir) },
            None => at_its_place(meant, dir),
        }
    };
    let tasks = problems.into_iter().map(task).collect();
    Ok(Plan { name, assignment, tasks })
}

fn is_silent(error: ProblemError) -> bool {
    matches!(error, ProblemError::NotNamed)
}

/// The problem that somebody has named. A name is one of an installed problem, or of a package to grade with, where the
/// checkout has no say: a folder of that name in it may hold a package of the student's own.
fn meant(given: &Path, dir: &Path, sources: &Sources) -> Result<Meant, ProblemError> {
    let name = given.to_str().and_then(|text| text.parse().ok());
    match name.filter(|_| sources.distrustful || sources.local.is_some()) {
        Some(slug) => Ok(alone(Named::Installed(slug))),
        None => problem::meant(Some(given), dir),
    }
}

/// A problem that is named without an assignment.
fn alone(named: Named) -> Meant {
    Meant { named, assignment: None }
}

/// One of several problems: its files are in a folder of its name.
fn at_its_place(meant: Meant, root: &Path) -> Task {
    let dir = root.join(name_of(&meant.named));
    Task {
        problem: meant.named,
        assignment: meant.assignment,
        dir,
        files: Vec::new(),
        whole: true,
        language: None,
        entry: None,
        points: None,
    }
}

/// The manifest here or above, and the folder that its paths are of. What names one problem is nearer in the same
/// folder only where there is no manifest.
fn find_manifest(dir: &Path) -> Option<(PathBuf, PathBuf)> {
    for folder in dir.ancestors() {
        let manifest = folder.join(MANIFEST);
        if manifest.is_file() {
            return Some((manifest, folder.into()));
        }
        if folder.join(".codementor/problem.toml").is_file() || folder.join("problem.yaml").is_file() {
            return None;
        }
    }
    None
}

fn read_manifest(path: &Path, root: &Path, sources: &Sources) -> Result<Plan, CiError> {
    let wrong = |reason: String| CiError::BadManifest { path: path.into(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let manifest: Manifest = toml::from_str(&text).map_err(|error| wrong(error.to_string().trim().into()))?;
    if manifest.problems.is_empty() && manifest.assignment.is_none() {
        return Err(wrong(t!("it has neither an assignment nor a [[problem]]").into()));
    }
    let mut tasks = Vec::new();
    for entry in manifest.problems {
        let problem = meant(&entry.problem, root, sources).map_err(|error| wrong(error.to_string()))?;
        let points = entry.points.map(|amount| match amount {
            Amount::Whole(number) => number.to_string(),
            Amount::Fraction(number) => number.to_string(),
            Amount::Text(text) => text,
        });
        let points = points.map(|text| text.parse().map_err(|error| wrong(format!("points: {error}"))));
        let place = at_its_place(problem, root);
        let (dir, whole) =
            if entry.files.is_empty() { (place.dir, true) } else { (root.to_path_buf(), false) };
        let points = points.transpose()?;
        let (language, program) = (entry.language, entry.entry);
        tasks.push(Task {
            problem: place.problem,
            assignment: place.assignment,
            dir,
            files: entry.files,
            whole,
            language,
            entry: program,
            points,
        });
    }
    let named = manifest.assignment.as_ref().map(|id| id.assignment.to_string());
    let name = manifest.name.or(named).unwrap_or_else(|| UNNAMED.into());
    Ok(Plan { name, assignment: manifest.assignment, tasks })
}

/// The packages of a folder, which may be one itself, by their names.
fn packages(dir: &Path) -> Result<Vec<Named>, CiError> {
    let none = || CiError::NoPackages { dir: dir.into() };
    if dir.is_file() || dir.join("problem.yaml").is_file() {
        return Ok(vec![Named::Package(dir.into())]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|_| none())? {
        let path = entry.map_err(|_| none())?.path();
        let zip = path.extension().is_some_and(|extension| extension == "zip" || extension == "kpp");
        if path.join("problem.yaml").is_file() || (zip && path.is_file()) {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() { Err(none()) } else { Ok(found.into_iter().map(Named::Package).collect()) }
}

#[cfg(test)]
mod tests;
