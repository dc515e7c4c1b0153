//! How deep JSON nests: what is written down must be read again, and serde_json reads to a depth.

/// How deep what is kept may nest: serde_json reads 127 levels, and an answer wraps what is kept in a few.
const DEEPEST: usize = 120;

/// Whether JSON text nests deeper than it would surely be read again.
pub(super) fn is_too_deep(json: &[u8]) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, is_too_deep};

    #[test]
    fn what_is_kept_can_be_read_also_as_part_of_an_answer() {
        let nested = |depth: usize| "[".repeat(depth) + "\"[[\\\"[\"" + &"]".repeat(depth);
        for depth in [0, 1, 119, 120, 121, 127, 128, 5_000] {
            let text = nested(depth);
            assert_eq!(is_too_deep(text.as_bytes()), depth > DEEPEST, "{depth}");
            let wrapped = serde_json::from_str::<serde_json::Value>(&format!("[[[[[[[{text}]]]]]]]"));
            assert!(wrapped.is_ok() || is_too_deep(text.as_bytes()), "{depth}");
        }
    }
}
