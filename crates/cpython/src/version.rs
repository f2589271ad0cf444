//! Which CPython it is.

use std::fmt;

/// A CPython version, to the patch release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 3.
    pub major: u32,
    /// 12 for 3.12.
    pub minor: u32,
    /// 1 for 3.12.1.
    pub micro: u32,
    /// `a`, `b` or `rc` with its number, before a final release.
    pub pre_release: Option<(char, u32)>,
}

impl Version {
    /// From `PY_VERSION_HEX` (patchlevel.h): major, minor, micro, level and serial.
    #[must_use]
    pub fn from_hex(hex: u32) -> Version {
        let pre_release = match (hex >> 4) & 0xf {
            0xa => Some('a'),
            0xb => Some('b'),
            0xc => Some('c'),
            _ => None,
        };
        Version {
            major: hex >> 24,
            minor: (hex >> 16) & 0xff,
            micro: (hex >> 8) & 0xff,
            pre_release: pre_release.map(|level| (level, hex & 0xf)),
        }
    }

    /// From text such as `3.10.13`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Version> {
        let digits = text.trim_end_matches('+');
        let mut parts = digits.splitn(3, '.').map(str::parse);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(micro))) => {
                Some(Version { major, minor, micro, pre_release: None })
            }
            _ => None,
        }
    }

    /// Whether this patch release, or one whose table was compared with it, is run in our tests.
    /// The others share their minor version's table and are marked unproven.
    #[must_use]
    pub fn is_proven(self) -> bool {
        // 3.14.0–3.14.4 keep other lists in the collector (cpython issue 148726) and could not be
        // had for a test.
        let early_3_14 = self.minor == 14 && self.micro < 5;
        self.major == 3
            && (10..=15).contains(&self.minor)
            && self.pre_release.is_none()
            && !early_3_14
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.micro)?;
        match self.pre_release {
            Some(('c', serial)) => write!(f, "rc{serial}"),
            Some((level, serial)) => write!(f, "{level}{serial}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_from_hex_and_text() {
        assert_eq!(Version::from_hex(0x030c_01f0).to_string(), "3.12.1");
        assert_eq!(Version::from_hex(0x030f_00c2).to_string(), "3.15.0rc2");
        assert_eq!(Version::parse("3.10.13"), Some(Version::from_hex(0x030a_0df0)));
        assert_eq!(Version::parse("3.11.2+").map(|v| v.micro), Some(2));
        assert_eq!(Version::parse("3.x"), None);
    }

    #[test]
    fn the_incremental_collector_releases_are_unproven() {
        assert!(!Version::parse("3.14.4").unwrap().is_proven());
        assert!(Version::parse("3.14.8").unwrap().is_proven());
        assert!(!Version::parse("3.16.0").unwrap().is_proven());
    }
}
