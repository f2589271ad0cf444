//! The kept corpus: inputs that once led somewhere new. Replayed by plain tests; gathered by a seeded
//! loop of changes, where no fuzzer is at hand.
#![allow(clippy::disallowed_methods, reason = "the corpus is files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::noise::Noise;

/// Longer inputs are not kept.
const LONGEST: usize = 4096;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

fn files(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder(target)).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("the corpus can be read")).collect()
}

/// Runs a target on all that is kept for it; fails if it does, or if the inputs no longer lead to so
/// many different ends.
#[track_caller]
pub(crate) fn replay(target: &str, least: usize, run: impl Fn(&[u8]) -> String) {
    let ends: BTreeSet<String> = files(target).iter().map(|input| run(input)).collect();
    assert!(ends.len() >= least, "{target}: only {} ends: {ends:#?}", ends.len());
}

/// Changes inputs at random and keeps those that lead to a new end, up to so many.
pub(crate) fn gather(
    target: &str,
    seeds: Vec<Vec<u8>>,
    rounds: u64,
    most: usize,
    run: impl Fn(&[u8]) -> String,
) {
    let mut noise = Noise::new(1);
    let mut ends = BTreeSet::new();
    let mut pool: Vec<Vec<u8>> = Vec::new();
    fs::create_dir_all(folder(target)).expect("the corpus can be written");
    let first = seeds.into_iter().chain(files(target));
    let mut waiting: Vec<Vec<u8>> = first.collect();
    for _ in 0..rounds {
        let input = match waiting.pop() {
            Some(input) => input,
            None => changed(&pool, &mut noise),
        };
        if input.len() <= LONGEST && pool.len() < most && ends.insert(run(&input)) {
            let name = format!("{:08x}", name_of(&input));
            fs::write(folder(target).join(name), &input).expect("the corpus can be written");
            pool.push(input);
        }
    }
}

/// A name for contents (FNV-1a).
fn name_of(input: &[u8]) -> u32 {
    input.iter().fold(0x811c_9dc5, |sum, &byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn changed(pool: &[Vec<u8>], noise: &mut Noise) -> Vec<u8> {
    let mut input = pool[noise.below(pool.len())].clone();
    for _ in 0..=noise.below(4) {
        let at = noise.below(input.len() + 1);
        let other = &pool[noise.below(pool.len())];
        match noise.below(8) {
            0 => input.truncate(at),
            1 => input.insert(at, noise.next() as u8),
            2 => {
                let from = noise.below(other.len() + 1);
                let to = (from + noise.below(40)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
            3 => input.extend((0..13).map(|_| noise.next() as u8)),
            4 if at < input.len() => drop(input.remove(at)),
            5 if at < input.len() => input[at] ^= 1 << noise.below(8),
            6 if at < input.len() => input[at] = [0, 1, 0x7f, 0x80, 0xff][noise.below(5)],
            _ if at < input.len() => input[at] = noise.next() as u8,
            _ => {}
        }
    }
    input
}
