//! What a copy holds is what the process held.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

use deadweight_heap::{Addr, Bytes};
use deadweight_process::{
    Area, AreaKind, Limits, LiveCopy, Memory, PageSource, PartKind, RegionKind,
};

use crate::target::{Target, assert_sums_agree, pythons};

const PAGE: u64 = 4096;

fn take(target: &Target) -> LiveCopy {
    LiveCopy::take(target.pid(), &Limits::default()).unwrap()
}

/// Reads the same memory by another way: `/proc/PID/mem`, while a stop signal holds the target.
fn naive(memory: &File, addr: u64, len: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; len as usize];
    memory.read_exact_at(&mut bytes, addr).ok()?;
    Some(bytes)
}

/// Every page of every private mapping: what is there is equal; what is not there was never written.
fn assert_equals_the_process(target: &Target, copy: &LiveCopy) {
    let memory = File::open(format!("/proc/{}/mem", target.pid())).unwrap();
    let mut scratch = Vec::new();
    let mut pages = 0;
    for area in copy.areas() {
        let mapping = &copy.maps()[area.mapping as usize];
        if mapping.shared() || !mapping.readable() || mapping.is_kernels() {
            continue;
        }
        for page in (area.start.0..area.end.0).step_by(PAGE as usize) {
            // Pages after the end of a file.
            let Some(truth) = naive(&memory, page, PAGE) else { continue };
            if let Some(bytes) = copy.bytes(Addr(page), PAGE as usize, &mut scratch) {
                assert!(bytes == truth, "{page:#x} in {area:?} of {mapping:?}");
            } else {
                let may_miss =
                    matches!(area.kind, AreaKind::Anonymous | AreaKind::Heap | AreaKind::Stack(_));
                assert!(may_miss, "{page:#x} in {area:?} of {mapping:?} is missing");
                assert!(truth.iter().all(|&byte| byte == 0), "{page:#x} was written");
            }
            pages += 1;
        }
    }
    assert!(pages > 50, "{pages} pages compared");
}

#[test]
fn every_private_page_of_a_process_that_is_held_is_the_same_in_the_copy() {
    let mut small = Target::cat();
    small.stop();
    assert_equals_the_process(&small, &take(&small));
    small.signal("CONT");
    small.assert_answers();
    for python in pythons() {
        let mut target = Target::python_of(python, "import ssl, json, decimal");
        assert_eq!(target.line(), "ready");
        target.stop();
        let copy = take(&target);
        assert_equals_the_process(&target, &copy);
        assert_eq!(copy.vanished(), Bytes(0));
        // The cases that matter were among them: static data that the loader wrote and then
        // protected, static data that was never written (and is the file's), zeros never touched.
        let any = |kinds: &[PartKind], is: fn(&Area) -> bool| {
            copy.areas().iter().any(|area| {
                matches!(area.kind, AreaKind::ImageData(_, part) if kinds.contains(&part))
                    && is(area)
            })
        };
        let never_written = |area: &Area| area.own.0 < area.end.0 - area.start.0;
        assert!(any(&[PartKind::Relro], |area| area.own.0 > 0));
        assert!(any(&[PartKind::Relro, PartKind::Data], never_written));
        assert!(any(&[PartKind::Bss], never_written));
        target.signal("CONT");
        target.assert_answers();
    }
}

#[test]
fn pages_add_up_to_what_the_kernel_says_is_resident() {
    // Zero pages, guard pages, huge pages, shared memory, files mapped in both ways, memory that is
    // shared with a child, and memory that was taken back from view.
    let script = "
import ctypes, mmap, os, sys, tempfile, time
data = [str(n) * 20 for n in range(300000)]
unread = mmap.mmap(-1, 64 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
read = mmap.mmap(-1, 8 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
zeros = sum(read[n] for n in range(0, len(read), 4096))
shared = mmap.mmap(-1, 4 << 20)
shared[:1 << 20] = b'x' * (1 << 20)
huge = mmap.mmap(-1, 16 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
huge.madvise(14)
huge[5 << 20] = 1
some = huge[9 << 20]
file = tempfile.TemporaryFile()
file.write(b'y' * (3 << 20)); file.flush()
private = mmap.mmap(file.fileno(), 3 << 20, mmap.MAP_PRIVATE)
private[4096] = 1
public = mmap.mmap(file.fileno(), 3 << 20, mmap.MAP_SHARED)
public[1 << 20] = 2
libc = ctypes.CDLL(None)
guarded = mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guarded[:] = b'g' * (1 << 20)
address = ctypes.addressof(ctypes.c_char.from_buffer(guarded))
libc.madvise(ctypes.c_void_p(address), 8192, 102)
libc.mprotect(ctypes.c_void_p(address + 65536), 65536, 0)
if os.fork() == 0:
    os.close(0); os.close(1); time.sleep(5); os._exit(0)
";
    for python in pythons() {
        let mut target = Target::python_of(python, script);
        assert_eq!(target.line(), "ready");
        let copy = take(&target);
        assert_sums_agree(&copy);
        let rollup = copy.rollup().unwrap();
        assert!(rollup.uss <= rollup.pss && rollup.pss < rollup.rss, "{rollup:?}");
        target.assert_answers();
    }
    assert_sums_agree(&take(&Target::cat()));
}

/// It grows between the look that decides how much room is made and the stop, and shrinks again.
#[test]
fn a_process_that_grows_meanwhile_is_copied_whole() {
    let script = "
import threading
def grow():
    while True:
        blocks = []
        while len(blocks) < 200: blocks.append(bytearray(b'x') * (2 << 20))
threading.Thread(target=grow, daemon=True).start()
";
    let mut target = Target::python(script);
    assert_eq!(target.line(), "ready");
    let mut scratch = Vec::new();
    for _ in 0..20 {
        let copy = take(&target);
        assert_sums_agree(&copy);
        let copied: u64 = copy.regions().iter().map(|it| it.end.0 - it.start.0).sum();
        assert!(copied >= copy.copied().0);
        for region in copy.regions() {
            let len = (region.end.0 - region.start.0) as usize;
            assert!(copy.bytes(region.start, len, &mut scratch).is_some(), "{region:?}");
        }
    }
    target.assert_answers();
}

#[test]
fn a_known_buffer_reads_back_identical() {
    let script = "
import ctypes, hashlib
size = 64 << 20
seed = b''.join(hashlib.sha256(b'%d' % n).digest() for n in range(32768))
buffer = bytearray(b''.join(bytes([n]) + seed[1:] for n in range(size // len(seed))))
print(ctypes.addressof(ctypes.c_char.from_buffer(buffer)), size, len(seed))
print(seed.hex())
";
    let mut target = Target::python(script);
    let [start, size, step] = target.numbers()[..] else { panic!("three numbers") };
    let seed = target.line();
    let seed: Vec<u8> = (0..seed.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&seed[at..at + 2], 16).unwrap())
        .collect();
    let mut truth: Vec<u8> = seed.repeat((size / step) as usize);
    for (number, first) in truth.iter_mut().step_by(step as usize).enumerate() {
        *first = number as u8;
    }
    assert_eq!(target.line(), "ready");
    let copy = take(&target);
    target.assert_answers();
    let mut scratch = Vec::new();
    assert!(copy.bytes(Addr(start), size as usize, &mut scratch).unwrap() == truth);
    let mut at = 1_u64;
    for _ in 0..100_000 {
        at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (offset, len) = ((at >> 32) % size, (at >> 20) % 64);
        let len = len.min(size - offset);
        let bytes = copy.bytes(Addr(start + offset), len as usize, &mut scratch).unwrap();
        assert!(bytes == &truth[offset as usize..(offset + len) as usize], "{offset} {len}");
    }
    assert_eq!(copy.resident(Addr(start), Bytes(size)), Bytes(size));
    assert!(copy.regions().iter().any(|region| {
        region.kind == RegionKind::Anonymous
            && region.start.0 <= start
            && start + size <= region.end.0
    }));
}

#[test]
fn memory_that_was_never_touched_is_neither_copied_nor_made() {
    let script = "
import ctypes
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
size = 64 << 30
start = libc.mmap(None, ctypes.c_size_t(size), 3, 0x4022, -1, ctypes.c_size_t(0))
ctypes.c_char.from_address(start + (5 << 30)).value = b'x'
print(start, size)
";
    let mut target = Target::python(script);
    let [start, size] = target.numbers()[..] else { panic!("two numbers") };
    assert_eq!(target.line(), "ready");
    target.await_state('S');
    let before = target.status("VmRSS");
    let copy = take(&target);
    assert!(copy.copied().0 < 200 << 20, "{:?} copied", copy.copied());
    let mut scratch = Vec::new();
    assert_eq!(copy.bytes(Addr(start), 8, &mut scratch), None);
    assert_eq!(copy.bytes(Addr(start + (5 << 30)), 2, &mut scratch), Some(&b"x\0"[..]));
    assert_eq!(copy.resident(Addr(start), Bytes(size)), Bytes(PAGE));
    assert_sums_agree(&copy);
    assert_eq!(target.status("VmRSS"), before);
}

#[test]
fn a_mapped_file_that_was_deleted_still_reads() {
    let script = "
import ctypes, mmap, os, tempfile
file = tempfile.NamedTemporaryFile()
file.write(b'abcd' * (1 << 18)); file.flush()
private = mmap.mmap(file.fileno(), 1 << 20, mmap.MAP_PRIVATE)
private[0] = 90
touched = private[1 << 19]
print(ctypes.addressof(ctypes.c_char.from_buffer(private)))
file.close()
";
    let mut target = Target::python(script);
    let [start] = target.numbers()[..] else { panic!("one number") };
    let copy = take(&target);
    let mut scratch = Vec::new();
    assert_eq!(copy.bytes(Addr(start), 5, &mut scratch), Some(&b"Zbcda"[..]));
    let middle = start + (1 << 19);
    assert_eq!(copy.bytes(Addr(middle), 4, &mut scratch), Some(&b"abcd"[..]));
}

#[test]
fn a_file_that_is_truncated_later_is_missing_bytes_and_no_crash() {
    let script = "
import ctypes, mmap, sys
file = open(sys.argv[1], 'r+b')
private = mmap.mmap(file.fileno(), 1 << 20, mmap.MAP_PRIVATE)
private[0] = 90
print(ctypes.addressof(ctypes.c_char.from_buffer(private)))
";
    let path = std::env::temp_dir().join(format!("deadweight-truncated-{}", std::process::id()));
    std::fs::write(&path, vec![7; 1 << 20]).unwrap();
    let script = script.replace("sys.argv[1]", &format!("{path:?}"));
    let mut target = Target::python(&script);
    let [start] = target.numbers()[..] else { panic!("one number") };
    assert_eq!(target.line(), "ready");
    let copy = take(&target);
    File::options().write(true).open(&path).unwrap().set_len(PAGE).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut scratch = Vec::new();
    assert_eq!(copy.bytes(Addr(start), 2, &mut scratch), Some(&[90, 7][..]));
    assert_eq!(copy.bytes(Addr(start + (1 << 19)), 2, &mut scratch), None);
}

#[test]
fn symbols_are_where_the_interpreter_itself_finds_them() {
    let script = "
import ctypes
for name in ('_PyRuntime', 'PyType_Type', 'PyExc_ValueError'):
    print(ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name)))
";
    for python in pythons() {
        let mut target = Target::python_of(python, script);
        let truth = [(); 3].map(|()| target.numbers()[0]);
        assert_eq!(target.line(), "ready");
        let copy = take(&target);
        let found = ["_PyRuntime", "PyType_Type", "PyExc_ValueError"]
            .map(|name| copy.find_symbol(name).unwrap().addr.0);
        assert_eq!(found, truth);
        let image = copy.find_symbol("_PyRuntime").unwrap().image;
        assert_eq!(copy.symbol_in(image, "PyType_Type").unwrap().addr.0, truth[1]);
        assert_eq!(copy.find_symbol("no_such_symbol"), None);
        let data = copy.find_section(".data").unwrap();
        let part = copy.images()[data.image as usize]
            .parts
            .iter()
            .find(|part| part.start <= data.addr && data.addr < part.end);
        assert!(part.is_some_and(|part| part.kind == PartKind::Data), "{part:?}");
        // Static objects are in a region of their image's data.
        let region = copy.regions().iter().find(|it| it.start.0 <= truth[1] && truth[1] < it.end.0);
        assert!(matches!(region.unwrap().kind, RegionKind::Image(_)), "{region:?}");
    }
}

#[test]
fn regions_and_areas_are_in_order_and_every_thread_has_its_stack() {
    let script = "
import threading
for n in range(5): threading.Thread(target=threading.Event().wait, daemon=True).start()
";
    let mut target = Target::python(script);
    assert_eq!(target.line(), "ready");
    let copy = take(&target);
    assert_eq!(copy.threads().len(), 6);
    assert_eq!(copy.threads()[0].tid, target.pid());
    for thread in copy.threads() {
        let at = thread.registers.stack_pointer;
        let area = copy.areas().iter().find(|area| area.start <= at && at < area.end).unwrap();
        assert_eq!(area.kind, AreaKind::Stack(thread.tid));
        let mut scratch = Vec::new();
        assert!(copy.bytes(at, 64, &mut scratch).is_some());
        assert!(copy.bytes(thread.registers.thread_pointer, 64, &mut scratch).is_some());
    }
    let main = copy.areas().iter().find(|it| it.kind == AreaKind::Stack(target.pid())).unwrap();
    assert_eq!(copy.maps()[main.mapping as usize].name(), "[stack]");
    assert!(copy.areas().is_sorted_by(|a, b| a.end <= b.start));
    assert!(copy.regions().is_sorted_by(|a, b| a.end <= b.start));
    let kinds: HashSet<u32> = copy
        .regions()
        .iter()
        .filter_map(|it| match it.kind {
            RegionKind::Image(image) => Some(image),
            RegionKind::Anonymous => None,
        })
        .collect();
    assert!(kinds.len() > 2, "{kinds:?}");
    assert_eq!(copy.images().iter().filter(|image| image.is_program).count(), 1);
    let mut scratch = Vec::new();
    for region in copy.regions() {
        let len = (region.end.0 - region.start.0) as usize;
        assert!(copy.bytes(region.start, len, &mut scratch).is_some(), "{region:?}");
    }
    assert!(copy.command()[0].contains("python"), "{:?}", copy.command());
    assert!(copy.program().starts_with('/'));
    assert_ne!(copy.page_source(), PageSource::Mappings);
}

/// Analyses can share a copy between threads.
#[test]
fn a_copy_can_be_read_from_several_threads() {
    let mut target = Target::idle_python();
    let copy = take(&target);
    let sum = |copy: &LiveCopy| -> u64 {
        let mut scratch = Vec::new();
        let regions = copy.regions().iter();
        regions
            .map(|region| {
                let len = (region.end.0 - region.start.0) as usize;
                let bytes = copy.bytes(region.start, len, &mut scratch).unwrap();
                bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>()
            })
            .sum()
    };
    let sums = std::thread::scope(|scope| {
        [(); 4].map(|()| scope.spawn(|| sum(&copy))).map(|thread| thread.join().unwrap())
    });
    assert_eq!(sums, [sum(&copy); 4]);
    target.assert_answers();
}
