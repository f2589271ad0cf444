//! What each stretch of memory is for, and how much of it is resident.
//!
//! A mapping of the kernel can be more than one thing: it joins neighbours that are alike, such as the
//! zeros of a library and a heap after them. Areas are mappings, cut where an image's own data ends.

use std::collections::HashMap;

use deadweight_heap::{Addr, Bytes};

use crate::images::{Image, ImagePart, PartKind};
use crate::maps::Mapping;
use crate::pages::{PageSource, PageState, Pages};
use crate::pause::Thread;

/// A stretch of memory with one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// First byte.
    pub start: Addr,
    /// One past the last byte.
    pub end: Addr,
    /// What it is for.
    pub kind: AreaKind,
    /// The mapping it is of, by number.
    pub mapping: u32,
    /// Resident pages of the process's own: anonymous, or changed copies of a file's.
    pub own: Bytes,
    /// Resident pages that are a file's, or shared memory.
    pub file: Bytes,
    /// Pages in swap; not resident.
    pub swapped: Bytes,
}

impl Area {
    /// Resident bytes, as the kernel counts them.
    #[must_use]
    pub fn resident(&self) -> Bytes {
        self.own + self.file
    }
}

/// What memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AreaKind {
    /// The heap that grows (`brk`).
    Heap,
    /// The stack that this thread was on, with its own variables.
    Stack(u32),
    /// Other private memory without a file: arenas, maps, stacks of threads that ended.
    Anonymous,
    /// Data of an image, by its number.
    ImageData(u32, PartKind),
    /// Code and constants of an image, by its number.
    Code(u32),
    /// A private mapping of another file.
    File,
    /// Shared mappings of files.
    Shared,
    /// Shared memory that is no file's.
    SharedMemory,
    /// What the kernel maps into every program.
    Kernel,
}

/// Cuts a map into areas.
pub(crate) fn areas(
    maps: &[Mapping],
    pages: &Pages,
    images: &[Image],
    threads: &[Thread],
) -> Vec<Area> {
    let parts: Vec<(u32, &Image, ImagePart)> = (0..)
        .zip(images)
        .flat_map(|(number, image)| image.parts.iter().map(move |&part| (number, image, part)))
        .collect();
    let stacks = stacks(maps, threads);
    let mut areas = Vec::new();
    for (number, mapping) in maps.iter().enumerate() {
        let plain = plain_kind(mapping, images);
        let stack = stacks.get(&number);
        let mut add = |start: Addr, end: Addr, kind| {
            if start < end {
                let area = Area {
                    start,
                    end,
                    kind,
                    mapping: number as u32,
                    own: Bytes(0),
                    file: Bytes(0),
                    swapped: Bytes(0),
                };
                areas.push(with_sums(area, mapping, pages));
            }
        };
        let add_plain = |add: &mut dyn FnMut(Addr, Addr, AreaKind), start: Addr, end: Addr| {
            let cut = stack.map_or(start, |stack| stack.end.clamp(start, end));
            if let Some(stack) = stack {
                add(start, cut, AreaKind::Stack(stack.tid));
            }
            add(cut, end, plain);
        };
        let mut at = mapping.start;
        let first = parts.partition_point(|(_, _, part)| part.end <= mapping.start);
        for (image, of, part) in
            parts[first..].iter().take_while(|(_, _, part)| part.start < mapping.end)
        {
            let theirs = !mapping.shared() && mapping.file.is_none_or(|file| file == of.id);
            if theirs {
                let start = part.start.max(at);
                add_plain(&mut add, at, start);
                at = part.end.min(mapping.end);
                add(start, at, AreaKind::ImageData(*image, part.kind));
            }
        }
        add_plain(&mut add, at, mapping.end);
    }
    areas
}

/// The stack of a thread: from the start of its mapping, where the guard page ends, up to here.
struct Stack {
    tid: u32,
    end: Addr,
}

/// glibc puts a thread's own variables and `struct pthread` (about 2,300 bytes) at the upper end of its
/// stack, where `fs_base` points. What lies above is another mapping that the kernel joined to it.
const ABOVE_THREAD_POINTER: u64 = 0x1000;

fn stack_end(mapping: &Mapping, thread: &Thread) -> Addr {
    let (stack, own) = (thread.registers.stack_pointer, thread.registers.thread_pointer);
    if own <= stack || own >= mapping.end {
        return mapping.end;
    }
    let end = (own + ABOVE_THREAD_POINTER).0.next_multiple_of(crate::PAGE);
    Addr(end).min(mapping.end)
}

/// The mappings that hold a thread's stack, by number.
fn stacks(maps: &[Mapping], threads: &[Thread]) -> HashMap<usize, Stack> {
    let mut stacks = HashMap::new();
    for thread in threads {
        let at = thread.registers.stack_pointer;
        let after = maps.partition_point(|mapping| mapping.start <= at);
        if let Some(number) = after.checked_sub(1)
            && at < maps[number].end
            && maps[number].file.is_none()
            && maps[number].name() != "[heap]"
        {
            let end = stack_end(&maps[number], thread);
            stacks.entry(number).or_insert(Stack { tid: thread.tid, end });
        }
    }
    // The main thread can be on another stack for a while (a signal's, a coroutine's).
    if let (Some(number), Some(main)) =
        (maps.iter().position(|mapping| mapping.name() == "[stack]"), threads.first())
    {
        let end = maps[number].end;
        stacks.entry(number).or_insert(Stack { tid: main.tid, end });
    }
    stacks
}

fn plain_kind(mapping: &Mapping, images: &[Image]) -> AreaKind {
    if mapping.is_kernels() {
        return AreaKind::Kernel;
    }
    if mapping.is_shared_memory() {
        return AreaKind::SharedMemory;
    }
    if mapping.shared() {
        return AreaKind::Shared;
    }
    if mapping.name() == "[heap]" {
        return AreaKind::Heap;
    }
    let Some(file) = mapping.file else { return AreaKind::Anonymous };
    if mapping.is_huge_tlb() || mapping.name() == "/dev/zero" {
        return AreaKind::Anonymous;
    }
    let after = images.partition_point(|image| image.span.start <= mapping.start.0);
    match after.checked_sub(1).map(|number| (number, &images[number])) {
        Some((number, image)) if image.id == file && mapping.start.0 < image.span.end => {
            AreaKind::Code(number as u32)
        }
        _ => AreaKind::File,
    }
}

fn with_sums(mut area: Area, mapping: &Mapping, pages: &Pages) -> Area {
    if pages.source == PageSource::Mappings {
        // Only sums of whole mappings are known: they go to the first area of each.
        let sums = pages.sums.binary_search_by_key(&area.start, |sums| sums.start);
        if let Some(sums) = sums.ok().and_then(|at| pages.sums.get(at))
            && area.start == mapping.start
        {
            area.own = sums.anonymous;
            area.file = sums.rss - sums.anonymous;
            area.swapped = sums.swap;
        }
        return area;
    }
    for run in pages.runs_in(area.start.0..area.end.0) {
        let bytes = Bytes(run.pages.end - run.pages.start);
        match run.state {
            PageState::Own => area.own += bytes,
            PageState::File => area.file += bytes,
            PageState::Swapped => area.swapped += bytes,
            PageState::Zero | PageState::HugeTlb => {}
        }
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps;
    use crate::pause::Registers;

    /// The kernel has joined a library's zeros with a heap after them: the cut is where the file says
    /// that the library ends.
    #[test]
    fn zeros_of_an_image_end_where_its_file_says() {
        let maps = maps::parse(
            b"10000-12000 r-xp 00000000 fe:00 7    /lib/a.so\n\
              12000-14000 rw-p 00002000 fe:00 7    /lib/a.so\n\
              14000-20000 rw-p 00000000 00:00 0\n\
              20000-21000 rw-p 00000000 fe:00 8    /data\n\
              30000-38000 rw-p 00000000 00:00 0    [heap]\n\
              40000-48000 rw-p 00000000 00:00 0\n\
              50000-58000 rw-s 00000000 00:01 9    /dev/shm/x\n",
        );
        let part = |start, end, kind| ImagePart { start: Addr(start), end: Addr(end), kind };
        let image = Image::for_test(
            maps[0].file.unwrap(),
            0x10000..0x16000,
            vec![
                part(0x12000, 0x13000, PartKind::Relro),
                part(0x13000, 0x14000, PartKind::Data),
                part(0x14000, 0x16000, PartKind::Bss),
            ],
        );
        let thread = Thread {
            tid: 9,
            registers: Registers { stack_pointer: Addr(0x47f00), ..Registers::default() },
        };
        let found: Vec<_> = areas(&maps, &Pages::none(), &[image], &[thread])
            .iter()
            .map(|area| (area.start.0, area.end.0, area.kind))
            .collect();
        assert_eq!(
            found,
            [
                (0x10000, 0x12000, AreaKind::Code(0)),
                (0x12000, 0x13000, AreaKind::ImageData(0, PartKind::Relro)),
                (0x13000, 0x14000, AreaKind::ImageData(0, PartKind::Data)),
                (0x14000, 0x16000, AreaKind::ImageData(0, PartKind::Bss)),
                (0x16000, 0x20000, AreaKind::Anonymous),
                (0x20000, 0x21000, AreaKind::File),
                (0x30000, 0x38000, AreaKind::Heap),
                (0x40000, 0x48000, AreaKind::Stack(9)),
                (0x50000, 0x58000, AreaKind::SharedMemory),
            ]
        );
    }
}
