//! Whether references that were seen once are still there.

use deadweight_heap::{Addr, EdgeKind};

use super::{Followed, Scale};
use crate::header::Header;
use crate::memory::Memory;
use crate::object::{Grounds, Link};

impl Scale {
    /// Whether each object of a chain still refers to the next by a strong reference of a known
    /// layout, and the last one is of the type at `class`. The first must be known to be alive; then,
    /// one after the other, so are all of them.
    #[must_use]
    pub fn leads_to<M: Memory>(&self, memory: &M, chain: &[Addr], class: Addr) -> bool {
        self.ask(memory, |mut bench| {
            for pair in chain.windows(2) {
                let [from, to] = *pair else { return false };
                let mut search = Search { target: to, found: false };
                let Some(info) = bench.type_of(from) else { return false };
                if bench.weigh(&info, from, &mut search).is_none() || !search.found {
                    return false;
                }
            }
            let last = chain.last().and_then(|&last| Header::read(memory, last));
            last.is_some_and(|header| header.type_addr == class)
        })
    }
}

struct Search {
    target: Addr,
    found: bool,
}

impl Followed for Search {
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        let strong = matches!(grounds, Grounds::Visible | Grounds::Hidden)
            && !matches!(link, Link::Named(EdgeKind::Weak, _));
        self.found |= strong && target == self.target;
    }

    fn block(&mut self, _: Addr) -> bool {
        true
    }
}
