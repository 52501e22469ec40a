//! Problem sets on a server: pushed, compared, fetched again, by several instructors.

use std::path::Path;
use std::sync::Arc;

use codementor::client::{Client, Credentials};
use codementor_protocol::{Install, InstallPackage, PackageHash, PutPackage, Replaces};
use codementor_tests::{Draft, Home, Ran, Shared, home};
use serde_json::Value;

static SHARED: Shared = Shared::new();

/// Right for `echo`.
const RIGHT: &str = "import sys\nsys.stdout.write(sys.stdin.read())\n";

/// A class: Ada and Bob teach, Kim learns, Eve teaches another course.
fn class() -> Arc<Home> {
    SHARED.get(|| {
        let home = home!().with("CODEMENTOR_SLOTS", 2);
        Draft::new("first", 2).secret("1", "one\n", "one\n").install(&home);
        for course in ["cs101", "other"] {
            home.run(&["course", "create", course]).expect_code(0);
        }
        for name in ["ada", "bob"] {
            home.invite(name, &[("cs101", "instructor")]);
        }
        home.invite("kim", &[("cs101", "student")]);
        home.invite("eve", &[("other", "instructor")]);
        home
    })
}

fn echo(slug: &str) -> Draft {
    Draft::new(slug, 2).sample("1", "one\n", "one\n").secret("1", "two\n", "two\n")
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

/// The files of a folder, by their paths in it.
fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("lists") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).expect("is below").to_string_lossy().into_owned();
                found.push((name, std::fs::read(&path).expect("reads")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let home = class();
    let dry = |path: &str| home.run_as("ada", &["problem", "push", path, "--dry-run"]).expect_code(0).stdout;
    let fresh = dry(&echo("dry").folder(&home));
    assert!(fresh.contains("dry would be new: 2 tests (1 shown)"), "{fresh}");
    home.run_as("ada", &["problem", "push", &echo("dry").folder(&home)]).expect_code(0);
    assert!(dry(&echo("dry").folder(&home)).contains("dry is unchanged"));
    home.run_as("ada", &["assignment", "create", "cs101/dry", "-p", "dry", "--open"]).expect_code(0);
    let program = home.write("kim-dry/dry.py", RIGHT);
    let program = program.to_str().expect("a text");
    home.run_as("kim", &["submit", program, "-p", "cs101/dry/dry", "--json"]).expect_code(0);
    let version = |home: &Home| {
        let all = json(&home.run_as("ada", &["problem", "list", "--json"]).expect_code(0));
        let all = all.as_array().expect("a list").clone();
        all.into_iter().find(|one| one["slug"] == "dry").expect("is installed")["package"].clone()
    };
    let before = version(&home);
    let changed = echo("dry")
        .file(".timelimit", "1\n")
        .secret("1", "too\n", "too\n")
        .secret("2", "three\n", "three\n")
        .file("problem_statement/problem.en.tex", "\\problemname{Dry}\nEcho.\n")
        .file("codementor.toml", "[feedback]\npolicy = \"off\"\n")
        .folder(&home);
    let told = dry(&changed);
    for line in [
        "dry would change",
        "~ time limit 2.00 s -> 1.00 s",
        "+ 1 hidden test: secret/2",
        "~ 1 hidden test: secret/1",
        "~ statement",
        "~ feedback policy",
        "affects cs101/dry (open), 1 submission judged by other versions, 1 graded",
    ] {
        assert!(told.contains(line), "'{line}' in\n{told}");
    }
    assert_eq!(version(&home), before, "nothing was installed");
    // Whoever teaches elsewhere learns no name of another's assignment.
    let elsewhere = home.run_as("eve", &["problem", "push", &changed, "--dry-run"]).expect_code(0).stdout;
    assert!(
        elsewhere.contains("1 assignment of other courses") && !elsewhere.contains("cs101"),
        "{elsewhere}"
    );
    let pushed = home.run_as("ada", &["problem", "push", &changed]).expect_code(0);
    assert!(pushed.stdout.contains("dry is installed") && pushed.stdout.contains("+ 1 hidden test"));
    let after = version(&home);
    assert_ne!(after, before);
    let audit = json(&home.run_as("ada", &["audit", "cs101", "--json"]).expect_code(0));
    let pushes: Vec<Value> = audit.as_array().expect("a list").clone();
    let pushes: Vec<&Value> =
        pushes.iter().filter(|entry| entry["action"] == "problem-push" && entry["target"] == "dry").collect();
    let [push] = pushes.as_slice() else { panic!("one push since the course has the problem: {audit}") };
    let short = |version: &Value| version.as_str().expect("a text")[..12].to_owned();
    assert_eq!(push["by"], "ada");
    assert_eq!(push["detail"], serde_json::json!({ "from": short(&before), "to": short(&after) }));
}

#[test]
fn one_broken_package_of_many_hides_no_other() {
    let home = class();
    let mut arguments = vec!["problem".to_owned(), "push".to_owned()];
    for number in 1..=50 {
        let draft = Draft::new(&format!("set-{number}"), 1);
        // The seventh has no test, and so cannot be judged.
        let draft = if number == 7 { draft } else { draft.secret("1", "", &format!("{number}\n")) };
        arguments.push(draft.folder(&home));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = home.run_as("ada", &arguments).expect_code(2);
    let installed = ran.stdout.lines().filter(|line| line.contains("is installed")).count();
    assert_eq!(installed, 49, "{}", ran.stdout);
    assert!(ran.stderr.contains("set-7"), "{}", ran.stderr);
    let again = home.run_as("ada", &[&arguments[..], &["--json"]].concat()).expect_code(2);
    let report = json(&again);
    let report = report.as_array().expect("a list");
    assert_eq!(report.len(), 50);
    assert_eq!(report.iter().filter(|one| one["unchanged"] == true).count(), 49);
    assert_eq!(report[6]["error"]["exit_code"], 2);
    // Two folders of one name would replace each other.
    let twin = home.write("twin/set-1/problem.yaml", "name: twin\n");
    let twin = twin.parent().expect("a folder").to_str().expect("a text").to_owned();
    home.write("twin/set-1/data/secret/1.in", "");
    home.write("twin/set-1/data/secret/1.ans", "");
    let ran = home.run_as("ada", &["problem", "push", arguments[2], &twin]).expect_code(2);
    assert!(ran.stderr.contains("'set-1' is the name of"), "{}", ran.stderr);
}

#[test]
fn a_package_comes_back_as_it_was_pushed() {
    let home = class();
    let draft = echo("back").file("attachments/templates/python3/back.py", "import sys\n");
    let folder = draft.folder(&home);
    home.run_as("ada", &["problem", "push", &folder]).expect_code(0);
    let target = home.work().join("pulled");
    let target = target.to_str().expect("a text");
    let pulled = home.run_as("bob", &["problem", "pull", "back", target]).expect_code(0);
    assert!(pulled.stdout.contains("of back"), "{}", pulled.stdout);
    assert_eq!(files(Path::new(target)), files(Path::new(&folder)));
    let twice = home.run_as("bob", &["problem", "pull", "back", target]).expect_code(2);
    assert!(twice.stderr.contains("is there already"), "{}", twice.stderr);
    // The zip is a package too: what is pushed again is the same.
    let zip = home.work().join("zipped").join("back.zip");
    std::fs::create_dir_all(zip.parent().expect("a folder")).expect("a folder");
    let zip = zip.to_str().expect("a text");
    home.run_as("bob", &["problem", "pull", "back", zip]).expect_code(0);
    let same = home.run_as("bob", &["problem", "push", zip]).expect_code(0);
    assert!(same.stdout.contains("back is unchanged"), "{}", same.stdout);
    home.run_as("kim", &["problem", "pull", "back"]).expect_code(4);
    home.run_as("ada", &["problem", "pull", "nowhere"]).expect_code(5);
}

#[test]
fn a_server_takes_no_package_by_its_path() {
    let home = class();
    let folder = echo("by-path").folder(&home);
    let program = home.write("by-path.py", RIGHT);
    let program = program.to_str().expect("a text");
    for who in ["kim", "ada"] {
        let refused = home.run_as(who, &["submit", program, "-p", &folder]).expect_code(3);
        assert!(refused.stderr.contains("judges its own problems only"), "{}", refused.stderr);
        assert!(refused.stderr.contains("problem push"), "{}", refused.stderr);
    }
    home.run_as("kim", &["problem", "push", &folder]).expect_code(4);
}

/// A connection with the rights of the daemon's owner.
async fn owner(home: &Home) -> Client {
    let text = std::fs::read(home.data().join("daemon.json")).expect("the daemon is up");
    let ready: Value = serde_json::from_slice(&text).expect("is JSON");
    let credentials = Credentials::read(&home.data().join("user.creds")).expect("are there");
    Client::connect(ready["url"].as_str().expect("a text"), &credentials).await.expect("the daemon answers")
}

/// A draft as it is sent: its hash and the archive, which the command that packs it keeps in the cache.
fn packed(draft: &Draft, home: &Home) -> (PackageHash, Vec<u8>) {
    let path = draft.zip(home);
    let opened = codementor_problems::read::open(Path::new(&path)).expect("can be judged");
    let hash = PackageHash::new(opened.files.content_hash().expect("is read")).expect("a hash");
    (hash, std::fs::read(path).expect("is read"))
}

async fn put(client: &Client, package: &PackageHash, bytes: &[u8], offset: usize, length: usize) -> u64 {
    let end = (offset + length).min(bytes.len());
    let request = PutPackage {
        package: package.clone(),
        size: bytes.len() as u64,
        offset: offset as u64,
        piece: bytes[offset..end].to_vec(),
    };
    client.request(&request).await.expect("is answered").next
}

fn install(slug: &str, package: &PackageHash, replaces: Option<Replaces>) -> InstallPackage {
    InstallPackage {
        package: package.clone(),
        slug: slug.parse().expect("a slug"),
        by_content: false,
        replaces,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_was_cut_at_any_byte_goes_on_where_it_stopped() {
    let home = class();
    let client = owner(&home).await;
    let (hash, bytes) = packed(&echo("cut"), &home);
    // A transfer that ends after each of these bytes, as a command that is killed leaves it; a piece that comes again,
    // or from the wrong place, changes nothing.
    let mut next = 0;
    for length in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, bytes.len()] {
        assert_eq!(put(&client, &hash, &bytes, next, 0).await, next as u64, "what has arrived is known");
        let there = put(&client, &hash, &bytes, next, length).await as usize;
        assert_eq!(there, (next + length).min(bytes.len()));
        assert_eq!(put(&client, &hash, &bytes, next, 1).await as usize, there.max(next + 1));
        next = there;
    }
    assert_eq!(next, bytes.len());
    let installed = client.request(&install("cut", &hash, Some(Replaces::Nothing))).await;
    assert!(matches!(installed, Ok(Install::Installed { unchanged: false, .. })), "{installed:?}");
    // What arrives damaged is refused, and sent anew from its first byte.
    let (_, other) = packed(&echo("damaged").secret("2", "x\n", "x\n"), &home);
    let (hash, bytes) = packed(&echo("damaged"), &home);
    put(&client, &hash, &other, 0, other.len()).await;
    client.request(&install("damaged", &hash, None)).await.expect_err("is refused");
    assert_eq!(put(&client, &hash, &bytes, 0, 0).await, 0);
    put(&client, &hash, &bytes, 0, bytes.len()).await;
    client.request(&install("damaged", &hash, None)).await.expect("is installed");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_push_at_once_the_second_hears_of_the_first() {
    let home = class();
    let client = owner(&home).await;
    let base = echo("shared");
    home.run_as("ada", &["problem", "push", &base.folder(&home)]).expect_code(0);
    let (base, _) = packed(&base, &home);
    let mut versions = Vec::new();
    for answer in ["three\n", "four\n"] {
        let (hash, bytes) = packed(&echo("shared").secret("2", answer, answer), &home);
        put(&client, &hash, &bytes, 0, bytes.len()).await;
        versions.push(hash);
    }
    // Both have looked at the same version before.
    let replaces = Some(Replaces::Version(base));
    let (one, other) = (
        install("shared", &versions[0], replaces.clone()),
        install("shared", &versions[1], replaces.clone()),
    );
    let (one, other) = tokio::join!(client.request(&one), client.request(&other));
    let (won, lost) = match (one, other) {
        (Ok(_), Err(lost)) => (0, lost),
        (Err(lost), Ok(_)) => (1, lost),
        both => panic!("one of them wins: {both:?}"),
    };
    assert!(lost.to_string().contains("has changed meanwhile"), "{lost}");
    assert!(lost.to_string().contains(versions[won].short()), "{lost}");
    let all = json(&home.run_as("ada", &["problem", "list", "--json"]).expect_code(0));
    let now = all.as_array().expect("a list").iter().find(|one| one["slug"] == "shared").expect("is there");
    assert_eq!(now["package"], versions[won].as_str());
    // Whoever won can ask again, as after a broken connection.
    client.request(&install("shared", &versions[won], replaces)).await.expect("is the same");
}
