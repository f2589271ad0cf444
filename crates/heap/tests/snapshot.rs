//! Defends the snapshot file: what is written is read back, and no file, however damaged or
//! hostile, does more than cost an error.

#[path = "../../../fuzz/bodies/snapshot.rs"]
mod body;
#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
mod heaps;
#[path = "../../../fuzz/bodies/noise.rs"]
mod noise;

use deadweight_heap::snapshot::{self, SnapshotError};
use deadweight_heap::{
    Account, AccountKind, AccountRow, Bytes, Capture, Collector, EdgeKind, Gap, GapKind,
    Generation, Heap, NameId, NodeId, Provenance, Pymalloc, RootKind,
};
use heaps::{Plan, PlanLabel, any_plan, attribute, item, object};
use proptest::prelude::*;

const ENOUGH: Bytes = Bytes(1 << 30);

fn capture(heap: Heap, values: bool) -> Capture {
    let lists = heap.object_ids().collect::<Vec<_>>().into_iter().rev().collect();
    Capture {
        heap,
        lists,
        account: Account {
            rss: Bytes(7_000_000),
            pss: Some(Bytes(6_000_000)),
            uss: None,
            rows: vec![
                AccountRow { kind: AccountKind::PythonObjects, bytes: Bytes(6_999_999) },
                AccountRow { kind: AccountKind::FileBacked, bytes: Bytes(1) },
            ],
            pymalloc: Some(Pymalloc { arenas: 3, sparse_blocks: 9, ..Pymalloc::default() }),
        },
        gaps: vec![Gap {
            kind: GapKind::Unreadable, count: 2, detail: "two pages: größer".into()
        }],
        provenance: Provenance {
            pid: 4242,
            command: "python app.py\n--flag".into(),
            python: "3.12.1".into(),
            values,
            pause_micros: u64::MAX,
            collector: Some(Collector {
                enabled: true,
                generations: [0, 1, 2].map(|number| Generation {
                    threshold: i32::MIN + number,
                    count: number,
                    objects: u64::MAX,
                    ..Generation::default()
                }),
                long_lived_total: 7,
                ..Collector::default()
            }),
            ..Provenance::default()
        },
    }
}

fn written(capture: &Capture) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot::write(capture, &mut bytes).expect("memory can be written");
    bytes
}

fn read(bytes: &[u8]) -> Result<Capture, SnapshotError> {
    snapshot::read(bytes, ENOUGH)
}

fn assert_same(a: &Capture, b: &Capture) {
    assert_eq!((&a.account, &a.gaps, &a.provenance), (&b.account, &b.gaps, &b.provenance));
    assert_eq!(a.lists, b.lists);
    let (a, b) = (&a.heap, &b.heap);
    assert_eq!((a.model, &a.roots), (b.model, &b.roots));
    assert_eq!(a.types.iter().collect::<Vec<_>>(), b.types.iter().collect::<Vec<_>>());
    let names = |heap: &Heap| -> Vec<String> {
        (0..heap.names.len()).map(|row| heap.names.get(NameId::from(row)).to_owned()).collect()
    };
    assert_eq!(names(a), names(b));
    let row = |heap: &Heap, node: NodeId| {
        let nodes = &heap.nodes;
        let facts = (nodes.address(node), nodes.type_of(node), nodes.flags(node));
        let edges: Vec<_> = heap.edges.of(node).collect();
        (facts, nodes.held(node), nodes.requested(node), edges)
    };
    let rows = |heap: &Heap| heap.nodes.ids().map(|id| row(heap, id)).collect::<Vec<_>>();
    assert_eq!(rows(a), rows(b));
}

/// A heap with a bit of everything.
fn sample() -> Plan {
    let mut plan = Plan::new();
    let module = plan.add(object("module", 64));
    let (list, dict) = (plan.add(object("list", 6 << 32)), plan.add(object("dict", 100_000)));
    plan.root(RootKind::Module, "app", module);
    plan.link(module, list, attribute("cache"));
    plan.link(list, dict, item(3));
    plan.link(dict, list, PlanLabel::Named(EdgeKind::NamedEntry, "secret".into()));
    plan.edges.push((dict, module, PlanLabel::At(EdgeKind::Field, 24), true));
    plan
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_written_is_read_back(plan in any_plan(), scale in 0_u32..40) {
        let mut plan = plan;
        plan.nodes.iter_mut().for_each(|node| node.held <<= scale);
        let capture = capture(plan.build(), true);
        assert_same(&read(&written(&capture)).expect("just written"), &capture);
    }

    #[test]
    fn sound_checksums_around_nonsense_give_an_error_or_a_heap_that_can_be_used(
        plan in any_plan(),
        changes in prop::collection::vec(any_change(), 1..3),
    ) {
        let mut columns = columns(&written(&capture(plan.build(), true)));
        for (column, at, change) in changes {
            let number = column.index(columns.len());
            let (_, rows, values) = &mut columns[number];
            let at = at.index(values.len().max(1));
            match change {
                Change::Rows(by) => *rows = rows.wrapping_add_signed(by),
                Change::Insert(byte) => values.insert(at, byte),
                Change::Remove if at < values.len() => drop(values.remove(at)),
                Change::Alter(bits) if at < values.len() => values[at] ^= bits,
                Change::Remove | Change::Alter(_) => {}
            }
        }
        if let Ok(capture) = read(&file(&columns)) {
            body::use_all_of(&capture.heap);
        }
    }
}

/// What is done to the values of a column.
#[derive(Clone, Debug)]
enum Change {
    Rows(i64),
    Insert(u8),
    Remove,
    Alter(u8),
}

fn any_change() -> impl Strategy<Value = (prop::sample::Index, prop::sample::Index, Change)> {
    let change = prop_oneof![
        1 => (-2_i64..3).prop_map(Change::Rows),
        1 => any::<u8>().prop_map(Change::Insert),
        1 => Just(Change::Remove),
        20 => (1_u8..16).prop_map(Change::Alter),
    ];
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), change)
}

/// The columns of a sound file: name, rows, values as they were before compression.
fn columns(file: &[u8]) -> Vec<(String, u64, Vec<u8>)> {
    let mut rest = &file[16..];
    let mut take = |len: usize| {
        let (taken, left) = rest.split_at(len);
        rest = left;
        taken.to_vec()
    };
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
    let mut columns = Vec::new();
    loop {
        let len = usize::from(take(1)[0]);
        let name = String::from_utf8(take(len)).expect("plain names");
        let rows = u64::from_le_bytes(take(8).try_into().expect("eight bytes"));
        take(4);
        let mut values = Vec::new();
        loop {
            let (len, packed) = (word(&take(4)), word(&take(4)));
            take(4);
            let packed = take(packed as usize);
            if len == 0 {
                break;
            }
            values.extend(zstd::bulk::decompress(&packed, len as usize).expect("just written"));
        }
        if name == "end" {
            return columns;
        }
        columns.push((name, rows, values));
    }
}

/// A file of these columns, with sound checksums, made without the code under test.
fn file(columns: &[(String, u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\x89DWSNAP\n\x01\x00\x02\x00".to_vec();
    file.extend(crc32fast::hash(&file).to_le_bytes());
    for (name, rows, values) in columns {
        put_column(&mut file, name, *rows, values);
    }
    put_column(&mut file, "end", columns.len() as u64, &[]);
    file
}

fn put_column(file: &mut Vec<u8>, name: &str, rows: u64, values: &[u8]) {
    let start = file.len();
    file.push(name.len() as u8);
    file.extend(name.as_bytes());
    file.extend(rows.to_le_bytes());
    let mut summed = file[start..].to_vec();
    file.extend(crc32fast::hash(&summed).to_le_bytes());
    for block in values.chunks(1 << 20).chain([[].as_slice()]) {
        let packed = if block.is_empty() {
            Vec::new()
        } else {
            zstd::bulk::compress(block, 19).expect("compresses")
        };
        let head =
            [(block.len() as u32).to_le_bytes(), (packed.len() as u32).to_le_bytes()].concat();
        summed.extend(&head);
        summed.extend(&packed);
        file.extend(head);
        file.extend(crc32fast::hash(&summed).to_le_bytes());
        file.extend(packed);
    }
}

#[test]
fn columns_of_more_than_one_block_are_read_back() {
    let mut plan = Plan::new();
    let list = plan.add(object("list", 64));
    plan.root(RootKind::Module, "app", list);
    for index in 0..400_000 {
        let held = 1 + (index * 7919) % 100_003;
        let node = plan.add(object(if index % 3 == 0 { "str" } else { "dict" }, held));
        plan.link(list, node, item(index));
        plan.link(
            node,
            1 + (index as usize * 31) % (index as usize + 1),
            attribute(&format!("name {}", index % 999)),
        );
    }
    let capture = capture(plan.build(), true);
    let bytes = written(&capture);
    assert!(columns(&bytes).iter().any(|(_, _, values)| values.len() > 1 << 20));
    assert_same(&read(&bytes).expect("just written"), &capture);
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = written(&capture(sample().build(), true));
    for len in 0..bytes.len() {
        let error = read(&bytes[..len]).expect_err("a part is not the whole");
        assert!(
            matches!(error, SnapshotError::Truncated(_) | SnapshotError::Foreign),
            "{len}: {error}"
        );
    }
    assert!(read(&bytes).is_ok());
}

#[test]
fn every_flipped_bit_is_an_error() {
    let bytes = written(&capture(sample().build(), true));
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn what_follows_the_end_is_an_error() {
    let mut bytes = written(&capture(sample().build(), true));
    bytes.push(0);
    assert!(matches!(read(&bytes), Err(SnapshotError::Damaged(_))));
}

#[test]
fn something_else_is_not_a_snapshot() {
    for text in ["", "PK", "\u{7f}ELF and so on, for long enough", "DWSNAP DWSNAP DWSNAP"] {
        assert!(matches!(read(text.as_bytes()), Err(SnapshotError::Foreign)), "{text}");
    }
}

#[test]
fn a_later_major_version_is_refused_by_its_number() {
    let mut bytes = written(&capture(sample().build(), true));
    bytes[8] = 2;
    let sum = crc32fast::hash(&bytes[..12]).to_le_bytes();
    bytes[12..16].copy_from_slice(&sum);
    assert!(matches!(read(&bytes), Err(SnapshotError::Version(2, snapshot::MINOR))));
}

#[test]
fn a_file_of_minor_version_1_has_no_lists() {
    let original = capture(sample().build(), true);
    let mut columns = columns(&written(&original));
    columns.retain(|(name, _, _)| name != "lists");
    assert!(matches!(read(&file(&columns)), Err(SnapshotError::Missing("lists"))));
    let mut old = file(&columns);
    old[10] = 1;
    let sum = crc32fast::hash(&old[..12]).to_le_bytes();
    old[12..16].copy_from_slice(&sum);
    assert_same(&read(&old).expect("sound"), &Capture { lists: Vec::new(), ..original });
}

#[test]
fn a_list_that_leads_to_no_object_is_an_error() {
    let mut columns = columns(&written(&capture(sample().build(), true)));
    let lists = columns.iter_mut().find(|(name, _, _)| name == "lists").expect("always there");
    // 1,000 less 0, as a difference.
    *lists = ("lists".into(), 1, vec![0xd0, 0x0f]);
    let error = read(&file(&columns)).expect_err("there are five nodes");
    assert!(matches!(error, SnapshotError::Malformed { column: "lists", .. }), "{error}");
}

#[test]
fn unknown_columns_are_ignored_and_missing_ones_are_named() {
    let original = capture(sample().build(), true);
    let mut columns = columns(&written(&original));
    columns.insert(3, ("later".into(), 5, vec![1; 3_000_000]));
    columns.push(("later still".into(), 0, Vec::new()));
    assert_same(&read(&file(&columns)).expect("only additions"), &original);
    columns.retain(|(name, _, _)| name != "nodes.held");
    assert!(matches!(read(&file(&columns)), Err(SnapshotError::Missing("nodes.held"))));
}

/// A few kilobytes that unpack to gigabytes must stop at the limit, and a size that is merely
/// claimed must not be allocated.
#[test]
fn a_claim_of_many_rows_is_refused_before_they_are_read() {
    let bytes = written(&capture(sample().build(), true));
    let small = snapshot::read(bytes.as_slice(), Bytes(500)).expect_err("too large");
    assert!(matches!(small, SnapshotError::TooLarge { limit: Bytes(500), .. }), "{small}");
    let mut columns = columns(&bytes);
    let shape = columns.iter().position(|(name, _, _)| name == "shape").expect("always there");
    // Nodes, references, names, types, roots: 100,000,000 nodes.
    columns[shape].2.splice(0..1, [0x80, 0xc2, 0xd7, 0x2f]);
    let error = read(&file(&columns)).expect_err("too large");
    assert!(matches!(error, SnapshotError::TooLarge { .. }), "{error}");
    let error = snapshot::read(file(&columns).as_slice(), Bytes(u64::MAX)).expect_err("not there");
    assert!(matches!(error, SnapshotError::Malformed { .. }), "{error}");

    let mut columns = self::columns(&bytes);
    let gaps = columns.iter_mut().find(|(name, _, _)| name == "gaps").expect("always there");
    *gaps = ("gaps".into(), u64::MAX, vec![0; 64 << 20]);
    let error = read(&file(&columns)).expect_err("too large");
    assert!(matches!(error, SnapshotError::TooLarge { .. }), "{error}");
}

/// Sizes of more than four gigabytes stand outside their column, and cost more than it.
#[test]
fn sizes_that_do_not_fit_their_column_count_against_the_limit() {
    const NODES: u64 = 1000;
    let mut plan = Plan::new();
    let list = plan.add(object("list", 64));
    plan.root(RootKind::Module, "app", list);
    for index in 0..NODES {
        let node = plan.add(object("bytes", 1 << 40));
        plan.link(list, node, item(index));
    }
    let bytes = written(&capture(plan.build(), true));
    let needs_more_than = |limit| match snapshot::read(bytes.as_slice(), Bytes(limit)) {
        Err(SnapshotError::TooLarge { needs, .. }) => Some(needs.0),
        _ => None,
    };
    let tables = needs_more_than(0).expect("it needs something");
    assert!(needs_more_than(tables + 40 * NODES).is_some());
    assert!(read(&bytes).is_ok());
}

#[test]
fn rows_that_belong_to_no_node_are_an_error() {
    let mut columns = columns(&written(&capture(sample().build(), true)));
    let counts = columns.iter_mut().find(|(name, _, _)| name == "edges.count").expect("there");
    *counts.2.iter_mut().rfind(|count| **count > 0).expect("references") -= 1;
    for values in ["edges.target", "edges.label"] {
        let column = columns.iter_mut().find(|(name, _, _)| name == values).expect("there");
        // All bytes of a number but its last have the high bit.
        column.2.pop();
        while column.2.pop_if(|byte| *byte >= 0x80).is_some() {}
    }
    let error = read(&file(&columns)).expect_err("one reference less than rows");
    assert!(error.to_string().contains("edges.count"), "{error}");
}

#[test]
fn contents_of_keys_stay_out_unless_values_were_asked_for() {
    let open = written(&capture(sample().build(), true));
    let closed = written(&capture(sample().build(), false));
    let holds = |file: &[u8]| {
        let secret = |values: &[u8]| values.windows(6).any(|window| window == b"secret");
        columns(file).iter().any(|(_, _, values)| secret(values))
    };
    assert!(holds(&open) && !holds(&closed));
    let heap = read(&closed).expect("just written").heap;
    let kinds: Vec<_> =
        heap.edges.of(NodeId(3)).map(|edge| (edge.label.kind(), edge.label.payload())).collect();
    assert_eq!(kinds, [(EdgeKind::Entry, 0), (EdgeKind::Field, 24)]);
    assert!(heap.names.find("cache").is_some());
}

#[test]
fn the_corpus_gives_errors_or_heaps_that_can_be_used() {
    corpus::replay("snapshot", 40, body::run);
}

#[test]
#[ignore = "writes to the corpus"]
fn gather_corpus() {
    let seeds = [true, false].map(|values| written(&capture(sample().build(), values)));
    corpus::gather("snapshot", seeds.to_vec(), 2_000_000, 120, body::run);
}
