//! A class that listens: what it costs the daemon and the NATS server while nothing happens, and whether one of them waits
//! longer for a verdict.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use async_nats::Subscriber;
use codementor::client::{Client, Credentials};
use codementor_protocol::{AssignmentId, EventKind, JobEvent, MakeCode, Submit};
use codementor_tests::peer::{enrol, within};
use codementor_tests::wait_until;
use futures::{StreamExt, TryStreamExt};

use crate::rows::{Bench, print};
use crate::{median, ms};

/// How many students the class has.
const STUDENTS: usize = 500;
/// How many of them join, or connect, at the same time.
const AT_ONCE: usize = 16;
/// How often the others come and go, and how many verdicts are timed each time.
const TURNS: usize = 3;
const ROUNDS: usize = 9;
/// How long it is watched what nothing costs.
const IDLE: Duration = Duration::from_secs(10);

/// A connection of a student's own that listens as `watch` does.
struct Listening {
    client: Client,
    events: Subscriber,
}

/// A row of the table.
pub(crate) fn students(bench: &Bench) {
    let home = bench.home();
    home.run(&["course", "create", "crowd"]).expect_code(0);
    home.run(&["assignment", "create", "crowd/hw", "--problem", "sums1", "--open"]).expect_code(0);
    let assignment: AssignmentId = "crowd/hw".parse().expect("an assignment");
    let url = home.url();
    let class = bench.wait(join(bench, &url));
    let nats = std::fs::read_to_string(home.data().join("nats/nats.pid")).expect("the NATS server runs");
    let daemon = Process::new(home.daemon_pid().expect("the daemon runs"));
    let nats = Process::new(nats.trim().parse().expect("is a number"));

    let mut first = bench.wait(listen(&url, &class[0]));
    let submit = || Submit { assignment: Some(assignment.clone()), ..bench.submission("sums1") };
    bench.wait(verdict(&mut first, &submit()));
    let connections = nats.sockets();
    let alone = idle([&daemon, &nats]);
    let (mut few, mut many, mut crowded) = (vec![], vec![], None);
    for _ in 0..TURNS {
        (0..ROUNDS).for_each(|_| few.push(bench.wait(verdict(&mut first, &submit()))));
        let others = bench.wait(async {
            let connecting = class[1..].iter().map(|credentials| listen(&url, credentials));
            futures::stream::iter(connecting).buffered(AT_ONCE).collect::<Vec<_>>().await
        });
        (0..ROUNDS).for_each(|_| many.push(bench.wait(verdict(&mut first, &submit()))));
        crowded.get_or_insert_with(|| idle([&daemon, &nats]));
        drop(others);
        wait_until("the others are gone", || nats.sockets() <= connections);
    }
    let (few, many) = (median(few), median(many));
    print(
        &format!("a verdict with {STUDENTS} students connected, submit to result"),
        "with one",
        "1.2",
        format!("{:.2} ({:.1} ms / {:.1} ms)", ms(many) / ms(few), ms(many), ms(few)),
    );
    let crowded = crowded.expect("was measured");
    for (place, name) in ["the daemon", "the NATS server"].iter().enumerate() {
        let (with, without) = (&crowded[place], &alone[place]);
        print(
            &format!("{name}, idle, with {STUDENTS} connected"),
            "with one",
            "",
            format!(
                "{:.0} MiB, {:.1} % of a core / {:.0} MiB, {:.1} %",
                with.rss_mib, with.cpu_percent, without.rss_mib, without.cpu_percent
            ),
        );
    }
}

/// Lets the class join, each with a key of its own.
async fn join(bench: &Bench, url: &str) -> Vec<Credentials> {
    let owner = bench.connect().await;
    let make = MakeCode {
        course: "crowd".parse().expect("a course"),
        role: codementor_protocol::CourseRole::Student,
        lasts_s: 3600,
        uses: None,
        roster_only: false,
    };
    let code = owner.request(&make).await.expect("is made").code;
    let gate = Client::connect_as_nobody(url, None).await.expect("is let in to ask");
    let names: Vec<String> = (0..STUDENTS).map(|number| format!("crowd {number}")).collect();
    let joining = names.iter().map(|name| async {
        let creds = enrol(&gate, &code, name).await;
        Credentials::parse(&creds.to_string())
    });
    futures::stream::iter(joining).buffered(AT_ONCE).try_collect().await.expect("are credentials")
}

async fn listen(url: &str, credentials: &Credentials) -> Listening {
    let client = within(Client::connect(url, credentials)).await.expect("connects");
    let events = client.hear_events().await.expect("hears");
    // Answered after the subscription has arrived: then it stands.
    client.request(&codementor_protocol::WhoAmI {}).await.expect("is answered");
    Listening { client, events }
}

/// How long it takes from a submission to its result.
async fn verdict(student: &mut Listening, submit: &Submit) -> Duration {
    let start = Instant::now();
    let id = student.client.request(submit).await.expect("is accepted").id;
    within(async {
        loop {
            let message = student.events.next().await.expect("the connection stands");
            let event: JobEvent = serde_json::from_slice(&message.payload).expect("is an event");
            if event.submission == id && matches!(event.kind, EventKind::Result(_)) {
                return start.elapsed();
            }
        }
    })
    .await
}

/// What a process takes while nothing happens.
struct Load {
    rss_mib: f64,
    cpu_percent: f64,
}

fn idle(processes: [&Process; 2]) -> [Load; 2] {
    let (start, before) = (Instant::now(), processes.map(Process::cpu));
    // why: what is measured is this very time.
    std::thread::sleep(IDLE);
    let elapsed = start.elapsed();
    let mut before = before.into_iter();
    processes.map(|process| {
        let used = process.cpu() - before.next().expect("as many as processes");
        Load { rss_mib: process.rss_mib(), cpu_percent: used.as_secs_f64() / elapsed.as_secs_f64() * 100.0 }
    })
}

/// A process of this machine.
struct Process(PathBuf);

impl Process {
    fn new(pid: i32) -> Self {
        Self(format!("/proc/{pid}").into())
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).expect("the process lives")
    }

    /// Its time on a processor, which the kernel tells in hundredths of a second.
    fn cpu(&self) -> Duration {
        let stat = self.read("stat");
        // The name in parentheses may hold anything.
        let fields: Vec<&str> = stat.rsplit(") ").next().expect("a line").split(' ').collect();
        let ticks = |place: usize| fields[place].parse::<u64>().expect("is a number");
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    fn rss_mib(&self) -> f64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("is a number") / 1024.0
    }

    fn sockets(&self) -> usize {
        let open = std::fs::read_dir(self.0.join("fd")).expect("the process lives").flatten();
        // What was closed meanwhile is none.
        let target = |file: std::fs::DirEntry| std::fs::read_link(file.path()).ok();
        open.filter_map(target).filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    }
}
