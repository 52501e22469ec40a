//! Points: decimal numbers that nothing rounds, written as text on the wire.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Digits kept after the point: four that a person may give, and two that percents add.
const SCALE: u64 = 1_000_000;
/// The most digits after the point that are read.
const MOST_DECIMALS: usize = 4;
/// The most points that are read.
const MOST: u64 = 1_000_000;

/// An amount of points. On the wire it is a text such as `12.5`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Points(u64);

impl Points {
    /// None.
    pub const ZERO: Self = Self(0);
    /// What a problem is worth outside of assignments.
    pub const FULL: Self = Self(100 * SCALE);

    /// What is left after `percent` are taken away; nothing from 100 percent on.
    #[must_use]
    pub fn less_percent(self, percent: u32) -> Self {
        let left = u64::from(100u32.saturating_sub(percent));
        // Exact for what is read, and never above what there was, so that it cannot overflow.
        Self((u128::from(self.0) * u128::from(left) / 100) as u64)
    }

    /// What `got` of `most` comes to where all of it is worth this; nothing where there is nothing to get.
    #[must_use]
    pub fn share(self, got: Self, most: Self) -> Self {
        if most.0 == 0 {
            return Self::ZERO;
        }
        // At most `self`, so that it fits.
        Self((u128::from(self.0) * u128::from(got.0.min(most.0)) / u128::from(most.0)) as u64)
    }

    /// Whether it has no more digits than a person may give. What is computed has two more, so that a per cent of what was
    /// given is never rounded.
    pub fn can_be_given(self) -> bool {
        self.0.is_multiple_of(100)
    }

    /// Whether this is at least `percent` of `whole`, without rounding.
    pub fn reaches(self, percent: Self, whole: Self) -> bool {
        u128::from(self.0) * u128::from(Self::FULL.0) >= u128::from(percent.0) * u128::from(whole.0)
    }

    /// The amount as a fraction of `whole`, for plots and thresholds; 0 where there is nothing to have.
    pub fn of(self, whole: Self) -> f64 {
        if whole.0 == 0 { 0.0 } else { self.0 as f64 / whole.0 as f64 }
    }
}

impl Add for Points {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Points {
    type Output = Self;

    /// What is left; points are never negative.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / SCALE, self.0 % SCALE);
        if part == 0 {
            return f.pad(&whole.to_string());
        }
        f.pad(format!("{whole}.{part:06}").trim_end_matches('0'))
    }
}

/// Why a text is no amount of points.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no amount of points: it is a number from 0 to {MOST} with at most {MOST_DECIMALS} digits after the point, such as 20 or 12.5"
)]
pub struct PointsError(String);

impl FromStr for Points {
    type Err = PointsError;

    fn from_str(text: &str) -> Result<Self, PointsError> {
        let wrong = || PointsError(text.into());
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // What is computed has two digits more than what a person gives, and is read again too.
        if !digits(whole) || !digits(part) || part.len() > MOST_DECIMALS + 2 || whole.len() > 7 {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
        let points = whole * SCALE + part;
        if points > MOST * SCALE { Err(wrong()) } else { Ok(Self(points)) }
    }
}

impl TryFrom<String> for Points {
    type Error = PointsError;

    fn try_from(text: String) -> Result<Self, PointsError> {
        text.parse()
    }
}

impl From<Points> for String {
    fn from(points: Points) -> Self {
        points.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str) -> Points {
        text.parse().expect("points")
    }

    #[test]
    fn points_are_written_as_they_were_read_without_idle_zeros() {
        let table = [
            ("0", "0"),
            ("100", "100"),
            ("12.5", "12.5"),
            ("07.50", "7.5"),
            ("0.0001", "0.0001"),
            ("1000000", "1000000"),
        ];
        for (text, written) in table {
            assert_eq!(points(text).to_string(), written, "{text}");
        }
        for text in [
            "",
            ".",
            "5.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "ten",
            "1 ",
            "1000000.1",
            "99999999",
            "1.1234567",
            "٣",
        ] {
            assert!(text.parse::<Points>().is_err(), "{text}");
        }
    }

    #[test]
    fn percents_are_taken_away_without_rounding() {
        let table = [
            ("100", 10, "90"),
            ("12.5", 10, "11.25"),
            ("33.3333", 1, "32.999967"),
            ("20", 100, "0"),
            ("20", 250, "0"),
            ("20", 0, "20"),
        ];
        for (whole, percent, left) in table {
            assert_eq!(points(whole).less_percent(percent).to_string(), left, "{whole} less {percent} %");
        }
    }

    #[test]
    fn shares_and_thresholds_do_not_round_up() {
        assert_eq!(points("30").share(points("1"), points("3")), points("10"));
        assert_eq!(points("30").share(points("4"), points("3")), points("30"), "no more than all");
        assert_eq!(points("30").share(points("1"), Points::ZERO), Points::ZERO);
        assert!(points("60").reaches(points("60"), points("100")));
        assert!(!points("59.999999").reaches(points("60"), points("100")));
        assert!(points("2.25").reaches(points("75"), points("3")));
        assert!(Points::ZERO.reaches(Points::ZERO, points("100")));
    }

    #[test]
    fn sums_and_differences_do_not_drift() {
        assert_eq!((0..10).map(|_| points("0.1")).sum::<Points>(), points("1"));
        assert_eq!(points("1") - points("2.5"), Points::ZERO);
        assert_eq!(serde_json::to_string(&points("12.5")).expect("serialises"), "\"12.5\"");
    }
}
