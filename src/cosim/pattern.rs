//! When the input has something to offer and the output is ready.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fmt;
use std::str::FromStr;

/// How often a side of the border takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pattern {
    /// In every cycle.
    #[default]
    Always,
    /// In each cycle with a chance of `percent`, independently.
    Random {
        /// Chance in percent, 1 to 100.
        percent: u8,
    },
    /// In bursts of 1 to 16 cycles with pauses of the same kind between them.
    Bursts,
    /// For up to 400 cycles at a time, then not for 100 to 600.
    LongStalls,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Always => write!(f, "always"),
            Pattern::Random { percent } => write!(f, "random:{percent}"),
            Pattern::Bursts => write!(f, "bursts"),
            Pattern::LongStalls => write!(f, "long-stalls"),
        }
    }
}

impl FromStr for Pattern {
    type Err = String;

    /// Reads `always`, `random[:PERCENT]` (50 if not given), `bursts` or `long-stalls`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let ways = "always, random, random:PERCENT (1 to 100), bursts or long-stalls";
            format!("'{text}' is no pattern of pauses: use {ways}")
        };
        match text.split_once(':') {
            None => match text {
                "always" => Ok(Pattern::Always),
                "random" => Ok(Pattern::Random { percent: 50 }),
                "bursts" => Ok(Pattern::Bursts),
                "long-stalls" => Ok(Pattern::LongStalls),
                _ => Err(wrong()),
            },
            Some(("random", percent)) => match percent.parse() {
                Ok(percent @ 1..=100) => Ok(Pattern::Random { percent }),
                _ => Err(wrong()),
            },
            Some(_) => Err(wrong()),
        }
    }
}

/// A pattern being played.
pub(super) struct Player {
    pattern: Pattern,
    rng: ChaCha8Rng,
    on: bool,
    /// Cycles left of the present run.
    left: u32,
}

impl Player {
    /// `side` separates the players of one seed.
    pub fn new(pattern: Pattern, seed: u64, side: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(side);
        Player { pattern, rng, on: false, left: 0 }
    }

    /// Sets `bit` in the cycles in which the side takes part.
    pub fn play(&mut self, drive: &mut [u8], bit: u8) {
        match self.pattern {
            Pattern::Always => drive.iter_mut().for_each(|d| *d |= bit),
            Pattern::Random { percent } => {
                for d in drive {
                    if self.below(100) < u32::from(percent) {
                        *d |= bit;
                    }
                }
            }
            Pattern::Bursts => self.runs(drive, bit, (1, 16), (1, 16)),
            Pattern::LongStalls => self.runs(drive, bit, (1, 400), (100, 600)),
        }
    }

    fn runs(&mut self, drive: &mut [u8], bit: u8, on: (u32, u32), off: (u32, u32)) {
        for d in drive {
            if self.left == 0 {
                self.on = !self.on;
                let (min, max) = if self.on { on } else { off };
                self.left = min + self.below(max - min + 1);
            }
            self.left -= 1;
            if self.on {
                *d |= bit;
            }
        }
    }

    /// A number below `n`; the bias of at most n / 2^32 does not matter here.
    fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.rng.next_u32()) * u64::from(n)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(pattern: Pattern) -> usize {
        let mut drive = vec![0u8; 100_000];
        Player::new(pattern, 7, 0).play(&mut drive, 2);
        drive.iter().filter(|&&d| d == 2).count() / 1000
    }

    #[test]
    fn each_pattern_takes_part_as_often_as_it_says() {
        assert_eq!(share(Pattern::Always), 100);
        assert!((18..=22).contains(&share(Pattern::Random { percent: 20 })));
        assert!((45..=55).contains(&share(Pattern::Bursts)));
        assert!((30..=45).contains(&share(Pattern::LongStalls)));
    }

    #[test]
    fn a_pattern_does_not_depend_on_how_it_is_cut_into_batches() {
        for pattern in [Pattern::Random { percent: 50 }, Pattern::Bursts, Pattern::LongStalls] {
            let (mut whole, mut parts) = (vec![0u8; 5000], vec![0u8; 5000]);
            Player::new(pattern, 3, 1).play(&mut whole, 1);
            let mut player = Player::new(pattern, 3, 1);
            parts.chunks_mut(7).for_each(|chunk| player.play(chunk, 1));
            assert_eq!(whole, parts);
        }
    }

    #[test]
    fn patterns_are_read_as_they_are_written() {
        for pattern in [Pattern::Always, Pattern::Random { percent: 30 }, Pattern::Bursts, Pattern::LongStalls] {
            assert_eq!(pattern.to_string().parse::<Pattern>(), Ok(pattern));
        }
        for wrong in ["", "random:0", "random:101", "random:x", "bursts:3", "Always"] {
            let text = wrong.parse::<Pattern>().unwrap_err();
            // It stands behind the name of the option, which may be either side's.
            assert!(!text.contains("error:") && !text.contains("back-pressure"), "{text}");
        }
    }
}
