//! Groups and data sets become a [`Tree`].

use super::source::{Meter, Metered};
use super::{Root, Tree};
use crate::error::{Error, Kind, Problem, Result};
use crate::frontends::nir::array::{Array, Data};
use hdf5_pure::{DType, Dataset, File, Group, VlenStringReadOptions};
use std::collections::HashSet;

/// Groups nested more deeply are refused. A graph within a graph takes two levels.
const MAX_DEPTH: usize = 64;
/// More groups and data sets are refused.
const MAX_OBJECTS: usize = 1_000_000;
/// The longest string.
const MAX_TEXT: usize = 1 << 16;
/// Longer names are refused.
const MAX_NAME: usize = 1 << 10;
/// No more problems of one file are listed.
const MAX_PROBLEMS: usize = 50;

/// What a file of a given length may unpack to.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    bytes: u64,
    /// Length of the file.
    len: u64,
}

impl Limits {
    /// A small file may hold constant arrays that gzip shrinks a thousandfold; a large one is mostly weights.
    pub fn of(len: u64) -> Limits {
        Limits { bytes: len.saturating_mul(16).saturating_add(128 << 20).min(4 << 30), len }
    }
}

/// Reads `node` and `version`.
pub(super) fn read(source: Metered, meter: &Meter, limits: Limits) -> Result<Root> {
    let foreign = |e: hdf5_pure::Error| {
        let what = if meter.exhausted() { circles() } else { format!("is no HDF5 file, or is damaged ({e})") };
        Problem::new(what).help("give a NIR file, as written by nir.write; if it is one, export or fetch it again")
    };
    let file = File::from_source(source).map_err(foreign)?;
    let root = file.root();
    let node = root.group("node").map_err(|e| {
        let what = format!("holds no group 'node', so it is no NIR graph ({e})");
        Problem::new(if meter.exhausted() { circles() } else { what })
            .help("give a file as nir.write writes it; recorded data (nir.write_data) is no graph")
    })?;
    let mut reader = Reader { meter, left: limits.bytes, limits, objects: 0, problems: Vec::new() };
    let version = root.dataset("version").ok().and_then(|d| reader.dataset(&d, "version"));
    let node = reader.group(&node, "", 0);
    if meter.exhausted() {
        reader.problems.insert(0, Problem::new(circles()).help("the file is damaged: export or fetch it again"));
    }
    Error::check(Kind::Input, reader.problems)?;
    node.map(|node| Root { node, version }).ok_or_else(|| Error::internal("a group was lost without a message"))
}

fn circles() -> String {
    "refers to its own parts in circles, or far too often".into()
}

struct Reader<'a> {
    meter: &'a Meter,
    limits: Limits,
    /// Bytes that may still be unpacked.
    left: u64,
    objects: usize,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, at: &str, what: String, help: &str) {
        if self.problems.len() < MAX_PROBLEMS {
            let problem = Problem::new(what).help(help);
            self.problems.push(if at.is_empty() { problem } else { problem.at_node(brief(at)) });
        }
    }

    /// False once it makes no sense to go on.
    fn count(&mut self, at: &str, objects: usize) -> bool {
        let before = self.objects;
        self.objects = before.saturating_add(objects);
        if before <= MAX_OBJECTS && self.objects > MAX_OBJECTS {
            let what = format!("the file holds more than {MAX_OBJECTS} groups and data sets");
            self.problem(at, what, "no network needs that many; the file is damaged");
        }
        self.objects <= MAX_OBJECTS && !self.meter.exhausted() && self.problems.len() < MAX_PROBLEMS
    }

    fn group(&mut self, group: &Group, path: &str, depth: usize) -> Option<Tree> {
        if depth > MAX_DEPTH {
            let what = format!("groups are nested more than {MAX_DEPTH} deep");
            self.problem(path, what, "flatten the nested graphs, or export the file again if it is damaged");
            return None;
        }
        let listed = group.iter_datasets().and_then(|datasets| Ok((datasets, group.iter_groups()?)));
        let (datasets, groups) = match listed {
            Ok(listed) => listed,
            Err(e) => {
                let what = format!("the members of the group cannot be read ({e})");
                self.problem(path, what, "the file is damaged: export or fetch it again");
                return None;
            }
        };
        if !self.count(path, datasets.len().saturating_add(groups.len())) {
            return None;
        }
        let mut members = Vec::new();
        for (name, dataset) in datasets {
            let at = join(path, &name);
            let value = self.dataset(&dataset, &at);
            members.extend(value.map(|array| (name, array)));
        }
        for (name, group) in groups {
            let at = join(path, &name);
            let value = self.group(&group, &at, depth + 1);
            members.extend(value.map(|tree| (name, tree)));
            if self.problems.len() >= MAX_PROBLEMS || self.meter.exhausted() {
                break;
            }
        }
        let mut seen = HashSet::new();
        for (name, _) in &members {
            if name.is_empty() || name.len() > MAX_NAME {
                self.problem(path, "holds a member whose name is empty or very long".into(), "give it a short name");
            } else if !seen.insert(name) {
                self.problem(path, format!("holds two members called '{name}'"), "give each a name of its own");
            }
        }
        Some(Tree::Group(members))
    }

    fn dataset(&mut self, dataset: &Dataset, at: &str) -> Option<Tree> {
        match self.array(dataset) {
            Ok(array) => Some(Tree::Array(array)),
            Err(problem) => {
                let problem = if problem.help.is_some() {
                    problem
                } else {
                    problem.help("the file is damaged: export or fetch it again")
                };
                if self.problems.len() < MAX_PROBLEMS {
                    self.problems.push(problem.at_node(brief(at)));
                }
                None
            }
        }
    }

    fn array(&mut self, dataset: &Dataset) -> std::result::Result<Array, Problem> {
        let broken = |e: hdf5_pure::Error| Problem::new(format!("the data set cannot be read ({e})"));
        let shape = dataset.shape().map_err(broken)?;
        let dtype = dataset.dtype().map_err(broken)?;
        self.afford(dataset, &shape)?;
        let data = match &dtype {
            DType::F32 => Data::F32(dataset.read_f32().map_err(broken)?),
            DType::F64 => Data::F64(dataset.read_f64().map_err(broken)?),
            DType::I8 => Data::I8(dataset.read_i8().map_err(broken)?),
            DType::I16 => Data::I16(dataset.read_i16().map_err(broken)?),
            DType::I32 => Data::I32(dataset.read_i32().map_err(broken)?),
            DType::I64 => Data::I64(dataset.read_i64().map_err(broken)?),
            DType::U8 => Data::U8(dataset.read_u8().map_err(broken)?),
            DType::U16 => Data::U16(dataset.read_u16().map_err(broken)?),
            DType::U32 => Data::U32(dataset.read_u32().map_err(broken)?),
            DType::U64 => Data::U64(dataset.read_u64().map_err(broken)?),
            DType::Enum(names) if names == &["FALSE", "TRUE"] => {
                Data::Bool(dataset.read_raw().map_err(broken)?.into_iter().map(|b| b != 0).collect())
            }
            DType::String => Data::Text(dataset.read_string().map_err(broken)?),
            DType::VariableLengthString => {
                let most = clamp(self.left).min(MAX_TEXT.saturating_mul(clamp(elements(&shape).unwrap_or(0)).max(1)));
                let options = VlenStringReadOptions::new().with_max_payload_bytes(most);
                let strings = dataset.read_vlen_strings(options).map_err(broken)?;
                self.left = self.left.saturating_sub(strings.iter().map(|s| s.len() as u64).sum());
                Data::Text(strings)
            }
            other => {
                return Err(Problem::new(format!("holds elements of the type {other}"))
                    .help("store numbers as float32, float64 or integers, and text as strings"));
            }
        };
        if matches!(&data, Data::Text(strings) if strings.iter().any(|s| s.len() > MAX_TEXT)) {
            return Err(Problem::new(format!("holds a string of more than {MAX_TEXT} bytes")).help("shorten it"));
        }
        let shape: Option<Vec<usize>> = shape.iter().map(|&extent| usize::try_from(extent).ok()).collect();
        shape.and_then(|shape| Array::new(shape, data)).ok_or_else(|| {
            Problem::new("the data set holds fewer or more elements than its shape announces".to_string())
        })
    }

    /// Refuses a data set that would not fit, before any memory is taken for it.
    fn afford(&mut self, dataset: &Dataset, shape: &[u64]) -> std::result::Result<(), Problem> {
        let broken = |e: hdf5_pure::Error| Problem::new(format!("the data set cannot be read ({e})"));
        let size = dataset.element_size().map_err(broken)?;
        // Whole chunks are unpacked, also where they reach beyond the edge.
        let padded = match dataset.chunk_shape().map_err(broken)? {
            Some(chunks) if chunks.len() == shape.len() && !chunks.contains(&0) => {
                let padded = shape.iter().zip(&chunks).map(|(&s, &c)| s.div_ceil(c).checked_mul(c));
                padded.collect::<Option<Vec<u64>>>().ok_or_else(|| Problem::new(too_large(shape)))?
            }
            _ => shape.to_vec(),
        };
        // The library takes memory for a stored chunk before it finds that the file is shorter.
        if dataset.is_chunked() {
            let chunks = dataset.chunks().map_err(broken)?;
            let outside = |end: Option<u64>| end.is_none_or(|end| end > self.limits.len);
            if let Some(chunk) = chunks.iter().find(|c| outside(c.address.checked_add(c.storage_size))) {
                return Err(Problem::new(format!(
                    "a part of the data set lies outside of the file ({} bytes at {})",
                    chunk.storage_size, chunk.address
                )));
            }
        }
        // Numbers of any type become doubles sooner or later.
        let bytes = elements(&padded).and_then(|n| n.checked_mul(size.max(8)));
        let strings = elements(shape).and_then(|n| n.checked_mul(32));
        let bytes = match dataset.dtype().map_err(broken)? {
            DType::String | DType::VariableLengthString => bytes.zip(strings).map(|(a, b)| a.max(b)),
            _ => bytes,
        };
        match bytes.and_then(|bytes| self.left.checked_sub(bytes)) {
            Some(left) => self.left = left,
            None => {
                let limit = self.limits.bytes >> 20;
                return Err(Problem::new(too_large(shape)).help(format!(
                    "a file of this length may hold {limit} MiB in all; check the shape, or export the file again"
                )));
            }
        }
        Ok(())
    }
}

fn elements(shape: &[u64]) -> Option<u64> {
    shape.iter().try_fold(1u64, |n, &extent| n.checked_mul(extent))
}

fn too_large(shape: &[u64]) -> String {
    format!("announces the shape {shape:?}, which is more than the file can hold")
}

fn clamp(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}/{name}") }
}

/// The beginning and the end of a path that goes very deep.
fn brief(path: &str) -> String {
    const SHOWN: usize = 60;
    if path.len() <= 3 * SHOWN {
        return path.to_string();
    }
    let [head, tail]: [String; 2] = [path.chars().take(SHOWN).collect(), path.chars().rev().take(SHOWN).collect()];
    format!("{head}…{}", tail.chars().rev().collect::<String>())
}
