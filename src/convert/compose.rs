//! Two windows in a row as one.

use super::window::{Taps, Windowed};
use crate::fixed::gcd;
use crate::ir::window::{MAX_EXTENT, Window};
use ndarray::{Array3, Array4, s};

/// More weights than this are not written out to make one window of two.
const MAX_TAPS: usize = 1 << 24;

/// More products of weights than this are not computed for it.
const MAX_PRODUCTS: usize = 1 << 33;

/// What two maps in a row are.
pub(super) enum Composed {
    /// A window.
    One(Box<Windowed>),
    /// Nothing of the input reaches the output.
    Nothing,
    /// Not a window: padding stands between the two, or the result would be too large.
    No,
}

/// `second · first`, if that is a window too. The result equals the two in a row for every input.
pub(super) fn compose(second: &Windowed, first: &Windowed) -> Composed {
    if first.window.output != second.window.input || !(exact(first, second, 0) && exact(first, second, 1)) {
        return Composed::No;
    }
    let Some((window, places)) = join(&first.window, &second.window) else { return Composed::No };
    match taps(second, first, &window, &places) {
        Some(Some(taps)) => Composed::One(Box::new(Windowed { window, taps })),
        Some(None) => Composed::Nothing,
        None => Composed::No,
    }
}

/// True if, along `axis`, what the second window reads outside the first one's image would be computed from outside the
/// first one's input too: then it is zero either way.
///
/// Per tap, the readings nearest to the image are the ones to look at; those farther out lie farther out below, too.
fn exact(first: &Windowed, second: &Windowed, axis: usize) -> bool {
    let (first, second) = (&first.window, &second.window);
    let extent = |n: usize| n as i64;
    let (middle, input) = (extent(first.output[axis + 1]), extent(first.input[axis + 1]));
    let (out, stride) = (extent(second.output[axis + 1]), extent(second.stride[axis]));
    let reach = extent((first.kernel[axis] - 1) * first.dilation[axis]);
    let below = |at: i64| at * extent(first.stride[axis]) - first.pad[axis];
    (0..second.kernel[axis]).all(|tap| {
        let begin = extent(tap * second.dilation[axis]) - second.pad[axis];
        let last_before = begin + stride * ((-1 - begin).div_euclid(stride)).min(out - 1);
        let first_behind = (middle - begin + stride - 1).div_euclid(stride).max(0);
        (begin >= 0 || below(last_before) + reach < 0)
            && (first_behind >= out || below(begin + stride * first_behind) >= input)
    })
}

/// The window of both, and per axis the tap to which tap `(of second, of first)` belongs.
fn join(first: &Window, second: &Window) -> Option<(Window, [Places; 2])> {
    let mut window = Window { input: first.input, output: second.output, ..Window::identity(first.input) };
    let mut places = [Places::default(), Places::default()];
    for (axis, places) in places.iter_mut().enumerate() {
        let stride = first.stride[axis];
        let coarse = second.dilation[axis].checked_mul(stride)?;
        let fine = first.dilation[axis];
        let common = match (second.kernel[axis] > 1, first.kernel[axis] > 1) {
            (true, true) => gcd(coarse, fine),
            (true, false) => coarse,
            (false, true) => fine,
            (false, false) => 1,
        };
        *places = Places { second: coarse / common, first: fine / common };
        window.kernel[axis] = places.of(second.kernel[axis] - 1, first.kernel[axis] - 1).checked_add(1)?;
        window.dilation[axis] = common;
        window.stride[axis] = second.stride[axis].checked_mul(stride)?;
        window.pad[axis] = second.pad[axis].checked_mul(stride as i64)?.checked_add(first.pad[axis])?;
    }
    let sane = window.kernel.iter().chain(&window.stride).chain(&window.dilation).all(|&n| n <= MAX_EXTENT);
    (sane && window.problem().is_none()).then_some((window, places))
}

/// Taps along one axis, in units of the common dilation.
#[derive(Default)]
struct Places {
    second: usize,
    first: usize,
}

impl Places {
    fn of(&self, second: usize, first: usize) -> usize {
        second * self.second + first * self.first
    }
}

/// The weights of both; `Some(None)` if no channel passes both, `None` if there would be too many.
fn taps(second: &Windowed, first: &Windowed, window: &Window, places: &[Places; 2]) -> Option<Option<Taps>> {
    let [rows, columns] = window.kernel;
    let room = |kernels: usize| {
        let all = rows.checked_mul(columns)?.checked_mul(kernels)?;
        (all <= MAX_TAPS).then_some(())
    };
    let pairs = || {
        let [a, b] = second.window.kernel;
        let [c, d] = first.window.kernel;
        let all = (0..a).flat_map(move |ay| (0..b).map(move |ax| (ay, ax)));
        all.flat_map(move |(ay, ax)| (0..c).flat_map(move |by| (0..d).map(move |bx| ([ay, ax], [by, bx]))))
    };
    let place = |[ay, ax]: [usize; 2], [by, bx]: [usize; 2]| (places[0].of(ay, by), places[1].of(ax, bx));

    match (&second.taps, &first.taps) {
        (
            Taps::Channelwise { weight: a, from: from_a, to: to_a },
            Taps::Channelwise { weight: b, from: from_b, to: to_b },
        ) => {
            let low = *from_a.max(to_b);
            let high = (from_a + a.dim().0).min(to_b + b.dim().0);
            if low >= high {
                return Some(None);
            }
            room(high - low)?;
            let mut weight = Array3::zeros((high - low, rows, columns));
            for (i, c) in (low..high).enumerate() {
                for (ka, kb) in pairs() {
                    let (y, x) = place(ka, kb);
                    weight[(i, y, x)] += a[(c - from_a, ka[0], ka[1])] * b[(c - to_b, kb[0], kb[1])];
                }
            }
            Some(Some(Taps::Channelwise { weight, from: from_b + low - to_b, to: to_a + low - from_a }))
        }
        // A factor or filter on every channel leaves the groups as they are.
        (Taps::Conv { weight: a, groups }, Taps::Channelwise { weight: b, from: 0, to: 0 })
            if b.dim().0 == first.window.input[0] && b.dim().0 == first.window.output[0] =>
        {
            let (post, pre, _, _) = a.dim();
            room(post.checked_mul(pre)?)?;
            let mut weight = Array4::zeros((post, pre, rows, columns));
            for to in 0..post {
                let group = to / (post / groups).max(1) * pre;
                for (i, (ka, kb)) in (0..pre).flat_map(|i| pairs().map(move |pair| (i, pair))) {
                    let (y, x) = place(ka, kb);
                    weight[(to, i, y, x)] += a[(to, i, ka[0], ka[1])] * b[(group + i, kb[0], kb[1])];
                }
            }
            Some(Some(Taps::Conv { weight, groups: *groups }))
        }
        (Taps::Channelwise { weight: a, from: 0, to: 0 }, Taps::Conv { weight: b, groups })
            if a.dim().0 == second.window.input[0] && a.dim().0 == second.window.output[0] =>
        {
            let (post, pre, _, _) = b.dim();
            room(post.checked_mul(pre)?)?;
            let mut weight = Array4::zeros((post, pre, rows, columns));
            for (to, (ka, kb)) in (0..post).flat_map(|to| pairs().map(move |pair| (to, pair))) {
                let (y, x) = place(ka, kb);
                let part = b.slice(s![to, .., kb[0], kb[1]]);
                weight.slice_mut(s![to, .., y, x]).scaled_add(a[(to, ka[0], ka[1])], &part);
            }
            Some(Some(Taps::Conv { weight, groups: *groups }))
        }
        _ => {
            let (post, middle, pre) = (window.output[0], first.window.output[0], window.input[0]);
            room(post.checked_mul(pre)?)?;
            let size = |w: &Windowed, from: usize, to: usize| {
                w.window.kernel.iter().try_fold(from.checked_mul(to)?, |n, &k| n.checked_mul(k))
            };
            if size(second, middle, post)?.max(size(first, pre, middle)?) > MAX_TAPS {
                return None;
            }
            let work = post.saturating_mul(middle).saturating_mul(pre).saturating_mul(pairs().count());
            if work > MAX_PRODUCTS {
                return None;
            }
            let (a, b) = (second.kernels(), first.kernels());
            let mut weight = Array4::zeros((post, pre, rows, columns));
            for (ka, kb) in pairs() {
                let (y, x) = place(ka, kb);
                let product = a.slice(s![.., .., ka[0], ka[1]]).dot(&b.slice(s![.., .., kb[0], kb[1]]));
                let mut part = weight.slice_mut(s![.., .., y, x]);
                part += &product;
            }
            Some(Some(Taps::Conv { weight, groups: 1 }))
        }
    }
}
