//! Codes and credentials against a real database, without NATS: what a revocation does there is tested end to end.

use codementor_protocol::{AssignmentId, CourseRole, RosterRow};
use nkeys::KeyPair;

use super::*;

struct Rig {
    dir: tempfile::TempDir,
    store: Store,
    accounts: Accounts,
}

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn after(seconds: u64) -> Timestamp {
    later(NOW, Duration::from_secs(seconds))
}

fn course(name: &str) -> CourseName {
    CourseName::new(name).expect("a course name")
}

fn key() -> String {
    KeyPair::new_user().public_key()
}

impl Rig {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(&dir.path().join("t.db")).expect("opens");
        let accounts = Self::load(&dir, &store).await;
        store
            .write(|db| {
                for name in ["algo", "os"] {
                    courses::put_course(db, &course(name), name, &local(), NOW)?;
                }
                Ok(())
            })
            .await
            .expect("is written");
        Self { dir, store, accounts }
    }

    async fn load(dir: &tempfile::TempDir, store: &Store) -> Accounts {
        let keys = Arc::new(Keys::load_or_create(&dir.path().join("keys")).expect("keys"));
        let life = Duration::from_secs(180 * 86_400);
        let issuer = Issuer {
            keys,
            url: "nats://127.0.0.1:1".into(),
            life,
            oidc: Oidc::new(&[]),
            address: None,
            ca: None,
        };
        Accounts::load(store.clone(), issuer, &dir.path().join("enrol.code")).await.expect("loads")
    }

    async fn admin(&self) -> Caller {
        let code = std::fs::read_to_string(self.dir.path().join("enrol.code")).expect("the code was written");
        let enrol = Enrol { code, public_key: key(), ..Enrol::default() };
        let enrolled = self.accounts.enrol(enrol, NOW).await.expect("enrols");
        self.accounts.caller(&enrolled.user).expect("is known")
    }

    async fn code(&self, make: MakeCode) -> String {
        let admin = self.admin().await;
        self.accounts.make_code(&admin, make, NOW).await.expect("a code").code
    }

    async fn enrol(
        &self,
        code: &str,
        name: &str,
        id: Option<&str>,
        at: Timestamp,
    ) -> Result<UserName, Refusal> {
        let enrol = Enrol {
            code: code.into(),
            public_key: key(),
            name: Some(name.into()),
            student_id: id.map(str::to_owned),
            ..Enrol::default()
        };
        Ok(self.accounts.enrol(enrol, at).await?.user)
    }
}

fn students(uses: Option<u32>) -> MakeCode {
    MakeCode { course: course("algo"), role: CourseRole::Student, lasts_s: 3600, uses, roster_only: false }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>, code: RefusalCode, word: &str) {
    let refusal = result.expect_err("is refused");
    assert_eq!(refusal.code, code, "{refusal}");
    assert!(refusal.message.contains(word), "{refusal}");
}

#[tokio::test]
async fn the_owner_of_the_data_directory_enrols_by_its_code_for_good() {
    let rig = Rig::new().await;
    refused(rig.enrol("nonsense", "x", None, NOW).await, RefusalCode::Unauthorised, "nobody in");
    assert!(rig.accounts.caller(&local()).is_err());
    assert!(rig.admin().await.admin);
    assert!(Rig::load(&rig.dir, &rig.store).await.caller(&local()).expect("is known").admin);
}

#[tokio::test]
async fn a_code_lets_as_many_in_as_it_says_each_under_a_name_of_its_own() {
    let rig = Rig::new().await;
    let code = rig.code(students(Some(2))).await;
    let kim = rig.enrol(&code, "Kim", Some("1"), NOW).await.expect("is let in");
    let other = rig.enrol(&code.to_uppercase(), "KIM", Some("2"), NOW).await.expect("is let in");
    assert_eq!((kim.as_str(), other.as_str()), ("kim", "kim-2"));
    refused(rig.enrol(&code, "Lee", None, NOW).await, RefusalCode::Forbidden, "as often as it may");
    let caller = rig.accounts.caller(&kim).expect("is known");
    assert_eq!(caller.in_course(&course("algo")), Some(CourseRole::Student));
    assert!(!caller.admin && caller.in_course(&course("os")).is_none());
    let codes = rig.accounts.codes(course("algo")).await.expect("are read");
    assert_eq!((codes[0].used, codes[0].uses_left), (2, Some(0)));
    assert!(code.starts_with(&codes[0].starts_with));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_without_another_use() {
    let rig = Rig::new().await;
    let code = rig.code(students(Some(1))).await;
    let enrol = Enrol { code, public_key: key(), name: Some("Kim".into()), ..Enrol::default() };
    let first = rig.accounts.enrol(enrol.clone(), NOW).await.expect("is let in");
    let again = rig.accounts.enrol(enrol, NOW).await.expect("is answered again");
    assert_eq!(first.user, again.user);
}

#[tokio::test]
async fn a_code_ends() {
    let rig = Rig::new().await;
    let code = rig.code(students(None)).await;
    rig.enrol(&code, "Kim", None, after(3599)).await.expect("is let in");
    refused(rig.enrol(&code, "Lee", None, after(3600)).await, RefusalCode::Forbidden, "expired");

    let code = rig.code(students(None)).await;
    let id = rig.accounts.codes(course("algo")).await.expect("are read")[0].id;
    let admin = rig.admin().await;
    let elsewhere = rig.accounts.drop_code(&admin, course("os"), id, NOW).await;
    refused(elsewhere, RefusalCode::NotFound, "no code");
    rig.accounts.drop_code(&admin, course("algo"), id, NOW).await.expect("is dropped");
    refused(rig.enrol(&code, "Lee", None, NOW).await, RefusalCode::Unauthorised, "nobody in");
}

#[tokio::test]
async fn a_student_id_belongs_to_one_user() {
    let rig = Rig::new().await;
    let code = rig.code(students(None)).await;
    rig.enrol(&code, "Kim", Some("2026-1"), NOW).await.expect("is let in");
    let twice = rig.enrol(&code, "Lee", Some(" 2026-1 "), NOW).await;
    refused(twice, RefusalCode::Forbidden, "already");
}

#[tokio::test]
async fn a_code_for_the_roster_asks_for_a_student_id() {
    let rig = Rig::new().await;
    let code = rig.code(MakeCode { roster_only: true, ..students(None) }).await;
    refused(rig.enrol(&code, "Kim", None, NOW).await, RefusalCode::Invalid, "roster");
    refused(rig.enrol(&code, "Kim", Some("1"), NOW).await, RefusalCode::Forbidden, "roster");
}

#[tokio::test]
async fn a_user_joins_a_second_course_and_loses_no_role() {
    let rig = Rig::new().await;
    let code = rig.code(students(None)).await;
    let kim = rig.enrol(&code, "Kim", None, NOW).await.expect("is let in");
    let caller = rig.accounts.caller(&kim).expect("is known");
    let join = |code: &str| Join { code: code.into(), name: None, student_id: None };

    let assist = MakeCode { course: course("os"), role: CourseRole::Assistant, ..students(Some(1)) };
    let assist = rig.code(assist).await;
    rig.accounts.join(&caller, join(&assist), NOW).await.expect("is let in");
    let lesser = rig.code(MakeCode { course: course("os"), ..students(Some(1)) }).await;
    rig.accounts.join(&caller, join(&lesser), NOW).await.expect("changes nothing");
    let caller = rig.accounts.caller(&kim).expect("is known");
    assert_eq!(caller.in_course(&course("os")), Some(CourseRole::Assistant));
    assert_eq!(caller.in_course(&course("algo")), Some(CourseRole::Student));
    refused(rig.accounts.join(&caller, join("0000-0000"), NOW).await, RefusalCode::Unauthorised, "nobody");
}

#[tokio::test]
async fn who_said_too_little_says_it_by_joining_again_and_nobody_says_something_else() {
    let rig = Rig::new().await;
    let open = rig.code(students(Some(2))).await;
    let listed = rig.code(MakeCode { roster_only: true, ..students(None) }).await;
    let admin = rig.admin().await;
    let row =
        |id: &str, name: &str| RosterRow { student_id: id.into(), name: name.into(), ..RosterRow::default() };
    let rows = vec![row("1", "Kim Min-ji"), row("2", "Lee")];
    let import = ImportRoster { course: course("algo"), rows, dry_run: false };
    rig.accounts.import_roster(&admin, import, NOW).await.expect("is imported");
    let kim = rig.enrol(&open, "", None, NOW).await.expect("is let in");
    rig.enrol(&open, "", Some("2"), NOW).await.expect("is let in");
    let caller = rig.accounts.caller(&kim).expect("is known");
    let join = async |code: &str, name: Option<&str>, id: Option<&str>, at| {
        let request =
            Join { code: code.into(), name: name.map(str::to_owned), student_id: id.map(str::to_owned) };
        rig.accounts.join(&caller, request, at).await
    };
    let known = async || {
        let identity = rig.accounts.identity(&caller, NOW).await.expect("is read");
        (identity.name, identity.student_id)
    };
    refused(join(&listed, None, Some("9"), NOW).await, RefusalCode::Forbidden, "not on the roster");
    refused(join(&listed, None, Some("2"), NOW).await, RefusalCode::Forbidden, "somebody has enrolled");
    refused(join(&open, None, Some("1"), after(3600)).await, RefusalCode::Forbidden, "expired");
    refused(join(&open, Some("\u{1b}[31m"), None, NOW).await, RefusalCode::Invalid, "cannot be a name");
    assert_eq!(known().await, (None, None));
    // The code has been used as often as it may be, and this is no further use.
    join(&open, None, Some("1"), NOW).await.expect("is taken down");
    assert_eq!(known().await, (Some("Kim Min-ji".into()), Some("1".into())));
    let linked = |db: &Connection| {
        let sql = "SELECT by, target, detail FROM audit WHERE action = 'roster-link'";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(db.query_row(sql, [], row)?)
    };
    let entry: (String, String, String) = rig.store.read(linked).await.expect("one entry");
    assert_eq!(entry, ("user".into(), "user".into(), r#"{"student":"1","user":"user"}"#.into()));
    join(&listed, Some("Kim Min-ji"), Some("1"), NOW).await.expect("says what is known");
    for (name, id, word) in [(None, Some("2"), "'1'"), (Some("Ada"), None, "'Kim Min-ji'")] {
        let refusal = join(&listed, name, id, NOW).await.expect_err("is refused");
        assert!(refusal.message.contains(word), "{refusal}");
        assert!(refusal.hint.expect("a hint").contains("codementor course roster link"));
    }
}

#[tokio::test]
async fn a_pairing_code_is_for_one_machine_within_minutes() {
    let rig = Rig::new().await;
    let code = rig.code(students(None)).await;
    let kim = rig.enrol(&code, "Kim", None, NOW).await.expect("is let in");
    let caller = rig.accounts.caller(&kim).expect("is known");
    let first = rig.accounts.pair(&caller, None, NOW).await.expect("a code");
    let second = rig.accounts.pair(&caller, None, NOW).await.expect("a code");
    refused(rig.enrol(&first.code, "", None, NOW).await, RefusalCode::Unauthorised, "nobody");
    refused(rig.enrol(&second.code, "", None, second.expires).await, RefusalCode::Forbidden, "expired");
    assert_eq!(rig.enrol(&second.code, "", None, NOW).await.expect("is let in"), kim);
    refused(rig.enrol(&second.code, "", None, NOW).await, RefusalCode::Forbidden, "as often");
    assert_eq!(rig.accounts.keys(&caller, NOW).await.expect("are listed").len(), 2);

    let others = rig.accounts.pair(&caller, Some(local()), NOW).await;
    refused(others, RefusalCode::Unauthorised, "administrators");
}

#[tokio::test]
async fn who_was_cut_off_is_refused_until_an_administrator_lets_it_in_again() {
    let rig = Rig::new().await;
    let code = rig.code(students(None)).await;
    let kim = rig.enrol(&code, "Kim", Some("1"), NOW).await.expect("is let in");
    let admin = rig.admin().await;
    // There is no NATS server here to tell, and what was decided holds all the same.
    refused(rig.accounts.revoke(&admin, kim.clone(), NOW).await, RefusalCode::Later, "recorded");
    refused(rig.accounts.caller(&kim), RefusalCode::Unauthorised, "cut off");
    let entries = |db: &Connection| {
        let mut statement =
            db.prepare("SELECT course, by, target, detail FROM audit WHERE action = 'revoke'")?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        Ok(statement.query_map([], row)?.collect::<Result<Vec<(String, String, String, String)>, _>>()?)
    };
    let detail = r#"{"credentials":1,"user":"kim"}"#;
    let expected = ("algo".to_owned(), "local".to_owned(), "kim".to_owned(), detail.to_owned());
    assert_eq!(rig.store.read(entries).await.expect("are read"), [expected]);
    refused(Rig::load(&rig.dir, &rig.store).await.caller(&kim), RefusalCode::Unauthorised, "cut off");
    refused(rig.enrol(&code, "Kim", Some("1"), NOW).await, RefusalCode::Forbidden, "already");

    let back = rig.accounts.pair(&admin, Some(kim.clone()), NOW).await.expect("a code");
    assert_eq!(rig.enrol(&back.code, "", None, NOW).await.expect("is let in"), kim);
    let caller = rig.accounts.caller(&kim).expect("is known again");
    assert_eq!(caller.in_course(&course("algo")), Some(CourseRole::Student));
    assert_eq!(rig.accounts.keys(&caller, NOW).await.expect("are listed").len(), 1, "old keys stay void");
}

#[tokio::test]
async fn only_a_good_key_of_ones_own_is_renewed() {
    let rig = Rig::new().await;
    let code = rig.code(students(None)).await;
    let (mine, theirs) = (key(), key());
    let enrol = |public_key: &String| Enrol {
        code: code.clone(),
        public_key: public_key.clone(),
        ..Enrol::default()
    };
    let kim = rig.accounts.enrol(enrol(&mine), NOW).await.expect("is let in").user;
    rig.accounts.enrol(enrol(&theirs), NOW).await.expect("is let in");
    let caller = rig.accounts.caller(&kim).expect("is known");
    rig.accounts.renew(&caller, mine.clone(), after(100)).await.expect("is renewed");
    let keys = rig.accounts.keys(&caller, NOW).await.expect("are listed");
    assert_eq!(keys[0].expires, Some(after(100 + 180 * 86_400)));
    refused(rig.accounts.renew(&caller, theirs, NOW).await, RefusalCode::NotFound, "no credential");
    refused(rig.accounts.log_out(&caller, mine.clone(), NOW).await, RefusalCode::Later, "recorded");
    refused(rig.accounts.renew(&caller, mine, NOW).await, RefusalCode::NotFound, "no credential");
}

#[tokio::test]
async fn guessing_at_a_code_closes_it_for_a_while_and_no_other() {
    let rig = Rig::new().await;
    let code = rig.code(students(None)).await;
    let other = rig.code(students(None)).await;
    let wrong = format!("{}-0000-0000-0000", &code[..4]);
    let mut refusals = Vec::new();
    for _ in 0..12 {
        refusals.push(rig.enrol(&wrong, "x", None, NOW).await.expect_err("is wrong").code);
    }
    assert_eq!(refusals[9..], [RefusalCode::Unauthorised, RefusalCode::Later, RefusalCode::Later]);
    refused(rig.enrol(&code, "Kim", None, NOW).await, RefusalCode::Later, "too many");
    rig.enrol(&other, "Kim", None, NOW).await.expect("is not concerned");
}

#[tokio::test]
async fn a_scoped_credential_is_its_owner_in_one_assignment() {
    let rig = Rig::new().await;
    let code = rig.code(students(None)).await;
    let kim = rig.enrol(&code, "Kim", Some("1"), NOW).await.expect("is let in");
    let caller = rig.accounts.caller(&kim).expect("is known");
    let assignment: AssignmentId = "algo/hw1".parse().expect("an assignment");
    let make =
        |public_key: String| MakeScoped { public_key, assignment: assignment.clone(), lasts_s: 86_400 };
    refused(
        rig.accounts.make_scoped(&caller, make(key()), NOW).await,
        RefusalCode::NotFound,
        "no assignment",
    );
    let json =
        r#"{"id":"algo/hw1","title":"One","problems":[],"state":"open","time_zone":"UTC","stop":"never"}"#;
    let put: codementor_protocol::Assignment = serde_json::from_str(json).expect("an assignment");
    let state = async |state: AssignmentState, create| {
        let put = codementor_protocol::Assignment { state, ..put.clone() };
        let put = rig.store.write(move |db| courses::put_assignment(db, &put, create, &local(), NOW));
        put.await.expect("is written").expect("is put");
    };
    // A draft is as unknown to students as what is not there, by whatever way they ask.
    let row = RosterRow {
        student_id: "1".into(),
        name: "Kim".into(),
        code_host: Some("kim".into()),
        ..RosterRow::default()
    };
    let import = ImportRoster { course: course("algo"), rows: vec![row], dry_run: false };
    rig.accounts.import_roster(&rig.admin().await, import, NOW).await.expect("is imported");
    let by_job = async |account: &'static str, assignment: &'static str| {
        let assignment = assignment.parse().expect("an assignment");
        let read = rig.store.read(move |db| admit::by_code_host(db, &assignment, account)).await;
        read.expect("is read")
    };
    state(AssignmentState::Draft, true).await;
    refused(
        rig.accounts.make_scoped(&caller, make(key()), NOW).await,
        RefusalCode::NotFound,
        "no assignment",
    );
    for account in ["kim", "nobody"] {
        for assignment in ["algo/hw1", "algo/none"] {
            refused(by_job(account, assignment).await, RefusalCode::NotFound, "no assignment");
        }
    }
    rig.accounts.make_scoped(&rig.admin().await, make(key()), NOW).await.expect("who teaches tries it");
    state(AssignmentState::Open, false).await;
    assert_eq!(by_job("kim", "algo/hw1").await.expect("is known"), kim);

    let public_key = key();
    let made = rig.accounts.make_scoped(&caller, make(public_key.clone()), NOW).await.expect("is signed");
    assert_eq!(made.user.as_str(), "kim--1");
    let again =
        rig.accounts.make_scoped(&caller, make(public_key.clone()), NOW).await.expect("is answered again");
    assert_eq!(again.user, made.user);
    let scoped = rig.accounts.caller(&made.user).expect("is known");
    assert_eq!(
        (scoped.user.as_str(), scoped.scope.expect("has a scope").assignment),
        ("kim", assignment.clone())
    );
    let other: AssignmentId = "algo/hw2".parse().expect("an assignment");
    let mut submit: codementor_protocol::Submit = serde_json::from_str(
        r#"{"key":"12345678","purpose":"submission","problem":"sum","language":"c","files":[]}"#,
    )
    .expect("a submission");
    let scope = rig.accounts.caller(&made.user).expect("is known").scope.expect("has a scope");
    scope.narrow(&mut submit).expect("is narrowed");
    assert_eq!(submit.assignment, Some(assignment));
    submit.assignment = Some(other);
    refused(scope.narrow(&mut submit), RefusalCode::Unauthorised, "only");

    refused(rig.accounts.log_out(&caller, public_key, NOW).await, RefusalCode::Later, "recorded");
    refused(rig.accounts.caller(&made.user), RefusalCode::Unauthorised, "revoked");
}
