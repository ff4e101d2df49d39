//! Numbers for people.

/// `1,248`: a separator between groups of three digits.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// As [`grouped`], with one decimal if `x`, which must not be negative, is not whole when rounded to tenths: `102.4`.
pub fn grouped_tenths(x: f64) -> String {
    let tenths = (x * 10.0).round() as u64;
    match tenths % 10 {
        0 => grouped(tenths / 10),
        fraction => format!("{}.{fraction}", grouped(tenths / 10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
            assert_eq!(grouped_tenths(n as f64), text);
        }
        for (x, text) in [(1248.0, "1,248"), (1234567.26, "1,234,567.3"), (0.04, "0"), (0.96, "1"), (102.4, "102.4")] {
            assert_eq!(grouped_tenths(x), text);
        }
    }
}
