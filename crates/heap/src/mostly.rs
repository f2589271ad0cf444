//! What most of a row's bytes are.

use std::cmp::Reverse;
use std::ops::Range;

use crate::dominators::{Dominators, Union};
use crate::heap::Heap;
use crate::units::{Bytes, NodeId, TypeId};

/// Objects of one type that a row keeps alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeavyGroup {
    /// Their type.
    pub type_id: TypeId,
    /// How many. The holder is counted only if it is of that class itself, as the head of a list is.
    pub count: u64,
    /// What they retain: each byte once, and none that another row accounts for.
    pub retained: Bytes,
}

/// What only holds other things: worth a name where nothing it holds is.
const CONTAINERS: [&str; 9] = [
    "dict",
    "list",
    "tuple",
    "set",
    "frozenset",
    "collections.deque",
    "collections.OrderedDict",
    "collections.defaultdict",
    "functools._lru_list_elem",
];

/// What one row is about.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    /// What a holder keeps alive, itself too.
    Holder(NodeId),
    /// Alike things and what they keep alive, in preorder.
    Things(&'a [NodeId]),
}

/// The nodes of all rows in preorder, and what those before each account for.
pub(crate) struct Others {
    positions: Vec<usize>,
    before: Vec<Bytes>,
}

impl Others {
    /// Of nodes, each with what its row says it alone accounts for.
    pub(crate) fn of(
        dominators: &Dominators,
        nodes: impl Iterator<Item = (NodeId, Bytes)>,
    ) -> Others {
        let mut places: Vec<(usize, Bytes)> =
            nodes.map(|(node, bytes)| (dominators.position(node), bytes)).collect();
        places.sort_unstable();
        let mut before = vec![Bytes(0)];
        for (row, &(_, bytes)) in places.iter().enumerate() {
            before.push(before[row] + bytes);
        }
        Others { positions: places.into_iter().map(|(position, _)| position).collect(), before }
    }

    fn row(&self, position: usize) -> usize {
        self.positions.partition_point(|&other| other < position)
    }

    /// What rows at these positions account for.
    fn within(&self, positions: Range<usize>) -> Bytes {
        self.before[self.row(positions.end)] - self.before[self.row(positions.start)]
    }

    /// The pieces of a range of positions that no row in it accounts for.
    fn between(&self, dominators: &Dominators, range: Range<usize>) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut start = range.start;
        for &stop in &self.positions[self.row(range.start)..self.row(range.end)] {
            if stop >= start {
                pieces.push(start..stop);
                start = stop + dominators.subtree(dominators.at(stop)).len();
            }
        }
        pieces.push(start..range.end);
        pieces
    }
}

#[derive(Clone, Copy, Default)]
struct Sum {
    count: u64,
    /// How many of them are not below another of the type.
    outermost: u64,
    retained: Bytes,
    union: Union,
}

/// The type whose objects are most of what a row keeps alive; what other rows account for is left
/// out. The outermost class or plain value counts that makes up the better part; a container only
/// where there is none; and many objects say more than one that holds them all. Nothing if it is the
/// holder itself.
pub(crate) fn mostly(
    heap: &Heap,
    dominators: &Dominators,
    of: Of<'_>,
    bytes: Bytes,
    others: &Others,
) -> Option<HeavyGroup> {
    let range = |node: NodeId, own: usize| {
        let start = dominators.position(node);
        start + own..start + dominators.subtree(node).len()
    };
    let pieces: Vec<Range<usize>> = match of {
        Of::Holder(holder) => others.between(dominators, range(holder, 1)),
        Of::Things(nodes) => nodes.iter().map(|&node| range(node, 0)).collect(),
    };
    let mut sums = vec![Sum::default(); heap.types.len()];
    let mut largest = match of {
        Of::Holder(holder) => (heap.nodes.held(holder), holder),
        Of::Things(_) => (Bytes(0), Heap::ROOT),
    };
    for piece in pieces {
        let stop = piece.end;
        for position in piece {
            let node = dominators.at(position);
            if !heap.nodes.is_object(node) {
                continue;
            }
            let held = heap.nodes.held(node);
            if held > largest.0 {
                largest = (held, node);
            }
            let sum = &mut sums[heap.nodes.type_of(node).index()];
            let added = sum.union.add(dominators, position);
            sum.count += 1;
            sum.retained += added;
            if added.0 > 0 {
                sum.outermost += 1;
                // Only what reaches beyond this piece can hold another row.
                let below = position + 1..position + dominators.subtree(node).len();
                if below.end > stop {
                    sum.retained -= others.within(below);
                }
            }
        }
    }
    let half = bytes.0.div_ceil(2);
    if largest.0.0 >= half {
        let type_id = heap.nodes.type_of(largest.1);
        let one = HeavyGroup { type_id, count: 1, retained: largest.0 };
        return Some(one).filter(|_| !matches!(of, Of::Holder(holder) if holder == largest.1));
    }
    let is_container = |row: usize| {
        let name = heap.types.get(TypeId::from(row)).name;
        CONTAINERS.contains(&heap.names.get(name))
    };
    if let Of::Holder(holder) = of {
        let own = heap.nodes.type_of(holder).index();
        sums[own].count += u64::from(sums[own].count > 0 && !is_container(own));
    }
    let most = |fits: &dyn Fn(usize, &Sum) -> bool| {
        let fitting = sums.iter().enumerate().filter(|(row, sum)| fits(*row, sum));
        fitting.max_by_key(|(row, sum)| (sum.retained, Reverse(*row)))
    };
    let is_half = |sum: &Sum| sum.retained.0 >= half;
    let (row, sum) = most(&|row, sum| !is_container(row) && sum.count > 1 && is_half(sum))
        .or_else(|| most(&|row, sum| !is_container(row) && is_half(sum)))
        .or_else(|| most(&|_, sum| sum.count > 1 && is_half(sum)))
        .or_else(|| most(&|_, sum| sum.count > 0 && sum.retained.0 >= bytes.0 / 4))?;
    // A container within containers of its sort is a part of them.
    let nested = is_container(row) && sum.outermost > 1;
    let count = if nested { sum.outermost } else { sum.count };
    Some(HeavyGroup { type_id: TypeId::from(row), count, retained: sum.retained })
}
