//! Any bytes as a snapshot: an error, or a heap that can be used.

use deadweight_heap::path::ShownPath;
use deadweight_heap::snapshot;
use deadweight_heap::{
    Bytes, Census, Dominators, Grouping, Heap, NodeId, ShortestPaths, TreeOptions, heaviest,
    merged_paths, query, tree,
};

/// What a reader may take for a file of a few kilobytes.
const LIMIT: Bytes = Bytes(16 << 20);

/// Reads the bytes as they are, and with sound checksums, which few changed files have; says what came
/// of the latter, without its numbers.
pub(crate) fn run(bytes: &[u8]) -> String {
    let _ = outcome(bytes);
    outcome(&mended(bytes)).replace(|letter: char| letter.is_ascii_digit(), "")
}

fn outcome(file: &[u8]) -> String {
    match snapshot::read(file, LIMIT) {
        Ok(capture) => {
            use_all_of(&capture.heap);
            let mut again = Vec::new();
            snapshot::write(&capture, &mut again).expect("memory can be written");
            let back = snapshot::read(again.as_slice(), LIMIT).expect("just written").heap;
            assert_eq!(back.objects(), capture.heap.objects());
            format!("{} nodes, {} gaps", capture.heap.nodes.len(), capture.gaps.len())
        }
        Err(error) => error.to_string(),
    }
}

/// The file with the checksums it should have, as far as its parts can be told apart.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    let sum = file.get(..12).map(crc32fast::hash);
    if let (Some(sum), Some(place)) = (sum, file.get_mut(12..16)) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    let mut at = 16;
    while let Some(next) = mend_column(&mut file, at) {
        at = next;
    }
    file
}

/// Mends the column that begins here; says where the next one does.
fn mend_column(file: &mut [u8], start: usize) -> Option<usize> {
    let mut hasher = crc32fast::Hasher::new();
    let mut end_of_head = start + 1 + usize::from(*file.get(start)?) + 8;
    hasher.update(file.get(start..end_of_head)?);
    put_sum(file, end_of_head, &hasher)?;
    loop {
        let at = end_of_head + 4;
        let head: [u8; 8] = *file.get(at..)?.first_chunk()?;
        let [len, packed] = [0, 4].map(|half| {
            head[half..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word) as usize)
        });
        hasher.update(&head);
        hasher.update(file.get(at + 12..at + 12 + packed)?);
        put_sum(file, at + 8, &hasher)?;
        if len == 0 {
            return Some(at + 12 + packed);
        }
        end_of_head = at + 8 + packed;
    }
}

fn put_sum(file: &mut [u8], at: usize, hasher: &crc32fast::Hasher) -> Option<()> {
    file.get_mut(at..at + 4)?.copy_from_slice(&hasher.clone().finalize().to_le_bytes());
    Some(())
}

/// Asks everything there is to ask.
pub(crate) fn use_all_of(heap: &Heap) {
    let (dominators, paths) = (Dominators::of(heap), ShortestPaths::of(heap));
    let nodes: Vec<NodeId> = heap.nodes.ids().collect();
    for &node in &nodes {
        let shown = ShownPath::of(heap, &paths.path_to(heap, node)).to_string();
        drop(query(heap, &shown));
        let address = heap.nodes.address(node);
        assert!(!heap.nodes.is_object(node) || heap.nodes.at(address) == Some(node));
    }
    let merged = merged_paths(heap, &paths, &dominators, &nodes, usize::MAX);
    assert_eq!(merged.iter().map(|path| path.count).sum::<u64>(), nodes.len() as u64);
    for path in merged {
        drop(ShownPath::of_merged(heap, &path).to_string());
    }
    let census = Census::of(heap, Some(&dominators), Grouping::Module);
    assert_eq!(census.total.count, heap.objects());
    assert!(heaviest(heap, &dominators, &paths, 5).len() <= 5);
    let options = TreeOptions { depth: 9, width: 9, least: Bytes(0) };
    let rows = tree(heap, &dominators, &paths, Heap::ROOT, options);
    assert_eq!(rows[0].retained, dominators.retained(Heap::ROOT));
    assert!(heap.model.block(Bytes(600)) >= heap.model.chunk_least);
}
