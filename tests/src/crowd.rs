//! Many submissions at once, through the client library and over one connection.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use codementor::client::{Client, Credentials};
use codementor_protocol::{
    EventKind, Events, FeedbackEnd, Fix, JobEvent, LanguageId, Purpose, Request, Slug, SourceFile,
    SubmissionId, Submit, Verdict, Verdicted,
};
use futures::StreamExt;
use tokio::sync::watch;

use crate::{Home, PATIENCE};

/// After this long without an event of its own, whoever waits for one asks: the last one may have been dropped.
const SILENCE: Duration = Duration::from_secs(10);

/// The owner of a private daemon, who submits like a whole class.
pub struct Crowd {
    runtime: tokio::runtime::Runtime,
    client: Client,
    session: u64,
    made: AtomicUsize,
}

impl Crowd {
    /// Connects to the daemon of a home, which has to be up.
    pub fn of(home: &Home) -> Self {
        let credentials = Credentials::read(&home.data().join("user.creds")).expect("are there");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let client =
            runtime.block_on(Client::connect(&home.url(), &credentials)).expect("the daemon answers");
        Self { runtime, client, session: rand::random(), made: AtomicUsize::new(0) }
    }

    /// A submission of a program of one file.
    pub fn program(&self, problem: &str, language: &str, name: &str, text: &str, feedback: bool) -> Submit {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        Submit {
            key: format!("crowd-{:016x}-{number}", self.session),
            purpose: Purpose::Submission,
            problem: Slug::new(problem).expect("a name"),
            package: None,
            language: LanguageId::new(language).expect("a language"),
            files: vec![SourceFile { name: name.into(), text: text.into() }],
            entry: None,
            feedback,
            answer_in: None,
            assignment: None,
            confirmed: false,
        }
    }

    /// Asks the daemon.
    pub fn ask<R: Request>(&self, request: &R) -> R::Reply {
        self.runtime.block_on(self.client.request(request)).expect("is answered")
    }

    /// Submits all of them, so many at once, and waits until nothing follows any more. What became of each stands in
    /// its place.
    pub fn submit(&self, submissions: &[Submit], at_once: usize) -> Vec<Followed> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        self.runtime.block_on(async {
            // Heard before anything is submitted, so that no event can be missed; and once for all of them, since
            // the server gives a connection few subscriptions.
            let mut heard = self.client.hear_events().await.expect("hears");
            let (ended, _) = watch::channel(HashSet::new());
            let worker = || async {
                while let Some(submit) = submissions.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let followed =
                        tokio::time::timeout(PATIENCE, self.follow(submit, ended.subscribe())).await;
                    let followed =
                        followed.unwrap_or_else(|_| panic!("waited in vain for the end of {submit:?}"));
                    done.lock().expect("nobody panicked").push((submit.key.clone(), followed));
                }
            };
            let listener = async {
                while let Some(message) = heard.next().await {
                    let event: JobEvent = serde_json::from_slice(&message.payload).expect("an event");
                    if is_end(&event) {
                        ended.send_if_modified(|all| all.insert(event.submission));
                    }
                }
                panic!("the connection was lost");
            };
            let workers = (0..at_once.min(submissions.len())).map(|_| worker());
            tokio::select! {
                _ = futures::future::join_all(workers) => {}
                () = listener => {}
            }
        });
        let mut done = done.into_inner().expect("nobody panicked");
        let place = |key: &str| submissions.iter().position(|submit| submit.key == key);
        done.sort_by_key(|(key, _)| place(key));
        done.into_iter().map(|(_, followed)| followed).collect()
    }

    async fn follow(&self, submit: &Submit, mut ended: watch::Receiver<HashSet<SubmissionId>>) -> Followed {
        let id = self.client.request(submit).await.expect("is accepted").id;
        loop {
            // What is waited for holds a lock: it must be gone before anything else is awaited.
            let is_told =
                tokio::time::timeout(SILENCE, ended.wait_for(|ended| ended.contains(&id))).await.is_ok();
            let events = self.events(id).await;
            if is_told || events.iter().any(is_end) {
                return Followed { id, events };
            }
        }
    }

    async fn events(&self, id: SubmissionId) -> Vec<JobEvent> {
        let mut events: Vec<JobEvent> = Vec::new();
        loop {
            let from = events.last().map_or(1, |event| event.seq + 1);
            let page = self.client.request(&Events { submission: id, from }).await.expect("is answered");
            let more = page.more && !page.events.is_empty();
            events.extend(page.events);
            if !more {
                return events;
            }
        }
    }
}

fn is_end(event: &JobEvent) -> bool {
    matches!(event.kind, EventKind::End(_))
}

/// A submission with all that happened to it.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Its number.
    pub id: SubmissionId,
    /// Its events.
    pub events: Vec<JobEvent>,
}

impl Followed {
    /// The verdict and the score.
    #[track_caller]
    pub fn verdicted(&self) -> Verdicted {
        let found = self.events.iter().find_map(|event| match &event.kind {
            EventKind::Result(verdicted) => Some(verdicted.clone()),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("there is a verdict: {:?}", self.events))
    }

    /// The verdict.
    #[track_caller]
    pub fn verdict(&self) -> Verdict {
        self.verdicted().verdict
    }

    /// All that a model said.
    pub fn said(&self) -> String {
        let said = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Feedback(feedback) => Some(feedback.delta.as_str()),
            _ => None,
        });
        said.collect::<Vec<_>>().join("\n\n")
    }

    /// The corrected programs that were shown.
    pub fn fixes(&self) -> Vec<&Fix> {
        let fixes = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Fix(fix) => Some(fix),
            _ => None,
        });
        fixes.collect()
    }

    /// How feedback ended, where there was any.
    pub fn feedback_end(&self) -> Option<&FeedbackEnd> {
        self.events.iter().find_map(|event| match &event.kind {
            EventKind::FeedbackEnd(end) => Some(end),
            _ => None,
        })
    }
}
