//! The memory that co-simulation puts behind the port of external weights: when it is ready, and when it answers
//! (`ARCHITECTURE.md`, "The simulated memory"). What it answers is of no concern here.

use serde::Serialize;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

/// The most cycles that a part of a [`MemoryTiming`] may have.
const MOST: u32 = 10_000;

/// How the simulated memory takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryTiming {
    /// Cycles from a request to its answer, at least 1.
    pub latency: u32,
    /// Up to so many more, at random.
    pub spread: u32,
    /// Up to so many cycles after a request in which no other is taken, at random.
    pub pause: u32,
    /// Of the randomness.
    pub seed: u64,
}

impl Default for MemoryTiming {
    /// A latency that the cores hide.
    fn default() -> Self {
        MemoryTiming { latency: 20, spread: 0, pause: 0, seed: 0 }
    }
}

impl fmt::Display for MemoryTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.latency)?;
        if self.spread > 0 {
            write!(f, "+{}", self.spread)?;
        }
        if self.pause > 0 {
            write!(f, "/{}", self.pause)?;
        }
        Ok(())
    }
}

impl FromStr for MemoryTiming {
    type Err = String;

    /// Reads `LATENCY[+SPREAD][/PAUSE]`; the seed is 0.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("expected LATENCY[+SPREAD][/PAUSE] in cycles, at most {MOST}, LATENCY at least 1, not '{text}'");
        let number = |part: &str| part.parse().ok().filter(|&n: &u32| n <= MOST).ok_or_else(wrong);
        let (times, pause) = text.split_once('/').unwrap_or((text, "0"));
        let (latency, spread) = times.split_once('+').unwrap_or((times, "0"));
        let timing =
            MemoryTiming { latency: number(latency)?, spread: number(spread)?, pause: number(pause)?, seed: 0 };
        if timing.latency == 0 { Err(wrong()) } else { Ok(timing) }
    }
}

/// The memory at work.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    timing: MemoryTiming,
    /// Cycles since reset.
    now: u64,
    /// Requests since reset.
    requests: u64,
    /// The first cycle in which it is ready again.
    ready_from: u64,
    /// When each request will be answered, oldest first.
    answers: VecDeque<u64>,
    /// When the request before was, or will be.
    latest: u64,
}

impl Memory {
    /// The memory after reset.
    pub fn new(timing: MemoryTiming) -> Self {
        // The port leaves no more unanswered.
        let answers = VecDeque::with_capacity(crate::ir::mapped::PORT_FLIGHTS);
        Memory { timing, now: 0, requests: 0, ready_from: 0, answers, latest: 0 }
    }

    /// Back to the state after reset.
    pub fn reset(&mut self) {
        self.answers.clear();
        (self.now, self.requests, self.ready_from, self.latest) = (0, 0, 0, 0);
    }

    /// True if a request is taken in this cycle.
    pub fn ready(&self) -> bool {
        self.now >= self.ready_from
    }

    /// True if an answer comes in this cycle.
    pub fn answers(&self) -> bool {
        self.answers.front() == Some(&self.now)
    }

    /// The clock edge: `taken` says that a request moved.
    pub fn tick(&mut self, taken: bool) {
        if self.answers() {
            self.answers.pop_front();
        }
        if taken {
            let MemoryTiming { latency, spread, pause, seed } = self.timing;
            let most = |most: u32, seed: u64| noise(self.requests, seed) % (u64::from(most) + 1);
            self.latest = (self.now + u64::from(latency) + most(spread, seed)).max(self.latest + 1);
            self.answers.push_back(self.latest);
            self.ready_from = self.now + 1 + most(pause, !seed);
            self.requests += 1;
        }
        self.now += 1;
    }
}

/// `h(i, s)`: the finaliser of SplitMix64.
fn noise(i: u64, seed: u64) -> u64 {
    let mut z = seed.wrapping_add((i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of the requests of a greedy asker is taken and answered.
    fn times(timing: &str, requests: usize) -> (Vec<u64>, Vec<u64>) {
        let mut memory = Memory::new(timing.parse().unwrap());
        let (mut taken, mut answered) = (Vec::new(), Vec::new());
        for cycle in 0.. {
            if answered.len() == requests {
                break;
            }
            answered.extend(memory.answers().then_some(cycle));
            let take = memory.ready() && taken.len() < requests;
            taken.extend(take.then_some(cycle));
            memory.tick(take);
        }
        (taken, answered)
    }

    #[test]
    fn a_plain_memory_answers_each_request_after_its_latency() {
        assert_eq!(times("1", 4), (vec![0, 1, 2, 3], vec![1, 2, 3, 4]));
        assert_eq!(times("7", 3), (vec![0, 1, 2], vec![7, 8, 9]));
    }

    #[test]
    fn spread_delays_and_pauses_part_but_nothing_overtakes() {
        let (taken, answered) = times("3+9/4", 1000);
        let delays: Vec<u64> = taken.iter().zip(&answered).map(|(t, a)| a - t).collect();
        assert!(delays.iter().all(|&d| d >= 3) && delays.iter().any(|&d| d > 6));
        assert!(answered.windows(2).all(|w| w[0] < w[1]));
        let gaps: Vec<u64> = taken.windows(2).map(|w| w[1] - w[0]).collect();
        assert!((1..=5).all(|gap| gaps.contains(&gap)) && gaps.iter().all(|gap| (1..=5).contains(gap)));
    }

    /// The first output of SplitMix64 with the seed 0, as its authors publish it.
    #[test]
    fn the_noise_is_splitmix64() {
        assert_eq!(noise(0, 0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn timings_are_read_as_they_are_written() {
        for text in ["1", "60", "7+20", "7/3", "20+40/5"] {
            assert_eq!(text.parse::<MemoryTiming>().unwrap().to_string(), text);
        }
        for wrong in ["", "0", "x", "-1", "5+", "5/", "10001", "1+10001", "1/10001", "1/2+3", "99999999999999999999"] {
            assert!(wrong.parse::<MemoryTiming>().is_err(), "{wrong}");
        }
    }
}
