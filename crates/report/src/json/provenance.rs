//! Where a capture came from.

use deadweight_heap::Provenance;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct ProvenanceJson<'a> {
    pid: u32,
    command: &'a str,
    python: &'a str,
    executable: &'a str,
    taken_at: u64,
    copied_bytes: u64,
    threads: u32,
    permanent: u64,
    values: bool,
    reader: &'a str,
}

pub(super) fn provenance(from: &Provenance) -> ProvenanceJson<'_> {
    ProvenanceJson {
        pid: from.pid,
        command: &from.command,
        python: &from.python,
        executable: &from.executable,
        taken_at: from.taken_at,
        copied_bytes: from.copied.0,
        threads: from.threads,
        permanent: from.permanent,
        values: from.values,
        reader: &from.reader,
    }
}

/// Microseconds as milliseconds.
pub(super) fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}
