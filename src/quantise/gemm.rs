//! Matrix products over the calibration set.
//!
//! Every element is a sum in ascending order of the inner index, without fused operations, so that the result is the same on
//! every processor, however wide its vectors are. Integers are exact as long as they and all sums fit the mantissa.

use pulp::Arch;
use std::ops::{Add, Mul};

/// Columns of a product that are computed at a time.
const LANES: usize = 16;
/// Rows of a product that are computed at a time.
const ROWS: usize = 4;
/// Inner indices that are worked through at a time: a panel of that height stays in the innermost cache.
const DEPTH: usize = 256;

/// A float whose vectors the compiler knows.
pub(super) trait Real:
    Copy + Default + Send + Sync + Add<Output = Self> + Mul<Output = Self> + From<f32>
{
    /// Rounds to this type.
    fn of(x: f64) -> Self;
}

impl Real for f32 {
    fn of(x: f64) -> f32 {
        x as f32
    }
}

impl Real for f64 {
    fn of(x: f64) -> f64 {
        x
    }
}

/// The right factor `[inner, columns]` of a product, laid out in panels of [`LANES`] columns.
pub(super) struct Packed<T> {
    inner: usize,
    columns: usize,
    panels: Vec<Vec<[T; LANES]>>,
}

impl<T: Real> Packed<T> {
    /// Lays out `element(k, j)`.
    pub(super) fn new(inner: usize, columns: usize, element: impl Fn(usize, usize) -> T) -> Self {
        let row = |first: usize, k: usize| {
            std::array::from_fn(|j| if first + j < columns { element(k, first + j) } else { T::default() })
        };
        let panel = |first: usize| (0..inner).map(|k| row(first, k)).collect();
        Packed { inner, columns, panels: (0..columns).step_by(LANES).map(panel).collect() }
    }

    /// Adds `a · self` to `c`; `a` is `[m, inner]` and `c` is `[m, columns]`, both row-major. Of `c`, only columns below `until` need
    /// to be right.
    pub(super) fn add_product(&self, a: &[T], c: &mut [T], until: usize) {
        if self.inner > 0 && self.columns > 0 {
            Arch::new().dispatch(Product { b: self, a, c, until: until.min(self.columns) });
        }
    }
}

struct Product<'a, T> {
    b: &'a Packed<T>,
    a: &'a [T],
    c: &'a mut [T],
    until: usize,
}

impl<T: Real> pulp::WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let (inner, columns) = (self.b.inner, self.b.columns);
        for first in (0..inner).step_by(DEPTH) {
            let depth = DEPTH.min(inner - first);
            for (p, panel) in self.b.panels.iter().enumerate().take(self.until.div_ceil(LANES)) {
                let panel = &panel[first..first + depth];
                let width = LANES.min(columns - p * LANES);
                let rows = self.a.chunks(ROWS * inner).zip(self.c.chunks_mut(ROWS * columns));
                for (a, c) in rows {
                    if a.len() == ROWS * inner {
                        let a = std::array::from_fn(|i| &a[i * inner + first..][..depth]);
                        let sums = block::<T, ROWS>(a, panel);
                        for (sum, c) in sums.iter().zip(c.chunks_mut(columns)) {
                            let c = &mut c[p * LANES..][..width];
                            c.iter_mut().zip(sum).for_each(|(c, &s)| *c = *c + s);
                        }
                    } else {
                        for (a, c) in a.chunks(inner).zip(c.chunks_mut(columns)) {
                            let [sum] = block::<T, 1>([&a[first..][..depth]], panel);
                            let c = &mut c[p * LANES..][..width];
                            c.iter_mut().zip(&sum).for_each(|(c, &s)| *c = *c + s);
                        }
                    }
                }
            }
        }
    }
}

/// `M` rows times one panel.
#[inline(always)]
fn block<T: Real, const M: usize>(a: [&[T]; M], panel: &[[T; LANES]]) -> [[T; LANES]; M] {
    let mut sums = [[T::default(); LANES]; M];
    for (k, b) in panel.iter().enumerate() {
        for (sum, a) in sums.iter_mut().zip(&a) {
            let a = a[k];
            for (sum, &b) in sum.iter_mut().zip(b) {
                *sum = *sum + a * b;
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_every_size_are_exact_in_integers() {
        for (m, k, n) in [(1, 1, 1), (4, 3, 16), (5, 300, 17), (9, 513, 40), (3, 0, 2)] {
            let value = |i: usize, j: usize| ((i * 31 + j * 17) % 23) as f32 - 11.0;
            let a: Vec<f32> = (0..m * k).map(|i| value(i / k, i % k)).collect();
            let b = Packed::new(k, n, |i, j| value(j + 3, i));
            let mut c = vec![2.0; m * n];
            b.add_product(&a, &mut c, n);
            for i in 0..m {
                for j in 0..n {
                    let sum: f32 = (0..k).map(|x| value(i, x) * value(j + 3, x)).sum();
                    assert_eq!(c[i * n + j], 2.0 + sum, "{m}×{k}×{n}");
                }
            }
        }
    }
}
