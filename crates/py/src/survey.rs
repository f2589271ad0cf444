//! What a program that runs out of memory writes about itself.

use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use deadweight_cpython::{Survey, TypeWeight};
use deadweight_heap::Addr;
use deadweight_report::json;
use deadweight_report::view::{Survey as View, SurveyRow};
use pyo3::prelude::*;

use crate::own::{address, with_memory};

/// How often the file gets a line while the survey goes on: what a kill leaves is no older.
const EVERY: Duration = Duration::from_secs(1);
const MOST_TYPES: usize = 50;

/// Appends to a file who holds what in this process: a line each second, and a last one; whether that
/// is of everything. Stops after so many seconds. The interpreter's lock is held all the while.
#[pyfunction]
#[pyo3(signature = (path, objects, seconds, /))]
pub(crate) fn survey(
    py: Python<'_>,
    path: PathBuf,
    objects: Vec<(String, Bound<'_, PyAny>)>,
    seconds: f64,
) -> PyResult<bool> {
    // They stay alive for as long as their addresses are used.
    let (names, held): (Vec<String>, Vec<Bound<'_, PyAny>>) = objects.into_iter().unzip();
    let roots: Vec<(String, Addr)> = names.into_iter().zip(held.iter().map(address)).collect();
    let mut file = OpenOptions::new().append(true).open(path)?;
    let start = Instant::now();
    let (mut told, mut failed) = (start, Ok(()));
    let last = with_memory(py, |own, memory, checked| {
        own.scale.survey(memory, checked, &roots, &mut |so_far| {
            if told.elapsed() >= EVERY {
                told = Instant::now();
                failed = write(&so_far(), start.elapsed(), &mut file);
            }
            failed.is_ok() && start.elapsed().as_secs_f64() < seconds
        })
    })?;
    failed?;
    write(&last, start.elapsed(), &mut file)?;
    Ok(last.complete)
}

/// One line, by one call to the system.
fn write(survey: &Survey, elapsed: Duration, out: &mut dyn Write) -> io::Result<()> {
    let holders = survey.holdings.iter().map(|holding| {
        let row = SurveyRow { name: &holding.path, count: holding.count, held: holding.held };
        (row, rows(&holding.by_type))
    });
    let view = View {
        complete: survey.complete,
        seconds: elapsed.as_secs_f64(),
        objects: survey.count,
        held: survey.held,
        modelled: survey.modelled,
        left_out: survey.left_out,
        types: rows(&survey.by_type),
        holders: holders.collect(),
    };
    let mut line = Vec::new();
    json::survey(&view, &mut line)?;
    out.write_all(&line)
}

fn rows(weights: &[TypeWeight]) -> Vec<SurveyRow<'_>> {
    let heaviest = weights.iter().take(MOST_TYPES);
    heaviest.map(|it| SurveyRow { name: &it.name, count: it.count, held: it.held }).collect()
}
