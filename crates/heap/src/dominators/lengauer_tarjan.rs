//! The dominator algorithm of Lengauer and Tarjan (1979), the simple form: paths are compressed but
//! not balanced, which is O(m log n) whatever the graph.
//!
//! Rejected: Cooper–Harvey–Kennedy takes as many passes as a doubly linked list has nodes, and the
//! last step of semi-NCA is quadratic on a long list whose end holds much that others hold too.
//! Python programs have both.

use super::counted::{Counted, task};
use super::search::Link;

const NONE: u32 = u32::MAX;

/// The immediate dominator of each number; the first one's is itself.
pub(super) fn solve(mut links: Vec<Link>, immortal: Option<u32>, referrers: &[u32]) -> Vec<u32> {
    let immortal = immortal.unwrap_or(NONE);
    let links = links.as_mut_slice();
    // The bucket of each node; once the node's own bucket is done, its semidominator.
    let mut heads = vec![NONE; links.len()];
    let mut path = Vec::new();
    for current in (1..links.len() as u32).rev() {
        let mut member = std::mem::replace(&mut heads[current as usize], NONE);
        while member != NONE {
            let next = links[member as usize].next;
            let (label, best) = evaluate(links, &mut path, member, current);
            links[member as usize].next = if best < current { label } else { current };
            heads[member as usize] = current;
            member = next;
        }
        let Link { ancestor: parent, label, .. } = links[current as usize];
        let (semi, is_dominator) = match label {
            task::KNOWN if current > immortal => (immortal, true),
            task::KNOWN => (0, true),
            task::SINGLE => (parent, true),
            end => {
                let known = &referrers[..end as usize];
                let semi = semidominator(links, &mut path, known, current);
                (semi, semi == parent || semi == 0)
            }
        };
        let link = &mut links[current as usize];
        link.label = current;
        link.best = semi;
        if is_dominator {
            link.next = semi;
            heads[current as usize] = semi;
        } else {
            link.next = heads[semi as usize];
            heads[semi as usize] = current;
        }
    }
    heads[0] = 0;
    // A node whose dominator is not its semidominator shares that of a node numbered before it.
    for number in 1..links.len() {
        let candidate = links[number].next;
        if candidate != heads[number] {
            heads[number] = heads[candidate as usize];
        }
    }
    heads
}

/// The least number from which a path of larger numbers leads to `current`, whose referrers are
/// the last run of `known`.
fn semidominator(links: &mut [Link], path: &mut Vec<u32>, known: &[u32], current: u32) -> u32 {
    let mut least = current;
    for &referrer in known.iter().rev().take_while(|&&referrer| referrer != Counted::START) {
        let semi =
            if referrer > current { evaluate(links, path, referrer, current).1 } else { referrer };
        least = least.min(semi);
        if least == 0 {
            break;
        }
    }
    least
}

/// The node with the least semidominator between `node` and the top of its tree (exclusive), and
/// that semidominator. Nodes above `current` are linked; the top is the first that is not.
#[inline]
fn evaluate(links: &mut [Link], path: &mut Vec<u32>, node: u32, current: u32) -> (u32, u32) {
    if links[node as usize].ancestor > current {
        compress(links, path, node, current);
    }
    let link = &links[node as usize];
    (link.label, link.best)
}

fn compress(links: &mut [Link], path: &mut Vec<u32>, node: u32, current: u32) {
    let mut top = node;
    while links[top as usize].ancestor > current {
        path.push(top);
        top = links[top as usize].ancestor;
    }
    let Link { ancestor, mut label, mut best, .. } = links[top as usize];
    while let Some(node) = path.pop() {
        let link = &mut links[node as usize];
        if best < link.best {
            (link.label, link.best) = (label, best);
        } else {
            (label, best) = (link.label, link.best);
        }
        link.ancestor = ancestor;
    }
}
