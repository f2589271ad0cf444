//! `deadweight files`: files that are larger than memory need not be large to be told right.

use std::io::Write;
use std::process::Stdio;

use crate::json::assert_valid;
use crate::program::root;
use crate::verb::{Folder, Outcome, assert_refused, command, deadweight, document, printed};

/// The file that docs/files.md is about.
const PEOPLE: &str = "id,name\n1,Ada\n2,\"Grace, or\nsomebody\"\n3,Bob,x\n4,Eve \"E\"\n5,Mallory\n";

fn folder(name: &str) -> (Folder, String) {
    let folder = Folder::new(name);
    let file = folder.file("people.csv");
    std::fs::write(&file, PEOPLE).unwrap();
    (folder, file)
}

#[test]
fn the_page_shows_what_is_printed() {
    let (folder, _) = folder("files-page");
    let page = std::fs::read_to_string(root().join("docs/files.md")).unwrap();
    // What is shown of Python further down is tried where the package is.
    let shown = page.lines().skip_while(|line| !line.starts_with("    $ deadweight"));
    let shown: Vec<&str> = shown.map_while(|line| line.strip_prefix("    ")).collect();
    let mut commands = 0;
    for example in shown.join("\n").split("$ deadweight ").skip(1) {
        let (line, expected) = example.split_once('\n').unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let outcome: Outcome = command(&words).current_dir(&folder.0).output().unwrap().into();
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""), "{line}");
        assert_eq!(outcome.out.trim_end(), expected.trim_end(), "{line}");
        commands += 1;
    }
    assert_eq!(commands, 3);
}

/// `gzip` is wherever these tests run.
#[test]
fn what_is_compressed_is_told_as_what_is_in_it_up_to_a_bound() {
    let (folder, file) = folder("files-packed");
    let plain = printed(&["files", "check", &file]);
    let status = std::process::Command::new("gzip").arg("--keep").arg(&file).status().unwrap();
    assert!(status.success());
    let packed = folder.file("people.csv.gz");
    assert_eq!(printed(&["files", "check", &packed]).replace(".csv.gz", ".csv"), plain);
    let found = document(&["files", "find", "Bob", &packed]);
    assert_eq!(found["count"], 1);

    let bytes = std::fs::read(&packed).unwrap();
    let length = bytes.len() - 1;
    std::fs::write(&packed, &bytes[..length]).unwrap();
    let outcome = deadweight(&["files", "count", &packed]);
    let words = format!("gzip that ends at byte {length}, before its end");
    assert!(outcome.code == Some(2) && outcome.err.contains(&words), "{}", outcome.err);

    std::fs::write(&packed, &bytes).unwrap();
    let outcome = deadweight(&["files", "count", "--max-unpacked", "10B", &packed]);
    for words in ["has more than 10 bytes in it", "--max-unpacked allows more"] {
        assert!(outcome.code == Some(2) && outcome.err.contains(words), "{}", outcome.err);
    }
}

#[test]
fn documents_are_as_their_schemas_say_and_have_the_numbers_of_the_text() {
    let (folder, file) = folder("files-json");
    let empty = folder.file("empty.csv");
    std::fs::write(&empty, "").unwrap();

    let counted = document(&["files", "count", &file, &empty]);
    assert_valid("files count", &counted);
    assert_eq!((&counted["rows"], &counted["files"][0]["records"]), (&5.into(), &6.into()));
    let text = printed(&["files", "count", &file, &empty]);
    assert!(text.lines().last().unwrap().trim_start().starts_with("5  "), "{text}");
    let all = document(&["files", "count", "--no-header", &file]);
    assert_eq!(all["rows"], 6);

    let checked = document(&["files", "check", &file, &empty]);
    assert_valid("files check", &checked);
    assert_eq!(checked["bad"], 2);
    let rows = &checked["files"][0]["bad_rows"];
    assert_eq!((&rows[0]["line"], &rows[0]["offset"]), (&5.into(), &PEOPLE.find("3,Bob").into()));
    assert_eq!(
        (&rows[0]["faults"][0], &rows[1]["faults"][0]),
        (&"ragged".into(), &"bare_quote".into())
    );
    let one = document(&["files", "check", "--top", "1", &file]);
    assert_valid("files check", &one);
    assert_eq!(one["files"][0]["bad_rows_left_out"], 1);

    let found = document(&["files", "find", "o", &file, "--top", "2"]);
    assert_valid("files find", &found);
    let truth = PEOPLE.matches('o').count() as u64;
    assert_eq!(
        (&found["count"], &found["files"][0]["matches_left_out"]),
        (&truth.into(), &(truth - 2).into())
    );
    assert_eq!(found["files"][0]["matches"][0]["offset"], PEOPLE.find('o').unwrap());
    let regex = document(&["files", "find", "--regex", r"(?m)^\d,\w+$", &file]);
    assert_valid("files find", &regex);
    assert_eq!(regex["count"], 2);
}

#[test]
fn a_limit_of_bad_rows_gives_status_1_after_the_report() {
    let (_folder, file) = folder("files-limit");
    let all = deadweight(&["files", "check", "--fail-over", "1", &file]);
    assert_eq!(all.code, Some(1));
    assert_eq!(all.err, "error: 2 rows are bad, and 1 allowed\n");
    assert_eq!(all.out, printed(&["files", "check", &file]));
    assert_eq!(printed(&["files", "check", "--fail-over", "2", &file]), all.out);
}

#[test]
fn what_is_nowhere_gives_status_1_after_the_report() {
    let (folder, file) = folder("files-nowhere");
    let status = |words: &[&str]| deadweight(&[&["files", "find"], words].concat());
    let nowhere = status(&["zzz", &file]);
    assert_eq!((nowhere.code, nowhere.err.as_str()), (Some(1), ""));
    assert_eq!(nowhere.out, format!("{file}: 0 matches in 65 B\n"));
    assert_eq!(status(&["--json", "zzz", &file]).code, Some(1));
    let other = folder.file("other");
    std::fs::write(&other, "zzz").unwrap();
    assert_eq!(status(&["zzz", &file, &other]).code, Some(0));
    assert_eq!(status(&["zzz", &file, "/nonexistent"]).code, Some(2));
}

#[test]
fn standard_input_is_a_file_too() {
    let mut child = command(&["files", "count", "-", "--delimiter", "tab"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"a\tb\n1\t\"x\ny\"\n").unwrap();
    let outcome: Outcome = child.wait_with_output().unwrap().into();
    assert_eq!(outcome.out.lines().nth(1), Some("     1  12 B  standard input"), "{}", outcome.out);
}

#[test]
fn overlapping_matches_are_found_if_they_are_asked_for() {
    let folder = Folder::new("files-overlap");
    let file = folder.file("a");
    std::fs::write(&file, "aaaa").unwrap();
    assert_eq!(
        printed(&["files", "find", "aa", &file]),
        format!("{file}:0\n{file}:2\n{file}: 2 matches in 4 B\n")
    );
    assert_eq!(document(&["files", "find", "aa", "--overlapping", &file])["count"], 3);
}

#[test]
fn what_cannot_be_read_or_looked_for_is_said_in_a_line() {
    let (folder, file) = folder("files-bad");
    let missing = folder.file("missing");
    let words = format!("error: cannot open {missing}: No such file or directory (os error 2)");
    for arguments in [
        &["files", "count", &missing][..],
        &["files", "check", &missing],
        &["files", "find", "x", &missing],
    ] {
        assert_refused(arguments, &words);
    }
    let directory = folder.0.to_str().unwrap();
    assert_refused(&["files", "count", directory], &format!("error: {directory} is a directory"));
    let words = "error: an empty pattern matches everywhere";
    assert_refused(&["files", "find", "", &file], words);
    assert_refused(&["files", "find", "--regex", "a*", &file], words);
    let words = "error: the pattern \"(?=a)b\": look-around, including look-ahead and look-behind, is not supported";
    assert_refused(&["files", "find", "--regex", "(?=a)b", &file], words);
    let words = "error: the delimiter and the quote are two different characters";
    assert_refused(&["files", "count", "--delimiter", "\"", &file], words);
    std::fs::write(&missing, b"\xff\xfea\0").unwrap();
    let words = format!(
        "error: {missing} is UTF-16: its characters have two bytes\nhint: Make it UTF-8 first: `iconv -f UTF-16 -t UTF-8`."
    );
    assert_refused(&["files", "count", &missing], &words);
}
