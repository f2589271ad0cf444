//! Where the text of a source begins: after its byte-order mark.

use crate::error::FilesError;
use crate::windows::{Watch, Windows};

const UTF_8: [u8; 3] = [0xef, 0xbb, 0xbf];
const UTF_16: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

/// Reads the first window, and says how many bytes of it are a byte-order mark. Where a source begins within
/// a file there is none.
pub(crate) fn start(windows: &mut Windows, watch: &mut Watch<'_>) -> Result<usize, FilesError> {
    while is_open(windows.bytes()) && windows.advance(0, watch)? {}
    if windows.offset() > 0 {
        return Ok(0);
    }
    let bytes = windows.bytes();
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(FilesError::Utf16(windows.source().name().to_owned()));
    }
    Ok(if bytes.starts_with(&UTF_8) { UTF_8.len() } else { 0 })
}

/// Whether it takes more bytes to tell. Where it does not, none may come for long.
fn is_open(bytes: &[u8]) -> bool {
    let marks = UTF_16.iter().map(<[u8; 2]>::as_slice).chain([UTF_8.as_slice()]);
    marks.into_iter().any(|mark| bytes.len() < mark.len() && mark.starts_with(bytes))
}
