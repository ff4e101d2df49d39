//! Affine expressions over the activations of populations: what stands between two ReLUs.

use super::linear::{Linear, TooLarge};
use super::window::Windowed;
use ndarray::{Array1, Array2};
use std::borrow::Cow;

/// One sender's part in an [`Expression`].
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// Index of the sending population.
    pub pre: usize,
    /// Name of the node that gave the map its present form.
    pub name: String,
    /// The map.
    pub map: Linear,
}

/// `Σ_terms map · x[pre] + offset`. A sender has several terms where their sum is none of the forms of [`Linear`].
#[derive(Clone, Debug)]
pub(super) struct Expression {
    /// The senders, in the order in which they first appear.
    pub terms: Vec<Term>,
    /// One addend per element.
    pub offset: Vec<f64>,
}

impl Expression {
    /// The activations of one population themselves.
    pub(super) fn of_population(pre: usize, neurons: usize) -> Self {
        let map = Linear::Diagonal(vec![1.0; neurons]);
        Expression { terms: vec![Term { pre, name: String::new(), map }], offset: vec![0.0; neurons] }
    }

    /// Numbers that it holds, weights of windows and matrices aside.
    pub(super) fn elements(&self) -> usize {
        let factors = self.terms.iter().map(|t| match &t.map {
            Linear::Diagonal(d) => d.len(),
            Linear::Picked { factors, .. } => 2 * factors.len(),
            Linear::Dense(m) => m.len(),
            Linear::Windowed(_) => 0,
        });
        self.offset.len() + factors.sum::<usize>()
    }

    /// Multiplies each element by its factor.
    pub(super) fn scale(&mut self, factors: &[f64]) -> Result<(), TooLarge> {
        self.terms.iter_mut().try_for_each(|t| t.map.scale(factors))?;
        self.offset.iter_mut().zip(factors).for_each(|(o, f)| *o *= f);
        Ok(())
    }

    /// `weight · self + bias`, computed by the node called `name`.
    pub(super) fn dense(&self, name: &str, weight: &Array2<f32>, bias: &Array1<f32>) -> Result<Self, TooLarge> {
        let terms = self.mapped(name, |map| map.then_dense(weight).map(Some))?;
        let offset = weight
            .rows()
            .into_iter()
            .zip(bias)
            .map(|(row, &b)| f64::from(b) + row.iter().zip(&self.offset).map(|(&w, o)| f64::from(w) * o).sum::<f64>())
            .collect();
        Ok(Expression { terms, offset })
    }

    /// `window · self`, computed by the node called `name`.
    pub(super) fn window(&self, name: &str, window: &Windowed) -> Result<Self, TooLarge> {
        let (columns, rows) = window.window.extent();
        let terms = self.mapped(name, |map| map.then_window(window))?;
        let offset = window.apply(&self.offset).ok_or(TooLarge(rows, columns))?;
        Ok(Expression { terms, offset })
    }

    /// Element `i` of the result is element `from[i]` of this one.
    pub(super) fn picked(&self, name: &str, from: &[usize]) -> Result<Self, TooLarge> {
        let terms = self.mapped(name, |map| map.then_pick(from).map(Some))?;
        Ok(Expression { terms, offset: from.iter().map(|&i| self.offset[i]).collect() })
    }

    fn mapped(
        &self,
        name: &str,
        f: impl Fn(&Linear) -> Result<Option<Linear>, TooLarge>,
    ) -> Result<Vec<Term>, TooLarge> {
        let mut terms = Vec::with_capacity(self.terms.len());
        for t in &self.terms {
            if let Some(map) = f(&t.map)? {
                // What were different forms may have become the same.
                join(&mut terms, Cow::Owned(Term { pre: t.pre, name: name.to_string(), map }));
            }
        }
        Ok(terms)
    }

    /// Adds `other`; terms of one sender become one term where they can.
    pub(super) fn add(&mut self, other: &Expression) {
        other.terms.iter().for_each(|term| join(&mut self.terms, Cow::Borrowed(term)));
        self.offset.iter_mut().zip(&other.offset).for_each(|(a, b)| *a += b);
    }

    /// Least and greatest value of each element, if every term has one sender an element at most, and sender `p` lies in
    /// `range(p)`.
    pub(super) fn bounds(&self, range: impl Fn(usize) -> (f64, f64)) -> Option<Vec<(f64, f64)>> {
        let mut bounds: Vec<(f64, f64)> = self.offset.iter().map(|&o| (o, o)).collect();
        for term in &self.terms {
            let (low, high) = range(term.pre);
            // A factor of zero times an unbounded sender is zero.
            let product = |factor: f64, x: f64| if factor == 0.0 { 0.0 } else { factor * x };
            let simple = term.map.for_each_factor(|i, _, factor| {
                let (a, b) = (product(factor, low), product(factor, high));
                bounds[i].0 += a.min(b);
                bounds[i].1 += a.max(b);
            });
            if !simple {
                return None;
            }
        }
        Some(bounds)
    }
}

/// Adds a term; two of one sender become one where they can.
fn join(terms: &mut Vec<Term>, term: Cow<Term>) {
    let mut mine = terms.iter_mut().filter(|t| t.pre == term.pre);
    match mine.find_map(|t| t.map.absorb(&term.map).then_some(t)) {
        None => terms.push(term.into_owned()),
        Some(t) if t.name.is_empty() => t.name.clone_from(&term.name),
        Some(_) => {}
    }
}
