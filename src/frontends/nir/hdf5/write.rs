//! A [`Tree`] becomes a file.

use super::Tree;
use crate::error::{Error, Problem, Result};
use crate::frontends::nir::array::{Array, Data};
use hdf5_pure::{DatasetBuilder, EnumTypeBuilder, FileBuilder, GroupBuilder, make_i8_type};

/// Shorter arrays are stored as they are.
const COMPRESS_FROM: usize = 1024;

/// As much effort as pays: more shrinks weights hardly any further.
const DEFLATE: u32 = 4;

/// The bytes of a NIR file with the group `node` and the string `version`.
///
/// The same tree always gives the same bytes.
///
/// # Errors
/// Something in the tree has no place in an HDF5 file, such as a name with a slash.
pub(in crate::frontends::nir) fn write(node: &Tree, version: &str) -> Result<Vec<u8>> {
    let mut file = FileBuilder::new();
    dataset(file.create_dataset("version"), &Array::text(version))?;
    let mut group = file.create_group("node");
    if let Tree::Group(members) = node {
        fill(&mut group, members)?;
    }
    file.add_group(group.finish());
    file.finish().map_err(|e| Problem::new(format!("cannot be written as HDF5 ({e})")).into())
}

fn fill(group: &mut GroupBuilder, members: &[(String, Tree)]) -> Result<()> {
    for (name, tree) in members {
        if name.is_empty() || name == "." || name.contains(['/', '\0']) {
            return Err(Problem::new("the name cannot be stored in a NIR file")
                .at_node(name.clone())
                .help("choose a name that is not empty and holds no slash")
                .into());
        }
        match tree {
            Tree::Array(array) => dataset(group.create_dataset(name), array).map_err(|mut e| {
                e.problems.iter_mut().for_each(|p| p.node = Some(name.clone()));
                e
            })?,
            Tree::Group(members) => {
                let mut inner = group.create_group(name);
                fill(&mut inner, members)?;
                group.add_group(inner.finish());
            }
        }
    }
    Ok(())
}

fn dataset(builder: &mut DatasetBuilder, array: &Array) -> Result<()> {
    let shape: Vec<u64> = array.shape().iter().map(|&extent| extent as u64).collect();
    match array.data() {
        Data::F32(v) => builder.with_f32_data(v),
        Data::F64(v) => builder.with_f64_data(v),
        Data::I8(v) => builder.with_i8_data(v),
        Data::I16(v) => builder.with_i16_data(v),
        Data::I32(v) => builder.with_i32_data(v),
        Data::I64(v) => builder.with_i64_data(v),
        Data::U8(v) => builder.with_u8_data(v),
        Data::U16(v) => builder.with_u16_data(v),
        Data::U32(v) => builder.with_u32_data(v),
        Data::U64(v) => builder.with_u64_data(v),
        // As h5py stores NumPy's truth values.
        Data::Bool(v) => {
            let kind = EnumTypeBuilder::with_base(make_i8_type()).value("FALSE", 0).value("TRUE", 1).build();
            let kind = kind.map_err(|e| Error::internal(format!("cannot describe truth values: {e}")))?;
            builder.with_raw_data(kind, v.iter().map(|&b| u8::from(b)).collect(), v.len() as u64)
        }
        Data::Text(v) => {
            if v.iter().any(|s| s.contains('\0')) {
                return Err(Problem::new("holds a string with a zero byte").help("remove it").into());
            }
            builder.with_vlen_strings(&v.iter().map(String::as_str).collect::<Vec<_>>())
        }
    };
    builder.with_shape(&shape);
    if array.data().len() >= COMPRESS_FROM && !matches!(array.data(), Data::Text(_)) {
        // Bytes of equal weight side by side: small integers in floats shrink to what they need.
        builder.with_shuffle().with_deflate(DEFLATE);
    }
    Ok(())
}
