//! What cannot be done is refused in one sentence and a hint, with exit status 2, and nothing on stdout.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::{Program, is_root};
use crate::verb::{Folder, assert_failed, assert_refused, command, deadweight, printed};

const NOBODY: u32 = 65534;

#[test]
fn processes_that_are_not_there_or_no_python() {
    let words = "\
error: there is no process 999999999
hint: `pgrep -af python` lists the Python processes. In a container, give the number it has there.";
    for verb in ["weigh", "census", "tree", "snapshot"] {
        assert_refused(&[verb, "999999999"], words);
    }
    assert_refused(&["why", "999999999", "dict"], words);

    let sleep = Program::start(Command::new("sh").args(["-c", "echo ready; exec sleep 100"]));
    let path = loop {
        let path = std::fs::read_link(format!("/proc/{}/exe", sleep.pid())).unwrap();
        if path.ends_with("sleep") || path.ends_with("busybox") || path.ends_with("coreutils") {
            break path;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let words = format!(
        "\
error: process {} ({}) is not a Python program that deadweight can read
hint: If it is a shell or a wrapper, give the number of the Python process it started: \
`pgrep -af python` lists them.",
        sleep.pid(),
        path.display()
    );
    assert_refused(&["weigh", &sleep.pid()], &words);
    assert_refused(&["census", "--shallow", &sleep.pid()], &words);
}

#[test]
fn another_python() {
    if Command::new("pypy3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no pypy3 here");
        return;
    }
    let script = "import sys; print('ready'); sys.stdout.flush(); sys.stdin.read()";
    let pypy = Program::start(Command::new("pypy3").args(["-c", script]));
    let outcome = deadweight(&["weigh", &pypy.pid()]);
    let words = "is not a Python program that deadweight can read: it runs PyPy\n\
hint: Python 3.10 or newer is needed: deadweight reads CPython 3.10 to 3.15.\n";
    assert!(outcome.err.ends_with(words), "{}", outcome.err);
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(2), ""));
}

#[test]
fn a_zombie() {
    let script = "
import os, sys, time
child = os.fork()
if child == 0: os._exit(0)
while open(f'/proc/{child}/stat').read().split()[2] != 'Z': time.sleep(0.01)
print('ready', flush=True)
print(child, flush=True)
sys.stdin.read()";
    let mut parent = Program::python(script);
    let zombie = parent.line();
    let words = format!(
        "\
error: process {zombie} is a zombie: it has ended, and its parent has not yet asked how
hint: There is nothing left to read. If it comes back each time, look at its parent."
    );
    assert_refused(&["weigh", &zombie], &words);
}

#[test]
fn files_that_are_no_snapshots() {
    let folder = Folder::new("files");
    let hint = "hint: Give a process number or a file that `deadweight snapshot` wrote.";
    let missing = folder.file("missing.dwsnap");
    let words =
        format!("error: cannot open {missing}: No such file or directory (os error 2)\n{hint}");
    assert_refused(&["weigh", &missing], &words);
    let missing = folder.file("missing");
    let words = format!(
        "error: cannot open {missing}: No such file or directory (os error 2)\n{hint} \
                 A program to start stands after --: `deadweight weigh -- {missing}`."
    );
    assert_refused(&["weigh", &missing], &words);
    let here = folder.0.to_str().unwrap();
    assert_refused(
        &["weigh", here],
        &format!("error: {here} is a directory, not a snapshot\n{hint}"),
    );
    for contents in [&b""[..], b"a text\n", &[0; 4096]] {
        let file = folder.file("foreign");
        std::fs::write(&file, contents).unwrap();
        let words = format!("error: {file}: this is not a deadweight snapshot\n{hint}");
        for verb in ["weigh", "census", "tree"] {
            assert_refused(&[verb, &file], &words);
        }
    }

    let whole = folder.file("whole.dwsnap");
    printed(&["snapshot", &Program::leaky().pid(), "-o", &whole]);
    let bytes = std::fs::read(&whole).unwrap();
    let cut = folder.file("cut.dwsnap");
    for part in [64, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&cut, &bytes[..part]).unwrap();
        let outcome = deadweight(&["weigh", &cut]);
        assert_eq!((outcome.code, outcome.out.as_str()), (Some(2), ""), "{part}");
        assert!(outcome.err.starts_with(&format!("error: {cut}: the snapshot is cut short in `")));
        assert!(
            outcome
                .err
                .ends_with("\nhint: Copy it again, or take it again with `deadweight snapshot`.\n")
        );
    }
    let mut spoilt = bytes.clone();
    spoilt[bytes.len() / 2] ^= 1;
    std::fs::write(&cut, &spoilt).unwrap();
    let outcome = deadweight(&["weigh", &cut]);
    assert!(
        outcome.err.starts_with(&format!("error: {cut}: the snapshot is damaged in `")),
        "{}",
        outcome.err
    );

    let words = "\
error: --max-pause and --values are for live processes
hint: What a snapshot holds was settled when it was taken.";
    assert_refused(&["weigh", &whole, "--max-pause", "1s"], words);
}

#[test]
fn questions_about_nothing() {
    let folder = Folder::new("questions");
    let file = folder.file("leaky.dwsnap");
    printed(&["snapshot", &Program::leaky().pid(), "-o", &file]);
    let census =
        "hint: `deadweight census` lists the types; docs/paths.md has the grammar of paths.";
    let typed =
        "hint: What deadweight prints as a path can be typed; docs/paths.md has the grammar.";
    let outcome = deadweight(&["why", &file, "UserRecrd"]);
    let near = "error: no type and no module is called `UserRecrd`; nearest: `__main__.UserRecord`";
    assert!(outcome.err.starts_with(near), "{}", outcome.err);
    assert!(outcome.err.ends_with(&format!("\n{census}\n")), "{}", outcome.err);
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(2), ""));

    let words = "\
error: several types are called `Twin`: `second.Twin` (2), `first.Twin` (1)
hint: Give the full name: `module.Type`.";
    assert_refused(&["why", &file, "Twin"], words);
    let words = format!(
        "error: `__main__.cache` (__main__.Cache) has no `.entrys`; nearest: `.entries`\n{typed}"
    );
    assert_refused(&["why", &file, "__main__.cache.entrys"], &words);
    assert_refused(&["tree", &file, "--from", "__main__.cache.entrys"], &words);
    let words = "\
error: `0xnothing` is not an address: expected up to 16 hexadecimal digits after `0x`
hint: An address looks like 0x7f3c5a0b1e40.";
    assert_refused(&["why", &file, "0xnothing"], words);
    let words = "\
error: no object begins at 0x1
hint: Objects come and go: take a snapshot, and ask about addresses that it names.";
    assert_refused(&["why", &file, "0x1"], words);
    let words = "\
error: no instance of `Gone` is alive
hint: --from takes a path to one object, or 0xADDRESS.";
    assert_refused(&["tree", &file, "--from", "Gone"], words);

    // One of many can be taken as it is printed.
    let outcome = deadweight(&["tree", &file, "--from", "UserRecord"]);
    let words = "error: `UserRecord` leads to 20,000 objects\n\
                 hint: --from takes a path to one object, or an address: ";
    let rest = outcome.err.strip_prefix(words).expect(&outcome.err);
    let address = rest.split(' ').next().unwrap();
    assert!(printed(&["tree", &file, "--from", address]).contains("UserRecord"), "{address}");
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(2), ""));
    let words = "\
error: --shallow does not work out what is retained
hint: Sort by held, getsizeof, count or name, or leave out --shallow.";
    assert_refused(&["census", &file, "--shallow", "--sort", "retained"], words);
}

/// Without the module a name leads nowhere, and where it leads is said.
#[test]
fn paths_that_lack_their_module() {
    let program = Program::leaky();
    let hint = "hint: docs/paths.md has the grammar of paths.";
    for (typed, meant) in [
        ("callbacks", "__main__.callbacks"),
        ("cache.entries", "__main__.cache.entries"),
        ("leaky.cache.entries", "__main__.cache.entries"),
    ] {
        let words = format!(
            "error: no type and no module is called `{typed}`; a path begins with a module: `{meant}`\n{hint}"
        );
        assert_refused(&["why", &program.pid(), typed], &words);
        printed(&["why", &program.pid(), meant]);
    }
}

/// What was not recorded may be there.
#[test]
fn keys_that_were_not_kept() {
    let program = Program::leaky();
    let pid = program.pid();
    let words = "\
error: `__main__.teams` (dict, entries: 2, keys or elements: 2): none of its keys was kept, so `['red']` \
cannot be looked up
hint: `__main__.teams[#0]` is the first value, and so on; --values keeps keys that are short strings.";
    assert_refused(&["why", &pid, "__main__.teams['red']"], words);
    printed(&["why", &pid, "__main__.teams[#0]"]);
    printed(&["why", &pid, "__main__.teams['red']", "--values"]);
    let outcome = deadweight(&["why", &pid, "__main__.teams['rod']", "--values"]);
    assert!(outcome.err.contains("has no `['rod']`; nearest: `['red']`"), "{}", outcome.err);
    let outcome = deadweight(&["why", &pid, "__main__.cache.entries[5]", "--values"]);
    let words = "none of its keys was kept, so `[5]` cannot be looked up\n\
                 hint: `__main__.cache.entries[#0]` is the first value";
    assert!(outcome.err.contains(words), "{}", outcome.err);
}

/// An int among keys that are texts: `--values` keeps the texts alone.
#[test]
fn a_key_among_others_that_was_not_kept() {
    let script = "
hold = {'acme': [1], 5: [2]}
print('ready', flush=True)
input()";
    let program = Program::python(script);
    let words = "\
error: `__main__.hold` (dict, entries: 2, keys or elements: 2): only some of its keys were kept, so `[5]` \
cannot be looked up
hint: `__main__.hold[#0]` is the first value, and so on; --values keeps keys that are short strings.";
    assert_refused(&["why", &program.pid(), "__main__.hold[5]", "--values"], words);
    printed(&["why", &program.pid(), "__main__.hold[#1]"]);
}

#[test]
fn garbage_where_there_is_none() {
    let words = "\
error: there is no `<garbage not yet collected>` here
hint: `deadweight tree` names what holds something here.";
    let program = Program::python("import gc\ngc.collect()\nprint('ready', flush=True)\ninput()");
    assert_refused(&["why", &program.pid(), "<garbage not yet collected>"], words);
}

/// What ends in a digit after a dot, and is below 3.10.
#[test]
fn a_python_that_is_too_old() {
    let folder = Folder::new("old-python");
    let program = folder.file("python3.6");
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    std::fs::copy(shell, &program).unwrap();
    let old = Program::start(Command::new(&program).args(["-c", "echo ready; read line"]));
    let words = format!(
        "\
error: process {} ({program}) is not a Python program that deadweight can read: it runs Python 3.6
hint: Python 3.10 or newer is needed: deadweight reads CPython 3.10 to 3.15.",
        old.pid()
    );
    assert_refused(&["weigh", &old.pid()], &words);
}

#[test]
fn a_wrapper_names_the_pythons_it_has_started() {
    let line = "\"$0\" -I -c 'import sys; print(\"ready\", flush=True); sys.stdin.read()'; true";
    let shell = Program::start(Command::new("sh").args(["-c", line, crate::program::python()]));
    let outcome = deadweight(&["weigh", &shell.pid()]);
    let (_, hint) = outcome
        .err
        .split_once("\nhint: Give the number of a Python process that it started: ")
        .expect(&outcome.err);
    let child = hint.trim_end().trim_end_matches('.');
    assert!(printed(&["weigh", child]).starts_with("Python "), "{child}");
}

/// Nobody means to start a program of that name.
#[test]
fn an_option_that_is_not_there_gets_no_tip_to_start_it() {
    let outcome = deadweight(&["weigh", "--tpo", "3", "1"]);
    assert!(
        outcome.err.starts_with("error: unexpected argument '--tpo' found\n"),
        "{}",
        outcome.err
    );
    assert!(!outcome.err.contains("tip:"), "{}", outcome.err);
}

#[test]
fn command_lines_that_make_no_sense() {
    let words = "\
error: nothing to look at was given
hint: Give a process number, a snapshot, or, after `--`, a program to start, as in `-- python app.py`.";
    for arguments in [&["weigh"][..], &["tree"], &["weigh", ""], &["snapshot", "--after", "1s"]] {
        assert_refused(arguments, words);
    }
    for (arguments, wanted) in [
        (&["wiegh", "1"][..], "a similar subcommand exists: 'weigh'"),
        (&["weigh", "1", "--bogus"], "unexpected argument '--bogus' found"),
        (&["weigh", "1", "--top", "many"], "invalid value 'many' for '--top <N>'"),
        (&["weigh", "1", "--max-pause", "soon"], "expected a time with its unit, such as 5s"),
        (&["weigh", "1", "--max-pause", "500"], "expected a time with its unit, such as 5s"),
        (&["weigh", "python3", "a.py"], "start a program: 'deadweight weigh -- python3 a.py'"),
        (&["census", "python3", "-m", "x"], "start a program: 'deadweight census -- python3 -m x'"),
        (
            &["weigh", "--after", "1s", "python3", "a.py"],
            "start a program: 'deadweight weigh --after 1s -- python3 a.py'",
        ),
        (&["tree", "1", "Order"], "to begin there: 'deadweight tree 1 --from Order'"),
        (
            &["why", "--after", "1s", "--", "python3"],
            "'why' starts no program: 'deadweight snapshot",
        ),
        (
            &["why", "Order", "1"],
            "hint: The process or file comes first: `deadweight why 1 Order`.",
        ),
        (&["weigh", "1", "--after", "5s"], "cannot be used with"),
        (&["tree", "1", "--least", "101"], "expected per cent: a number from 0 to 100"),
        (&["-q", "-v", "weigh", "1"], "cannot be used with '--verbose'"),
        (&[], "Usage: deadweight"),
    ] {
        let outcome = deadweight(arguments);
        assert!(outcome.err.contains(wanted), "{arguments:?}: {}", outcome.err);
        assert_eq!((outcome.code, outcome.out.as_str()), (Some(2), ""), "{arguments:?}");
    }
}

#[test]
fn interpreters_that_cannot_say_sizes() {
    let words = "\
error: cannot start /no/python: No such file or directory (os error 2)
hint: --python takes the path of an interpreter.";
    assert_refused(&["sizes", "--python", "/no/python"], words);
    let python = crate::program::python();
    let outcome = deadweight(&["sizes", "--python", python, "no_such_module.Type"]);
    assert!(outcome.err.contains("No module named 'no_such_module'"), "{}", outcome.err);
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(2), ""));
    let words = format!(
        "\
error: {python} could not make the specimens: Order: module 'builtins' has no attribute 'Order'
hint: A type that is no builtin needs its module: `deadweight sizes collections.deque`. Those of a \
program of yours: `deadweight census PID`."
    );
    assert_refused(&["sizes", "--python", python, "Order"], &words);

    let outcome = deadweight(&["sizes", "--python", python, "functools.partial"]);
    assert!(outcome.err.contains("hint: Specimens are made without arguments"), "{}", outcome.err);

    // What starts an interpreter may have more than a line to say.
    let folder = Folder::new("shim");
    let shim = folder.file("python3");
    let script = "#!/bin/sh\necho 'python3: command not found' >&2\nprintf '\\n  one of several lines\\n' >&2\nexit 127\n";
    std::fs::write(&shim, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&shim, mode).unwrap();
    let words = format!(
        "\
error: {shim} could not make the specimens: python3: command not found
hint: --python takes the path of an interpreter."
    );
    assert_refused(&["sizes", "--python", &shim], &words);
}

#[test]
fn a_pause_that_is_not_allowed() {
    let mut program = Program::leaky();
    let outcome = deadweight(&["weigh", &program.pid(), "--max-pause", "0.01ms"]);
    assert!(outcome.err.starts_with("error: gave up after 10µs, w"), "{}", outcome.err);
    let end = "; the process was let go on\n\
hint: Allow a longer pause, or try again when the machine is less busy.\n";
    assert!(outcome.err.ends_with(end), "{}", outcome.err);
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(2), ""));
    program.assert_answers();
}

#[test]
fn files_that_cannot_be_written() {
    let folder = Folder::new("output");
    let program = Program::leaky();
    let pid = program.pid();
    let file = folder.file("there.dwsnap");
    std::fs::write(&file, "precious").unwrap();
    let words = format!("error: {file} is there already\nhint: --force replaces it.");
    assert_refused(&["snapshot", &pid, "-o", &file], &words);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    printed(&["snapshot", &pid, "-o", &file, "--force"]);
    assert!(printed(&["weigh", &file]).contains("UserRecord"));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let here = folder.0.to_str().unwrap();
    let words =
        format!("error: {here} is a directory\nhint: -o takes the name of the file to write.");
    assert_refused(&["snapshot", &pid, "-o", here, "-f"], &words);
    let words = "\
error: a snapshot cannot be written to stdout
hint: -o takes the name of the file to write; `-o ./-` writes one called `-`.";
    assert_refused(&["snapshot", &pid, "-o", "-"], words);
    let nowhere = folder.file("no/such.dwsnap");
    let words = format!(
        "error: cannot write {nowhere}: No such file or directory (os error 2)\nhint: Make the directory first."
    );
    assert_refused(&["snapshot", &pid, "-o", &nowhere], &words);
    assert_eq!(folder.names(), ["there.dwsnap"]);
}

/// The same as the program, at a place where everybody may run it.
fn for_everybody(folder: &Folder) -> String {
    use std::os::unix::fs::PermissionsExt;
    let program = folder.file("deadweight");
    std::fs::copy(env!("CARGO_BIN_EXE_deadweight"), &program).unwrap();
    std::fs::set_permissions(&folder.0, PermissionsExt::from_mode(0o755)).unwrap();
    program
}

#[test]
fn another_users_process_and_directory() {
    if !is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let folder = Folder::new("nobody");
    let ours = for_everybody(&folder);
    let mut program = Program::leaky();
    let mut as_nobody = Command::new(&ours);
    let outcome = as_nobody.args(["weigh", &program.pid()]).uid(NOBODY).gid(NOBODY).output();
    let words = format!(
        "\
error: not permitted to look at process {}: it belongs to user 0, and we are user 65534
hint: Run deadweight with sudo, or as user 0.",
        program.pid()
    );
    assert_failed(&outcome.unwrap().into(), &words);

    let file = folder.file("a.dwsnap");
    let mut as_nobody = Command::new(&ours);
    as_nobody.args(["snapshot", &program.pid(), "-o", &file]).uid(NOBODY).gid(NOBODY);
    let words = format!(
        "\
error: cannot write {file}: Permission denied (os error 13)
hint: Run as the user who may, or name a file elsewhere."
    );
    assert_failed(&as_nobody.output().unwrap().into(), &words);
    assert_eq!(folder.names(), ["deadweight"]);
    program.assert_answers();
}

/// A small file system of its own, unmounted when dropped.
struct SmallDisk(Folder);

impl SmallDisk {
    fn mount() -> Option<SmallDisk> {
        let folder = Folder::new("disk");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&folder.0);
        mount.output().is_ok_and(|output| output.status.success()).then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg(&self.0.0).status();
    }
}

#[test]
fn a_full_disk() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: a file system can be mounted here by nobody or by root only");
        return;
    };
    let file = disk.0.file("a.dwsnap");
    let words = format!(
        "\
error: cannot write {file}: No space left on device (os error 28)
hint: Make room, or name a file on another disk. Nothing was left behind."
    );
    let mut program = Program::leaky();
    assert_refused(&["snapshot", &program.pid(), "-o", &file], &words);
    assert_eq!(disk.0.names(), [""; 0]);
    program.assert_answers();
}

/// Whenever we are told to end, the target goes on, and there is a whole file or none.
#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let folder = Folder::new("interrupted");
    let mut program = Program::leaky();
    let mut whole = 0;
    for round in 0..20_u64 {
        let file = folder.file("a.dwsnap");
        let verb = if round % 4 == 0 { "weigh" } else { "snapshot" };
        let output = ["-o", &file];
        let mut ours = command(&[verb, &program.pid()]);
        if verb == "snapshot" {
            ours.args(output);
        }
        let mut ours = ours
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(20 * round));
        let signal = if round % 2 == 0 { "INT" } else { "TERM" };
        let line = format!("kill -{signal} {}", ours.id());
        let _ended_already = Command::new("sh").args(["-c", &line]).output();
        ours.wait().unwrap();
        program.assert_answers();
        if Path::new(&file).exists() {
            whole += 1;
            assert!(printed(&["census", &file, "--shallow"]).contains("UserRecord"));
            std::fs::remove_file(&file).unwrap();
        }
        assert_eq!(folder.names(), [""; 0], "round {round}");
    }
    assert!(whole < 20, "every run ended before its signal");
}

/// Nor with `--force`: renamed over `/dev/null`, a snapshot would be in everybody's way.
#[test]
fn a_device_or_a_pipe_is_never_replaced() {
    let target = Program::python("import sys; print('ready', flush=True); sys.stdin.read()");
    let folder = Folder::new("pipe");
    let pipe = folder.file("pipe.dwsnap");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let words = format!(
        "error: {pipe} is a device or a pipe\nhint: -o takes the name of the file to write."
    );
    assert_refused(&["snapshot", "--force", &target.pid(), "-o", &pipe], &words);
    assert_eq!(folder.names(), ["pipe.dwsnap"]);
    let kind = std::fs::metadata(&pipe).unwrap().file_type();
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&kind));
}

/// A name comes from the target, or from a file that anybody may have made.
#[test]
fn names_in_errors_do_not_reach_the_terminal_as_commands() {
    let target = Program::python(
        r"
import sys
kept = type('Odd\x1b[31m', (), {})()
print('ready', flush=True)
sys.stdin.read()",
    );
    let outcome = deadweight(&["why", &target.pid(), "Odd"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.err.contains(r"nearest: `__main__.Odd\u{1b}[31m`"), "{}", outcome.err);
}
