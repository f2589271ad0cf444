//! What a path leads to, and a file that changes while it is read.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::thread;

use deadweight_files::search::{self, Overlaps, Pattern};
use deadweight_files::{FilesError, Source, Windows, csv};

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn lines(path: &Path) -> Result<u64, FilesError> {
    let feed = Pattern::text(b"\n", Overlaps::Left)?;
    search::count(&mut Windows::new(Source::open(path)?), &feed, &mut on)
}

#[test]
fn what_is_no_file_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let message = lines(&missing).unwrap_err().to_string();
    assert_eq!(
        message,
        format!("cannot open {}: No such file or directory (os error 2)", missing.display())
    );
    assert!(matches!(lines(folder.path()), Err(FilesError::Directory(_))));
}

#[test]
fn a_file_without_bytes_has_none() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(lines(file.path()).unwrap(), 0);
    assert_eq!(lines(Path::new("/dev/null")).unwrap(), 0);
}

#[test]
fn files_of_proc_say_that_they_have_no_bytes_and_are_read() {
    let path = Path::new("/proc/self/limits");
    assert_eq!(fs::metadata(path).unwrap().len(), 0);
    let truth = fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(lines(path).unwrap(), truth as u64);
}

#[test]
fn files_of_sys_say_that_they_have_more_bytes_and_are_read() {
    let path = Path::new("/sys/kernel/mm/transparent_hugepage/enabled");
    let Ok(truth) = fs::read(path) else { return };
    assert!((truth.len() as u64) < fs::metadata(path).unwrap().len());
    assert_eq!(lines(path).unwrap(), 1);
}

#[test]
fn a_pipe_is_read_until_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writer = path.clone();
    let writer = thread::spawn(move || {
        let mut pipe = OpenOptions::new().write(true).open(writer).unwrap();
        for _ in 0..100_000 {
            pipe.write_all(b"id,name\n").unwrap();
        }
    });
    assert_eq!(lines(&path).unwrap(), 100_000);
    writer.join().unwrap();
}

#[test]
fn a_pipe_that_nobody_writes_to_can_be_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    // Before it has a writer, and while that writes nothing.
    let _writer = [None, Some(())].map(|writes| {
        let source = Source::open(&path).unwrap();
        let writer = writes.map(|()| OpenOptions::new().write(true).open(&path).unwrap());
        let mut windows = Windows::new(source.unpacked(1000).unwrap());
        let mut times = 0;
        let mut stop = |read| {
            assert_eq!(read, 0);
            times += 1;
            if times < 4 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let error = csv::count(&mut windows, csv::Dialect::default(), &mut stop).unwrap_err();
        assert!(matches!(error, FilesError::Stopped { offset: 0, .. }), "{error}");
        writer
    });
}

#[test]
fn a_device_without_end_is_read_until_somebody_stops_it() {
    let mut windows = Windows::new(Source::open(Path::new("/dev/zero")).unwrap());
    let zeros = Pattern::text(b"\n", Overlaps::Left).unwrap();
    let mut stop = |read| {
        if read < 10_000_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let error = search::count(&mut windows, &zeros, &mut stop).unwrap_err();
    let FilesError::Stopped { name, offset } = error else { panic!("{error}") };
    assert_eq!(name, "/dev/zero");
    assert!((10_000_000..11_000_000).contains(&offset), "{offset}");
}

#[test]
fn of_a_file_that_grows_what_was_there_at_first_is_read_and_the_rest_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"one\ntwo\n").unwrap();
    let mut windows = Windows::of_size(Source::open(file.path()).unwrap(), 4);
    let mut writer = OpenOptions::new().append(true).open(file.path()).unwrap();
    let mut written = 0;
    let mut write = |_| {
        writer.write_all(b"more\n").unwrap();
        written += 5;
        ControlFlow::Continue(())
    };
    let records = csv::count(&mut windows, csv::Dialect::default(), &mut write).unwrap();
    assert_eq!((records, windows.read_to()), (2, 8));
    assert_eq!(windows.source().appended(), written);
}

#[test]
fn memory_stays_the_same_whatever_the_length() {
    let anonymous = || -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    // Holes: nothing is written, and zeros are read.
    File::options().write(true).open(file.path()).unwrap().set_len(256 << 20).unwrap();
    let before = anonymous();
    let mut most = 0;
    let mut watch = |_| {
        most = most.max(anonymous());
        ControlFlow::Continue(())
    };
    let mut windows = Windows::new(Source::open(file.path()).unwrap());
    let checked =
        csv::check(&mut windows, csv::Dialect::default(), 10, None, true, &mut watch).unwrap();
    assert_eq!((checked.records, checked.bad), (1, 1));

    // One row, and every byte of it is wrong.
    fs::write(file.path(), vec![0xe9; 24 << 20]).unwrap();
    let mut windows = Windows::new(Source::open(file.path()).unwrap());
    let checked =
        csv::check(&mut windows, csv::Dialect::default(), 10, None, true, &mut watch).unwrap();
    assert_eq!((checked.records, checked.bad), (1, 1));
    assert!(most < before + 20_000, "{most} kB, {before} kB before");
}
