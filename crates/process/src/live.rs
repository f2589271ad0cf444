//! A copy of the memory of a live process, with what was learnt about it on the way.

use std::ops::Range;
use std::time::Duration;

use deadweight_heap::{Addr, Bytes};

use crate::areas::Area;
use crate::contents::Contents;
use crate::images::{self, Image, Symbol};
use crate::maps::{self, Mapping};
use crate::memory::{Memory, Region};
use crate::pages::{PageSource, Pages};
use crate::pause::Thread;
use crate::smaps::Rollup;

/// The memory of a process as it was while it stood still. Made by [`LiveCopy::take`]; dropped, it gives
/// its memory back.
///
/// All numbers are of the same moment: no page was written between the first thing listed and the last
/// byte copied.
#[derive(Debug)]
pub struct LiveCopy {
    pub(crate) pid: u32,
    pub(crate) command: Vec<String>,
    pub(crate) program: String,
    pub(crate) pause: Duration,
    pub(crate) copied: Bytes,
    pub(crate) vanished: Bytes,
    pub(crate) threads: Vec<Thread>,
    pub(crate) rollup: Option<Rollup>,
    pub(crate) maps: Vec<Mapping>,
    pub(crate) pages: Pages,
    pub(crate) images: Vec<Image>,
    pub(crate) areas: Vec<Area>,
    pub(crate) regions: Vec<Region>,
    pub(crate) contents: Contents,
}

impl Memory for LiveCopy {
    /// Copied pages are lent as they lie in the copy. Pages that are the same as their file are read
    /// from it, and static data that was never written reads as zeros. Other memory that was never
    /// written is not there.
    #[inline]
    fn bytes<'a>(&'a self, addr: Addr, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        self.contents.bytes(addr, len, scratch)
    }

    #[inline]
    fn array<const N: usize>(&self, addr: Addr) -> Option<[u8; N]> {
        self.contents.array(addr)
    }

    #[inline]
    fn prefetch(&self, addr: Addr) {
        self.contents.prefetch(addr);
    }

    /// Copied private memory, and the data of images: what of it was written and what still is as in
    /// the file. Not static zeros that were never written, nor code and constants.
    fn regions(&self) -> &[Region] {
        &self.regions
    }

    fn is_mapped(&self, start: Addr, len: u64) -> bool {
        maps::cover(&self.maps, start, len)
    }
}

impl LiveCopy {
    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its command line.
    #[must_use]
    pub fn command(&self) -> &[String] {
        &self.command
    }

    /// The path of the program file, in the target's file system.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// For how long the process stood still; in all, if it had outgrown the room made for it and had to
    /// be stopped again.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Bytes copied during the pause.
    #[must_use]
    pub fn copied(&self) -> Bytes {
        self.copied
    }

    /// What was copied during the pause, by address: what the pause has to be measured against.
    pub fn copied_ranges(&self) -> impl Iterator<Item = Range<Addr>> {
        self.contents.copied().map(|range| Addr(range.start)..Addr(range.end))
    }

    /// Bytes that were listed, but could not be read.
    #[must_use]
    pub fn vanished(&self) -> Bytes {
        self.vanished
    }

    /// How the page facts were had; [`PageSource::Mappings`] means that resident bytes are exact for
    /// whole mappings only.
    #[must_use]
    pub fn page_source(&self) -> PageSource {
        self.pages.source
    }

    /// The threads as they stood; the main thread first.
    #[must_use]
    pub fn threads(&self) -> &[Thread] {
        &self.threads
    }

    /// The kernel's own sums, of the same moment; `None` where it has none (before Linux 4.14).
    #[must_use]
    pub fn rollup(&self) -> Option<Rollup> {
        self.rollup
    }

    /// The memory map.
    #[must_use]
    pub fn maps(&self) -> &[Mapping] {
        &self.maps
    }

    /// What each stretch of memory is for, by address. The resident bytes of all areas add up to
    /// [`Rollup::rss`].
    #[must_use]
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// Resident bytes of any range: those on pages that are in memory.
    #[must_use]
    pub fn resident(&self, start: Addr, len: Bytes) -> Bytes {
        Bytes(self.pages.resident(start.0..start.0.saturating_add(len.0)))
    }

    /// The program and its libraries, by address. [`RegionKind::Image`](crate::RegionKind::Image) and
    /// [`AreaKind`](crate::AreaKind) give their numbers in this list.
    #[must_use]
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// A symbol, by its exact name: of the program, else of libpython, else of any library.
    ///
    /// A name that is nowhere costs a look into every library; see [`LiveCopy::symbol_in`].
    #[must_use]
    pub fn find_symbol(&self, name: &str) -> Option<Symbol> {
        images::find_symbol(&self.images, name)
    }

    /// A symbol of one image, by its number.
    #[must_use]
    pub fn symbol_in(&self, image: u32, name: &str) -> Option<Symbol> {
        images::symbol_in(&self.images, image, name)
    }

    /// A section of one image, by its number.
    #[must_use]
    pub fn section_in(&self, image: u32, name: &str) -> Option<Symbol> {
        images::section_in(&self.images, image, name)
    }

    /// A section such as `.PyRuntime`: of the program, else of libpython, else of any library.
    #[must_use]
    pub fn find_section(&self, name: &str) -> Option<Symbol> {
        images::find_section(&self.images, name)
    }
}
