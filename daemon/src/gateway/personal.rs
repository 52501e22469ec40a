//! Requests about all that is kept of one person.

use std::time::Duration;

use codementor_protocol::{
    ErasePersonal, Erased, FeedbackEnd, FeedbackOutcome, PersonalPage, ReadPersonal, Refusal, RefusalCode,
    UserName, subject,
};

use super::{Caller, Gateway, Handle, store_refusal};
use crate::courses::audit;
use crate::nats::streams;
use crate::personal::{self, Person, Reader};
use crate::queue::now;
use crate::submissions::{self, Changes};

/// How often it is looked whether feedback that was cut off has ended, and how long that takes between.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

impl Handle<ReadPersonal> for Gateway {
    async fn handle(&self, caller: &Caller, request: ReadPersonal) -> Result<PersonalPage, Refusal> {
        let (who, reader) = match request.who {
            Some(who) if caller.admin => (who, Reader::Admin),
            Some(who) if who != caller.user.as_str() => {
                let message = "what is kept of others is for administrators";
                return Err(Refusal::new(RefusalCode::Unauthorised, message)
                    .hint("without a name it is what is kept of you"));
            }
            Some(who) => (who, Reader::Oneself),
            None => (caller.user.to_string(), if caller.admin { Reader::Admin } else { Reader::Oneself }),
        };
        let person = self.person(&who).await?;
        let read = move |db: &_| personal::read(db, &person, reader, request.from);
        self.core.store.read(read).await.map_err(store_refusal)
    }
}

impl Handle<ErasePersonal> for Gateway {
    async fn handle(&self, caller: &Caller, request: ErasePersonal) -> Result<Erased, Refusal> {
        let person = self.person(&request.who).await?;
        if let Some(user) = &person.user {
            self.silence(caller, user).await?;
        }
        let (gone, by) = (person.clone(), caller.user.clone());
        let erase = move |db: &_| {
            let courses = personal::courses(db, &gone)?;
            let removed = personal::erase(db, &gone)?;
            for course in courses {
                audit::append(db, &course, &by, "erase", "erased", &serde_json::Value::Null, now())?;
            }
            Ok(removed)
        };
        let removed = self.core.store.write(erase).await.map_err(store_refusal)?;
        if let Some(user) = &person.user {
            self.accounts.forget(user).await?;
        }
        // Both only write over what is gone already, and come to it again with the next one who is erased.
        if let Err(error) = streams::scrub(&self.core.jetstream).await {
            tracing::warn!(%error, "what NATS has removed may still lie on its disk for a while");
        }
        personal::scrub(&self.core.store).await.map_err(|error| {
            let refusal = store_refusal(error);
            Refusal::new(
                refusal.code,
                format!("the rows are gone, but not written over: {}", refusal.message),
            )
        })?;
        tracing::warn!(by = %caller.user, "somebody was erased");
        Ok(Erased { user: person.user, removed })
    }
}

impl Gateway {
    async fn person(&self, who: &str) -> Result<Person, Refusal> {
        let name = who.to_owned();
        let read = self.core.store.read(move |db| personal::person(db, &name)).await;
        read.map_err(store_refusal)?.ok_or_else(|| {
            let message = format!("there is nobody called '{who}' on this server, nor with that student id");
            Refusal::new(RefusalCode::NotFound, message)
                .hint("codementor course roster list COURSE shows who is in a course")
        })
    }

    /// Cuts a user off, and ends all that goes on for it.
    async fn silence(&self, caller: &Caller, user: &UserName) -> Result<(), Refusal> {
        let name = user.clone();
        let rejudged = self.core.store.read(move |db| personal::is_rejudged(db, &name)).await;
        if rejudged.map_err(store_refusal)? {
            let message = format!("submissions of '{user}' are being judged again");
            return Err(Refusal::new(RefusalCode::Later, message)
                .hint("apply that or drop it first: codementor problem rejudge"));
        }
        self.accounts.revoke(caller, user.clone(), now()).await?;
        let name = user.clone();
        let cancel = move |db: &_| {
            let (mut all, open) = (Changes::default(), personal::open(db, &name, false)?);
            for id in &open {
                if let Some((_, _, changes)) = submissions::cancel(db, *id, now())? {
                    all.append(changes);
                }
            }
            Ok((open, all))
        };
        let (open, changes) = self.core.store.write(cancel).await.map_err(store_refusal)?;
        self.core.announce(changes).await;
        for id in open {
            // A judge that does not hear this finishes in vain; its reports are dropped.
            let _ = self.core.client.publish(subject::cancel(id), bytes::Bytes::new()).await;
        }
        for _ in 0..LOOKS {
            let name = user.clone();
            let pending = self.core.store.read(move |db| personal::open(db, &name, true)).await;
            if pending.map_err(store_refusal)?.is_empty() {
                return Ok(());
            }
            // why: the model's task writes down its end after it has heard of the cancellation, soon.
            tokio::time::sleep(PAUSE).await;
        }
        let name = user.clone();
        let close = move |db: &_| {
            for id in personal::open(db, &name, true)? {
                let message = "the account is gone".to_owned();
                let end = FeedbackEnd { step: 1, outcome: FeedbackOutcome::Interrupted, message };
                submissions::close_feedback(db, id, end, now())?;
            }
            Ok(())
        };
        self.core.store.write(close).await.map_err(store_refusal)
    }
}
