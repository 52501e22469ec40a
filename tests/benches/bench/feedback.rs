//! What feedback costs those who wait: for the verdict, and for the first words of a hint.

use std::time::{Duration, Instant};

use async_nats::Subscriber;
use codementor::client::{Client, Credentials};
use codementor_protocol::{EventKind, JobEvent, LanguageId, Purpose, Slug, SourceFile, SubmissionId, Submit};
use codementor_tests::{Home, home};
use futures::StreamExt;

use crate::endpoint::Endpoint;
use crate::rows::Bench;
use crate::{median, ms, p95, packages};

/// How often each side is run: p95 of fewer is chance. Sides that are compared need more.
const ROUNDS: usize = 300;
const COMPARED_ROUNDS: usize = 1000;
const PROBLEM: &str = "sums10";

/// A student of a private daemon, by a connection that stays.
struct Student<'a> {
    bench: &'a Bench,
    client: Client,
    heard: Subscriber,
    /// The last submission.
    last: Option<SubmissionId>,
}

/// A daemon with the problem.
fn ready(bench: &Bench, home: Home) -> Home {
    let package = packages::sums(&home.work(), PROBLEM, 10);
    home.run(&["problem", "push", package.to_str().expect("a text")]).expect_code(0);
    // The first one warms the sandboxes up.
    let mut student = Student::of(bench, &home);
    student.submit();
    student.hear(|kind| matches!(kind, EventKind::Result(_)));
    home
}

impl<'a> Student<'a> {
    fn of(bench: &'a Bench, home: &Home) -> Self {
        let credentials = Credentials::read(&home.data().join("user.creds")).expect("are there");
        let connect = async {
            let client = Client::connect(&home.url(), &credentials).await.expect("the daemon answers");
            let heard = client.hear_events().await.expect("hears");
            (client, heard)
        };
        let (client, heard) = bench.runtime().block_on(connect);
        Self { bench, client, heard, last: None }
    }

    /// Hands in a wrong program that nobody has handed in before, and returns when that began.
    fn submit(&mut self) -> Instant {
        let nonce = self.bench.nonce();
        let text = format!("a, b = map(int, input().split())\nprint(a + b + {nonce})\n");
        let submit = Submit {
            key: format!("bench-{nonce:012}"),
            purpose: Purpose::Submission,
            problem: Slug::new(PROBLEM).expect("a name"),
            package: None,
            language: LanguageId::new("python3").expect("a language"),
            files: vec![SourceFile { name: "sum.py".into(), text }],
            entry: None,
            feedback: true,
            answer_in: None,
            assignment: None,
            confirmed: false,
        };
        let began = Instant::now();
        let submitted = self.bench.runtime().block_on(self.client.request(&submit)).expect("is accepted");
        self.last = Some(submitted.id);
        began
    }

    /// Waits for an event of the last submission, and returns when it came.
    fn hear(&mut self, wanted: fn(&EventKind) -> bool) -> Instant {
        let (heard, last) = (&mut self.heard, self.last);
        let wait = async {
            loop {
                let message = heard.next().await.expect("the daemon is there");
                let event: JobEvent = serde_json::from_slice(&message.payload).expect("an event");
                if Some(event.submission) == last && wanted(&event.kind) {
                    return Instant::now();
                }
            }
        };
        let wait = async { tokio::time::timeout(codementor_tests::PATIENCE, wait).await };
        self.bench.runtime().block_on(wait).expect("the event comes")
    }

    fn time_to_verdict(&mut self) -> Duration {
        let began = self.submit();
        self.hear(|kind| matches!(kind, EventKind::Result(_))) - began
    }
}

/// Verdicts while every call to a model hangs, against verdicts of a daemon without one.
pub(crate) fn stalled(bench: &Bench) {
    let endpoint = Endpoint::that_stalls(bench.runtime());
    let configuration = format!("[[feedback.endpoint]]\nurl = \"{}\"\nmodel = \"stalls\"\n", endpoint.url());
    let homes = [ready(bench, home!()), ready(bench, home!().configured(&configuration))];
    let [mut off, mut on] = homes.each_ref().map(|home| Student::of(bench, home));
    let (mut without, mut with) = (vec![], vec![]);
    for round in 0..COMPARED_ROUNDS {
        // Who is first in a pair is second in the next.
        if round % 2 == 0 {
            without.push(off.time_to_verdict());
            with.push(on.time_to_verdict());
        } else {
            with.push(on.time_to_verdict());
            without.push(off.time_to_verdict());
        }
    }
    compare("p95", p95, &with, &without);
    compare("the middle", median, &with, &without);
}

fn compare(what: &str, of: fn(Vec<Duration>) -> Duration, with: &[Duration], without: &[Duration]) {
    let (with, without) = (ms(of(with.to_vec())), ms(of(without.to_vec())));
    println!(
        "| {what} of submit to verdict, with an endpoint that stalls for ever | feedback off | 1.05 | {:.2} ({with:.1} ms / {without:.1} ms) |",
        with / without,
    );
}

/// From the moment at which a model begins to write its hint until the student hears of it.
pub(crate) fn first_token(bench: &Bench) {
    let endpoint = Endpoint::that_speaks(bench.runtime());
    let configuration = format!(
        "[feedback]\npolicy = \"hints\"\nhold = false\n\n[[feedback.endpoint]]\nurl = \"{}\"\nmodel = \"speaks\"\n",
        endpoint.url()
    );
    let home = ready(bench, home!().configured(&configuration));
    let mut student = Student::of(bench, &home);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        student.submit();
        let heard = student.hear(|kind| matches!(kind, EventKind::Feedback(_)));
        times.push(heard - endpoint.began());
        student.hear(|kind| matches!(kind, EventKind::End(_)));
    }
    println!(
        "| p95 of `feedback` at the student, while the program is judged | the model has begun to write it | 20 ms | {:.2} ms; {:.2} ms in the middle |",
        ms(p95(times.clone())),
        ms(median(times))
    );
}
