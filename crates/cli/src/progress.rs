//! Progress on stderr, for what takes longer than a second.

use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Talk;

/// Nothing is shown before.
const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(120);

/// A line to the person, apart from the report. Where it cannot be written (a full disk, a closed pipe)
/// there is nobody to tell, and that is no reason to end.
pub(crate) fn note(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says what is being done, once it takes long.
pub(crate) struct Progress {
    begun: Instant,
    verbose: bool,
    stage: Option<(&'static str, Instant)>,
    spinner: Option<(Sender<&'static str>, JoinHandle<()>)>,
    amount: Arc<Amount>,
}

/// How much of a file is read, where that is what takes long.
#[derive(Default)]
struct Amount {
    read: AtomicU64,
    /// 0 where it is not known.
    of: AtomicU64,
}

impl Progress {
    pub(crate) fn new(talk: &Talk) -> Progress {
        let amount = Arc::<Amount>::default();
        let spinner = (!talk.quiet && !talk.verbose).then(|| {
            let (sender, stages) = mpsc::channel();
            let amount = Arc::clone(&amount);
            (sender, thread::spawn(move || spin(&stages, &amount)))
        });
        Progress { begun: Instant::now(), verbose: talk.verbose, stage: None, spinner, amount }
    }

    /// When the work began; waiting for its time to come is none.
    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    /// The next stage begins.
    pub(crate) fn stage(&mut self, name: &'static str) {
        self.finish_stage();
        self.stage = Some((name, Instant::now()));
        if let Some((sender, _)) = &self.spinner {
            // A spinner that has died is no reason to fail.
            let _ = sender.send(name);
        }
    }

    /// A file is read: is told how much of it, of so much if that is known.
    pub(crate) fn reading(
        &mut self,
        of: Option<u64>,
    ) -> impl FnMut(u64) -> ControlFlow<()> + use<> {
        self.stage("reading");
        let amount = Arc::clone(&self.amount);
        amount.of.store(of.unwrap_or(0), Ordering::Relaxed);
        move |read| {
            amount.read.store(read, Ordering::Relaxed);
            ControlFlow::Continue(())
        }
    }

    fn finish_stage(&mut self) {
        if let Some((name, since)) = self.stage.take()
            && self.verbose
        {
            note(format_args!("{name}: {:.0} ms", since.elapsed().as_secs_f64() * 1000.0));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish_stage();
        if let Some((sender, handle)) = self.spinner.take() {
            drop(sender);
            let _ = handle.join();
        }
    }
}

fn spin(stages: &mpsc::Receiver<&'static str>, amount: &Amount) {
    let begun = Instant::now();
    let mut name = "";
    let mut bar: Option<ProgressBar> = None;
    loop {
        match stages.recv_timeout(TICK) {
            Ok(next) => name = next,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if begun.elapsed() >= PATIENCE {
            let of = amount.of.load(Ordering::Relaxed);
            let bar = bar.get_or_insert_with(|| spinner(of > 0));
            bar.set_length(of);
            bar.set_position(amount.read.load(Ordering::Relaxed));
            bar.set_message(name);
            bar.tick();
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn spinner(has_end: bool) -> ProgressBar {
    let style = ProgressStyle::with_template(if has_end {
        "{msg} {wide_bar} {bytes}/{total_bytes} {eta}"
    } else {
        "{spinner} {msg} {elapsed}"
    });
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}
