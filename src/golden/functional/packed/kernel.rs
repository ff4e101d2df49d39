//! Products of 16-bit integers, two at a time into 32-bit sums.
//!
//! Every operation wraps, to keep overflow checks out of the vector code. None can leave 32 bits: the range proof bounds every
//! partial sum in whatever order, so every sum of two products as well.

#[cfg(target_arch = "x86_64")]
use pulp::{cast, i16x16, x86::V3};

/// Receiving channels that are computed together.
pub(super) const LANES: usize = 16;
/// Pixels that are computed together.
const PIXELS: usize = 6;

/// Two neighbouring payloads of a patch.
pub(super) type Pair = [i16; 2];

/// How products are computed; the result is the same.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    /// On any processor.
    Portable,
    /// With 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2(V3),
}

impl Level {
    /// The fastest that this processor has.
    pub(super) fn detect() -> Level {
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = V3::try_new() {
            return Level::Avx2(simd);
        }
        Level::Portable
    }

    /// Runs `work`, compiled for this level.
    #[inline(always)]
    pub(super) fn vectorize<R>(self, work: impl FnOnce() -> R) -> R {
        match self {
            Level::Portable => work(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(simd) => simd.vectorize(work),
        }
    }
}

/// The weights `[senders, receivers]` of a product, [`LANES`] receivers a block, the senders in pairs.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    /// Pairs of senders.
    pairs: usize,
    receivers: usize,
    /// `[block][pair]`, each with the two weights of every lane side by side.
    blocks: Vec<Vec<[i16; 2 * LANES]>>,
}

impl Weights {
    /// Lays out `weight(sender, receiver)`.
    pub(super) fn new(pairs: usize, receivers: usize, weight: impl Fn(usize, usize) -> i16) -> Self {
        let entry = |first: usize, pair: usize| {
            std::array::from_fn(|i| {
                let (lane, half) = (first + i / 2, i % 2);
                if lane < receivers { weight(2 * pair + half, lane) } else { 0 }
            })
        };
        let block = |first: usize| (0..pairs).map(|pair| entry(first, pair)).collect();
        Weights { pairs, receivers, blocks: (0..receivers).step_by(LANES).map(block).collect() }
    }

    /// Adds to `sums` the products with `patches`, `[pixels, pairs]`. The sums of a pixel are `stride` apart, those of this
    /// product begin at `first`.
    pub(super) fn integrate(&self, level: Level, patches: &[Pair], sums: &mut [i32], stride: usize, first: usize) {
        if self.pairs == 0 {
            return;
        }
        match level {
            Level::Portable => self.walk::<_, 4>(Portable, patches, sums, stride, first),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(simd) => simd.vectorize(
                #[inline(always)]
                || self.walk::<_, PIXELS>(Avx2(simd), patches, sums, stride, first),
            ),
        }
    }

    #[inline(always)]
    fn walk<K: Kernel, const M: usize>(
        &self,
        kernel: K,
        patches: &[Pair],
        sums: &mut [i32],
        stride: usize,
        first: usize,
    ) {
        for (b, block) in self.blocks.iter().enumerate() {
            let block = &block[..self.pairs];
            let lanes = first + b * LANES;
            let width = LANES.min(self.receivers - b * LANES);
            for (patches, sums) in patches.chunks(M * self.pairs).zip(sums.chunks_mut(M * stride)) {
                if patches.len() == M * self.pairs {
                    let rows: [&[Pair]; M] = std::array::from_fn(|i| &patches[i * self.pairs..][..self.pairs]);
                    for (products, sums) in kernel.products(rows, block).iter().zip(sums.chunks_mut(stride)) {
                        add(&mut sums[lanes..][..width], products);
                    }
                } else {
                    for (row, sums) in patches.chunks(self.pairs).zip(sums.chunks_mut(stride)) {
                        let [products] = kernel.products([row], block);
                        add(&mut sums[lanes..][..width], &products);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn add(sums: &mut [i32], products: &[i32; LANES]) {
    sums.iter_mut().zip(products).for_each(|(s, &p)| *s = s.wrapping_add(p));
}

/// Products of `M` pixels with one block of receivers.
trait Kernel: Copy {
    fn products<const M: usize>(self, rows: [&[Pair]; M], block: &[[i16; 2 * LANES]]) -> [[i32; LANES]; M];
}

#[derive(Clone, Copy)]
struct Portable;

impl Kernel for Portable {
    #[inline(always)]
    fn products<const M: usize>(self, rows: [&[Pair]; M], block: &[[i16; 2 * LANES]]) -> [[i32; LANES]; M] {
        let mut sums = [[0i32; LANES]; M];
        for (k, weights) in block.iter().enumerate() {
            for (sums, row) in sums.iter_mut().zip(&rows) {
                let x = row[k].map(i32::from);
                for (lane, sum) in sums.iter_mut().enumerate() {
                    let product = |half: usize| x[half].wrapping_mul(i32::from(weights[2 * lane + half]));
                    *sum = sum.wrapping_add(product(0).wrapping_add(product(1)));
                }
            }
        }
        sums
    }
}

#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx2(V3);

#[cfg(target_arch = "x86_64")]
impl Kernel for Avx2 {
    #[inline(always)]
    fn products<const M: usize>(self, rows: [&[Pair]; M], block: &[[i16; 2 * LANES]]) -> [[i32; LANES]; M] {
        let Avx2(simd) = self;
        let mut sums = [[simd.splat_i32x8(0); 2]; M];
        for (k, weights) in block.iter().enumerate() {
            let weights: [i16x16; 2] = cast(*weights);
            for (sums, row) in sums.iter_mut().zip(&rows) {
                let x = cast(simd.splat_i32x8(cast(row[k])));
                for (sum, &w) in sums.iter_mut().zip(&weights) {
                    *sum = simd.wrapping_add_i32x8(*sum, simd.multiply_wrapping_add_adjacent_i16x16(x, w));
                }
            }
        }
        sums.map(cast)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn every_level_gives_the_sums_of_products() {
        let rng = &mut ChaCha8Rng::seed_from_u64(8);
        for (pixels, pairs, receivers) in [(1, 1, 1), (6, 5, 16), (13, 72, 20), (7, 9, 33), (3, 0, 4)] {
            let weights: Vec<i16> = (0..2 * pairs * receivers).map(|_| rng.random_range(-32_767..=32_767)).collect();
            let weight = |k: usize, c: usize| weights[k * receivers + c];
            let patches: Vec<Pair> =
                (0..pixels * pairs).map(|_| [rng.random_range(-9..9), rng.random_range(0..=400)]).collect();
            let (stride, first) = (receivers + 5, 2);
            let layout = Weights::new(pairs, receivers, weight);
            for level in [Level::Portable, Level::detect()] {
                let mut sums = vec![7; pixels * stride];
                layout.integrate(level, &patches, &mut sums, stride, first);
                for (p, sums) in sums.chunks(stride).enumerate() {
                    let x = |k: usize| i32::from(patches[p * pairs + k / 2][k % 2]);
                    for (i, &got) in sums.iter().enumerate() {
                        let inside = (first..first + receivers).contains(&i);
                        let sum: i32 = if inside {
                            (0..2 * pairs).map(|k| x(k) * i32::from(weight(k, i - first))).sum()
                        } else {
                            0
                        };
                        assert_eq!(got, 7 + sum, "{level:?}, pixel {p}, channel {i}");
                    }
                }
            }
        }
    }
}
