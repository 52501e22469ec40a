//! Words that stand nowhere but in hidden tests, programs that try to carry them out, and corrections that do: none of
//! them reaches the model, the student over NATS, what the student can ask for, or the log.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_nats::Subscriber;
use codementor_test_model::{ModelServer, Request, Script};
use codementor_tests::canary::{CANARY, holds};
use codementor_tests::{Draft, Home, home};
use codementord::nats::auth::Creds;
use codementord::nats::connect::{Connect, Initial, connect};
use futures::StreamExt;

/// Python that is right for the sample, and does with a hidden input whatever might carry it out.
const CARRIERS: [(&str, &str); 6] = [
    ("echoes.py", "import sys\nsys.stdout.write(sys.stdin.read())\n"),
    ("complains.py", "import sys\ntext = sys.stdin.read()\nsys.stderr.write(text)\nprint(text[:5])\n"),
    ("raises.py", "text = input()\nprint(text[:5])\nassert text[0] == 'a', text\n"),
    ("exits.py", "import sys\ntext = input()\nprint(text[:5])\nif text[0] != 'a':\n    sys.exit(text)\n"),
    (
        "looks.py",
        "import os\ntext = input()\nprint(text)\nif text[0] != 'a':\n    print(os.listdir('/inputs'))\n",
    ),
    ("writes.py", "text = input()\nopen('/tmp/left.txt', 'w').write(text)\nprint(text[:5])\n"),
];
/// C that wants its inputs while it is compiled.
const INCLUDES: [(&str, &str); 2] = [
    ("embeds.c", "__asm__(\".incbin \\\"/inputs/1\\\"\");\nint main(void) { return 0; }\n"),
    ("includes.c", "#include \"/codementor/inputs/1\"\nint main(void) { return 0; }\n"),
];

/// The files of credentials below a folder.
fn credentials(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("is listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(credentials(&path));
        } else if path.extension().is_some_and(|end| end == "creds") {
            found.push(path);
        }
    }
    found
}

/// All that a student's connection can hear, from now on.
async fn hear(home: &Home, user: &str) -> Arc<Mutex<Vec<u8>>> {
    let files = credentials(&home.data().with_file_name("people").join(user));
    let creds = Creds::read(files.first().expect("has joined")).expect("are read");
    let (url, inbox) = (home.url(), format!("_INBOX.{user}"));
    let connected = connect(Connect {
        url: &url,
        creds: &creds,
        name: "test",
        inbox_prefix: &inbox,
        initial: Initial::Once,
        on_event: None,
    });
    let client = connected.await.expect("connects");
    let heard = Arc::new(Mutex::new(Vec::new()));
    for subject in [format!("{inbox}.>"), format!("cm.ev.{user}.>")] {
        let mut messages: Subscriber = client.subscribe(subject).await.expect("may hear");
        let heard = heard.clone();
        tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let mut heard = heard.lock().expect("nobody panicked");
                heard.extend_from_slice(message.subject.as_bytes());
                heard.extend_from_slice(&message.payload);
                heard.push(b'\n');
            }
        });
    }
    // An answer says that the server knows of both: it reads a connection in order.
    let _ = client.request(format!("cm.u.{user}.whoami"), "{}".into()).await.expect("is answered");
    heard
}

#[test]
fn what_is_hidden_reaches_nobody() {
    // The model sends back what students write, so that the check of a correction has the hidden tests to print.
    let model = ModelServer::start(|request: &Request| {
        let (_, text) = request.program().into_iter().next().unwrap_or_default();
        Script::correction(request, &format!("{text}\n"), "Look at what is read.")
    });
    let home = home!()
        .with("CODEMENTOR_FEEDBACK_URL", model.url())
        .with("CODEMENTOR_FEEDBACK_MODEL", "carrier")
        .configured("[feedback]\npolicy = \"full\"\nchecks = 10000\n");
    Draft::new("echo", 2)
        .sample("1", "amsel\n", "amsel\n")
        .secret(&format!("{CANARY}-name"), &format!("{CANARY} in\n"), &format!("{CANARY} out\n"))
        .install(&home);
    home.run(&["course", "create", "cs101"]).expect_code(0);
    home.run(&["assignment", "create", "cs101/hw1", "--problem", "echo:20", "--open"]).expect_code(0);
    assert_eq!(home.invite("kim", &[("cs101", "student")]), "kim");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let heard = runtime.block_on(hear(&home, "kim"));

    let mut told = Vec::new();
    for (name, text) in CARRIERS.iter().chain(&INCLUDES) {
        let file = home.write(name, text);
        let file = file.to_str().expect("a text");
        let ran = home.run_as("kim", &["submit", file, "-p", "cs101/hw1/echo", "--json", "--feedback"]);
        // On the hidden test, and the last two before any.
        let expected = match *name {
            "raises.py" | "exits.py" | "looks.py" => "RUNTIME_ERROR",
            "embeds.c" | "includes.c" => "COMPILE_ERROR",
            _ => "WRONG_ANSWER",
        };
        assert_eq!(ran.verdict(), expected, "{name}: {}", ran.stdout);
        let id = ran.id().to_string();
        told.push((format!("submit {name}"), ran.stdout + &ran.stderr));
        for command in ["watch", "show", "diff", "feedback", "hint", "fix"] {
            let ran = home.run_as("kim", &[command, &id, "--json"]);
            told.push((format!("{command} {name}"), ran.stdout + &ran.stderr));
        }
    }
    for arguments in [&["history", "--json"][..], &["due", "--all", "--json"], &["export", "-"]] {
        let ran = home.run_as("kim", arguments).expect_code(0);
        told.push((arguments.join(" "), ran.stdout));
    }
    for (what, text) in &told {
        assert!(!holds(text.as_bytes()), "{what}: {text}");
    }
    // That there was something to find: the samples, by the same ways.
    assert!(told.iter().any(|(_, text)| text.contains("amsel")), "the samples are told");
    let journal: String = model.journal().requests().iter().map(Request::text).collect();
    assert!(model.journal().len() >= CARRIERS.len() && journal.contains("amsel"), "{journal}");
    assert!(!holds(journal.as_bytes()), "the model was sent it: {journal}");
    let heard = heard.lock().expect("nobody panicked").clone();
    assert!(heard.windows(9).any(|window| window == b"cm.ev.kim"), "events were heard");
    assert!(!holds(&heard), "NATS carried it: {}", String::from_utf8_lossy(&heard));
    assert!(!holds(home.log().as_bytes()), "the log holds it");
}
