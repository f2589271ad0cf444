//! `deadweight files` of what is no good file: a sentence or an answer, and the status that goes with it.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::json::assert_valid;
use crate::program::is_root;
use crate::verb::{Folder, Outcome, assert_failed, assert_refused, command, deadweight, printed};

const NOBODY: u32 = 65534;

fn file(folder: &Folder, name: &str, contents: &[u8]) -> String {
    let path = folder.file(name);
    fs::write(&path, contents).unwrap();
    path
}

fn make_pipe(folder: &Folder) -> String {
    let path = folder.file("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program}");
}

fn start(arguments: &[&str]) -> Child {
    command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a scan that has begun reads, it has opened, and it knows its length.
fn wait_until_it_reads(child: &Child) {
    let path = format!("/proc/{}/io", child.id());
    let has_read = || -> u64 {
        let text = fs::read_to_string(&path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("rchar: "));
        line.unwrap().parse().unwrap()
    };
    while has_read() < 10_000_000 {
        thread::sleep(Duration::from_millis(1));
    }
}

/// As by Ctrl-C, which is not sent because who runs these tests may have it ignored.
fn is_ended_by_a_signal(child: Child) {
    run("kill", &["-TERM", &child.id().to_string()]);
    assert_eq!(child.wait_with_output().unwrap().status.signal(), Some(15));
}

#[test]
fn nothing() {
    let folder = Folder::new("files-nothing");
    let empty = file(&folder, "empty", b"");
    for path in [empty.as_str(), "/dev/null"] {
        let counted = format!("  rows  size  file\n     0   0 B  {path}\n");
        assert_eq!(printed(&["files", "count", path]), counted);
        let checked = format!("{path}: 0 rows of 0 fields in 0 B, 0 bad\n");
        assert_eq!(printed(&["files", "check", path]), checked);
        let outcome = deadweight(&["files", "find", "x", path]);
        assert_eq!((outcome.out, outcome.code), (format!("{path}: 0 matches in 0 B\n"), Some(1)));
    }
}

#[test]
fn a_pipe_with_a_writer_and_one_without() {
    let folder = Folder::new("files-pipe");
    let pipe = make_pipe(&folder);
    is_ended_by_a_signal(start(&["files", "count", &pipe]));
    let child = start(&["files", "count", &pipe]);
    OpenOptions::new().write(true).open(&pipe).unwrap().write_all(b"a\n1\n2").unwrap();
    let outcome: Outcome = child.wait_with_output().unwrap().into();
    assert_eq!(outcome.out, format!("  rows  size  file\n     2   5 B  {pipe}\n"));
}

#[test]
fn what_the_kernel_makes_up() {
    let found = printed(&["files", "find", "VmRSS:", "/proc/self/status"]);
    assert!(found.contains("/proc/self/status: 1 match in "), "{found}");
    let endless = start(&["files", "count", "/dev/zero"]);
    wait_until_it_reads(&endless);
    is_ended_by_a_signal(endless);
}

#[test]
fn what_may_not_be_read() {
    let folder = Folder::new("files-secret");
    let secret = file(&folder, "secret", b"a\n");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    let mut program = command(&["files", "count", &secret]);
    if is_root() {
        program.uid(NOBODY);
    }
    let words = format!("error: cannot open {secret}: Permission denied (os error 13)");
    assert_failed(&program.output().unwrap().into(), &words);
}

#[test]
fn what_is_no_text() {
    let folder = Folder::new("files-binary");
    let all: Vec<u8> = (0..=255).collect();
    let binary = file(&folder, "binary", &all);
    let checked = format!(
        "\
{binary}:1: byte 0: a zero byte
{binary}:3: byte 14: 2 fields, not 1, a quote out of place and bytes that are no UTF-8 (Latin-1?)
{binary}: 2 rows of 1 field in 256 B, 2 bad: 1 with another number of fields, 1 with a quote out of place, \
1 with a zero byte and 1 not in UTF-8
"
    );
    assert_eq!(printed(&["files", "check", &binary]), checked);
    let mut find = command(&["files", "find"]);
    let outcome: Outcome =
        find.arg(OsStr::from_bytes(b"\xfe\xff")).arg(&binary).output().unwrap().into();
    assert_eq!(outcome.out, format!("{binary}:254\n{binary}: 1 match in 256 B\n"));
    let mut find = command(&["files", "find", "--regex"]);
    let outcome = find.arg(OsStr::from_bytes(b"\xff")).arg(&binary).output().unwrap().into();
    let words = "\
error: a regular expression is text in UTF-8
hint: (?-u:\\xff) stands for a byte that is none.";
    assert_failed(&outcome, words);
}

#[test]
fn latin_1_and_mixed_line_ends() {
    let folder = Folder::new("files-latin");
    let mixed = file(&folder, "mixed", b"id,name\n1,Ren\xe9e\r\n2,Ada\r3,Bob\n\r4,Eve");
    assert_eq!(
        printed(&["files", "check", &mixed]),
        format!(
            "\
{mixed}:2: byte 8: bytes that are no UTF-8 (Latin-1?)
{mixed}: 4 rows of 2 fields in 35 B, 1 bad: 1 not in UTF-8
"
        )
    );
}

fn one_line(megabytes: u64) {
    let folder = Folder::new(&format!("files-line-{megabytes}"));
    let long = folder.file("long");
    // Zeros that take no room on the disk.
    File::create(&long).unwrap().set_len(megabytes * 1_000_000).unwrap();
    let size = if megabytes < 1000 {
        format!("{megabytes} MB")
    } else {
        format!("{}.0 GB", megabytes / 1000)
    };
    assert_eq!(
        printed(&["--quiet", "files", "check", &long]),
        format!(
            "\
{long}:1: byte 0: a zero byte
{long}: 0 rows of 1 field in {size}, 1 bad: 1 with a zero byte
"
        )
    );
    assert_eq!(
        deadweight(&["--quiet", "files", "find", "x", &long]).out,
        format!("{long}: 0 matches in {size}\n")
    );
    let words = format!(
        "\
error: {long}: the line at byte 0 is longer than 4194304 bytes
hint: A pattern whose matches have a bound, such as {{1,100}}, needs no whole lines."
    );
    assert_refused(&["files", "find", "--regex", "a.*b", &long], &words);
}

#[test]
fn a_long_line() {
    one_line(64);
}

#[test]
#[ignore = "seconds; `make test-real` runs it"]
fn a_line_of_two_gigabytes() {
    one_line(2000);
}

#[test]
fn what_is_packed_to_do_harm_or_has_lost_its_end() {
    let folder = Folder::new("files-bomb");
    let zeros = folder.file("zeros");
    File::create(&zeros).unwrap().set_len(20_000_000).unwrap();
    run("gzip", &[&zeros]);
    let bomb = folder.file("zeros.gz");
    let words = format!(
        "\
error: {bomb} has more than 1000000 bytes in it
hint: Some files are made to have no end when they are unpacked. If this is none, --max-unpacked allows more."
    );
    assert_refused(&["files", "count", "--max-unpacked", "1MB", &bomb], &words);
    let bytes = fs::read(&bomb).unwrap();
    let cut = file(&folder, "cut.gz", &bytes[..bytes.len() / 2]);
    let words = format!("error: {cut}: gzip that ends at byte {}, before its end", bytes.len() / 2);
    assert_refused(&["files", "check", &cut], &words);
    // A block of no kind, behind the header and its name.
    let damaged = file(&folder, "damaged.gz", &[&bytes[..16], &[0xff; 100]].concat());
    let outcome = deadweight(&["files", "find", "x", &damaged]);
    let words = format!("error: {damaged}: gzip that is damaged before byte 116: ");
    assert!(outcome.err.starts_with(&words), "{}", outcome.err);
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(2), ""));
}

#[test]
fn one_that_is_shortened_meanwhile() {
    let folder = Folder::new("files-shorter");
    let path = folder.file("file");
    let length = 1_u64 << 40;
    // So long that it is not read to its end before it is cut.
    let file = File::create(&path).unwrap();
    file.set_len(length).unwrap();
    let child = start(&["--quiet", "files", "count", &path]);
    wait_until_it_reads(&child);
    file.set_len(0).unwrap();
    let outcome: Outcome = child.wait_with_output().unwrap().into();
    let ends = outcome.err.split(' ').find_map(|word| word.parse::<u64>().ok()).unwrap();
    let words = format!(
        "\
error: {path} became shorter while it was read: it ends at byte {ends} and had {length} bytes at first
hint: Something else writes to it: try again, or take a copy of it first."
    );
    assert_failed(&outcome, &words);
    assert!((5_000_000..length).contains(&ends), "{ends}");
}

#[test]
fn one_that_grows_meanwhile() {
    let folder = Folder::new("files-longer");
    let path = folder.file("file");
    let mut file = File::create(&path).unwrap();
    file.set_len(1_000_000_000).unwrap();
    let child = start(&["--quiet", "files", "count", &path]);
    wait_until_it_reads(&child);
    // It stands still, so that it cannot end before.
    run("kill", &["-STOP", &child.id().to_string()]);
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    file.write_all(b"\n1,2\n").unwrap();
    run("kill", &["-CONT", &child.id().to_string()]);
    let outcome: Outcome = child.wait_with_output().unwrap().into();
    let words = format!(
        "  rows    size  file\n     0  1.0 GB  {path}\n{path}: 5 B were appended meanwhile, and not read\n"
    );
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(0), words.as_str()), "{}", outcome.err);
}

#[test]
fn of_several_the_good_ones_are_printed() {
    let folder = Folder::new("files-some");
    let (good, missing) = (file(&folder, "good", b"a\n1\n"), folder.file("missing"));
    let directory = folder.0.to_str().unwrap();
    let outcome = deadweight(&["files", "count", &missing, &good, directory]);
    assert_eq!(outcome.out, printed(&["files", "count", &good]));
    let why = format!("cannot open {missing}: No such file or directory (os error 2)");
    let words = format!("error: {why}\nerror: {directory} is a directory\n");
    assert_eq!((outcome.code, outcome.err), (Some(2), words));

    let good = &[&good, &missing].map(String::as_str);
    for (verb, name) in [
        (&["check"][..], "files check"),
        (&["count"], "files count"),
        (&["find", "1"], "files find"),
    ] {
        let outcome = deadweight(&[&["files"], verb, &["--json"], good].concat());
        let document: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
        assert_valid(name, &document);
        assert_eq!(document["failed"][0]["file"], missing.as_str());
        assert_eq!(document["failed"][0]["reason"], why.as_str());
        assert_eq!((document["files"].as_array().unwrap().len(), outcome.code), (1, Some(2)));
    }
    // What cannot be told of one is more than a limit that the others keep or not.
    let outcome = deadweight(&[&["files", "check", "--fail-over", "0"], &good[..]].concat());
    assert_eq!(outcome.code, Some(2));
}
