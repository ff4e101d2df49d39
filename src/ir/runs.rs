//! Run-length coding of parameter vectors in JSON: `[[value, times], …]`. Neurons of one channel mostly share their parameters, and a
//! feature map has many of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Entries beyond this are refused, because a few bytes of a hostile file can ask for any number.
const MOST: usize = 1 << 26;

pub(super) fn serialize<S: Serializer>(values: &[i64], serializer: S) -> Result<S::Ok, S::Error> {
    let runs: Vec<(i64, usize)> = values.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
    runs.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    let runs = Vec::<(i64, usize)>::deserialize(deserializer)?;
    let mut values = Vec::new();
    for (value, times) in runs {
        match values.len().checked_add(times) {
            Some(len) if len <= MOST => values.resize(len, value),
            _ => return Err(D::Error::custom(format!("a vector of more than {MOST} parameters"))),
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Holder(#[serde(with = "super")] Vec<i64>);

    #[test]
    fn runs_come_back_and_bombs_do_not() {
        let holder = Holder(vec![3, 3, 3, -1, 3]);
        let text = serde_json::to_string(&holder).unwrap();
        assert_eq!(text, "[[3,3],[-1,1],[3,1]]");
        assert_eq!(serde_json::from_str::<Holder>(&text).unwrap(), holder);
        assert!(serde_json::from_str::<Holder>("[[1,67108864],[1,1]]").is_err());
        assert!(serde_json::from_str::<Holder>(&format!("[[1,{}],[1,{}]]", usize::MAX, usize::MAX)).is_err());
    }
}
