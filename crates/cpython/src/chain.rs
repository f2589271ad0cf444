//! Chains of links in a target's memory, which damage can bend into a circle.

use deadweight_heap::Addr;

/// Notices that a chain came back to where it was (Brent's algorithm: no memory, and at most three
/// times as many steps as there are links).
#[derive(Debug)]
pub(crate) struct Chain {
    kept: Addr,
    /// Steps since `kept` was kept, and after how many another link is.
    steps: u64,
    most: u64,
}

impl Chain {
    pub(crate) fn new() -> Chain {
        Chain { kept: Addr::NULL, steps: 0, most: 1 }
    }

    /// Whether the next link is one to follow: it is not null, and was not met before.
    #[inline]
    pub(crate) fn goes_on(&mut self, link: Addr) -> bool {
        if link.is_null() || link == self.kept {
            return false;
        }
        self.steps += 1;
        if self.steps == self.most {
            (self.kept, self.steps, self.most) = (link, 0, self.most.saturating_mul(2));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many links are followed when link `n` leads to `n + 1` and `last` to `back`.
    fn followed(last: u64, back: u64) -> u64 {
        let mut chain = Chain::new();
        let (mut link, mut count) = (1, 0);
        while chain.goes_on(Addr(link)) {
            count += 1;
            link = if link == last { back } else { link + 1 };
        }
        count
    }

    #[test]
    fn a_chain_that_ends_is_followed_to_its_end() {
        for last in 1..200 {
            assert_eq!(followed(last, 0), last);
        }
    }

    #[test]
    fn a_circle_is_left_after_every_link_was_met_and_soon() {
        for last in 1..60 {
            for back in 1..=last {
                let steps = followed(last, back);
                assert!((last..=3 * last + 1).contains(&steps), "{last} {back}: {steps}");
            }
        }
    }
}
