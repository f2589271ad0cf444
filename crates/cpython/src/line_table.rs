//! Which line an instruction came from.
//!
//! 3.11+: the location table of PEP 657 (Objects/locations.md): entries of a code, a length in code
//! units and a variable-length signed line delta. 3.10: the line table of PEP 626
//! (`Objects/lnotab_notes.txt)`: pairs of a bytecode delta and a signed line delta, −128 for "no line".

/// The line of the instruction at a byte offset into the bytecode.
pub(crate) fn line_of(table: &[u8], minor: u32, first_line: i64, offset: u64) -> Option<u32> {
    let line = if minor >= 11 {
        location(table, first_line, offset)
    } else {
        pairs(table, first_line, offset)
    };
    line.and_then(|line| u32::try_from(line).ok())
}

fn location(table: &[u8], first_line: i64, offset: u64) -> Option<i64> {
    let mut line = first_line;
    let mut at = 0_u64;
    let mut bytes = table.iter().copied();
    while let Some(head) = bytes.next() {
        let code = (head >> 3) & 15;
        let units = u64::from(head & 7) + 1;
        let mut skip = 0;
        let has_line = match code {
            // Short forms: one more byte of columns, same line.
            0..=9 => {
                skip = 1;
                true
            }
            // One-line forms: the line moves by 0, 1 or 2.
            10..=12 => {
                line = line.checked_add(i64::from(code) - 10)?;
                skip = 2;
                true
            }
            // No columns; long form.
            13 => {
                line = line.checked_add(signed_varint(&mut bytes)?)?;
                true
            }
            14 => {
                line = line.checked_add(signed_varint(&mut bytes)?)?;
                for _ in 0..3 {
                    varint(&mut bytes)?;
                }
                true
            }
            _ => false,
        };
        for _ in 0..skip {
            bytes.next()?;
        }
        at += units * 2;
        if offset < at {
            return has_line.then_some(line);
        }
    }
    None
}

/// Six bits a byte, lowest first, 64 set where more follow.
fn varint(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(6) {
        let byte = bytes.next()?;
        value |= u64::from(byte & 63) << shift;
        if byte & 64 == 0 {
            return Some(value);
        }
    }
    None
}

fn signed_varint(bytes: &mut impl Iterator<Item = u8>) -> Option<i64> {
    let value = varint(bytes)?;
    let magnitude = (value >> 1).cast_signed();
    Some(if value & 1 == 1 { -magnitude } else { magnitude })
}

fn pairs(table: &[u8], first_line: i64, offset: u64) -> Option<i64> {
    let mut line = first_line;
    let mut at = 0_u64;
    for pair in table.chunks_exact(2) {
        let delta = pair[1].cast_signed();
        let has_line = delta != -128;
        if has_line {
            line = line.checked_add(i64::from(delta))?;
        }
        at += u64::from(pair[0]);
        if offset < at {
            return has_line.then_some(line);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_of_every_form() {
        // Two units on the first line (short form), one unit one line on (one-line form), one unit
        // three lines back (long form), one unit without a location.
        let table =
            [0x80 | 1, 0x11, 0x80 | 11 << 3, 1, 2, 0x80 | 14 << 3, 7, 0, 1, 1, 0x80 | 15 << 3];
        let line = |offset| line_of(&table, 12, 10, offset);
        assert_eq!([line(0), line(2), line(4)], [Some(10), Some(10), Some(11)]);
        assert_eq!(line(6), Some(8));
        assert_eq!(line(8), None);
        assert_eq!(line(10), None);
    }

    #[test]
    fn a_cut_table_has_no_line() {
        assert_eq!(line_of(&[0x80 | 14 << 3, 0x40], 11, 10, 0), None);
        assert_eq!(line_of(&[], 11, 10, 0), None);
    }

    #[test]
    fn lines_beyond_all_numbers_are_no_lines() {
        // Two long forms that each move the line by nearly 2⁵⁹, and so on.
        let form = [&[0x80 | 14 << 3][..], &[0x7f; 10], &[0x0e], &[0, 0, 0]].concat();
        assert_eq!(line_of(&form.repeat(40), 12, i64::MAX - 5, 1 << 30), None);
    }

    #[test]
    fn old_pairs_count_lines() {
        let table = [4, 0, 2, 3, 2, 0x80, 2, 0xff];
        let line = |offset| line_of(&table, 10, 10, offset);
        assert_eq!(
            [line(0), line(3), line(4), line(6), line(8)],
            [Some(10), Some(10), Some(13), None, Some(12)]
        );
    }
}
