//! How long a process stands still, beside what copying the same bytes costs at the least:
//! `cargo run --release -p deadweight-process --example pause -- PID [ROUNDS]`.
//!
//! Each round takes a copy, and then reads the same ranges with `process_vm_readv` alone: the same
//! number of threads, into memory that is there already. The target is not stopped for that, so a
//! target that runs makes the ratio look better than it is: give one that is idle.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::ops::Range;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use deadweight_heap::Addr;
use deadweight_process::{Limits, LiveCopy};

/// As many as the copy has.
const MOST_THREADS: usize = 4;

/// Bytes a call: the kernel takes any number, but threads share the work in pieces.
const PIECE: u64 = 8 << 20;

const HUGE_PAGE: usize = 2 << 20;

/// `IOV_MAX`.
const MOST_RANGES: usize = 1024;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(pid) = words.next().and_then(|pid| pid.parse().ok()) else {
        println!("usage: pause PID [ROUNDS]");
        return ExitCode::from(2);
    };
    let rounds = words.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(15);
    match measure(pid, rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::from(2)
        }
    }
}

fn measure(pid: u32, rounds: usize) -> Result<(), Box<dyn Error>> {
    let (mut pauses, mut reads) = (Vec::new(), Vec::new());
    let (mut bytes, mut ranges, mut threads) = (0, 0, 0);
    for _ in 0..rounds.max(1) {
        let copy = LiveCopy::take(pid, &Limits::default())?;
        let copied: Vec<Range<Addr>> = copy.copied_ranges().collect();
        pauses.push(copy.pause());
        (bytes, ranges, threads) = (copy.copied().0, copied.len(), copy.threads().len());
        drop(copy);
        reads.push(read_alone(pid, &copied)?);
    }
    let (pause, read) = (median(&mut pauses), median(&mut reads));
    println!("target    {threads} threads, {bytes} bytes in {ranges} ranges");
    println!("pause     {:.2} ms (least {:.2})", millis(pause), millis(pauses[0]));
    println!("readv     {:.2} ms (least {:.2})", millis(read), millis(reads[0]));
    println!("ratio     {:.2}", pause.as_secs_f64() / read.as_secs_f64());
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Sorts, and gives the one in the middle.
fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Reads the ranges and throws them away.
fn read_alone(pid: u32, ranges: &[Range<Addr>]) -> Result<Duration, std::io::Error> {
    let mut parts: Vec<(u64, Vec<libc::iovec>)> = vec![(0, Vec::new())];
    for range in ranges {
        let mut at = range.start.0;
        while at < range.end.0 {
            if let Some((bytes, list)) = parts.last()
                && (*bytes == PIECE || list.len() == MOST_RANGES)
            {
                parts.push((0, Vec::new()));
            }
            let Some((bytes, list)) = parts.last_mut() else { break };
            let len = (range.end.0 - at).min(PIECE - *bytes);
            list.push(libc::iovec { iov_base: at as *mut libc::c_void, iov_len: len as usize });
            *bytes += len;
            at += len;
        }
    }
    let count = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let total: u64 = parts.iter().map(|(bytes, _)| bytes).sum();
    // As good as the copy's own: huge pages where there are any, and all there before the clock starts.
    let mut room = vec![0_u8; total as usize + HUGE_PAGE];
    let skip = room.as_ptr().align_offset(HUGE_PAGE);
    let room = &mut room[skip..];
    // SAFETY: the range is within the slice that is borrowed mutably, and the advice changes no contents.
    unsafe { libc::madvise(room.as_mut_ptr().cast(), room.len(), libc::MADV_HUGEPAGE) };
    room.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
    let mut shares: Vec<Vec<(usize, &mut [u8])>> = (0..count).map(|_| Vec::new()).collect();
    let mut rest = room;
    for (number, (bytes, _)) in parts.iter().enumerate() {
        let (part, tail) = rest.split_at_mut(*bytes as usize);
        rest = tail;
        shares[number % count].push((number, part));
    }
    let lists: Vec<Vec<(usize, usize)>> = parts
        .iter()
        .map(|(_, list)| list.iter().map(|it| (it.iov_base as usize, it.iov_len)).collect())
        .collect();
    let since = Instant::now();
    thread::scope(|scope| {
        let readers: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(|| read_share(pid, share, &lists)))
            .collect();
        let join = |reader: thread::ScopedJoinHandle<'_, std::io::Result<()>>| {
            reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        readers.into_iter().try_for_each(join)
    })?;
    Ok(since.elapsed())
}

fn read_share(
    pid: u32,
    share: Vec<(usize, &mut [u8])>,
    lists: &[Vec<(usize, usize)>],
) -> std::io::Result<()> {
    for (number, into) in share {
        let from: Vec<libc::iovec> = lists[number]
            .iter()
            .map(|&(at, len)| libc::iovec { iov_base: at as *mut libc::c_void, iov_len: len })
            .collect();
        let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
        // SAFETY: the kernel writes at most `iov_len` bytes to `into`, which is borrowed mutably; the
        // other addresses are only followed in the other process.
        let got = unsafe {
            let remote = from.as_ptr();
            libc::process_vm_readv(
                pid.cast_signed(),
                &raw const local,
                1,
                remote,
                from.len() as u64,
                0,
            )
        };
        if got == -1 {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(())
}
