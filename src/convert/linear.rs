//! Affine expressions over the activations of populations: what stands between two ReLUs.

use ndarray::{Array1, Array2};

/// Largest number of weights that a collapsed matrix may have; a bound on memory for hostile or ill-chosen shapes.
pub(super) const MAX_WEIGHTS: usize = 1 << 26;

/// A linear map from the activations of one population to the elements of a node.
#[derive(Clone, Debug)]
pub(super) enum Linear {
    /// One factor per element; sender and receiver have the same length.
    Diagonal(Vec<f64>),
    /// `[elements, senders]`.
    Dense(Array2<f64>),
}

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

/// `Σ_terms map · x[pre] + offset`, with at most one term per sender.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    /// The senders, in the order in which they first appear.
    pub terms: Vec<Term>,
    /// One addend per element.
    pub offset: Vec<f64>,
}

/// The weight matrix would have this many rows and columns, more than [`MAX_WEIGHTS`] allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLarge(pub usize, pub usize);

impl Linear {
    /// `rows × columns` of the matrix.
    fn extent(&self) -> (usize, usize) {
        match self {
            Linear::Diagonal(d) => (d.len(), d.len()),
            Linear::Dense(m) => m.dim(),
        }
    }

    /// The map as a matrix; a diagonal is written out.
    pub(super) fn into_dense(self) -> Result<Array2<f64>, TooLarge> {
        let (rows, columns) = self.extent();
        match self {
            Linear::Dense(m) => Ok(m),
            Linear::Diagonal(_) if rows.saturating_mul(columns) > MAX_WEIGHTS => Err(TooLarge(rows, columns)),
            Linear::Diagonal(d) => Ok(Array2::from_diag(&Array1::from_vec(d))),
        }
    }

    fn scale(&mut self, factors: &[f64]) {
        match self {
            Linear::Diagonal(d) => d.iter_mut().zip(factors).for_each(|(d, f)| *d *= f),
            Linear::Dense(m) => m.rows_mut().into_iter().zip(factors).for_each(|(mut row, &f)| row *= f),
        }
    }

    /// `weight · self`.
    fn apply(&self, weight: &Array2<f32>) -> Result<Linear, TooLarge> {
        let (rows, columns) = (weight.nrows(), self.extent().1);
        if rows.saturating_mul(columns) > MAX_WEIGHTS {
            return Err(TooLarge(rows, columns));
        }
        let mut product = Array2::zeros((rows, columns));
        for (weights, mut out) in weight.rows().into_iter().zip(product.rows_mut()) {
            match self {
                Linear::Diagonal(d) => {
                    out.iter_mut().zip(weights).zip(d).for_each(|((o, &w), d)| *o = f64::from(w) * d);
                }
                Linear::Dense(m) => {
                    for (&w, row) in weights.iter().zip(m.rows()) {
                        out.scaled_add(f64::from(w), &row);
                    }
                }
            }
        }
        Ok(Linear::Dense(product))
    }

    fn plus(self, other: Linear) -> Linear {
        match (self, other) {
            (Linear::Diagonal(mut a), Linear::Diagonal(b)) => {
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                Linear::Diagonal(a)
            }
            (Linear::Dense(mut m), Linear::Diagonal(d)) | (Linear::Diagonal(d), Linear::Dense(mut m)) => {
                m.diag_mut().iter_mut().zip(d).for_each(|(m, d)| *m += d);
                Linear::Dense(m)
            }
            (Linear::Dense(a), Linear::Dense(b)) => Linear::Dense(a + b),
        }
    }
}

impl Expression {
    /// The activations of one population themselves.
    pub(super) fn of_population(pre: usize, neurons: usize) -> Self {
        let map = Linear::Diagonal(vec![1.0; neurons]);
        Expression { terms: vec![Term { pre, name: String::new(), map }], offset: vec![0.0; neurons] }
    }

    /// True if no weight matrix takes part.
    pub(super) fn is_diagonal(&self) -> bool {
        self.terms.iter().all(|t| matches!(t.map, Linear::Diagonal(_)))
    }

    /// Multiplies each element by its factor.
    pub(super) fn scale(&mut self, factors: &[f64]) {
        self.terms.iter_mut().for_each(|t| t.map.scale(factors));
        self.offset.iter_mut().zip(factors).for_each(|(o, f)| *o *= f);
    }

    /// `weight · self + bias`, computed by the node called `name`.
    pub(super) fn dense(&self, name: &str, weight: &Array2<f32>, bias: &Array1<f32>) -> Result<Self, TooLarge> {
        let terms = self
            .terms
            .iter()
            .map(|t| Ok(Term { pre: t.pre, name: name.to_string(), map: t.map.apply(weight)? }))
            .collect::<Result<_, _>>()?;
        let offset = weight
            .rows()
            .into_iter()
            .zip(bias)
            .map(|(row, &b)| f64::from(b) + row.iter().zip(&self.offset).map(|(&w, o)| f64::from(w) * o).sum::<f64>())
            .collect();
        Ok(Expression { terms, offset })
    }

    /// Adds `other`; terms of one sender become one term.
    pub(super) fn add(&mut self, other: &Expression) {
        for term in &other.terms {
            match self.terms.iter().position(|t| t.pre == term.pre) {
                None => self.terms.push(term.clone()),
                Some(i) => {
                    let mine = self.terms.remove(i);
                    let named = if mine.name.is_empty() { &term.name } else { &mine.name };
                    let sum = Term { pre: mine.pre, name: named.clone(), map: mine.map.plus(term.map.clone()) };
                    self.terms.insert(i, sum);
                }
            }
        }
        self.offset.iter_mut().zip(&other.offset).for_each(|(a, b)| *a += b);
    }

    /// Least and greatest value of each element of a diagonal expression, if sender `p` lies in `0..=upper(p)`.
    pub(super) fn bounds(&self, upper: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        let mut bounds: Vec<(f64, f64)> = self.offset.iter().map(|&o| (o, o)).collect();
        for term in &self.terms {
            let Linear::Diagonal(d) = &term.map else { continue };
            let upper = upper(term.pre);
            for ((low, high), &d) in bounds.iter_mut().zip(d) {
                // A factor of zero times an unbounded sender is zero.
                let reach = if d == 0.0 { 0.0 } else { d * upper };
                *low += reach.min(0.0);
                *high += reach.max(0.0);
            }
        }
        bounds
    }
}
