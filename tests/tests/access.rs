//! Who may ask what, asked: every request of the table in `docs/ACCESS.md` is sent over NATS to a real server by people of
//! every role, each with credentials of its own, and the answers are compared with the table's cells.

#[path = "../../daemon/src/accounts/access/tests/table.rs"]
mod table;

use std::sync::atomic::{AtomicU64, Ordering};

use codementor::client::Client;
use codementor_protocol::VERBS;
use codementor_tests::peer::{Peer, enrol, runtime, within};
use codementor_tests::server::{Served, free_port};
use codementor_tests::{Home, home, library};
use codementord::nats::auth::{Creds, Keys, Role};
use serde_json::{Value, json};

use table::Names;

/// The course that the requests name, one of other people, and one that does not exist.
const COURSE: &str = "algo";
const ELSEWHERE: &str = "other";
const ABSENT: &str = "absent";
/// What no submission is called.
const NO_SUBMISSION: u64 = 999_999;

/// A server for others that judges nothing, so that what is submitted waits.
struct Server {
    // Stopped before its home goes.
    _process: Served,
    home: Home,
    url: String,
    gate: Client,
    owner: Peer,
}

/// Somebody with credentials of its own.
struct Person {
    /// Its column in the table.
    column: &'static str,
    /// Its name on NATS.
    user: String,
    peer: Peer,
    key: String,
    /// The key of a second machine, which can be given up.
    spare: String,
    /// A submission that it made itself.
    own: u64,
}

/// What a person asks for in vain.
struct Foreign {
    key: String,
    submission: u64,
}

impl Server {
    async fn start() -> Self {
        let home = home!().with("CODEMENTOR_SLOTS", 0);
        let listen = format!("127.0.0.1:{}", free_port());
        home.run_daemon(&["init", "--listen", &listen]).expect_code(0);
        let process = home.serve(&[]);
        home.run(&["problem", "push", library().join("hello").to_str().expect("a text")]).expect_code(0);
        for (course, assignments) in [(COURSE, &["hw1", "hw2"][..]), (ELSEWHERE, &["hw1"])] {
            home.run(&["course", "create", course]).expect_code(0);
            for assignment in assignments {
                let id = format!("{course}/{assignment}");
                home.run(&["assignment", "create", &id, "-p", "hello", "--open"]).expect_code(0);
            }
        }
        let url = home.url();
        let gate = Client::connect_as_nobody(&url, None).await.expect("is let in to ask");
        let creds = Creds::read(&home.data().join("user.creds")).expect("the owner has credentials");
        let owner = Peer::of(&url, &creds).await;
        Self { _process: process, home, url, gate, owner }
    }

    /// What the owner is answered.
    async fn told(&self, verb: &str, body: Value) -> Value {
        let mut reply = self.owner.ask("local", verb, body).await;
        assert!(reply["ok"].is_object(), "{verb}: {reply}");
        reply["ok"].take()
    }

    /// A code that lets one into a course.
    async fn code(&self, course: &str, role: &str) -> String {
        let made =
            self.told("code-make", json!({ "course": course, "role": role, "lasts_s": 600, "uses": 1 }));
        made.await["code"].as_str().expect("a text").to_owned()
    }

    /// Somebody who has joined a course and submitted to an assignment of it.
    async fn member(&self, column: &'static str, course: &str, role: &str) -> Person {
        let creds = enrol(&self.gate, &self.code(course, role).await, column).await;
        self.person(column, &creds, Some(&format!("{course}/hw1"))).await
    }

    /// Makes a person of credentials: with a second machine, where it may have one, and a submission.
    async fn person(&self, column: &'static str, creds: &Creds, assignment: Option<&str>) -> Person {
        let user = creds.user_name().expect("have a name");
        let peer = Peer::of(&self.url, creds).await;
        let key = creds.public_key().expect("have a key");
        let paired = peer.ask(&user, "pair", json!({})).await;
        let spare = match paired["ok"]["code"].as_str() {
            Some(code) => enrol(&self.gate, code, column).await.public_key().expect("have a key"),
            None => key.clone(),
        };
        let own = submit(&peer, &user, assignment).await;
        Person { column, user, peer, key, spare, own }
    }

    /// A credential for one assignment of the course, as an instructor makes it for CI.
    async fn scoped(&self, owner: &Person) -> Person {
        let (seed, public_key) = Creds::new_key().expect("a key");
        let assignment = format!("{COURSE}/hw1");
        let body = json!({ "public_key": public_key, "assignment": assignment, "lasts_s": 600 });
        let made = owner.peer.ask(&owner.user, "credential-make", body).await;
        let jwt = made["ok"]["jwt"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        self.person("scoped", &Creds { jwt, seed }, Some(&assignment)).await
    }

    fn keys(&self) -> Keys {
        Keys::load_or_create(&self.home.data().join("keys")).expect("the server has keys")
    }
}

async fn submit(peer: &Peer, user: &str, assignment: Option<&str>) -> u64 {
    let reply = peer.ask(user, "submit", program(assignment)).await;
    reply["ok"]["id"].as_u64().unwrap_or_else(|| panic!("{user} submits: {reply}"))
}

/// A submission of its own each time.
fn program(assignment: Option<&str>) -> Value {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    json!({
        "key": format!("access-{number:08}"), "purpose": "submission", "problem": "hello", "language": "python3",
        "files": [{ "name": "a.py", "text": "print('Hello, CodeMentor!')\n" }], "assignment": assignment,
    })
}

/// People for every column. An administrator comes twice: by a code, and as the owner of the data directory.
async fn people(server: &Server) -> Vec<Person> {
    let mut people = vec![
        server.member("student", COURSE, "student").await,
        server.member("assistant", COURSE, "assistant").await,
        server.member("student elsewhere", ELSEWHERE, "student").await,
        server.member("assistant elsewhere", ELSEWHERE, "assistant").await,
        server.member("instructor elsewhere", ELSEWHERE, "instructor").await,
    ];
    let instructor = server.member("instructor", COURSE, "instructor").await;
    people.push(server.scoped(&instructor).await);
    people.push(instructor);
    // Who has left every course is still a user, and still has what it submitted.
    let nobody = server.member("nobody", ELSEWHERE, "student").await;
    server.told("member-remove", json!({ "course": ELSEWHERE, "who": nobody.user })).await;
    people.push(nobody);
    let code = server.home.run_daemon(&["admin-code"]).expect_code(0).stdout;
    let admin = enrol(&server.gate, code.trim(), "chair").await;
    people.push(server.person("admin", &admin, None).await);
    let owner = Creds::read(&server.home.data().join("user.creds")).expect("are read");
    people.push(server.person("admin", &owner, None).await);
    people
}

/// Asks one request of the table in all the ways that tell how it is decided.
struct Asking<'a> {
    person: &'a Person,
    foreign: &'a Foreign,
    spent_code: &'a str,
}

impl Asking<'_> {
    fn names(&self, verb: &str) -> Names {
        let key = if verb == "logout" { &self.person.spare } else { &self.person.key };
        Names {
            course: COURSE.into(),
            problem: "hello".into(),
            submission: self.person.own,
            code: self.spent_code.into(),
            key: key.clone(),
            fresh: Creds::new_key().expect("a key").1,
        }
    }

    async fn reply(&self, verb: &str, names: &Names) -> Value {
        let body = serde_json::from_str(&names.fill(table::request(verb))).expect("the request is JSON");
        let reply = self.person.peer.ask(&self.person.user, verb, body).await;
        let who = self.person.column;
        assert!(reply["ok"].is_null() != reply["refused"].is_null(), "{verb} of {who}: {reply}");
        // Neither is an answer to what was asked: a request that is not understood, and a failure of ours.
        let said = reply["refused"]["message"].as_str().unwrap_or_default();
        assert!(!said.contains("cannot be read") && !said.contains("does not know"), "{verb}: {reply}");
        assert!(!["internal", "unknown"].contains(&code(&reply)), "{verb} of {who}: {reply}");
        reply
    }

    /// The word that belongs into the table's cell.
    async fn word(&self, verb: &str) -> &'static str {
        let request = table::request(verb);
        let names = self.names(verb);
        let reply = self.reply(verb, &names).await;
        if code(&reply) == "unauthorised" {
            return "no";
        }
        if request.contains("COURSE") {
            let absent = self.reply(verb, &Names { course: ABSENT.into(), ..names.clone() }).await;
            let hidden = format!("you are in no course '{COURSE}'");
            if code(&reply) == "not_found" && reply["refused"]["message"] == hidden {
                assert_eq!(told(&reply, COURSE), told(&absent, ABSENT), "{verb}: a course is given away");
                return "unseen";
            }
        }
        if self.reaches_own_only(verb, &names, &reply).await { "own" } else { "yes" }
    }

    /// Whether a request is about own things only: what is another's is answered like what does not exist.
    async fn reaches_own_only(&self, verb: &str, names: &Names, reply: &Value) -> bool {
        let request = table::request(verb);
        if request.contains("SUBMISSION") {
            let foreign = Names { submission: self.foreign.submission, ..names.clone() };
            let none = Names { submission: NO_SUBMISSION, ..names.clone() };
            let mark = |names: &Names| format!("#{}", names.submission);
            let (own, foreign, none) = (
                told(reply, &mark(names)),
                told(&self.reply(verb, &foreign).await, &mark(&foreign)),
                told(&self.reply(verb, &none).await, &mark(&none)),
            );
            assert_ne!(own, none, "{verb} of {}: it does not reach its own", self.person.column);
            return foreign == none && none["refused"]["code"] == "not_found";
        }
        if request.contains("KEY") {
            let foreign = Names { key: self.foreign.key.clone(), ..names.clone() };
            let none = Names { key: Creds::new_key().expect("a key").1, ..names.clone() };
            let (theirs, nothing) = (self.reply(verb, &foreign).await, self.reply(verb, &none).await);
            assert!(reply["ok"].is_object(), "{verb} of {}: {reply}", self.person.column);
            let short = |names: &Names| names.key[..8].to_owned();
            return told(&theirs, &short(&foreign)) == told(&nothing, &short(&none))
                && code(&nothing) == "not_found";
        }
        let all = reply.to_string();
        match verb {
            "history" => {
                let listed = |id: u64| {
                    let list = reply["ok"].as_array().expect("a list");
                    list.iter().any(|one| one["id"] == id)
                };
                assert!(listed(self.person.own), "{all}");
                !listed(self.foreign.submission)
            }
            "keys" => {
                assert!(all.contains(&self.person.key), "{all}");
                !all.contains(&self.foreign.key)
            }
            "personal" => {
                assert!(all.contains(self.person.key.as_str()), "{all}");
                !all.contains(&self.foreign.key)
            }
            _ => false,
        }
    }
}

/// What is said, but for the name of what it is said of.
fn told(reply: &Value, name: &str) -> Value {
    serde_json::from_str(&reply.to_string().replace(name, "IT")).expect("is JSON still")
}

fn code(reply: &Value) -> &str {
    reply["refused"]["code"].as_str().unwrap_or_default()
}

#[test]
fn every_request_of_every_role_is_answered_as_the_table_says() {
    runtime().block_on(async {
        let server = Server::start().await;
        let people = people(&server).await;
        let spent_code = spent(&server).await;
        let (columns, rows) = table::table();
        table::check_complete(VERBS);
        for column in &columns {
            assert!(people.iter().any(|one| one.column == *column), "nobody asks as '{column}'");
        }
        let mut wrong = Vec::new();
        for (verb, cells) in &rows {
            for (place, person) in people.iter().enumerate() {
                let cell = columns.iter().position(|column| *column == person.column);
                let cell = cells[cell.expect("the table has this column")];
                if *verb == "stop" && cell == "yes" {
                    // That ends the server: it comes last.
                    continue;
                }
                let foreign = foreign(&people, place);
                let asking = Asking { person, foreign: &foreign, spent_code: &spent_code };
                let word = asking.word(verb).await;
                if word != cell {
                    wrong.push(format!("{verb} of {}: '{word}', and the table has '{cell}'", person.column));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        for person in &people {
            let reply = person.peer.ask(&person.user, "anything-else", json!({})).await;
            assert_eq!(code(&reply), "invalid", "{}: {reply}", person.column);
        }
        let admin = people.iter().find(|one| one.column == "admin").expect("is there");
        let reply = admin.peer.ask(&admin.user, "stop", json!({})).await;
        assert!(reply["ok"].is_object(), "{reply}");
    });
}

/// A code that has let in all whom it lets in: whoever may use codes is told so, and nobody becomes a member.
async fn spent(server: &Server) -> String {
    server.told("course-put", json!({ "course": "past", "title": "Past" })).await;
    let code = server.code("past", "student").await;
    enrol(&server.gate, &code, "guest").await;
    code
}

/// What belongs to somebody else: an administrator's, since what administrators submit outside of courses is read by
/// nobody; of scoped credentials, what their owner has.
fn foreign(people: &[Person], place: usize) -> Foreign {
    let other = match people[place].column {
        "scoped" => people.iter().find(|one| one.column == "instructor"),
        _ => people
            .iter()
            .enumerate()
            .find_map(|(at, one)| (one.column == "admin" && at != place).then_some(one)),
    };
    let other = other.expect("is there");
    Foreign { key: other.key.clone(), submission: other.own }
}

#[test]
fn those_who_teach_read_what_was_submitted_to_their_course_and_no_more() {
    runtime().block_on(async {
        let server = Server::start().await;
        let people = people(&server).await;
        let by = |column: &str| people.iter().find(|one| one.column == column).expect("is there");
        let id = by("student").own;
        for person in &people {
            let reads = ["student", "assistant", "instructor", "admin"].contains(&person.column);
            for (verb, body) in [
                ("events", json!({ "submission": id, "from": 1 })),
                ("show", json!({ "submission": id })),
                ("case", json!({ "submission": id })),
            ] {
                let reply = person.peer.ask(&person.user, verb, body).await;
                let unknown = reply["refused"]["message"] == format!("you have no submission #{id}");
                assert_eq!(!unknown, reads, "{verb} of {}: {reply}", person.column);
            }
            if person.column == "student" {
                continue;
            }
            for verb in ["cancel", "hint", "feedback", "grade-choose"] {
                let reply = person.peer.ask(&person.user, verb, json!({ "submission": id })).await;
                let refused = if person.column == "scoped" && ["hint", "grade-choose"].contains(&verb) {
                    "unauthorised"
                } else {
                    "not_found"
                };
                assert_eq!(code(&reply), refused, "{verb} of {}: {reply}", person.column);
            }
        }
        let again = json!({ "what": { "submissions": [id] }, "all": true });
        for (column, refused) in
            [("instructor", "nothing"), ("admin", "nothing"), ("instructor elsewhere", "not_found")]
        {
            let person = by(column);
            let reply = person.peer.ask(&person.user, "rejudge", again.clone()).await;
            assert_eq!(code(&reply), refused, "{column}: {reply}");
        }
    });
}

#[test]
fn what_is_beyond_the_table_is_decided_by_who_it_is_about() {
    runtime().block_on(async {
        let server = Server::start().await;
        let people = people(&server).await;
        let by = |column: &str| people.iter().find(|one| one.column == column).expect("is there");
        let student = &by("student").user;
        for person in people.iter().filter(|one| !["student", "scoped"].contains(&one.column)) {
            let ask = |verb, body| person.peer.ask(&person.user, verb, body);
            let is_admin = person.column == "admin";
            for (verb, body) in
                [("pair", json!({ "user": student })), ("personal", json!({ "who": student }))]
            {
                let reply = ask(verb, body).await;
                assert_eq!(code(&reply) == "unauthorised", !is_admin, "{verb} of {}: {reply}", person.column);
            }
        }
        let assignment = format!("{COURSE}/hw1");
        let asks = |column, verb, body| {
            let person = by(column);
            person.peer.ask(&person.user, verb, body)
        };
        let of_student = || json!({ "assignment": assignment, "student": student });
        assert!(asks("student", "grade", of_student()).await["ok"].is_object());
        assert!(asks("assistant", "grade", of_student()).await["ok"].is_object());
        let other = server.member("second", COURSE, "student").await;
        let reply = other.peer.ask(&other.user, "grade", of_student()).await;
        assert_eq!(code(&reply), "unauthorised", "{reply}");
        let teacher = &by("instructor").user;
        let reply = asks("instructor", "member-remove", json!({ "course": COURSE, "who": teacher })).await;
        assert_eq!(code(&reply), "forbidden", "{reply}");
        // Naming a course does not tell whether there is one.
        for column in ["nobody", "student elsewhere", "instructor elsewhere"] {
            let hidden = asks(column, "assignments", json!({ "course": COURSE })).await;
            let absent = asks(column, "assignments", json!({ "course": ABSENT })).await;
            assert_eq!(code(&hidden), "not_found", "{column}: {hidden}");
            assert_eq!(told(&hidden, COURSE), told(&absent, ABSENT), "{column}");
        }
        // Which version of a problem judges is for none of them to say.
        for person in &people {
            let mut body = program(None);
            body["package"] = json!("0".repeat(64));
            let reply = person.peer.ask(&person.user, "submit", body).await;
            assert_eq!(code(&reply), "forbidden", "{}: {reply}", person.column);
        }
        // A credential for one assignment submits to no other.
        let reply = asks("scoped", "submit", program(Some(&format!("{COURSE}/hw2")))).await;
        assert_eq!(code(&reply), "unauthorised", "{reply}");
    });
}

#[test]
fn who_is_no_user_or_was_cut_off_is_refused_everything() {
    runtime().block_on(async {
        let server = Server::start().await;
        let gone = server.member("gone", COURSE, "instructor").await;
        server.told("revoke", json!({ "user": gone.user })).await;
        // NATS would let both in: with keys that were signed as the server signs them.
        for (user, name) in [("ghost", "who was never let in"), (gone.user.as_str(), "who was cut off")] {
            let creds = server.keys().issue(Role::Student, user, None).expect("is signed");
            let peer = Peer::of(&server.url, &creds).await;
            let names = Names {
                course: COURSE.into(),
                problem: "hello".into(),
                submission: gone.own,
                code: "x".into(),
                key: gone.key.clone(),
                fresh: Creds::new_key().expect("a key").1,
            };
            for (verb, _) in table::table().1 {
                let body = serde_json::from_str(&names.fill(table::request(verb))).expect("is JSON");
                let reply = within(peer.ask(user, verb, body)).await;
                assert_eq!(code(&reply), "unauthorised", "{verb} of {name}: {reply}");
            }
        }
    });
}
