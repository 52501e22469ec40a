//! The block that stays when judging has ended: the verdict, where it failed, and what to type next.

use codementor_protocol::{Accepted, Purpose, SourceFile, Verdict, Verdicted, Visibility};

use crate::render::tally::{End, Tally};
use crate::render::{compile, words};
use crate::terminal::Paint;
use crate::{locale, sanitize};

/// The block, ending in a line end; empty while judging goes on.
pub fn render(tally: &Tally, files: &[SourceFile], paint: Paint) -> String {
    match &tally.end {
        None => String::new(),
        Some(End::Judged(result)) => judged(tally, result, files, paint),
        Some(End::Faulted(failed)) => {
            let mut text = headline(paint.odd("! JUDGE_ERROR"), &[], tally);
            text.push_str(&format!(
                "  {}: {}\n",
                sanitize::line(&failed.code),
                sanitize::line(&locale::said(&failed.message))
            ));
            text.push_str(t!("  This is our fault, not your program's; it costs no attempt.\n"));
            text.push_str(if failed.retryable {
                t!("  next: submit again later; the log has more: codementor status\n")
            } else {
                t!("  next: tell whoever runs this judge; the log has more: codementor status\n")
            });
            text
        }
        Some(End::Cancelled) => headline(paint.odd("- CANCELLED"), &[], tally),
    }
}

fn judged(tally: &Tally, result: &Verdicted, files: &[SourceFile], paint: Paint) -> String {
    let accepted = result.verdict == Verdict::Accepted;
    let mark = if accepted { paint.tick() } else { paint.cross() };
    let first = format!("{mark} {}", result.verdict.token());
    let first = if accepted { paint.good(&first) } else { paint.bad(&first) };
    if result.verdict == Verdict::CompileError {
        let mut text = headline(first, &[], tally);
        if let Some(compiled) = &tally.compiled {
            text.push_str(&compile::render(&compiled.diagnostics, &compiled.output, files, paint));
        }
        return text;
    }
    let trial = tally.accepted.as_ref().is_some_and(|facts| facts.purpose == Purpose::Trial);
    let mut facts = Vec::new();
    if !trial {
        facts.push(format!("{}/{}", sanitize::line(&result.score), sanitize::line(&result.max_score)));
    }
    if let Some(passed) = result.passed {
        facts.push(match trial {
            true => t!("{passed}/{total} samples", passed = passed, total = result.total),
            false => t!("{passed}/{total} tests", passed = passed, total = result.total),
        });
    }
    let mut text = headline(first, &facts, tally);
    if let Some(points) = tally.accepted.as_ref().and_then(|facts| facts.less_lateness(&result.score)) {
        text.push_str(&t!("  late: {points} count\n", points));
    }
    let groups: Vec<String> = tally
        .groups()
        .iter()
        .map(|group| {
            let place = group.first.map(|test| t!(" (first failure: {case})", case = words::case(test)));
            let name = sanitize::line(group.name);
            format!("{name} {}/{}{}", group.passed, group.run, place.unwrap_or_default())
        })
        .collect();
    if groups.len() > 1 {
        text.push_str(&format!("  {}\n", groups.join("   ")));
    }
    if let Some(facts) = &tally.accepted {
        text.push_str(&details(tally, facts, accepted, paint));
    }
    text
}

fn details(tally: &Tally, facts: &Accepted, accepted: bool, paint: Paint) -> String {
    let mut text = String::new();
    if accepted {
        if let (Some(slowest), Some(memory)) = (tally.slowest(), tally.memory_kib()) {
            text.push_str(&t!(
                "  slowest {case}: {time_ms} of {time_limit_ms}   memory {memory} of {memory_limit_mib}\n",
                case = words::case(slowest),
                time_ms = words::duration(slowest.time_ms),
                time_limit_ms = words::duration(facts.time_limit_ms),
                memory = words::memory(memory),
                memory_limit_mib = words::memory(facts.memory_limit_mib * 1024)
            ));
        }
        if facts.purpose == Purpose::Trial {
            text.push_str(&t!("  next: {command}\n", command = paint.place("codementor submit")));
        }
        return text;
    }
    let Some(failure) = tally.first_failure() else { return text };
    if let Some(reason) = words::reason(failure, facts.time_limit_ms, facts.memory_limit_mib) {
        text.push_str(&format!("  {}: {reason}\n", words::case(failure)));
    }
    match (failure.visibility, facts.purpose) {
        (Visibility::Sample, Purpose::Submission) => {
            text.push_str(&t!(
                "  next: {command}\n",
                command = paint.place(&format!("codementor diff {}", facts.id))
            ));
        }
        (Visibility::Hidden, Purpose::Submission) => {
            text.push_str(t!("  That test is hidden: only how it ended is shown.\n"));
        }
        (_, Purpose::Trial | Purpose::Calibration | Purpose::Verification | Purpose::Rejudge) => {}
    }
    text
}

/// `✗ WRONG_ANSWER   0/100   19/20 tests   #4821   3.20 s`
fn headline(first: String, facts: &[String], tally: &Tally) -> String {
    let mut parts = vec![first];
    parts.extend_from_slice(facts);
    parts.extend(
        tally
            .accepted
            .iter()
            .filter(|facts| facts.purpose != Purpose::Trial)
            .map(|facts| format!("#{}", facts.id)),
    );
    parts.extend(tally.elapsed_ms().map(words::duration));
    let mut line = parts.join("   ");
    line.push('\n');
    line
}
