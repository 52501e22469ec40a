//! Moments as people read them, in an assignment's time zone.

use codementor_protocol::Timestamp;
use jiff::tz::TimeZone;

/// Whether there is a time zone of this name.
pub(crate) fn is_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// A moment with its zone, such as `2026-12-04 23:59 KST`.
pub(crate) fn moment(at: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => at.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M %Z").to_string(),
        // Too far away for any calendar; assignments with such times are refused.
        Err(_) => format!("{} ms", at.0),
    }
}

/// Whether a calendar reaches this moment.
pub(crate) fn is_in_calendar(at: Timestamp) -> bool {
    // A year from the calendar's end, so that what is added to it stays inside.
    jiff::Timestamp::from_millisecond(at.0)
        .is_ok_and(|at| at < jiff::Timestamp::MAX - jiff::SignedDuration::from_hours(24 * 366))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_the_zone_of_the_assignment() {
        let at = Timestamp(1_796_396_340_000);
        assert_eq!(moment(at, "Asia/Seoul"), "2026-12-04 23:59 KST");
        assert_eq!(moment(at, "America/New_York"), "2026-12-04 09:59 EST");
        assert!(is_zone("Asia/Seoul") && !is_zone("Asia/Soul") && !is_zone(""));
    }
}
