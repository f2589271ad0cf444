//! What a person reads.

use std::process::Command;

use crate::program::{Program, pythons};
use crate::shape::shape;
use crate::verb::{Folder, deadweight, document, printed};

const ORIGIN: &str = "Python # · pid # · python -I leaky.py · paused time";

/// The shape of a report, with the program's own path made short.
fn shape_of(arguments: &[&str]) -> String {
    let text = printed(arguments);
    let begin = text.find("-I ").expect("the command line is shown") + 3;
    let end = begin + text[begin..].find(" · ").unwrap();
    let python = text[..begin].rfind("· ").unwrap() + "· ".len();
    shape(&format!("{}python -I leaky.py{}", &text[..python], &text[end..]))
}

#[test]
fn the_first_screen_names_what_leaks_and_what_holds_it() {
    let mut program = Program::leaky();
    let text = shape_of(&["weigh", &program.pid()]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], ORIGIN);
    assert_eq!(lines[1], "# objects, # references · deadweight itself took time and size");
    let resident = "Resident size (size with shared pages split among their users, size its own)";
    assert_eq!(lines[3], resident);
    let rows =
        ["Python objects", "pymalloc, C code", "pymalloc, free", "other anonymous", "stacks"];
    for row in rows.iter().chain(&["static data", "files and code"]) {
        assert!(
            lines.iter().any(|line| line.starts_with(&format!("{row} size %"))),
            "{row}\n{text}"
        );
    }
    let heaviest = lines.iter().position(|line| line.starts_with("Heaviest")).unwrap();
    assert_eq!(lines[heaviest], "Heaviest by what they alone keep alive");
    let first_two = &lines[heaviest + 1..heaviest + 3];
    assert!(
        first_two.contains(&"size # __main__.UserRecord ← dict __main__.cache.entries"),
        "{text}"
    );
    assert!(first_two.contains(&"size # function ← list __main__.callbacks"), "{text}");
    assert!(lines.len() <= 30, "more than a screen:\n{text}");
    program.assert_answers();
}

#[test]
fn the_leak_is_named_on_every_version() {
    for python in pythons() {
        let mut program = Program::leaky_with(&python);
        let text = printed(&["weigh", &program.pid()]);
        assert!(
            text.contains("20,000 __main__.UserRecord  ← dict __main__.cache.entries"),
            "{python}: {text}"
        );
        let text = printed(&["why", &program.pid(), "UserRecord"]);
        assert!(text.contains("all of them by one path"), "{python}: {text}");
        assert!(text.contains("\n  __main__.cache.entries[*]\n"), "{python}: {text}");
        program.assert_answers();
    }
}

#[test]
fn a_snapshot_answers_as_the_process_does() {
    let program = Program::leaky();
    let folder = Folder::new("text");
    let file = folder.file("leaky.dwsnap");
    let said = shape_of(&["snapshot", &program.pid(), "-o", &file]);
    assert_eq!(said, format!("{ORIGIN}\n{file}: # objects in size"));
    drop(program);

    let why = shape_of(&["why", &file, "UserRecord"]);
    let expected = "\
# UserRecord · size held, size retained · all of them by one path

module __main__
└─ .cache __main__.Cache, size held
└─ .entries dict, size held
└─ [*] __main__.UserRecord
__main__.cache.entries[*]";
    assert_eq!(why, format!("{ORIGIN}\n\n{expected}"));

    for query in ["Gone", "__main__.Gone"] {
        let why = shape_of(&["why", &file, query]);
        assert_eq!(why, format!("{ORIGIN}\n\n# instances of `__main__.Gone` are alive"));
    }

    let why = shape_of(&["why", &file, "__main__.cache"]);
    let expected = "\
__main__.cache · size held, size retained

module __main__
└─ .cache __main__.Cache, size held
__main__.cache";
    assert_eq!(why, format!("{ORIGIN}\n\n{expected}"));

    let tree = shape_of(&["tree", &file, "--from", "__main__.cache", "--depth", "2"]);
    let rows: Vec<&str> = tree.lines().skip(2).collect();
    assert_eq!(
        rows[..3],
        ["retained share what", "size % __main__.cache __main__.Cache", "size % .entries dict",]
    );
    assert!(rows.contains(&"size % [*] # __main__.UserRecord"), "{tree}");

    let census = shape_of(&["census", &file, "--sort", "count", "--top", "1"]);
    let lines: Vec<&str> = census.lines().collect();
    assert_eq!(lines[1], "# objects, # tracked, # references");
    assert_eq!(lines[3], "count held retained getsizeof type");
    assert_eq!(lines[5], "# size size size all");
    assert_eq!(lines[7], "# more rows: --top N shows more");

    let census = shape_of(&["census", &file, "--by", "module", "--shallow"]);
    assert_eq!(census.lines().nth(3), Some("count held getsizeof module"));
    let weigh = shape_of(&["weigh", &file]);
    assert!(
        weigh.contains("\nsize # __main__.UserRecord ← dict __main__.cache.entries\n"),
        "{weigh}"
    );
}

/// In one census, both ways of counting a live process see the same objects.
#[test]
fn a_shallow_census_counts_what_a_whole_one_counts() {
    let program = Program::leaky();
    let row = |arguments: &[&str]| {
        let text = printed(arguments);
        let row = text.lines().find(|line| line.ends_with("  __main__.UserRecord")).unwrap();
        row.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    let pid = program.pid();
    assert_eq!(row(&["census", &pid]), row(&["census", "--shallow", &pid]));
    assert!(row(&["census", &pid]).starts_with("20,000 "));
}

#[test]
fn sizes_say_what_types_cost() {
    let text = shape(&printed(&[
        "sizes",
        "dict",
        "collections.deque",
        "--python",
        crate::program::python(),
    ]));
    assert!(
        text.contains("\ntype held B requested B with items B getsizeof B\ndict empty # # # #\n"),
        "{text}"
    );
    assert!(text.contains("\ncollections.deque # items # # # #\n"), "{text}");
}

/// The first instances of a class reserve room for attributes that never come: what is said is what a program
/// that has many of them finds.
#[test]
fn an_instance_costs_what_a_census_finds() {
    let script = "
import sys
class Record:
    def __init__(self): self.a, self.b, self.c, self.d, self.e = range(5)
kept = [Record() for _ in range(10_000)]
print('ready', flush=True)
sys.stdin.read()";
    for python in pythons() {
        let program = Program::start(Command::new(&python).args(["-c", script]));
        let census = document(&["census", &program.pid()]);
        let sizes = document(&["sizes", "--python", &python]);
        let found = census["types"].as_array().unwrap().iter();
        let found =
            found.filter(|row| row["name"] == "__main__.Record").map(|row| &row["shallow_bytes"]);
        let found = found.map(|bytes| bytes.as_u64().unwrap()).sum::<u64>();
        let said = sizes["sizes"].as_array().unwrap().iter().find(|row| row["type"] == "class");
        let said = said.unwrap()["held_bytes"].as_u64().unwrap();
        assert!((said * 10_000..said * 10_100).contains(&found), "{python}: {said}, {found}");
    }
}

#[test]
fn completions_are_scripts() {
    for (shell, word) in [("bash", "complete -F"), ("zsh", "#compdef"), ("fish", "complete -c")] {
        assert!(printed(&["completions", shell]).contains(word), "{shell}");
    }
}

#[test]
fn stages_are_told_on_stderr_only_if_asked_for() {
    let program = Program::leaky();
    let told = deadweight(&["-v", "weigh", &program.pid()]);
    assert_eq!(told.code, Some(0));
    for stage in ["copying memory", "reading objects", "finding paths", "summing up"] {
        assert!(told.err.contains(&format!("{stage}: ")), "{}", told.err);
    }
    assert!(deadweight(&["-q", "weigh", &program.pid()]).err.is_empty());
}

/// Whoever reads us may have seen enough.
#[test]
fn a_closed_pipe_is_no_failure() {
    let program = Program::leaky();
    let line = format!(
        "'{}' census {} --json | head -n 1; exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_deadweight"),
        program.pid()
    );
    let output = std::process::Command::new("bash").args(["-c", &line]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "{\n");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]));
}

/// A target chooses its own names: they must not reach a terminal as they are.
#[test]
fn control_characters_of_a_target_are_not_printed() {
    let script = "
import sys
Evil = type('Evil\\x1b[31m', (), {'__module__': 'm'})
evil = [Evil() for _ in range(100000)]
print('ready', flush=True)
sys.stdin.read()";
    let program = Program::python(script);
    let pid = program.pid();
    for arguments in [
        &["weigh", &pid][..],
        &["census", &pid],
        &["tree", &pid],
        &["why", &pid, "__main__.evil[*]"],
    ] {
        let text = printed(arguments);
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
        assert!(text.contains("m.Evil\\u{1b}[31m"), "{text}");
    }
}

/// Memory that processes share is no file's, and the rows add up with it too.
#[test]
fn shared_memory_has_a_row_of_its_own() {
    let script = "
import mmap, sys
shared = mmap.mmap(-1, 20_000_000)
shared.write(bytes([1]) * 20_000_000)
print('ready', flush=True)
sys.stdin.read()";
    let program = Program::python(script);
    let document = crate::verb::document(&["weigh", &program.pid()]);
    let rows = document["account"].as_array().unwrap();
    let bytes = |row: &serde_json::Value| row["bytes"].as_u64().unwrap();
    let shared = rows.iter().find(|row| row["kind"] == "shared_memory").map(bytes).unwrap();
    assert_eq!(shared, 20_000_000_u64.next_multiple_of(4096));
    assert_eq!(rows.iter().map(bytes).sum::<u64>(), document["rss_bytes"].as_u64().unwrap());
    assert!(printed(&["weigh", &program.pid()]).contains("\n  shared memory        20 MB "));
    assert!(!printed(&["weigh", &Program::leaky().pid()]).contains("shared memory"));
}

/// What two modules hold is kept alive by neither of them alone, and weighs as much.
#[test]
fn what_two_modules_hold_is_the_heaviest() {
    let script = "
import sys, types
for name in ('a_cache', 'b_index'):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].table = {}
class Rec:
    def __init__(self):
        self.body = bytearray(5000)
for number in range(5000):
    record = Rec()
    for name in ('a_cache', 'b_index'):
        sys.modules[name].table[number] = record
del record
print('ready', flush=True)
sys.stdin.read()";
    let program = Program::python(script);
    let pid = program.pid();
    let text = printed(&["weigh", &pid]);
    let first = text.lines().skip_while(|line| !line.starts_with("Heaviest")).nth(1).unwrap();
    let rest = "MB  5,000 __main__.Rec  ← held by ";
    assert!(first.contains(rest), "{text}");
    assert!(first.contains("a_cache.table[*]") && first.contains("b_index.table[*]"), "{text}");
    let row = &document(&["weigh", &pid])["heaviest"][0];
    assert_eq!((row["things"].as_u64(), row["other_holders"].as_u64()), (Some(5000), Some(0)));
    let bytes = row["bytes"].as_u64().unwrap();
    assert!((25_000_000..28_000_000).contains(&bytes), "{row}");
    let tree = printed(&["tree", &pid]);
    let row = tree.lines().find(|line| line.contains("5,000 __main__.Rec")).unwrap();
    assert!(row.contains(".table[*]  5,000 __main__.Rec  (also held by "), "{tree}");
    assert_eq!(row.matches(".table[*]").count(), 2, "{tree}");
}

/// Objects in two lists: letting go of the one frees next to nothing, so both are named.
#[test]
fn all_that_hold_an_object_are_named() {
    let script = "
class U:
    def __init__(self, number):
        self.data = [number] * 100
a = {number: U(number) for number in range(20000)}
b = [u for u in a.values() if u.data[0] != 7]
print('ready', flush=True)
input()";
    let program = Program::python(script);
    let pid = program.pid();
    let text = printed(&["why", &pid, "U", "--top", "1"]);
    assert!(text.contains("19,999 of them"), "{text}");
    let both = ["__main__.a[*]", "__main__.b[*]"];
    assert!(both.iter().all(|path| text.contains(path)), "{text}");
    assert!(text.contains("  also held by __main__."), "{text}");
    assert!(text.contains(" went, and nothing else, "), "{text}");
    let json = document(&["why", &pid, "U"]);
    let paths = json["paths"].as_array().unwrap();
    let most = paths.iter().find(|path| path["count"].as_u64() > Some(19_000)).unwrap();
    assert_eq!(most["also_held_by"][0]["count"], 19_999, "{most}");
    // 19,999 are in both; at most the one that is not goes with its holder.
    assert!(most["holder"]["frees_bytes"].as_u64().unwrap() < 2_000, "{most}");

    let text = printed(&["weigh", &pid]);
    let row = text.lines().find(|line| line.contains(" __main__.U  ←")).unwrap();
    assert!(row.contains("← held by ") && both.iter().all(|path| row.contains(path)), "{text}");
    let json = document(&["weigh", &pid]);
    let rows = json["heaviest"].as_array().unwrap();
    let row = rows.iter().find(|row| row["type"] == "__main__.U").unwrap();
    assert_eq!(row["held_by"].as_array().unwrap().len(), 2, "{row}");
    let text = printed(&["tree", &pid, "--from", "__main__.__dict__"]);
    let row = text.lines().find(|line| line.contains("… ") && line.contains("__main__.U")).unwrap();
    assert!(row.contains("(also held by __main__."), "{text}");

    let json = document(&["why", &pid, "__main__.a[*]"]);
    assert_eq!(json["count"], 20_000, "values, not keys");
}

/// One object that many share: nothing goes with any one of them.
#[test]
fn references_to_one_object_are_counted() {
    let script = "
class Conf:
    def __init__(self): self.blob = bytearray(3_000_000)
class User:
    def __init__(self, conf): self.conf = conf
conf = Conf()
users = [User(conf) for _ in range(500)]
weak = [(conf,) for _ in range(20)]
del conf
print('ready', flush=True)
input()";
    let program = Program::python(script);
    let pid = program.pid();
    let text = printed(&["why", &pid, "Conf"]);
    for line in [
        "  __main__.users[0].conf",
        "  also held by __main__.users[*].conf  (499 references)",
        "  also held by __main__.weak[*][0]  (20 references)",
        "  if __main__.users[0] went, and nothing else, none of it would go",
    ] {
        assert!(text.lines().any(|printed| printed == line), "{line}: {text}");
    }
    let json = document(&["why", &pid, "Conf"]);
    let path = &json["paths"][0];
    assert_eq!(path["also_held_by"][0]["references"], 499, "{path}");
    assert_eq!(path["holder"]["frees_bytes"], 0, "{path}");
    let text = printed(&["why", &pid, "__main__.users[7].conf.blob"]);
    let line = "  __main__.users[0].conf is also held by __main__.users[*].conf  (499 references)";
    assert!(text.lines().any(|printed| printed == line), "{text}");
}

/// A module does not retain its names: its functions refer to them too.
#[test]
fn a_module_is_asked_about_for_the_sake_of_its_names() {
    let program = Program::leaky();
    let pid = program.pid();
    let names = printed(&["tree", &pid, "--from", "__main__.__dict__"]);
    let rows = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&printed(&["tree", &pid, "--from", "__main__"])), rows(&names));
    let text = printed(&["why", &pid, "__main__"]);
    let line = text.lines().find(|line| line.contains("__main__.__dict__")).unwrap();
    assert!(
        line.starts_with("what it has names for is held by ") && line.contains(" MB "),
        "{text}"
    );
}

#[test]
fn garbage_is_one_list() {
    let script = "
import gc
gc.disable()
class A:
    def __init__(self):
        self.me = self
        self.data = bytes(3000)
for _ in range(1000):
    A()
print('ready', flush=True)
input()";
    let program = Program::python(script);
    let pid = program.pid();
    let text = printed(&["why", &pid, "A"]);
    assert!(text.contains("\n  <garbage not yet collected>[*]\n"), "{text}");
    assert!(text.contains("1,000 A") && text.contains("all of them by one path"), "{text}");
    assert!(!text.contains("found by scanning"), "{text}");
    let tree = printed(&["tree", &pid, "--from", "<garbage not yet collected>"]);
    assert!(tree.contains("[*]  1,000 __main__.A"), "{tree}");
    let weigh = printed(&["weigh", &pid]);
    let row = weigh.lines().find(|line| line.contains("1,000 __main__.A ")).unwrap();
    assert!(row.ends_with("  ← <garbage not yet collected>[*]"), "{weigh}");
}

#[test]
fn paths_keep_the_keys_that_the_snapshot_has() {
    let script = "
class Only: pass
hold = {'tenant-a': [Only() for _ in range(100)], 'tenant-b': [Only() for _ in range(5)]}
print('ready', flush=True)
input()";
    let program = Program::python(script);
    let folder = Folder::new("keys");
    let file = folder.file("two.dwsnap");
    printed(&["snapshot", "--values", &program.pid(), "-o", &file]);
    let text = printed(&["why", &file, "__main__.hold['tenant-a']"]);
    assert!(text.ends_with("\n  __main__.hold['tenant-a']\n"), "{text}");
    let text = printed(&["why", &file, "Only"]);
    for path in ["100 of them", "hold['tenant-a'][*]", "5 of them", "hold['tenant-b'][*]"] {
        assert!(text.contains(path), "{path}: {text}");
    }
    let text = printed(&["tree", &file, "--from", "__main__.hold"]);
    assert!(text.contains("['tenant-a']  list"), "{text}");
    let text = printed(&["tree", &file, "--from", "__main__.hold['tenant-b']"]);
    assert!(text.contains("  __main__.hold['tenant-b']  list"), "{text}");
}

/// What was left out is said as it is.
#[test]
fn a_report_says_what_was_asked_to_be_left_out() {
    let program = Program::leaky();
    let pid = program.pid();
    let from = ["tree", &pid, "--from", "__main__.cache"];
    let flat = printed(&[&from[..], &["--depth", "0"]].concat());
    assert!(flat.contains("what is more than 0 levels down (--depth)"), "{flat}");
    assert!(!flat.contains("nothing below it"), "{flat}");
    let whole = printed(&[&from[..], &["--depth", "9", "--least", "0"]].concat());
    assert!(!whole.contains("Not shown"), "{whole}");
    let narrow = printed(&["tree", &pid, "--least", "0", "--top", "1", "--depth", "1"]);
    assert!(narrow.contains("more than 1 rows below one (--top)"), "{narrow}");
    let rows = document(&[&from[..], &["--depth", "1"]].concat())["rows"].clone();
    assert_eq!((&rows[0]["more_below"], &rows[1]["more_below"]), (&false.into(), &true.into()));

    assert!(!printed(&["weigh", &pid, "--top", "0"]).contains("nothing stands out"));
    let text = printed(&["why", &pid, "UserRecord", "--top", "0"]);
    assert!(text.contains("20,000 by paths not shown: --top N shows more"), "{text}");
}
