//! What is compressed, as a stream of what is in it. How it is compressed is told by its first bytes, not by
//! its name.

use std::io::{self, BufRead, BufReader, Read};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::read::MultiBzDecoder;
use flate2::bufread::GzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use crate::error::FilesError;
use crate::source::Source;

/// How much a compressed file may have in it unless one says otherwise: more than anybody has on disk.
pub const MOST_UNPACKED: u64 = 1_000_000_000_000;

/// What an xz file may want for what it refers back to; `xz -9` makes files that want half of it.
const XZ_MEMORY: u64 = 128 << 20;

/// So many bytes of gzip are read at once, as `flate2` does itself.
const PACKED: usize = 32 << 10;

/// So many bytes tell them apart.
const HEAD: usize = 10;

/// What every file of a format begins with.
struct Mark {
    format: Format,
    bytes: &'static [u8],
    /// Which byte may be a greater one, and up to which.
    up_to: Option<(usize, u8)>,
}

const MARKS: [Mark; 6] = [
    // RFC 1952: deflate is the only method there is.
    Mark { format: Format::Gzip, bytes: b"\x1f\x8b\x08", up_to: None },
    Mark { format: Format::Zstandard, bytes: b"\x28\xb5\x2f\xfd", up_to: None },
    // RFC 8878: a frame to be skipped, such as an index, may come first.
    Mark { format: Format::Zstandard, bytes: b"\x50\x2a\x4d\x18", up_to: Some((0, 0x5f)) },
    // A block, or the end of one that has none; without that it may be text.
    Mark { format: Format::Bzip2, bytes: b"BZh1\x31\x41\x59\x26\x53\x59", up_to: Some((3, b'9')) },
    Mark { format: Format::Bzip2, bytes: b"BZh1\x17\x72\x45\x38\x50\x90", up_to: Some((3, b'9')) },
    Mark { format: Format::Xz, bytes: b"\xfd7zXZ\0", up_to: None },
];

impl Mark {
    /// Whether one of the two begins with the other.
    fn agrees(&self, head: &[u8]) -> bool {
        let mut pairs = self.bytes.iter().enumerate().zip(head);
        pairs.all(|((at, least), byte)| {
            let most =
                self.up_to.filter(|(place, _)| *place == at).map_or(*least, |(_, most)| most);
            (*least..=most).contains(byte)
        })
    }
}

#[derive(Clone, Copy)]
enum Format {
    Gzip,
    Zstandard,
    Bzip2,
    Xz,
}

impl Format {
    fn of(head: &[u8]) -> Option<Format> {
        let is_whole = |mark: &&Mark| mark.bytes.len() <= head.len() && mark.agrees(head);
        MARKS.iter().find(is_whole).map(|mark| mark.format)
    }

    /// Whether it takes more bytes to tell. Where it does not, none may come for long.
    fn is_open(head: &[u8]) -> bool {
        MARKS.iter().any(|mark| head.len() < mark.bytes.len() && mark.agrees(head))
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
            Format::Gzip => Box::new(Gzip {
                member: Some(GzDecoder::new(BufReader::with_capacity(PACKED, from))),
            }),
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
    /// If a file cannot be read. While what this returns is read: if it is damaged, ends before its end, or
    /// has more in it than `most`.
    pub fn unpacked(self, most: u64) -> Result<Source, FilesError> {
        let name = self.name().to_owned();
        let mut untold = Untold { source: self, head: Some(Vec::with_capacity(HEAD)), most };
        if untold.source.is_stream() {
            // It may be long until its first bytes come.
            return Ok(Source::stream(name, Box::new(untold)));
        }
        while !untold.tell()? {}
        Ok(untold.source)
    }

    fn unpacked_as(self, format: Format, most: u64) -> Result<Source, FilesError> {
        let name = self.name().to_owned();
        let taken = Arc::new(AtomicU64::new(0));
        let from = Counted { source: self, taken: Arc::clone(&taken) };
        let decoder = format.decoder(from).map_err(|error| FilesError::Io {
            name: name.clone(),
            what: "unpack",
            error,
        })?;
        let unpacked = Unpacked { name: name.clone(), format, decoder, taken, given: 0, most };
        Ok(Source::stream(name, Box::new(unpacked)))
    }
}

/// A source until its first bytes have told how it is compressed, then what is in it.
struct Untold {
    source: Source,
    /// `None` once they have.
    head: Option<Vec<u8>>,
    most: u64,
}

impl Untold {
    /// False if a signal came first.
    fn tell(&mut self) -> Result<bool, FilesError> {
        let Some(head) = &mut self.head else { return Ok(true) };
        let mut buffer = [0; HEAD];
        while Format::is_open(head) {
            match self.source.read(&mut buffer[..HEAD - head.len()])? {
                Some(0) => break,
                Some(count) => head.extend_from_slice(&buffer[..count]),
                None => return Ok(false),
            }
        }
        let head = self.head.take().unwrap_or_default();
        let format = Format::of(&head);
        let nothing = Source::stream("", Box::new(io::empty()));
        let source = mem::replace(&mut self.source, nothing).back_at_start(head);
        self.source = match format {
            Some(format) => source.unpacked_as(format, self.most)?,
            None => source,
        };
        Ok(true)
    }
}

impl Read for Untold {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.tell().map_err(io::Error::other)? {
            give(&mut self.source, buffer)
        } else {
            Err(io::ErrorKind::Interrupted.into())
        }
    }
}

/// What a source has, as a reader gives it.
fn give(source: &mut Source, buffer: &mut [u8]) -> io::Result<usize> {
    match source.read(buffer) {
        Ok(Some(count)) => Ok(count),
        Ok(None) => Err(io::ErrorKind::Interrupted.into()),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Packed bytes, and how many of them were taken.
struct Counted {
    source: Source,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Readers of headers take `Interrupted` for a reason to try again, and nobody would be asked meanwhile.
        let count = give(&mut self.source, buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => io::ErrorKind::WouldBlock.into(),
            _ => error,
        })?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Members of gzip, with zeros after them or not: tapes have such, and `gzip` takes them.
struct Gzip {
    /// `None` only while the next is made of it.
    member: Option<GzDecoder<BufReader<Counted>>>,
}

impl Read for Gzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else { return Ok(0) };
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match after_zeros(member.get_mut())? {
                None => return Ok(0),
                Some(0x1f) => {
                    let packed = self.member.take().map(GzDecoder::into_inner);
                    self.member = packed.map(GzDecoder::new);
                }
                Some(_) => return Err(io::Error::other("what follows its end is no gzip")),
            }
        }
    }
}

/// The next byte that is none, if there is one.
fn after_zeros(packed: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let rest = packed.fill_buf()?;
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        let next = rest.get(zeros).copied();
        packed.consume(zeros);
        if next.is_some() || zeros == 0 {
            return Ok(next);
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
        if error.kind() == io::ErrorKind::WouldBlock {
            return io::ErrorKind::Interrupted.into();
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
