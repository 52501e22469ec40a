//! Requests about grades.

use codementor_protocol::{
    ChooseSubmission, Chosen, CourseRole, Grade, GradeTable, ListGrades, Member, OverrideGrade, Refusal,
    RefusalCode, ShowGrade,
};

use super::{Caller, Gateway, Handle, store_refusal};
use crate::accounts::find_member;
use crate::courses::{self, check, grades, rules};
use crate::queue::now;

/// How many bytes of grades go into one answer.
const PAGE_BYTES: usize = 384 * 1024;

impl Handle<ListGrades> for Gateway {
    async fn handle(&self, _: &Caller, request: ListGrades) -> Result<GradeTable, Refusal> {
        let members = self.accounts.roster(&request.assignment.course).await?;
        let mut table = self.grades(&request.assignment, members).await?;
        let from = request.from as usize;
        let mut rows = Vec::new();
        let (mut size, all) = (0, table.rows.len());
        for row in table.rows.into_iter().skip(from) {
            size += serde_json::to_vec(&row).map_or(0, |json| json.len());
            // One at least, so that paging goes on.
            if size > PAGE_BYTES && !rows.is_empty() {
                break;
            }
            rows.push(row);
        }
        let end = from.saturating_add(rows.len());
        table.next = (end < all).then(|| u32::try_from(end).unwrap_or(u32::MAX));
        table.rows = rows;
        Ok(table)
    }
}

impl Handle<ShowGrade> for Gateway {
    async fn handle(&self, caller: &Caller, request: ShowGrade) -> Result<Grade, Refusal> {
        let id = request.assignment;
        let members = self.accounts.roster(&id.course).await?;
        let own = members.iter().find(|member| member.user.as_ref() == Some(&caller.user));
        let teaches = caller.is_at_least(&id.course, CourseRole::Assistant);
        let member = match &request.student {
            Some(text) if teaches => find_member(&members, &id.course, text)?,
            Some(text) if own.is_some_and(|own| own.is_called(text)) => own.cloned().ok_or_else(no_grade)?,
            Some(_) => {
                let message = "the grades of others are for those who teach";
                return Err(Refusal::new(RefusalCode::Unauthorised, message)
                    .hint(format!("yours: codementor grade show {id}")));
            }
            None => own.cloned().ok_or_else(no_grade)?,
        };
        if member.role != CourseRole::Student {
            return Err(no_grade());
        }
        if !teaches {
            let wanted = id.clone();
            let read = self.core.store.read(move |db| courses::assignment(db, &wanted)).await;
            let assignment = read.map_err(store_refusal)?.ok_or_else(|| rules::unknown(&id))?;
            grades::visible(&assignment, now())?;
        }
        let table = self.grades(&id, vec![member]).await?;
        table.rows.into_iter().next().ok_or_else(no_grade)
    }
}

impl Handle<OverrideGrade> for Gateway {
    async fn handle(&self, caller: &Caller, request: OverrideGrade) -> Result<Grade, Refusal> {
        let OverrideGrade { assignment: id, student, to, reason } = request;
        check::reason(&reason)?;
        if reason.trim().is_empty() {
            let message = "a grade that a person sets needs a reason";
            return Err(Refusal::new(RefusalCode::Invalid, message).hint("such as --reason 'was ill'"));
        }
        let members = self.accounts.roster(&id.course).await?;
        let member = find_member(&members, &id.course, &student)?;
        let by = caller.user.clone();
        let put = move |db: &_| grades::put(db, &id, &member, to, &reason, &by, now());
        self.core.store.write(put).await.map_err(store_refusal)?
    }
}

impl Handle<ChooseSubmission> for Gateway {
    async fn handle(&self, caller: &Caller, request: ChooseSubmission) -> Result<Chosen, Refusal> {
        let id = request.submission;
        self.own(caller, id).await?;
        let who = caller.clone();
        let choose = move |db: &_| {
            let teaches = |id: &codementor_protocol::AssignmentId| {
                who.in_course(&id.course) != Some(CourseRole::Student)
            };
            grades::choose(db, &who.user, id, teaches, now())
        };
        self.core.store.write(choose).await.map_err(store_refusal)?
    }
}

impl Gateway {
    async fn grades(
        &self,
        id: &codementor_protocol::AssignmentId,
        members: Vec<Member>,
    ) -> Result<GradeTable, Refusal> {
        let id = id.clone();
        let read = self.core.store.read(move |db| grades::table(db, &id, &members)).await;
        read.map_err(store_refusal)?
    }
}

fn no_grade() -> Refusal {
    Refusal::new(RefusalCode::NotFound, "you have no grade there: only students have")
        .hint("those of the students: codementor grade list COURSE/ASSIGNMENT")
}
