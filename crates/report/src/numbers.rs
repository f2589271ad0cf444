//! Numbers for people: sizes with three digits, counts with separators.

use deadweight_heap::Bytes;
pub use deadweight_heap::grouped as count;

/// `8.4 MB`: decimal units, two or three digits.
#[must_use]
pub fn size(bytes: Bytes) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes.0 as f64;
    let mut unit = 0;
    // 999.5 would round up to four digits.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit > 0 && value < 9.95 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

/// `7.26 M` from a hundred thousand on, `12,345` below.
#[must_use]
pub fn rough_count(number: u64) -> String {
    match number {
        0..100_000 => count(number),
        100_000..1_000_000_000 => format!("{:.2} M", number as f64 / 1e6),
        _ => format!("{:.2} G", number as f64 / 1e9),
    }
}

/// Whole per cent of a whole, `<1 %` rather than a zero that is none.
#[must_use]
pub fn share(part: Bytes, whole: Bytes) -> String {
    if whole.0 == 0 || part.0 == 0 {
        return "0 %".to_owned();
    }
    let percent = part.0 as f64 * 100.0 / whole.0 as f64;
    if percent < 0.5 { "<1 %".to_owned() } else { format!("{percent:.0} %") }
}

/// `21 ms`, `0.9 s`.
#[must_use]
pub fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.1} ms", micros as f64 / 1e3),
        10_000..1_000_000 => format!("{:.0} ms", micros as f64 / 1e3),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_or_three_digits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (8_400_000, "8.4 MB"),
            (402_123_456, "402 MB"),
            (999_600_000, "1.0 GB"),
            (12_345_678_901, "12 GB"),
            (u64::MAX, "18446744 TB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(Bytes(bytes)), text);
        }
    }

    #[test]
    fn counts_are_separated() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(rough_count(7_260_000), "7.26 M");
        assert_eq!(rough_count(99_999), "99,999");
    }

    #[test]
    fn shares_never_hide_something_behind_a_zero() {
        assert_eq!(share(Bytes(1), Bytes(1_000_000)), "<1 %");
        assert_eq!(share(Bytes(0), Bytes(10)), "0 %");
        assert_eq!(share(Bytes(3), Bytes(0)), "0 %");
        assert_eq!(share(Bytes(75), Bytes(100)), "75 %");
    }

    #[test]
    fn durations_fit_their_unit() {
        assert_eq!(duration(900), "900 µs");
        assert_eq!(duration(2_140), "2.1 ms");
        assert_eq!(duration(21_400), "21 ms");
        assert_eq!(duration(900_000), "900 ms");
        assert_eq!(duration(1_900_000), "1.9 s");
    }
}
