//! Quantities and outcomes in words, the same in every view.

use std::sync::OnceLock;

use codementor_protocol::{
    Allowance, Ending, FeedbackOutcome, Rejudged, State, TestEvent, Timestamp, Verdict,
};

use jiff::tz::TimeZone;

use crate::sanitize;
use crate::terminal::Paint;

/// `0.41 s`, `12.3 s`, `2 min 5 s`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{}.{:02} s", ms / 1000, ms % 1000 / 10),
        10_000..120_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
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
        0..10_240 => plural(bytes, "byte"),
        10_240..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

/// That a submission was judged again after its end, and what it was before.
pub fn rejudged(rejudged: &Rejudged) -> String {
    let before = match (rejudged.verdict, rejudged.score.as_deref()) {
        (Some(verdict), Some(score)) => format!("before: {verdict}, points: {}", sanitize::line(score)),
        (Some(verdict), None) => format!("before: {verdict}"),
        (None, _) => "before: not judged, through a fault of ours".into(),
    };
    format!("judged again by version {} of the problem; {before}", rejudged.package.short())
}

/// `1 test`, `2 tests`.
pub fn plural(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
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
        None => format!("test {}", test.index),
    }
}

/// Why a case was not accepted, beyond the verdict; the limits are those of the submission.
pub fn reason(test: &TestEvent, time_limit_ms: u64, memory_limit_mib: u64) -> Option<String> {
    match test.verdict {
        Verdict::TimeLimit if test.time_ms > time_limit_ms => {
            Some(format!("{} of CPU time, limit {}", duration(test.time_ms), duration(time_limit_ms)))
        }
        Verdict::TimeLimit => Some(format!(
            "{} of waiting, with only {} of CPU time (does it wait for input that never comes?)",
            duration(test.wall_ms),
            duration(test.time_ms)
        )),
        Verdict::MemoryLimit => {
            Some(format!("{} at most, limit {}", memory(test.memory_kib), memory(memory_limit_mib * 1024)))
        }
        Verdict::OutputLimit => Some("it wrote more than is allowed".into()),
        Verdict::RuntimeError => match (test.exit_code, test.signal) {
            (_, Some(signal)) => Some(format!("ended by signal {signal}{}", signal_name(signal))),
            (Some(code), None) => Some(format!("exit code {code}")),
            (None, None) => None,
        },
        Verdict::Accepted | Verdict::WrongAnswer | Verdict::CompileError | Verdict::Skipped => None,
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => " (SIGILL: illegal instruction)",
        6 => " (SIGABRT: aborted)",
        7 => " (SIGBUS: bad memory access)",
        8 => " (SIGFPE: division by zero?)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV: bad memory access or stack overflow)",
        13 => " (SIGPIPE)",
        31 => " (SIGSYS: forbidden system call)",
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

/// Millionths of a US dollar, such as `$0.0042` or `$12.50`.
pub fn money(micro: u64) -> String {
    match micro {
        0..1_000_000 => format!("$0.{:04}", micro / 100),
        _ => format!("${}.{:02}", micro / 1_000_000, micro % 1_000_000 / 10_000),
    }
}

/// What may still be spent on feedback.
pub fn allowance(left: &Allowance) -> String {
    let tokens = left.tokens.map(|tokens| plural(tokens, "token"));
    let parts: Vec<String> = tokens.into_iter().chain(left.cost_micro.map(money)).collect();
    if parts.is_empty() { "no limit".into() } else { format!("{} today", parts.join(" and ")) }
}

/// How feedback ended and what to do, where the daemon has no words of its own for it.
pub fn feedback(outcome: FeedbackOutcome) -> &'static str {
    use FeedbackOutcome as Of;
    match outcome {
        Of::Complete => "all was said",
        Of::Accepted => "the program was accepted",
        Of::Stopped => "the submission was stopped, and feedback with it",
        Of::Interrupted => "the daemon was restarted meanwhile; ask again: codementor hint",
        Of::Withheld => "what the model said is held back; what the judge says stands",
        Of::OverBudget => "nothing more may be spent on feedback today; there is more tomorrow",
        Of::NoChecksLeft => {
            "corrections for this problem were checked often enough today; there is more tomorrow"
        }
        Of::NoStepsLeft => "there is no further hint; all of them: codementor feedback",
        Of::NotConfigured => "no model is set up",
        Of::Unreachable => "the model cannot be reached; try later: codementor hint",
        Of::KeyRefused => "the model's endpoint does not accept the key; tell whoever runs this judge",
        Of::RequestRefused => "the model's endpoint does not take the request; tell whoever runs this judge",
        Of::RateLimited => "the model's endpoint asks for patience; try later: codementor hint",
        Of::EndpointFault => "the model's endpoint has a fault; try later: codementor hint",
        Of::Stalled => "the model stopped talking; try later: codementor hint",
        Of::TimedOut => "the model took too long; try later: codementor hint",
        Of::Truncated => "the model's answer broke off; try later: codementor hint",
        Of::CutOff => "the model's answer was longer than is allowed; try later: codementor hint",
        Of::TooLarge => "the model's answer is larger than is read; try later: codementor hint",
        Of::Garbled => "the model's answer cannot be read; tell whoever runs this judge",
        Of::Empty => "the model had nothing to say; try later: codementor hint",
        Of::Unknown => "it ended in a way that this version does not know",
    }
}

/// What a list shows of a submission: its verdict, or where it is.
pub fn standing(state: State, verdict: Option<Verdict>) -> &'static str {
    match (state, verdict) {
        (State::Settled(Ending::Faulted) | State::Ended(Ending::Faulted), _) => "JUDGE_ERROR",
        (State::Settled(Ending::Cancelled) | State::Ended(Ending::Cancelled), _) => "CANCELLED",
        (State::Settled(Ending::Judged) | State::Ended(Ending::Judged), Some(verdict)) => verdict.token(),
        (State::Settled(Ending::Judged) | State::Ended(Ending::Judged), None) => "judged",
        (State::New | State::Queued, _) => "queued",
        (State::Running, _) => "running",
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
