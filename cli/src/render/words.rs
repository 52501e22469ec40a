//! Quantities and outcomes in words, the same in every view.

use std::sync::OnceLock;

use codementor_protocol::{
    Allowance, CourseRole, Ending, FeedbackOutcome, Rejudged, Span, State, TestEvent, Timestamp, Verdict,
};

use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr;

use crate::locale;
use crate::sanitize;
use crate::terminal::Paint;

/// `0.41 s`, `12.3 s`, `2 min 5 s`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..10_000 => {
            t!("{seconds} s", seconds = format_args!("{}.{:02}", ms / 1000, ms % 1000 / 10))
        }
        10_000..120_000 => {
            t!("{seconds} s", seconds = format_args!("{}.{}", ms / 1000, ms % 1000 / 100))
        }
        _ => t!("{minutes} min {seconds} s", minutes = ms / 60_000, seconds = ms % 60_000 / 1000),
    }
}

/// `812 KiB`, `12 MiB`, `1.5 GiB`.
pub fn memory(kib: u64) -> String {
    match kib {
        0..1024 => format!("{kib} KiB"),
        1024..10_240 => format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024),
        10_240..1_048_576 => format!("{} MiB", kib / 1024),
        _ => format!("{}.{} GiB", kib / 1_048_576, kib % 1_048_576 * 10 / 1_048_576),
    }
}

/// `812 bytes`, `12 KiB`, `9.8 MiB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..10_240 => count!(bytes, "byte"),
        10_240..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

/// That a submission was judged again after its end, and what it was before.
pub fn rejudged(rejudged: &Rejudged) -> String {
    let before = match (rejudged.verdict, rejudged.score.as_deref()) {
        (Some(verdict), Some(score)) => {
            t!("before: {verdict}, points: {score}", verdict, score = sanitize::line(score))
        }
        (Some(verdict), None) => t!("before: {verdict}", verdict),
        (None, _) => t!("before: not judged, through a fault of ours").into(),
    };
    t!(
        "judged again by version {package} of the problem; {before}",
        package = rejudged.package.short(),
        before
    )
}

/// A text and the blanks that make it so many cells wide.
pub fn padded(text: &str, cells: usize) -> String {
    format!("{text}{}", " ".repeat(cells.saturating_sub(text.width())))
}

/// A span of time, such as `4 h 12 min`.
pub fn span(span: Span) -> String {
    let text = span.to_string();
    locale::span(&text).unwrap_or(text)
}

/// A moment on the wall clock here, such as `2026-11-24 19:04`.
pub fn moment(at: Timestamp) -> String {
    static HERE: OnceLock<TimeZone> = OnceLock::new();
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => {
            let here = HERE.get_or_init(time_zone).clone();
            at.to_zoned_datetime(here).strftime("%Y-%m-%d %H:%M").to_string()
        }
        Err(_) => String::new(),
    }
}

/// The time zone of this machine. Looking it up by its name lists all of them first, which takes longer than the rest
/// of a command; the file that says what it is suffices.
fn time_zone() -> TimeZone {
    if std::env::var_os("TZ").is_some() {
        return TimeZone::system();
    }
    std::fs::read("/etc/localtime")
        .ok()
        .and_then(|bytes| TimeZone::tzif("", &bytes).ok())
        .unwrap_or_else(TimeZone::system)
}

/// What a case is called: a sample by its name, a hidden one by its place.
pub fn case(test: &TestEvent) -> String {
    match &test.name {
        Some(name) => sanitize::line(name).into_owned(),
        None => t!("test {index}", index = test.index),
    }
}

/// Why a case was not accepted, beyond the verdict; the limits are those of the submission.
pub fn reason(test: &TestEvent, time_limit_ms: u64, memory_limit_mib: u64) -> Option<String> {
    match test.verdict {
        Verdict::TimeLimit if test.time_ms > time_limit_ms => Some(t!(
            "{duration} of CPU time, limit {duration2}",
            duration = duration(test.time_ms),
            duration2 = duration(time_limit_ms)
        )),
        Verdict::TimeLimit => Some(t!(
            "{duration} of waiting, with only {duration2} of CPU time (does it wait for input that never \
             comes?)",
            duration = duration(test.wall_ms),
            duration2 = duration(test.time_ms)
        )),
        Verdict::MemoryLimit => Some(t!(
            "{memory} at most, limit {memory2}",
            memory = memory(test.memory_kib),
            memory2 = memory(memory_limit_mib * 1024)
        )),
        Verdict::OutputLimit => Some(t!("it wrote more than is allowed").into()),
        Verdict::RuntimeError => match (test.exit_code, test.signal) {
            (_, Some(signal)) => {
                Some(t!("ended by signal {signal}{name}", signal, name = signal_name(signal)))
            }
            (Some(code), None) => Some(t!("exit code {code}", code)),
            (None, None) => None,
        },
        Verdict::Accepted | Verdict::WrongAnswer | Verdict::CompileError | Verdict::Skipped => None,
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => t!(" (SIGILL: illegal instruction)"),
        6 => t!(" (SIGABRT: aborted)"),
        7 => t!(" (SIGBUS: bad memory access)"),
        8 => t!(" (SIGFPE: division by zero?)"),
        9 => " (SIGKILL)",
        11 => t!(" (SIGSEGV: bad memory access or stack overflow)"),
        13 => " (SIGPIPE)",
        31 => t!(" (SIGSYS: forbidden system call)"),
        _ => "",
    }
}

/// A verdict in its colour.
pub fn verdict(verdict: Verdict, paint: Paint) -> String {
    match verdict {
        Verdict::Accepted => paint.good(verdict.token()),
        Verdict::Skipped => paint.faint(verdict.token()),
        Verdict::WrongAnswer
        | Verdict::TimeLimit
        | Verdict::MemoryLimit
        | Verdict::OutputLimit
        | Verdict::RuntimeError
        | Verdict::CompileError => paint.bad(verdict.token()),
    }
}

/// What somebody is in a course.
pub fn role(role: CourseRole) -> &'static str {
    match role {
        CourseRole::Student => t!("student"),
        CourseRole::Assistant => t!("assistant"),
        CourseRole::Instructor => t!("instructor"),
    }
}

/// Millionths of a US dollar, such as `$0.0042` or `$12.50`.
pub fn money(micro: u64) -> String {
    match micro {
        0..1_000_000 => format!("$0.{:04}", micro / 100),
        _ => format!("${}.{:02}", micro / 1_000_000, micro % 1_000_000 / 10_000),
    }
}

/// What may still be spent on feedback.
pub fn allowance(left: &Allowance) -> String {
    let tokens = left.tokens.map(|tokens| count!(tokens, "token"));
    let parts: Vec<String> = tokens.into_iter().chain(left.cost_micro.map(money)).collect();
    if parts.is_empty() {
        t!("no limit").into()
    } else {
        t!("{parts} today", parts = parts.join(t!(" and ")))
    }
}

/// How feedback ended and what to do, where the daemon has no words of its own for it.
pub fn feedback(outcome: FeedbackOutcome) -> &'static str {
    use FeedbackOutcome as Of;
    match outcome {
        Of::Complete => t!("all was said"),
        Of::Accepted => t!("the program was accepted"),
        Of::Stopped => t!("the submission was stopped, and feedback with it"),
        Of::Interrupted => t!("the daemon was restarted meanwhile; ask again: codementor hint"),
        Of::Withheld => t!("what the model said is held back; what the judge says stands"),
        Of::OverBudget => t!("nothing more may be spent on feedback today; there is more tomorrow"),
        Of::NoChecksLeft => {
            t!("corrections for this problem were checked often enough today; there is more tomorrow")
        }
        Of::NoStepsLeft => t!("there is no further hint; all of them: codementor feedback"),
        Of::NotConfigured => t!("no model is set up"),
        Of::Unreachable => t!("the model cannot be reached; try later: codementor hint"),
        Of::KeyRefused => t!("the model's endpoint does not accept the key; tell whoever runs this judge"),
        Of::RequestRefused => {
            t!("the model's endpoint does not take the request; tell whoever runs this judge")
        }
        Of::RateLimited => t!("the model's endpoint asks for patience; try later: codementor hint"),
        Of::EndpointFault => t!("the model's endpoint has a fault; try later: codementor hint"),
        Of::Stalled => t!("the model stopped talking; try later: codementor hint"),
        Of::TimedOut => t!("the model took too long; try later: codementor hint"),
        Of::Truncated => t!("the model's answer broke off; try later: codementor hint"),
        Of::CutOff => t!("the model's answer was longer than is allowed; try later: codementor hint"),
        Of::TooLarge => t!("the model's answer is larger than is read; try later: codementor hint"),
        Of::Garbled => t!("the model's answer cannot be read; tell whoever runs this judge"),
        Of::Empty => t!("the model had nothing to say; try later: codementor hint"),
        Of::Unknown => t!("it ended in a way that this version does not know"),
    }
}

/// What a list shows of a submission: its verdict, or where it is.
pub fn standing(state: State, verdict: Option<Verdict>) -> &'static str {
    match (state, verdict) {
        (State::Settled(Ending::Faulted) | State::Ended(Ending::Faulted), _) => "JUDGE_ERROR",
        (State::Settled(Ending::Cancelled) | State::Ended(Ending::Cancelled), _) => "CANCELLED",
        (State::Settled(Ending::Judged) | State::Ended(Ending::Judged), Some(verdict)) => verdict.token(),
        (State::Settled(Ending::Judged) | State::Ended(Ending::Judged), None) => t!("judged"),
        (State::New | State::Queued, _) => t!("queued"),
        (State::Running, _) => t!("running"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_what_is_left_of_it() {
        assert_eq!(
            [0, 42, 4_250, 999_999, 12_504_000].map(money),
            ["$0.0000", "$0.0000", "$0.0042", "$0.9999", "$12.50"]
        );
        let left = |tokens, cost_micro| allowance(&Allowance { tokens, cost_micro });
        assert_eq!(left(None, None), "no limit");
        assert_eq!(left(Some(1), Some(250_000)), "1 token and $0.2500 today");
    }

    #[test]
    fn quantities_are_short_and_have_a_unit() {
        assert_eq!(
            [0, 412, 1100, 12_345, 125_000].map(duration),
            ["0.00 s", "0.41 s", "1.10 s", "12.3 s", "2 min 5 s"]
        );
        assert_eq!([812, 3900, 12_300, 1_572_864].map(memory), ["812 KiB", "3.8 MiB", "12 MiB", "1.5 GiB"]);
        assert_eq!([1, 812, 20_480, 10_276_045].map(size), ["1 byte", "812 bytes", "20 KiB", "9.8 MiB"]);
    }
}
