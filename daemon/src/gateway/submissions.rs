//! Requests about submissions.

use codementor_problems::slug::near_matches;
use codementor_protocol::{
    Cancel, Cancelling, CaseDetail, CourseRole, Detail, EventPage, Events, History, Lane, MAX_SOURCE_BYTES,
    MAX_SOURCE_FILES, Purpose, ReadCase, Refusal, RefusalCode, Show, SourceFile, SubmissionId, Submit,
    Submitted, Summary, Verdict,
};

use super::{Caller, Gateway, Handle, store_refusal};
use crate::courses;
use crate::feedback;
use crate::queue::now;
use crate::submissions::{self, Changes, Terms};

/// How many bytes of events go into one answer.
const PAGE_BYTES: usize = 384 * 1024;
/// The most submissions in one answer.
const MAX_HISTORY: u32 = 500;
/// The largest job, as JSON, that fits into one message with room to spare.
const MAX_JOB_BYTES: usize = 900 * 1024;

impl Handle<Submit> for Gateway {
    async fn handle(&self, caller: &Caller, mut request: Submit) -> Result<Submitted, Refusal> {
        if let Some(scope) = &caller.scope {
            scope.narrow(&mut request)?;
        }
        if *self.stopping.borrow() {
            return Err(
                Refusal::new(RefusalCode::Later, "the daemon is stopping").hint("submit again in a moment")
            );
        }
        if matches!(request.purpose, Purpose::Calibration | Purpose::Verification | Purpose::Rejudge) {
            return Err(Refusal::new(RefusalCode::Forbidden, "only the daemon measures and checks"));
        }
        if request.package.is_some() && self.facts.shared {
            let message = "a server that others use judges by the version of a problem that is installed";
            return Err(
                Refusal::new(RefusalCode::Forbidden, message).hint("submit to the problem by its name")
            );
        }
        check_key(&request.key)?;
        check_files(&request.files, request.entry.as_deref())?;
        if self.languages.by_id(&request.language).is_none() {
            let known: Vec<String> =
                self.languages.iter().map(|language| language.id().to_string()).collect();
            return Err(Refusal::new(
                RefusalCode::Invalid,
                format!("there is no language '{}'", request.language),
            )
            .hint(format!("the languages are {}", known.join(", "))));
        }
        let (package, named) = (request.package.as_ref(), request.assignment.as_ref());
        let assignment = match self.assignment_of(caller, &request.problem, package, named).await {
            Ok(assignment) => assignment,
            // A submission that was taken stays taken, whatever became of its assignment before it was asked for again.
            Err(refusal) => return self.taken(caller, request.key).await?.ok_or(refusal),
        };
        let problem = self.registry.resolve(&request.problem, request.package.as_ref()).await?;
        let allowed = &problem.languages;
        if !allowed.is_empty() && !allowed.contains(&request.language) {
            let allowed: Vec<&str> = allowed.iter().map(codementor_protocol::LanguageId::as_str).collect();
            let message = format!("'{}' may not be solved in {}", request.problem, request.language);
            return Err(Refusal::new(RefusalCode::Forbidden, message)
                .hint(format!("allowed: {}", allowed.join(", "))));
        }
        let size: usize = request.files.iter().map(|file| file.text.len()).sum();
        if size as u64 > problem.code_kib * 1024 {
            let message = format!(
                "the program has {size} bytes; '{}' allows {} KiB",
                request.problem, problem.code_kib
            );
            return Err(Refusal::new(RefusalCode::Invalid, message));
        }
        if request.purpose == Purpose::Trial && problem.samples == 0 {
            return Err(Refusal::new(
                RefusalCode::Nothing,
                format!("'{}' has no samples to test with", request.problem),
            )
            .hint("submit runs it on the hidden cases"));
        }
        let mut terms = Terms {
            package: problem.hash.clone(),
            limits: problem.limits,
            lane: Lane::Interactive,
            feedback: false,
            conditions: None,
        };
        let user = caller.user.clone();
        let feedback = self.feedback.clone();
        let via = caller.scope.as_ref().map(|scope| scope.credential.clone());
        let written = self
            .core
            .store
            .write(move |db| {
                if let Some((id, events)) = submissions::existing(db, &user, &request.key)? {
                    return Ok(Ok((id, events, Changes::default())));
                }
                if let Some((assignment, teaches)) = &assignment {
                    match courses::entry::enter(db, assignment, &user, *teaches, &request, now())? {
                        Ok(conditions) => terms.conditions = Some(conditions),
                        Err(refusal) => return Ok(Err(refusal)),
                    }
                }
                if request.feedback && request.purpose == Purpose::Submission {
                    let policy = match &assignment {
                        Some((assignment, _)) => courses::feedback_policy(db, assignment)?,
                        None => None,
                    };
                    terms.feedback = feedback.is_given(&problem, policy);
                }
                let (id, events, mut changes) = submissions::accept(db, &user, &request, &terms, now())?;
                if terms.feedback {
                    feedback::accepted(db, id)?;
                    changes.feedback = Some(id);
                }
                if let Some(via) = via
                    && !changes.jobs.is_empty()
                {
                    submissions::set_via(db, id, &via)?;
                    changes.via.push((id, via));
                }
                Ok(Ok((id, events, changes)))
            })
            .await
            .map_err(store_refusal)?;
        let (id, events, changes) = written?;
        let starts = changes.feedback;
        self.core.announce(changes).await;
        if let Some(id) = starts {
            self.feedback.start(id);
        }
        Ok(Submitted { id, events })
    }
}

impl Handle<Events> for Gateway {
    async fn handle(&self, caller: &Caller, request: Events) -> Result<EventPage, Refusal> {
        self.readable(caller, request.submission).await?;
        let read = move |db: &_| submissions::events(db, request.submission, request.from, PAGE_BYTES);
        self.core.store.read(read).await.map_err(store_refusal)
    }
}

impl Handle<Show> for Gateway {
    async fn handle(&self, caller: &Caller, request: Show) -> Result<Detail, Refusal> {
        let id = match request.submission {
            Some(id) => id,
            None => {
                let user = caller.user.clone();
                let via = caller.scope.as_ref().map(|scope| scope.credential.clone());
                let read = move |db: &_| submissions::highest_id(db, &user, via.as_ref());
                let newest = self.core.store.read(read).await;
                newest.map_err(store_refusal)?.ok_or_else(|| {
                    Refusal::new(RefusalCode::NotFound, "you have not submitted anything yet")
                        .hint("codementor submit FILE -p PROBLEM")
                })?
            }
        };
        self.readable(caller, id).await?;
        let detail =
            self.core.store.read(move |db| submissions::detail(db, id)).await.map_err(store_refusal)?;
        detail.ok_or_else(|| unknown(id))
    }
}

impl Handle<History> for Gateway {
    async fn handle(&self, caller: &Caller, request: History) -> Result<Vec<Summary>, Refusal> {
        let user = caller.user.clone();
        let limit = request.limit.clamp(1, MAX_HISTORY);
        let via = caller.scope.as_ref().map(|scope| scope.credential.clone());
        let read = move |db: &_| {
            let problem = request.problem.as_ref();
            let assignment = request.assignment.as_ref();
            submissions::history(db, &user, via.as_ref(), problem, assignment, request.before, limit)
        };
        self.core.store.read(read).await.map_err(store_refusal)
    }
}

impl Handle<ReadCase> for Gateway {
    async fn handle(&self, caller: &Caller, request: ReadCase) -> Result<CaseDetail, Refusal> {
        let id = request.submission;
        self.readable(caller, id).await?;
        let (samples, detail) = self
            .core
            .store
            .read(move |db| Ok((submissions::samples_run(db, id)?, submissions::detail(db, id)?)))
            .await
            .map_err(store_refusal)?;
        let detail = detail.ok_or_else(|| unknown(id))?;
        let index = match &request.case {
            Some(wanted) => find_sample(&samples, wanted)?,
            None => samples
                .iter()
                .find(|(_, _, verdict)| *verdict != Verdict::Accepted)
                .or(samples.first())
                .map(|(index, _, _)| *index)
                .ok_or_else(|| no_samples(id))?,
        };
        let case = self
            .core
            .store
            .read(move |db| submissions::capture(db, id, index))
            .await
            .map_err(store_refusal)?;
        let case = case.ok_or_else(|| no_samples(id))?;
        self.registry.fill_in(&detail.package, case).await
    }
}

impl Handle<Cancel> for Gateway {
    async fn handle(&self, caller: &Caller, request: Cancel) -> Result<Cancelling, Refusal> {
        let id = request.submission;
        self.own(caller, id).await?;
        let done = self
            .core
            .store
            .write(move |db| submissions::cancel(db, id, now()))
            .await
            .map_err(store_refusal)?;
        let (cancelled, state, changes) = done.ok_or_else(|| unknown(id))?;
        self.core.announce(changes).await;
        if cancelled {
            self.core.withdraw(id).await;
        }
        Ok(Cancelling { cancelled, state })
    }
}

impl Gateway {
    /// The submission that a key stands for already.
    async fn taken(&self, caller: &Caller, key: String) -> Result<Option<Submitted>, Refusal> {
        let user = caller.user.clone();
        let existing = self.core.store.read(move |db| submissions::existing(db, &user, &key)).await;
        Ok(existing.map_err(store_refusal)?.map(|(id, events)| Submitted { id, events }))
    }

    /// Those who teach a course also read the submissions to its assignments.
    async fn readable(&self, caller: &Caller, id: SubmissionId) -> Result<(), Refusal> {
        let own = self.own(caller, id).await;
        if own.is_ok() || caller.scope.is_some() || !caller.is_somewhere(CourseRole::Assistant) {
            return own;
        }
        let course = self.core.store.read(move |db| submissions::course(db, id)).await;
        match course.map_err(store_refusal)? {
            Some(course) if caller.is_at_least(&course, CourseRole::Assistant) => Ok(()),
            _ => own,
        }
    }

    /// Another user's submission is as unknown as one that does not exist; to a scoped credential, so is every one
    /// that it has not made itself.
    pub(super) async fn own(&self, caller: &Caller, id: SubmissionId) -> Result<(), Refusal> {
        let owner =
            self.core.store.read(move |db| submissions::owner(db, id)).await.map_err(store_refusal)?;
        if owner.as_ref() != Some(&caller.user) {
            return Err(unknown(id));
        }
        if let Some(scope) = &caller.scope {
            let via =
                self.core.store.read(move |db| submissions::via(db, id)).await.map_err(store_refusal)?;
            if via.as_ref() != Some(&scope.credential) {
                return Err(unknown(id));
            }
        }
        Ok(())
    }
}

fn unknown(id: SubmissionId) -> Refusal {
    Refusal::new(RefusalCode::NotFound, format!("you have no submission #{id}"))
        .hint("codementor history lists your submissions")
}

fn no_samples(id: SubmissionId) -> Refusal {
    Refusal::new(RefusalCode::NotFound, format!("no sample was run for #{id}"))
        .hint("only samples can be compared; hidden cases show their verdict")
}

fn find_sample(samples: &[(u32, String, Verdict)], wanted: &str) -> Result<u32, Refusal> {
    let number = wanted.parse::<u32>().ok();
    let is_wanted = |(index, name, _): &&(u32, String, Verdict)| {
        Some(*index) == number || name == wanted || name.strip_prefix("sample/") == Some(wanted)
    };
    samples.iter().find(is_wanted).map(|(index, _, _)| *index).ok_or_else(|| {
        let names: Vec<&str> = samples.iter().map(|(_, name, _)| name.as_str()).collect();
        Refusal::new(RefusalCode::NotFound, format!("there is no sample '{wanted}' that was run")).hint(
            if names.is_empty() {
                "no sample was run".into()
            } else {
                format!("run were {}", names.join(", "))
            },
        )
    })
}

fn check_key(key: &str) -> Result<(), Refusal> {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if (8..=64).contains(&key.len()) && plain {
        Ok(())
    } else {
        Err(Refusal::new(RefusalCode::Invalid, "the idempotency key has 8 to 64 letters, digits and dashes"))
    }
}

/// The rules for a program's files, whoever sends them.
pub(crate) fn check_files(files: &[SourceFile], entry: Option<&str>) -> Result<(), Refusal> {
    let invalid = |message: String| Err(Refusal::new(RefusalCode::Invalid, message));
    if files.is_empty() {
        return invalid("there is no source file".into());
    }
    if files.len() > MAX_SOURCE_FILES {
        return invalid(format!(
            "there are {} source files; at most {MAX_SOURCE_FILES} are allowed",
            files.len()
        ));
    }
    let size: usize = files.iter().map(|file| file.text.len()).sum();
    if size > MAX_SOURCE_BYTES {
        return invalid(format!("the program has {size} bytes; at most {MAX_SOURCE_BYTES} are allowed"));
    }
    for (place, file) in files.iter().enumerate() {
        let name = &file.name;
        let plain = !name.is_empty()
            && name.len() <= 200
            && !name.starts_with(['.', '-'])
            && !name.contains(|c: char| c == '/' || c == '\\' || c.is_control());
        if !plain {
            return invalid(format!("'{}' cannot be the name of a source file", name.escape_debug()));
        }
        if files[..place].iter().any(|other| other.name == *name) {
            return invalid(format!("there are two source files named '{name}'"));
        }
        if file.text.contains('\0') {
            return invalid(format!("'{name}' is not a text: it holds a zero byte"));
        }
    }
    if files.iter().all(|file| file.text.trim().is_empty()) {
        return invalid("the program is empty".into());
    }
    if let Some(entry) = entry
        && !files.iter().any(|file| file.name == entry)
    {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let near = near_matches(entry, names.iter().copied());
        let near = near.first().map_or(String::new(), |near| format!("; did you mean '{near}'?"));
        return invalid(format!("'{entry}' is none of the source files{near}"));
    }
    match serde_json::to_vec(files) {
        Ok(json) if json.len() <= MAX_JOB_BYTES => Ok(()),
        _ => invalid("the program holds too many control characters to be sent".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile { name: name.into(), text: text.into() }
    }

    #[test]
    fn programs_that_no_compiler_should_see_are_refused() {
        let refused: &[&[SourceFile]] = &[
            &[],
            &[file("", "x")],
            &[file("a/b.c", "x")],
            &[file("..", "x")],
            &[file(".profile", "x")],
            &[file("-o.c", "x")],
            &[file("a\nb.c", "x")],
            &[file("a.c", "x"), file("a.c", "y")],
            &[file("a.c", "x\0y")],
            &[file("a.c", " \n\t")],
            &[file("a.c", &"x".repeat(MAX_SOURCE_BYTES + 1))],
        ];
        for files in refused {
            assert!(check_files(files, None).is_err(), "{files:.60?}");
        }
        assert!(check_files(&[file("my prog.c", "x"), file("합.h", "")], None).is_ok());
    }

    #[test]
    fn an_entry_must_be_one_of_the_files() {
        let files = [file("main.py", "x"), file("helper.py", "x")];
        assert!(check_files(&files, Some("main.py")).is_ok());
        let error = check_files(&files, Some("mian.py")).expect_err("is refused");
        assert!(error.message.contains("main.py"), "{}", error.message);
    }

    #[test]
    fn samples_are_found_by_name_and_by_place() {
        let samples = [
            (1, "sample/01".to_owned(), Verdict::Accepted),
            (2, "sample/02".to_owned(), Verdict::WrongAnswer),
        ];
        for wanted in ["2", "sample/02", "02"] {
            assert_eq!(find_sample(&samples, wanted).ok(), Some(2), "{wanted}");
        }
        assert!(find_sample(&samples, "secret/01").is_err());
    }
}
