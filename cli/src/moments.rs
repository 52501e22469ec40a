//! Moments and spans as people type them.

use codementor_protocol::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Why a text is no moment or span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// It is no moment.
    #[error("{}", t!(
        "'{text}' is no time: write it as '2026-12-04 23:59', 2026-12-04T23:59:00+09:00, or +7d",
        text = .0
    ))]
    Moment(String),
    /// A day without a time.
    #[error("{}", t!("'{text}' is a day without a time: write it as '{text} 23:59'", text = .0))]
    DayOnly(String),
    /// It is no span.
    #[error("{}", t!("'{text}' is no span of time: write it as 90s, 10m, 2h, 3d, 1w or 1d12h", text = .0))]
    Span(String),
    /// There is no such time zone.
    #[error("{}", t!(
        "there is no time zone '{text}': it is a name such as Asia/Seoul, Europe/Berlin or UTC",
        text = .0
    ))]
    Zone(String),
}

/// The time zone of a name.
pub fn zone(name: &str) -> Result<TimeZone, MomentError> {
    TimeZone::get(name).map_err(|_| MomentError::Zone(name.into()))
}

/// The name of this machine's time zone; `UTC` where it has none.
pub fn own_zone() -> String {
    TimeZone::system().iana_name().unwrap_or("UTC").into()
}

/// A moment: on the wall clock of `zone`, with an offset of its own, or as a span after `base`.
pub fn moment(text: &str, zone: &TimeZone, base: Timestamp) -> Result<Timestamp, MomentError> {
    let text = text.trim();
    let wrong = || MomentError::Moment(text.into());
    if let Some(after) = text.strip_prefix('+') {
        let ms = i64::try_from(span(after)?).ok().and_then(|seconds| seconds.checked_mul(1000));
        return ms.and_then(|ms| base.0.checked_add(ms)).map(Timestamp).ok_or_else(wrong);
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(at.as_millisecond()));
    }
    let at: DateTime = text.parse().map_err(|_| wrong())?;
    if !text.contains(':') {
        return Err(MomentError::DayOnly(text.into()));
    }
    let at = zone.to_timestamp(at).map_err(|_| wrong())?;
    Ok(Timestamp(at.as_millisecond()))
}

/// A span in seconds, such as `1d12h`.
pub fn span(text: &str) -> Result<u64, MomentError> {
    let wrong = || MomentError::Span(text.into());
    let mut rest = text.trim();
    let mut seconds: u64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let unit = match unit {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(wrong()),
        };
        let part =
            number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(wrong)?;
        seconds = seconds.checked_add(part).ok_or_else(wrong)?;
        rest = after.trim_start();
    }
    Ok(seconds)
}

/// A moment on the wall clock of a time zone, with the zone's short name: `2026-12-04 23:59 KST`.
pub fn shown(at: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => at.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M %Z").to_string(),
        Err(_) => String::new(),
    }
}

/// The time now, by this machine's clock.
pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_the_table() {
        let seoul = zone("Asia/Seoul").expect("a zone");
        let base = Timestamp(1_000);
        let due = 1_796_396_340_000;
        #[rustfmt::skip]
        let table = [
            ("2026-12-04 23:59",          Ok(due)),
            ("2026-12-04T23:59",          Ok(due)),
            ("2026-12-04 23:59:30",       Ok(due + 30_000)),
            ("2026-12-04T14:59:00Z",      Ok(due)),
            ("2026-12-04T23:59:00+09:00", Ok(due)),
            ("2026-12-04T15:59:00+01:00", Ok(due)),
            ("+7d",                       Ok(1_000 + 7 * 86_400_000)),
            ("+1d12h",                    Ok(1_000 + 36 * 3_600_000)),
            ("2026-12-04",                Err("'2026-12-04' is a day without a time: write it as '2026-12-04 23:59'")),
            ("2026-13-04 23:59",          Err("'2026-13-04 23:59' is no time: write it as '2026-12-04 23:59', 2026-12-04T23:59:00+09:00, or +7d")),
            ("friday",                    Err("'friday' is no time: write it as '2026-12-04 23:59', 2026-12-04T23:59:00+09:00, or +7d")),
            ("+7",                        Err("'7' is no span of time: write it as 90s, 10m, 2h, 3d, 1w or 1d12h")),
        ];
        for (text, expected) in table {
            let read = moment(text, &seoul, base).map(|at| at.0).map_err(|error| error.to_string());
            assert_eq!(read, expected.map_err(str::to_owned), "{text}");
        }
        assert!(zone("Asia/Soul").is_err());
        assert_eq!(shown(Timestamp(due), "Asia/Seoul"), "2026-12-04 23:59 KST");
    }

    #[test]
    fn spans_have_a_unit() {
        let table = [
            ("90s", 90),
            ("10m", 600),
            ("10min", 600),
            ("2h", 7200),
            ("1w", 604_800),
            ("1d 12h", 129_600),
            ("0s", 0),
        ];
        for (text, seconds) in table {
            assert_eq!(span(text), Ok(seconds), "{text}");
        }
        for text in ["", "5", "d", "5 years", "-5m", "99999999999999999999d"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
