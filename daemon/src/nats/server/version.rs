//! Versions of NATS servers.

use std::fmt;
use std::str::FromStr;

/// A server's version, without what may follow its third number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Changes when programs must.
    pub major: u32,
    /// Changes with what the server can do.
    pub minor: u32,
    /// Changes with repairs.
    pub patch: u32,
}

/// A text that is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a version such as 2.12.8")]
pub struct NotAVersion;

impl Version {
    /// The version of these three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads `2.12.8`, `v2.12.8` and `v2.12.8-preview.1`.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut parts = numbers.split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Ok(Self { major, minor, patch }),
            _ => Err(NotAVersion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered_by_number() {
        assert_eq!("v2.12.8".parse(), Ok(Version::new(2, 12, 8)));
        assert_eq!("2.14.0-RC.1".parse(), Ok(Version::new(2, 14, 0)));
        assert_eq!("2.10.0+build".parse(), Ok(Version::new(2, 10, 0)));
        for bad in ["", "2", "2.12", "2.12.x", "2.12.8.1", "v", "two.1.2"] {
            assert_eq!(bad.parse::<Version>(), Err(NotAVersion), "{bad}");
        }
        assert!(Version::new(2, 9, 10) < Version::new(2, 10, 2));
        assert!(Version::new(2, 10, 27) < Version::new(2, 11, 0));
    }
}
