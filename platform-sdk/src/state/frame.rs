//! Framing of journal lines: `[length,"crc32",record]`, each a line of JSON, so that damage is told from an end cut short.

/// A line around the JSON of one record.
pub(super) fn frame(json: &[u8], into: &mut Vec<u8>) {
    let crc = crc32fast::hash(json);
    into.extend_from_slice(format!("[{},\"{crc:08x}\",", json.len()).as_bytes());
    into.extend_from_slice(json);
    into.extend_from_slice(b"]\n");
}

/// What was read of a journal's part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frames<'a> {
    /// The JSON of each whole record.
    pub(super) records: Vec<&'a [u8]>,
    /// Whether the last record is cut short: its writer died before it was durable, and never went on.
    pub(super) torn: bool,
}

/// The records of a part.
///
/// # Errors
/// Which line is damaged, and how: a whole line that does not fit its length or its checksum was durable once.
pub(super) fn frames(bytes: &[u8]) -> Result<Frames<'_>, String> {
    let mut records = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        // A file system may grow a file before it writes the data: zeros to the end were never written.
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            // A cut leaves the start of a line. A whole one with something else at its end was durable once.
            if rest.split_last().is_some_and(|(_, line)| unframe(line).is_ok()) {
                return Err(format!("line {}: its end is not the end of a line", records.len() + 1));
            }
            return Ok(Frames { records, torn: true });
        };
        let line = &rest[..end];
        records.push(unframe(line).map_err(|why| format!("line {}: {why}", records.len() + 1))?);
        rest = &rest[end + 1..];
    }
    Ok(Frames { records, torn: false })
}

/// The records before the first damage.
pub(super) fn before_damage(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|byte| *byte == b'\n').map_while(|line| unframe(line).ok()).collect()
}

fn unframe(line: &[u8]) -> Result<&[u8], &'static str> {
    let not_a_record = "it is not a record";
    let line = line.strip_prefix(b"[").and_then(|line| line.strip_suffix(b"]")).ok_or(not_a_record)?;
    let comma = line.iter().position(|byte| *byte == b',').ok_or(not_a_record)?;
    let (length, rest) = line.split_at(comma);
    let length: usize = text(length).and_then(|text| text.parse().ok()).ok_or(not_a_record)?;
    let rest = rest.strip_prefix(b",\"").ok_or(not_a_record)?;
    let (crc, json) = rest.split_at_checked(8).ok_or(not_a_record)?;
    let json = json.strip_prefix(b"\",").ok_or(not_a_record)?;
    if json.len() != length {
        return Err("its length is not what it says");
    }
    if text(crc) != Some(&format!("{:08x}", crc32fast::hash(json))) {
        return Err("its checksum does not fit");
    }
    Ok(json)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn journal(records: &[String]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in records {
            let json = serde_json::to_vec(record).expect("text is JSON");
            frame(&json, &mut bytes);
        }
        bytes
    }

    proptest! {
        #[test]
        fn every_truncation_is_a_prefix(records in proptest::collection::vec(".*", 0..8), cut in any::<proptest::sample::Index>()) {
            let bytes = journal(&records);
            let cut = cut.index(bytes.len() + 1);
            let whole = frames(&bytes).expect("undamaged");
            let part = frames(&bytes[..cut]).expect("a cut is no damage");
            prop_assert_eq!(&part.records[..], &whole.records[..part.records.len()]);
            prop_assert_eq!(part.torn, !bytes[..cut].is_empty() && bytes[cut - 1] != b'\n');
        }

        #[test]
        fn every_flipped_bit_is_found(records in proptest::collection::vec("[a-z]*", 1..5), at in any::<proptest::sample::Index>(), bit in 0..8_u8) {
            let bytes = journal(&records);
            let mut flipped = bytes.clone();
            let at = at.index(bytes.len());
            flipped[at] ^= 1 << bit;
            prop_assert!(frames(&flipped).is_err());
            let before = before_damage(&flipped);
            prop_assert!(before.len() < records.len());
            prop_assert_eq!(&before[..], &frames(&bytes).expect("undamaged").records[..before.len()]);
        }
    }

    #[test]
    fn lines_are_json_and_zeros_at_the_end_are_a_cut() {
        let mut bytes = journal(&["x".to_owned()]);
        let line: serde_json::Value = serde_json::from_slice(&bytes).expect("a line of JSON");
        assert_eq!(line[2], "x");
        bytes.extend([0; 512]);
        let read = frames(&bytes).expect("no damage");
        assert_eq!((read.records.len(), read.torn), (1, true));
    }
}
