//! Copies a process and prints what its memory is for: `cargo run --example areas -- PID`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::process::ExitCode;

use deadweight_process::{AreaKind, Error, Limits, LiveCopy};

fn main() -> ExitCode {
    let Some(pid) = std::env::args().nth(1).and_then(|pid| pid.parse().ok()) else {
        println!("usage: areas PID");
        return ExitCode::from(2);
    };
    match print(pid) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}\n{}", error.hint().unwrap_or_default());
            ExitCode::from(2)
        }
    }
}

fn print(pid: u32) -> Result<(), Error> {
    let copy = LiveCopy::take(pid, &Limits::default())?;
    println!("{}", copy.command().join(" "));
    println!(
        "{} threads, stopped for {:?}, {} bytes copied",
        copy.threads().len(),
        copy.pause(),
        copy.copied().0
    );
    for area in copy.areas().iter().filter(|area| area.resident().0 > 0) {
        let name = match area.kind {
            AreaKind::ImageData(image, _) | AreaKind::Code(image) => {
                copy.images()[image as usize].path.to_string_lossy()
            }
            _ => copy.maps()[area.mapping as usize].name().to_string_lossy(),
        };
        println!(
            "{:>14} {:>10} own {:>10} file {:>10}  {:?} {name}",
            area.start,
            (area.end.0 - area.start.0) / 1024,
            area.own.0 / 1024,
            area.file.0 / 1024,
            area.kind
        );
    }
    let sum: u64 = copy.areas().iter().map(|area| area.resident().0).sum();
    println!("in all {sum} bytes; the kernel says {:?}", copy.rollup().map(|rollup| rollup.rss.0));
    Ok(())
}
