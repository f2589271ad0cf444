//! `deadweight completions`.

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Args, Completions};
use crate::exit::Failure;

pub(crate) fn run(args: &Completions, out: &mut dyn Write) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "deadweight", &mut script);
    Ok(out.write_all(&script)?)
}
