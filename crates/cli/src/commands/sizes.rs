//! `deadweight sizes`: has an interpreter build specimens, and reads what they really cost.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use deadweight_heap::path::resolve;
use deadweight_heap::{Capture, Dominators, NodeId, SizeModel};
use deadweight_process::{ReadOptions, read, volunteer_when_memory_runs_out};
use deadweight_report::view::{SizeRow, SizesView};
use deadweight_report::{json, text};
use serde::Deserialize;

use crate::args::{Sizes, Talk};
use crate::exit::Failure;
use crate::progress::Progress;

const SPECIMENS: &str = include_str!("sizes.py");

/// What the program with the specimens says of them.
#[derive(Deserialize)]
struct Specimens {
    /// Type, specimen, and what `sys.getsizeof` says.
    labels: Vec<(String, String, u64)>,
    cached_ints: (i64, i64),
}

pub(crate) fn run(args: &Sizes, talk: &Talk, out: &mut dyn Write) -> Result<(), Failure> {
    let mut progress = Progress::new(talk);
    progress.stage("making specimens");
    let mut python = Python::start(&args.python, &args.types)?;
    volunteer_when_memory_runs_out();
    let specimens = python.specimens(&args.types)?;
    progress.stage("reading them");
    let capture = read(python.child.id(), &ReadOptions::default(), |_| {})?;
    drop(python);
    let view = view(&capture, &specimens)?;
    drop(progress);
    if args.output.json {
        json::sizes(&view, out)?;
    } else {
        text::sizes(&view, out)?;
    }
    Ok(())
}

/// The interpreter with the specimens; ends with us.
struct Python {
    child: Child,
    name: String,
}

impl Python {
    fn start(program: &OsStr, types: &[String]) -> Result<Python, Failure> {
        let name = program.to_string_lossy().into_owned();
        let child = Command::new(program)
            // Isolated: no site-packages, no environment, nothing that is not the interpreter's own.
            .args(["-I", "-c", SPECIMENS])
            .args(types)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                Failure::new(format!("cannot start {name}: {error}"))
                    .with_hint("--python takes the path of an interpreter.")
            })?;
        Ok(Python { child, name })
    }

    fn specimens(&mut self, types: &[String]) -> Result<Specimens, Failure> {
        let mut line = String::new();
        if let Some(stdout) = self.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        serde_json::from_str(&line).map_err(|_| {
            let mut words = String::new();
            if let Some(stderr) = &mut self.child.stderr {
                let _ = stderr.read_to_string(&mut words);
            }
            let said = telling_line(&words);
            let failure = Failure::new(format!("{} could not make the specimens: {said}", self.name));
            // Our own script names the type that it could not make.
            failure.with_hint(if said.contains("() cannot be made: ") {
                "Specimens are made without arguments or from a number of items. What instances in a program \
                 of yours take: `deadweight census PID`."
            } else if types.iter().any(|name| said.starts_with(name.as_str())) {
                "A type that is no builtin needs its module: `deadweight sizes collections.deque`. Those \
                 of a program of yours: `deadweight census PID`."
            } else {
                "--python takes the path of an interpreter."
            })
        })
    }
}

/// Of what a program said that failed: the end of a traceback says what it was; others begin with it.
fn telling_line(words: &str) -> &str {
    let mut lines = words.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or("it said nothing");
    if first.starts_with("Traceback ") { lines.next_back().unwrap_or(first) } else { first }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn view(capture: &Capture, specimens: &Specimens) -> Result<SizesView, Failure> {
    let heap = &capture.heap;
    let dominators = Dominators::of(heap);
    let mut rows = Vec::with_capacity(specimens.labels.len());
    for (index, (type_name, specimen, getsizeof)) in specimens.labels.iter().enumerate() {
        let node = specimen_node(capture, index)?;
        rows.push(SizeRow {
            type_name: type_name.clone(),
            specimen: specimen.clone(),
            held: heap.nodes.held(node),
            requested: heap.nodes.requested(node),
            retained: dominators.retained(node),
            getsizeof: deadweight_heap::Bytes(*getsizeof),
        });
    }
    Ok(SizesView {
        python: capture.provenance.python.clone(),
        executable: capture.provenance.executable.clone(),
        model: model(&heap.model),
        cached_ints: specimens.cached_ints,
        rows,
    })
}

fn specimen_node(capture: &Capture, index: usize) -> Result<NodeId, Failure> {
    let path = format!("__main__.rows[{index}]");
    let nodes = path
        .parse()
        .and_then(|path| resolve(&capture.heap, &path))
        .map_err(|error| Failure::new(format!("the specimens were not found: {error}")))?;
    nodes.first().copied().ok_or_else(|| Failure::new("the specimens were not found"))
}

fn model(model: &SizeModel) -> Vec<(String, u64)> {
    let facts = [
        ("object header", model.object_header),
        ("GC head, in front of what the collector tracks", model.gc_head),
        ("pre-header, in front of instances", model.pre_header),
        ("largest small block (pymalloc)", model.small_limit),
        ("small blocks are rounded to", model.small_step),
        ("header of larger blocks (malloc)", model.chunk_header),
        ("larger blocks are rounded to", model.chunk_step),
    ];
    facts.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.0)).collect()
}
