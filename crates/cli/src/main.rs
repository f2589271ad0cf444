//! The `deadweight` command.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    deadweight_cli::run(std::env::args_os()).into()
}
