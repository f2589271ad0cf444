//! A column of texts or bytes: one blob with offsets of 32 bits, or several where 2 GiB are not
//! enough.

mod chunk;

use arrow_buffer::ScalarBuffer;

use crate::allocation::Allocation;
use crate::error::Reason;
use crate::rows::Rows;
use chunk::{Chunk, OUTSIDE};

/// The most bytes that offsets of 32 bits, signed as Arrow has them, can address.
pub(crate) const MOST: usize = i32::MAX as usize;
/// Texts one after another, and offsets into them: of each its beginning, and the last one's end.
pub(crate) type Blob = (ScalarBuffer<i32>, ScalarBuffer<u8>);
/// Garbage is not worth a compaction below this.
const LITTLE: usize = 4096;

#[derive(Debug)]
pub(crate) struct Texts {
    /// At least one.
    chunks: Vec<Chunk>,
    /// How many bytes a chunk may have.
    most: usize,
}

impl Texts {
    pub(crate) fn new(most: usize) -> Texts {
        Texts { chunks: vec![Chunk::default()], most: most.min(MOST) }
    }

    /// Over buffers of a file, of which nothing is certain.
    pub(crate) fn over(offsets: ScalarBuffer<i32>, bytes: ScalarBuffer<u8>) -> Texts {
        Texts { chunks: vec![Chunk::over(offsets, bytes)], most: MOST }
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    pub(crate) fn len(&self) -> usize {
        self.chunks.iter().map(Chunk::rows).sum()
    }

    /// Chunk of a row, and the row in it.
    #[inline]
    fn place(&self, mut row: usize) -> (usize, usize) {
        let last = self.chunks.len() - 1;
        for (at, chunk) in self.chunks[..last].iter().enumerate() {
            if row < chunk.rows() {
                return (at, row);
            }
            row -= chunk.rows();
        }
        (last, row)
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> Result<&[u8], Reason> {
        let (at, row) = self.place(row);
        self.chunks[at].get(row).ok_or(OUTSIDE)
    }

    /// A text. Nobody else vouches for it, so that it is checked here: what is in a file is anything.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> Result<&str, Reason> {
        std::str::from_utf8(self.get(row)?).map_err(|_| Reason::Damaged("a text that is no UTF-8"))
    }

    /// What comes from a file is made sound, and compact, before it is changed.
    #[inline]
    pub(crate) fn make_ours(&mut self) -> Result<(), Reason> {
        if self.chunks.iter().all(Chunk::is_ours) {
            return Ok(());
        }
        if self.chunks.iter().all(|chunk| chunk.is_ours() || chunk.is_compact()) {
            self.chunks.iter_mut().for_each(Chunk::make_ours);
            return Ok(());
        }
        self.compact()
    }

    /// Whether a chunk has room for a text of so many bytes.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), Reason> {
        let most = self.most;
        if bytes <= most { Ok(()) } else { Err(Reason::TooLong { bytes, most }) }
    }

    pub(crate) fn push(&mut self, text: &[u8]) -> Result<(), Reason> {
        self.make_ours()?;
        self.check(text.len())?;
        let last = self.chunks.len() - 1;
        if self.chunks[last].used() + text.len() > self.most {
            let mut fresh = Chunk::default();
            fresh.push(text)?;
            self.chunks.push(fresh);
            return Ok(());
        }
        self.chunks[last].push(text)
    }

    pub(crate) fn set(&mut self, row: usize, text: &[u8]) -> Result<(), Reason> {
        self.make_ours()?;
        self.check(text.len())?;
        let (at, row_there) = self.place(row);
        let chunk = &mut self.chunks[at];
        let grows = text.len() > chunk.get(row_there).map_or(0, <[u8]>::len);
        if grows && chunk.used() + text.len() > self.most {
            return self.rebuild(Some((row, text)));
        }
        chunk.set(row_there, text)?;
        self.compact_if_worth_it();
        Ok(())
    }

    fn compact_if_worth_it(&mut self) {
        let garbage = self.garbage();
        if garbage > LITTLE && garbage > self.used() / 2 {
            // Without the memory for it, the garbage stays; the change before it was made.
            let _ = self.compact();
        }
    }

    fn used(&self) -> usize {
        self.chunks.iter().map(Chunk::used).sum()
    }

    /// Bytes that no text has any more.
    pub(crate) fn garbage(&self) -> usize {
        self.chunks.iter().map(Chunk::garbage).sum()
    }

    pub(crate) fn is_compact(&self) -> bool {
        self.chunks.iter().all(Chunk::is_compact)
    }

    /// Writes the texts one after another, without garbage.
    pub(crate) fn compact(&mut self) -> Result<(), Reason> {
        self.rebuild(None)
    }

    fn rebuild(&mut self, replaced: Option<(usize, &[u8])>) -> Result<(), Reason> {
        // Texts of a file that lie over each other could be far more than the file.
        if !self.chunks.iter().all(Chunk::is_sound) {
            return Err(OUTSIDE);
        }
        let mut fresh = Texts::new(self.most);
        let (rows, mut bytes) = (self.len(), 0);
        for row in 0..rows {
            bytes += self.get(row)?.len();
        }
        fresh.chunks[0].reserve(rows, bytes.min(self.most))?;
        for row in 0..rows {
            match replaced {
                Some((at, text)) if at == row => fresh.push(text)?,
                _ => fresh.push(self.get(row)?)?,
            }
        }
        *self = fresh;
        Ok(())
    }

    pub(crate) fn append(&mut self, from: &Texts, rows: &Rows<'_>) -> Result<(), Reason> {
        self.make_ours()?;
        let mut bytes = 0;
        rows.try_for_each(|row| {
            bytes += from.get(row)?.len();
            Ok(())
        })?;
        let last = self.chunks.len() - 1;
        let room = bytes.min(self.most - self.chunks[last].used());
        self.chunks[last].reserve_more(rows.len(), room)?;
        rows.try_for_each(|row| self.push(from.get(row)?))
    }

    pub(crate) fn truncate(&mut self, len: usize) -> Result<(), Reason> {
        let rows = self.len();
        if len < rows { self.delete(len, rows) } else { Ok(()) }
    }

    pub(crate) fn delete(&mut self, start: usize, end: usize) -> Result<(), Reason> {
        self.make_ours()?;
        let mut before = 0;
        for chunk in &mut self.chunks {
            let rows = chunk.rows();
            let within = |row: usize| row.saturating_sub(before).min(rows);
            chunk.delete(within(start), within(end))?;
            before += rows;
        }
        if self.chunks.len() > 1 {
            self.chunks.retain(|chunk| chunk.rows() > 0);
        }
        if self.chunks.is_empty() {
            self.chunks.push(Chunk::default());
        }
        self.compact_if_worth_it();
        Ok(())
    }

    pub(crate) fn is_chunked(&self) -> bool {
        self.chunks.len() > 1
    }

    /// Moves the last texts before another, within the last chunk.
    pub(crate) fn move_last(&mut self, count: usize, at: usize) -> Result<(), Reason> {
        self.make_ours()?;
        let (chunk, at) = self.place(at);
        self.chunks[chunk].move_last(count, at)
    }

    /// Room for exactly so many more texts; their bytes are not known.
    pub(crate) fn reserve(&mut self, rows: usize) -> Result<(), Reason> {
        self.make_ours()?;
        let (last, full) = self.chunks.split_last_mut().ok_or(OUTSIDE)?;
        full.iter_mut().try_for_each(|chunk| chunk.reserve(0, 0))?;
        last.reserve(rows, 0)
    }

    pub(crate) fn shrink_to_fit(&mut self) -> Result<(), Reason> {
        if !self.is_compact() {
            self.compact()?;
        }
        self.chunks.iter_mut().for_each(Chunk::shrink_to_fit);
        Ok(())
    }

    /// Offsets and blob of each chunk, shared; compacted first where that is needed.
    pub(crate) fn share(&mut self) -> Result<Vec<Blob>, Reason> {
        // Garbage is no part of what others get; the blob of a file may be longer than its texts.
        if !self.chunks.iter().all(Chunk::is_shareable) {
            self.compact()?;
        }
        Ok(self.chunks.iter_mut().map(Chunk::share).collect())
    }

    pub(crate) fn payload(&self) -> usize {
        self.chunks.iter().map(Chunk::payload).sum()
    }

    pub(crate) fn allocations(&self, all: &mut Vec<Allocation>) {
        self.chunks.iter().for_each(|chunk| chunk.allocations(all));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &Texts) -> Vec<&str> {
        (0..texts.len()).map(|row| texts.text(row).unwrap()).collect()
    }

    #[test]
    fn a_text_of_another_length_leaves_garbage_until_it_is_more_than_half() {
        let mut texts = Texts::new(MOST);
        texts.push(&[b'a'; 3000]).unwrap();
        texts.push(&[b'b'; 3000]).unwrap();
        texts.set(0, &[b'c'; 3001]).unwrap();
        assert_eq!(texts.garbage(), 3000);
        assert!(!texts.is_compact());
        texts.set(1, b"d").unwrap();
        assert!(texts.is_compact(), "{} of garbage", texts.garbage());
        assert_eq!(all(&texts), [&*"c".repeat(3001), "d"]);
        assert_eq!(texts.payload(), 3001 + 1 + 3 * 4);
    }

    #[test]
    fn a_text_of_the_same_length_is_written_over() {
        let mut texts = Texts::new(MOST);
        texts.push(b"one").unwrap();
        texts.push(b"two").unwrap();
        texts.set(0, b"six").unwrap();
        assert!(texts.is_compact());
        assert_eq!(all(&texts), ["six", "two"]);
    }

    #[test]
    fn a_full_chunk_is_followed_by_another() {
        let mut texts = Texts::new(8);
        for text in ["aaaa", "bbbb", "c", "", "dddddddd"] {
            texts.push(text.as_bytes()).unwrap();
        }
        assert_eq!(texts.chunks.iter().map(Chunk::rows).collect::<Vec<_>>(), [2, 2, 1]);
        let error = texts.push(b"123456789").unwrap_err();
        assert_eq!(error, Reason::TooLong { bytes: 9, most: 8 });
        texts.set(0, b"aaaaaaa").unwrap();
        assert_eq!(all(&texts), ["aaaaaaa", "bbbb", "c", "", "dddddddd"]);
        texts.delete(1, 4).unwrap();
        assert_eq!(all(&texts), ["aaaaaaa", "dddddddd"]);
    }

    #[test]
    fn offsets_that_lead_out_of_the_blob_are_an_error() {
        let blob = ScalarBuffer::from(b"abc".to_vec());
        let over = |offsets| Texts::over(ScalarBuffer::from(offsets), blob.clone());
        for offsets in [vec![0, 9], vec![2, 1], vec![-1, 2], vec![i32::MIN, i32::MAX]] {
            let mut texts = over(offsets);
            assert_eq!(texts.get(0), Err(OUTSIDE));
            assert_eq!(texts.push(b"x"), Err(OUTSIDE));
            assert!(texts.share().is_err());
        }
        let mut twice = over(vec![0, 3, 0, 3]);
        assert_eq!(twice.get(2), Ok(&b"abc"[..]));
        assert_eq!(twice.push(b"x"), Err(OUTSIDE));
    }
}
