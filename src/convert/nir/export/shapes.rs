//! Shapes of populations in NIR, which can flatten an image but not unflatten it.

use crate::ir::PopId;
use crate::ir::quant::QuantGraph;

/// The shape of each population's node: `[C, H, W]` if it has several pixels or a path leads from it to one that has; else `[N]`.
pub(super) struct Shapes(Vec<Vec<usize>>);

impl Shapes {
    /// Decides for all populations.
    pub fn of(net: &QuantGraph) -> Shapes {
        let shapes: Vec<_> = net.populations.iter().map(|p| (p.shape.len(), p.shape.image())).collect();
        let mut images: Vec<bool> = shapes.iter().map(|(_, image)| !matches!(image, Some([_, 1, 1]))).collect();
        loop {
            let links = net.projections.iter().map(|p| (p.projection.pre.0, p.projection.post.0));
            let found: Vec<usize> =
                links.filter(|&(pre, post)| images[post] && !images[pre]).map(|(pre, _)| pre).collect();
            if found.is_empty() {
                break;
            }
            found.into_iter().for_each(|pre| images[pre] = true);
        }
        let node = |((len, image), as_image): ((usize, Option<[usize; 3]>), bool)| match image {
            Some([c, h, w]) if as_image => vec![c, h, w],
            _ => vec![len],
        };
        Shapes(shapes.into_iter().zip(images).map(node).collect())
    }

    /// The shape of a population's node.
    pub fn node(&self, pop: PopId) -> Vec<usize> {
        self.0.get(pop.0).cloned().unwrap_or_default()
    }
}
