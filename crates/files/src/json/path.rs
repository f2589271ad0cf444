//! Where in a record something is, and many such places as one tree, so that a record is walked once.

use std::ops::Range;

/// A place in a record: a key, and keys in what is there. `["user", "id"]` is the 7 of `{"user": {"id": 7}}`.
/// Items of arrays have no path.
pub type Path = Vec<String>;

/// Where in a line a value is, of each path that is asked for; `None` where there is none.
pub(super) type Found = Vec<Option<Range<usize>>>;

/// The paths that are asked for, merged where they begin alike.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    root: Node,
    slots: usize,
}

/// A key on the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    key: String,
    /// Which of what is found it is, if it is asked for itself.
    slot: Option<usize>,
    /// All that is found here and further down.
    slots: Range<usize>,
    children: Vec<Node>,
}

impl Paths {
    /// Of all that are asked for; those that are asked for twice are found once.
    pub(super) fn new<'a>(asked: impl Iterator<Item = &'a Path>) -> Paths {
        let mut root = Node::default();
        for path in asked {
            let mut node = &mut root;
            for key in path {
                node = node.child_or_new(key);
            }
            node.slot = Some(0);
        }
        let mut slots = 0;
        root.number(&mut slots);
        Paths { root, slots }
    }

    /// Where what is found at a path comes.
    pub(super) fn slot(&self, path: &[String]) -> Option<usize> {
        path.iter().try_fold(&self.root, |node, key| node.child(key.as_bytes()))?.slot
    }

    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    pub(super) fn nothing_found(&self) -> Found {
        vec![None; self.slots]
    }
}

impl Node {
    #[inline]
    pub(super) fn child(&self, key: &[u8]) -> Option<&Node> {
        self.children.iter().find(|child| child.key.as_bytes() == key)
    }

    pub(super) fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    /// Of a key that comes twice, the last counts: what the first had is gone.
    #[inline]
    pub(super) fn put(&self, value: Range<usize>, found: &mut Found) {
        if let Some(slot) = self.slot {
            found[slot] = Some(value);
        }
    }

    /// As [`put`](Node::put), before the value is looked into.
    #[inline]
    pub(super) fn forget(&self, found: &mut Found) {
        forget(&mut found[self.slots.clone()]);
    }

    fn child_or_new(&mut self, key: &str) -> &mut Node {
        let index = self.children.iter().position(|child| child.key == key);
        let index = index.unwrap_or_else(|| {
            self.children.push(Node { key: key.to_owned(), ..Node::default() });
            self.children.len() - 1
        });
        &mut self.children[index]
    }

    fn number(&mut self, next: &mut usize) {
        let first = *next;
        if let Some(slot) = &mut self.slot {
            *slot = *next;
            *next += 1;
        }
        for child in &mut self.children {
            child.number(next);
        }
        self.slots = first..*next;
    }
}

/// There are few: `fill` is a call, which takes longer than what it does.
#[inline]
pub(super) fn forget(found: &mut [Option<Range<usize>>]) {
    for place in found {
        *place = None;
    }
}
