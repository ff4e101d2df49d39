//! Arguments that several commands share.

use crate::data::{self, Images, Labels};
use crate::error::{Problem, Result};
use crate::ir::Shape;
use crate::report;
use std::path::{Path, PathBuf};

/// A test set.
#[derive(clap::Args, Clone, Debug)]
pub struct TestSet {
    /// Images: IDX, NPY or CIFAR binary, each also gzipped; told apart by content
    #[arg(long, value_name = "FILE")]
    pub images: PathBuf,
    /// Labels: IDX or NPY (not needed for CIFAR binary, which holds them)
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Use only the first N images
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

impl TestSet {
    /// Reads the files; the images must have as many pixels as `input`, the labels must be below `classes`.
    pub fn load(&self, input: &Shape, classes: usize) -> Result<(Images, Option<Labels>)> {
        if self.limit == Some(0) {
            return Err(Problem::new("--limit 0 leaves no image").help("give a limit of at least 1").into());
        }
        let (images, inside) = data::load_images(&self.images)?;
        let labels = match &self.labels {
            Some(file) => Some(data::load_labels(file)?),
            None => inside,
        };
        let images = images.shaped(input).map_err(|e| e.in_file(&self.images))?;
        if let Some(labels) = &labels {
            data::check_pair(&images, labels, classes)
                .map_err(|e| e.in_file(self.labels.as_ref().unwrap_or(&self.images)))?;
        }
        let limit = self.limit.unwrap_or(images.len());
        Ok((images.truncated(limit), labels.map(|l| l.truncated(limit))))
    }
}

/// Where the machine-readable result goes.
#[derive(clap::Args, Clone, Debug)]
pub struct Output {
    /// Write the result as JSON to FILE, or to standard output for '-'
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
}

impl Output {
    /// Refuses a file that cannot be written, before the work whose result it is for. `made` is a folder that the command
    /// itself makes: what lies in it cannot be known yet.
    pub fn check(&self, made: Option<&Path>) -> Result<()> {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        match &self.json {
            Some(file) if !made.is_some_and(|made| absolute(file).starts_with(absolute(made))) => {
                report::check_json(file)
            }
            _ => Ok(()),
        }
    }
}
