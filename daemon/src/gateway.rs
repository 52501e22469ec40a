//! The gateway: every request of a user comes in here, and only here.
//!
//! ```text
//! cm.u.<user>.<verb> ──▶ reply subject is the user's own inbox? ─▶ user may ask verb? ─▶ handler ─▶ reply
//! cm.enrol           ──▶ code is right? ─▶ credential for the public key
//! ```
//!
//! NATS lets only `<user>` publish below `cm.u.<user>`, so the subject is the identity. A reply goes nowhere but into
//! that user's inbox: a request that names any other subject is dropped, since answering it would make the daemon
//! speak to others on the user's behalf.

mod accounts;
mod courses;
mod feedback;
mod grades;
mod personal;
mod problems;
mod rejudge;
mod roster;
mod status;
mod submissions;

use std::sync::Arc;

use async_nats::{Message, Subject};
use codementor_protocol::ReadStats;
use codementor_protocol::{
    Cancel, Enrol, Events, FindProblem, GetStatus, History, InstallPackage, ListProblems, PutPackage,
    ReadCase, Refusal, RefusalCode, Reply, Request, Show, Stop, Submit, subject,
};
use codementor_protocol::{ChooseSubmission, ListGrades, OverrideGrade, ShowGrade};
use codementor_protocol::{ComparePackage, GetPackage};
use codementor_protocol::{
    DeleteAssignment, ExtendAssignment, ListAssignments, ListCourses, ListDue, PutAssignment, PutCourse,
    ReadProblem, SetAssignmentState,
};
use codementor_protocol::{
    DropCode, Join, ListCodes, ListKeys, LogOut, MakeCode, MakeScoped, Pair, Renew, Revoke, WhoAmI,
};
use codementor_protocol::{EndRejudge, ListRejudges, ReadRejudge, StartRejudge};
use codementor_protocol::{ErasePersonal, ReadPersonal};
use codementor_protocol::{Hint, ReadFeedback, Rehearse, ShowPrompt};
use codementor_protocol::{ImportRoster, LinkMember, ListRoster, ReadAudit, RemoveMember};
use futures::StreamExt;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub(crate) use status::Facts;
pub(crate) use submissions::check_files;

pub(crate) use crate::accounts::Caller;

use crate::accounts::Accounts;
use crate::feedback::Feedback;
use crate::queue::{Core, now};
use crate::registry::Registry;
use crate::store::StoreError;

/// How many requests are worked on at a time.
const CONCURRENT: usize = 128;
/// How many of those who are no users yet are answered at a time; others hear that they should come again. They have
/// nothing of their own to be told apart by, and a flood of them must not hold up users.
const CONCURRENT_ENROLMENTS: usize = 32;
/// How long it takes to refuse an enrolment.
const REFUSED_AFTER: std::time::Duration = std::time::Duration::from_millis(200);

/// What the handlers need.
pub(crate) struct Gateway {
    pub(crate) core: Core,
    pub(crate) accounts: Accounts,
    pub(crate) registry: Registry,
    pub(crate) feedback: Feedback,
    pub(crate) languages: Arc<codementor_runners::Languages>,
    pub(crate) facts: Facts,
    /// Set when the daemon is to end.
    pub(crate) stopping: watch::Sender<bool>,
}

/// A handler of one kind of request.
pub(crate) trait Handle<R: Request> {
    /// Answers `request`, or says why not.
    fn handle(&self, caller: &Caller, request: R) -> impl Future<Output = Result<R::Reply, Refusal>> + Send;
}

impl Gateway {
    /// Answers requests until the connection is closed for good.
    pub(crate) async fn run(self: Arc<Self>) -> Result<(), async_nats::SubscribeError> {
        let mut requests = self.core.client.queue_subscribe(subject::REQUESTS, "gateway".into()).await?;
        let mut enrolments = self.core.client.queue_subscribe(subject::ENROL, "gateway".into()).await?;
        let permits = Arc::new(Semaphore::new(CONCURRENT));
        let enrolling = Arc::new(Semaphore::new(CONCURRENT_ENROLMENTS));
        loop {
            let (message, enrolment) = tokio::select! {
                Some(message) = requests.next() => (message, false),
                Some(message) = enrolments.next() => (message, true),
                else => return Ok(()),
            };
            let gateway = self.clone();
            if enrolment {
                let permit = enrolling.clone().try_acquire_owned().ok();
                tokio::spawn(async move { gateway.enrol(message, permit).await });
                continue;
            }
            let Ok(permit) = permits.clone().acquire_owned().await else { return Ok(()) };
            tokio::spawn(async move {
                gateway.answer(message).await;
                drop(permit);
            });
        }
    }

    async fn answer(&self, message: Message) {
        self.core.gauges.touch();
        let Some((user, verb)) = subject::parse_request(&message.subject) else { return };
        let Some(reply) = message.reply.clone().filter(|reply| subject::is_own_inbox(&user, reply)) else {
            tracing::warn!(%user, verb, reply = ?message.reply, "a request whose answer would go to somebody else was dropped");
            return;
        };
        let body = match self.accounts.caller(&user) {
            Ok(caller) => self.dispatch(&caller, verb, &message.payload).await,
            Err(refusal) => encode(&Reply::<()>::Refused(refusal)),
        };
        self.reply(reply, body).await;
    }

    async fn dispatch(&self, caller: &Caller, verb: &str, payload: &[u8]) -> Vec<u8> {
        match verb {
            Submit::VERB => self.handle_json::<Submit>(caller, payload).await,
            Events::VERB => self.handle_json::<Events>(caller, payload).await,
            Show::VERB => self.handle_json::<Show>(caller, payload).await,
            History::VERB => self.handle_json::<History>(caller, payload).await,
            ReadCase::VERB => self.handle_json::<ReadCase>(caller, payload).await,
            Cancel::VERB => self.handle_json::<Cancel>(caller, payload).await,
            ListProblems::VERB => self.handle_json::<ListProblems>(caller, payload).await,
            FindProblem::VERB => self.handle_json::<FindProblem>(caller, payload).await,
            PutPackage::VERB => self.handle_json::<PutPackage>(caller, payload).await,
            InstallPackage::VERB => self.handle_json::<InstallPackage>(caller, payload).await,
            ComparePackage::VERB => self.handle_json::<ComparePackage>(caller, payload).await,
            GetPackage::VERB => self.handle_json::<GetPackage>(caller, payload).await,
            ReadStats::VERB => self.handle_json::<ReadStats>(caller, payload).await,
            StartRejudge::VERB => self.handle_json::<StartRejudge>(caller, payload).await,
            ReadRejudge::VERB => self.handle_json::<ReadRejudge>(caller, payload).await,
            EndRejudge::VERB => self.handle_json::<EndRejudge>(caller, payload).await,
            ListRejudges::VERB => self.handle_json::<ListRejudges>(caller, payload).await,
            Hint::VERB => self.handle_json::<Hint>(caller, payload).await,
            ReadFeedback::VERB => self.handle_json::<ReadFeedback>(caller, payload).await,
            ShowPrompt::VERB => self.handle_json::<ShowPrompt>(caller, payload).await,
            Rehearse::VERB => self.handle_json::<Rehearse>(caller, payload).await,
            GetStatus::VERB => self.handle_json::<GetStatus>(caller, payload).await,
            Stop::VERB => self.handle_json::<Stop>(caller, payload).await,
            WhoAmI::VERB => self.handle_json::<WhoAmI>(caller, payload).await,
            Join::VERB => self.handle_json::<Join>(caller, payload).await,
            Renew::VERB => self.handle_json::<Renew>(caller, payload).await,
            Pair::VERB => self.handle_json::<Pair>(caller, payload).await,
            ListKeys::VERB => self.handle_json::<ListKeys>(caller, payload).await,
            LogOut::VERB => self.handle_json::<LogOut>(caller, payload).await,
            MakeCode::VERB => self.handle_json::<MakeCode>(caller, payload).await,
            ListCodes::VERB => self.handle_json::<ListCodes>(caller, payload).await,
            DropCode::VERB => self.handle_json::<DropCode>(caller, payload).await,
            MakeScoped::VERB => self.handle_json::<MakeScoped>(caller, payload).await,
            Revoke::VERB => self.handle_json::<Revoke>(caller, payload).await,
            PutCourse::VERB => self.handle_json::<PutCourse>(caller, payload).await,
            ListCourses::VERB => self.handle_json::<ListCourses>(caller, payload).await,
            PutAssignment::VERB => self.handle_json::<PutAssignment>(caller, payload).await,
            ListAssignments::VERB => self.handle_json::<ListAssignments>(caller, payload).await,
            SetAssignmentState::VERB => self.handle_json::<SetAssignmentState>(caller, payload).await,
            ExtendAssignment::VERB => self.handle_json::<ExtendAssignment>(caller, payload).await,
            DeleteAssignment::VERB => self.handle_json::<DeleteAssignment>(caller, payload).await,
            ListDue::VERB => self.handle_json::<ListDue>(caller, payload).await,
            ReadProblem::VERB => self.handle_json::<ReadProblem>(caller, payload).await,
            ImportRoster::VERB => self.handle_json::<ImportRoster>(caller, payload).await,
            ListRoster::VERB => self.handle_json::<ListRoster>(caller, payload).await,
            LinkMember::VERB => self.handle_json::<LinkMember>(caller, payload).await,
            RemoveMember::VERB => self.handle_json::<RemoveMember>(caller, payload).await,
            ListGrades::VERB => self.handle_json::<ListGrades>(caller, payload).await,
            ShowGrade::VERB => self.handle_json::<ShowGrade>(caller, payload).await,
            OverrideGrade::VERB => self.handle_json::<OverrideGrade>(caller, payload).await,
            ChooseSubmission::VERB => self.handle_json::<ChooseSubmission>(caller, payload).await,
            ReadPersonal::VERB => self.handle_json::<ReadPersonal>(caller, payload).await,
            ErasePersonal::VERB => self.handle_json::<ErasePersonal>(caller, payload).await,
            ReadAudit::VERB => self.handle_json::<ReadAudit>(caller, payload).await,
            // What no table knows is refused with the words for that.
            _ => encode(&Reply::from(caller.may_ask(verb, None))),
        }
    }

    async fn handle_json<R: Request>(&self, caller: &Caller, payload: &[u8]) -> Vec<u8>
    where
        Self: Handle<R>,
    {
        let result = match serde_json::from_slice::<R>(payload) {
            Ok(request) => match caller.may_ask(R::VERB, request.course()) {
                Ok(()) => self.handle(caller, request).await,
                Err(refusal) => Err(refusal),
            },
            Err(error) => {
                let message = format!("the '{}' request cannot be read: {error}", R::VERB);
                Err(Refusal::new(RefusalCode::Invalid, message).hint("are both ends of the same version?"))
            }
        };
        encode(&Reply::from(result))
    }

    /// The enrol credential may ask for nothing else, and its inbox is shared: the answer is of use only to the
    /// holder of the key's other half.
    async fn enrol(&self, message: Message, permit: Option<OwnedSemaphorePermit>) {
        let inbox = format!("{}.", crate::nats::auth::Role::Enrol.inbox("enrol"));
        let Some(reply) = message.reply.clone().filter(|reply| reply.starts_with(&inbox)) else {
            return;
        };
        if permit.is_none() {
            let busy = Refusal::new(RefusalCode::Later, "too many people enrol at this moment")
                .hint("try again in a few seconds");
            self.reply(reply, encode(&Reply::<()>::Refused(busy))).await;
            return;
        }
        self.core.gauges.touch();
        let since = tokio::time::Instant::now();
        let result = match serde_json::from_slice::<Enrol>(&message.payload) {
            Ok(request) => self.accounts.enrol(request, now()).await,
            Err(error) => {
                Err(Refusal::new(RefusalCode::Invalid, format!("the request cannot be read: {error}")))
            }
        };
        if result.is_err() {
            // How long a refusal takes must not tell how far it got.
            tokio::time::sleep_until(since + REFUSED_AFTER).await;
        }
        self.reply(reply, encode(&Reply::from(result))).await;
    }

    async fn reply(&self, subject: Subject, body: Vec<u8>) {
        if let Err(error) = self.core.client.publish(subject, body.into()).await {
            tracing::warn!(%error, "an answer could not be sent");
        }
    }
}

/// A database error as the caller is told of it.
pub(crate) fn store_refusal(error: StoreError) -> Refusal {
    match error {
        StoreError::DiskFull => {
            Refusal::new(RefusalCode::Later, "the server's disk is full: nothing was stored")
                .hint("free some space and try again")
        }
        StoreError::Closed => {
            Refusal::new(RefusalCode::Later, "the server is stopping").hint("try again in a moment")
        }
        error => {
            tracing::error!(%error, "a request failed");
            Refusal::new(RefusalCode::Internal, error.to_string())
        }
    }
}

fn encode<T: Serialize>(reply: &Reply<T>) -> Vec<u8> {
    serde_json::to_vec(reply).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        br#"{"refused":{"code":"internal","message":"the answer cannot be written"}}"#.to_vec()
    })
}
