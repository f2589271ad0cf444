//! A file that loses its end while it is read: the whole truth of an earlier state or an error that says
//! where, a thousand times each. A memory map would kill the process here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use deadweight_files::search::{self, Overlaps, Pattern};
use deadweight_files::{FilesError, Lines, Source, Watch, Windows, csv};

const ROUNDS: u64 = 1000;
/// Of a row, which is a line and is found once.
const ROW: &[u8] = b"1,\"a b\"\n";

type Scan = fn(Windows, &mut Watch<'_>) -> Result<u64, FilesError>;

fn count(mut windows: Windows, watch: &mut Watch<'_>) -> Result<u64, FilesError> {
    csv::count(&mut windows, csv::Dialect::default(), watch)
}

fn check(mut windows: Windows, watch: &mut Watch<'_>) -> Result<u64, FilesError> {
    let checked = csv::check(&mut windows, csv::Dialect::default(), 10, None, true, watch)?;
    assert_eq!(checked.bad, 0, "{checked:?}");
    Ok(checked.records)
}

fn find(mut windows: Windows, watch: &mut Watch<'_>) -> Result<u64, FilesError> {
    search::count(&mut windows, &Pattern::text(b"a b", Overlaps::Left)?, watch)
}

fn lines(windows: Windows, watch: &mut Watch<'_>) -> Result<u64, FilesError> {
    let mut lines = Lines::new(windows);
    let mut count = 0;
    while let Some(line) = lines.next(watch)? {
        assert_eq!(line.bytes, &ROW[..ROW.len() - 1]);
        count += 1;
    }
    Ok(count)
}

fn records(windows: Windows, watch: &mut Watch<'_>) -> Result<u64, FilesError> {
    let mut records = csv::Records::new(windows, csv::Dialect::default());
    let mut count = 0;
    while let Some(record) = records.next(watch)? {
        assert_eq!(record.bytes(), &ROW[..ROW.len() - 1]);
        count += 1;
    }
    Ok(count)
}

const SCANS: [Scan; 5] = [count, check, find, lines, records];

fn open(path: &Path, size: usize) -> Windows {
    Windows::of_size(Source::open(path).unwrap(), size)
}

/// A file with so many rows, opened once: each time it is closed some file systems write it to the disk.
fn fill(file: &File, rows: u64) {
    file.write_all_at(&ROW.repeat(rows as usize), 0).unwrap();
}

#[test]
fn what_shortens_it_between_two_reads_is_told_with_the_byte() {
    const ROWS: u64 = 1000;
    let length = ROWS * ROW.len() as u64;
    let file = tempfile::NamedTempFile::new().unwrap();
    for (round, scan) in (0..ROUNDS).flat_map(|round| SCANS.map(|scan| (round, scan))) {
        fill(file.as_file(), ROWS);
        // At another place of the scan each time, to another length.
        let (when, to) = (round * 7 % length, round * 13 % length);
        let mut shorten = |read| {
            if read >= when {
                file.as_file().set_len(to).unwrap();
            }
            ControlFlow::Continue(())
        };
        let error = scan(open(file.path(), 512), &mut shorten).unwrap_err();
        let FilesError::Shorter { name, offset, length: told } = &error else { panic!("{error}") };
        assert_eq!((Path::new(name), *told), (file.path(), length));
        // Its new end, or what was read before if that is more.
        assert!(*offset == to || to < *offset && *offset < length, "round {round}: {offset}");
        let message = error.to_string();
        assert!(message.contains(&format!("it ends at byte {offset} and had {length} bytes")));
    }
}

#[test]
fn a_thread_that_shortens_it_leads_to_the_whole_truth_or_to_an_error() {
    const ROWS: u64 = 4000;
    const WINDOW: u64 = 4096;
    let length = ROWS * ROW.len() as u64;
    let file = tempfile::NamedTempFile::new().unwrap();
    for (round, scan) in (0..ROUNDS).zip(SCANS.into_iter().cycle()) {
        fill(file.as_file(), ROWS);
        let (when, to) = (round % 7 * WINDOW, round * 17 % length);
        let begin = Barrier::new(2);
        let ended = thread::scope(|scope| {
            scope.spawn(|| {
                begin.wait();
                file.as_file().set_len(to).unwrap();
            });
            let mut waits = true;
            scan(open(file.path(), WINDOW as usize), &mut |read| {
                if waits && read >= when {
                    waits = false;
                    begin.wait();
                }
                ControlFlow::Continue(())
            })
        });
        match ended {
            Ok(count) => assert_eq!(count, ROWS),
            Err(FilesError::Shorter { name, offset, length: told }) => {
                assert_eq!((Path::new(&name), told), (file.path(), length));
                assert!(offset >= to && offset < length, "{offset} of {to} bytes");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
