//! What cannot be done is said clearly, ends with the right exit code, and leaves nothing behind.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codementor_tests::{Draft, Home, Ran, Shared, home, wait_until};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::Value;

/// Nobody ever submits anything here that can be judged.
static SHARED: Shared = Shared::new();

/// The largest source that may be sent.
const MOST: usize = 512 * 1024;

fn shared() -> Arc<Home> {
    SHARED.get(|| {
        let home = home!();
        Draft::new("echo", 1).sample("1", "a\n", "a\n").install(&home);
        Draft::new("hidden-only", 1).secret("1", "a\n", "a\n").install(&home);
        home
    })
}

fn run(home: &Home, dir: &Path, arguments: &[OsString]) -> Ran {
    let mut command = home.codementor(&[]);
    Ran::of(command.args(arguments).current_dir(dir))
}

/// Nothing of all this is kept.
#[track_caller]
fn check_nothing_is_recorded(home: &Home) {
    assert_eq!(home.run(&["history", "--json"]).expect_code(0).stdout, "[]\n");
    let list: Value =
        serde_json::from_str(&home.run(&["list", "--json"]).expect_code(0).stdout).expect("JSON");
    let slugs: Vec<&str> =
        list.as_array().expect("an array").iter().filter_map(|it| it["slug"].as_str()).collect();
    assert_eq!(slugs, ["echo", "hidden-only"]);
}

/// A command, its exit code, and what it says: what is wrong, and what to do.
struct Row<'a> {
    arguments: Vec<&'a [u8]>,
    code: i32,
    says: &'a [&'a str],
}

fn row<'a, const N: usize>(
    arguments: [&'a (impl AsRef<[u8]> + ?Sized); N],
    code: i32,
    says: &'a [&'a str],
) -> Row<'a> {
    Row { arguments: arguments.map(AsRef::as_ref).to_vec(), code, says }
}

fn check(home: &Home, dir: &Path, rows: &[Row]) {
    for Row { arguments, code, says } in rows {
        let arguments: Vec<OsString> = arguments.iter().map(|it| OsStr::from_bytes(it).to_owned()).collect();
        let ran = run(home, dir, &arguments);
        assert_eq!(ran.code, Some(*code), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        for part in *says {
            assert!(ran.stderr.contains(part), "{arguments:?} does not say '{part}': {}", ran.stderr);
        }
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains('\x1b'), "{}", ran.stderr);
        let streams = ["submit", "test", "watch"].map(OsString::from).contains(&arguments[0]);
        if !streams || ran.stderr.contains("--help") {
            continue;
        }
        // The same for programs: an error, and one end with that code. What ends the options stays before the files.
        let at = arguments.iter().position(|it| it == "--").unwrap_or(arguments.len());
        let mut with_json = arguments.clone();
        with_json.insert(at, "--json".into());
        let json = run(home, dir, &with_json).expect_code(*code);
        let kinds: Vec<Value> = json.events().iter().map(|event| event["type"].clone()).collect();
        assert_eq!(kinds, ["error", "end"], "{with_json:?}: {}", json.stdout);
        let numbers: Vec<Value> = json.events().iter().map(|event| event["seq"].clone()).collect();
        assert_eq!(numbers, [1, 2], "{}", json.stdout);
        assert_eq!(json.event("end")["exit_code"], *code);
        let error = json.event("error");
        let said = format!("{} {}", error["message"], error["hint"]);
        assert!(error["code"].is_string() && error["retryable"] == false, "{error}");
        assert!(said.len() > 10, "{said}");
    }
}

#[test]
fn programs_that_cannot_be_sent() {
    let home = shared();
    let file = |name: &str, content: &[u8]| home.write(&format!("sources/{name}"), content);
    file("good.py", b"print(input())\n");
    file("good.cpp", b"int main() {}\n");
    file("empty.py", b"");
    file("blank.py", b" \n\t\n");
    file("binary.py", b"\x7fELF\x02\x01\x01\0\0\0");
    file("long.py", &vec![b'#'; MOST + 1]);
    file("half.py", &vec![b'#'; MOST / 2 + 1]);
    file("other-half.py", &vec![b'#'; MOST / 2 + 1]);
    file("latin.py", b"# caf\xe9 \xff\nprint(1)\n");
    // "# 합계" as a Korean Windows editor saves it.
    file("korean.py", b"# \xc7\xd5\xb0\xe8\nprint(1)\n");
    file("wide.py", b"\xff\xfep\0r\0i\0n\0t\0");
    file("notes.txt", b"print(1)\n");
    file("-dash.py", b"print(1)\n");
    file(".hidden.py", b"print(1)\n");
    file("two\nlines.py", b"print(1)\n");
    file("back\\slash.py", b"print(1)\n");
    file("folder.py/inner.py", b"print(1)\n");
    file("deep/good.py", b"print(1)\n");
    file("alone/notes.txt", b"nothing to see\n");
    let long_name = format!("{}.py", "n".repeat(240));
    file(&long_name, b"print(1)\n");
    let dir = home.work().join("sources");
    let nameless = [b"bad-\xff.py".as_slice()];
    std::fs::write(dir.join(OsStr::from_bytes(nameless[0])), "print(1)\n").expect("is written");

    let submit = |arguments: &[&'static str]| [&["submit", "-p", "echo"], arguments].concat();
    #[rustfmt::skip]
    let table: &[(Vec<&str>, i32, &[&str])] = &[
        // arguments,                                   code, what it says
        (submit(&["missing.py"]),                       2, &["missing.py", "there is no such file"]),
        (submit(&["empty.py"]),                         2, &["empty.py is empty", "has it been saved?"]),
        (submit(&["blank.py"]),                         2, &["blank.py is empty"]),
        (submit(&["binary.py"]),                        2, &["not a text file", "send the source, not the compiled program"]),
        (submit(&["long.py"]),                          2, &["larger than 512 KiB", "read large tables from the input"]),
        (submit(&["half.py", "other-half.py"]),         2, &["larger than 512 KiB"]),
        (submit(&["latin.py"]),                         2, &["latin.py is not UTF-8: byte 5 is 0xe9", "save it as UTF-8"]),
        (submit(&["korean.py"]),                        2, &["CP949", "iconv -f CP949 -t UTF-8 korean.py"]),
        (submit(&["wide.py"]),                          2, &["UTF-16", "iconv -f UTF-16"]),
        (submit(&["notes.txt"]),                        2, &["notes.txt is in no language", "-l"]),
        (submit(&["notes.txt", "-l", "python3"]),       2, &["cannot be a Python 3 file", ".py"]),
        (submit(&["good.py", "good.cpp"]),              2, &["good.py is Python 3 and good.cpp is C++", "one language at a time"]),
        (submit(&["good.py", "-l", "pyhton3"]),         2, &["unknown language 'pyhton3'", "did you mean python3?"]),
        (submit(&["good.py", "-l", "brainwave"]),       2, &["unknown language 'brainwave'", "python3", "rust"]),
        (submit(&["good.py", "deep/good.py"]),          2, &["two of the files are named good.py", "rename"]),
        (submit(&["folder.py"]),                        2, &["folder.py is a folder", "name the files in it"]),
        (submit(&[".."]),                               2, &[".. is a folder"]),
        (submit(&["two\nlines.py"]),                    2, &["\"two\\nlines.py\" cannot be used", "rename"]),
        (submit(&["back\\slash.py"]),                   2, &["backslash", "rename"]),
        (submit(&["--", "-dash.py"]),                   2, &["-dash.py", "begins with", "rename"]),
        (submit(&[".hidden.py"]),                       2, &[".hidden.py", "begins with", "rename"]),
        (submit(&[&*long_name.clone().leak()]),         2, &["200 bytes", "rename"]),
        (submit(&["-dash.py"]),                         2, &["--help"]),
        (submit(&["good.py", "--entry", "god.py"]),     2, &["god.py", "good.py"]),
        (submit(&[]),                                   2, &["source files here", "good.py"]),
        (vec!["submit", "good.py"],                     2, &["which problem?", "-p PROBLEM"]),
        (vec!["submit", "good.py", "-p", "ehco"],       5, &["ehco", "did you mean 'echo'?"]),
        (vec!["submit", "good.py", "-p", "zzzzzzzz"],   5, &["zzzzzzzz", "codementor list"]),
        (vec!["submit", "good.py", "-p", "Echo!"],      2, &["'Echo!' is no problem name", "codementor list"]),
        (vec!["submit", "good.py", "-p", "./nowhere"],  2, &["there is no problem package at ./nowhere"]),
        (vec!["submit", "good.py", "-p", "./deep"],     2, &["no problem.yaml in it", "a folder with a problem.yaml, or a zip"]),
        (vec!["test", "good.py", "-p", "ehco"],         5, &["did you mean 'echo'?"]),
        (vec!["test", "good.py", "-p", "hidden-only"],  6, &["has no samples", "submit"]),
        (vec!["submit"],                                2, &["which problem?"]),
    ];
    let mut rows: Vec<Row> = table
        .iter()
        .map(|(arguments, code, says)| Row {
            arguments: arguments.iter().map(|it| it.as_bytes()).collect(),
            code: *code,
            says,
        })
        .collect();
    rows.push(row([b"submit".as_slice(), b"-p", b"echo", nameless[0]], 2, &["not UTF-8", "rename"]));
    check(&home, &dir, &rows);
    check(&home, &dir.join("alone"), &[row(["submit", "-p", "echo"], 6, &["there is no source file in"])]);
    check_nothing_is_recorded(&home);
}

#[test]
fn names_that_are_odd_and_can_be_sent() {
    // A home of its own: these are recorded.
    let home = home!();
    Draft::new("echo", 1).sample("1", "a\n", "a\n").install(&home);
    for name in ["my program.py", "a-b--c.py", "합계 $(id) ; 'x'.py"] {
        let file = home.write(&format!("odd names/{name}"), "print(input())\n");
        let ran = home.submit(&file, "echo").expect_code(0);
        let shown = home.run(&["show", &ran.id().to_string()]).expect_code(0);
        assert!(shown.stdout.contains(name), "{}", shown.stdout);
    }
    let source =
        "#include <iostream>\nint main() { std::string s; std::cin >> s; std::cout << s << '\\n'; }\n";
    let file = home.write("odd names/my main $HOME.cpp", source);
    home.submit(&file, "echo").expect_code(0);
}

#[test]
fn submissions_that_are_not_there() {
    let home = shared();
    let rows = [
        row(["show", "999"], 5, &["you have no submission #999", "codementor history"]),
        row(["show", "999", "--json"], 5, &["#999"]),
        row(["show", "999", "--code"], 5, &["#999"]),
        row(["diff", "999"], 5, &["#999", "codementor history"]),
        row(["watch", "999"], 5, &["#999", "codementor history"]),
        row(["cancel", "999"], 5, &["#999", "codementor history"]),
        row(["show"], 5, &["you have not submitted anything yet", "codementor submit FILE -p PROBLEM"]),
        row(["diff"], 5, &["you have not submitted anything yet"]),
        row(["watch"], 5, &["you have not submitted anything yet"]),
        row(["cancel"], 5, &["you have not submitted anything yet"]),
        row(["show", "twelve"], 2, &["twelve", "--help"]),
        row(["watch", "1", "--from", "0"], 2, &["--from", "--help"]),
        row(["history", "-p", "ehco"], 5, &["ehco", "did you mean 'echo'?"]),
        row(["history", "-p", "no such"], 2, &["no problem name"]),
        row(["history", "-n", "0"], 2, &["--help"]),
    ];
    check(&home, &home.work(), &rows);
    check_nothing_is_recorded(&home);
}

#[test]
fn packages_that_cannot_be_judged() {
    let home = shared();
    let sound = |slug: &str| Draft::new(slug, 1).sample("1", "a\n", "a\n");
    let yaml = "problem_format_version: legacy\nname: [unclosed\nlimits: {time: 1}\n";
    let drafts: [(Draft, &[&str]); 6] = [
        (Draft::new("no-tests", 1), &["has no tests", "data/sample and data/secret"]),
        (sound("broken-yaml").file("problem.yaml", yaml), &["problem.yaml", "is not YAML that can be read"]),
        (sound("no-answer").file("data/secret/7.in", "a\n"), &["data/secret/7.in", "has no answer", "7.ans"]),
        (sound("no-input").file("data/secret/7.ans", "a\n"), &["data/secret/7.ans", "has no input"]),
        (
            sound("interactive").file("problem.yaml", "name: x\nvalidation: custom interactive\n"),
            &["not supported yet"],
        ),
        (
            sound("bad-limit").file("problem.yaml", "name: x\nlimits:\n    memory: lots\n"),
            &["memory", "must be"],
        ),
    ];
    let program = home.write("program.py", "print(input())\n");
    let program = program.to_str().expect("a text");
    for (draft, says) in &drafts {
        for path in [draft.folder(&home), draft.zip(&home)] {
            let rows = [
                row(["problem", "push", &path], 2, says),
                row(["submit", program, "-p", &path], 2, says),
                row(["test", program, "-p", &path], 2, says),
            ];
            check(&home, &home.work(), &rows);
        }
    }
    // Zips lie about where their files belong.
    let outside = home.work().parent().expect("the home").join("outside.txt");
    for name in ["../../outside.txt", "/tmp/codementor-outside.txt", "data/../../outside.txt"] {
        let path = sound("outside").file(name, "was here").zip(&home);
        let says = ["leads outside the package"];
        check(
            &home,
            &home.work(),
            &[row(["problem", "push", &path], 2, &says), row(["submit", program, "-p", &path], 2, &says)],
        );
    }
    assert!(!outside.exists() && !Path::new("/tmp/codementor-outside.txt").exists());
    // So do links.
    let linked = sound("linked").folder(&home);
    std::os::unix::fs::symlink("/etc/passwd", PathBuf::from(&linked).join("data/secret-of-the-host.in"))
        .expect("a link");
    check(&home, &home.work(), &[row(["problem", "push", &linked], 2, &["outside the package"])]);
    let text = home.write("packages/text.zip", "this is no zip");
    let rows = [
        row(["problem", "push", text.to_str().expect("a text")], 2, &["zip"]),
        row(["problem", "push", "./nowhere"], 2, &["nowhere"]),
        row(["problem", "push", program], 2, &["neither a folder nor a zip"]),
        row(["problem", "push"], 2, &["--help"]),
    ];
    check(&home, &home.work(), &rows);
    check_nothing_is_recorded(&home);
}

#[test]
fn settings_that_make_no_sense() {
    let home = home!();
    let config = home.write("config.toml", "slots = 1\nslotz = 2\n");
    let config = config.to_str().expect("a text");
    let rows = [
        row(["list", "--config", config], 2, &["slotz", "line 2"]),
        row(["list", "--config", "nowhere.toml"], 2, &["nowhere.toml"]),
        row(["list", "--slots", "9999"], 2, &["slots is 9999", "512"]),
        row(["list", "--nats-url", "nats://127.0.0.1:1"], 2, &["--creds"]),
        row(
            ["list", "--nats-url", "nats://127.0.0.1:1", "--creds", "nowhere.creds"],
            4,
            &["nowhere.creds", "--creds FILE"],
        ),
        row(["list", "--data-dir", "/proc/nowhere"], 69, &["/proc/nowhere", "--data-dir DIR"]),
        row(["runners", "build", "pyhton3"], 2, &["did you mean python3?"]),
        row(["lits"], 2, &["list", "--help"]),
    ];
    check(&home, &home.work(), &rows);
    assert!(!home.data().exists(), "no daemon was started for any of these");
}

/// A data directory on a small disk of its own, which can be filled.
struct SmallDisk<'a> {
    home: &'a Home,
}

impl<'a> SmallDisk<'a> {
    /// `None` where this process may not mount anything: there is no other way to a disk that is full for one daemon
    /// and not for everything else on this machine.
    fn new(home: &'a Home) -> Option<Self> {
        std::fs::create_dir(home.data()).expect("the directory is made");
        match mount("tmpfs", home.data(), "tmpfs", MountFlags::empty(), c"size=32m,mode=0700") {
            Ok(()) => Some(Self { home }),
            Err(Errno::PERM) => None,
            Err(error) => panic!("a small disk cannot be mounted: {error}"),
        }
    }

    fn filler(&self) -> PathBuf {
        self.home.data().join("filler")
    }

    /// Leaves no room at all.
    fn fill(&self) {
        let mut file =
            File::options().create(true).append(true).open(self.filler()).expect("the file is opened");
        let error = loop {
            if let Err(error) = file.write_all(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    }

    fn free(&self) {
        std::fs::remove_file(self.filler()).expect("it is there");
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // A daemon that does not stop is stopped by its idle time; the disk goes with its last user.
        let _ = std::fs::remove_file(self.filler());
        let _ = self.home.run(&["down"]);
        unmount(self.home.data(), UnmountFlags::DETACH).expect("it was mounted");
    }
}

#[test]
fn on_a_full_disk_nothing_is_lost_and_later_everything_works() {
    let home = home!();
    let Some(disk) = SmallDisk::new(&home) else {
        println!("not run: mounting a small disk needs the privilege to mount");
        return;
    };
    let history = |count: usize| {
        let ran = home.run(&["history", "--json"]).expect_code(0);
        let all: Value = serde_json::from_str(&ran.stdout).expect("is JSON");
        assert_eq!(all.as_array().map(Vec::len), Some(count), "{}", ran.stdout);
    };
    Draft::new("echo", 20).sample("1", "a\n", "a\n").install(&home);
    let program = home.write("program.py", "print(input())\n");
    home.submit(&program, "echo").expect_code(0);

    disk.fill();
    let refused = home.submit(&program, "echo").expect_code(75);
    let error = refused.event("error");
    assert_eq!((&error["code"], &error["retryable"]), (&Value::from("later"), &Value::from(true)));
    assert!(error["message"].as_str().is_some_and(|message| message.contains("disk is full")), "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("free some space")), "{error}");
    assert_eq!(refused.event("end")["exit_code"], 75);
    let another = Draft::new("another", 1).sample("1", "b\n", "b\n").folder(&home);
    let pushed = home.run(&["problem", "push", &another]).expect_code(75);
    assert!(pushed.stderr.contains("full") && pushed.stderr.contains("free some space"), "{}", pushed.stderr);
    // Looking needs no room.
    history(1);
    disk.free();
    home.submit(&program, "echo").expect_code(0);
    home.run(&["problem", "push", &another]).expect_code(0);
    history(2);

    // In the middle of a job.
    let slow = home.write("slow.py", "import time\ntime.sleep(3)\nprint(input())\n");
    let slow = slow.to_str().expect("a text");
    let id = home.run(&["submit", slow, "-p", "echo", "--no-wait", "--json"]).expect_code(0).id().to_string();
    wait_until("it runs", || {
        home.run(&["watch", &id, "--timeout", "0", "--json"]).stdout.contains("\"started\"")
    });
    disk.fill();
    let watched = home.run(&["watch", &id, "--timeout", "5", "--json"]).expect_code(8);
    assert!(
        !watched.stdout.contains("\"result\""),
        "nothing is told before it is on disk: {}",
        watched.stdout
    );
    disk.free();
    assert_eq!(home.run(&["watch", &id, "--json"]).expect_code(0).verdict(), "ACCEPTED");

    // From the start.
    home.run(&["down"]).expect_code(0);
    disk.fill();
    let ran = home.run(&["up"]).expect_code(75);
    assert!(ran.stderr.contains("full") && ran.stderr.contains("free some space"), "{}", ran.stderr);
    disk.free();
    history(3);
    home.submit(&program, "echo").expect_code(0);
}
