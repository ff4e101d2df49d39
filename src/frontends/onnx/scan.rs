//! A look at a file before it is decoded: decoded nodes take ten times the memory that they take in the file.

/// One field of a protobuf message.
struct Field<'a> {
    number: u64,
    /// Its bytes, if it is length-delimited.
    bytes: Option<&'a [u8]>,
}

/// Takes a field off the front; `None` at the end, and where the decoder will complain.
fn field<'a>(rest: &mut &'a [u8]) -> Option<Field<'a>> {
    let key = varint(rest)?;
    let length = match key & 7 {
        0 => return varint(rest).map(|_| Field { number: key >> 3, bytes: None }),
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (bytes, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(Field { number: key >> 3, bytes: (key & 7 == 2).then_some(bytes) })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let length = rest.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let (bytes, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f)))
}

/// Number of nodes of the network (field 7 of the model; field 1 of that).
pub(super) fn nodes(mut model: &[u8]) -> usize {
    let mut count = 0;
    while let Some(part) = field(&mut model) {
        let (7, Some(mut graph)) = (part.number, part.bytes) else { continue };
        while let Some(part) = field(&mut graph) {
            count += usize::from(part.number == 1);
        }
    }
    count
}
