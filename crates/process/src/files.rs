//! The files a process has mapped, opened so that they are the very files: by path in *its* file
//! system, believed only if the number is the same, or by the kernel's own link to the mapping.

use std::collections::HashMap;
use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::maps::{FileId, Mapping};

/// Open files by their number. `None`: it cannot be had.
#[derive(Debug, Default)]
pub(crate) struct MappedFiles {
    files: HashMap<FileId, Option<Arc<File>>>,
}

impl MappedFiles {
    /// Opens the files of all private mappings that were not tried before. Shared ones are not read:
    /// objects do not live there.
    pub(crate) fn open(&mut self, pid: u32, maps: &[Mapping]) {
        for mapping in maps.iter().filter(|mapping| !mapping.shared()) {
            if let Some(id) = mapping.file {
                self.files.entry(id).or_insert_with(|| open(pid, mapping, id).map(Arc::new));
            }
        }
    }

    /// The file of a mapping, if it is open.
    pub(crate) fn of(&self, mapping: &Mapping) -> Option<&Arc<File>> {
        self.files.get(&mapping.file?)?.as_ref()
    }
}

fn open(pid: u32, mapping: &Mapping, id: FileId) -> Option<File> {
    let path = mapping.path()?.strip_prefix("/").ok()?;
    let in_its_root = Path::new("/proc").join(pid.to_string()).join("root").join(path);
    // The kernel leads these two to the file itself, however it is called by now: the first for
    // everyone who may look at the process, the second for CAP_CHECKPOINT_RESTORE and
    // CAP_SYS_ADMIN only.
    let executable = PathBuf::from(format!("/proc/{pid}/exe"));
    let of_mapping =
        PathBuf::from(format!("/proc/{pid}/map_files/{:x}-{:x}", mapping.start.0, mapping.end.0));
    [in_its_root, executable, of_mapping].into_iter().find_map(|path| open_if(&path, id))
}

/// Opens a path if it leads to that regular file. Looked at before it is opened, because to open a
/// device or a pipe can do things, and after, because the path can change in between.
///
/// The device is not compared: on btrfs and overlayfs the map shows another one than `stat`.
fn open_if(path: &Path, id: FileId) -> Option<File> {
    let is_it = |data: &Metadata| data.is_file() && data.ino() == id.inode;
    std::fs::metadata(path).ok().filter(is_it)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .ok()?;
    file.metadata().is_ok_and(|data| is_it(&data)).then_some(file)
}
