//! One step of feedback as a machine without tokio, NATS or a clock: what happens goes in, what is to be done comes
//! out.
//!
//! ```text
//!           ┌────────────── rejected, missing or too much changed, and rounds are left ──────────────┐
//!           ▼                                                                                        │
//! ask ─▶ fix is complete ─▶ check ─┬▶ (both have ended) ─▶ decide ─▶ verdict known? ─▶ say, show ─▶ end
//!  └───▶ hint, whole ──────────────┘
//! the program is accepted: drop everything, comment if the rules say so, else end
//! it is cancelled or could not be judged: drop everything, end
//! ```

use codementor_protocol::{FeedbackOutcome, FeedbackPolicy, Fix, SourceFile};

use super::edit::Edit;
use super::prompt::Rejected;
use super::scan;

/// What a step may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// How much a student may be shown. `off` never comes here.
    pub(crate) policy: FeedbackPolicy,
    /// How often a model may be asked, the first time included.
    pub(crate) rounds: u32,
    /// Whether a hint waits until its correction was judged and accepted.
    pub(crate) hold: bool,
    /// Whether an accepted program gets a comment.
    pub(crate) comment: bool,
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The answer holds a complete corrected program.
    Fix(Vec<SourceFile>),
    /// The answer holds one more whole paragraph of a hint.
    Hint(String),
    /// The answer is complete.
    Answered,
    /// The answer failed.
    Failed {
        /// How.
        outcome: FeedbackOutcome,
        /// The same in words.
        message: String,
    },
    /// Checking the corrected program ended.
    Checked(Checked),
    /// Judging the student's program ended.
    Judged(Judged),
    /// It has taken too long as a whole.
    Deadline,
}

/// How checking a corrected program ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Checked {
    /// It is accepted on all tests.
    Accepted,
    /// It is not, with what may be told of that.
    Rejected(Rejected),
    /// It could not be judged: a fault of ours.
    Faulted,
    /// No check is left for today.
    NoneLeft,
}

/// How judging the student's program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    /// It is right.
    Accepted,
    /// It is not.
    Rejected,
    /// It was cancelled, or could not be judged.
    Stopped,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Ask for a corrected program and a hint, with the evidence of [`Rounds::rejected`].
    AskFix,
    /// Ask for a comment on the accepted program.
    AskComment,
    /// Drop the call; its connection with it.
    Drop,
    /// Have this program judged.
    Check(Vec<SourceFile>),
    /// Stop having it judged.
    StopCheck,
    /// Show this piece to the student.
    Say(String),
    /// Show this corrected program to the student.
    Show(Fix),
    /// The step has ended; nothing follows.
    End {
        /// How.
        outcome: FeedbackOutcome,
        /// The same in words, with what to do.
        message: String,
    },
}

/// A corrected program that was judged and accepted.
#[derive(Debug, Clone)]
struct Accepted {
    files: Vec<SourceFile>,
    edit: Edit,
    /// The hint that came with it.
    hint: Vec<String>,
    /// Whether that hint is whole.
    whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    Nothing,
    Fix,
    Comment,
}

/// One step of feedback on one program.
#[derive(Debug)]
pub(crate) struct Rounds {
    rules: Rules,
    program: Vec<SourceFile>,
    /// Which round is under way, counted from 1.
    round: u32,
    asking: Asking,
    checking: bool,
    /// The corrected program of this round, and how it differs.
    candidate: Option<(Vec<SourceFile>, Edit)>,
    /// Whether this round's corrected program was accepted.
    held: bool,
    /// The paragraphs of this round's hint, and how many of them were shown as they came.
    hint: Vec<String>,
    shown: usize,
    /// Why no further round is of use.
    failure: Option<(FeedbackOutcome, String)>,
    /// Whether this round's answer broke off.
    broken: bool,
    accepted: Vec<Accepted>,
    rejected: Vec<(Vec<SourceFile>, Rejected)>,
    /// Whether judging has ended, with anything but `accepted`.
    judged: bool,
    /// All is decided but for the verdict.
    waits_for_verdict: bool,
    /// How many hints gave too much away.
    leaks: u32,
    /// Whether something was shown, and whether what follows is held back.
    said: bool,
    silenced: bool,
    /// Whether the same would come of it another time.
    repeatable: bool,
    over: bool,
}

impl Rules {
    /// Whether a student may see a corrected program.
    pub(crate) fn shows_fix(self) -> bool {
        self.policy == FeedbackPolicy::Full
    }
}

impl Rounds {
    /// Begins with round 1.
    pub(crate) fn start(rules: Rules, program: Vec<SourceFile>) -> (Self, Vec<Effect>) {
        let rounds = Self {
            rules,
            program,
            round: 1,
            asking: Asking::Fix,
            checking: false,
            candidate: None,
            held: false,
            hint: Vec::new(),
            shown: 0,
            failure: None,
            broken: false,
            accepted: Vec::new(),
            rejected: Vec::new(),
            judged: false,
            waits_for_verdict: false,
            leaks: 0,
            said: false,
            silenced: false,
            repeatable: true,
            over: false,
        };
        (rounds, vec![Effect::AskFix])
    }

    /// The corrected programs so far that do not do, and why.
    pub(crate) fn rejected(&self) -> &[(Vec<SourceFile>, Rejected)] {
        &self.rejected
    }

    /// How many rounds there were.
    pub(crate) fn rounds(&self) -> u32 {
        self.round
    }

    /// How many hints were held back since they gave too much away.
    pub(crate) fn leaks(&self) -> u32 {
        self.leaks
    }

    /// Whether what came of it may be told to the next who asks the same: it does not follow from a fault of ours.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    /// The smallest correction that was accepted.
    pub(crate) fn best(&self) -> Option<Fix> {
        self.smallest().map(|best| Fix {
            files: best.files.clone(),
            edits: best.edit.edits,
            changed_percent: best.edit.changed_percent,
            rewrite: best.edit.is_rewrite(),
        })
    }

    /// Takes in what has happened, and says what is to be done.
    pub(crate) fn handle(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.over {
            return effects;
        }
        match event {
            Event::Fix(files) => self.fix(files, &mut effects),
            Event::Hint(paragraph) => self.paragraph(paragraph, &mut effects),
            Event::Answered => {
                if self.asking == Asking::Comment {
                    self.end_comment(&mut effects);
                } else if self.asking == Asking::Fix {
                    self.say_what_came(true, &mut effects);
                    self.asking = Asking::Nothing;
                    if self.candidate.is_none() {
                        self.rejected.push((Vec::new(), Rejected::Missing));
                    }
                    self.decide(&mut effects);
                }
            }
            Event::Failed { outcome, message } => {
                if self.asking == Asking::Comment {
                    self.end(outcome, message, &mut effects);
                } else if self.asking == Asking::Fix {
                    self.say_what_came(true, &mut effects);
                    self.asking = Asking::Nothing;
                    self.broken = true;
                    self.failure.get_or_insert((outcome, message));
                    self.decide(&mut effects);
                }
            }
            Event::Checked(checked) => {
                if std::mem::take(&mut self.checking) {
                    self.checked(checked, &mut effects);
                    self.decide(&mut effects);
                }
            }
            Event::Judged(judged) => self.judged(judged, &mut effects),
            Event::Deadline => {
                if !self.waits_for_verdict {
                    self.say_what_came(true, &mut effects);
                    self.drop_all(&mut effects);
                    let message = "it took too long; 'codementor hint' tries again".to_owned();
                    self.failure.get_or_insert((FeedbackOutcome::TimedOut, message));
                    self.broken = true;
                    self.decide(&mut effects);
                }
            }
        }
        effects
    }

    fn fix(&mut self, files: Vec<SourceFile>, effects: &mut Vec<Effect>) {
        // A comment needs no correction, and one answer holds one.
        if self.asking != Asking::Fix || self.candidate.is_some() {
            return;
        }
        let edit = Edit::between(&self.program, &files);
        let unchanged = edit.is_unchanged();
        self.candidate = Some((files.clone(), edit));
        if unchanged {
            self.rejected.push((files, Rejected::Unchanged));
        } else if self.accepted.iter().any(|accepted| accepted.files == files) {
            self.held = true;
        } else if let Some((_, reason)) = self.rejected.iter().find(|(rejected, _)| *rejected == files) {
            // It was judged before, and a check is not spent on what is known.
            let reason = reason.clone();
            self.rejected.push((files, reason));
        } else if self.needs_checks() {
            self.checking = true;
            effects.push(Effect::Check(files));
        }
        self.say_what_came(false, effects);
    }

    /// Whether anything follows from a corrected program: where hints are shown as they come and the program never
    /// is, nothing does.
    fn needs_checks(&self) -> bool {
        self.rules.hold || self.rules.shows_fix()
    }

    fn paragraph(&mut self, paragraph: String, effects: &mut Vec<Effect>) {
        if self.asking != Asking::Nothing {
            self.hint.push(paragraph);
            self.say_what_came(false, effects);
        }
    }

    /// Where hints are not held, shows the paragraphs that have come, as soon as it is known what they must not say.
    fn say_what_came(&mut self, answer_has_ended: bool, effects: &mut Vec<Effect>) {
        let first_round = self.round == 1 || self.asking == Asking::Comment;
        if self.rules.hold || !first_round || self.silenced || self.asking == Asking::Nothing {
            return;
        }
        let needs_correction = self.asking == Asking::Fix && !self.rules.shows_fix();
        if needs_correction && self.candidate.is_none() && !answer_has_ended {
            return;
        }
        while self.shown < self.hint.len() {
            // With all before it: what is said can be in several paragraphs.
            let text = self.hint[..=self.shown].join("\n\n");
            let edit = self.candidate.as_ref().map(|(_, edit)| edit).filter(|_| needs_correction);
            if self.gives_away(&text, edit) {
                // What follows may refer to it.
                self.silenced = true;
                self.leaks += 1;
                return;
            }
            self.said = true;
            effects.push(Effect::Say(self.hint[self.shown].clone()));
            self.shown += 1;
        }
    }

    /// Whether a hint has code that it must not have: that of a correction, or under `full`, where that is shown anyway
    /// after it was judged, a block that nobody has judged.
    fn gives_away<'a>(&self, text: &str, edits: impl IntoIterator<Item = &'a Edit>) -> bool {
        scan::has_block(text)
            || (!self.rules.shows_fix()
                && edits.into_iter().any(|edit| scan::gives_away(text, edit).is_some()))
    }

    /// Why a hint is withheld that has such code.
    fn gave_away(&self) -> (FeedbackOutcome, String) {
        withheld(if self.rules.shows_fix() { HAS_CODE } else { GIVES_AWAY })
    }

    fn checked(&mut self, checked: Checked, effects: &mut Vec<Effect>) {
        let hopeless = match checked {
            Checked::Accepted => {
                self.held = true;
                return;
            }
            Checked::Rejected(reason) => {
                if let Some((files, _)) = &self.candidate {
                    self.rejected.push((files.clone(), reason));
                }
                return;
            }
            Checked::Faulted => {
                self.repeatable = false;
                let message = "the model's correction could not be checked, through a fault of ours; \
                               'codementor hint' tries again";
                (FeedbackOutcome::Withheld, message)
            }
            Checked::NoneLeft => {
                let message =
                    "no more corrections are checked for this problem today; the verdict holds as it is";
                (FeedbackOutcome::NoChecksLeft, message)
            }
        };
        self.failure.get_or_insert((hopeless.0, hopeless.1.to_owned()));
        if self.rules.hold && self.asking != Asking::Nothing {
            // Nothing of what is still to come could be shown.
            self.asking = Asking::Nothing;
            effects.push(Effect::Drop);
        }
    }

    fn judged(&mut self, judged: Judged, effects: &mut Vec<Effect>) {
        match judged {
            Judged::Rejected => {
                self.judged = true;
                if std::mem::take(&mut self.waits_for_verdict) {
                    self.finish(effects);
                }
            }
            // What is asked for already is the comment on it.
            Judged::Accepted if self.asking == Asking::Comment => {}
            Judged::Accepted => {
                self.drop_all(effects);
                self.waits_for_verdict = false;
                if self.rules.comment && !self.said {
                    self.asking = Asking::Comment;
                    self.hint.clear();
                    self.shown = 0;
                    self.silenced = false;
                    effects.push(Effect::AskComment);
                } else {
                    self.end(FeedbackOutcome::Accepted, String::new(), effects);
                }
            }
            Judged::Stopped => {
                self.drop_all(effects);
                self.end(FeedbackOutcome::Stopped, String::new(), effects);
            }
        }
    }

    fn drop_all(&mut self, effects: &mut Vec<Effect>) {
        if self.asking != Asking::Nothing {
            self.asking = Asking::Nothing;
            effects.push(Effect::Drop);
        }
        if std::mem::take(&mut self.checking) {
            effects.push(Effect::StopCheck);
        }
    }

    /// Once both the answer and the check have ended: another round, or the end.
    fn decide(&mut self, effects: &mut Vec<Effect>) {
        if self.asking != Asking::Nothing || self.checking {
            return;
        }
        if let Some((files, edit)) = self.candidate.take()
            && std::mem::take(&mut self.held)
        {
            let too_much = edit.is_rewrite().then_some(edit.changed_percent);
            if let Some(percent) = too_much {
                self.rejected.push((files.clone(), Rejected::TooMuch { percent }));
            }
            let hint = std::mem::take(&mut self.hint);
            self.accepted.push(Accepted { files, edit, hint, whole: !self.broken });
            if too_much.is_none() {
                return self.finish(effects);
            }
        }
        let again = self.failure.is_none() && self.round < self.rules.rounds;
        // A hint that was shown as it came is the hint; only a correction that will be shown is worth more rounds.
        if again && self.needs_checks() {
            self.round += 1;
            self.asking = Asking::Fix;
            self.hint.clear();
            self.shown = 0;
            self.broken = false;
            effects.push(Effect::AskFix);
        } else {
            self.finish(effects);
        }
    }

    fn smallest(&self) -> Option<&Accepted> {
        self.accepted.iter().min_by_key(|accepted| accepted.edit.edits)
    }

    /// Shows what may be shown.
    fn finish(&mut self, effects: &mut Vec<Effect>) {
        if self.rules.hold && !self.judged {
            // Whether the program is wrong at all is for the judge to say.
            self.waits_for_verdict = true;
            return;
        }
        let full = self.rules.shows_fix();
        let best = self.smallest().cloned();
        let shown_before = self.said;
        let mut outcome = match (&best, self.failure.take()) {
            // A later round may fail: what an earlier one gave is whole.
            (Some(best), Some(failure)) if !best.whole => Some(failure),
            (Some(_), _) => None,
            (None, Some(failure)) => Some(failure),
            (None, None) if self.rules.hold => Some(withheld(NOTHING_HELD)),
            (None, None) => None,
        };
        if self.rules.hold
            && let Some(best) = &best
        {
            let text = best.hint.join("\n\n");
            if self.gives_away(&text, self.accepted.iter().map(|accepted| &accepted.edit)) {
                self.leaks += 1;
                outcome = Some(self.gave_away());
            } else if text.trim().is_empty() && !full {
                outcome.get_or_insert((FeedbackOutcome::Empty, "the model had nothing to say".into()));
            } else {
                for paragraph in best.hint.iter().filter(|paragraph| !paragraph.trim().is_empty()) {
                    self.said = true;
                    effects.push(Effect::Say(paragraph.clone()));
                }
            }
        }
        if self.silenced {
            outcome.get_or_insert(self.gave_away());
        } else if !self.rules.hold && !shown_before && best.is_none() {
            outcome.get_or_insert((FeedbackOutcome::Empty, "the model had nothing to say".into()));
        }
        if full && let Some(fix) = self.best() {
            effects.push(Effect::Show(fix));
        }
        let (outcome, message) = outcome.unwrap_or((FeedbackOutcome::Complete, String::new()));
        self.end(outcome, message, effects);
    }

    fn end_comment(&mut self, effects: &mut Vec<Effect>) {
        self.asking = Asking::Nothing;
        let hint = std::mem::take(&mut self.hint);
        let text = hint.join("\n\n");
        if self.rules.hold {
            if self.gives_away(&text, None) {
                self.leaks += 1;
                self.silenced = true;
            } else {
                for paragraph in hint {
                    self.said = true;
                    effects.push(Effect::Say(paragraph));
                }
            }
        }
        let (outcome, message) = if self.silenced {
            self.gave_away()
        } else if self.said {
            (FeedbackOutcome::Complete, String::new())
        } else {
            (FeedbackOutcome::Empty, "the model had nothing to say".into())
        };
        self.end(outcome, message, effects);
    }

    fn end(&mut self, outcome: FeedbackOutcome, message: String, effects: &mut Vec<Effect>) {
        self.over = true;
        effects.push(Effect::End { outcome, message });
    }
}

const NOTHING_HELD: &str = "no correction of the model's passed all tests, so its hint was held back";
const HAS_CODE: &str = "the model's hint held code that nobody has judged, so it was held back";
const GIVES_AWAY: &str = "the model's hint would have given the solution away, so it was held back";

fn withheld(message: &str) -> (FeedbackOutcome, String) {
    (FeedbackOutcome::Withheld, message.to_owned())
}

#[cfg(test)]
mod tests;
