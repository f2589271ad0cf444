//! `deadweight snapshot`: a capture into a file, written beside and renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use deadweight_heap::{Bytes, Capture, snapshot};
use deadweight_report::numbers::size;

use crate::args::{Snapshot, Talk};
use crate::exit::Failure;
use crate::target::each_capture;

pub(crate) fn run(args: &Snapshot, talk: &Talk) -> Result<(), Failure> {
    if let Some(path) = &args.output {
        refuse_to_replace(path, args.force)?;
    }
    each_capture(&args.target, talk, |capture, mut progress| {
        let default = || PathBuf::from(format!("deadweight-{}.dwsnap", capture.provenance.pid));
        let path = args.output.clone().unwrap_or_else(default);
        refuse_to_replace(&path, args.force)?;
        progress.stage("writing the snapshot");
        let bytes = save(&capture, &path)?;
        drop(progress);
        if !talk.quiet {
            say(&path, bytes, &capture);
        }
        Ok(())
    })
}

fn refuse_to_replace(path: &Path, force: bool) -> Result<(), Failure> {
    if !force && path.exists() {
        return Err(Failure::new(format!("{} is there already", path.display()))
            .with_hint("--force replaces it."));
    }
    Ok(())
}

/// Writes to a file beside the real one, readable by its owner only, and renames it when it is whole.
fn save(capture: &Capture, path: &Path) -> Result<Bytes, Failure> {
    let Some(name) = path.file_name() else {
        return Err(Failure::new(format!("{} is no file name", path.display())));
    };
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = write_whole(capture, &beside).and_then(|bytes| {
        fs::rename(&beside, path)?;
        Ok(bytes)
    });
    written.map_err(|error| {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&beside);
        Failure::of_file(path, "write", &error)
    })
}

fn write_whole(capture: &Capture, path: &Path) -> io::Result<Bytes> {
    let file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut writer = BufWriter::new(file);
    snapshot::write(capture, &mut writer)?;
    writer.flush()?;
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(Bytes(file.metadata()?.len()))
}

#[expect(clippy::print_stderr, reason = "a note to the person; there is no report")]
fn say(path: &Path, bytes: Bytes, capture: &Capture) {
    let objects = deadweight_report::numbers::rough_count(capture.heap.objects());
    eprintln!("{}: {objects} objects, {}", path.display(), size(bytes));
}
