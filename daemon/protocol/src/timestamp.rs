//! A moment, as it crosses the wire, and a span of time as it is told.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A span in milliseconds, told in its two largest units and rounded up to whole seconds: `2 d 3 h`, `4 min 10 s`. The
/// sign is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.unsigned_abs().div_ceil(1000);
        let units = [
            ("d", seconds / 86_400),
            ("h", seconds / 3600 % 24),
            ("min", seconds / 60 % 60),
            ("s", seconds % 60),
        ];
        let first = units.iter().position(|(_, amount)| *amount > 0).unwrap_or(units.len() - 1);
        let (largest, next) = (units[first], units.get(first + 1));
        let mut text = format!("{} {}", largest.1, largest.0);
        if let Some((unit, amount)) = next.filter(|(_, amount)| *amount > 0) {
            text.push_str(&format!(" {amount} {unit}"));
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        let table = [
            (0, "0 s"),
            (1, "1 s"),
            (61_000, "1 min 1 s"),
            (3_600_000, "1 h"),
            (180_061_000, "2 d 2 h"),
            (86_405_000, "1 d"),
            (-7_500_000, "2 h 5 min"),
        ];
        for (ms, text) in table {
            assert_eq!(Span(ms).to_string(), text);
        }
    }
}
