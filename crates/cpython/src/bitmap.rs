//! One bit a granule, and how many bits are set before any of them.

use crate::space::Granule;

/// A set of granules.
#[derive(Clone, Debug)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    pub(crate) fn new(granules: u64) -> Bitmap {
        Bitmap { words: vec![0; granules.div_ceil(64) as usize] }
    }

    #[inline]
    pub(crate) fn has(&self, granule: Granule) -> bool {
        let word = self.words.get((granule.0 / 64) as usize);
        word.is_some_and(|word| word >> (granule.0 % 64) & 1 != 0)
    }

    /// Puts a granule in; says whether it was new.
    #[inline]
    pub(crate) fn insert(&mut self, granule: Granule) -> bool {
        let bit = 1 << (granule.0 % 64);
        match self.words.get_mut((granule.0 / 64) as usize) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }

    /// Takes a granule out.
    pub(crate) fn remove(&mut self, granule: Granule) {
        if let Some(word) = self.words.get_mut((granule.0 / 64) as usize) {
            *word &= !(1 << (granule.0 % 64));
        }
    }

    /// How many are in.
    pub(crate) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// All members, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Granule> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    Granule(index as u64 * 64 + u64::from(bit))
                })
            })
        })
    }

    /// The members that are not in `other`, rising.
    pub(crate) fn without<'b>(&'b self, other: &'b Bitmap) -> impl Iterator<Item = Granule> + 'b {
        self.iter().filter(|&granule| !other.has(granule))
    }
}

/// Bits a rank counts from: one count each 512.
const BLOCK_WORDS: usize = 8;

/// A finished set that also numbers its members, by rising granule from 0.
#[derive(Debug)]
pub(crate) struct Ranked {
    bits: Bitmap,
    before: Vec<u32>,
}

impl Ranked {
    pub(crate) fn new(bits: Bitmap) -> Ranked {
        let mut before = Vec::with_capacity(bits.words.len() / BLOCK_WORDS + 1);
        let mut sum = 0_u32;
        for block in bits.words.chunks(BLOCK_WORDS) {
            before.push(sum);
            sum += block.iter().map(|word| word.count_ones()).sum::<u32>();
        }
        Ranked { bits, before }
    }

    /// The number of a member.
    #[inline]
    pub(crate) fn rank(&self, granule: Granule) -> Option<u32> {
        let word = (granule.0 / 64) as usize;
        let bit = granule.0 % 64;
        let here = *self.bits.words.get(word)?;
        if here >> bit & 1 == 0 {
            return None;
        }
        let block = word / BLOCK_WORDS;
        let earlier = &self.bits.words[block * BLOCK_WORDS..word];
        let in_block: u32 = earlier.iter().map(|word| word.count_ones()).sum();
        let in_word = (here & ((1 << bit) - 1)).count_ones();
        Some(self.before[block] + in_block + in_word)
    }

    pub(crate) fn bits(&self) -> &Bitmap {
        &self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_number_the_members_in_order() {
        let mut bits = Bitmap::new(5000);
        let members: Vec<u64> = (0..5000).filter(|n| n % 7 == 0 || n % 64 == 63).collect();
        for &member in &members {
            assert!(bits.insert(Granule(member)));
            assert!(!bits.insert(Granule(member)));
        }
        assert!(!bits.insert(Granule(1 << 40)), "out of range is never in");
        assert_eq!(bits.count(), members.len() as u64);
        let ranked = Ranked::new(bits);
        let listed: Vec<u64> = ranked.bits().iter().map(|granule| granule.0).collect();
        assert_eq!(listed, members);
        for (number, &member) in members.iter().enumerate() {
            assert_eq!(ranked.rank(Granule(member)), Some(number as u32));
        }
        assert_eq!(ranked.rank(Granule(1)), None);
        assert_eq!(ranked.rank(Granule(1 << 40)), None);
    }
}
