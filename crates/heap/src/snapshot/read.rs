//! Bytes to capture.

use std::io::Read;

use super::column::{ColumnReader, Reader};
use super::{MAGIC, MAJOR, SnapshotError, facts};
use crate::capture::Capture;
use crate::edges::{Edges, Label};
use crate::heap::Heap;
use crate::names::Names;
use crate::nodes::{NodeFlags, Nodes};
use crate::roots::{Root, RootKind};
use crate::types::{TypeKind, TypeRow, Types};
use crate::units::{Addr, Bytes, NameId, NodeId, TypeId};

/// Reads a `.dwsnap` file, taking at most `limit` of memory for what it holds.
///
/// # Errors
/// When the source fails; when the file is no snapshot, too new, cut short or damaged; when it needs
/// more memory than allowed; when its tables contradict each other.
pub fn read(from: impl Read, limit: Bytes) -> Result<Capture, SnapshotError> {
    let mut reader = Reader::new(from, limit)?;
    let minor = preamble(&mut reader)?;
    let shape = Shape::read(&mut reader)?;
    let provenance = facts::read_provenance(&mut reader)?;
    let model = facts::read_model(&mut reader)?;
    let gaps = facts::read_gaps(&mut reader)?;
    let account = facts::read_account(&mut reader)?;
    let heap = Heap {
        names: read_names(&mut reader, &shape)?,
        types: read_types(&mut reader, &shape)?,
        roots: read_roots(&mut reader, &shape)?,
        nodes: read_nodes(&mut reader, &shape)?,
        edges: read_edges(&mut reader, &shape)?,
        model,
    };
    let lists = if minor < 2 { Vec::new() } else { read_lists(&mut reader, &shape)? };
    reader.finish()?;
    if !heap.is_consistent() {
        return Err(SnapshotError::Inconsistent);
    }
    Ok(Capture { heap, account, gaps, provenance, lists })
}

/// The minor version.
fn preamble<R: Read>(reader: &mut Reader<R>) -> Result<u16, SnapshotError> {
    let bytes: [u8; 16] = reader.preamble().map_err(|error| match error {
        // Whatever is shorter than this was never a snapshot.
        SnapshotError::Truncated(_) => SnapshotError::Foreign,
        error => error,
    })?;
    let [m0, m1, m2, m3, m4, m5, m6, m7, a0, a1, i0, i1, sum @ ..] = bytes;
    if [m0, m1, m2, m3, m4, m5, m6, m7] != MAGIC {
        return Err(SnapshotError::Foreign);
    }
    if crc32fast::hash(&bytes[..12]) != u32::from_le_bytes(sum) {
        return Err(SnapshotError::Damaged("header".to_owned()));
    }
    let (major, minor) = (u16::from_le_bytes([a0, a1]), u16::from_le_bytes([i0, i1]));
    if major == MAJOR { Ok(minor) } else { Err(SnapshotError::Version(major, minor)) }
}

/// How many rows each table has.
struct Shape {
    nodes: usize,
    edges: usize,
    names: usize,
    types: usize,
    roots: usize,
}

impl Shape {
    fn read<R: Read>(reader: &mut Reader<R>) -> Result<Shape, SnapshotError> {
        let mut column = reader.column("shape")?.expect_rows(5)?;
        let mut rows = [0; 5];
        for row in &mut rows {
            *row = column.below(u32::MAX as usize)? as usize;
        }
        let [nodes, edges, names, types, roots] = rows;
        let shape = Shape { nodes, edges, names, types, roots };
        column.charge(shape.memory())?;
        column.finish()?;
        Ok(shape)
    }

    /// What the tables will take at least.
    fn memory(&self) -> Bytes {
        const NODE: usize = 4 + 4 + 4 + 2 + 1 + 4;
        const EDGE: usize = 4 + 4;
        let rows = [
            self.nodes * NODE,
            self.edges * EDGE,
            self.names * size_of::<u32>(),
            self.types * size_of::<TypeRow>(),
            self.roots * size_of::<Root>(),
        ];
        rows.into_iter().map(|bytes| Bytes(bytes as u64)).sum()
    }
}

/// One value a row. Room grows as values arrive.
fn values<R: Read, T>(
    reader: &mut Reader<R>,
    column: &'static str,
    rows: usize,
    mut value: impl FnMut(&mut ColumnReader<'_, R>) -> Result<T, SnapshotError>,
) -> Result<Vec<T>, SnapshotError> {
    let mut column = reader.column(column)?.expect_rows(rows as u64)?;
    let mut values = Vec::new();
    for _ in 0..rows {
        values.push(value(&mut column)?);
    }
    column.finish()?;
    Ok(values)
}

fn read_names<R: Read>(reader: &mut Reader<R>, shape: &Shape) -> Result<Names, SnapshotError> {
    let mut blob = String::new();
    let ends = values(reader, "names", shape.names, |column| {
        blob.push_str(&column.text()?);
        u32::try_from(blob.len()).map_err(|_| column.malformed("more than 4 GiB of names"))
    })?;
    Ok(Names { blob, ends })
}

fn read_types<R: Read>(reader: &mut Reader<R>, shape: &Shape) -> Result<Types, SnapshotError> {
    let names = shape.names;
    let mut rows = values(reader, "types.name", shape.types, |column| {
        Ok(TypeRow {
            name: NameId(column.below(names)?),
            module: NameId(0),
            address: Addr::NULL,
            basic_size: 0,
            item_size: 0,
            kind: TypeKind::Pseudo,
            getsizeof: Bytes(0),
        })
    })?;
    let rows_mut = rows.iter_mut();
    fill(reader, "types.module", rows_mut, |row, column| {
        row.module = NameId(column.below(names)?);
        Ok(())
    })?;
    fill(reader, "types.address", rows.iter_mut(), |row, column| {
        row.address = Addr(column.number()?);
        Ok(())
    })?;
    fill(reader, "types.basic_size", rows.iter_mut(), |row, column| {
        row.basic_size = column.below(usize::MAX)?;
        Ok(())
    })?;
    fill(reader, "types.item_size", rows.iter_mut(), |row, column| {
        row.item_size = column.below(usize::MAX)?;
        Ok(())
    })?;
    fill(reader, "types.kind", rows.iter_mut(), |row, column| {
        row.kind = match column.byte()? {
            0 => TypeKind::Python,
            1 => TypeKind::Native,
            2 => TypeKind::Pseudo,
            _ => return Err(column.malformed("an unknown kind")),
        };
        Ok(())
    })?;
    fill(reader, "types.getsizeof", rows.iter_mut(), |row, column| {
        row.getsizeof = Bytes(column.number()?);
        Ok(())
    })?;
    Ok(Types { rows })
}

/// The next column of rows that are there.
fn fill<'a, R: Read, T: 'a>(
    reader: &mut Reader<R>,
    column: &'static str,
    mut rows: impl ExactSizeIterator<Item = &'a mut T>,
    mut set: impl FnMut(&mut T, &mut ColumnReader<'_, R>) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let mut column = reader.column(column)?.expect_rows(rows.len() as u64)?;
    rows.try_for_each(|row| set(row, &mut column))?;
    column.finish()
}

fn read_roots<R: Read>(reader: &mut Reader<R>, shape: &Shape) -> Result<Vec<Root>, SnapshotError> {
    let kinds = values(reader, "roots.kind", shape.roots, |column| {
        let kind = RootKind::ALL.get(usize::from(column.byte()?));
        kind.copied().ok_or_else(|| column.malformed("an unknown kind"))
    })?;
    let name = |column: &mut ColumnReader<'_, R>| Ok(NameId(column.below(shape.names)?));
    let node = |column: &mut ColumnReader<'_, R>| Ok(NodeId(column.below(shape.nodes)?));
    let names = values(reader, "roots.name", shape.roots, name)?;
    let nodes = values(reader, "roots.node", shape.roots, node)?;
    let rows = kinds.into_iter().zip(names).zip(nodes);
    Ok(rows.map(|((kind, name), node)| Root { kind, name, node }).collect())
}

fn read_nodes<R: Read>(reader: &mut Reader<R>, shape: &Shape) -> Result<Nodes, SnapshotError> {
    /// What a base address takes.
    const BLOCK: Bytes = Bytes(16);

    let rows = shape.nodes;
    let flags = values(reader, "nodes.flags", rows, |column| Ok(NodeFlags(column.byte()?)))?;
    let mut nodes = Nodes { flags, ..Nodes::default() };
    let mut before = 0;
    values(reader, "nodes.address", rows, |column| {
        before = column.difference(before)?;
        let blocks = nodes.blocks.len();
        nodes.push_address(Addr(before));
        column.charge(Bytes(BLOCK.0 * (nodes.blocks.len() - blocks) as u64))
    })?;
    nodes.types =
        values(reader, "nodes.type", rows, |column| Ok(TypeId(column.below(shape.types)?)))?;
    let mut id = 0;
    values(reader, "nodes.held", rows, |column| {
        let held = Bytes(column.number()?);
        nodes.push_sizes();
        set_sizes(&mut nodes, NodeId(id), held, held, column)?;
        id += 1;
        Ok(())
    })?;
    let mut id = 0;
    values(reader, "nodes.requested", rows, |column| {
        let held = nodes.held(NodeId(id));
        let requested = Bytes(held.0.wrapping_sub(column.difference(0)?));
        set_sizes(&mut nodes, NodeId(id), held, requested, column)?;
        id += 1;
        Ok(())
    })?;
    Ok(nodes)
}

/// Sizes of a row that is there. Those too large for their columns take memory of their own.
fn set_sizes<R: Read>(
    nodes: &mut Nodes,
    id: NodeId,
    held: Bytes,
    requested: Bytes,
    column: &mut ColumnReader<'_, R>,
) -> Result<(), SnapshotError> {
    const LARGE: Bytes = Bytes(48);
    let large = nodes.large.len();
    nodes.set_sizes(id, held, requested);
    if nodes.large.len() > large { column.charge(LARGE) } else { Ok(()) }
}

fn read_edges<R: Read>(reader: &mut Reader<R>, shape: &Shape) -> Result<Edges, SnapshotError> {
    let mut starts = vec![0];
    let mut end = 0;
    values(reader, "edges.count", shape.nodes, |column| {
        end += column.below(shape.edges + 1 - end)? as usize;
        starts.push(end as u32);
        // What the last nodes leave over belongs to none.
        if starts.len() > shape.nodes && end < shape.edges {
            return Err(column.malformed("fewer references than there are"));
        }
        Ok(())
    })?;
    let mut column = reader.column("edges.target")?.expect_rows(shape.edges as u64)?;
    let mut targets = Vec::new();
    for (source, [start, end]) in starts.array_windows().enumerate() {
        let mut before = source as u64;
        for _ in *start..*end {
            before = column.difference(before)?;
            if before >= shape.nodes as u64 {
                return Err(column.malformed("a reference that leads nowhere"));
            }
            targets.push(NodeId(before as u32));
        }
    }
    column.finish()?;
    let mut column = reader.column("edges.label")?.expect_rows(shape.edges as u64)?;
    let mut labels = Vec::new();
    for [start, end] in starts.array_windows() {
        let mut before = 0;
        for _ in *start..*end {
            before = column.difference(before)?;
            let label = Label::from_code(before);
            labels.push(label.ok_or_else(|| column.malformed("an unknown sort of reference"))?);
        }
    }
    column.finish()?;
    Ok(Edges { starts, targets, labels })
}

fn read_lists<R: Read>(
    reader: &mut Reader<R>,
    shape: &Shape,
) -> Result<Vec<NodeId>, SnapshotError> {
    const NODE: Bytes = Bytes(size_of::<NodeId>() as u64);
    let mut column = reader.column("lists")?;
    let mut lists = Vec::new();
    let mut before = 0;
    for _ in 0..column.rows() {
        before = column.difference(before)?;
        if before >= shape.nodes as u64 {
            return Err(column.malformed("an object that is not there"));
        }
        column.charge(NODE)?;
        lists.push(NodeId(before as u32));
    }
    column.finish()?;
    Ok(lists)
}
