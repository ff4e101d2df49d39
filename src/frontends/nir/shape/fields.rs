//! Typed access to the fields of a primitive.

use crate::frontends::nir::array::{Array, Data};
use crate::frontends::nir::model::Unit;

/// No extent, stride, padding or dilation is larger.
const MAX_INTEGER: i64 = 1 << 31;

/// A field, which the reader or [`missing`](crate::frontends::nir::decode::missing) has made sure of.
pub(in crate::frontends::nir) fn field<'a>(unit: &'a Unit, name: &str) -> Result<&'a Array, String> {
    unit.fields.get(name).ok_or_else(|| format!("{} lacks the field '{name}'", unit.kind))
}

/// Extents of a shape: positive whole numbers.
pub(super) fn extents(unit: &Unit, name: &str) -> Result<Vec<usize>, String> {
    let array = field(unit, name)?;
    let extents = whole(array, name, 1)?;
    if array.shape().len() > 1 || extents.len() > 8 {
        return Err(format!("'{name}' is no list of at most 8 extents"));
    }
    Ok(extents)
}

/// One whole number, at least `least`, for each of `N` axes; a single one counts for all of them.
pub(super) fn per_axis<const N: usize>(unit: &Unit, name: &str, least: i64) -> Result<[usize; N], String> {
    let values = whole(field(unit, name)?, name, least)?;
    match *values.as_slice() {
        [value] => Ok([value; N]),
        ref values => values
            .try_into()
            .map_err(|_| format!("'{name}' holds {} values, where 1 or {N} are expected", values.len())),
    }
}

fn whole(array: &Array, name: &str, least: i64) -> Result<Vec<usize>, String> {
    let values = array.to_integers().ok_or_else(|| format!("'{name}' holds something else than whole numbers"))?;
    let fits = |&v: &i64| (least..=MAX_INTEGER).contains(&v);
    if let Some(wrong) = values.iter().find(|v| !fits(v)) {
        return Err(format!("'{name}' holds {wrong}, which is not between {least} and {MAX_INTEGER}"));
    }
    values.into_iter().map(|v| usize::try_from(v).map_err(|e| e.to_string())).collect()
}

/// A whole number of either sign, or `default` if the field is absent.
pub(super) fn signed(unit: &Unit, name: &str, default: i64) -> Result<i64, String> {
    let Some(array) = unit.fields.get(name) else { return Ok(default) };
    match array.to_integers().as_deref() {
        Some(&[value]) => Ok(value),
        _ => Err(format!("'{name}' is no single whole number")),
    }
}

/// Finds numbers that cannot be computed with. An infinite threshold is never reached, an infinite time constant never
/// decays; nothing else may be infinite, and times must be positive.
pub(super) fn sane(unit: &Unit) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, array) in &unit.fields {
        let (nan, infinite, low) = match array.data() {
            Data::F32(v) => survey(v.iter().map(|&x| f64::from(x))),
            Data::F64(v) => survey(v.iter().copied()),
            // One by one: as doubles, bytes would take eight times their memory.
            Data::I8(v) => survey(v.iter().map(|&x| f64::from(x))),
            Data::I16(v) => survey(v.iter().map(|&x| f64::from(x))),
            Data::I32(v) => survey(v.iter().map(|&x| f64::from(x))),
            Data::I64(v) => survey(v.iter().map(|&x| x as f64)),
            Data::U8(v) => survey(v.iter().map(|&x| f64::from(x))),
            Data::U16(v) => survey(v.iter().map(|&x| f64::from(x))),
            Data::U32(v) => survey(v.iter().map(|&x| f64::from(x))),
            Data::U64(v) => survey(v.iter().map(|&x| x as f64)),
            Data::Bool(v) => survey(v.iter().map(|&x| f64::from(u8::from(x)))),
            Data::Text(_) => (false, false, None),
        };
        let time = matches!(name.as_str(), "tau" | "tau_mem" | "tau_syn");
        if nan {
            wrong.push(format!("'{name}' holds NaN"));
        } else if infinite && !time && !matches!(name.as_str(), "v_threshold" | "threshold") {
            wrong.push(format!("'{name}' holds an infinite number"));
        }
        if time && low.is_some_and(|low| low <= 0.0) {
            wrong.push(format!("'{name}' holds a time constant that is not positive"));
        }
        if name == "delay" && low.is_some_and(|low| low < 0.0) {
            wrong.push("'delay' holds a negative time".into());
        }
    }
    wrong
}

/// Whether there is a NaN, whether there is an infinity, and the lowest number.
fn survey(values: impl Iterator<Item = f64>) -> (bool, bool, Option<f64>) {
    values.fold((false, false, None), |(nan, infinite, low), x| {
        let low = if x.is_nan() { low } else { Some(low.map_or(x, |l: f64| l.min(x))) };
        (nan || x.is_nan(), infinite || x.is_infinite(), low)
    })
}
