//! What an ELF file says: where its segments go, and where its symbols and sections are.
//!
//! No number in a file is trusted: tables are read through [`table`], which caps them, and addresses
//! are only ever compared with the map of the process.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use object::LittleEndian;
use object::elf::{self, FileHeader64, ProgramHeader64, SectionHeader64, Sym64};
use object::pod::{self, Pod};

const LE: LittleEndian = LittleEndian;

/// The largest table that is read. The string table of the largest libraries has some 100 MB.
const MAX_TABLE: u64 = 512 << 20;

/// A loaded segment, in the addresses that the file was linked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Where it is in the file.
    pub(crate) offset: u64,
    /// Where its file part goes, and where all of it does: what is longer is zeros (`.bss`).
    pub(crate) in_file: Range<u64>,
    pub(crate) in_memory: Range<u64>,
    pub(crate) writable: bool,
}

/// The program headers that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Never empty.
    pub(crate) segments: Vec<Segment>,
    /// What is made read-only after relocation.
    pub(crate) relro: Option<Range<u64>>,
}

impl Layout {
    /// Reads the program headers; `None` if the file is not an ELF file for x86-64.
    pub(crate) fn read(file: &File) -> Option<Layout> {
        let header = header(file)?;
        let bytes = table::<ProgramHeader64<LittleEndian>>(
            file,
            header.e_phoff.get(LE),
            header.e_phnum.get(LE).into(),
        )?;
        let headers = pod::slice_from_all_bytes::<ProgramHeader64<LittleEndian>>(&bytes).ok()?;
        let mut layout = Layout::default();
        for header in headers {
            let start = header.p_vaddr.get(LE);
            let range = |len: u64| Some(start..start.checked_add(len)?);
            match header.p_type.get(LE) {
                elf::PT_LOAD => layout.segments.push(Segment {
                    offset: header.p_offset.get(LE),
                    in_file: range(header.p_filesz.get(LE).min(header.p_memsz.get(LE)))?,
                    in_memory: range(header.p_memsz.get(LE))?,
                    writable: header.p_flags.get(LE).0 & elf::PF_W.0 != 0,
                }),
                elf::PT_GNU_RELRO => layout.relro = range(header.p_memsz.get(LE)),
                _ => {}
            }
        }
        (!layout.segments.is_empty()).then_some(layout)
    }
}

/// Why a program is none that we can read, in words; `None` if it is one, or no ELF file at all.
pub(crate) fn foreign(file: &File) -> Option<String> {
    // The same in 32 and 64 bits: magic number, class, …, type, machine.
    let mut start = [0; 20];
    file.read_exact_at(&mut start, 0).ok()?;
    let machine = u16::from_le_bytes([start[18], start[19]]);
    let bits = if start[4] == elf::ELFCLASS64.0 { 64 } else { 32 };
    if !start.starts_with(&elf::ELFMAG) || (bits == 64 && machine == elf::EM_X86_64.0) {
        return None;
    }
    let machine = match elf::Machine(machine) {
        elf::EM_386 | elf::EM_X86_64 => "x86".to_owned(),
        elf::EM_AARCH64 | elf::EM_ARM => "ARM".to_owned(),
        elf::EM_RISCV => "RISC-V".to_owned(),
        elf::EM_PPC64 => "PowerPC".to_owned(),
        elf::EM_S390 => "S/390".to_owned(),
        other => format!("machine type {}", other.0),
    };
    Some(format!("a {bits}-bit {machine} program"))
}

/// Value and size of a defined symbol, in the addresses that the file was linked for. Looks among the
/// dynamic symbols first, then among all (which a stripped file does not have).
pub(crate) fn symbol(file: &File, name: &str) -> Option<Range<u64>> {
    let header = header(file)?;
    let bytes = sections(file, header)?;
    let sections = pod::slice_from_all_bytes::<SectionHeader64<LittleEndian>>(&bytes).ok()?;
    [elf::SHT_DYNSYM, elf::SHT_SYMTAB].into_iter().find_map(|kind| {
        let symbols = sections.iter().find(|section| section.sh_type.get(LE) == kind)?;
        symbol_in(file, symbols, sections.get(symbols.sh_link.get(LE) as usize)?, name)
    })
}

fn symbol_in(
    file: &File,
    symbols: &SectionHeader64<LittleEndian>,
    strings: &SectionHeader64<LittleEndian>,
    name: &str,
) -> Option<Range<u64>> {
    let strings = table::<u8>(file, strings.sh_offset.get(LE), strings.sh_size.get(LE))?;
    let count = symbols.sh_size.get(LE) / size_of::<Sym64<LittleEndian>>() as u64;
    let symbols = table::<Sym64<LittleEndian>>(file, symbols.sh_offset.get(LE), count)?;
    let symbol =
        pod::slice_from_all_bytes::<Sym64<LittleEndian>>(&symbols).ok()?.iter().find(|symbol| {
            symbol.st_shndx.get(LE) != elf::SHN_UNDEF
                && symbol.st_info.st_type() != elf::STT_TLS
                && is_string(&strings, symbol.st_name.get(LE), name)
        })?;
    let start = symbol.st_value.get(LE);
    Some(start..start.checked_add(symbol.st_size.get(LE))?)
}

/// Where a section goes that is loaded, in the addresses that the file was linked for.
pub(crate) fn section(file: &File, name: &str) -> Option<Range<u64>> {
    let header = header(file)?;
    let bytes = sections(file, header)?;
    let sections = pod::slice_from_all_bytes::<SectionHeader64<LittleEndian>>(&bytes).ok()?;
    let names = sections.get(usize::from(header.e_shstrndx.get(LE).0))?;
    let names = table::<u8>(file, names.sh_offset.get(LE), names.sh_size.get(LE))?;
    let section = sections.iter().find(|section| {
        section.sh_addr.get(LE) != 0 && is_string(&names, section.sh_name.get(LE), name)
    })?;
    let start = section.sh_addr.get(LE);
    Some(start..start.checked_add(section.sh_size.get(LE))?)
}

/// Whether a table of NUL-terminated strings has this one at that place.
fn is_string(strings: &[u8], at: u32, name: &str) -> bool {
    strings
        .get(at as usize..)
        .and_then(|rest| rest.strip_prefix(name.as_bytes()))
        .is_some_and(|rest| rest.first() == Some(&0))
}

fn header(file: &File) -> Option<FileHeader64<LittleEndian>> {
    let bytes = table::<FileHeader64<LittleEndian>>(file, 0, 1)?;
    let (header, _) = pod::from_bytes::<FileHeader64<LittleEndian>>(&bytes).ok()?;
    let ours = header.e_ident.magic == elf::ELFMAG
        && header.e_ident.class == elf::ELFCLASS64
        && header.e_ident.data == elf::ELFDATA2LSB
        && header.e_machine.get(LE) == elf::EM_X86_64;
    ours.then_some(*header)
}

/// The section headers. A count of 0 with a table stands for "more than fit in 16 bits", which no
/// library has; it is taken as none.
fn sections(file: &File, header: FileHeader64<LittleEndian>) -> Option<Vec<u8>> {
    table::<SectionHeader64<LittleEndian>>(
        file,
        header.e_shoff.get(LE),
        header.e_shnum.get(LE).into(),
    )
}

/// `count` records at `offset`; `None` if they are not all in the file, or too many.
fn table<T: Pod>(file: &File, offset: u64, count: u64) -> Option<Vec<u8>> {
    let len = count.checked_mul(size_of::<T>() as u64).filter(|&len| len <= MAX_TABLE)?;
    if offset.checked_add(len)? > file.metadata().ok()?.len() {
        return None;
    }
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(name: &str, content: &[u8]) -> File {
        let path =
            std::env::temp_dir().join(format!("deadweight-elf-{name}-{}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        file
    }

    /// The address of a symbol less the bias must be what the file says; the bias is where the map
    /// shows the file's first byte.
    #[test]
    fn a_symbol_of_this_program_is_where_it_is() {
        let program = File::open("/proc/self/exe").unwrap();
        let inode = std::os::unix::fs::MetadataExt::ino(&program.metadata().unwrap());
        let maps = crate::maps::read(std::process::id()).unwrap();
        let is_start = |map: &&crate::maps::Mapping| map.file.is_some_and(|it| it.inode == inode);
        let bias = maps.iter().find(is_start).unwrap().start.0;
        let main = symbol(&program, "main").unwrap();
        let text = section(&program, ".text").unwrap();
        assert!(text.contains(&main.start) && main.end > main.start, "{main:?} {text:?}");
        let here = a_symbol_of_this_program_is_where_it_is as *const () as u64 - bias;
        assert!(text.contains(&here));
        assert_eq!(symbol(&program, "mai"), None);
        let layout = Layout::read(&program).unwrap();
        let code = layout.segments.iter().find(|segment| segment.in_memory.contains(&main.start));
        assert!(code.is_some_and(|segment| !segment.writable));
        assert!(layout.relro.is_some());
    }

    #[test]
    fn programs_for_other_machines_are_named() {
        let check = |class: u8, machine: u16, expect: Option<&str>| {
            let mut start = vec![0; 64];
            start[..4].copy_from_slice(b"\x7fELF");
            start[4] = class;
            start[18..20].copy_from_slice(&machine.to_le_bytes());
            assert_eq!(foreign(&temporary("foreign", &start)).as_deref(), expect);
        };
        check(2, 62, None);
        check(1, 3, Some("a 32-bit x86 program"));
        check(1, 62, Some("a 32-bit x86 program"));
        check(2, 183, Some("a 64-bit ARM program"));
        check(2, 9999, Some("a 64-bit machine type 9999 program"));
        assert_eq!(foreign(&temporary("script", b"#!/bin/sh\n# some words here")), None);
        assert_eq!(foreign(&temporary("short", b"\x7fELF")), None);
    }

    /// Any bytes in the headers and tables: no panic, no allocation that the file asks for, and nothing
    /// but an answer or none.
    #[test]
    fn a_file_that_lies_about_itself_does_no_harm() {
        let whole = std::fs::read("/proc/self/exe").unwrap();
        let header = header(&File::open("/proc/self/exe").unwrap()).unwrap();
        // A small file: the real headers, with the section headers moved up to them.
        let sections_at = header.e_shoff.get(LE) as usize;
        let mut content = whole[..4096].to_vec();
        content.extend_from_slice(&whole[sections_at..whole.len().min(sections_at + 8192)]);
        content[40..48].copy_from_slice(&4096_u64.to_le_bytes());
        let file = temporary("hostile", &content);
        let mut state = 42_u64;
        let mut next = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..20_000 {
            let changes: Vec<(usize, u8)> = (0..=next(6))
                .map(|_| {
                    let at = [next(64), next(1024), 4096 + next(content.len() - 4096)][next(3)];
                    (at, [0, 0xff, 1, 0x80, next(256) as u8][next(5)])
                })
                .collect();
            for &(at, byte) in &changes {
                file.write_at(&[byte], at as u64).unwrap();
            }
            if let Some(layout) = Layout::read(&file) {
                assert!(!layout.segments.is_empty());
            }
            let _any = (symbol(&file, "main"), section(&file, ".data"), foreign(&file));
            for &(at, _) in &changes {
                file.write_at(&[content[at]], at as u64).unwrap();
            }
        }
        assert!(Layout::read(&file).is_some());
    }
}
