//! When a request is tried again.

use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

/// How often a request is repeated at one endpoint.
const REPETITIONS: usize = 2;
/// No endpoint is left alone for longer, whatever it says: a slip in its header shall not silence it for days.
const MAX_REST: Duration = Duration::from_secs(600);

/// The pauses before each repetition, each about twice as long as the one before.
pub(super) fn pauses(first: Duration) -> impl Iterator<Item = Duration> {
    let builder = ExponentialBuilder::default().with_min_delay(first).with_max_delay(first * 8);
    builder.with_max_times(REPETITIONS).with_jitter().build()
}

/// A time with up to a tenth more, so that those who were sent away together do not come back together.
pub(super) fn jittered(time: Duration) -> Duration {
    time.mul_f64(1.0 + rand::random::<f64>() / 10.0)
}

/// Whether the same request may be answered a moment later.
pub(super) fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 409 | 429) || status.is_server_error()
}

/// How long the endpoint wants to be left alone.
pub(super) fn rest(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let number = |text: &str, unit: f64| {
        let seconds = text.parse::<f64>().ok()? * unit;
        // A number that is none, negative or boundless is no time.
        Duration::try_from_secs_f64(seconds).ok()
    };
    let date =
        |text: &str| Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default());
    let rest = text("retry-after-ms").and_then(|text| number(text, 0.001)).or_else(|| {
        let after = text("retry-after")?;
        number(after, 1.0).or_else(|| date(after))
    });
    rest.map(|rest| rest.min(MAX_REST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resting(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| {
            (reqwest::header::HeaderName::from_static(name), value.parse().expect("a header's value"))
        });
        // 6 November 1994, 08:49:37.
        rest(&headers.collect(), SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777))
    }

    #[test]
    fn a_time_to_rest_is_read_in_all_its_forms() {
        type Case = (&'static [(&'static str, &'static str)], Option<u64>);
        let cases: &[Case] = &[
            (&[], None),
            (&[("retry-after", "3")], Some(3_000)),
            (&[("retry-after", "0.5")], Some(500)),
            (&[("retry-after-ms", "250"), ("retry-after", "3")], Some(250)),
            (&[("retry-after-ms", "soon"), ("retry-after", "3")], Some(3_000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")], Some(10_000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], Some(0)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "tomorrow")], None),
            (&[("retry-after", "99999999999")], Some(600_000)),
            (&[("retry-after", "inf")], None),
        ];
        for (headers, expected) in cases {
            assert_eq!(resting(headers), expected.map(Duration::from_millis), "{headers:?}");
        }
    }

    #[test]
    fn there_are_two_repetitions_with_growing_pauses() {
        for _ in 0..100 {
            let pauses: Vec<Duration> = pauses(Duration::from_millis(100)).collect();
            let [first, second] = pauses[..] else { panic!("{pauses:?}") };
            assert!((100..=200).contains(&first.as_millis()), "{pauses:?}");
            assert!((200..=400).contains(&second.as_millis()), "{pauses:?}");
        }
    }
}
