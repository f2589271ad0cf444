//! What the full walk finds beyond what the collector can see, by the reference that leads there.

use std::collections::{BTreeMap, HashMap, HashSet};

use deadweight_heap::{Heap, NodeId};

use crate::agree::Reading;
use crate::subject::Subject;
use crate::{interpreters, scenarios};

/// Objects reached by one kind of reference.
#[derive(Default)]
struct Row {
    objects: u64,
    held: u64,
    sources: HashMap<String, u64>,
}

/// Prints the table of docs/accuracy.md:
/// `cargo test -p deadweight-process --test accuracy -- --ignored --nocapture surplus`
#[test]
#[ignore = "prints a table for docs/accuracy.md"]
fn print_the_surplus() {
    let all = scenarios::all();
    for interpreter in interpreters::all() {
        let run = scenarios::together(&all, interpreter.minor());
        let names: Vec<&str> = run.iter().map(|scenario| scenario.name.as_str()).collect();
        let reading = Reading::of(Subject::start(&interpreter.path, &names));
        let (visible, full) = (&reading.visible.heap, &reading.full.heap);
        println!(
            "\n### {}: {} objects, of which the collector sees {}\n",
            interpreter.version,
            full.objects(),
            visible.objects()
        );
        for gap in &reading.full.gaps {
            println!("Not certain: {gap}\n");
        }
        println!(
            "| first reference that the collector does not follow | objects | held bytes | mostly from |"
        );
        println!("|---|--:|--:|---|");
        let rows = surplus(visible, full);
        let sum: u64 = rows.values().map(|row| row.objects).sum();
        assert_eq!(sum, full.objects() - visible.objects());
        for (kind, row) in rows {
            let mut sources: Vec<_> = row.sources.into_iter().collect();
            sources.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let sources: Vec<String> = sources
                .into_iter()
                .take(4)
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            println!("| {kind} | {} | {} | {} |", row.objects, row.held, sources.join(", "));
        }
    }
}

/// Every object that only the full walk finds, by the first reference on a shortest way to it that the
/// collector does not follow; what no object leads to, by its holder.
fn surplus(visible: &Heap, full: &Heap) -> BTreeMap<String, Row> {
    let known: HashSet<u64> =
        visible.object_ids().map(|node| visible.nodes.address(node).0).collect();
    let is_known = |node: NodeId| known.contains(&full.nodes.address(node).0);
    let (seen, mut hidden): (Vec<NodeId>, Vec<NodeId>) =
        full.object_ids().partition(|&node| is_known(node));
    // First what objects lead to, then what only roots and holders do.
    let pseudo = (0..full.first_object().0).map(NodeId);
    let mut class: HashMap<NodeId, (String, String)> = HashMap::new();
    for sources in [seen, pseudo.collect()] {
        let mut wave = sources;
        let mut first = true;
        while !wave.is_empty() {
            let mut next = Vec::new();
            for source in wave {
                for edge in full.edges.of(source).filter(|edge| edge.label.is_strong()) {
                    let target = edge.target;
                    if !full.nodes.is_object(target)
                        || is_known(target)
                        || class.contains_key(&target)
                    {
                        continue;
                    }
                    let how = if first {
                        let kind = format!("{:?}", edge.label.kind()).to_lowercase();
                        let scanned = if edge.label.is_conservative() { ", scanned" } else { "" };
                        (format!("{kind}{scanned}"), full.type_name(source).to_owned())
                    } else {
                        class[&source].clone()
                    };
                    class.insert(target, how);
                    next.push(target);
                }
            }
            wave = next;
            first = false;
        }
    }
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for node in hidden.drain(..) {
        let (kind, source) =
            class.remove(&node).unwrap_or_else(|| ("weak only".into(), String::new()));
        let row = rows.entry(kind).or_default();
        row.objects += 1;
        row.held += full.nodes.held(node).0;
        *row.sources.entry(source).or_default() += 1;
    }
    rows
}
