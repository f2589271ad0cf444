//! A report without what differs from run to run: numbers, units, bars, the widths of columns.

/// One line a line; `#` for a number, `size` for a size, `time` for a time.
pub(crate) fn shape(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n")
}

fn line(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let after_number = words.last().is_some_and(|last| last.trim_start_matches('(') == "#");
        let open = if word.starts_with('(') { "(" } else { "" };
        let bare = word.trim_start_matches(['(', '~', '<']);
        let tail: String = bare.chars().rev().take_while(|c| matches!(c, ')' | ',')).collect();
        let bare = &bare[..bare.len() - tail.len()];
        let tail: String = tail.chars().rev().collect();
        let unit = match bare {
            _ if !after_number => None,
            "B" | "kB" | "MB" | "GB" => Some("size"),
            "µs" | "ms" | "s" => Some("time"),
            "%" => Some("%"),
            "M" => Some("#"),
            _ => None,
        };
        if let (Some(unit), Some(last)) = (unit, words.last_mut()) {
            *last = last.replace('#', unit) + &tail;
        } else if is_number(bare) {
            words.push(format!("{open}#{tail}"));
        } else if !word.chars().all(|c| c == '█') {
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'))
}

#[test]
fn what_differs_from_run_to_run_is_not_in_a_shape() {
    assert_eq!(shape("  files  12 MB   10 %  ████"), shape("files 900 kB <1 % █"));
    assert_eq!(
        shape("Resident 1.2 MB   (1.1 MB, 900 kB its own)"),
        "Resident size (size, size its own)"
    );
    assert_eq!(shape("1.26 M objects · took ~11 s"), "# objects · took time");
    assert_eq!(shape("Python 3.11.7 · pid 12"), "Python # · pid #");
}
