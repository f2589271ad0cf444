//! The calls of the operating system that std does not offer, each behind a safe function.
//!
//! The only file with `unsafe`. A function here does one call, checks its result, and decides nothing.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut, Range};
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libc::{c_int, c_long, c_void, pid_t};

/// The most ranges one call of `process_vm_readv` takes (`IOV_MAX`, `include/uapi/linux/uio.h`).
pub(crate) const MAX_RANGES: usize = 1024;

fn check(result: c_long) -> io::Result<c_long> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Whether a process exists, whether or not we may signal it.
pub(crate) fn process_exists(pid: u32) -> bool {
    // Zero and negative numbers mean groups of processes.
    let Ok(pid @ 1..) = pid_t::try_from(pid) else { return false };
    // SAFETY: signal 0 is only a question; no memory is involved.
    let result = unsafe { libc::kill(pid, 0) };
    result == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

/// Makes the calling thread the tracer of a thread, without stopping it.
pub(crate) fn ptrace_seize(tid: u32) -> io::Result<()> {
    // SAFETY: takes no pointers: address and options are zero.
    check(unsafe { libc::ptrace(libc::PTRACE_SEIZE, tid as pid_t, 0_usize, 0_usize) }).map(drop)
}

/// Asks a seized thread to stop.
pub(crate) fn ptrace_interrupt(tid: u32) -> io::Result<()> {
    // SAFETY: takes no pointers.
    check(unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, tid as pid_t, 0_usize, 0_usize) }).map(drop)
}

/// Lets a stopped thread go on, and delivers `signal` to it unless that is 0.
pub(crate) fn ptrace_detach(tid: u32, signal: i32) -> io::Result<()> {
    // SAFETY: takes no pointers: the last argument is a signal number.
    check(unsafe { libc::ptrace(libc::PTRACE_DETACH, tid as pid_t, 0_usize, signal as usize) })
        .map(drop)
}

/// The general registers of a stopped thread.
pub(crate) fn ptrace_registers(tid: u32) -> io::Result<libc::user_regs_struct> {
    // SAFETY: `user_regs_struct` is plain integers, for which zero bytes are a value.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    // SAFETY: PTRACE_GETREGS writes one `user_regs_struct` to its last argument, which points to one
    // that we own.
    check(unsafe {
        libc::ptrace(libc::PTRACE_GETREGS, tid as pid_t, 0_usize, ptr::from_mut(&mut registers))
    })?;
    Ok(registers)
}

/// What has become of a seized thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It stands still: the signal and the ptrace event that stopped it (`signal | event << 8`).
    Stopped(i32),
    /// It has ended.
    Ended,
}

/// What has become of a thread, without waiting; `None` if nothing yet. The news is only looked at,
/// unless it is to be taken: the kernel keeps what is left of a thread that ended until then.
pub(crate) fn poll_thread(tid: u32, take: bool) -> io::Result<Option<Change>> {
    let keep = if take { 0 } else { libc::WNOWAIT };
    let options = libc::WEXITED | libc::WSTOPPED | libc::WNOHANG | libc::__WALL | keep;
    // SAFETY: `siginfo_t` is plain integers and unions of them, for which zero bytes are a value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: waitid writes one `siginfo_t` to its third argument, which points to one that we own.
    check(unsafe { libc::waitid(libc::P_PID, tid, ptr::from_mut(&mut info), options) }.into())?;
    // SAFETY: after a successful waitid these fields of the union are the ones that are set; with
    // WNOHANG and no change they are the zeros from above.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    Ok(match (pid, info.si_code) {
        (0, _) => None,
        (_, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED) => Some(Change::Ended),
        _ => Some(Change::Stopped(status)),
    })
}

/// Copies ranges of another process, one after the other, into `into`. Says how many bytes it got:
/// it ends at the first page that cannot be read.
pub(crate) fn read_remote(pid: u32, from: &[Range<u64>], into: &mut [u8]) -> io::Result<usize> {
    let remote: Vec<libc::iovec> = from
        .iter()
        .map(|range| libc::iovec {
            iov_base: range.start as *mut c_void,
            iov_len: range.end.saturating_sub(range.start) as usize,
        })
        .collect();
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    // SAFETY: the kernel writes at most `local.iov_len` bytes to `into`, which we borrow mutably. The
    // remote addresses are only followed in the other process.
    let copied = check(unsafe {
        libc::process_vm_readv(
            pid as pid_t,
            &raw const local,
            1,
            remote.as_ptr(),
            remote.len() as u64,
            0,
        )
    } as c_long)?;
    Ok(copied as usize)
}

/// One run of pages of the same sort (`struct page_region`, `include/uapi/linux/fs.h`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PageRegion {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) categories: u64,
}

/// `struct pm_scan_arg` (`include/uapi/linux/fs.h`, Linux 6.7).
#[repr(C)]
#[derive(Default)]
struct PmScanArg {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: u64 = 0xc000_0000 | (size_of::<PmScanArg>() as u64) << 16 | 0x66 << 8 | 16;

/// Lists the pages of `range` that are in any of the categories `any_of`, with those of `report`, as
/// runs in `into`. Gives the number of runs and the address it got to.
pub(crate) fn pagemap_scan(
    pagemap: &File,
    range: Range<u64>,
    any_of: u64,
    report: u64,
    into: &mut [PageRegion],
) -> io::Result<(usize, u64)> {
    let mut arg = PmScanArg {
        size: size_of::<PmScanArg>() as u64,
        start: range.start,
        end: range.end,
        vec: into.as_mut_ptr() as u64,
        vec_len: into.len() as u64,
        category_anyof_mask: any_of,
        return_mask: report,
        ..PmScanArg::default()
    };
    // SAFETY: the request takes one `pm_scan_arg`, which we own; the kernel writes at most `vec_len`
    // regions to `vec`, which is the slice we borrow mutably.
    let runs =
        check(unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN, &raw mut arg) }.into())?;
    Ok((runs as usize, arg.walk_end))
}

/// Memory of our own to copy into: anonymous, in huge pages where there are any, left out of core
/// dumps (it holds another program's secrets), and not there in children: a clone that is made of us
/// meanwhile is read without it.
#[derive(Debug)]
pub(crate) struct Buffer {
    start: *mut u8,
    len: usize,
}

// SAFETY: the mapping belongs to this value alone and is not bound to a thread.
unsafe impl Send for Buffer {}
// SAFETY: a shared reference only gives shared slices.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Reserves `len` zero bytes; none takes memory before it is written or [made ready](prefault).
    pub(crate) fn new(len: usize) -> io::Result<Buffer> {
        let len = len.max(1);
        // SAFETY: a new anonymous mapping at an address that the kernel chooses; no memory that is in
        // use is touched.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let buffer = Buffer { start: start.cast(), len };
        // These are wishes: a kernel that does not know them costs speed or tidiness only.
        buffer.advise(libc::MADV_HUGEPAGE);
        buffer.advise(libc::MADV_DONTDUMP);
        buffer.advise(libc::MADV_DONTFORK);
        Ok(buffer)
    }

    /// Gives back everything after the first `len` bytes, in whole pages. One page stays in any case.
    pub(crate) fn truncate(&mut self, len: usize) {
        let keep = len.max(1).next_multiple_of(crate::PAGE as usize);
        if keep < self.len {
            // SAFETY: the range is the tail of our own mapping, page-aligned; `len` is lowered below,
            // and `&mut self` shows that no slice of it is alive.
            let result = unsafe { libc::munmap(self.start.add(keep).cast(), self.len - keep) };
            if result == 0 {
                self.len = keep;
            }
        }
    }

    /// Its addresses.
    pub(crate) fn range(&self) -> Range<u64> {
        let start = self.start as u64;
        start..start + self.len as u64
    }

    fn advise(&self, advice: c_int) -> bool {
        // SAFETY: the range is our own mapping, and none of the advices used here changes contents.
        unsafe { libc::madvise(self.start.cast(), self.len, advice) == 0 }
    }
}

impl Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: `start` is a live mapping of at least `len` initialised bytes until drop.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` makes the slice unique.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly our own mapping, of which no reference can be alive.
        unsafe { libc::munmap(self.start.cast(), self.len) };
    }
}

/// Gives every page of some memory of our own its frame now, so that no page fault falls into the
/// pause. What is in it stays.
pub(crate) fn prefault(memory: &mut [u8]) {
    // SAFETY: the range is within the slice that we borrow mutably (the kernel takes in all pages that
    // it touches), and the advice changes no contents.
    let result = unsafe {
        libc::madvise(memory.as_mut_ptr().cast(), memory.len(), libc::MADV_POPULATE_WRITE)
    };
    if result != 0 {
        // Linux before 5.14, or memory that does not begin at a page.
        for byte in memory.iter_mut().step_by(crate::PAGE as usize) {
            let byte = ptr::from_mut(byte);
            // SAFETY: a read and a write through a valid unique reference; volatile so that they are
            // not removed.
            unsafe { byte.write_volatile(byte.read_volatile()) };
        }
    }
}

/// How often each signal was caught; the index is its number.
static CAUGHT: [AtomicU32; 32] = [const { AtomicU32::new(0) }; 32];

extern "C" fn count_signal(signal: c_int) {
    // An atomic addition is all that is done here: it is safe inside a signal handler.
    if let Some(count) = CAUGHT.get(signal as usize) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a signal did before it was caught.
#[derive(Clone, Copy)]
pub(crate) struct Disposition(libc::sigaction);

impl Disposition {
    /// Whether it did nothing, as `nohup` has it.
    pub(crate) fn is_ignored(&self) -> bool {
        self.0.sa_sigaction == libc::SIG_IGN
    }
}

/// Catches a signal from now on: it is counted instead of ending us.
pub(crate) fn catch_signal(signal: c_int) -> io::Result<Disposition> {
    // SAFETY: `sigaction` is plain data, for which zero bytes are a value (no flags, empty mask).
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = count_signal as *const () as usize;
    action.sa_flags = libc::SA_RESTART;
    let mut before = Disposition(action);
    // SAFETY: `action` is complete, and its handler does only what is allowed in a handler. What was
    // before is written to a `sigaction` that we own.
    check(unsafe { libc::sigaction(signal, &raw const action, &raw mut before.0) }.into())?;
    Ok(before)
}

/// Has a signal do again what it did.
pub(crate) fn restore_signal(signal: c_int, to: Disposition) {
    // SAFETY: the kernel gave us this `sigaction`. It takes back what it gave.
    unsafe { libc::sigaction(signal, &raw const to.0, ptr::null_mut()) };
}

/// How often a signal was caught.
pub(crate) fn signals_caught(signal: c_int) -> u32 {
    CAUGHT.get(signal as usize).map_or(0, |count| count.load(Ordering::Relaxed))
}

/// Processor time (user and system) and the largest resident size in bytes of this process.
pub(crate) fn own_usage() -> (Duration, u64) {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage writes one `rusage` to where the pointer leads; all-zero bytes are a valid
    // one, should it fail.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |time: libc::timeval| {
        Duration::new(time.tv_sec.cast_unsigned(), time.tv_usec as u32 * 1000)
    };
    // Linux counts ru_maxrss in KiB.
    (time(usage.ru_utime) + time(usage.ru_stime), usage.ru_maxrss.cast_unsigned() * 1024)
}

/// Asks the processor to have a byte of memory ready soon. Only a hint: it cannot fail.
#[inline]
pub(crate) fn prefetch(byte: &u8) {
    prefetch_at(ptr::from_ref(byte) as u64);
}

/// The same by address, whether there is anything or not.
#[inline]
pub(crate) fn prefetch_at(addr: u64) {
    // SAFETY: every x86-64 processor has the instruction (SSE), and it never faults, wherever the
    // address leads.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(addr as *const i8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signal that nobody else here uses, and that does nothing if it is not caught.
    const SIGNAL: c_int = libc::SIGURG;

    #[test]
    fn a_signal_is_caught_until_it_is_restored() {
        let raise = || {
            // SAFETY: sends a signal to this thread; no memory is involved.
            unsafe { libc::raise(SIGNAL) };
            signals_caught(SIGNAL)
        };
        assert_eq!(raise(), 0);
        let before = catch_signal(SIGNAL).unwrap();
        assert!(!before.is_ignored());
        assert_eq!(raise(), 1);
        restore_signal(SIGNAL, before);
        assert_eq!(raise(), 1);
    }
}
