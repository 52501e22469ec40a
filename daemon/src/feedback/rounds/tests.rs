use super::*;

const STRICT: Rules = Rules { policy: FeedbackPolicy::Hints, rounds: 3, hold: true, comment: false };
const FULL: Rules = Rules { policy: FeedbackPolicy::Full, ..STRICT };
const OPEN: Rules = Rules { hold: false, ..STRICT };
const COMMENT: Rules = Rules { comment: true, ..STRICT };

const WRONG: &str = "a = int(input())\nb = int(input())\nc = a - b\nprint(c)\nprint('done', c, a, b)\n";
const LEAK: &str = "Write this: total = sum(int(input()) for line in range(2)) at the top.";

fn program(text: &str) -> Vec<SourceFile> {
    vec![SourceFile { name: "main.py".into(), text: text.into() }]
}

/// A correction of one token.
fn small() -> Vec<SourceFile> {
    program(&WRONG.replace("a - b", "a + b"))
}

/// A correction of two tokens.
fn larger() -> Vec<SourceFile> {
    program(&WRONG.replace("a - b", "b + a"))
}

/// A program of its own.
fn rewrite() -> Vec<SourceFile> {
    program("total = sum(int(input()) for line in range(2))\nfor word in (total,):\n    print(word)\n")
}

fn hint(text: &str) -> Event {
    Event::Hint(text.into())
}

fn failed(outcome: FeedbackOutcome) -> Event {
    Event::Failed { outcome, message: "in words".into() }
}

fn fails_sample() -> Event {
    Event::Checked(Checked::Rejected(Rejected::FailsHidden))
}

const ACCEPTED: Event = Event::Checked(Checked::Accepted);
const WRONG_ANSWER: Event = Event::Judged(Judged::Rejected);

/// What is done, in short words.
fn word(effect: &Effect) -> String {
    match effect {
        Effect::AskFix => "ask".into(),
        Effect::AskComment => "ask for a comment".into(),
        Effect::Drop => "drop".into(),
        Effect::Check(files) => format!("check {}", name(files)),
        Effect::StopCheck => "stop check".into(),
        Effect::Say(text) => format!("say {text}"),
        Effect::Show(fix) => {
            format!("show {}{}", name(&fix.files), if fix.rewrite { ", a rewrite" } else { "" })
        }
        Effect::End { outcome, .. } => format!("end {outcome}"),
    }
}

fn name(files: &[SourceFile]) -> &'static str {
    if *files == small() {
        "small"
    } else if *files == larger() {
        "larger"
    } else if *files == rewrite() {
        "rewrite"
    } else {
        "another"
    }
}

/// Plays events and tells what is done after each; the first asking is left out.
fn play(rules: Rules, events: impl IntoIterator<Item = Event>) -> Vec<String> {
    let (mut rounds, first) = Rounds::start(rules, program(WRONG));
    assert_eq!(first, [Effect::AskFix]);
    events.into_iter().flat_map(|event| rounds.handle(event)).map(|effect| word(&effect)).collect()
}

#[test]
fn a_hint_is_shown_when_its_correction_holds_and_the_verdict_is_known() {
    use Event::{Answered, Fix};
    let hint = || hint("Look at the sign.");
    let done = ["check small", "say Look at the sign.", "end complete"];
    // Whatever the order in which answer, check and verdict end.
    assert_eq!(play(STRICT, [Fix(small()), hint(), Answered, ACCEPTED, WRONG_ANSWER]), done);
    assert_eq!(play(STRICT, [WRONG_ANSWER, Fix(small()), ACCEPTED, hint(), Answered]), done);
    assert_eq!(play(STRICT, [Fix(small()), ACCEPTED, hint(), WRONG_ANSWER, Answered]), done);
    assert_eq!(
        play(STRICT, [Fix(small()), hint(), Answered, ACCEPTED]),
        ["check small"],
        "not before the verdict"
    );
}

#[test]
fn the_corrected_program_is_shown_under_full_only() {
    use Event::{Answered, Fix};
    let events = || [WRONG_ANSWER, Fix(small()), hint("Look."), Answered, ACCEPTED];
    assert_eq!(play(STRICT, events()), ["check small", "say Look.", "end complete"]);
    assert_eq!(play(FULL, events()), ["check small", "say Look.", "show small", "end complete"]);
}

#[test]
fn what_does_not_hold_is_asked_for_again_with_the_evidence() {
    use Event::{Answered, Fix};
    let (mut rounds, _) = Rounds::start(STRICT, program(WRONG));
    let mut seen = Vec::new();
    for event in [
        WRONG_ANSWER,
        Fix(larger()),
        Answered,
        Event::Checked(Checked::Rejected(Rejected::DoesNotCompile { diagnostics: "line 1".into() })),
        Answered,
        Fix(program(WRONG)),
        Answered,
    ] {
        seen.extend(rounds.handle(event).iter().map(word));
    }
    assert_eq!(seen, ["check larger", "ask", "ask", "end withheld"]);
    assert_eq!(rounds.rounds(), 3);
    let why: Vec<&Rejected> = rounds.rejected().iter().map(|(_, why)| why).collect();
    assert_eq!(
        why,
        [
            &Rejected::DoesNotCompile { diagnostics: "line 1".into() },
            &Rejected::Missing,
            &Rejected::Unchanged
        ]
    );
}

#[test]
fn a_correction_is_kept_to_the_hint_that_came_with_it() {
    use Event::{Answered, Fix};
    let events = [
        WRONG_ANSWER,
        Fix(larger()),
        hint("Of the first."),
        Answered,
        fails_sample(),
        Fix(small()),
        hint("Of the second."),
        Answered,
        ACCEPTED,
    ];
    let done = ["check larger", "ask", "check small", "say Of the second.", "show small", "end complete"];
    assert_eq!(play(FULL, events), done);
}

#[test]
fn too_large_a_change_asks_for_a_smaller_one_and_the_smallest_is_kept() {
    use Event::{Answered, Fix};
    let first = || vec![WRONG_ANSWER, Fix(rewrite()), hint("Of the first."), Answered, ACCEPTED];
    let with = |more: Vec<Event>| play(FULL, first().into_iter().chain(more));
    let done = with(vec![Fix(small()), hint("Of the second."), Answered, ACCEPTED]);
    assert_eq!(
        done,
        ["check rewrite", "ask", "check small", "say Of the second.", "show small", "end complete"]
    );
    // What came first is still there when nothing smaller comes.
    let nothing_smaller = vec![Answered, Fix(rewrite()), hint("Of the third."), Answered];
    let done = with(nothing_smaller);
    assert_eq!(
        done,
        ["check rewrite", "ask", "ask", "say Of the first.", "show rewrite, a rewrite", "end complete"]
    );
    let done = with(vec![failed(FeedbackOutcome::Unreachable)]);
    assert_eq!(
        done,
        ["check rewrite", "ask", "say Of the first.", "show rewrite, a rewrite", "end complete"],
        "a later round that fails takes nothing away"
    );
}

#[test]
fn what_was_judged_before_is_not_judged_again() {
    use Event::{Answered, Fix};
    let events = [
        WRONG_ANSWER,
        Fix(larger()),
        Answered,
        fails_sample(),
        Fix(larger()),
        Answered,
        Fix(larger()),
        Answered,
    ];
    assert_eq!(play(STRICT, events), ["check larger", "ask", "ask", "end withheld"]);
}

#[test]
fn a_hint_that_gives_the_solution_away_is_withheld() {
    use Event::{Answered, Fix};
    let rules = Rules { rounds: 1, ..STRICT };
    let events = |text: &str| [WRONG_ANSWER, Fix(rewrite()), hint(text), Answered, ACCEPTED];
    assert_eq!(play(rules, events(LEAK)), ["check rewrite", "end withheld"]);
    assert_eq!(play(rules, events("Like so:\n```\nx\n```")), ["check rewrite", "end withheld"]);
    let (mut rounds, _) = Rounds::start(rules, program(WRONG));
    events(LEAK).into_iter().for_each(|event| drop(rounds.handle(event)));
    assert_eq!(rounds.leaks(), 1);
    let shown = play(Rules { policy: FeedbackPolicy::Full, ..rules }, events(LEAK));
    assert_eq!(shown[1], format!("say {LEAK}"), "what is shown anyway gives nothing away");
    for hold in [true, false] {
        let full = Rules { policy: FeedbackPolicy::Full, hold, ..rules };
        let done = play(full, events("Like so:\n```\nx\n```"));
        let expected = ["check rewrite", "show rewrite, a rewrite", "end withheld"];
        assert_eq!(done, expected, "a block of code that nobody has judged is shown nowhere");
    }
}

#[test]
fn an_accepted_program_ends_it_at_once() {
    use Event::{Answered, Fix};
    let accepted = Event::Judged(Judged::Accepted);
    let end = ["drop", "end accepted"];
    assert_eq!(play(STRICT, [accepted.clone()]), end);
    let checking = play(STRICT, [Fix(small()), hint("Look."), accepted.clone(), ACCEPTED, Answered]);
    assert_eq!(checking, ["check small", "drop", "stop check", "end accepted"]);
    let waiting = play(STRICT, [Fix(small()), hint("Look."), Answered, ACCEPTED, accepted]);
    assert_eq!(
        waiting,
        ["check small", "end accepted"],
        "what was to be said was about a program that is wrong"
    );
}

#[test]
fn an_accepted_program_gets_a_comment_where_the_rules_say_so() {
    use Event::Answered;
    let accepted = || Event::Judged(Judged::Accepted);
    let asked = ["drop", "ask for a comment"];
    let play = |events: Vec<Event>| {
        let mut done = play(COMMENT, [hint("Wrong!"), accepted()].into_iter().chain(events));
        assert_eq!(done.drain(..2).collect::<Vec<_>>(), asked);
        done
    };
    assert_eq!(
        play(vec![hint("Short."), hint("Clear."), Answered]),
        ["say Short.", "say Clear.", "end complete"]
    );
    assert_eq!(play(vec![Answered]), ["end empty"]);
    assert_eq!(play(vec![hint("```\nx\n```"), Answered]), ["end withheld"]);
    assert_eq!(play(vec![hint("Short."), failed(FeedbackOutcome::Stalled)]), ["end stalled"]);
}

#[test]
fn nothing_is_said_of_what_has_no_verdict() {
    let stopped = Event::Judged(Judged::Stopped);
    assert_eq!(play(STRICT, [stopped.clone()]), ["drop", "end stopped"]);
    let checking = play(STRICT, [Event::Fix(small()), Event::Answered, stopped, ACCEPTED]);
    assert_eq!(checking, ["check small", "stop check", "end stopped"]);
}

#[test]
fn an_answer_that_fails_ends_in_its_outcome() {
    use Event::Fix;
    use FeedbackOutcome::{CutOff, Stalled};
    assert_eq!(play(STRICT, [WRONG_ANSWER, failed(Stalled)]), ["end stalled"]);
    assert_eq!(play(STRICT, [failed(Stalled), WRONG_ANSWER]), ["end stalled"]);
    // A whole correction counts even where the hint after it broke off.
    let cut = [WRONG_ANSWER, Fix(small()), hint("Look."), failed(CutOff), ACCEPTED];
    assert_eq!(play(FULL, cut), ["check small", "say Look.", "show small", "end cut_off"]);
    let rejected = [WRONG_ANSWER, Fix(small()), failed(CutOff), fails_sample()];
    assert_eq!(play(STRICT, rejected), ["check small", "end cut_off"]);
}

#[test]
fn without_a_check_nothing_held_back_is_shown() {
    use Event::{Answered, Checked as Ended, Fix};
    let begin = || vec![WRONG_ANSWER, Fix(small()), hint("Look.")];
    let none_left = begin().into_iter().chain([Ended(Checked::NoneLeft), Answered]);
    assert_eq!(play(STRICT, none_left), ["check small", "drop", "end no_checks_left"]);
    let faulted = begin().into_iter().chain([Answered, Ended(Checked::Faulted)]);
    assert_eq!(play(STRICT, faulted), ["check small", "end withheld"]);
    let (mut rounds, _) = Rounds::start(STRICT, program(WRONG));
    begin()
        .into_iter()
        .chain([Answered, Ended(Checked::Faulted)])
        .for_each(|event| drop(rounds.handle(event)));
    assert!(!rounds.is_repeatable(), "a fault of ours is not told to others");
}

#[test]
fn what_is_not_held_back_is_said_as_it_comes() {
    use Event::{Answered, Fix};
    let events = || [Fix(small()), hint("One."), hint("Two."), Answered, WRONG_ANSWER];
    assert_eq!(play(OPEN, events()), ["say One.", "say Two.", "end complete"], "and costs no check");
    assert_eq!(play(OPEN, [Answered]), ["end empty"]);
    assert_eq!(play(OPEN, [hint("One."), failed(FeedbackOutcome::Truncated)]), ["say One.", "end truncated"]);
    let leak = [Fix(rewrite()), hint("One."), hint(LEAK), hint("As I said."), Answered];
    assert_eq!(play(OPEN, leak), ["say One.", "end withheld"], "what follows may refer to it");
    // Before the program has come, nobody knows what must not be said.
    assert_eq!(play(OPEN, [hint("One."), hint(LEAK)]), [""; 0]);
    assert_eq!(play(OPEN, [hint("One."), hint(LEAK), Fix(rewrite())]), ["say One."]);
    let late = [hint("One."), Fix(rewrite()), hint("Two."), Answered];
    assert_eq!(play(OPEN, late), ["say One.", "say Two.", "end complete"]);
    assert_eq!(play(OPEN, [hint("One."), Event::Deadline]), ["say One.", "drop", "end timed_out"]);
    // Of what must not be said, seven tokens are in one paragraph and six in the next.
    let (seven, six) = ("Write `total = sum(int(input`,", "`()) for line in range`");
    let split = [Fix(rewrite()), hint(seven), hint(six), Answered];
    assert_eq!(play(OPEN, split), [format!("say {seven}"), "end withheld".into()]);
    let full = Rules { policy: FeedbackPolicy::Full, ..OPEN };
    let events = [
        Fix(larger()),
        hint("One."),
        Answered,
        fails_sample(),
        Fix(small()),
        hint("Another."),
        Answered,
        ACCEPTED,
    ];
    let done = ["check larger", "say One.", "ask", "check small", "show small", "end complete"];
    assert_eq!(play(full, events), done, "one hint, and the correction that held");
}

#[test]
fn the_deadline_drops_what_runs_and_shows_what_is_there() {
    use Event::{Answered, Deadline, Fix};
    assert_eq!(play(STRICT, [WRONG_ANSWER, Deadline]), ["drop", "end timed_out"]);
    let checking = play(STRICT, [WRONG_ANSWER, Fix(small()), Answered, Deadline, ACCEPTED]);
    assert_eq!(checking, ["check small", "stop check", "end timed_out"]);
    let second = [WRONG_ANSWER, Fix(rewrite()), hint("Look."), Answered, ACCEPTED, Deadline];
    assert_eq!(
        play(FULL, second),
        ["check rewrite", "ask", "drop", "say Look.", "show rewrite, a rewrite", "end complete"]
    );
    let only_the_verdict_is_missing =
        [Fix(small()), hint("Look."), Answered, ACCEPTED, Deadline, WRONG_ANSWER];
    assert_eq!(play(STRICT, only_the_verdict_is_missing), ["check small", "say Look.", "end complete"]);
}

#[test]
fn nothing_is_done_after_the_end() {
    let late = [Event::Fix(small()), hint("Late."), Event::Answered, ACCEPTED, Event::Deadline];
    let done = play(STRICT, [Event::Judged(Judged::Stopped)].into_iter().chain(late));
    assert_eq!(done, ["drop", "end stopped"]);
}
