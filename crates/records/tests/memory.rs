//! What rows take, and what they take at most while there are more and more of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use deadweight_records::{Field, Kind, Packer, Table, Value};

/// The system's allocator, and how many bytes it has lent.
struct Counting;

static LENT: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: each call is handed on as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LENT.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as our caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LENT.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as our caller promises.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LENT.fetch_add(size, Ordering::Relaxed);
        LENT.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as our caller promises.
        unsafe { System.realloc(block, layout, size) }
    }
}

fn lent() -> usize {
    LENT.load(Ordering::Relaxed)
}

/// Resident memory of this process and the most there was since the last `forget_peak`, in bytes, as
/// the kernel counts them.
fn resident() -> (usize, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let kibibytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
    };
    (kibibytes("VmRSS:") * 1024, kibibytes("VmHWM:") * 1024)
}

fn forget_peak() {
    // fs/proc/task_mmu.c: CLEAR_REFS_MM_HIWATER_RSS.
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// What the process grows by at most while something is made.
fn peak<T>(make: impl FnOnce() -> T) -> (T, usize) {
    forget_peak();
    let (before, _) = resident();
    let value = make();
    (value, resident().1 - before)
}

const ROWS: usize = 1_000_000;
const COUNTRIES: [&str; 4] = ["no", "sv", "de", "fi"];

fn fields() -> [Field; 5] {
    [
        Field::new("user_id", Kind::U4),
        Field::new("score", Kind::F8),
        Field::new("name", Kind::Str),
        Field::new("country", Kind::Category),
        Field::new("joined", Kind::DateTime).nullable(),
    ]
}

/// Bytes of the values themselves: of texts their own, of a category nothing but the code.
fn payload(row: usize, name: &str) -> usize {
    4 + 8 + name.len() + 1 + if row.is_multiple_of(10) { 0 } else { 8 }
}

fn rows(mut takes: impl FnMut(&[Value<'_>])) -> usize {
    let mut bytes = 0;
    let mut name = String::new();
    for row in 0..ROWS {
        name.clear();
        write!(name, "user {row}").unwrap();
        bytes += payload(row, &name);
        let joined = if row.is_multiple_of(10) { Value::None } else { Value::DateTime(row as i64) };
        takes(&[
            Value::Int(row as i128),
            Value::Float(row as f64 / 7.0),
            Value::Str(&name),
            Value::Str(COUNTRIES[row % 4]),
            joined,
        ]);
    }
    bytes
}

fn allocated(table: &Table) -> usize {
    table.allocations().iter().map(|block| block.bytes).sum()
}

/// One test, for the peak is that of the whole process.
#[test]
fn a_row_takes_its_values_and_little_more() {
    let before = lent();
    let ((mut table, values), most) = peak(|| {
        let mut table = Table::new(&fields()).unwrap();
        let values = rows(|row| table.push(row).unwrap());
        (table, values)
    });
    assert_eq!(table.len(), ROWS);
    assert!(table.payload() <= values + ROWS * 17 / 2, "{} of {values}", table.payload());
    assert!(most * 4 <= table.payload() * 5, "at most {most}, {} in the end", table.payload());
    let held = lent() - before;
    assert!(allocated(&table).abs_diff(held) < 4096, "{} said, {held} held", allocated(&table));
    table.shrink_to_fit().unwrap();
    assert!(allocated(&table) - table.payload() < 4096);
    table.clear();
    assert!(lent() - before < 4096);
    drop(table);

    let (mut packed, most) = peak(|| {
        let mut packer = Packer::default();
        for field in fields() {
            packer.add(&field.name).unwrap();
        }
        rows(|row| packer.push(row).unwrap());
        packer.finish().unwrap()
    });
    assert_eq!(packed.fields(), fields());
    assert!(most * 4 <= packed.payload() * 5, "at most {most}, {} in the end", packed.payload());

    // Written as it lies, and not once more beside it.
    let ((), most) =
        peak(|| deadweight_records::file::write(&mut packed, std::io::sink()).unwrap());
    assert!(most * 20 < packed.payload(), "{most} for writing {}", packed.payload());
}
