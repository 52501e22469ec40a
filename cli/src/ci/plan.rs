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
mod tests {
    use super::*;

    #[test]
    fn the_list_of_a_server_makes_the_same_plan() {
        let assignment: Assignment = serde_json::from_value(serde_json::json!({
            "id": "cs101/hw3", "title": "Three", "state": "open", "time_zone": "Asia/Seoul", "stop": "first_failure",
            "problems": [{"problem": "sum", "points": "40"}, {"problem": "tram", "points": "2.5"}],
        }))
        .expect("is an assignment");
        let text = "assignment = \"cs101/hw3\"\n[[problem]]\nproblem = \"sum\"\npoints = 40\n\
                    [[problem]]\nproblem = \"tram\"\npoints = 2.5\n";
        let folder = Folder::new(&[(MANIFEST, text)]);
        let written = read(&Sources::default(), folder.0.path()).expect("is a plan");
        assert_eq!(Said::Plan(Plan::of_assignment(&assignment, folder.0.path())), written);
    }

    #[test]
    fn a_server_is_asked_where_nothing_else_says_it() {
        let id: AssignmentId = "cs101/hw3".parse().expect("is an id");
        let named = Folder::new(&[(MANIFEST, "assignment = \"cs101/hw3\"\n"), ("deep/x", "")]);
        let root = named.0.path().to_path_buf();
        let said = |from: &Path| read(&Sources::default(), from).expect("something is said");
        assert_eq!(said(&root.join("deep")), Said::Assignment { id: Some(id.clone()), root });
        let empty = Folder::new(&[]);
        let root = empty.0.path().to_path_buf();
        assert_eq!(said(&root), Said::Assignment { id: None, root: root.clone() });

        let due = |id: &str, state: &str, problems: serde_json::Value| -> DueAssignment {
            serde_json::from_value(serde_json::json!({
                "assignment": {"id": id, "title": "", "state": state, "time_zone": "UTC", "stop": "first_failure", "problems": problems},
                "extended": false, "problems": [],
            }))
            .expect("is an assignment")
        };
        let problems = || serde_json::json!([{"problem": "sum", "points": "40"}]);
        let (open, closed) = (due("cs101/hw3", "open", problems()), due("cs101/hw2", "closed", problems()));
        let other = due("cs101/hw4", "open", problems());
        let chosen = |due: &[DueAssignment], id: Option<&AssignmentId>| match Plan::out_of(due, id, &root) {
            Ok(plan) => format!("{} {}", plan.name, plan.tasks.len()),
            Err(error) => error.to_string(),
        };
        assert_eq!(chosen(&[closed.clone(), open.clone()], None), "hw3 1");
        assert_eq!(chosen(&[open.clone(), other.clone()], Some(&id)), "hw3 1");
        assert_eq!(chosen(&[open, other], None), "which assignment: cs101/hw3 or cs101/hw4?");
        assert_eq!(
            chosen(std::slice::from_ref(&closed), Some(&id)),
            "there is no assignment cs101/hw3 for you"
        );
        assert!(chosen(&[closed], None).starts_with("which problems?"));
        let none = due("cs101/hw3", "open", serde_json::json!([]));
        assert_eq!(chosen(&[none], None), "the assignment cs101/hw3 has no problems");
    }

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(files: &[(&str, &str)]) -> Self {
            let dir = tempfile::tempdir().expect("a temporary directory");
            for (name, content) in files {
                let path = dir.path().join(name);
                std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
                std::fs::write(path, content).expect("is written");
            }
            Self(dir)
        }

        /// The plan in a line for each problem, or why there is none.
        fn plan(&self, from: &str, sources: &Sources) -> String {
            let dir = if from.is_empty() { self.0.path().into() } else { self.0.path().join(from) };
            let shown = match read(sources, &dir) {
                Ok(Said::Assignment { .. }) => "the server's matter".into(),
                Ok(Said::Plan(plan)) => plan.tasks.iter().fold(plan.name.clone(), |text, task| {
                    let kind = match task.problem {
                        Named::Installed(_) => "installed",
                        Named::Package(_) => "package",
                    };
                    let points = task.points.map(|points| format!(" {points} points")).unwrap_or_default();
                    let files: Vec<String> =
                        task.files.iter().map(|file| file.display().to_string()).collect();
                    let dir = task.dir.display();
                    let meant = task.assignment.as_ref().or(plan.assignment.as_ref());
                    let meant = meant.map(|id| format!(" for {id}")).unwrap_or_default();
                    format!("{text}\n{kind} {}: {dir} [{}]{points}{meant}", task.name(), files.join(" "))
                }),
                Err(error) => error.to_string(),
            };
            let root = self.0.path().display().to_string();
            shown.replace(&format!("{root}/"), "").replace(&root, ".")
        }
    }

    fn paths(texts: &[&str]) -> Vec<PathBuf> {
        texts.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn a_manifest_names_problems_their_files_and_their_points() {
        let folder = Folder::new(&[
            (
                MANIFEST,
                "name = \"hw3\"\n[[problem]]\nproblem = \"sum\"\npoints = 40\n\
                 [[problem]]\nproblem = \"tram\"\nfiles = [\"src/t.cpp\", \"src/t.h\"]\npoints = 2.5\n\
                 [[problem]]\nproblem = \"./own\"\npoints = \"1.25\"\n",
            ),
            ("own/problem.yaml", "name: own"),
            ("deep/er/.codementor/problem.toml", "problem = \"fence\""),
        ]);
        let whole = "hw3\ninstalled sum: sum [] 40 points\ninstalled tram: . [src/t.cpp src/t.h] 2.5 points\n\
                     package own: own [] 1.25 points";
        assert_eq!(folder.plan("", &Sources::default()), whole);
        assert_eq!(folder.plan("deep", &Sources::default()), whole);
        assert_eq!(folder.plan("deep/er", &Sources::default()), "codementor\ninstalled fence: deep/er []");
        let problems = paths(&["sum"]);
        let one = Sources { problems: &problems, ..Sources::default() };
        assert_eq!(folder.plan("", &one), "hw3\ninstalled sum: sum [] 40 points");
        let files = paths(&["x.py"]);
        assert_eq!(
            folder.plan("deep", &Sources { files: &files, ..one.clone() }),
            "hw3\ninstalled sum: deep [x.py] 40 points"
        );
        assert_eq!(
            folder.plan("", &Sources { files: &files, ..Sources::default() }),
            "files are named, but there are several problems"
        );
        let problems = paths(&["hello", "sum"]);
        assert_eq!(
            folder.plan("", &Sources { problems: &problems, ..Sources::default() }),
            "hw3\ninstalled hello: hello []\ninstalled sum: sum [] 40 points"
        );
        let path = PathBuf::from(format!("../{MANIFEST}"));
        let named = Sources { assignment: Some(&path), ..Sources::default() };
        let folder = Folder::new(&[(MANIFEST, "[[problem]]\nproblem = \"sum\"\n"), ("own/x", "")]);
        // Its paths are of where one stands.
        assert_eq!(folder.plan("own", &named), "codementor\ninstalled sum: own/sum []");
    }

    #[test]
    fn the_assignment_that_is_named_with_a_problem_is_the_one_it_is_graded_for() {
        let folder = Folder::new(&[
            (MANIFEST, "assignment = \"cs101/hw1\"\n[[problem]]\nproblem = \"sum\"\npoints = 40\n"),
            ("got/.codementor/problem.toml", "problem = \"sum\"\nassignment = \"cs101/hw2\"\n"),
            ("set/sum/problem.yaml", ""),
        ]);
        let named = |problem: &str| {
            let problems = paths(&[problem]);
            folder.plan("", &Sources { problems: &problems, ..Sources::default() })
        };
        assert_eq!(named("sum"), "hw1\ninstalled sum: sum [] 40 points for cs101/hw1");
        assert_eq!(named("cs101/hw1/sum"), "hw1\ninstalled sum: sum [] 40 points for cs101/hw1");
        // What another assignment has it worth is no matter there.
        assert_eq!(named("cs101/hw2/sum"), "hw1\ninstalled sum: . [] for cs101/hw2");
        assert_eq!(
            folder.plan("got", &Sources::default()),
            "codementor\ninstalled sum: got [] for cs101/hw2"
        );
        let several = Folder::new(&[(MANIFEST, "[[problem]]\nproblem = \"cs101/hw3/sum\"\n")]);
        assert_eq!(several.plan("", &Sources::default()), "codementor\ninstalled sum: sum [] for cs101/hw3");
        let problems = paths(&["cs101/hw2/sum"]);
        let local = Some(Path::new("set"));
        let packaged = Sources { problems: &problems, local, ..Sources::default() };
        assert_eq!(folder.plan("", &packaged), "codementor\npackage sum: . []");
    }

    #[test]
    fn who_does_not_trust_the_checkout_goes_by_what_is_named_or_by_the_server() {
        let cheap = "[[problem]]\nproblem = \"easy\"\npoints = 1000\n";
        let folder = Folder::new(&[
            ("work/.codementor/assignment.toml", cheap),
            ("got/.codementor/problem.toml", "problem = \"easy\"\n"),
            ("its/assignment.toml", "assignment = \"cs101/hw1\"\n"),
            ("its/list.toml", "[[problem]]\nproblem = \"sum\"\npoints = 40\n"),
        ]);
        let distrustful = Sources { distrustful: true, ..Sources::default() };
        assert_eq!(folder.plan("work", &distrustful), "the server's matter");
        assert_eq!(folder.plan("got", &distrustful), "the server's matter");
        let list = Path::new("../its/list.toml");
        let listed = Sources { assignment: Some(list), ..distrustful.clone() };
        assert_eq!(folder.plan("work", &listed), "codementor\ninstalled sum: work/sum [] 40 points");
        let problems = paths(&["sum"]);
        let named = Sources { problems: &problems, ..distrustful.clone() };
        assert_eq!(folder.plan("work", &named), "codementor\ninstalled sum: work []");
        let root = folder.0.path().join("work");
        let id: AssignmentId = "cs101/hw1".parse().expect("is an id");
        let whole = Sources { assignment: Some(Path::new("../its/assignment.toml")), ..distrustful };
        let said = read(&whole, &root).expect("something is said");
        assert_eq!(said, Said::Assignment { id: Some(id), root });
    }

    #[test]
    fn a_wrong_manifest_is_named_with_its_mistake() {
        for (text, mistake) in [
            ("", "it has neither an assignment nor a [[problem]]"),
            ("[[problem]]\nslug = \"sum\"\n", "unknown field `slug`"),
            ("[[problem]]\nproblem = \"Sum!\"\n", "'Sum!' is no problem name"),
            ("[[problem]]\nproblem = \"sum\"\npoints = -1\n", "points"),
            ("[[problem]]\nproblem = \"sum\"\npoints = \"many\"\n", "points: 'many' is no amount of points"),
            ("[[problem]]\nproblem = \"./nowhere\"\n", "there is no problem package at ./nowhere"),
        ] {
            let shown = Folder::new(&[(MANIFEST, text)]).plan("", &Sources::default());
            assert!(shown.contains(MANIFEST) && shown.contains(mistake), "{text}: {shown}");
        }
        let twice = "[[problem]]\nproblem = \"sum\"\n".repeat(2);
        assert_eq!(Folder::new(&[(MANIFEST, &twice)]).plan("", &Sources::default()), "sum is named twice");
        let many: String = (0..101).map(|n| format!("[[problem]]\nproblem = \"p{n}\"\n")).collect();
        let many = Folder::new(&[(MANIFEST, &many)]).plan("", &Sources::default());
        assert_eq!(many, "101 problems are too many: at most 100 may be graded at once");
    }

    #[test]
    fn a_package_in_an_untrusted_checkout_takes_the_place_of_no_problem() {
        let folder = Folder::new(&[
            ("set/sum/problem.yaml", ""),
            ("set/assignment.toml", "[[problem]]\nproblem = \"sum\"\n"),
            ("work/sum/problem.yaml", ""),
        ]);
        let graded_with = |sources: &Sources| match read(sources, &folder.0.path().join("work")) {
            Ok(Said::Plan(plan)) => plan.tasks[0].problem.clone(),
            other => panic!("{other:?}"),
        };
        let problems = paths(&["sum"]);
        let local = Sources { local: Some(Path::new("../set")), ..Sources::default() };
        let its = Named::Package(folder.0.path().join("work/../set/sum"));
        assert_eq!(graded_with(&local), its);
        assert_eq!(graded_with(&Sources { problems: &problems, ..local }), its);
        let installed = Named::Installed("sum".parse().expect("a slug"));
        let named = Sources { problems: &problems, distrustful: true, ..Sources::default() };
        assert_eq!(graded_with(&named), installed);
        let list = Path::new("../set/assignment.toml");
        let listed = Sources { assignment: Some(list), distrustful: true, ..Sources::default() };
        assert_eq!(graded_with(&listed), installed);
    }

    #[test]
    fn packages_of_a_folder_are_graded_with_and_what_is_graded_does_not_choose() {
        let local = |path: &'static str| Sources { local: Some(Path::new(path)), ..Sources::default() };
        let folder = Folder::new(&[
            ("set/sum/problem.yaml", ""),
            ("set/tram.zip", "PK"),
            ("set/notes.txt", ""),
            ("work/.codementor/assignment.toml", "[[problem]]\nproblem = \"fence\"\n"),
            ("empty/x", ""),
        ]);
        assert_eq!(
            folder.plan("work", &local("../set")),
            "codementor\npackage sum: work/sum []\npackage tram: work/tram []"
        );
        assert_eq!(folder.plan("work", &local("../set/sum")), "codementor\npackage sum: work []");
        assert_eq!(folder.plan("work", &local("../set/tram.zip")), "codementor\npackage tram: work []");
        assert!(folder.plan("work", &local("../empty")).contains("no problem package in"));
        assert!(folder.plan("work", &local("../nowhere")).contains("no problem package in"));
        let problems = paths(&["tram"]);
        let one = Sources { problems: &problems, ..local("../set") };
        assert_eq!(folder.plan("work", &one), "codementor\npackage tram: work []");
        let problems = paths(&["fence"]);
        let other = Sources { problems: &problems, ..local("../set") };
        assert_eq!(
            folder.plan("work", &other),
            "there is no package of the problem fence in the folder of --local"
        );
        let folder = Folder::new(&[
            ("set/sum/problem.yaml", ""),
            ("set/tram/problem.yaml", ""),
            ("set/assignment.toml", "name = \"hw1\"\n[[problem]]\nproblem = \"tram\"\npoints = 7\n"),
        ]);
        assert_eq!(folder.plan("", &local("set")), "hw1\npackage tram: tram [] 7 points");
    }
}
