//! Defends against files that are made to do harm when they are unpacked: no panic, not a byte and hardly
//! more memory than allowed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]

#[path = "../../../fuzz/bodies/unpacked.rs"]
mod body;
#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/bodies/noise.rs"]
mod noise;
mod packing;

use std::fs;
use std::io::{Cursor, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use deadweight_files::{Source, Windows};
use packing::{FORMATS, pack};

/// What runs beside a test would be counted too.
static ALONE: Mutex<()> = Mutex::new(());

/// What Zstandard and xz may look back at, and as much again for all else.
const ENOUGH: u64 = 2 * (128 << 20);

/// The most memory that this process ever asked for, whether it was used or not: C's too.
fn asked_for() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn the_corpus_is_unpacked_or_refused_in_little_memory() {
    let _alone = ALONE.lock();
    let before = asked_for();
    corpus::replay("unpacked", 20, body::run);
    let more = asked_for() - before;
    assert!(more < ENOUGH, "{more} bytes more");
}

/// What the command of each format makes of it; `None` where it is not there.
fn by_command(format: &str, packed: &[u8]) -> Option<(bool, Vec<u8>)> {
    let command = match format {
        "Zstandard" => "zstd",
        "gzip" => "gzip",
        "bzip2" => "bzip2",
        _ => "xz",
    };
    let mut child = Command::new(command)
        .args(["-d", "-c", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let (mut input, packed) = (child.stdin.take().unwrap(), packed.to_vec());
    // It may end before it has read all.
    let writer = thread::spawn(move || drop(input.write_all(&packed)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Some((output.status.success(), output.stdout))
}

fn ours(packed: &[u8]) -> Option<Vec<u8>> {
    let source = Source::stream("bytes", Box::new(Cursor::new(packed.to_vec())));
    let mut windows = Windows::new(source.unpacked(1 << 20).unwrap());
    let mut found = Vec::new();
    loop {
        match windows.advance(windows.bytes().len(), &mut |_| std::ops::ControlFlow::Continue(())) {
            Ok(true) => found.extend_from_slice(windows.bytes()),
            Ok(false) => return Some(found),
            Err(_) => return None,
        }
    }
}

/// Those of the system, which share no code with ours but for xz.
#[test]
fn what_commands_unpack_is_what_we_unpack() {
    let _alone = ALONE.lock();
    let text: Vec<u8> = (0..99_u32).flat_map(|number| number.to_string().into_bytes()).collect();
    for format in FORMATS {
        let packed = pack(format, &text);
        if by_command(format, &packed).is_none() {
            eprintln!("skipped: there is no command for {format} here");
            continue;
        }
        for place in 0..packed.len() {
            let mut wrong = packed.clone();
            wrong[place] ^= 0x55;
            // Behind what tells the format.
            if place >= 10 {
                let (is_right, theirs) = by_command(format, &wrong).unwrap();
                let ours = ours(&wrong);
                assert_eq!(is_right.then_some(theirs), ours, "{format}, byte {place}");
            }
        }
    }
}

#[test]
#[ignore = "writes to the corpus"]
fn gather_corpus() {
    let text: Vec<u8> = (0..99_u32).flat_map(|number| number.to_string().into_bytes()).collect();
    let mut seeds = Vec::new();
    for how in 0..16 {
        for format in FORMATS {
            let (long, short) = (pack(format, &vec![0; 1 << 17]), pack(format, &text));
            seeds.push([&[how][..], &short, &short].concat());
            seeds.push([&[how][..], &short[..short.len() - 1]].concat());
            seeds.push([&[how][..], &short, b"and more"].concat());
            seeds.push([&[how][..], &long].concat());
            // Every byte of the headers, which say what memory is wanted.
            for place in 0..30 {
                let mut wrong = [&[how][..], &short].concat();
                wrong[1 + place] ^= 0x55;
                seeds.push(wrong);
            }
        }
    }
    corpus::gather("unpacked", seeds, 200_000, 120, body::run);
}
