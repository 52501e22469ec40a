//! The time limit of a problem: stated, or found from how long its own submissions take.

use crate::defect::WarningKind;
use crate::package::{Format, Limits};

/// The limit where nothing is stated and nothing was timed, in seconds.
pub const FALLBACK_SECONDS: f64 = 5.0;

/// A time limit and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeLimit {
    /// CPU seconds for a test.
    pub seconds: f64,
    /// Where it comes from.
    pub origin: Origin,
    /// What is odd about it.
    pub warnings: Vec<WarningKind>,
}

/// Where a time limit comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The package states it.
    Stated,
    /// It was found from the package's submissions.
    Calibrated,
    /// There was nothing to find it from.
    Fallback,
}

/// Why no time limit fits.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrateError {
    /// The submissions that should pass are too near those that should not.
    #[error(
        "no time limit fits: accepted submissions need {slowest} s, for which it would be {limit} s, but a submission \
         that should be too slow takes only {fastest} s; state limits.time_limit in problem.yaml, or make the tests harder \
         for slow programs"
    )]
    NoLimitFits {
        /// The slowest of those that should pass, in seconds.
        slowest: f64,
        /// The least limit for it, in seconds.
        limit: f64,
        /// The fastest of those that should not, in seconds.
        fastest: f64,
    },
}

/// Finds the time limit from the slowest test of any submission that must pass and, over the submissions that must be
/// too slow, the least time that one takes on its slowest test. A run that was stopped counts as long as it had taken.
pub fn calibrate(
    format: Format,
    limits: &Limits,
    slowest_accepted: Option<f64>,
    fastest_tle: Option<f64>,
) -> Result<TimeLimit, CalibrateError> {
    let (seconds, origin) = match (limits.time_limit, slowest_accepted) {
        (Some(stated), _) => (stated, Origin::Stated),
        (None, Some(slowest)) if format.is_legacy() => {
            (ceil(slowest * limits.ac_to_time_limit).max(1.0), Origin::Calibrated)
        }
        (None, Some(slowest)) => {
            let steps = ceil(slowest * limits.ac_to_time_limit / limits.time_resolution).max(1.0);
            (tidy(steps * limits.time_resolution), Origin::Calibrated)
        }
        (None, None) => (FALLBACK_SECONDS, Origin::Fallback),
    };
    let mut warnings = Vec::new();
    if origin == Origin::Fallback {
        warnings.push(WarningKind::UncalibratedTimeLimit(seconds.to_string()));
    }
    if let Some(slowest) = slowest_accepted
        && origin == Origin::Stated
        && slowest * limits.ac_to_time_limit > seconds
    {
        let (slowest, limit) = (shown(slowest), seconds.to_string());
        warnings.push(WarningKind::TightTimeLimit { slowest, limit });
    }
    if let Some(fastest) = fastest_tle
        && seconds * limits.time_limit_to_tle > fastest
    {
        match slowest_accepted {
            Some(slowest) if origin == Origin::Calibrated && !format.is_legacy() => {
                return Err(CalibrateError::NoLimitFits { slowest, limit: seconds, fastest });
            }
            _ => {
                let (fastest, limit) = (shown(fastest), seconds.to_string());
                warnings.push(WarningKind::LooseTimeLimit { fastest, limit });
            }
        }
    }
    Ok(TimeLimit { seconds, origin, warnings })
}

/// Rounds up, but not for an error of the last digit: 0.3 / 0.1 is a little less than 3, 0.7 / 0.1 not quite 7.
fn ceil(value: f64) -> f64 {
    (value - 1e-9).ceil()
}

/// 3 × 0.1 s is written as 0.3 s.
fn tidy(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

fn shown(seconds: f64) -> String {
    format!("{seconds:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(format: Format, stated: Option<f64>, resolution: f64) -> Limits {
        Limits { time_limit: stated, time_resolution: resolution, ..Limits::default_for(format) }
    }

    #[test]
    fn limits_follow_the_rules_of_each_version() {
        for (format, resolution, slowest, seconds) in [
            (Format::V2025, 1.0, 0.01, 1.0),
            (Format::V2025, 1.0, 0.5, 1.0),
            (Format::V2025, 1.0, 0.51, 2.0),
            (Format::V2025, 0.1, 0.15, 0.3),
            (Format::V2025, 0.1, 0.35, 0.7),
            (Format::V2025, 0.1, 0.36, 0.8),
            (Format::V2025, 0.5, 0.0, 0.5),
            (Format::V2023, 1.0, 1.2, 3.0),
            (Format::Legacy, 1.0, 0.01, 1.0),
            (Format::Legacy, 1.0, 0.2, 1.0),
            (Format::Legacy, 1.0, 0.21, 2.0),
            (Format::LegacyIcpc, 1.0, 1.0, 5.0),
        ] {
            let found = calibrate(format, &limits(format, None, resolution), Some(slowest), None).unwrap();
            assert_eq!((found.seconds, found.origin), (seconds, Origin::Calibrated), "{format:?} {slowest}");
            assert!(found.warnings.is_empty());
        }
    }

    #[test]
    fn with_nothing_to_go_by_it_is_five_seconds_with_a_warning() {
        let found = calibrate(Format::V2025, &limits(Format::V2025, None, 1.0), None, None).unwrap();
        assert_eq!((found.seconds, found.origin), (5.0, Origin::Fallback));
        assert_eq!(found.warnings, [WarningKind::UncalibratedTimeLimit("5".into())]);
    }

    #[test]
    fn a_stated_limit_holds_and_is_only_commented_on() {
        let limits = limits(Format::V2025, Some(1.5), 1.0);
        assert!(calibrate(Format::V2025, &limits, Some(0.75), Some(2.25)).unwrap().warnings.is_empty());
        let found = calibrate(Format::V2025, &limits, Some(0.8), Some(2.0)).unwrap();
        assert_eq!((found.seconds, found.origin), (1.5, Origin::Stated));
        assert!(matches!(
            &found.warnings[..],
            [WarningKind::TightTimeLimit { .. }, WarningKind::LooseTimeLimit { .. }]
        ));
    }

    #[test]
    fn where_no_limit_fits_2025_fails_and_legacy_warns() {
        let error =
            calibrate(Format::V2025, &limits(Format::V2025, None, 1.0), Some(1.0), Some(2.9)).unwrap_err();
        assert_eq!(error, CalibrateError::NoLimitFits { slowest: 1.0, limit: 2.0, fastest: 2.9 });
        assert!(calibrate(Format::V2025, &limits(Format::V2025, None, 1.0), Some(1.0), Some(3.0)).is_ok());
        let found =
            calibrate(Format::Legacy, &limits(Format::Legacy, None, 1.0), Some(1.0), Some(9.0)).unwrap();
        assert!(matches!(&found.warnings[..], [WarningKind::LooseTimeLimit { .. }]));
    }
}
