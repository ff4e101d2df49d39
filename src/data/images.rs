//! A set of images of one shape.

use crate::error::{Error, Problem, Result};
use crate::fixed::{Normalisation, PixelFormat};
use crate::ir::Shape;
use ndarray::{Array2, Axis};
use std::ops::Range;

/// Images with pixels in `[0, 1]`, row-major. Files of bytes are kept as bytes, which take a quarter of the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    shape: Shape,
    count: usize,
    pixels: Pixels,
}

#[derive(Clone, Debug, PartialEq)]
enum Pixels {
    /// 255 stands for 1.0.
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

impl Images {
    /// Images of `shape` from bytes, of which 255 stands for 1.0.
    ///
    /// # Errors
    /// If there are no images, or the bytes are no whole number of them.
    pub fn from_bytes(shape: Shape, bytes: Vec<u8>) -> Result<Images> {
        let count = count(&shape, bytes.len())?;
        Ok(Images { shape, count, pixels: Pixels::Bytes(bytes) })
    }

    /// Images of `shape` from floats in `[0, 1]`.
    ///
    /// # Errors
    /// If there are no images, the floats are no whole number of them, or a pixel is outside `[0, 1]` or NaN.
    pub fn from_floats(shape: Shape, floats: Vec<f32>) -> Result<Images> {
        let count = count(&shape, floats.len())?;
        let wrong = |x: &f32| !(0.0..=1.0).contains(x);
        if let Some(first) = floats.iter().position(wrong) {
            let total = floats.iter().filter(|x| wrong(x)).count();
            return Err(Problem::new(format!(
                "{total} of {} pixels are outside [0, 1]; the first is {} in image {}",
                floats.len(),
                floats[first],
                first / shape.len()
            ))
            .help("scale the pixels to [0, 1]; a mean and deviation that the network expects belong to --normalize")
            .into());
        }
        Ok(Images { shape, count, pixels: Pixels::Floats(floats) })
    }

    /// The same images with their elements read as those of `shape`: what makes flat images the channels of a network's input.
    ///
    /// # Errors
    /// The shape has another number of elements, or other channels; see [`super::check_size`].
    pub fn shaped(self, shape: &Shape) -> Result<Images> {
        super::check_size(&self, shape)?;
        Ok(Images { shape: shape.clone(), ..self })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True if there are none (only after [`Images::truncated`] to 0).
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Shape of one image, `[C, H, W]` or `[N]`.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The pixels of image `index` in `[0, 1]`.
    ///
    /// # Panics
    /// If `index` is not below [`Images::len`].
    pub fn pixels(&self, index: usize) -> Vec<f32> {
        let mut buffer = vec![0.0; self.shape.len()];
        self.write_pixels(index, &mut buffer);
        buffer
    }

    /// Writes the pixels of image `index` into `buffer`, which has the length of [`Images::shape`].
    ///
    /// # Panics
    /// If `index` is not below [`Images::len`] or the buffer has another length.
    pub fn write_pixels(&self, index: usize, buffer: &mut [f32]) {
        let range = self.range(index);
        match &self.pixels {
            Pixels::Bytes(bytes) => {
                for (x, &byte) in buffer.iter_mut().zip(&bytes[range]) {
                    *x = unit(byte);
                }
            }
            Pixels::Floats(floats) => buffer.copy_from_slice(&floats[range]),
        }
    }

    /// The pixels of image `index` as integers.
    ///
    /// # Panics
    /// If `index` is not below [`Images::len`].
    pub fn codes(&self, index: usize, format: &PixelFormat) -> Vec<i64> {
        let range = self.range(index);
        let encode = |(i, pixel): (usize, f32)| format.encode(pixel, self.shape.channel_of(i));
        match &self.pixels {
            Pixels::Bytes(bytes) => bytes[range].iter().map(|&b| unit(b)).enumerate().map(encode).collect(),
            Pixels::Floats(floats) => floats[range].iter().copied().enumerate().map(encode).collect(),
        }
    }

    /// The first `limit` images, or all if there are fewer.
    pub fn truncated(mut self, limit: usize) -> Images {
        self.count = self.count.min(limit);
        let kept = self.count * self.shape.len();
        match &mut self.pixels {
            Pixels::Bytes(bytes) => bytes.truncate(kept),
            Pixels::Floats(floats) => floats.truncate(kept),
        }
        self
    }

    /// Images `range` as the rows of a matrix, `[range.len(), pixels]`; a range that reaches too far is cut.
    pub fn matrix(&self, range: Range<usize>) -> Array2<f32> {
        let range = range.start.min(self.count)..range.end.min(self.count);
        let mut matrix = Array2::zeros((range.len(), self.shape.len()));
        for (index, mut row) in range.zip(matrix.axis_iter_mut(Axis(0))) {
            if let Some(buffer) = row.as_slice_mut() {
                self.write_pixels(index, buffer);
            }
        }
        matrix
    }

    /// Like [`Images::matrix`], with `(x - mean) / std` of each pixel's channel, as the float network expects it.
    pub fn normalised(&self, range: Range<usize>, normalisation: Option<&Normalisation>) -> Array2<f32> {
        let mut matrix = self.matrix(range);
        if let Some(normalisation) = normalisation {
            for (i, mut column) in matrix.axis_iter_mut(Axis(1)).enumerate() {
                let (mean, std) = normalisation.of(self.shape.channel_of(i));
                column.mapv_inplace(|x| (x - mean) / std);
            }
        }
        matrix
    }

    fn range(&self, index: usize) -> Range<usize> {
        let n = self.shape.len();
        index * n..(index + 1) * n
    }
}

fn unit(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

fn count(shape: &Shape, pixels: usize) -> Result<usize> {
    match pixels.checked_div(shape.len()) {
        None | Some(0) => Err(Error::input("holds no images")),
        Some(_) if !pixels.is_multiple_of(shape.len()) => {
            Err(Error::input(format!("holds {pixels} pixels, no whole number of images of {shape}")))
        }
        Some(count) => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Images {
        Images::from_bytes(Shape(vec![2, 1, 2]), vec![0, 51, 102, 255, 255, 0, 0, 1]).unwrap()
    }

    #[test]
    fn bytes_become_pixels_and_codes() {
        let images = two();
        assert_eq!((images.len(), images.pixels(0)), (2, vec![0.0, 0.2, 0.4, 1.0]));
        assert_eq!(images.codes(1, &PixelFormat::unsigned(8)), [255, 0, 0, 1]);
        assert_eq!(images.codes(0, &PixelFormat::unsigned(4)), [0, 3, 6, 15]);
    }

    #[test]
    fn floats_become_pixels_and_codes() {
        let images = Images::from_floats(Shape(vec![2]), vec![0.0, 1.0, 0.5, 0.25]).unwrap();
        assert_eq!(images.pixels(1), [0.5, 0.25]);
        assert_eq!(images.codes(1, &PixelFormat::unsigned(8)), [128, 64]);
    }

    #[test]
    fn truncation_and_ranges_stay_inside() {
        let images = two().truncated(1);
        assert_eq!((images.len(), images.matrix(0..9).dim()), (1, (1, 4)));
        assert_eq!(two().truncated(7).len(), 2);
        assert_eq!(two().matrix(1..2).row(0).to_vec(), two().pixels(1));
        assert_eq!(two().matrix(5..9).dim(), (0, 4));
    }

    #[test]
    fn normalisation_is_per_channel() {
        let normalisation = Normalisation { mean: vec![0.0, 0.4], std: vec![0.5, 2.0] };
        let matrix = two().normalised(0..1, Some(&normalisation));
        let expected = [0.0, 0.4, 0.0, 0.3];
        assert!(matrix.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{matrix}");
    }

    #[test]
    fn flat_images_take_the_channels_of_the_network() {
        let flat = Images::from_bytes(Shape(vec![4]), vec![0, 255, 0, 255]).unwrap();
        let normalisation = Normalisation { mean: vec![0.0, 0.5], std: vec![1.0, 0.5] };
        let images = flat.clone().shaped(&Shape(vec![2, 1, 2])).unwrap();
        assert_eq!(images.normalised(0..1, Some(&normalisation)), ndarray::array![[0.0, 1.0, -1.0, 1.0]]);
        assert!(flat.shaped(&Shape(vec![5])).is_err());
        assert!(images.shaped(&Shape(vec![4, 1, 1])).is_err());
    }

    /// A network with a convolution along one axis refused the file that had calibrated it.
    #[test]
    fn a_signal_of_several_channels_fits_a_convolution_along_one_axis() {
        let signal = Images::from_floats(Shape(vec![1, 2, 20]), vec![0.5; 40]).unwrap();
        assert!(signal.clone().shaped(&Shape(vec![2, 1, 20])).is_ok());
        assert!(signal.shaped(&Shape(vec![20, 1, 2])).is_err());
    }

    #[test]
    fn pixels_outside_the_unit_interval_are_refused() {
        for bad in [f32::NAN, -0.01, 1.01, f32::INFINITY] {
            let error = Images::from_floats(Shape(vec![2]), vec![0.0, 1.0, 0.5, bad]).unwrap_err().to_string();
            assert!(error.contains("1 of 4 pixels") && error.contains("image 1"), "{error}");
        }
    }
}
