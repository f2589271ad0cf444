//! Vectors: what is written is there, the file says how much of it, and nothing half made is left.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs::{self, File, OpenOptions};
use std::ops::ControlFlow;
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::Path;

use deadweight_files::FilesError;
use deadweight_files::vector::{Number, Vector};

fn on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn written(vector: &Vector, from: u64, values: &[u32]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    vector.write(from, &bytes).unwrap();
}

fn read(vector: &Vector, from: u64, count: usize) -> Vec<u32> {
    let mut bytes = vec![0; count * 4];
    vector.read(from, &mut bytes).unwrap();
    bytes.chunks_exact(4).map(|value| u32::from_le_bytes(value.try_into().unwrap())).collect()
}

#[test]
fn what_is_written_is_read_by_whoever_opens_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids");
    let vector = Vector::create(&path, Number::U4, 1000, &mut on).unwrap();
    assert_eq!(read(&vector, 0, 1000), [0; 1000]);
    written(&vector, 998, &[7, 8]);
    vector.finish().unwrap();
    assert_eq!(names(folder.path()), ["ids"]);
    let again = Vector::open(&path, false).unwrap();
    assert_eq!((again.number(), again.len(), again.valid().unwrap()), (Number::U4, 1000, 1000));
    assert_eq!(read(&again, 997, 3), [0, 7, 8]);
    // All its blocks are there already.
    let metadata = fs::metadata(&path).unwrap();
    assert!(metadata.blocks() * 512 >= metadata.len());
}

#[test]
fn valid_is_what_was_flushed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids");
    let vector = Vector::create(&path, Number::U4, 100, &mut on).unwrap();
    // Others see what the file says.
    let valid = || Vector::open(&path, false).unwrap().valid().unwrap();
    written(&vector, 0, &[1, 2, 3]);
    assert_eq!(valid(), 0);
    vector.flush(None).unwrap();
    assert_eq!(valid(), 3);
    written(&vector, 50, &[4]);
    written(&vector, 0, &[5]);
    vector.flush(None).unwrap();
    assert_eq!(valid(), 51);
    vector.flush(Some(10)).unwrap();
    assert_eq!(valid(), 10);
    vector.flush(None).unwrap();
    assert_eq!(valid(), 51);
    vector.flush(Some(10)).unwrap();
    // The writer is gone.
    drop(vector);
    let vector = Vector::open(&path, true).unwrap();
    assert_eq!((vector.len(), vector.valid().unwrap()), (100, 10));
    // Nothing was written.
    vector.finish().unwrap();
    assert_eq!(valid(), 10);
    vector.resize(5, &mut on).unwrap();
    assert_eq!((valid(), fs::metadata(&path).unwrap().len()), (5, 128 + 20));
    vector.resize(200, &mut on).unwrap();
    assert_eq!((vector.len(), valid()), (200, 5));
    assert!(matches!(vector.write(199, &[0; 8]), Err(FilesError::Shorter { .. })));
    assert_eq!(read(&vector, 0, 6), [5, 2, 3, 0, 0, 0]);
    vector.finish().unwrap();
    assert_eq!(valid(), 200);
}

#[test]
fn a_file_that_was_cut_short_is_an_error_with_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids");
    let vector = Vector::create(&path, Number::U4, 100, &mut on).unwrap();
    vector.finish().unwrap();
    File::options().write(true).open(&path).unwrap().set_len(128 + 41).unwrap();
    assert_eq!(read(&vector, 9, 1), [0]);
    let errors = [
        vector.read(10, &mut [0; 4]).unwrap_err(),
        vector.write(0, &[0; 4]).unwrap_err(),
        vector.check().unwrap_err(),
        vector.resize(1000, &mut on).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, FilesError::Shorter { offset: 169, length: 528, .. }), "{error}");
    }
    let error = Vector::open(&path, true).err().unwrap();
    assert!(error.to_string().contains("names 100 of u4, and it has room for 10"), "{error}");
    // What follows the last whole value is none.
    assert_eq!(fs::metadata(&path).unwrap().len(), 169);
}

#[test]
fn nothing_is_left_of_what_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids");
    fs::write(&path, "before").unwrap();
    for length in [u64::MAX, i64::MAX as u64 / 8, 1 << 50] {
        let error = Vector::create(&path, Number::F8, length, &mut on).err().unwrap();
        assert!(matches!(error, FilesError::Io { what: "make", .. }), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"before");
    assert_eq!(names(folder.path()), ["ids"]);
    let create = |path: &Path| Vector::create(path, Number::F8, 1, &mut on).err().unwrap();
    assert!(matches!(create(folder.path()), FilesError::Directory(_)));
    assert!(matches!(create(Path::new("/dev/full")), FilesError::NotAFile(_)));
    assert!(matches!(create(&folder.path().join("no/ids")), FilesError::Io { .. }));
    assert!(matches!(create(Path::new("/proc/ids")), FilesError::Io { .. }));
    let vector = Vector::create(&path, Number::F8, 1, &mut on).unwrap();
    assert!(matches!(vector.resize(1 << 50, &mut on), Err(FilesError::Io { what: "resize", .. })));
    assert_eq!((vector.len(), fs::metadata(&path).unwrap().len()), (1, 136));
}

#[test]
fn a_link_leads_to_the_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("ids"), folder.path().join("link"));
    fs::write(&path, "before").unwrap();
    symlink("ids", &link).unwrap();
    Vector::create(&link, Number::Bool, 3, &mut on).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(Vector::open(&path, false).unwrap().len(), 3);
}

#[test]
fn what_is_no_vector_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids");
    let header =
        |said: &str| [b"\x93NUMPY\x01\x00\x76\x00", format!("{said:<117}\n").as_bytes()].concat();
    let refused = [
        (b"".to_vec(), "does not begin as a .npy file does"),
        (b"id,name\n".to_vec(), "does not begin as a .npy file does"),
        (b"\x93NUMPY\x09\x00\x76\x00".to_vec(), "version"),
        (b"\x93NUMPY\x01\x00\x76\x00{'descr'".to_vec(), "cut off"),
        (header("{}"), "no descr"),
        (header("{'descr': '<f8', 'shape': 5, }"), "no shape"),
        (header("{'descr': '<f8', 'shape': (5, 5), }"), "(5, 5), which is not one dimension"),
        (header("{'descr': '<f8', 'shape': (), }"), "not one dimension"),
        (header("{'descr': '<f8', 'shape': (-5,), }"), "(-5,)"),
        (header("{'descr': '>f8', 'shape': (5,), }"), "'>f8'"),
        (header("{'descr': '|O', 'shape': (5,), }"), "'|O'"),
        (header("{'descr': [('x', '<f8')], 'shape': (5,), }"), "[('x'"),
    ];
    for (bytes, reason) in refused {
        fs::write(&path, &bytes).unwrap();
        let error = Vector::open(&path, false).err().unwrap();
        assert!(matches!(error, FilesError::NotAVector { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}, not {reason}");
    }
    assert!(matches!(Vector::open(folder.path(), false), Err(FilesError::Directory(_))));
    assert!(matches!(Vector::open(Path::new("/dev/null"), true), Err(FilesError::NotAFile(_))));
    assert!(matches!(Vector::open(&folder.path().join("no"), true), Err(FilesError::Io { .. })));
}

#[test]
fn less_than_a_value_at_the_end_is_none_and_becomes_zeros() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids");
    Vector::create(&path, Number::U4, 2, &mut on).unwrap().finish().unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"abc", 136).unwrap();
    let vector = Vector::open(&path, true).unwrap();
    assert_eq!(vector.len(), 2);
    vector.resize(4, &mut on).unwrap();
    assert_eq!(read(&vector, 0, 4), [0; 4]);
}

#[test]
fn values_apart_are_written_where_they_belong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids");
    let vector = Vector::create(&path, Number::U4, 10, &mut on).unwrap();
    let values: Vec<u8> = (1..4_u32).flat_map(u32::to_le_bytes).collect();
    vector.write_apart(9, -4, &values).unwrap();
    assert_eq!(read(&vector, 0, 10), [0, 3, 0, 0, 0, 2, 0, 0, 0, 1]);
    assert!(matches!(vector.write_apart(0, 5, &values), Err(FilesError::Shorter { .. })));
    vector.flush(None).unwrap();
    assert_eq!(vector.valid().unwrap(), 10);
}

#[test]
fn who_watches_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids");
    let mut stop =
        |done| if done > 1000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    assert!(Vector::create(&path, Number::U1, 1000, &mut stop).is_err());
    assert!(names(folder.path()).is_empty());
    let vector = Vector::create(&path, Number::U1, 800, &mut stop).unwrap();
    assert!(vector.resize(5000, &mut stop).is_err());
    assert_eq!((vector.len(), fs::metadata(&path).unwrap().len()), (800, 928));
}

#[test]
fn what_a_killed_process_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..1000 {
        let name = format!(".deadweight.{}.{number}.part", std::process::id());
        fs::write(folder.path().join(name), "").unwrap();
    }
    let path = folder.path().join("x".repeat(255));
    Vector::create(&path, Number::U1, 1, &mut on).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 129);
}
