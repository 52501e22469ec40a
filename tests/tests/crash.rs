//! Whatever is killed, and whenever: every submission that was accepted reaches exactly one end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use codementor_runners::Engine;
use codementor_tests::{Home, home, wait_until};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};

const SUBMISSIONS: u64 = 200;
const KILLS: usize = 50;

/// What can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Daemon,
    Nats,
    Containers,
}

/// How far the life of a submission had come when everything died. The steps are those between which something can
/// be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Accepted,
    Published,
    Started,
    Compiled,
    Tested,
    Ended,
}

/// How many steps there are.
const STEPS: usize = 6;

fn database(home: &Home) -> Option<Connection> {
    let path = home.data().join("codementor.db");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()
}

/// The steps that the submissions in the database have come to.
fn steps(home: &Home) -> BTreeMap<Step, u64> {
    let mut steps = BTreeMap::new();
    let Some(db) = database(home) else { return steps };
    let sql = "SELECT s.state, o.sequence,
                      (SELECT json_extract(body, '$.type') FROM events e WHERE e.submission = s.id ORDER BY seq DESC LIMIT 1)
               FROM submissions s LEFT JOIN outbox o ON o.submission = s.id";
    let mut statement = db.prepare(sql).expect("the schema is as it is");
    let rows = statement
        .query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<String>>(2)?))
        })
        .expect("the rows are read");
    for row in rows {
        let (state, sequence, last) = row.expect("a row is read");
        let step = match (state.as_str(), sequence, last.as_deref()) {
            ("queued", None, _) => Step::Accepted,
            ("queued", Some(_), _) => Step::Published,
            ("running", _, Some("compiled")) => Step::Compiled,
            ("running", _, Some("test")) => Step::Tested,
            ("running", _, _) => Step::Started,
            _ => Step::Ended,
        };
        *steps.entry(step).or_default() += 1;
    }
    steps
}

/// How many submissions have not ended.
fn open(home: &Home) -> u64 {
    steps(home).into_iter().filter(|(step, _)| *step != Step::Ended).map(|(_, count)| count).sum()
}

fn kill(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have been killed, or have ended, already.
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn nats_pid(home: &Home) -> Option<i32> {
    let text = std::fs::read_to_string(home.data().join("nats/nats.pid")).ok()?;
    let pid = text.trim().parse().ok()?;
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    program.to_string_lossy().contains("nats-server").then_some(pid)
}

fn kill_containers(home: &Home, runtime: &tokio::runtime::Runtime, engine: &Engine) {
    let Ok(instance) = std::fs::read_to_string(home.data().join("instance.id")) else { return };
    runtime.block_on(async {
        // Every other instance counts as alive, so that nothing of theirs is touched.
        let others = |other: &str, _: Option<&Path>| other != instance.trim();
        codementor_runners::container::remove_strays(engine, others).await.expect("the engine answers");
    });
}

fn is_alive(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn every_accepted_submission_ends_exactly_once_whatever_is_killed() {
    let seed = rand::rng().random::<u64>();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let home = home!().with("CODEMENTOR_ACK_WAIT", 2).with("CODEMENTOR_MAX_DELIVER", 100);
    let library = codementor_tests::library();
    home.run(&["problem", "push", library.join("hello").to_str().expect("a text")]).expect_code(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let engine = runtime.block_on(Engine::connect(None)).expect("an engine");
    let accepted = std::sync::Mutex::new(BTreeSet::new());
    let (submitted, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (mut kills, mut seen) = (BTreeMap::new(), BTreeSet::new());

    std::thread::scope(|scope| {
        scope.spawn(|| {
            // For as long as there is killing there is work, but no more than a restart can catch up with.
            while submitted.load(Ordering::Relaxed) < SUBMISSIONS || !stop.load(Ordering::Relaxed) {
                if open(&home) > 20 && !stop.load(Ordering::Relaxed) {
                    // why: makes room for the others; nothing is decided by the time that passes.
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                }
                let number = submitted.load(Ordering::Relaxed);
                let hello = "print('Hello, CodeMentor!')";
                let usual = ["-p", "hello", "--no-wait", "--json"];
                let file = home.write(&format!("hello{number}.py"), format!("{hello}  # {number}\n"));
                let file = file.to_str().expect("a text");
                let ran = if number % 2 == 0 {
                    home.run(&[&["submit", file], &usual[..]].concat())
                } else {
                    // Takes its time, so that there is something to be killed in the middle of; and has two files, so
                    // that it is checked before its first case, and there is a time between the two.
                    let slow = home.write("slow.py", "import time\ntime.sleep(0.15)\n");
                    std::fs::write(file, format!("import slow\n{hello}  # {number}\n")).expect("is written");
                    let entry = format!("hello{number}.py");
                    let both = ["submit", file, slow.to_str().expect("a text"), "--entry", &entry];
                    home.run(&[&both, &usual[..]].concat())
                };
                // What was killed before it answered has promised nothing.
                if ran.code == Some(0) {
                    accepted.lock().expect("no thread panicked").insert(ran.id());
                    submitted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let started = Instant::now();
        while kills.values().sum::<usize>() < KILLS || seen.len() < STEPS {
            assert!(
                started.elapsed() < Duration::from_secs(900),
                "not all steps were met: {seen:?} {kills:?}"
            );
            let Some(pid) = home.daemon_pid().filter(|pid| is_alive(*pid)) else {
                home.run(&["up"]);
                continue;
            };
            // why: the moment of the kill is what is random here; nothing is decided by the time that passes.
            std::thread::sleep(Duration::from_millis(random.random_range(0..900)));
            let victim = match random.random_range(0..4) {
                0 => Victim::Nats,
                1 => Victim::Containers,
                _ => Victim::Daemon,
            };
            match victim {
                Victim::Daemon => {
                    kill(pid);
                    wait_until("the daemon is gone", || !is_alive(pid));
                    // Nothing writes any more: this is what the crash has left.
                    seen.extend(steps(&home).into_keys());
                }
                Victim::Nats => nats_pid(&home).into_iter().for_each(kill),
                Victim::Containers => kill_containers(&home, &runtime, &engine),
            }
            *kills.entry(victim).or_insert(0) += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });

    home.run(&["up"]).expect_code(0);
    let accepted = accepted.into_inner().expect("no thread panicked");
    println!("kills {kills:?}, steps {seen:?}, accepted {}", accepted.len());
    assert!(accepted.len() as u64 >= SUBMISSIONS);
    wait_until("nothing waits", || {
        database(&home).is_some_and(|db| {
            db.query_row("SELECT count(*) FROM outbox", [], |row| row.get::<_, i64>(0))
                .is_ok_and(|open| open == 0)
        })
    });
    let db = database(&home).expect("the database is there");
    for id in accepted {
        let mut statement = db
            .prepare(
                "SELECT seq, json_extract(body, '$.type') FROM events WHERE submission = ?1 ORDER BY seq",
            )
            .expect("the schema is as it is");
        let events: Vec<(i64, String)> = statement
            .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("the events are read")
            .collect::<Result<_, _>>()
            .expect("an event is read");
        let numbers: Vec<i64> = events.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(numbers, (1..=events.len() as i64).collect::<Vec<_>>(), "#{id}: {events:?}");
        let count = |kinds: &[&str]| events.iter().filter(|(_, kind)| kinds.contains(&kind.as_str())).count();
        assert_eq!(count(&["result", "error", "cancelled"]), 1, "#{id} (seed {seed}): {events:?}");
        assert_eq!(count(&["end"]), 1, "#{id} (seed {seed}): {events:?}");
        assert_eq!(events.last().map(|(_, kind)| kind.as_str()), Some("end"), "#{id}: {events:?}");
    }
    let wrong: i64 = db
        .query_row(
            "SELECT count(*) FROM submissions WHERE verdict IS NOT NULL AND verdict <> 'ACCEPTED'",
            [],
            |row| row.get(0),
        )
        .expect("the verdicts are counted");
    assert_eq!(wrong, 0, "a crash must not turn a right program into a wrong one (seed {seed})");
}
