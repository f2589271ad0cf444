//! Page facts: which pages of a process are there, and what sort each one is.
//!
//! Three sources, best first, by what the kernel offers and permits. All yield the same runs.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use deadweight_heap::Bytes;

use crate::PAGE;
use crate::deadline::Deadline;
use crate::maps::Mapping;
use crate::ranges;
use crate::smaps::{self, MappingSums};
use crate::sys::{self, Buffer, PageRegion};

/// How the page facts were had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSource {
    /// The `PAGEMAP_SCAN` request (Linux 6.7): exact and fast.
    Scan,
    /// A word per page (`/proc/PID/pagemap`). Exact, but for the zero page: without `CAP_SYS_ADMIN`
    /// it looks like any other and counts as resident.
    Words,
    /// Not permitted (with `CAP_SYS_PTRACE` alone the file cannot be opened): whole mappings count as
    /// one, by the sums of `smaps`. Bytes within a mapping are then allocated rather than resident.
    Mappings,
}

/// The sorts of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageState {
    /// In memory, and the process's own: anonymous, or a private copy of a file's page.
    Own,
    /// In memory, and the same as the file's (or shared memory).
    File,
    /// Reads as zeros: never written. Not counted as resident.
    Zero,
    /// In swap.
    Swapped,
    /// In memory, of the hugetlb pool. Not counted as resident.
    HugeTlb,
}

impl PageState {
    /// Whether the kernel counts it in `Rss`.
    fn is_resident(self) -> bool {
        matches!(self, PageState::Own | PageState::File)
    }
}

/// Neighbouring pages of one sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) pages: Range<u64>,
    pub(crate) state: PageState,
}

impl Run {
    fn resident(&self) -> u64 {
        if self.state.is_resident() { self.pages.end - self.pages.start } else { 0 }
    }
}

/// All pages that are there, as runs: sorted, not overlapping, neighbours of one sort merged.
#[derive(Debug)]
pub(crate) struct Pages {
    runs: Vec<Run>,
    /// Resident bytes before each run.
    before: Vec<u64>,
    pub(crate) source: PageSource,
    /// Sums by mapping, where they are all there is.
    pub(crate) sums: Vec<MappingSums>,
}

impl Pages {
    /// The best facts that can be had. `maps` is the map of the same moment. An error of the kind
    /// `TimedOut` once the deadline is over: a reservation of terabytes takes long page by page.
    pub(crate) fn read(pid: u32, maps: &[Mapping], deadline: &Deadline) -> io::Result<Pages> {
        let Ok(pagemap) = File::open(format!("/proc/{pid}/pagemap")) else {
            let sums = smaps::mapping_sums(pid)?;
            let runs = whole_mappings(maps, &sums);
            return Ok(Pages { sums, ..Pages::new(runs, PageSource::Mappings) });
        };
        match scan(&pagemap, maps, deadline) {
            Ok(runs) => Ok(Pages::new(runs, PageSource::Scan)),
            // The request is not known.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOTTY | libc::EINVAL)) => {
                Ok(Pages::new(words(&pagemap, maps, deadline)?, PageSource::Words))
            }
            Err(error) => Err(error),
        }
    }

    /// No page is there.
    #[cfg(test)]
    pub(crate) fn none() -> Pages {
        Pages::new(Vec::new(), PageSource::Scan)
    }

    fn new(runs: Vec<Run>, source: PageSource) -> Pages {
        let mut sum = 0;
        let before = runs
            .iter()
            .map(|run| {
                sum += run.resident();
                sum - run.resident()
            })
            .collect();
        Pages { runs, before, source, sums: Vec::new() }
    }

    /// Has the pages of files and of shared memory that are there in another process with the same
    /// memory, instead of its own. Says how many bytes that is.
    pub(crate) fn take_files_of(&mut self, other: &Pages, maps: &[Mapping]) -> Bytes {
        let has_files =
            |mapping: &&Mapping| mapping.file.is_some() || mapping.shared() || mapping.is_kernels();
        self.runs.retain(|run| run.state != PageState::File);
        let taken: Vec<_> = self.runs.iter().map(|run| run.pages.clone()).collect();
        let of_files: Vec<_> = maps
            .iter()
            .filter(has_files)
            .flat_map(|mapping| other.runs_in(mapping.start.0..mapping.end.0))
            .filter(|run| run.state == PageState::File)
            .flat_map(|run| ranges::gaps(run.pages, &taken))
            .collect();
        let bytes = Bytes(ranges::total(&of_files));
        let of_files = of_files.into_iter().map(|pages| Run { pages, state: PageState::File });
        let mut runs: Vec<Run> = self.runs.drain(..).chain(of_files).collect();
        runs.sort_unstable_by_key(|run| run.pages.start);
        *self = Pages::new(runs, self.source);
        bytes
    }

    /// The runs within a range, cut to it.
    pub(crate) fn runs_in(&self, range: Range<u64>) -> impl Iterator<Item = Run> {
        let first = self.runs.partition_point(|run| run.pages.end <= range.start);
        self.runs[first..].iter().take_while(move |run| run.pages.start < range.end).map(
            move |run| Run {
                pages: run.pages.start.max(range.start)..run.pages.end.min(range.end),
                state: run.state,
            },
        )
    }

    /// How many bytes of a range are resident.
    pub(crate) fn resident(&self, range: Range<u64>) -> u64 {
        self.resident_below(range.end).saturating_sub(self.resident_below(range.start))
    }

    /// Resident bytes at addresses below `end`.
    fn resident_below(&self, end: u64) -> u64 {
        let after = self.runs.partition_point(|run| run.pages.start < end);
        let Some(last) = after.checked_sub(1) else { return 0 };
        let run = &self.runs[last];
        let part =
            if run.state.is_resident() { end.min(run.pages.end) - run.pages.start } else { 0 };
        self.before[last] + part
    }
}

fn push(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        Some(last) if last.state == run.state && last.pages.end == run.pages.start => {
            last.pages.end = run.pages.end;
        }
        _ => runs.push(run),
    }
}

// PAGE_IS_… (include/uapi/linux/fs.h): what both sources of the kernel say of a page.
const IS_FILE: u64 = 1 << 2;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
const IS_ZERO: u64 = 1 << 5;
/// Guard pages (`MADV_GUARD_INSTALL`) look swapped; kernels since 6.16 say what they are.
const IS_GUARD: u64 = 1 << 8;

/// What sort of page that is, in this mapping; `None` if there is nothing to count or to copy.
fn state(categories: u64, mapping: &Mapping) -> Option<PageState> {
    let is = |category| categories & category != 0;
    if is(IS_PRESENT) {
        return if mapping.is_huge_tlb() {
            Some(PageState::HugeTlb)
        } else if is(IS_ZERO) {
            Some(PageState::Zero)
        } else if is(IS_FILE) {
            Some(PageState::File)
        } else {
            // Shared, but no page of a file: memory of a device, which the kernel does not count.
            (!mapping.shared()).then_some(PageState::Own)
        };
    }
    (is(IS_SWAPPED) && !is(IS_GUARD)).then_some(PageState::Swapped)
}

/// `[vvar]` and `[vsyscall]` have pages, but not the process's.
fn has_pages(mapping: &Mapping) -> bool {
    !mapping.is_kernels() || mapping.name() == "[vdso]"
}

fn in_time(deadline: &Deadline) -> io::Result<()> {
    if deadline.is_over() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
}

fn scan(pagemap: &File, maps: &[Mapping], deadline: &Deadline) -> io::Result<Vec<Run>> {
    const REPORT: u64 = IS_FILE | IS_PRESENT | IS_SWAPPED | IS_ZERO;
    match scan_with(pagemap, maps, REPORT | IS_GUARD, deadline) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            scan_with(pagemap, maps, REPORT, deadline)
        }
        done => done,
    }
}

fn scan_with(
    pagemap: &File,
    maps: &[Mapping],
    report: u64,
    deadline: &Deadline,
) -> io::Result<Vec<Run>> {
    let mut found = vec![PageRegion::default(); 4096];
    let mut runs = Vec::new();
    for mapping in maps.iter().filter(|mapping| has_pages(mapping)) {
        // To tell a file's page the kernel looks into its description of each page, which costs ten
        // times the rest: 30 ms instead of 3 for a gigabyte. Private memory without a file has none.
        let anonymous = mapping.file.is_none() && !mapping.shared() && !mapping.is_kernels();
        let report = if anonymous { report & !IS_FILE } else { report };
        let mut at = mapping.start.0;
        while at < mapping.end.0 {
            in_time(deadline)?;
            let (count, walked) = sys::pagemap_scan(
                pagemap,
                at..mapping.end.0,
                IS_PRESENT | IS_SWAPPED,
                report,
                &mut found,
            )?;
            for region in found.iter().take(count) {
                if let Some(state) = state(region.categories, mapping) {
                    push(&mut runs, Run { pages: region.start..region.end, state });
                }
            }
            // The kernel gathers 512 regions at a time, and says where the last full gathering ended:
            // it may have reported more since (`do_pagemap_scan` in fs/proc/task_mmu.c).
            let told = found.iter().take(count).next_back().map_or(walked, |region| region.end);
            let next = walked.max(told);
            if next <= at {
                return Err(io::Error::other("the page scan does not advance"));
            }
            at = next;
        }
    }
    Ok(runs)
}

// Bits of a pagemap word (Documentation/admin-guide/mm/pagemap.rst).
const WORD_PRESENT: u64 = 1 << 63;
const WORD_SWAPPED: u64 = 1 << 62;
const WORD_FILE: u64 = 1 << 61;
const WORD_GUARD: u64 = 1 << 58;
/// The frame number; 0 for those without `CAP_SYS_ADMIN`.
const WORD_FRAME: u64 = (1 << 55) - 1;

/// A word in the terms of the scan.
fn categories(word: u64, zero_frames: &[Range<u64>]) -> u64 {
    let present = word & WORD_PRESENT != 0;
    let zero = present && zero_frames.iter().any(|frames| frames.contains(&(word & WORD_FRAME)));
    [
        (present, IS_PRESENT),
        (zero, IS_ZERO),
        (word & WORD_FILE != 0, IS_FILE),
        (word & WORD_SWAPPED != 0, IS_SWAPPED),
        (word & WORD_GUARD != 0, IS_GUARD),
    ]
    .into_iter()
    .filter_map(|(is, category)| is.then_some(category))
    .sum()
}

/// A reservation this large that nobody may read is not asked page by page: the words alone would
/// be megabytes (virtual machines and sanitizers reserve terabytes).
const RESERVATION: u64 = 1 << 30;

fn words(pagemap: &File, maps: &[Mapping], deadline: &Deadline) -> io::Result<Vec<Run>> {
    const CHUNK: u64 = 1 << 16;
    let zero_frames = zero_frames();
    let mut bytes = vec![0; CHUNK as usize * 8];
    let mut runs = Vec::new();
    for mapping in maps.iter().filter(|mapping| has_pages(mapping)) {
        if !mapping.readable() && mapping.len() >= RESERVATION {
            continue;
        }
        let mut page = mapping.start.0 / PAGE;
        let end = mapping.end.0 / PAGE;
        while page < end {
            in_time(deadline)?;
            let want = (end - page).min(CHUNK) as usize * 8;
            let got = pagemap.read_at(&mut bytes[..want], page * 8)?;
            if got == 0 {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            for word in bytes[..got].chunks_exact(8) {
                let word = word.try_into().map_or(0, u64::from_le_bytes);
                if let Some(state) = state(categories(word, &zero_frames), mapping) {
                    push(&mut runs, Run { pages: page * PAGE..(page + 1) * PAGE, state });
                }
                page += 1;
            }
        }
    }
    Ok(runs)
}

/// The frames that all memory shares that was read but never written: of the zero page, and of the
/// huge one. Seen on such memory of ours; none, if we may not see frames.
fn zero_frames() -> Vec<Range<u64>> {
    const HUGE: u64 = 2 << 20;
    let frame = |address: u64| -> Option<u64> {
        let mut word = [0; 8];
        let pagemap = File::open("/proc/self/pagemap").ok()?;
        pagemap.read_exact_at(&mut word, address / PAGE * 8).ok()?;
        Some(u64::from_le_bytes(word) & WORD_FRAME).filter(|&frame| frame != 0)
    };
    let mut frames = Vec::new();
    if let Ok(page) = Buffer::new(PAGE as usize) {
        std::hint::black_box(page.first().copied());
        frames.extend(frame(page.as_ptr() as u64).map(|frame| frame..frame + 1));
    }
    // Where there are no huge pages this finds the same frame once more.
    if let Ok(pages) = Buffer::new(2 * HUGE as usize) {
        let start = (pages.as_ptr() as u64).next_multiple_of(HUGE);
        std::hint::black_box(pages.get((start - pages.as_ptr() as u64) as usize).copied());
        let frame = frame(start).filter(|frame| frame % (HUGE / PAGE) == 0);
        frames.extend(frame.map(|frame| frame..frame + HUGE / PAGE));
    }
    frames
}

/// Without page facts: private mappings that hold any page of their own, whole.
fn whole_mappings(maps: &[Mapping], sums: &[MappingSums]) -> Vec<Run> {
    let mut runs = Vec::new();
    for mapping in maps.iter().filter(|mapping| !mapping.shared() && !mapping.is_kernels()) {
        let sums = sums.binary_search_by_key(&mapping.start, |sums| sums.start).map(|at| sums[at]);
        if sums.is_ok_and(|sums| sums.anonymous.0 + sums.swap.0 > 0) {
            let pages = mapping.start.0..mapping.end.0;
            push(&mut runs, Run { pages, state: PageState::Own });
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::maps;
    use crate::status::Status;

    fn facts() -> Pages {
        let run = |start: u64, end: u64, state| Run { pages: start * PAGE..end * PAGE, state };
        let runs = vec![
            run(1, 3, PageState::Own),
            run(3, 4, PageState::Zero),
            run(4, 5, PageState::File),
            run(8, 10, PageState::Swapped),
            run(10, 11, PageState::Own),
        ];
        Pages::new(runs, PageSource::Scan)
    }

    #[test]
    fn resident_bytes_of_any_range_equal_a_count_page_by_page() {
        let facts = facts();
        let resident = [1, 2, 4, 10];
        for start in 0..13 * 4 {
            for end in start..13 * 4 {
                let (start, end) = (start * PAGE / 4, end * PAGE / 4);
                let naive: u64 = resident
                    .iter()
                    .map(|page| {
                        ((page + 1) * PAGE).min(end).saturating_sub((page * PAGE).max(start))
                    })
                    .sum();
                assert_eq!(facts.resident(start..end), naive, "{start:#x}..{end:#x}");
            }
        }
    }

    #[test]
    fn runs_are_cut_to_the_range_asked_for() {
        let facts = facts();
        let cut: Vec<Run> = facts.runs_in(2 * PAGE..9 * PAGE).collect();
        assert_eq!(cut.len(), 4);
        assert_eq!(cut[0].pages, 2 * PAGE..3 * PAGE);
        assert_eq!(cut[3].pages, 8 * PAGE..9 * PAGE);
        assert_eq!(facts.runs_in(5 * PAGE..8 * PAGE).count(), 0);
        assert_eq!(facts.runs_in(0..u64::MAX).count(), 5);
    }

    /// Word by word, a readable reservation of a few terabytes takes half a minute.
    #[test]
    fn listing_ends_when_the_time_is_over() {
        let pagemap = File::open("/proc/self/pagemap").unwrap();
        let reservation = maps::parse(b"100000000000-500000000000 rw-p 00000000 00:00 0\n");
        let deadline = Deadline::start(Some(Duration::from_millis(50)));
        let error = words(&pagemap, &reservation, &deadline).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = scan(&pagemap, &reservation, &deadline).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    /// A process with pages of every sort that can be had is held by a stop signal and asked about in
    /// both ways.
    #[test]
    fn scan_and_words_agree_about_every_sort_of_page() {
        let script = "
import ctypes, mmap, os, signal, tempfile
anonymous = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
written = mmap.mmap(-1, 1 << 20, anonymous); written[:] = b'w' * len(written)
read = mmap.mmap(-1, 1 << 20, anonymous); read[4096]
huge = mmap.mmap(-1, 16 << 20, anonymous); huge.madvise(14); huge[5 << 20] = 1; huge[9 << 20]
shared = mmap.mmap(-1, 1 << 20); shared[8192] = 1
file = tempfile.TemporaryFile(); file.truncate(1 << 20)
scattered = mmap.mmap(-1, 16 << 20, anonymous); scattered.madvise(15)
for at in range(0, len(scattered), 8192): scattered[at] = 1
private = mmap.mmap(file.fileno(), 1 << 20, mmap.MAP_PRIVATE); private[4096] = 1; private[8192]
address = ctypes.addressof(ctypes.c_char.from_buffer(written))
ctypes.CDLL(None).madvise(ctypes.c_void_p(address), 8192, 102)
os.kill(os.getpid(), signal.SIGSTOP)
";
        let mut child = std::process::Command::new("python3").args(["-c", script]).spawn().unwrap();
        while Status::read(child.id()).unwrap().state != 'T' {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let pagemap = File::open(format!("/proc/{}/pagemap", child.id())).unwrap();
        let maps = maps::read(child.id()).unwrap();
        let deadline = Deadline::start(None);
        let by_word = words(&pagemap, &maps, &deadline).unwrap();
        let by_scan = scan(&pagemap, &maps, &deadline);
        child.kill().unwrap();
        child.wait().unwrap();
        let mut by_scan = match by_scan {
            Ok(by_scan) => by_scan,
            // Linux before 6.7.
            Err(error) => return assert_eq!(error.raw_os_error(), Some(libc::ENOTTY)),
        };
        let has = |state| by_scan.iter().any(|run| run.state == state);
        assert!(has(PageState::Own) && has(PageState::File) && has(PageState::Zero));
        if zero_frames().is_empty() {
            // Then the zero page looks like any other.
            for run in by_scan.iter_mut().filter(|run| run.state == PageState::Zero) {
                run.state = PageState::Own;
            }
        }
        let pages = |runs: &[Run]| -> Vec<(u64, PageState)> {
            let pages = |run: &Run| {
                run.pages.clone().step_by(PAGE as usize).zip(std::iter::repeat(run.state))
            };
            runs.iter().flat_map(pages).collect()
        };
        assert!(pages(&by_scan) == pages(&by_word));
    }
}
