//! The beats that enter the network.

use super::simulation::InputBeat;
use crate::error::{Error, Result};
use crate::ir::layout::IdLayout;
use crate::ir::mapped::MappedNet;
use crate::ir::stream::Beat;

/// Images as integer pixel codes ([`crate::fixed::PixelFormat`]), in the order of the source population's neurons; where the source
/// sends something else in every phase ([`crate::ir::quant::Input`]), its values of all phases, phase by phase.
pub trait PixelCodes {
    /// Number of images.
    fn images(&self) -> usize;

    /// Replaces `codes` by the codes of image `image`, which is below [`PixelCodes::images`].
    fn codes(&self, image: usize, codes: &mut Vec<i64>);
}

impl PixelCodes for Vec<Vec<i64>> {
    fn images(&self) -> usize {
        self.len()
    }

    fn codes(&self, image: usize, codes: &mut Vec<i64>) {
        codes.clear();
        if let Some(pixels) = self.get(image) {
            codes.extend_from_slice(pixels);
        }
    }
}

/// A window on the sequence of all beats: of each image and phase one event per non-zero code and an end of phase.
///
/// The model and the design read it at positions of their own.
pub(super) struct Feed<'a> {
    images: &'a dyn PixelCodes,
    /// How the input stream names the pixels.
    ids: IdLayout,
    phases: u32,
    /// Codes of an image.
    length: usize,
    next_image: usize,
    codes: Vec<i64>,
    window: Vec<InputBeat>,
    /// Position of the window's first beat.
    base: usize,
}

impl<'a> Feed<'a> {
    /// The beats of `images` for the input of `net`.
    pub fn of(images: &'a dyn PixelCodes, net: &MappedNet) -> Self {
        Feed::new(images, net.stream(net.input()).layout, net.quant.phases(), net.quant.codes_per_image())
    }

    fn new(images: &'a dyn PixelCodes, ids: IdLayout, phases: u32, length: usize) -> Self {
        Feed { images, ids, phases, length, next_image: 0, codes: Vec::new(), window: Vec::new(), base: 0 }
    }

    /// Makes at least `count` beats from `position` on available, as far as there are images, and forgets those
    /// before `keep`.
    pub fn prepare(&mut self, position: usize, count: usize, keep: usize) -> Result<()> {
        while self.base + self.window.len() < position + count && self.next_image < self.images.images() {
            self.window.drain(..keep.min(position).saturating_sub(self.base).min(self.window.len()));
            self.base = self.base.max(keep.min(position));
            self.append()?;
        }
        Ok(())
    }

    fn append(&mut self) -> Result<()> {
        let image = self.next_image;
        self.images.codes(image, &mut self.codes);
        if self.codes.len() != self.length {
            let (has, takes) = (self.codes.len(), self.length);
            let what =
                if takes == self.ids.neurons() { "pixels" } else { "values (one for each neuron and time step)" };
            return Err(Error::input(format!("image {image} has {has} {what}, the network takes {takes}")));
        }
        let beats = Beat::image_of(&self.codes, &self.ids, self.phases);
        self.window.extend(beats.map(|beat| InputBeat::from(&beat)));
        self.next_image += 1;
        Ok(())
    }

    /// The beat at `position`, if it is in the window.
    pub fn beat(&self, position: usize) -> Option<Beat> {
        self.window.get(position.checked_sub(self.base)?).map(Beat::from)
    }

    /// The window from `position` on.
    pub fn from(&self, position: usize) -> &[InputBeat] {
        position.checked_sub(self.base).and_then(|start| self.window.get(start..)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_repeats_the_non_zero_pixels_and_ends() {
        let images = vec![vec![0, 7, 0], vec![1, 0, 2]];
        let mut feed = Feed::new(&images, IdLayout::Linear { neurons: 3 }, 2, 3);
        feed.prepare(0, 100, 0).unwrap();
        let beats: Vec<_> = (0..).map_while(|i| feed.beat(i)).collect();
        let (a, b, c) = (Beat::event(1, 7), Beat::event(0, 1), Beat::event(2, 2));
        assert_eq!(beats, [a, Beat::END, a, Beat::END, b, c, Beat::END, b, c, Beat::END]);
    }

    #[test]
    fn pixels_are_named_as_the_stream_names_them() {
        let images = vec![vec![1, 2, 3, 4, 5, 6]];
        let mut feed = Feed::new(&images, IdLayout::Fields { extent: [2, 1, 3] }, 1, 6);
        feed.prepare(0, 7, 0).unwrap();
        let ids: Vec<u32> = (0..6).map(|i| feed.beat(i).unwrap().id).collect();
        assert_eq!(ids, [0, 2, 4, 1, 3, 5]);
    }

    #[test]
    fn a_train_has_its_own_events_in_every_phase() {
        let (trains, ids) = (vec![vec![0, 1, 1, 0], vec![0, 0, 0, 3]], IdLayout::Linear { neurons: 2 });
        let mut feed = Feed::new(&trains, ids, 2, 4);
        feed.prepare(0, 100, 0).unwrap();
        let beats: Vec<_> = (0..).map_while(|i| feed.beat(i)).collect();
        let (a, b, c) = (Beat::event(1, 1), Beat::event(0, 1), Beat::event(1, 3));
        assert_eq!(beats, [a, Beat::END, b, Beat::END, Beat::END, c, Beat::END]);
        assert!(Feed::new(&vec![vec![0, 1]], ids, 2, 4).prepare(0, 1, 0).is_err());
    }

    #[test]
    fn positions_stay_valid_while_the_window_moves() {
        let images: Vec<_> = (1..=20).map(|i| vec![i; 3]).collect();
        let mut feed = Feed::new(&images, IdLayout::Linear { neurons: 3 }, 1, 3);
        for position in 0..80 {
            feed.prepare(position, 2, position.saturating_sub(5)).unwrap();
            let expected =
                if position % 4 == 3 { Beat::END } else { Beat::event(position as u32 % 4, position as i64 / 4 + 1) };
            assert_eq!(feed.beat(position), Some(expected));
            assert_eq!(feed.from(position).first().map(Beat::from), Some(expected));
            assert!(feed.window.len() < 16);
        }
        assert_eq!(feed.beat(80), None);
        assert!(feed.from(80).is_empty());
    }

    #[test]
    fn an_image_of_the_wrong_size_is_refused() {
        let images = vec![vec![1, 2]];
        assert!(Feed::new(&images, IdLayout::Linear { neurons: 3 }, 1, 3).prepare(0, 1, 0).is_err());
    }
}
