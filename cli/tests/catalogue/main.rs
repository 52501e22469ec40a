//! The Korean catalogues against the sources: every text that is said has its Korean, with the same arguments; nothing in
//! them is left over; nothing is said past them; and no sign outside of ASCII stands anywhere but where its plain form
//! stands too.

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use codementor::args::Cli;
use sources::Text;

/// Texts inside of these are not for people, or are not shown: calls, macros, attributes.
const NOT_SAID: [&str; 21] = [
    "debug!",
    "info!",
    "warn!",
    "trace!",
    "error!",
    "expect",
    "panic!",
    "unreachable!",
    "assert!",
    "#doc",
    "#expect",
    "#arg",
    "#command",
    "#allow",
    "#cfg_attr",
    "#must_use",
    "execute_batch",
    "prepare_cached",
    "prepare",
    "query_row",
    "contains",
];

/// What writes for CI services, whose files are in English whoever reads them.
const FOR_PROGRAMS: [&str; 8] = [
    "ci/annotations.rs",
    "ci/classroom.rs",
    "ci/grade.rs",
    "ci/gradescope.rs",
    "ci/junit.rs",
    "ci/log.rs",
    "ci/sample.rs",
    "ci/summary.rs",
];

/// Whose words reach people by the command line.
const ELSEWHERE: [&str; 4] = ["daemon/src", "daemon/protocol/src", "problems/src", "runners/src"];

/// What is said in there to a model, to NATS, to monitors and to whoever runs `codementord`, who is spoken to in English.
const NOT_FOR_USERS: [&str; 20] = [
    "daemon/src/backup",
    "daemon/src/feedback/prompt",
    "daemon/src/feedback/scrub",
    "daemon/src/feedback/session.rs",
    "daemon/src/main.rs",
    "daemon/src/monitor",
    "daemon/src/nats/auth",
    "daemon/src/nats/embedded",
    "daemon/src/nats/export.rs",
    "daemon/src/nats/streams.rs",
    "daemon/src/nats/tls.rs",
    "daemon/src/program.rs",
    "daemon/src/queue",
    "daemon/src/setup.rs",
    "daemon/src/store",
    "daemon/src/judge/report.rs",
    "daemon/src/personal.rs",
    "runners/src/diagnostics",
    "problems/src/testing.rs",
    "daemon/src/oidc/keys.rs",
];

/// What clap and the standard library say where an argument is wrong.
const OF_LIBRARIES: [&str; 8] = [
    "to pass '{argument}' as a value, use '{again}'",
    "invalid digit found in string",
    "cannot parse integer from empty string",
    "number too large to fit in target type",
    "{value} is not in {range}",
    "invalid float literal",
    "provided string was not `true` or `false`",
    "a value is required but none was supplied",
];

/// Parts of what only looks like words to people.
const NO_TEXTS: [&str; 16] = [
    // SQL, CSS, a Dockerfile.
    "ORDER BY",
    "AND assignment =",
    "color-scheme",
    "RUN if",
    // Licences of packages, and what apt and NATS say.
    "public domain",
    "cc by",
    "Could not ",
    "Failed to fetch",
    "Cannot initiate",
    "no pipes",
    "authorization violation",
    // What stands in files for learning platforms and in statements, and the maker of an image.
    "nothing was handed in",
    "set by those who teach",
    "points{said}",
    "(The statement goes on;",
    "bootstrapped from",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository")
}

fn ours() -> Vec<Text> {
    sources::texts(&root().join("cli/src"))
}

/// Every text that is said, with the file where it is.
fn said() -> BTreeMap<String, PathBuf> {
    let mut keys: BTreeMap<String, PathBuf> = BTreeMap::new();
    for text in ours() {
        if text.is_in("t!") && text.place == 0 {
            keys.insert(text.value, text.file);
        } else if text.is_in("count!") {
            keys.insert(format!("{{n}} {}", text.value), text.file);
        }
    }
    codementor::help::texts(&Cli::command(), &mut |text| {
        keys.entry(text.to_owned()).or_insert_with(|| "args.rs".into());
    });
    keys
}

fn catalogue(name: &str) -> BTreeMap<String, String> {
    let path = root().join("cli/locales").join(name);
    toml::from_str(&std::fs::read_to_string(path).expect("the catalogue is there")).expect("it is TOML")
}

fn both() -> impl Iterator<Item = (String, String)> {
    catalogue("ko.toml").into_iter().chain(catalogue("ko-said.toml"))
}

fn arguments(text: &str) -> BTreeSet<&str> {
    let parts = text.split('{').skip(1);
    parts.map(|part| part.split_once('}').expect("an argument ends").0.trim_start_matches('~')).collect()
}

/// Whether it reads as words to people: more than one of them, outside of holes. Commands to type are none.
fn is_prose(text: &str) -> bool {
    let mut plain = String::new();
    let mut depth = 0;
    for sign in text.chars() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 => plain.push(sign),
            _ => {}
        }
    }
    let is_word = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase() || c == '\'');
    let words: Vec<&str> = plain.split_whitespace().collect();
    let sql = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "PRAGMA", "WITH", "ALTER", "VACUUM", "FROM",
        "WHERE",
    ];
    let is_other = words.first().is_some_and(|first| sql.contains(first) || *first == "codementor")
        || NO_TEXTS.iter().any(|part| text.contains(part));
    words.iter().filter(|word| is_word(word)).count() > 1 && !is_other
}

/// A text as a key of the catalogue of what is said elsewhere: holes that are no names are numbered.
fn key(text: &str) -> String {
    let (mut key, mut numbered, mut rest) = (String::new(), 0, text);
    while let Some((before, after)) = rest.split_once('{') {
        key.push_str(before);
        let Some((hole, after)) = after.split_once('}') else { return text.into() };
        let name = hole.split(':').next().unwrap_or_default();
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if is_name {
            key.push_str(&format!("{{{name}}}"));
        } else {
            key.push_str(&format!("{{{numbered}}}"));
            numbered += 1;
        }
        rest = after;
    }
    key + rest
}

#[test]
fn every_text_has_its_korean_and_no_korean_is_left_over() {
    let (said, catalogue) = (said(), catalogue("ko.toml"));
    assert!(said.len() > 500, "only {} texts were found", said.len());
    let missing: Vec<_> = said.iter().filter(|(key, _)| !catalogue.contains_key(*key)).collect();
    assert!(missing.is_empty(), "without Korean: {missing:#?}");
    let unused: Vec<_> = catalogue.keys().filter(|key| !said.contains_key(*key)).collect();
    assert!(unused.is_empty(), "said nowhere: {unused:#?}");
}

#[test]
fn nothing_is_said_to_people_past_the_catalogue() {
    let catalogue = catalogue("ko.toml");
    let past: Vec<_> = ours()
        .into_iter()
        .filter(|text| is_prose(&text.value) && !text.is_in("t!") && !text.is_in("count!"))
        .filter(|text| !text.within.iter().any(|name| NOT_SAID.contains(&name.as_str())))
        // Help texts in constants.
        .filter(|text| !catalogue.contains_key(&text.value))
        .filter(|text| !FOR_PROGRAMS.iter().any(|file| text.file == Path::new(file)))
        .map(|text| format!("{}:{}: {:?}", text.file.display(), text.line, text.value))
        .collect();
    assert!(past.is_empty(), "not by t! or count!: {past:#?}");
}

#[test]
fn what_is_said_elsewhere_has_its_korean_and_no_korean_is_left_over() {
    let catalogue = catalogue("ko-said.toml");
    let (mut known, mut missing) = (BTreeSet::new(), Vec::new());
    for folder in ELSEWHERE {
        for text in sources::texts(&root().join(folder)) {
            let key = key(&text.value);
            let file = format!("{folder}/{}", text.file.display());
            let is_said = is_prose(&text.value)
                && !text.within.iter().any(|name| NOT_SAID.contains(&name.as_str()))
                && !NOT_FOR_USERS.iter().any(|beginning| file.starts_with(beginning));
            if is_said && !catalogue.contains_key(&key) {
                missing.push(format!("{file}:{}: {key:?}", text.line));
            }
            known.insert(key);
        }
    }
    assert!(missing.is_empty(), "without Korean: {missing:#?}");
    known.extend(OF_LIBRARIES.map(str::to_owned));
    let is_of_the_system = |key: &str| key.ends_with(')') && key.contains(" (os error ");
    let unused: Vec<_> =
        catalogue.keys().filter(|key| !known.contains(*key) && !is_of_the_system(key)).collect();
    assert!(unused.is_empty(), "said nowhere: {unused:#?}");
}

#[test]
fn korean_texts_have_the_arguments_and_the_margins_of_the_english_ones() {
    for (english, korean) in both() {
        // Help texts have braces of their own, and no arguments.
        assert_eq!(arguments(&english), arguments(&korean), "{english}");
        let ends = |text: &str| (text.ends_with('\n'), text.starts_with("  "), text.starts_with('>'));
        assert_eq!(ends(&english), ends(&korean), "{english}");
        assert!(!korean.contains("을(를)") && !korean.contains("이(가)"), "{korean}");
        for token in ["ACCEPTED", "WRONG_ANSWER", "JUDGE_ERROR", "CODEMENTOR_CREDS"] {
            assert_eq!(english.contains(token), korean.contains(token), "{english}");
        }
    }
}

#[test]
fn commands_to_type_are_the_same_in_both_languages() {
    let commands = |text: &str| -> BTreeSet<String> {
        let parts = text.split("codementor ").skip(1);
        let word = |part: &str| part.chars().take_while(|letter| letter.is_ascii_lowercase()).collect();
        parts.map(word).collect()
    };
    for (english, korean) in both() {
        assert_eq!(commands(&english), commands(&korean), "{english}");
    }
}

#[test]
fn signs_outside_of_ascii_stand_only_where_their_plain_form_stands_too() {
    // Names of columns that are read, answers that are read, examples of them in the help, and what tests are made of.
    let exempt = ["render/glyphs.rs", "roster.rs", "args/roster.rs", "commands.rs", "ci/sample.rs"];
    for text in ours() {
        let is_exempt = exempt.iter().any(|exempt| text.file == Path::new(exempt));
        assert!(
            is_exempt || text.value.is_ascii() || text.within.iter().any(|name| name == "#doc"),
            "{text:?}"
        );
    }
}
