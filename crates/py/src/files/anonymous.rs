//! Whether memory is a file's, and changes as the file is written.

use std::fs;
use std::ops::Range;

/// Whether no file is mapped there, by whomever. False if that cannot be known.
pub(super) fn is_anonymous(memory: &Range<usize>) -> bool {
    let Ok(maps) = fs::read("/proc/self/maps") else { return false };
    let mut lines = maps.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.all(|line| is_beside(line, memory).unwrap_or(false))
}

/// Of a line of the map: if it is of no file, or none of the memory is in it.
fn is_beside(line: &[u8], memory: &Range<usize>) -> Option<bool> {
    // As `show_map_vma` of fs/proc/task_mmu.c writes it: range, permissions, offset, device, inode.
    let mut fields = line.split(|byte| *byte == b' ').map(|field| str::from_utf8(field).ok());
    let (start, end) = fields.next()??.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    Some(fields.nth(3)?? == "0" || end <= memory.start || memory.end <= start)
}
