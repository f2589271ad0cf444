//! The facts beside the scenarios: paths, types, named references, sizes.

use deadweight_heap::path::{PathExpr, resolve};
use deadweight_heap::{Bytes, Dominators, EdgeKind, Heap, NodeId};

use crate::scenarios::{Fact, Scenario};

/// Every fact that does not hold, in words.
pub(crate) fn broken(
    heap: &Heap,
    dominators: &Dominators,
    scenarios: &[&Scenario],
    minor: u32,
) -> Vec<String> {
    let facts = scenarios.iter().flat_map(|scenario| &scenario.fact);
    facts
        .filter(|fact| fact.holds_for(minor))
        .filter_map(|fact| {
            check(heap, dominators, fact).err().map(|why| format!("{}: {why}", fact.path))
        })
        .collect()
}

fn check(heap: &Heap, dominators: &Dominators, fact: &Fact) -> Result<(), String> {
    let path: PathExpr = fact.path.parse().map_err(|error| format!("{error}"))?;
    let nodes = resolve(heap, &path).map_err(|error| format!("{error}"))?;
    let count = fact.count.unwrap_or(1);
    if nodes.len() != count {
        return Err(format!("leads to {} objects, not {count}", nodes.len()));
    }
    for node in nodes {
        let is = heap.type_name(node);
        if let Some(wanted) = &fact.type_name
            && is != wanted
        {
            return Err(format!("is a {is}, not a {wanted}"));
        }
        let size = |what, is: Bytes, wanted: Option<u64>| match wanted {
            Some(wanted) if is.0 != wanted => Err(format!("{what} {} bytes, not {wanted}", is.0)),
            _ => Ok(()),
        };
        size("holds", heap.nodes.held(node), fact.held)?;
        size("retains", dominators.retained(node), fact.retained)?;
        if let Some(wanted) = &fact.edge {
            let kinds = kinds_of_references_to(heap, node);
            if !kinds.contains(wanted) {
                return Err(format!("is referred to as {}, not as {wanted}", kinds.join(", ")));
            }
        }
    }
    Ok(())
}

/// The kinds of the references that lead to a node, each once.
fn kinds_of_references_to(heap: &Heap, node: NodeId) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for row in 0..heap.edges.len() {
        let edge = heap.edges.row(row);
        if edge.target == node {
            let kind = word(edge.label.kind());
            let kind = if edge.label.is_conservative() { format!("{kind}?") } else { kind };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    kinds
}

/// The word for a kind of reference in the facts: its name in small letters.
fn word(kind: EdgeKind) -> String {
    format!("{kind:?}").to_lowercase()
}
