//! Hundreds of wrong programs, and as many answers of a model to them: what is delivered is right, and what is right is
//! delivered.

mod pairs;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use codementor_protocol::{Submit, Verdict};
use codementor_test_model::{ModelServer, Script};
use codementor_tests::crowd::Followed;
use codementor_tests::{Crowd, home};

use pairs::{FOLDS, KINDS, Kind, Language, Pair};

/// How many are under way at once: more than are judged and asked about at once, so that nothing stands idle.
const AT_ONCE: usize = 24;

/// What became of the pairs of a kind.
#[derive(Debug, Default)]
struct Tally {
    pairs: usize,
    delivered: usize,
    failing: usize,
    other_ends: Vec<String>,
}

#[test]
fn of_hundreds_of_corrections_those_that_pass_all_tests_are_delivered_and_no_others() {
    let pairs = Arc::new(pairs::all());
    assert!(pairs.len() >= 500);
    let distinct: HashSet<_> = pairs.iter().map(|pair| (pair.kind as usize, &pair.program)).collect();
    assert_eq!(distinct.len(), pairs.len(), "each pair is another one");
    let model = ModelServer::start({
        let pairs = pairs.clone();
        move |request| {
            let number = pairs::number(request);
            let pair = pairs.iter().find(|pair| Some(pair.number()) == number);
            pair.map_or_else(|| Script::error(418, "of what pair is this?"), |pair| pair.answer(request))
        }
    });
    let home = home!()
        .with("CODEMENTOR_FEEDBACK_URL", model.url())
        .with("CODEMENTOR_FEEDBACK_MODEL", "scripted")
        .with("CODEMENTOR_SLOTS", 4)
        .configured("[feedback]\npolicy = \"full\"\nchecks = 10000\n");
    for fold in &FOLDS {
        fold.install(&home);
    }
    let crowd = Crowd::of(&home);
    let began = Instant::now();
    premises_hold(&crowd, &pairs);

    let submit = |pair: &Pair, text: &str, feedback| {
        crowd.program(pair.fold.slug, pair.language.id(), pair.language.file(), text, feedback)
    };
    let programs: Vec<Submit> = pairs.iter().map(|pair| submit(pair, &pair.program, true)).collect();
    let followed = crowd.submit(&programs, AT_ONCE);
    let given = began.elapsed();

    // Whatever was delivered is handed in by itself.
    let delivered: Vec<(&Pair, Submit)> = pairs
        .iter()
        .zip(&followed)
        .flat_map(|(pair, one)| one.fixes().into_iter().map(move |fix| (pair, fix)))
        .map(|(pair, fix)| {
            assert_eq!(fix.files.len(), 1, "{pair:?}");
            assert_eq!(fix.files[0].name, pair.language.file(), "{pair:?}");
            (pair, submit(pair, &fix.files[0].text, false))
        })
        .collect();
    let handed_in: Vec<Submit> = delivered.iter().map(|(_, submit)| submit.clone()).collect();
    let judged = crowd.submit(&handed_in, AT_ONCE);

    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for (pair, one) in pairs.iter().zip(&followed) {
        let tally = tallies.entry(format!("{:?}", pair.kind)).or_default();
        tally.pairs += 1;
        tally.delivered += one.fixes().len();
        let expected = KINDS.iter().find(|(kind, ..)| *kind == pair.kind).map_or("", |(.., end)| end);
        let end = one.feedback_end().map_or("none", |end| end.outcome.token());
        if end != expected {
            tally.other_ends.push(format!("{pair:?} ended with {end}"));
        }
        assert_ne!(one.verdict(), Verdict::Accepted, "{pair:?}: the student's program is wrong");
        check(pair, one);
    }
    for ((pair, submit), one) in delivered.iter().zip(&judged) {
        if one.verdict() != Verdict::Accepted {
            let tally = tallies.entry(format!("{:?}", pair.kind)).or_default();
            tally.failing += 1;
            eprintln!("{pair:?}: {:?} was delivered: {}", one.verdict(), submit.files[0].text);
        }
    }

    println!("| answers of the model | pairs | delivered | of these, failing a case | ended otherwise |");
    println!("|---|---|---|---|---|");
    for (kind, Tally { pairs, delivered, failing, other_ends }) in &tallies {
        println!("| {kind} | {pairs} | {delivered} | {failing} | {} |", other_ends.len());
    }
    let failing: usize = tallies.values().map(|tally| tally.failing).sum();
    let (mut right, mut right_delivered) = (0, 0);
    for (kind, _, is_delivered, _) in KINDS {
        let tally = &tallies[&format!("{kind:?}")];
        if is_delivered {
            right += tally.pairs;
            right_delivered += tally.delivered;
        } else {
            assert_eq!(tally.delivered, 0, "{kind:?} holds nothing to deliver");
        }
    }
    println!(
        "{} pairs, {right_delivered} of {right} right ones delivered, {failing} delivered that fail; {:.0} s, with all handed \
         in again {:.0} s; {} requests",
        pairs.len(),
        given.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        model.journal().len(),
    );
    assert_eq!(failing, 0);
    assert!(right_delivered * 1000 >= right * 995, "99.5 % of {right}");
    let other_ends: Vec<&String> = tallies.values().flat_map(|tally| &tally.other_ends).collect();
    assert!(other_ends.is_empty(), "{other_ends:#?}");
}

/// What can be said of each pair by itself.
fn check(pair: &Pair, one: &Followed) {
    let fixes = one.fixes();
    assert!(fixes.len() <= 1, "{pair:?}: one correction at most");
    for fix in &fixes {
        assert_eq!(fix.rewrite, pair.kind == Kind::OverEdited, "{pair:?}: {} %", fix.changed_percent);
        if pair.kind != Kind::OverEdited {
            assert_eq!(fix.files[0].text, pair.right(), "{pair:?}");
        }
    }
    // Without a correction that holds, nothing is said.
    assert_eq!(one.said().is_empty(), fixes.is_empty(), "{pair:?}: {}", one.said());
}

/// That a program is right for the samples only is a claim of this test's, too.
fn premises_hold(crowd: &Crowd, pairs: &[Pair]) {
    let mut deceivers = Vec::new();
    for fold in &FOLDS {
        for language in [Language::Python, Language::C] {
            let kin = |kind| {
                let mut all = pairs.iter().filter(|pair| pair.kind == kind);
                all.find(|pair| pair.fold.slug == fold.slug && pair.language == language)
            };
            let texts = [
                kin(Kind::HiddenOnly).map(Pair::hidden_only),
                kin(Kind::SampleAnswers).map(Pair::sample_answers),
            ];
            for text in texts {
                let text = text.expect("there is one for each problem and language");
                deceivers.push(crowd.program(fold.slug, language.id(), language.file(), &text, false));
            }
        }
    }
    for (submit, one) in deceivers.iter().zip(crowd.submit(&deceivers, AT_ONCE)) {
        let text = &submit.files[0].text;
        assert_eq!(one.verdict(), Verdict::WrongAnswer, "{text}");
        assert!(one.verdicted().passed >= Some(2), "it passes the samples: {text}");
    }
}
