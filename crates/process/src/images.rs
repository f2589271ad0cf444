//! The programs and libraries of a process: which files they are, where they lie, and what of them
//! can be written to.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use deadweight_heap::{Addr, Bytes};

use crate::PAGE;
use crate::elf::{self, Layout};
use crate::files::MappedFiles;
use crate::maps::{FileId, Mapping};

/// A program or library, loaded.
#[derive(Debug)]
pub struct Image {
    /// Its path in the target's file system.
    pub path: PathBuf,
    /// What is added to the addresses that the file was linked for.
    pub bias: u64,
    /// Whether it is the program itself, rather than a library.
    pub is_program: bool,
    /// What can be, or could be, written to: sorted, in whole pages, not overlapping.
    pub parts: Vec<ImagePart>,
    /// All of it, in whole pages.
    pub(crate) span: Range<u64>,
    pub(crate) id: FileId,
    file: Arc<File>,
}

/// A stretch of an image's own data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImagePart {
    /// First byte.
    pub start: Addr,
    /// One past the last byte.
    pub end: Addr,
    /// Which sort.
    pub kind: PartKind,
}

/// The sorts of data in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// Written by the loader, read-only since: tables of pointers.
    Relro,
    /// Initialised data (its last page can hold the first zeros).
    Data,
    /// Data that starts as zeros, and has no file.
    Bss,
}

/// Where a symbol or section is, in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// First byte.
    pub addr: Addr,
    /// As the file says; 0 if it does not.
    pub size: Bytes,
    /// The image it is of, by number.
    pub image: u32,
}

impl Image {
    /// A symbol of this image, by its exact name, among the dynamic symbols and then among all.
    fn symbol(&self, name: &str) -> Option<(Addr, Bytes)> {
        self.relocate(elf::symbol(&self.file, name)?)
    }

    /// A section of this image, such as `.rodata`.
    fn section(&self, name: &str) -> Option<(Addr, Bytes)> {
        self.relocate(elf::section(&self.file, name)?)
    }

    /// A file can say anything: what is not within the image is not there.
    fn relocate(&self, range: Range<u64>) -> Option<(Addr, Bytes)> {
        let start = range.start.wrapping_add(self.bias);
        let end = range.end.wrapping_add(self.bias);
        let inside = self.span.start <= start && start <= end && end <= self.span.end;
        inside.then_some((Addr(start), Bytes(end - start)))
    }

    /// An image of which only the place matters.
    #[cfg(test)]
    pub(crate) fn for_test(id: FileId, span: Range<u64>, parts: Vec<ImagePart>) -> Image {
        let file = Arc::new(File::open("/dev/null").unwrap());
        Image { path: PathBuf::new(), bias: span.start, is_program: false, parts, span, id, file }
    }

    /// Whether it is the interpreter as a library.
    fn is_libpython(&self) -> bool {
        self.path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"libpython"))
    }
}

/// The images in a map, by address. `program` is the inode of the program file.
pub(crate) fn find(maps: &[Mapping], files: &MappedFiles, program: Option<u64>) -> Vec<Image> {
    let mut images: Vec<Image> = Vec::new();
    let mut tried: Vec<FileId> = Vec::new();
    for mapping in maps.iter().filter(|mapping| mapping.executable() && !mapping.shared()) {
        let (Some(id), Some(file)) = (mapping.file, files.of(mapping)) else { continue };
        if tried.contains(&id) {
            continue;
        }
        tried.push(id);
        let Some(layout) = Layout::read(file) else { continue };
        let of_file: Vec<&Mapping> = maps.iter().filter(|other| other.file == Some(id)).collect();
        images.extend(loads(&layout, &of_file).into_iter().map(|(bias, span)| Image {
            path: mapping.path().unwrap_or("".as_ref()).to_owned(),
            bias,
            is_program: program == Some(id.inode),
            parts: parts(&layout, bias, &span),
            span,
            id,
            file: Arc::clone(file),
        }));
    }
    images.sort_by_key(|image| image.span.start);
    // Spans can only overlap if a file lies about itself: then the first one has it.
    let mut end = 0;
    images.retain(|image| {
        let keep = image.span.start >= end;
        end = end.max(image.span.end);
        keep
    });
    images
}

/// Bias and span of each place where a file is loaded: where its first segment is mapped, and code of
/// it lies where it should from there on. (A program can also map the file to read it.)
fn loads(layout: &Layout, mappings: &[&Mapping]) -> Vec<(u64, Range<u64>)> {
    let Some(first) = layout.segments.iter().min_by_key(|segment| segment.in_memory.start) else {
        return Vec::new();
    };
    let low = page_down(first.in_memory.start);
    let high = layout.segments.iter().map(|segment| segment.in_memory.end).max().unwrap_or(low);
    let Some(high) = page_up(high) else { return Vec::new() };
    let mut loads = Vec::new();
    for mapping in mappings.iter().filter(|mapping| mapping.offset == page_down(first.offset)) {
        let start = mapping.start.0;
        let Some(end) = start.checked_add(high - low) else { continue };
        let has_code = mappings
            .iter()
            .any(|other| other.executable() && (start..end).contains(&other.start.0));
        if has_code {
            loads.push((start.wrapping_sub(low), start..end));
        }
    }
    loads
}

/// The writable segments, cut into what became read-only, data and zeros.
fn parts(layout: &Layout, bias: u64, span: &Range<u64>) -> Vec<ImagePart> {
    let mut parts = Vec::new();
    let mut writable: Vec<_> = layout.segments.iter().filter(|segment| segment.writable).collect();
    writable.sort_by_key(|segment| segment.in_memory.start);
    // The loader protects whole pages: what is left of the last one stays writable.
    let relro_end = layout.relro.as_ref().map_or(0, |relro| page_down(relro.end));
    let mut at = 0;
    for segment in writable {
        let (Some(file_end), Some(end)) =
            (page_up(segment.in_file.end), page_up(segment.in_memory.end))
        else {
            continue;
        };
        at = at.max(page_down(segment.in_memory.start));
        for (kind, end) in [
            (PartKind::Relro, relro_end.min(file_end)),
            (PartKind::Data, file_end),
            (PartKind::Bss, end),
        ] {
            let range = at.wrapping_add(bias)..end.wrapping_add(bias);
            if at < end && span.start <= range.start && range.end <= span.end {
                parts.push(ImagePart { start: Addr(range.start), end: Addr(range.end), kind });
                at = end;
            }
        }
    }
    parts
}

/// The first image that has it: the program, then libpython, then the others. A program that was
/// linked to libpython in the old way has *the* copy of its variables in itself.
fn first_with(images: &[Image], find: impl Fn(&Image) -> Option<(Addr, Bytes)>) -> Option<Symbol> {
    let mut order: Vec<(u32, &Image)> = (0..).zip(images).collect();
    order.sort_by_key(|(_, image)| (!image.is_program, !image.is_libpython()));
    order.into_iter().find_map(|(number, image)| {
        find(image).map(|(addr, size)| Symbol { addr, size, image: number })
    })
}

/// A symbol, in the first image that defines it.
pub(crate) fn find_symbol(images: &[Image], name: &str) -> Option<Symbol> {
    first_with(images, |image| image.symbol(name))
}

/// A section, in the first image that has it.
pub(crate) fn find_section(images: &[Image], name: &str) -> Option<Symbol> {
    first_with(images, |image| image.section(name))
}

/// A symbol of one image.
pub(crate) fn symbol_in(images: &[Image], number: u32, name: &str) -> Option<Symbol> {
    let (addr, size) = images.get(number as usize)?.symbol(name)?;
    Some(Symbol { addr, size, image: number })
}

/// A section of one image.
pub(crate) fn section_in(images: &[Image], number: u32, name: &str) -> Option<Symbol> {
    let (addr, size) = images.get(number as usize)?.section(name)?;
    Some(Symbol { addr, size, image: number })
}

fn page_down(address: u64) -> u64 {
    address / PAGE * PAGE
}

fn page_up(address: u64) -> Option<u64> {
    address.checked_next_multiple_of(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::Segment;

    fn segment(start: u64, in_file: u64, in_memory: u64, writable: bool) -> Segment {
        Segment {
            offset: start,
            in_file: start..start + in_file,
            in_memory: start..start + in_memory,
            writable,
        }
    }

    #[test]
    fn a_writable_segment_is_cut_at_page_borders() {
        let layout = Layout {
            segments: vec![segment(0, 0x800, 0x800, false), segment(0x1d80, 0x2480, 0x6000, true)],
            relro: Some(0x1d80..0x3000),
        };
        let bias = 0x7f00_0000_0000;
        let cut: Vec<_> = parts(&layout, bias, &(bias..bias + 0x8000))
            .iter()
            .map(|part| (part.start.0 - bias, part.end.0 - bias, part.kind))
            .collect();
        assert_eq!(
            cut,
            [
                (0x1000, 0x3000, PartKind::Relro),
                (0x3000, 0x5000, PartKind::Data),
                (0x5000, 0x8000, PartKind::Bss)
            ]
        );
    }

    #[test]
    fn parts_that_lie_outside_of_their_image_are_not_there() {
        let layout = Layout {
            segments: vec![segment(0x1000, 0x1000, 1 << 46, true)],
            relro: Some(0..u64::MAX),
        };
        let cut = parts(&layout, 0, &(0x1000..0x2000));
        assert_eq!(cut.len(), 1);
        assert_eq!(
            (cut[0].start, cut[0].end, cut[0].kind),
            (Addr(0x1000), Addr(0x2000), PartKind::Relro)
        );
        let layout = Layout { segments: vec![segment(u64::MAX - 5, 1, 5, true)], relro: None };
        assert!(parts(&layout, 0, &(0x1000..0x2000)).is_empty());
    }
}
