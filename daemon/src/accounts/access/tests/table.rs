//! The table of `docs/ACCESS.md`, and a request of each of its rows: for the test of what the gateway decides, and for the
//! one that asks a server over NATS.

const TABLE: &str = include_str!("../../../../../docs/ACCESS.md");

/// A request of each verb. Words in capitals stand for what [`Names`] holds. What none of them names is not there, so that
/// nothing is changed for the requests that follow.
#[rustfmt::skip]
const REQUESTS: &[(&str, &str)] = &[
    ("submit", r#"{"key":"FRESH","purpose":"submission","problem":"PROBLEM","language":"python3","files":[{"name":"a.py","text":"print(1)\n"}]}"#),
    ("events", r#"{"submission":SUBMISSION,"from":1}"#),
    ("show", r#"{"submission":SUBMISSION}"#),
    ("history", r#"{"limit":50}"#),
    ("case", r#"{"submission":SUBMISSION}"#),
    ("cancel", r#"{"submission":SUBMISSION}"#),
    ("problems", "{}"),
    ("problem", r#"{"problem":"PROBLEM"}"#),
    ("package-put", r#"{"package":"HASH","size":1,"offset":0,"piece":""}"#),
    ("package-install", r#"{"package":"HASH","slug":"PROBLEM","by_content":false}"#),
    ("package-compare", r#"{"package":"HASH","slug":"PROBLEM"}"#),
    ("package-get", r#"{"problem":"PROBLEM","offset":0}"#),
    ("rejudge", r#"{"what":{"problem":"PROBLEM"}}"#),
    ("rejudge-show", r#"{"id":1}"#),
    ("rejudge-end", r#"{"id":1,"apply":true}"#),
    ("rejudges", "{}"),
    ("stats", r#"{"assignment":"COURSE/hw1"}"#),
    ("status", "{}"),
    ("hint", r#"{"submission":SUBMISSION}"#),
    ("feedback", r#"{"submission":SUBMISSION}"#),
    ("prompt", r#"{"problem":"PROBLEM","language":"python3","files":[{"name":"a.py","text":"print(1)\n"}]}"#),
    ("rehearse", r#"{"problem":"PROBLEM","package":"HASH"}"#),
    ("stop", "{}"),
    ("course-put", r#"{"course":"COURSE","title":"Algorithms"}"#),
    ("courses", "{}"),
    ("assignment-put", r#"{"create":true,"assignment":{"id":"COURSE/hw1","title":"One","problems":[],"state":"draft","time_zone":"UTC","stop":"never"}}"#),
    ("assignments", "{}"),
    ("assignment-state", r#"{"assignment":"COURSE/hw1","state":"open"}"#),
    ("assignment-extend", r#"{"assignment":"COURSE/hw1","student":"nobody-here","due":0,"reason":"ill"}"#),
    ("assignment-delete", r#"{"assignment":"COURSE/hw0"}"#),
    ("due", "{}"),
    ("problem-read", r#"{"problem":"PROBLEM"}"#),
    ("whoami", "{}"),
    ("join", r#"{"code":"CODE"}"#),
    ("renew", r#"{"public_key":"KEY"}"#),
    ("pair", "{}"),
    ("keys", "{}"),
    ("logout", r#"{"public_key":"KEY"}"#),
    ("code-make", r#"{"course":"COURSE","role":"student","lasts_s":60}"#),
    ("codes", r#"{"course":"COURSE"}"#),
    ("code-drop", r#"{"course":"COURSE","id":999999}"#),
    ("credential-make", r#"{"public_key":"FRESH","assignment":"COURSE/hw1","lasts_s":60}"#),
    ("revoke", r#"{"user":"nobody-here"}"#),
    ("roster-import", r#"{"course":"COURSE","rows":[],"dry_run":true}"#),
    ("roster", r#"{"course":"COURSE"}"#),
    ("roster-link", r#"{"course":"COURSE","user":"nobody-here","student_id":"1"}"#),
    ("member-remove", r#"{"course":"COURSE","who":"nobody-here"}"#),
    ("grades", r#"{"assignment":"COURSE/hw1"}"#),
    ("grade", r#"{"assignment":"COURSE/hw1"}"#),
    ("grade-override", r#"{"assignment":"COURSE/hw1","student":"nobody-here","reason":"ill"}"#),
    ("grade-choose", r#"{"submission":SUBMISSION}"#),
    ("personal", "{}"),
    ("personal-erase", r#"{"who":"nobody-here"}"#),
    ("audit", r#"{"course":"COURSE","limit":1}"#),
];

/// What a request names.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) course: String,
    pub(crate) problem: String,
    pub(crate) submission: u64,
    pub(crate) code: String,
    /// The public half of a key that is somebody's.
    pub(crate) key: String,
    /// One that nobody has used yet.
    pub(crate) fresh: String,
}

impl Names {
    /// A request as it is sent.
    pub(crate) fn fill(&self, request: &str) -> String {
        request
            .replace("HASH", &"0".repeat(64))
            .replace("COURSE", &self.course)
            .replace("PROBLEM", &self.problem)
            .replace("SUBMISSION", &self.submission.to_string())
            .replace("CODE", &self.code)
            .replace("KEY", &self.key)
            .replace("FRESH", &self.fresh)
    }
}

/// The columns of the table, and its rows: a verb, and a word for each column.
pub(crate) fn table() -> (Vec<&'static str>, Vec<(&'static str, Vec<&'static str>)>) {
    let cells = |line: &'static str| -> Vec<&'static str> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect()
    };
    let mut rows = TABLE
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.starts_with("| request"))
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .filter(|cells| !cells[0].starts_with("--"));
    let columns = rows.next().expect("docs/ACCESS.md has the table")[1..].to_vec();
    let rows = rows.map(|cells| {
        assert_eq!(cells.len(), columns.len() + 1, "{}", cells[0]);
        (cells[0], cells[1..].to_vec())
    });
    (columns.clone(), rows.collect())
}

/// The request of a verb that the table has.
pub(crate) fn request(verb: &str) -> &'static str {
    let found = REQUESTS.iter().find(|(of, _)| *of == verb);
    found.unwrap_or_else(|| panic!("docs/ACCESS.md has '{verb}', and the tests have no such request")).1
}

/// Sees that the table has exactly these verbs, each once.
pub(crate) fn check_complete(verbs: &[&str]) {
    let mut seen: Vec<&str> = table().1.iter().map(|(verb, _)| *verb).collect();
    let mut known = verbs.to_vec();
    seen.sort_unstable();
    known.sort_unstable();
    assert_eq!(seen, known, "docs/ACCESS.md has another set of requests than the protocol");
}
