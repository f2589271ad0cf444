//! What is compressed, as a stream of what is in it. How it is compressed is told by its first bytes, not by
//! its name.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use crate::error::FilesError;
use crate::source::Source;

/// How much a compressed file may have in it unless one says otherwise: more than anybody has on disk.
pub const MOST_UNPACKED: u64 = 1_000_000_000_000;

/// What an xz file may want for what it refers back to; `xz -9` makes files that want half of it.
const XZ_MEMORY: u64 = 128 << 20;

/// So many bytes tell them apart.
const HEAD: usize = 10;

#[derive(Clone, Copy)]
enum Format {
    Gzip,
    Zstandard,
    Bzip2,
    Xz,
}

impl Format {
    fn of(head: &[u8]) -> Option<Format> {
        match head {
            // RFC 1952: deflate is the only method there is.
            [0x1f, 0x8b, 8, ..] => Some(Format::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Format::Zstandard),
            // A block, or the end of one that has none; without that it may be text.
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
                if rest == b"\x31\x41\x59\x26\x53\x59" || rest == b"\x17\x72\x45\x38\x50\x90" =>
            {
                Some(Format::Bzip2)
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Format::Xz),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Format::Gzip => "gzip",
            Format::Zstandard => "Zstandard",
            Format::Bzip2 => "bzip2",
            Format::Xz => "xz",
        }
    }

    fn decoder(self, from: Counted) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Format::Gzip => Box::new(MultiGzDecoder::new(from)),
            Format::Zstandard => Box::new(zstd::Decoder::new(from)?),
            Format::Bzip2 => Box::new(MultiBzDecoder::new(from)),
            Format::Xz => {
                let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED)?;
                Box::new(XzDecoder::new_stream(from, stream))
            }
        })
    }
}

impl Source {
    /// What is in it if it is gzip, Zstandard, bzip2 or xz, up to `most` bytes; else itself. Several that
    /// follow one another are one. Offsets are those of what is in it.
    ///
    /// # Errors
    /// If it cannot be read. While what this returns is read: if it is damaged, ends before its end, or has
    /// more in it than `most`.
    pub fn unpacked(mut self, most: u64) -> Result<Source, FilesError> {
        let mut head = Vec::with_capacity(HEAD);
        let mut buffer = [0; HEAD];
        loop {
            match self.read(&mut buffer[..HEAD - head.len()])? {
                Some(0) => break,
                Some(count) => head.extend_from_slice(&buffer[..count]),
                None => {}
            }
            if head.len() == HEAD {
                break;
            }
        }
        let format = Format::of(&head);
        let source = self.back_at_start(head);
        let Some(format) = format else { return Ok(source) };
        let name = source.name().to_owned();
        let taken = Arc::new(AtomicU64::new(0));
        let from = Counted { source, taken: Arc::clone(&taken) };
        let decoder = format.decoder(from).map_err(|error| FilesError::Io {
            name: name.clone(),
            what: "unpack",
            error,
        })?;
        let unpacked = Unpacked { name: name.clone(), format, decoder, taken, given: 0, most };
        Ok(Source::stream(name, Box::new(unpacked)))
    }
}

/// Packed bytes, and how many of them were taken.
struct Counted {
    source: Source,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buffer) {
            Ok(Some(count)) => {
                self.taken.fetch_add(count as u64, Ordering::Relaxed);
                Ok(count)
            }
            Ok(None) => Err(io::ErrorKind::Interrupted.into()),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

struct Unpacked {
    name: String,
    format: Format,
    decoder: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
    given: u64,
    most: u64,
}

impl Unpacked {
    fn explain(&self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        let (name, format) = (self.name.clone(), self.format.name());
        let offset = self.taken.load(Ordering::Relaxed);
        io::Error::other(match error.downcast::<FilesError>() {
            Ok(error) => error,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                FilesError::CutOff { name, format, offset }
            }
            Err(error) => FilesError::Damaged { name, format, offset, reason: error.to_string() },
        })
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer).map_err(|error| self.explain(error))?;
        self.given += count as u64;
        if self.given > self.most {
            let (name, most) = (self.name.clone(), self.most);
            return Err(io::Error::other(FilesError::TooMuchUnpacked { name, most }));
        }
        Ok(count)
    }
}
