//! Images with damage: any word, cut and missing memory, noise. The reader must answer, after bounded
//! work, and must not find more than there is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use deadweight_heap::Addr;

use crate::corpus;
use crate::image::Image;
use crate::image::memory::{FakeProcess, PAGE};
use crate::image::numbers::Python;
use crate::image::tour::tour;
use crate::memory_image;
use crate::noise::Noise;
use crate::survival::{LITTLE_WORK, survives};

pub(crate) fn toured(python: Python) -> FakeProcess {
    let mut image = Image::new(python);
    tour(&mut image);
    image.finish().0
}

/// What became of the damaged images of one test.
#[derive(Default)]
struct Outcomes {
    read: u32,
    refused: u32,
    failed: Vec<String>,
}

impl Outcomes {
    fn note(&mut self, process: &FakeProcess, case: impl FnOnce() -> String) {
        match catch_unwind(AssertUnwindSafe(|| survives(process, LITTLE_WORK))) {
            Ok(Ok(_)) => self.read += 1,
            Ok(Err(_)) => self.refused += 1,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?");
                self.failed.push(format!("{}: {text}\n", case()));
            }
        }
    }

    #[track_caller]
    fn assert_all_survived(&self) {
        let some = self.failed[..self.failed.len().min(12)].concat();
        assert!(self.failed.is_empty(), "{} of the images, as:\n{some}", self.failed.len());
        assert!(self.read > 0, "no damage was survived");
    }
}

/// What a damaged word may read.
fn damages(places: &[(u64, u64)], number: usize) -> [u64; 8] {
    let (at, word) = places[number];
    let (other, _) = places[number.wrapping_mul(7919) % places.len()];
    [0, u64::MAX, at, other, word.wrapping_add(8), 1 << 40, 0x7fff_ffff, 1]
}

/// Damages words one at a time: of every `stride`th word all ways, or one of them in turn.
fn words(python: Python, stride: usize, all: bool) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let mut process = toured(python);
    assert!(survives(&process, LITTLE_WORK).is_ok(), "{}: whole", python.text());
    let places: Vec<(u64, u64)> = process.words().filter(|&(_, word)| word != 0).collect();
    for (turn, number) in (0..places.len()).step_by(stride).enumerate() {
        let (at, word) = places[number];
        let ways = damages(&places, number);
        for damage in if all { &ways[..] } else { &ways[turn % 8..=turn % 8] } {
            process.poke(at, *damage);
            outcomes.note(&process, || {
                format!("{} {at:#x}: {word:#x} became {damage:#x}", python.text())
            });
        }
        process.poke(at, word);
    }
    outcomes
}

#[test]
fn a_damaged_word_costs_no_more_than_what_it_says() {
    for python in Python::ALL {
        let outcomes = words(python, 7, false);
        outcomes.assert_all_survived();
        assert!(outcomes.refused > 0, "{}: nothing that matters was damaged", python.text());
    }
}

#[test]
#[ignore = "minutes; `make soak` runs it"]
fn any_damaged_word_costs_no_more_than_what_it_says() {
    for python in Python::ALL {
        words(python, 1, true).assert_all_survived();
    }
}

/// Bytes that are said to be there, and are not: as of a core file that was cut short.
fn cut(process: &FakeProcess, segment: usize, len: usize) -> FakeProcess {
    let mut process = process.clone();
    process.segments[segment].bytes.truncate(len);
    process
}

/// The same, when nobody says that they are there.
fn cut_openly(process: &FakeProcess, segment: usize, len: usize) -> FakeProcess {
    let mut process = cut(process, segment, len);
    let start = Addr(process.segments[segment].start);
    if let Some(region) = process.regions.iter_mut().find(|region| region.start == start) {
        region.end = region.start + len as u64;
    }
    process.regions.retain(|region| region.start < region.end);
    process
}

#[test]
fn memory_that_is_cut_short_is_read_as_far_as_it_goes() {
    for python in Python::ALL {
        let mut outcomes = Outcomes::default();
        let process = toured(python);
        for (number, segment) in process.segments.iter().enumerate() {
            let len = segment.bytes.len();
            for part in [0, len / 7 + 3, len / 2, len - 8, len - 1] {
                let case = || format!("{} {:#x} cut to {part}", python.text(), segment.start);
                outcomes.note(&cut(&process, number, part), case);
                outcomes.note(&cut_openly(&process, number, part), case);
            }
        }
        outcomes.assert_all_survived();
    }
}

/// Takes one page away.
fn without_page(process: &FakeProcess, page: u64) -> FakeProcess {
    let mut process = process.clone();
    let at = process.segments.iter().position(|one| (one.start..one.end()).contains(&page));
    let Some(number) = at else { return process };
    let mut before = process.segments[number].clone();
    let mut after = before.clone();
    let offset = (page - before.start) as usize;
    before.bytes.truncate(offset);
    let rest = after.bytes.split_off((offset + PAGE as usize).min(after.bytes.len()));
    (after.start, after.bytes) = (page + PAGE, rest);
    process.segments.splice(number..=number, [before, after]);
    process.segments.retain(|segment| !segment.bytes.is_empty());
    process
}

#[test]
fn a_missing_page_costs_no_more_than_what_was_on_it() {
    for python in Python::ALL {
        let mut outcomes = Outcomes::default();
        let process = toured(python);
        let pages = process.words().map(|(at, _)| at).filter(|at| at.is_multiple_of(PAGE));
        for page in pages.step_by(3) {
            let damaged = without_page(&process, page);
            outcomes.note(&damaged, || format!("{} without {page:#x}", python.text()));
        }
        outcomes.assert_all_survived();
    }
}

/// Overwrites stretches of memory: with noise, or with what lies elsewhere in it.
fn spoilt(process: &FakeProcess, noise: &mut Noise) -> FakeProcess {
    let mut process = process.clone();
    for _ in 0..=noise.below(4) {
        let from = noise.below(process.segments.len());
        let source = process.segments[from].bytes.clone();
        let to = noise.below(process.segments.len());
        let target = &mut process.segments[to].bytes;
        let at = noise.below(target.len());
        let most = 1 << noise.below(13);
        let len = (1 + noise.below(most)).min(target.len() - at);
        let copied = noise.below(2) == 0;
        let start = noise.below(source.len()) & !7;
        for (index, byte) in target[at..at + len].iter_mut().enumerate() {
            *byte = match source.get(start + index) {
                Some(&other) if copied => other,
                _ => noise.next() as u8,
            };
        }
    }
    process
}

#[test]
fn noise_over_memory_is_survived() {
    for python in Python::ALL {
        let mut outcomes = Outcomes::default();
        let process = toured(python);
        for seed in 0..150 {
            let damaged = spoilt(&process, &mut Noise::new(seed));
            outcomes.note(&damaged, || format!("{} noise {seed}", python.text()));
        }
        outcomes.assert_all_survived();
    }
}

#[test]
#[ignore = "minutes; `make soak` runs it"]
fn much_noise_over_memory_is_survived() {
    for python in Python::ALL {
        let mut outcomes = Outcomes::default();
        let process = toured(python);
        for seed in 1000..11_000 {
            let damaged = spoilt(&process, &mut Noise::new(seed));
            outcomes.note(&damaged, || format!("{} noise {seed}", python.text()));
        }
        outcomes.assert_all_survived();
    }
}

/// Objects of C types whose every field is nonsense, in structs of every size.
#[test]
fn structs_full_of_nonsense_are_survived() {
    for python in Python::ALL {
        let mut outcomes = Outcomes::default();
        for basic in [None, Some(0), Some(8), Some(24), Some(1000)] {
            let rings = [0, 8].map(|offset| move |image: &mut Image| image.ring(offset));
            let words = [0, 1, 16, 0x7fff_ffff, 1 << 40, u64::MAX - 7, u64::MAX];
            let words = words.map(|word| move |_: &mut Image| word);
            let mut note = |word: &dyn Fn(&mut Image) -> u64| {
                let mut image = Image::new(python);
                let word = word(&mut image);
                let named = image.zoo(word, basic);
                let named = image.list(&named);
                image.module("app", &[("zoo", named)]);
                let (process, _) = image.finish();
                outcomes.note(&process, || format!("{} {word:#x} {basic:?}", python.text()));
            };
            for ring in &rings {
                note(ring);
            }
            for word in &words {
                note(word);
            }
        }
        outcomes.assert_all_survived();
    }
}

#[test]
fn the_corpus_is_survived() {
    corpus::replay("memory_image", 60, memory_image::run);
}

#[test]
#[ignore = "writes to the corpus"]
fn gather_corpus() {
    let seeds = (0..Python::ALL.len() as u8).map(|version| vec![version]).collect();
    corpus::gather("memory_image", seeds, 12_000, 150, memory_image::run);
}
