//! Requests about who is in a course, and what was changed there.

use codementor_protocol::{
    AuditEntry, ImportRoster, LinkMember, ListRoster, Member, MemberLinked, MemberRemoved, ReadAudit,
    Refusal, RemoveMember, RosterChange, RosterPage,
};

use super::{Caller, Gateway, Handle, store_refusal};
use crate::accounts::no_course;
use crate::courses::{self, audit, check};
use crate::queue::now;

/// The most members in one answer: each has a few kilobytes at most.
const MAX_MEMBERS: usize = 200;
/// The most changes in one answer.
const MAX_ENTRIES: u32 = 500;

impl Handle<ImportRoster> for Gateway {
    async fn handle(&self, caller: &Caller, request: ImportRoster) -> Result<RosterChange, Refusal> {
        self.accounts.import_roster(caller, request, now()).await
    }
}

impl Handle<ListRoster> for Gateway {
    async fn handle(&self, _: &Caller, request: ListRoster) -> Result<RosterPage, Refusal> {
        let all = self.accounts.roster(&request.course).await?;
        let from = request.from as usize;
        let members: Vec<Member> = all.iter().skip(from).take(MAX_MEMBERS).cloned().collect();
        let end = from.saturating_add(members.len());
        let next = (end < all.len()).then(|| u32::try_from(end).unwrap_or(u32::MAX));
        Ok(RosterPage { members, next })
    }
}

impl Handle<LinkMember> for Gateway {
    async fn handle(&self, caller: &Caller, request: LinkMember) -> Result<MemberLinked, Refusal> {
        self.accounts.link(caller, request, now()).await?;
        Ok(MemberLinked {})
    }
}

impl Handle<RemoveMember> for Gateway {
    async fn handle(&self, caller: &Caller, request: RemoveMember) -> Result<MemberRemoved, Refusal> {
        check::reason(&request.reason)?;
        self.accounts.remove_member(caller, request, now()).await
    }
}

impl Handle<ReadAudit> for Gateway {
    async fn handle(&self, _: &Caller, request: ReadAudit) -> Result<Vec<AuditEntry>, Refusal> {
        let limit = request.limit.clamp(1, MAX_ENTRIES);
        let read = move |db: &_| {
            let course = request.course;
            if !courses::is_course(db, &course)? {
                return Ok(Err(no_course(&course)));
            }
            audit::entries(db, &course, request.before, limit).map(Ok)
        };
        self.core.store.read(read).await.map_err(store_refusal)?
    }
}
