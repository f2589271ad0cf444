//! `deadweight snapshot`: a capture into a file, written beside and renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use deadweight_heap::{Bytes, Capture, snapshot};
use deadweight_process::Interruption;
use deadweight_report::{json, text, view};

use crate::args::{Snapshot, Talk};
use crate::exit::Failure;
use crate::target::each_capture;

pub(crate) fn run(args: &Snapshot, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    // What can be known before a process is stopped for nothing.
    if let Some(path) = &args.output {
        refuse_to_replace(path, args.force)?;
        try_to_write(path)?;
    }
    let mut looks = 0;
    each_capture(&args.target, args.json, talk, |capture, mut progress| {
        let default = || PathBuf::from(format!("deadweight-{}.dwsnap", capture.provenance.pid));
        looks += 1;
        let path = of_look(args.output.clone().unwrap_or_else(default), looks);
        refuse_to_replace(&path, args.force)?;
        progress.stage("writing the snapshot");
        let saved = save_unless(&capture, &path, Some(&Interruption::watch()));
        let size = saved.map_err(|error| Failure::of_file(&path, "write", &error))?;
        drop(progress);
        let view = view::Saved { capture: &capture, file: &path, size };
        if args.json {
            json::snapshot(&view, out)?;
        } else {
            text::snapshot(&view, out)?;
        }
        Ok(out.flush()?)
    })
}

/// With `--on` there is a snapshot a signal: `web.dwsnap`, `web-2.dwsnap` and so on.
fn of_look(path: PathBuf, look: u32) -> PathBuf {
    if look == 1 {
        return path;
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{look}"));
    let numbered = path.with_file_name(name);
    match path.extension() {
        Some(extension) => numbered.with_added_extension(extension),
        None => numbered,
    }
}

fn refuse_to_replace(path: &Path, force: bool) -> Result<(), Failure> {
    if path == Path::new("-") {
        return Err(Failure::new("a snapshot cannot be written to stdout")
            .with_hint("-o takes the name of the file to write; `-o ./-` writes one called `-`."));
    }
    if path.is_dir() {
        return Err(Failure::new(format!("{} is a directory", path.display()))
            .with_hint("-o takes the name of the file to write."));
    }
    // Renamed over, a device would be gone: for everybody, if we are root.
    if fs::metadata(path).is_ok_and(|data| !data.is_file()) {
        return Err(Failure::new(format!("{} is a device or a pipe", path.display()))
            .with_hint("-o takes the name of the file to write."));
    }
    if !force && path.exists() {
        return Err(Failure::new(format!("{} is there already", path.display()))
            .with_hint("--force replaces it."));
    }
    Ok(())
}

/// Whether a file can be made there: makes one beside it, and takes it away again.
fn try_to_write(path: &Path) -> Result<(), Failure> {
    let beside = beside(path);
    let made = create(&beside).and_then(|_| fs::remove_file(&beside));
    made.map_err(|error| {
        let failure = Failure::of_file(path, "write", &error);
        match error.kind() {
            io::ErrorKind::NotFound => failure.with_hint("Make the directory first."),
            _ => failure,
        }
    })
}

/// Writes to a file beside the real one, readable by its owner only, and renames it when it is whole.
/// Gives the size of the file.
///
/// # Errors
/// If it cannot be written.
pub fn save(capture: &Capture, path: &Path) -> io::Result<Bytes> {
    save_unless(capture, path, None)
}

/// The same, given up once somebody asks the program to end.
fn save_unless(
    capture: &Capture,
    path: &Path,
    interruption: Option<&Interruption>,
) -> io::Result<Bytes> {
    let beside = beside(path);
    let written = write_whole(capture, &beside, interruption).and_then(|bytes| {
        fs::rename(&beside, path)?;
        Ok(bytes)
    });
    written.inspect_err(|_| {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&beside);
    })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn write_whole(
    capture: &Capture,
    path: &Path,
    interruption: Option<&Interruption>,
) -> io::Result<Bytes> {
    let mut writer = BufWriter::new(Interruptible { file: create(path)?, interruption });
    snapshot::write(capture, &mut writer)?;
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?.file;
    file.sync_all()?;
    if came(interruption) {
        return Err(interrupted());
    }
    Ok(Bytes(file.metadata()?.len()))
}

/// A file that is written no further once somebody asks us to end.
struct Interruptible<'a> {
    file: File,
    interruption: Option<&'a Interruption>,
}

impl Write for Interruptible<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if came(self.interruption) {
            return Err(interrupted());
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn came(interruption: Option<&Interruption>) -> bool {
    interruption.is_some_and(Interruption::came)
}

/// Not of the kind `Interrupted`, which means "try again".
fn interrupted() -> io::Error {
    io::Error::other("interrupted; nothing was left behind")
}
