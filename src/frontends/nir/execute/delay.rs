//! Delay lines.

/// A delay of a whole number of steps for each element.
#[derive(Clone, Debug)]
pub(super) struct Delay {
    /// Steps of each element.
    pub steps: Vec<usize>,
}

/// What is on its way.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// `[longest + 1, elements]`, used in a circle.
    ring: Vec<f64>,
    /// The row of the current step.
    now: usize,
}

impl Delay {
    /// Rows that the ring needs.
    fn rows(&self) -> usize {
        self.steps.iter().max().map_or(1, |longest| longest + 1)
    }

    /// Values that wait at any time.
    pub fn values(&self) -> usize {
        self.rows().saturating_mul(self.steps.len())
    }

    /// True if no output depends on the input of the same step.
    pub fn breaks_circles(&self) -> bool {
        self.steps.iter().all(|&steps| steps > 0)
    }

    /// A line with nothing on its way.
    pub fn line(&self) -> Line {
        Line { ring: vec![0.0; self.values()], now: 0 }
    }

    /// Takes the input of the current step.
    pub fn absorb(&self, line: &mut Line, x: &[f64]) {
        let width = self.steps.len();
        line.ring[line.now * width..][..width].copy_from_slice(x);
    }

    /// Gives the output of the current step. Elements without delay need [`Self::absorb`] before.
    pub fn emit(&self, line: &Line, y: &mut [f64]) {
        let (rows, width) = (self.rows(), self.steps.len());
        for (element, (y, &steps)) in y.iter_mut().zip(&self.steps).enumerate() {
            let row = (line.now + rows - steps) % rows;
            *y = line.ring[row * width + element];
        }
    }

    /// Goes on to the next step.
    pub fn advance(&self, line: &mut Line) {
        line.now = (line.now + 1) % self.rows();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_waits_for_its_time() {
        let delay = Delay { steps: vec![0, 1, 3] };
        let mut line = delay.line();
        let mut seen = Vec::new();
        for t in 1..=5 {
            let mut y = [0.0; 3];
            delay.absorb(&mut line, &[f64::from(t); 3]);
            delay.emit(&line, &mut y);
            delay.advance(&mut line);
            seen.push(y);
        }
        assert_eq!(seen, [[1.0, 0.0, 0.0], [2.0, 1.0, 0.0], [3.0, 2.0, 0.0], [4.0, 3.0, 1.0], [5.0, 4.0, 2.0]]);
    }
}
