//! Taking a copy: look, make room, stop, list, copy, let go, and put together what was learnt.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use deadweight_heap::{Addr, Bytes};

use crate::areas::{Area, AreaKind, areas};
use crate::contents::{Contents, Piece, Source};
use crate::copy::{MAX_THREADS, Route, copy};
use crate::deadline::{Deadline, Stage};
use crate::elf;
use crate::error::Error;
use crate::files::MappedFiles;
use crate::frozen::Unclonable;
use crate::headroom::Headroom;
use crate::images::{self, PartKind};
use crate::live::LiveCopy;
use crate::maps::{self, Mapping};
use crate::memory::{Region, RegionKind};
use crate::pages::{PageSource, PageState, Pages};
use crate::pause::{Thread, has_ended, threads_of, while_stopped};
use crate::permission::diagnose;
use crate::plan::{makes_resident, plan};
use crate::ranges;
use crate::smaps::Rollup;
use crate::status::{Status, is_kernel_thread};
use crate::sys::{self, Buffer};

/// What taking a copy may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The longest the target may stand still. What takes longer is given up, and the target let go.
    pub max_pause: Option<Duration>,
    /// The most memory the copy may take, beside what the machine, our control groups and `ulimit`
    /// allow.
    pub max_copy: Option<Bytes>,
}

impl LiveCopy {
    /// Stops a process, copies its memory, and lets it go on.
    ///
    /// `pid` can also be the number of one of its threads.
    ///
    /// # Errors
    ///
    /// If it cannot be looked at, is not an x86-64 program, does not fit into memory, takes longer than
    /// allowed, or ends meanwhile. In every case it goes on as it was, and [`Error::hint`] says what to do.
    pub fn take(pid: u32, limits: &Limits) -> Result<LiveCopy, Error> {
        let pid = process_of(pid)?;
        let program = Program::of(pid)?;

        let mut files = MappedFiles::default();
        let mut spares = SPARES.into_iter().peekable();
        let mut paused = Duration::ZERO;
        loop {
            let spare = spares.next().unwrap_or_default();
            let mut buffer = prepare(pid, spare, limits, &mut files)?;
            let may_retry = spares.peek().is_some();
            let (frozen, pause) = while_stopped(pid, limits.max_pause, |threads, deadline| {
                let listing = list(pid, &files, deadline)?;
                let needs = ranges::total(&listing.plan);
                if needs > buffer.len() as u64 {
                    if may_retry {
                        return Ok(None);
                    }
                    // Slower, because none of it is made ready.
                    buffer.truncate(0);
                    buffer = make_room(pid, Bytes(needs), limits)?;
                }
                copy_listed(pid, Route::Call, threads, listing, &mut buffer, deadline).map(Some)
            })?;
            paused += pause;
            if let Some(frozen) = frozen {
                files.open(pid, &frozen.maps);
                return Ok(assemble(pid, program, paused, buffer, frozen, &files));
            }
        }
    }
}

/// A copy of ourselves as we are, while we stand still.
pub(crate) fn of_ourselves(
    route: Route<'_>,
    threads: &[Thread],
    limits: &Limits,
) -> Result<LiveCopy, Error> {
    let us = std::process::id();
    let (program, mut files) = ourselves(us)?;
    let deadline = Deadline::start(limits.max_pause);
    let listing = list(us, &files, &deadline)?;
    let mut buffer = make_room(us, Bytes(ranges::total(&listing.plan)), limits)?;
    // The copy is no part of what is copied. Listed again, for it may have grown meanwhile.
    let mut listing = list(us, &files, &deadline)?;
    let own = [buffer.range()];
    listing.plan = listing.plan.into_iter().flat_map(|range| ranges::gaps(range, &own)).collect();
    if ranges::total(&listing.plan) > buffer.len() as u64 {
        buffer = make_room(us, Bytes(ranges::total(&listing.plan)), limits)?;
    }
    // Nor of the sums, which are read before it is there.
    let rollup = listing.sums();
    let mut frozen = copy_listed(us, route, threads, listing, &mut buffer, &deadline)?;
    frozen.rollup = rollup;
    files.open(us, &frozen.maps);
    Ok(assemble(us, program, deadline.elapsed(), buffer, frozen, &files))
}

/// A copy of ourselves from `clone`, which stands still. `paused` is how long we did for that.
pub(crate) fn of_clone(
    clone: u32,
    route: Route<'_>,
    threads: &[Thread],
    paused: Duration,
    unclonable: &Unclonable,
    limits: &Limits,
) -> Result<LiveCopy, Error> {
    let us = std::process::id();
    let (program, mut files) = ourselves(us)?;
    let deadline = Deadline::start(limits.max_pause);
    let listing = list(clone, &files, &deadline)?;
    let mut buffer = make_room(us, Bytes(ranges::total(&listing.plan)), limits)?;
    let mut frozen = copy_listed(clone, route, threads, listing, &mut buffer, &deadline)?;
    // Where whole mappings are all that is known of pages, their sums stay the clone's.
    if frozen.pages.source != PageSource::Mappings {
        let files = frozen.pages.take_files_of(&unclonable.pages, &frozen.maps);
        frozen.rollup = frozen.rollup.map(|sums| Rollup { rss: sums.anonymous + files, ..sums });
    }
    if let (Some(sums), Some(ours)) = (&mut frozen.rollup, unclonable.rollup) {
        // Of a moment before: of what the clone has the kernel says that two have it.
        (sums.pss, sums.uss) = (ours.pss, ours.uss);
    }
    files.open(us, &frozen.maps);
    Ok(assemble(us, program, paused, buffer, frozen, &files))
}

fn ourselves(us: u32) -> Result<(Program, MappedFiles), Error> {
    let program = Program::of(us)?;
    let mut files = MappedFiles::default();
    files.open(us, &maps::read(us).map_err(|source| failure(us, "read the map of", source))?);
    Ok((program, files))
}

/// Room for growth between the first look and the stop, in sixteenths of what is there. A process that
/// has outgrown it is let go, and stopped again when there is more room: memory that is only made
/// ready while it stands still can take seconds.
const SPARES: [u64; 3] = [1, 4, 8];

/// The process a thread is of, if it is one that can be looked at.
fn process_of(pid: u32) -> Result<u32, Error> {
    let status = match Status::read(pid) {
        Ok(status) => status,
        // Hidden from us (`hidepid`), but there.
        Err(_) if sys::process_exists(pid) => {
            return Err(Error::NotPermitted { pid, denial: diagnose(pid) });
        }
        Err(_) => return Err(Error::NoSuchProcess { pid }),
    };
    if status.tgid != pid {
        return process_of(status.tgid);
    }
    if pid == std::process::id() {
        return Err(Error::Itself { pid });
    }
    if is_kernel_thread(pid).unwrap_or(false) {
        return Err(Error::KernelThread { pid });
    }
    if status.is_zombie() {
        let runs_on = threads_of(pid).is_ok_and(|tids| tids.into_iter().any(|tid| !has_ended(tid)));
        return Err(if runs_on { Error::MainThreadEnded { pid } } else { Error::Zombie { pid } });
    }
    if status.tracer != 0 {
        return Err(Error::NotPermitted { pid, denial: diagnose(pid) });
    }
    Ok(pid)
}

/// What is known of a program before it is stopped.
struct Program {
    path: String,
    command: Vec<String>,
    /// The number of its file.
    inode: Option<u64>,
}

impl Program {
    fn of(pid: u32) -> Result<Program, Error> {
        let exe = format!("/proc/{pid}/exe");
        let path = std::fs::read_link(&exe)
            .map_err(|source| failure(pid, "find the program of", source))?
            .to_string_lossy()
            .into_owned();
        let file = File::open(&exe).ok();
        if let Some(what) = file.as_ref().and_then(elf::foreign) {
            return Err(Error::ForeignProgram { pid, what });
        }
        let inode = file.and_then(|file| file.metadata().ok()).map(|data| data.ino());
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = command.strip_suffix(b"\0").unwrap_or(&command);
        Ok(Program {
            path: path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned(),
            command: command
                .split(|&byte| byte == 0)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect(),
            inode,
        })
    }
}

/// Room for what the process has now, and for `spare` sixteenths of that more.
fn prepare(
    pid: u32,
    spare: u64,
    limits: &Limits,
    files: &mut MappedFiles,
) -> Result<Buffer, Error> {
    let maps = maps::read(pid).map_err(|source| failure(pid, "read the map of", source))?;
    files.open(pid, &maps);
    let pages = Pages::read(pid, &maps, &Deadline::start(None))
        .map_err(|source| failure(pid, "list the pages of", source))?;
    let needs = ranges::total(&plan(&maps, &pages, files));
    let mut buffer = make_room(pid, Bytes(needs + needs / 16 * spare + (1 << 20)), limits)?;
    prefault(&mut buffer);
    Ok(buffer)
}

/// The work is shared out in multiples of this, so that no huge page is cut.
const HUGE_PAGE: usize = 2 << 20;

/// With several threads: the kernel has to clear each page.
fn prefault(buffer: &mut [u8]) {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let part = buffer.len().div_ceil(threads).next_multiple_of(HUGE_PAGE);
    let parts = Mutex::new(buffer.chunks_mut(part));
    let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some(part) = next() {
            sys::prefault(part);
        }
    };
    thread::scope(|scope| {
        // Where there may be no more threads, this one does all the work.
        let another = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let _others: Vec<_> = (1..threads).map_while(another).collect();
        work();
    });
}

fn make_room(pid: u32, needs: Bytes, limits: &Limits) -> Result<Buffer, Error> {
    Headroom::now(limits.max_copy).check(pid, needs)?;
    Buffer::new(needs.0 as usize)
        .map_err(|source| Error::Io { what: format!("reserve {} bytes", needs.0), source })
}

/// What is there while the process stands still.
struct Listing {
    maps: Vec<Mapping>,
    pages: Pages,
    plan: Vec<Range<u64>>,
    /// The kernel's sums cost it a walk over all pages, which is made beside everything else. If we
    /// give up, nobody waits for them.
    rollup: Option<JoinHandle<Option<Rollup>>>,
}

impl Listing {
    fn sums(&mut self) -> Option<Rollup> {
        self.rollup.take()?.join().unwrap_or_default()
    }
}

fn list(pid: u32, files: &MappedFiles, deadline: &Deadline) -> Result<Listing, Error> {
    // Where there may be no more threads, the sums are done without.
    let rollup = thread::Builder::new().spawn(move || Rollup::read(pid).ok()).ok();
    let maps = maps::read(pid).map_err(|source| failure(pid, "read the map of", source))?;
    if maps.is_empty() {
        return Err(Error::Ended { pid });
    }
    let pages = Pages::read(pid, &maps, deadline);
    deadline.check(Stage::Listing)?;
    let pages = pages.map_err(|source| failure(pid, "list the pages of", source))?;
    let plan = plan(&maps, &pages, files);
    Ok(Listing { maps, pages, plan, rollup })
}

/// What was learnt while the process stood still.
struct Frozen {
    threads: Vec<Thread>,
    maps: Vec<Mapping>,
    pages: Pages,
    rollup: Option<Rollup>,
    plan: Vec<Range<u64>>,
    vanished: Vec<Range<u64>>,
}

fn copy_listed(
    pid: u32,
    route: Route<'_>,
    threads: &[Thread],
    mut listing: Listing,
    into: &mut [u8],
    deadline: &Deadline,
) -> Result<Frozen, Error> {
    let (rollup, vanished) = if makes_resident(&listing.plan, &listing.pages) {
        // Then the sums come first.
        (listing.sums(), copy(pid, route, &listing.plan, into, deadline)?)
    } else {
        let vanished = copy(pid, route, &listing.plan, into, deadline)?;
        (listing.sums(), vanished)
    };
    let Listing { maps, pages, plan, .. } = listing;
    Ok(Frozen { threads: threads.to_vec(), maps, pages, rollup, plan, vanished })
}

/// Puts the copy together; the process goes on meanwhile.
fn assemble(
    pid: u32,
    program: Program,
    pause: Duration,
    mut buffer: Buffer,
    frozen: Frozen,
    files: &MappedFiles,
) -> LiveCopy {
    let Frozen { mut threads, maps, pages, rollup, plan, vanished } = frozen;
    buffer.truncate(ranges::total(&plan) as usize);
    threads.sort_by_key(|thread| (thread.tid != pid, thread.tid));
    let images = images::find(&maps, files, program.inode);
    let areas = areas(&maps, &pages, &images, &threads);
    let (pieces, open) = pieces(&maps, &areas, files, &plan, &vanished);
    let regions = regions(&maps, &areas, &pages, &pieces);
    let vanished = Bytes(ranges::total(&vanished));
    LiveCopy {
        pid,
        command: program.command,
        program: program.path,
        pause,
        copied: Bytes(ranges::total(&plan)) - vanished,
        vanished,
        threads,
        rollup,
        regions,
        contents: Contents::new(buffer, pieces, open),
        maps,
        pages,
        images,
        areas,
    }
}

/// Where the bytes of each address are, and the files among that.
fn pieces(
    maps: &[Mapping],
    areas: &[Area],
    files: &MappedFiles,
    plan: &[Range<u64>],
    vanished: &[Range<u64>],
) -> (Vec<Piece>, Vec<Arc<File>>) {
    let mut pieces = Vec::new();
    let mut offset = 0;
    for range in plan {
        for part in ranges::gaps(range.clone(), vanished) {
            let source = Source::Copied(offset + (part.start - range.start) as usize);
            pieces.push(Piece { range: part, source });
        }
        offset += (range.end - range.start) as usize;
    }
    // What was planned but vanished is in neither: the file would show another content.
    let mut open: Vec<Arc<File>> = Vec::new();
    for mapping in maps.iter().filter(|mapping| !mapping.shared() && mapping.readable()) {
        let Some(file) = files.of(mapping) else { continue };
        let number = open.iter().position(|other| Arc::ptr_eq(other, file)).unwrap_or_else(|| {
            open.push(Arc::clone(file));
            open.len() - 1
        });
        for part in ranges::gaps(mapping.start.0..mapping.end.0, plan) {
            let offset = mapping.offset.saturating_add(part.start - mapping.start.0);
            pieces.push(Piece { range: part, source: Source::File(number as u32, offset) });
        }
    }
    for area in areas.iter().filter(|area| is_static_zeros(area, maps)) {
        for part in ranges::gaps(area.start.0..area.end.0, plan) {
            pieces.push(Piece { range: part, source: Source::Zeros });
        }
    }
    pieces.sort_by_key(|piece| piece.range.start);
    (pieces, open)
}

/// Zero-initialised data of an image, as far as it has no file.
fn is_static_zeros(area: &Area, maps: &[Mapping]) -> bool {
    matches!(area.kind, AreaKind::ImageData(_, PartKind::Bss))
        && maps
            .get(area.mapping as usize)
            .is_some_and(|mapping| mapping.file.is_none() && mapping.readable())
}

/// Where objects can live.
fn regions(maps: &[Mapping], areas: &[Area], pages: &Pages, pieces: &[Piece]) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    for area in areas {
        let kind = match area.kind {
            AreaKind::ImageData(image, _) => RegionKind::Image(image),
            AreaKind::Heap | AreaKind::Stack(_) | AreaKind::Anonymous | AreaKind::File => {
                RegionKind::Anonymous
            }
            AreaKind::Code(_) | AreaKind::Shared | AreaKind::SharedMemory | AreaKind::Kernel => {
                continue;
            }
        };
        // Of a file that could not be opened, code and constants were copied too.
        let own_only = area.kind == AreaKind::File
            && maps.get(area.mapping as usize).is_some_and(|mapping| !mapping.writable());
        let first = pieces.partition_point(|piece| piece.range.end <= area.start.0);
        for piece in pieces[first..].iter().take_while(|piece| piece.range.start < area.end.0) {
            let range = piece.range.start.max(area.start.0)..piece.range.end.min(area.end.0);
            match (piece.source, kind) {
                (Source::Copied(_), _) if own_only => {
                    for run in pages.runs_in(range).filter(|run| run.state != PageState::File) {
                        push_region(&mut regions, run.pages, kind);
                    }
                }
                (Source::Copied(_), _) | (Source::File(..), RegionKind::Image(_)) => {
                    push_region(&mut regions, range, kind);
                }
                (Source::File(..), RegionKind::Anonymous) | (Source::Zeros, _) => {}
            }
        }
    }
    regions
}

/// Neighbours of one kind are one region.
fn push_region(regions: &mut Vec<Region>, range: Range<u64>, kind: RegionKind) {
    match regions.last_mut() {
        Some(last) if last.kind == kind && last.end.0 == range.start => last.end = Addr(range.end),
        _ => regions.push(Region { start: Addr(range.start), end: Addr(range.end), kind }),
    }
}

/// A file in `/proc/PID` could not be read: what that means.
fn failure(pid: u32, what: &str, source: io::Error) -> Error {
    match source.raw_os_error() {
        Some(libc::EACCES | libc::EPERM) => Error::NotPermitted { pid, denial: diagnose(pid) },
        // On its way out a process has no memory any more, but is not yet a zombie.
        Some(libc::ENOENT | libc::ESRCH) => Error::Ended { pid },
        _ if has_ended(pid) => Error::Ended { pid },
        _ => Error::Io { what: format!("{what} process {pid}"), source },
    }
}
