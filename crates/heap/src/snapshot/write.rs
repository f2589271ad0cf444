//! Capture to bytes.

use std::borrow::Cow;
use std::io::{self, Write};

use super::column::Writer;
use super::{MAGIC, MAJOR, MINOR, facts};
use crate::bits::Bits;
use crate::capture::Capture;
use crate::edges::{EdgeKind, Label};
use crate::heap::Heap;
use crate::names::Names;
use crate::nodes::Nodes;
use crate::roots::{Root, RootKind};
use crate::types::{TypeKind, TypeRow, Types};
use crate::units::{NameId, NodeId};

/// Writes a capture as a `.dwsnap` file.
///
/// Names that only say what dict keys contain are left out, unless
/// [`Provenance::values`](crate::Provenance::values) says that values were asked for.
///
/// # Errors
/// When the destination cannot be written.
pub fn write(capture: &Capture, mut to: impl Write) -> io::Result<()> {
    let mut preamble = Vec::from(MAGIC);
    preamble.extend(MAJOR.to_le_bytes());
    preamble.extend(MINOR.to_le_bytes());
    preamble.extend(crc32fast::hash(&preamble).to_le_bytes());
    to.write_all(&preamble)?;

    let Capture { heap, account, gaps, provenance, lists } = capture;
    let mut writer = Writer::new(to)?;
    let shape =
        [heap.nodes.len(), heap.edges.len(), heap.names.len(), heap.types.len(), heap.roots.len()];
    numbers(&mut writer, "shape", shape.into_iter().map(|rows| rows as u64))?;
    facts::write_provenance(&mut writer, provenance)?;
    facts::write_model(&mut writer, &heap.model)?;
    facts::write_gaps(&mut writer, gaps)?;
    facts::write_account(&mut writer, account)?;
    let kept = (!provenance.values).then(|| names_without_values(heap));
    write_names(&mut writer, &heap.names, kept.as_ref())?;
    write_types(&mut writer, &heap.types)?;
    write_roots(&mut writer, &heap.roots)?;
    write_nodes(&mut writer, &heap.nodes)?;
    write_edges(&mut writer, heap, provenance.values)?;
    write_lists(&mut writer, lists)?;
    writer.finish()
}

fn numbers<W: Write>(
    writer: &mut Writer<W>,
    column: &str,
    values: impl ExactSizeIterator<Item = u64>,
) -> io::Result<()> {
    let mut column = writer.column(column, values.len() as u64)?;
    for value in values {
        column.number(value)?;
    }
    column.finish()
}

fn bytes<W: Write>(
    writer: &mut Writer<W>,
    column: &str,
    values: impl ExactSizeIterator<Item = u8>,
) -> io::Result<()> {
    let mut column = writer.column(column, values.len() as u64)?;
    for value in values {
        column.byte(value)?;
    }
    column.finish()
}

/// The names that something else than the key of a dict entry uses.
fn names_without_values(heap: &Heap) -> Bits {
    let mut kept = Bits::new(heap.names.len());
    let mut keep = |name: NameId| {
        // A payload that stands for "a later name" may lead past the table.
        if name.index() < heap.names.len() {
            kept.set(name.index());
        }
    };
    for label in &heap.edges.labels {
        if label.kind().is_named() && label.kind() != EdgeKind::NamedEntry {
            keep(label.name());
        }
    }
    heap.roots.iter().for_each(|root| keep(root.name));
    heap.types.iter().flat_map(|(_, row)| [row.name, row.module]).for_each(keep);
    kept
}

fn write_names<W: Write>(
    writer: &mut Writer<W>,
    names: &Names,
    kept: Option<&Bits>,
) -> io::Result<()> {
    let mut column = writer.column("names", names.len() as u64)?;
    for row in 0..names.len() {
        let is_kept = kept.is_none_or(|kept| kept.get(row));
        column.text(if is_kept { names.get(NameId::from(row)) } else { "" })?;
    }
    column.finish()
}

fn write_types<W: Write>(writer: &mut Writer<W>, types: &Types) -> io::Result<()> {
    let rows = || types.rows.iter();
    let kind = |row: &TypeRow| match row.kind {
        TypeKind::Python => 0,
        TypeKind::Native => 1,
        TypeKind::Pseudo => 2,
    };
    numbers(writer, "types.name", rows().map(|row| u64::from(row.name.0)))?;
    numbers(writer, "types.module", rows().map(|row| u64::from(row.module.0)))?;
    numbers(writer, "types.address", rows().map(|row| row.address.0))?;
    numbers(writer, "types.basic_size", rows().map(|row| u64::from(row.basic_size)))?;
    numbers(writer, "types.item_size", rows().map(|row| u64::from(row.item_size)))?;
    bytes(writer, "types.kind", rows().map(kind))?;
    numbers(writer, "types.getsizeof", rows().map(|row| row.getsizeof.0))
}

fn write_roots<W: Write>(writer: &mut Writer<W>, roots: &[Root]) -> io::Result<()> {
    let kind = |root: &Root| {
        RootKind::ALL.iter().position(|&kind| kind == root.kind).unwrap_or_default() as u8
    };
    bytes(writer, "roots.kind", roots.iter().map(kind))?;
    numbers(writer, "roots.name", roots.iter().map(|root| u64::from(root.name.0)))?;
    numbers(writer, "roots.node", roots.iter().map(|root| u64::from(root.node.0)))
}

fn write_nodes<W: Write>(writer: &mut Writer<W>, nodes: &Nodes) -> io::Result<()> {
    let rows = nodes.len() as u64;
    bytes(writer, "nodes.flags", nodes.flags.iter().map(|flags| flags.0))?;
    let mut column = writer.column("nodes.address", rows)?;
    let mut before = 0;
    for address in nodes.addresses() {
        column.difference(address.0, before)?;
        before = address.0;
    }
    column.finish()?;
    numbers(writer, "nodes.type", nodes.types.iter().map(|id| u64::from(id.0)))?;
    let mut column = writer.column("nodes.held", rows)?;
    nodes.ids().try_for_each(|id| column.number(nodes.held(id).0))?;
    column.finish()?;
    let mut column = writer.column("nodes.requested", rows)?;
    nodes.ids().try_for_each(|id| column.difference(nodes.held(id).0, nodes.requested(id).0))?;
    column.finish()
}

fn write_edges<W: Write>(writer: &mut Writer<W>, heap: &Heap, values: bool) -> io::Result<()> {
    let edges = &heap.edges;
    let counts = edges.starts.array_windows().map(|[start, end]| u64::from(end - start));
    numbers(writer, "edges.count", counts)?;
    let rows = edges.len() as u64;
    let mut column = writer.column("edges.target", rows)?;
    for node in heap.nodes.ids() {
        let mut before = node;
        for &target in edges.targets(node) {
            column.difference(u64::from(target.0), u64::from(before.0))?;
            before = target;
        }
    }
    column.finish()?;
    let mut column = writer.column("edges.label", rows)?;
    for node in heap.nodes.ids() {
        let mut before = 0;
        for label in labels_of(heap, node, values).iter() {
            let code = label.code();
            column.difference(code, before)?;
            before = code;
        }
    }
    column.finish()
}

fn write_lists<W: Write>(writer: &mut Writer<W>, lists: &[NodeId]) -> io::Result<()> {
    let mut column = writer.column("lists", lists.len() as u64)?;
    let mut before = 0;
    for node in lists {
        let node = u64::from(node.0);
        column.difference(node, before)?;
        before = node;
    }
    column.finish()
}

/// The labels of a node's references. Without values, an entry whose key was kept is called by its
/// position.
fn labels_of(heap: &Heap, node: NodeId, values: bool) -> Cow<'_, [Label]> {
    let labels = &heap.edges.labels[heap.edges.range(node)];
    if values || labels.iter().all(|label| label.kind() != EdgeKind::NamedEntry) {
        return Cow::Borrowed(labels);
    }
    let mut entries = 0;
    let without_key = |&label: &Label| {
        let is_entry = matches!(label.kind(), EdgeKind::Entry | EdgeKind::NamedEntry);
        entries += u64::from(is_entry);
        match label.kind() {
            EdgeKind::NamedEntry if label.is_conservative() => {
                Label::at(EdgeKind::Entry, entries - 1).conservative()
            }
            EdgeKind::NamedEntry => Label::at(EdgeKind::Entry, entries - 1),
            _ => label,
        }
    };
    Cow::Owned(labels.iter().map(without_key).collect())
}
