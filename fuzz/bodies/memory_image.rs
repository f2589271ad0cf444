//! Any bytes as damage to the memory of a small process, which is then recognised, walked and counted.
//!
//! The first byte says which Python; then come records of thirteen bytes: what to do, where (4) and
//! with what (8).

use std::sync::OnceLock;

use crate::image::Image;
use crate::image::memory::FakeProcess;
use crate::image::numbers::Python;
use crate::image::tour::tour;
use crate::noise::Noise;
use crate::survival::{MOST_WORK, survives};

const RECORD: usize = 13;
/// Damage beyond this leaves nothing to read.
const MOST_RECORDS: usize = 64;

struct Base {
    process: FakeProcess,
    /// Where a word is that is not zero.
    places: Vec<u64>,
}

fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| {
        let base = |python| {
            let mut image = Image::new(python);
            tour(&mut image);
            let (process, _) = image.finish();
            let words = process.words().filter(|&(_, word)| word != 0);
            Base { places: words.map(|(at, _)| at).collect(), process }
        };
        Python::ALL.into_iter().map(base).collect()
    })
}

/// Damages an image and reads it; says what came of it.
pub(crate) fn run(bytes: &[u8]) -> String {
    let Some((&first, records)) = bytes.split_first() else { return "nothing".to_owned() };
    let version = usize::from(first) % Python::ALL.len();
    let base = &bases()[version];
    let mut process = base.process.clone();
    for record in records.chunks_exact(RECORD).take(MOST_RECORDS) {
        damage(&mut process, &base.places, record);
    }
    match survives(&process, MOST_WORK) {
        Ok(seen) => {
            let gaps: Vec<&str> = seen.gaps.iter().map(|kind| kind.word()).collect();
            let size = seen.objects.checked_ilog2().unwrap_or(0);
            format!("{}: {size} {}", Python::ALL[version].text(), gaps.join(" "))
        }
        Err(refusal) => refusal.to_string(),
    }
}

fn damage(process: &mut FakeProcess, places: &[u64], record: &[u8]) {
    let number = |from: usize, to: usize| {
        record[from..to].iter().rev().fold(0_u64, |number, &byte| number << 8 | u64::from(byte))
    };
    let (at, value) = (places[number(1, 5) as usize % places.len()], number(5, 13));
    let other = places[value as usize % places.len()];
    let Some(word) = process.peek(at) else { return };
    match record[0] % 8 {
        0 => process.poke(at, value),
        1 => process.poke(at, other),
        2 => process.poke(at, at),
        3 => process.poke(at, word ^ 1 << (value % 64)),
        4 => process.poke(at, word.wrapping_add(value)),
        5 => {
            // As many words of elsewhere.
            for offset in (0..(value >> 32) % 512 * 8).step_by(8) {
                let copied = process.peek(other.wrapping_add(offset)).unwrap_or(0);
                process.poke(at.wrapping_add(offset), copied);
            }
            None
        }
        6 => {
            let mut noise = Noise::new(value);
            for offset in (0..(value >> 32) % 512 * 8).step_by(8) {
                process.poke(at.wrapping_add(offset), noise.next());
            }
            None
        }
        _ => {
            process.cut(at);
            None
        }
    };
}
