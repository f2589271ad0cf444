//! The heaviest by what they alone keep alive: where in the dominator tree weight gathers.
//!
//! From the roots, names are followed for as long as they lead to much, and elements only if one of
//! them holds a good part: a name is worth a row, one of a million items is not. What several names
//! hold together is one row, of all that are alike. What is left with a node when all rows below it
//! are taken off is its own row, if it is enough.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::alike::Alike;
use crate::dominators::Dominators;
use crate::heap::Heap;
use crate::held_by::{Unwritten, outer_holders, referrers};
use crate::mostly::{HeavyGroup, Of, Others, mostly};
use crate::path::ShownPath;
use crate::patterns::Patterns;
use crate::shared::{Below, Shared, Together};
use crate::shortest::ShortestPaths;
use crate::summit::Summit;
use crate::units::{Bytes, NodeId};

/// One holder that alone keeps much alive, or alike things that several hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeavyRow {
    /// The holder; of things that several hold, one of them.
    pub holder: NodeId,
    /// The things that several hold; nothing if a single holder keeps all alive.
    pub things: Vec<NodeId>,
    /// How the holder or most of the things are reached.
    pub path: ShownPath,
    /// What would be freed with it, or with all of them.
    pub retained: Bytes,
    /// The same without what other rows below it account for. No two rows share a byte of this, and
    /// rows are sorted by it.
    pub bytes: Bytes,
    /// Whether any size in what it retains is modelled rather than measured.
    pub modelled: bool,
    /// What most of it is; nothing if that is the holder itself.
    pub group: Option<HeavyGroup>,
    /// The few that refer to most of the things. Of a single holder, those by way of which it is kept
    /// alive too, beside its path.
    pub held_by: Vec<ShownPath>,
    /// How many more do.
    pub other_holders: u64,
}

/// So many holders are named.
const HOLDERS: usize = 3;

/// The holders that alone keep most alive, and what several hold, heaviest first, at most `top` of
/// them. What belongs to the interpreter itself is left out.
#[must_use]
pub fn heaviest(
    heap: &Heap,
    dominators: &Dominators,
    paths: &ShortestPaths,
    top: usize,
) -> Vec<HeavyRow> {
    let mut summit = Summit::of(heap, dominators, paths);
    let mut alike = Alike::new(heap, dominators, Patterns::new(heap, paths));
    let scopes: Vec<NodeId> = summit.scopes().collect();
    let below: Vec<Below> = scopes
        .into_iter()
        .map(|scope| Below::of(heap, dominators, &mut alike, scope, summit.least))
        .collect();
    let nodes = below.iter().flat_map(Below::nodes).chain(summit.named());
    let referrers = referrers(heap, dominators, nodes);
    let mut together = Together::of(heap, dominators, &below, &referrers);
    let mut shared: Vec<Shared> = Vec::new();
    for below in below {
        // What is below a thing that has no row of its own has none either.
        if summit.is_open(below.scope) {
            let found = below.shared(heap, dominators, &mut together, summit.least);
            if !found.is_empty() {
                summit.close(&found);
            }
            shared.extend(found);
        }
    }
    let mut claims: Vec<Claim> = summit.holders(&shared).into_iter().map(Claim::of).collect();
    claims.extend(shared.into_iter().map(|shared| Claim::shared(dominators, shared)));
    let others = Others::of(dominators, claims.iter().flat_map(|claim| claim.each(dominators)));
    claims.sort_by_key(|claim| (Reverse(claim.bytes), claim.holder));
    claims.truncate(top);
    let mut named = Named { heap, dominators, paths, patterns: alike.patterns };
    let holders = named.holders(&summit, &claims, &referrers);
    let row = |(claim, (held_by, other_holders)): (Claim, (Vec<ShownPath>, u64))| {
        let Claim { holder, things, bytes, .. } = claim;
        let all = if things.is_empty() { std::slice::from_ref(&holder) } else { &things };
        let of = if things.is_empty() { Of::Holder(holder) } else { Of::Things(&things) };
        HeavyRow {
            path: named.path(holder, &things),
            retained: all.iter().map(|&node| dominators.retained(node)).sum(),
            bytes,
            modelled: all.iter().any(|&node| dominators.retains_modelled(node)),
            group: mostly(heap, dominators, of, bytes, &others),
            held_by,
            other_holders,
            holder,
            things,
        }
    };
    claims.into_iter().zip(holders).map(row).collect()
}

/// A row before it is named.
struct Claim {
    holder: NodeId,
    /// In preorder; see [`HeavyRow::things`].
    things: Vec<NodeId>,
    bytes: Bytes,
    is_even: bool,
}

impl Claim {
    fn of((holder, bytes): (NodeId, Bytes)) -> Claim {
        Claim { holder, things: Vec::new(), bytes, is_even: true }
    }

    fn shared(dominators: &Dominators, shared: Shared) -> Claim {
        let Shared { first, nodes: mut things, weight: bytes, is_even } = shared;
        things.sort_unstable_by_key(|&node| dominators.position(node));
        Claim { holder: first, things, bytes, is_even }
    }

    /// Some of its things, evenly spread, that say what holds them all.
    fn sample(&self) -> Vec<NodeId> {
        const MOST: usize = 1000;
        let step = if self.is_even { self.things.len().div_ceil(MOST).max(1) } else { 1 };
        self.things.iter().step_by(step).copied().collect()
    }

    /// The nodes of it, each with what it accounts for.
    fn each(&self, dominators: &Dominators) -> impl Iterator<Item = (NodeId, Bytes)> {
        let one = self.things.is_empty().then_some((self.holder, self.bytes));
        let thing = |&node: &NodeId| (node, dominators.retained(node));
        one.into_iter().chain(self.things.iter().map(thing))
    }
}

/// How rows and those who hold them are called.
struct Named<'a> {
    heap: &'a Heap,
    dominators: &'a Dominators,
    paths: &'a ShortestPaths,
    patterns: Patterns<'a>,
}

impl Named<'_> {
    /// The path of a holder, or that of alike things.
    fn path(&mut self, holder: NodeId, things: &[NodeId]) -> ShownPath {
        if things.is_empty() {
            return ShownPath::of(self.heap, &self.paths.path_to(self.heap, holder));
        }
        let pattern = self.patterns.of(holder);
        self.patterns.shown(pattern)
    }

    /// Who holds what each row is about, beside the path of a single holder; and how many more do.
    fn holders(
        &mut self,
        summit: &Summit<'_>,
        claims: &[Claim],
        referrers: &[(NodeId, usize)],
    ) -> Vec<(Vec<ShownPath>, u64)> {
        let mut groups: Vec<Vec<NodeId>> =
            claims.iter().map(|claim| claim.things.clone()).collect();
        let above = |claim: &Claim| match claim.things.as_slice() {
            [] => summit.named_above(claim.holder).collect(),
            _ => Vec::new(),
        };
        let mut above: Vec<Vec<NodeId>> = claims.iter().map(above).collect();
        // What has one referrer is not looked into.
        let mut count: FxHashMap<NodeId, u32> = FxHashMap::default();
        count.extend(above.iter().flatten().map(|&node| (node, 0)));
        for &(_, row) in referrers {
            if let Some(count) = count.get_mut(&self.heap.edges.targets[row]) {
                *count += 1;
            }
        }
        for nodes in &mut above {
            nodes.retain(|node| count[node] > 1);
        }
        let ways: FxHashMap<NodeId, usize> = above
            .iter()
            .flatten()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .zip(groups.len()..)
            .collect();
        groups.resize(groups.len() + ways.len(), Vec::new());
        for (&node, &group) in &ways {
            groups[group].push(node);
        }
        let mut samples: Vec<Vec<NodeId>> = claims.iter().map(Claim::sample).collect();
        samples.extend_from_slice(&groups[claims.len()..]);
        let Named { heap, dominators, paths, patterns } = self;
        let mut found = outer_holders(heap, dominators, patterns, &groups, &samples, referrers);
        for (&node, &way) in &ways {
            let own = patterns.of(node);
            found[way].retain(|holding| holding.pattern != own);
        }
        let mut named = Vec::new();
        for (row, claim) in claims.iter().enumerate() {
            let by_way =
                above[row].iter().map(|node| ways[node]).find(|&way| !found[way].is_empty());
            let found = &mut found[by_way.unwrap_or(row)];
            let Some(least) = found.first().map(|most| most.count / 10) else {
                named.push((Vec::new(), 0));
                continue;
            };
            let own = patterns.of(claim.holder);
            found.retain(|holding| holding.count > least);
            found.sort_by_key(|holding| holding.pattern != own);
            let path = |holding: &Unwritten| holding.written(heap, paths, patterns).path;
            let written = found.iter().take(HOLDERS).map(path).collect();
            named.push((written, found.len().saturating_sub(HOLDERS) as u64));
        }
        named
    }
}
