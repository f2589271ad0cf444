//! Our own memory, while we run: for a Python program that weighs itself.
//!
//! Two ways to read it. [`Checked`] bears any address: the kernel reads, and says so if there is
//! nothing. [`Trusted`] reads as any code reads its own memory, for what is known to be there: the
//! objects that live references lead to while the interpreter's lock is held, which nobody changes
//! meanwhile, so that it need not copy them.

use std::cell::OnceCell;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;
use std::ptr;

use deadweight_cpython::{Refusal, Runtime, Scale, Symbols};
use deadweight_heap::Addr;
use libc::{c_void, iovec};

use crate::PAGE;
use crate::files::MappedFiles;
use crate::images;
use crate::maps;
use crate::memory::{Memory, Region, RegionKind};
use crate::pause::Registers;

/// Why this program's own objects cannot be weighed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnError {
    /// The interpreter is none we know.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No interpreter is to be found.
    #[error("the interpreter of this program does not export what deadweight needs (`{0}`)")]
    NoSymbol(&'static str),
    /// The kernel does not let us read our own memory or its map.
    #[error("cannot read this program's own memory")]
    Unreadable(#[from] io::Error),
}

/// The interpreter we run in, recognised.
#[derive(Debug)]
pub struct Own {
    /// For its objects.
    pub scale: Scale,
    /// How many libraries had been loaded.
    libraries: u64,
}

impl Own {
    /// Recognises the interpreter we run in. `version` is what it calls itself, such as `3.12.1`.
    ///
    /// # Errors
    /// If it is none we know, or its memory cannot be read.
    pub fn attach(version: &str) -> Result<Own, OwnError> {
        let symbols = Symbols {
            runtime: symbol(c"_PyRuntime").ok_or(OwnError::NoSymbol("_PyRuntime"))?,
            type_type: symbol(c"PyType_Type").ok_or(OwnError::NoSymbol("PyType_Type"))?,
            version: symbol(c"Py_Version"),
            version_text: Some(version.to_owned()),
            debug_build: symbol(c"_Py_NegativeRefcount").is_some(),
        };
        let libraries = libraries();
        let memory = Checked::with_regions()?;
        let runtime = Runtime::attach(&memory, &symbols)?;
        Ok(Own { scale: Scale::new(&memory, runtime), libraries })
    }

    /// Whether no library was loaded since: the scale knows static objects by where libraries lie.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.libraries == libraries()
    }
}

/// How many libraries were ever loaded into this program.
fn libraries() -> u64 {
    unsafe extern "C" fn note(
        info: *mut libc::dl_phdr_info,
        _: libc::size_t,
        adds: *mut c_void,
    ) -> libc::c_int {
        // SAFETY: `dl_iterate_phdr` gives a struct that is filled, and the pointer we gave it.
        unsafe { *adds.cast::<u64>() = (*info).dlpi_adds };
        // It is the same for all of them: the first will do.
        1
    }
    let mut adds = 0_u64;
    // SAFETY: `note` does not outlive the call, and writes one `u64`, which `adds` is.
    unsafe { libc::dl_iterate_phdr(Some(note), ptr::from_mut(&mut adds).cast()) };
    adds
}

/// The address of a symbol of this program, among those its libraries export to each other.
fn symbol(name: &CStr) -> Option<Addr> {
    // SAFETY: `name` is a NUL-terminated string; the result is only an address here.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(Addr(found as u64))
}

/// Our own memory at any address: what is not there reads as `None`.
///
/// Good for the process it was made in: a child of `fork` makes its own.
#[derive(Debug, Default)]
pub struct Checked {
    /// Where a seccomp filter forbids `process_vm_readv`: opened when that is met with; `None` inside if it
    /// cannot be opened either.
    file: OnceCell<Option<File>>,
    regions: Vec<Region>,
}

/// Longer reads are asked for in pieces of the decoders; a length beyond this is damage.
const LONGEST: usize = 1 << 30;

impl Checked {
    /// With the regions in which objects can live; [`Checked::default`] knows none.
    ///
    /// # Errors
    /// If the memory map cannot be read.
    pub fn with_regions() -> io::Result<Checked> {
        Ok(Checked { regions: regions()?, ..Checked::default() })
    }

    fn read(&self, addr: Addr, into: &mut [u8]) -> Option<()> {
        if self.file.get().is_none() {
            match read_own(addr, into) {
                Ok(()) => return Some(()),
                // There is nothing at that address.
                Err(error) if error.raw_os_error() == Some(libc::EFAULT) => return None,
                Err(_) => {}
            }
        }
        let file = self.file.get_or_init(|| File::open("/proc/self/mem").ok()).as_ref()?;
        file.read_exact_at(into, addr.0).ok()
    }
}

impl Memory for Checked {
    fn bytes<'a>(&'a self, addr: Addr, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        if len > LONGEST {
            return None;
        }
        scratch.clear();
        // A length may be damage: the last byte is asked for before anything is reserved.
        if len as u64 > PAGE {
            self.read(addr + (len as u64 - 1), &mut [0])?;
        }
        scratch.resize(len, 0);
        self.read(addr, scratch)?;
        Some(scratch)
    }

    fn array<const N: usize>(&self, addr: Addr) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.read(addr, &mut bytes)?;
        Some(bytes)
    }

    fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// By the last byte: to read our map for each question would take longer than all the rest of it.
    fn is_mapped(&self, start: Addr, len: u64) -> bool {
        let last = start.0.checked_add(len.saturating_sub(1));
        last.is_some_and(|last| self.read(Addr(last), &mut [0]).is_some())
    }
}

/// Copies our own memory by a call that cannot fault: EFAULT unless all of it is there.
fn read_own(addr: Addr, into: &mut [u8]) -> io::Result<()> {
    let local = iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = iovec { iov_base: addr.0 as *mut c_void, iov_len: into.len() };
    // SAFETY: the kernel writes at most `iov_len` bytes to `into`, which we borrow mutably; it follows
    // the remote address itself, and answers EFAULT where there is nothing. `getpid` cannot fail.
    let copied = unsafe {
        libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0)
    };
    match usize::try_from(copied) {
        Ok(copied) if copied == into.len() => Ok(()),
        Ok(_) => Err(io::Error::from_raw_os_error(libc::EFAULT)),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// A child that has our memory and only waits. Dropped, it is killed and its remains are taken.
#[derive(Debug)]
pub(crate) struct Clone {
    pid: libc::pid_t,
}

impl Clone {
    pub(crate) fn new() -> io::Result<Clone> {
        // SAFETY: no more than a question.
        let parent = unsafe { libc::getpid() };
        let before = block_signals()?;
        // SAFETY: without CLONE_VM the child has a copy of our memory and of this very stack, on which
        // it goes on here. All it does is make system calls by their numbers, without the C library's
        // state, until it is killed: it takes no lock and never returns from this block.
        let pid = unsafe {
            let pid = libc::syscall(libc::SYS_clone, libc::CLONE_FILES, 0, 0, 0, 0);
            if pid == 0 {
                libc::syscall(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
                // The parent may have ended before that was said.
                if libc::syscall(libc::SYS_getppid) != i64::from(parent) {
                    libc::syscall(libc::SYS_exit_group, 0);
                }
                loop {
                    libc::syscall(libc::SYS_pause);
                }
            }
            pid
        };
        let failed = (pid == -1).then(io::Error::last_os_error);
        restore_signals(&before);
        match failed {
            Some(error) => Err(error),
            None => Ok(Clone { pid: pid as libc::pid_t }),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.cast_unsigned()
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        // SAFETY: the number is our child's, which stays until it is waited for here: nobody else waits
        // for a child that gives no signal without asking for just such ones. No memory is involved.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            while libc::waitpid(self.pid, ptr::null_mut(), libc::__WALL) == -1
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
        }
    }
}

/// Blocks all signals for this thread, so that the child has them blocked from its first moment: no
/// handler of the program runs there. Gives what was blocked before.
fn block_signals() -> io::Result<libc::sigset_t> {
    let mut all = MaybeUninit::<libc::sigset_t>::zeroed();
    let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: both point to sets of our own, which the calls fill; zero bytes are a value for them.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        match libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) {
            0 => Ok(before.assume_init()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

fn restore_signals(before: &libc::sigset_t) {
    // SAFETY: the set was filled by `block_signals`.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, ptr::from_ref(before), ptr::null_mut()) };
}

/// The calling thread's number, and what it takes to find its stack.
pub(crate) fn this_thread() -> (u32, Registers) {
    let here = 0_u64;
    // SAFETY: both only answer who we are.
    let (tid, pointer) = unsafe { (libc::syscall(libc::SYS_gettid), libc::pthread_self()) };
    let registers = Registers {
        stack_pointer: Addr(ptr::from_ref(&here) as u64),
        thread_pointer: Addr(pointer),
        ..Registers::default()
    };
    (tid as u32, registers)
}

/// Data of program files, and private memory, by address.
fn regions() -> io::Result<Vec<Region>> {
    let maps = maps::read(std::process::id())?;
    let mut files = MappedFiles::default();
    files.open(std::process::id(), &maps);
    let images = images::find(&maps, &files, None);
    let mut found: Vec<Region> = Vec::new();
    for (number, image) in (0..).zip(&images) {
        found.extend(image.parts.iter().map(|part| Region {
            start: part.start,
            end: part.end,
            kind: RegionKind::Image(number),
        }));
    }
    found.sort_unstable_by_key(|region| region.start);
    let images: Vec<_> = found.iter().map(|region| region.start.0..region.end.0).collect();
    let anonymous = maps.iter().filter(|mapping| {
        mapping.file.is_none() && mapping.writable() && !mapping.shared() && !mapping.is_kernels()
    });
    for mapping in anonymous {
        for gap in crate::ranges::gaps(mapping.start.0..mapping.end.0, &images) {
            let (start, end) = (Addr(gap.start), Addr(gap.end));
            found.push(Region { start, end, kind: RegionKind::Anonymous });
        }
    }
    found.sort_unstable_by_key(|region| region.start);
    Ok(found)
}

/// Our own memory where it is known to be there.
#[derive(Debug)]
pub struct Trusted<'a> {
    checked: &'a Checked,
}

impl<'a> Trusted<'a> {
    /// A reader of live objects; `checked` is for the few words that may not be there.
    ///
    /// # Safety
    /// As long as it lives, the interpreter's lock must be held by this thread without a break, and it
    /// must be asked only for bytes of objects and buffers that live, strong references lead to, as
    /// the layout of the running version says. That is what the decoders do with an object that
    /// somebody holds: an object with a reference is not freed, its buffers are replaced only with the
    /// lock held, and so all that a known layout leads to from there stays where it is, and as it is: what
    /// threads change without the lock is the contents of raw buffers, which no decoder reads.
    #[must_use]
    pub unsafe fn new(checked: &'a Checked) -> Trusted<'a> {
        Trusted { checked }
    }
}

/// The lowest addresses are never mapped: a null pointer in a struct is an answer, not a fault.
const LOWEST: u64 = 0x1_0000;

impl Memory for Trusted<'_> {
    #[inline]
    fn bytes<'a>(&'a self, addr: Addr, len: usize, _: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        if addr.0 < LOWEST || len > LONGEST {
            return None;
        }
        // SAFETY: by the contract of `new` all `len` bytes at `addr` are there, and stay as they are for as
        // long as `self` lives.
        Some(unsafe { std::slice::from_raw_parts(addr.0 as *const u8, len) })
    }

    #[inline]
    fn array<const N: usize>(&self, addr: Addr) -> Option<[u8; N]> {
        if addr.0 < LOWEST {
            return None;
        }
        // SAFETY: by the contract of `new` the bytes are there; any bytes make an array of bytes.
        Some(unsafe { (addr.0 as *const [u8; N]).read_unaligned() })
    }

    fn doubtful_word(&self, addr: Addr) -> Option<u64> {
        // On the page of the block itself, it is there because the block is.
        if addr.0 % PAGE <= PAGE - 16 { self.word(addr) } else { self.checked.word(addr) }
    }

    fn unknown_word(&self, addr: Addr) -> Option<u64> {
        self.checked.word(addr)
    }

    fn regions(&self) -> &[Region] {
        self.checked.regions()
    }

    fn is_mapped(&self, start: Addr, len: u64) -> bool {
        self.checked.is_mapped(start, len)
    }

    #[inline]
    fn prefetch(&self, addr: Addr) {
        if addr.0 >= LOWEST {
            crate::sys::prefetch_at(addr.0);
        }
    }
}
