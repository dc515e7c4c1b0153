//! Canonical JSON (RFC 8785, with exact integers) and the content hashes over it.

use std::{fmt, fmt::Write as _, io};

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, ser::Formatter};
use sha2::{Digest, Sha256};

/// A SHA-256 as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(String);

impl Hash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_digest(&Sha256::digest(bytes))
    }

    /// The hash that a digest has come to.
    pub fn of_digest(digest: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
        Self(digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough digits for a person.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The hash of a value's canonical form.
pub fn hash(value: &Value) -> Hash {
    Hash::of(canonical(value).as_bytes())
}

/// The hash of what a value writes. Its structs must name their fields in alphabetical order.
pub fn hash_written(value: &impl Serialize) -> Hash {
    struct Sink(Sha256);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut out = io::BufWriter::new(Sink(Sha256::new()));
    write_within(usize::MAX, value, &mut out).expect("what is hashed can be written");
    let sink = out.into_inner().unwrap_or_else(|_| unreachable!("a digest takes all that is written"));
    Hash::of_digest(&sink.0.finalize())
}

/// Writes a value in canonical form, given that its structs name their fields in alphabetical order and its maps are
/// sorted. One that nests deeper than this ends where it would go deeper: what writes it recurses no further than that.
///
/// # Errors
/// One of I/O when it nests deeper; any other when it can't be written as JSON.
pub fn write_within(
    depth: usize,
    value: &(impl Serialize + ?Sized),
    out: &mut impl io::Write,
) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Canonical { left: depth }))
}

/// serde_json's compact form is canonical but for floating-point numbers.
struct Canonical {
    /// How many more levels there may be.
    left: usize,
}

impl Canonical {
    fn enter<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("it nests too deep to be read again"))?;
        writer.write_all(bracket)
    }

    fn leave<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.left += 1;
        writer.write_all(bracket)
    }
}

impl Formatter for Canonical {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter(writer, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.leave(writer, b"]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter(writer, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.leave(writer, b"}")
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(canonical(&Value::from(value)).as_bytes())
    }
}

/// A value in RFC 8785 form, except that integers are written exactly: 64-bit ids must not collide.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            // Sorted here, by UTF-16 code units as the RFC says: serde_json's own order is a feature flag's choice.
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (key, entry)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(entry, out);
            }
            out.push('}');
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{9}' => out.push_str("\\t"),
            '\u{a}' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\u{d}' => out.push_str("\\r"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn write_number(number: &Number, out: &mut String) {
    if number.is_i64() || number.is_u64() {
        let _ = write!(out, "{number}");
        return;
    }
    write_float(number.as_f64().unwrap_or_default(), out);
}

/// ECMAScript's `Number::toString`, from the shortest digits that read back as the same number.
fn write_float(float: f64, out: &mut String) {
    if float == 0.0 {
        out.push('0');
        return;
    }
    let scientific = format!("{:e}", float.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let point = exponent + 1;
    if float < 0.0 {
        out.push('-');
    }
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or_default());
    let at = |n: i32| digits.split_at(usize::try_from(n).unwrap_or_default());
    if (count..=21).contains(&point) {
        let _ = write!(out, "{digits}{}", zeros(point - count));
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = at(point);
        let _ = write!(out, "{whole}.{fraction}");
    } else if (-5..=0).contains(&point) {
        let _ = write!(out, "0.{}{digits}", zeros(-point));
    } else {
        let (first, rest) = at(1);
        let sign = if exponent < 0 { '-' } else { '+' };
        let dot = if rest.is_empty() { "" } else { "." };
        let _ = write!(out, "{first}{dot}{rest}e{sign}{}", exponent.abs());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_by_utf16_and_text_is_escaped_minimally() {
        // RFC 8785, section 3.2.3: the order of "\u{20ac}", "\r", "\u{fb33}", "1", "\u{1f600}", "\u{80}", "\u{f6}".
        let value = json!({"€": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "😀": 5, "\u{80}": 6, "ö": 7});
        let text = canonical(&value);
        assert_eq!(text, "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}");
    }

    #[test]
    fn integers_are_exact_and_floats_are_ecmascript() {
        let value = json!([
            9_007_199_254_740_993_i64,
            u64::MAX,
            1.0,
            -0.0,
            1e21,
            1e-7,
            0.000_001,
            333_333_333.333_333_3,
            1e30,
            4.5
        ]);
        let text = canonical(&value);
        assert_eq!(text, "[9007199254740993,18446744073709551615,1,0,1e+21,1e-7,0.000001,333333333.3333333,1e+30,4.5]");
    }

    #[test]
    fn what_is_written_hashes_as_its_value() {
        let value = json!({"a": [1.0, 1e21, null, "\u{1}\"\\\n€"], "b": {"c": u64::MAX, "d": -0.0}});
        assert_eq!(hash_written(&value), hash(&value));
    }

    #[test]
    fn neighbouring_ids_hash_differently() {
        assert_ne!(hash(&json!(9_007_199_254_740_993_i64)), hash(&json!(9_007_199_254_740_992_i64)));
    }
}
