//! What is graded, from every place that may say so.

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
    assert_eq!(chosen(std::slice::from_ref(&closed), Some(&id)), "there is no assignment cs101/hw3 for you");
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
                let files: Vec<String> = task.files.iter().map(|file| file.display().to_string()).collect();
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
    assert_eq!(folder.plan("got", &Sources::default()), "codementor\ninstalled sum: got [] for cs101/hw2");
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
