//! A heap, asked: the same documents as the command's `--json` and the same texts.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use deadweight_heap::{
    Addr, Bytes, Capture, Census, Dominators, Grouping, Heap as Graph, NodeId, ShortestPaths,
    SortKey, Subject, TreeOptions, query,
};
use deadweight_report::view::{CensusView, Cost, Tree, Weigh, Why};
use deadweight_report::{json, text};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::errors::{of_file, of_query};
use crate::own::at_end_of;

/// A heap as it was at one moment.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Heap {
    capture: Capture,
    dominators: OnceLock<Dominators>,
    paths: OnceLock<ShortestPaths>,
    /// How this process was read, if it was this one.
    method: Option<String>,
    /// How long it took to read it, and to work out what was asked for so far.
    spent_micros: AtomicU64,
}

fn micros_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Writes a document or a text.
pub(crate) fn written(
    write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> PyResult<String> {
    let mut out = Vec::new();
    write(&mut out)?;
    String::from_utf8(out).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

impl Heap {
    /// A heap that one began to read at `begun`.
    pub(crate) fn new(capture: Capture, method: Option<String>, begun: Instant) -> Heap {
        Heap {
            capture,
            dominators: OnceLock::new(),
            paths: OnceLock::new(),
            method,
            spent_micros: AtomicU64::new(micros_since(begun)),
        }
    }

    fn dominators(&self) -> &Dominators {
        self.dominators.get_or_init(|| self.timed(Dominators::of))
    }

    fn paths(&self) -> &ShortestPaths {
        self.paths.get_or_init(|| self.timed(ShortestPaths::of))
    }

    fn timed<T>(&self, work: impl FnOnce(&Graph) -> T) -> T {
        let begun = Instant::now();
        let done = work(&self.capture.heap);
        self.spent_micros.fetch_add(micros_since(begun), Ordering::Relaxed);
        done
    }

    /// The rest is the program's as much as ours: nobody can tell.
    fn cost(&self) -> Cost {
        let elapsed_micros = self.spent_micros.load(Ordering::Relaxed);
        Cost { elapsed_micros, cpu_micros: None, peak: None }
    }

    fn nodes(&self, text: &str) -> PyResult<Subject> {
        query(&self.capture.heap, text).map_err(|error| of_query(&error))
    }

    fn node(&self, node: u32) -> PyResult<NodeId> {
        let inside = (node as usize) < self.capture.heap.nodes.len();
        if inside { Ok(NodeId(node)) } else { Err(PyValueError::new_err("no such node")) }
    }

    fn census_view(&self, grouping: Grouping, key: SortKey, top: usize) -> CensusView<'_> {
        let heap = &self.capture.heap;
        let mut census = Census::of(heap, Some(self.dominators()), grouping);
        census.sort(&heap.names, key);
        CensusView {
            names: &heap.names,
            gaps: &self.capture.gaps,
            provenance: &self.capture.provenance,
            grouping,
            census,
            references: Some(heap.references()),
            tracked: heap.tracked(),
            top,
        }
    }

    fn why_view<'a>(&'a self, text: &'a str, top: usize) -> PyResult<Why<'a>> {
        let subject = self.nodes(text)?;
        let (dominators, paths) = (self.dominators(), self.paths());
        Ok(Why::of(&self.capture, text, subject.nodes(), dominators, paths, top))
    }
}

/// A document for programs, and the text for people.
type Answer = (String, String);

#[pymethods]
impl Heap {
    /// What there is, by type or by module.
    fn census(&self, py: Python<'_>, by: &str, sort: &str, top: usize) -> PyResult<Answer> {
        let grouping = match by {
            "type" => Grouping::Type,
            "module" => Grouping::Module,
            other => {
                let text = format!("by must be 'type' or 'module', not {other:?}");
                return Err(PyValueError::new_err(text));
            }
        };
        let key = match sort {
            "retained" => SortKey::Retained,
            "held" => SortKey::Held,
            "getsizeof" => SortKey::Getsizeof,
            "count" => SortKey::Count,
            "name" => SortKey::Name,
            other => {
                let words = "'retained', 'held', 'getsizeof', 'count' or 'name'";
                let text = format!("sort must be {words}, not {other:?}");
                return Err(PyValueError::new_err(text));
            }
        };
        py.detach(|| {
            let document =
                written(|out| json::census(&self.census_view(grouping, key, usize::MAX), out))?;
            let text = written(|out| text::census(&self.census_view(grouping, key, top), out))?;
            Ok((document, text))
        })
    }

    /// What dominates what.
    fn tree(
        &self,
        py: Python<'_>,
        start: Option<&str>,
        depth: usize,
        top: usize,
        least: f64,
    ) -> PyResult<Answer> {
        py.detach(|| {
            let start = match start {
                None => Graph::ROOT,
                Some(text) => match self.nodes(text)?.nodes() {
                    [node] => self.capture.heap.names_of_module(*node).unwrap_or(*node),
                    nodes => {
                        let text = format!(
                            "`{text}` leads to {} objects, not to one: ask for one by its path or address",
                            nodes.len()
                        );
                        return Err(PyValueError::new_err(text));
                    }
                },
            };
            let least = Bytes((self.dominators().retained(start).0 as f64 * least / 100.0) as u64);
            let options = TreeOptions { depth, width: top, least };
            let view = Tree::of(&self.capture, self.dominators(), self.paths(), start, options);
            Ok((written(|out| json::tree(&view, out))?, written(|out| text::tree(&view, out))?))
        })
    }

    /// What holds something.
    fn why(&self, py: Python<'_>, query: &str, top: usize) -> PyResult<Answer> {
        py.detach(|| {
            let view = self.why_view(query, top)?;
            Ok((written(|out| json::why(&view, out))?, written(|out| text::why(&view, out))?))
        })
    }

    /// The whole at a glance.
    fn weigh(&self, py: Python<'_>, top: usize) -> PyResult<Answer> {
        py.detach(|| {
            let (dominators, paths) = (self.dominators(), self.paths());
            let view = Weigh::of(&self.capture, dominators, paths, top, self.cost());
            Ok((written(|out| json::weigh(&view, out))?, written(|out| text::weigh(&view, out))?))
        })
    }

    /// The numbers of the nodes that a type name, path or address leads to.
    fn find(&self, py: Python<'_>, query: &str) -> PyResult<Vec<u32>> {
        py.detach(|| Ok(self.nodes(query)?.nodes().iter().map(|node| node.0).collect()))
    }

    /// Address, type, and held bytes of a node.
    fn describe(&self, node: u32) -> PyResult<(u64, &str, u64)> {
        let node = self.node(node)?;
        let heap = &self.capture.heap;
        Ok((heap.nodes.address(node).0, heap.type_name(node), heap.nodes.held(node).0))
    }

    /// What a node keeps alive, in bytes.
    fn retained(&self, py: Python<'_>, node: u32) -> PyResult<u64> {
        let node = self.node(node)?;
        Ok(py.detach(|| self.dominators().retained(node).0))
    }

    /// The path to a node, in the path grammar; empty if nothing leads there.
    fn path(&self, py: Python<'_>, node: u32) -> PyResult<String> {
        let node = self.node(node)?;
        let heap = &self.capture.heap;
        Ok(py.detach(|| {
            let steps = self.paths().path_to(heap, node);
            deadweight_heap::path::ShownPath::of(heap, &steps).to_string()
        }))
    }

    /// The live object of this process that a node stands for, if it can be shown to be alive: its
    /// path is walked again from `modules`, reference by reference, and must end at its address and
    /// type.
    fn object<'py>(
        &self,
        py: Python<'py>,
        node: u32,
        modules: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let node = self.node(node)?;
        if self.method.is_none() || self.capture.provenance.pid != std::process::id() {
            return Ok(None);
        }
        let heap = &self.capture.heap;
        let steps = py.detach(|| self.paths().path_to(heap, node));
        let Some(root) = steps.first().and_then(|step| heap.root(step.label.payload())) else {
            return Ok(None);
        };
        let chain: Vec<Addr> = steps.iter().map(|step| heap.nodes.address(step.node)).collect();
        let class = heap.types.get(heap.nodes.type_of(node)).address;
        if root.kind != deadweight_heap::RootKind::Module {
            return Ok(None);
        }
        let Ok(module) = modules.get_item(heap.names.get(root.name)) else { return Ok(None) };
        at_end_of(py, &module, &chain, class)
    }

    /// Writes the snapshot: beside the real file first, readable by its owner only.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        py.detach(move || {
            let saved = deadweight_cli::save(&self.capture, &path);
            saved.map(|bytes| bytes.0).map_err(|error| of_file(&path, &error))
        })
    }

    /// How this process was read; None for a heap that is not of this process.
    #[getter]
    fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// How long the process stood still, in microseconds.
    #[getter]
    fn pause_micros(&self) -> u64 {
        self.capture.provenance.pause_micros
    }

    /// The process it is of.
    #[getter]
    fn pid(&self) -> u32 {
        self.capture.provenance.pid
    }

    /// The version of its interpreter.
    #[getter]
    fn python(&self) -> &str {
        &self.capture.provenance.python
    }

    /// How many objects there are.
    fn __len__(&self) -> usize {
        self.capture.heap.objects() as usize
    }

    /// What could not be read, one sentence each.
    #[getter]
    fn gaps(&self) -> Vec<String> {
        self.capture.gaps.iter().map(ToString::to_string).collect()
    }
}
