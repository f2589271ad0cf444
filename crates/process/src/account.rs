//! The account of resident memory: every byte the kernel counts, in one row.
//!
//! Exact by construction: each resident page lies in one area, objects and arenas cut areas up, and
//! what is left of an area is a row of its own.

use deadweight_cpython::Ledger;
use deadweight_heap::{Account, AccountKind, AccountRow, Addr, Bytes, Gap, GapKind, Pymalloc};

use crate::PAGE;
use crate::areas::AreaKind;
use crate::live::LiveCopy;

const RECENT: usize = 256;

/// Adds up the resident bytes of blocks while a heap is walked.
pub(crate) struct Residency<'a> {
    copy: &'a LiveCopy,
    /// Pages asked for last, by the low bits of their number, and whether they are resident.
    recent: Box<[(u64, bool); RECENT]>,
    small_owned: u64,
    large_owned: u64,
    unowned: u64,
}

impl<'a> Residency<'a> {
    pub(crate) fn new(copy: &'a LiveCopy) -> Residency<'a> {
        let recent = Box::new([(u64::MAX, false); RECENT]);
        Residency { copy, recent, small_owned: 0, large_owned: 0, unowned: 0 }
    }

    fn resident(&mut self, start: Addr, len: u64) -> u64 {
        let page = start.0 / PAGE;
        if len == 0 || (start.0 + len - 1) / PAGE != page {
            return self.copy.resident(start, Bytes(len)).0;
        }
        let slot = &mut self.recent[page as usize % RECENT];
        if slot.0 != page {
            *slot = (page, self.copy.resident(start, Bytes(1)).0 > 0);
        }
        if slot.1 { len } else { 0 }
    }
}

impl Ledger for Residency<'_> {
    fn owned(&mut self, start: Addr, held: u64, small: bool) {
        let bytes = self.resident(start, held);
        if small {
            self.small_owned += bytes;
        } else {
            self.large_owned += bytes;
        }
    }

    fn unowned(&mut self, start: Addr, held: u64) {
        self.unowned += self.resident(start, held);
    }
}

/// Makes the account, and says where the kernel and we differ.
pub(crate) fn account(
    blocks: &Residency<'_>,
    arenas: &[(Addr, u64)],
    pymalloc: Option<Pymalloc>,
) -> (Account, Option<Gap>) {
    let copy = blocks.copy;
    let in_arenas: u64 = arenas.iter().map(|&(at, len)| copy.resident(at, Bytes(len)).0).sum();
    let mut stacks = 0;
    let mut image_data = 0;
    let mut file_backed = 0;
    let mut shared_memory = 0;
    let mut anonymous = 0;
    for area in copy.areas() {
        let of_files = match area.kind {
            AreaKind::SharedMemory => &mut shared_memory,
            _ => &mut file_backed,
        };
        *of_files += area.file.0;
        match area.kind {
            AreaKind::Stack(_) => stacks += area.own.0,
            AreaKind::ImageData(..) => image_data += area.own.0,
            AreaKind::Code(_) | AreaKind::Shared | AreaKind::Kernel => file_backed += area.own.0,
            AreaKind::Heap | AreaKind::Anonymous | AreaKind::File => anonymous += area.own.0,
            AreaKind::SharedMemory => shared_memory += area.own.0,
        }
    }
    let objects = blocks.small_owned + blocks.large_owned;
    let rows = [
        (AccountKind::PythonObjects, objects),
        (AccountKind::PymallocOther, blocks.unowned),
        (AccountKind::PymallocFree, in_arenas.saturating_sub(blocks.small_owned + blocks.unowned)),
        (AccountKind::OtherAnonymous, anonymous.saturating_sub(in_arenas + blocks.large_owned)),
        (AccountKind::Stacks, stacks),
        (AccountKind::ImageData, image_data),
        (AccountKind::FileBacked, file_backed),
        (AccountKind::SharedMemory, shared_memory),
    ];
    let total: u64 = rows.iter().map(|&(_, bytes)| bytes).sum();
    let rollup = copy.rollup();
    let rss = rollup.map_or(Bytes(total), |rollup| rollup.rss);
    let difference = rss.0.abs_diff(total);
    let gap = (difference > 0).then(|| Gap {
        kind: GapKind::AccountDifference,
        count: difference,
        detail: format!(
            "the rows of the account add up to {difference} bytes {} than the kernel counts",
            if total > rss.0 { "more" } else { "less" }
        ),
    });
    let account = Account {
        rss,
        pss: rollup.map(|rollup| rollup.pss),
        uss: rollup.map(|rollup| rollup.uss),
        rows: rows
            .into_iter()
            .filter(|&(kind, bytes)| kind != AccountKind::SharedMemory || bytes > 0)
            .map(|(kind, bytes)| AccountRow { kind, bytes: Bytes(bytes) })
            .collect(),
        pymalloc,
    };
    (account, gap)
}
