//! Known secrets, taken out of texts however they stand there: plain, escaped for JSON, percent-encoded, in hexadecimal or
//! in base64, also in the middle of a longer one. The cost is that of the text, however many secrets there are.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{PoisonError, RwLock},
};

/// What this process keeps secret, whatever it works on: for what is printed where nobody knows whose it is.
static OF_PROCESS: RwLock<Known> = RwLock::new(Known::none());

/// From here on this is a secret of the process.
pub(crate) fn keep_secret(secret: &str) {
    OF_PROCESS.write().unwrap_or_else(PoisonError::into_inner).learn(secret);
}

/// The text without any secret of the process.
pub(crate) fn without_known(text: &str) -> String {
    OF_PROCESS.read().unwrap_or_else(PoisonError::into_inner).taken_out_of(text)
}

/// The address of a place, without a login that somebody wrote into it: `s3://[secret]@bucket/folder`.
pub fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let scheme = scheme.rsplit_once('@').map_or(scheme.to_owned(), |(_, scheme)| format!("{REDACTED}@{scheme}"));
    let (place, query) = rest.split_once(['?', '#']).map_or((rest, ""), |(place, _)| (place, "?[secret]"));
    // A password may have slashes in it.
    match place.rsplit_once('@') {
        Some((_, place)) => format!("{scheme}://{REDACTED}@{place}{query}"),
        None => format!("{scheme}://{place}{query}"),
    }
}

/// A text in which addresses may stand, each without a login: also one that follows after `?`.
pub fn without_logins(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '<' | '>' | ',');
    let told = |word: &str| if word.contains("://") { without_login(word) } else { word.to_owned() };
    text.split_inclusive(ends)
        .map(|word| match word.char_indices().next_back() {
            Some((at, end)) if ends(end) => told(&word[..at]) + &word[at..],
            _ => told(word),
        })
        .collect()
}

/// How a secret stands in what may be shown.
const REDACTED: &str = "[secret]";

/// What is shorter stands in every text.
const SHORTEST: usize = 3;

/// What is shorter may stand by chance in what letters mean as base64.
const SHORTEST_ENCODED: usize = 5;

/// What is shorter is no line of a key, but a word of it.
const SHORTEST_LINE: usize = 16;

/// How many encodings are seen through, one in the other.
const DEEPEST: usize = 2;

/// Secrets that must not be seen.
#[derive(Default, Clone)]
pub struct Known {
    /// By their first bytes.
    texts: BTreeMap<[u8; SHORTEST], Vec<Box<[u8]>>>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl<S: AsRef<str>> FromIterator<S> for Known {
    fn from_iter<I: IntoIterator<Item = S>>(secrets: I) -> Self {
        let mut known = Self::default();
        secrets.into_iter().for_each(|secret| known.learn(secret.as_ref()));
        known
    }
}

impl Known {
    const fn none() -> Self {
        Self { texts: BTreeMap::new() }
    }

    /// One more. Of what has several lines, each is a secret of its own: a service may quote one, or join them.
    pub fn learn(&mut self, secret: &str) {
        self.insert(secret);
        self.insert(secret.trim());
        if secret.trim().contains('\n') {
            let lines = secret.lines().map(str::trim);
            lines.filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----")).for_each(|l| self.insert(l));
        }
    }

    fn insert(&mut self, text: &str) {
        let Some(first) = text.as_bytes().first_chunk() else { return };
        let alike = self.texts.entry(*first).or_default();
        if let Err(place) = alike.binary_search_by(|other| (**other).cmp(text.as_bytes())) {
            alike.insert(place, text.as_bytes().into());
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether any of them stands in a text.
    pub fn are_in(&self, text: &str) -> bool {
        !self.is_empty() && !self.places(text).is_empty()
    }

    /// The text without any of them.
    pub fn taken_out_of(&self, text: &str) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        let (mut out, mut from) = (String::with_capacity(text.len()), 0);
        for place in self.places(text) {
            out.push_str(&text[from..place.start]);
            out.push_str(REDACTED);
            from = place.end;
        }
        out.push_str(&text[from..]);
        out
    }

    /// Where they stand, in order; what overlaps is one place.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut layers = vec![Layer::of(text)];
        for depth in 0..=DEEPEST {
            for layer in &layers {
                self.find(layer, &mut found);
            }
            if depth < DEEPEST {
                layers = layers.iter().flat_map(Layer::decoded).collect();
            }
        }
        found.sort_by_key(|place| (place.start, place.end));
        let mut places: Vec<Range<usize>> = Vec::new();
        for place in found {
            match places.last_mut().filter(|last| place.start < last.end) {
                Some(last) => last.end = last.end.max(place.end),
                None => places.push(place),
            }
        }
        // What is decoded may begin or end within a letter of several bytes.
        for place in &mut places {
            place.start = (0..=place.start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            place.end = (place.end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        }
        places
    }

    fn find(&self, layer: &Layer, found: &mut Vec<Range<usize>>) {
        found.extend(self.matches(&layer.bytes, SHORTEST).map(|place| layer.place(place)));
        for (run, base) in runs(&layer.bytes) {
            let letters = &layer.bytes[run.clone()];
            // Where the encoding begins in a run is not known: other letters may stand right before it.
            let begins = 0..if base { 4 } else { 2 };
            let hidden =
                begins.map(|begin| if base { base64(&letters[begin..]) } else { hexadecimal(&letters[begin..]) });
            if hidden.into_iter().any(|bytes| self.matches(&bytes, SHORTEST_ENCODED).next().is_some()) {
                found.push(layer.place(run));
            }
        }
    }

    /// Where they stand as they are; at each place the longest.
    fn matches<'k>(&'k self, bytes: &'k [u8], shortest: usize) -> impl Iterator<Item = Range<usize>> + 'k {
        bytes.windows(SHORTEST).enumerate().filter_map(move |(at, first)| {
            let alike = self.texts.get(first.first_chunk::<SHORTEST>()?)?;
            let here = alike.iter().filter(|secret| secret.len() >= shortest && bytes[at..].starts_with(secret));
            here.map(|secret| secret.len()).max().map(|length| at..at + length)
        })
    }
}

/// A text with one encoding or more taken off, and where each of its bytes comes from.
struct Layer {
    bytes: Vec<u8>,
    /// One more than there are bytes: where the next one would come from.
    from: Vec<usize>,
}

impl Layer {
    fn of(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), from: (0..=text.len()).collect() }
    }

    fn place(&self, place: Range<usize>) -> Range<usize> {
        self.from[place.start]..self.from[place.end]
    }

    /// What it is without its escapes, for each way in which it has any.
    fn decoded(&self) -> Vec<Self> {
        let has = |byte: u8| self.bytes.contains(&byte);
        let ways: [(bool, fn(&[u8]) -> Option<(Vec<u8>, usize)>); 3] =
            [(has(b'\\'), json_escape), (has(b'%'), percent_escape), (has(b'+'), form_escape)];
        ways.into_iter().filter(|(is_there, _)| *is_there).map(|(_, escape)| self.without(escape)).collect()
    }

    fn without(&self, escape: fn(&[u8]) -> Option<(Vec<u8>, usize)>) -> Self {
        let (mut bytes, mut from, mut at) = (Vec::with_capacity(self.bytes.len()), Vec::new(), 0);
        while at < self.bytes.len() {
            let (meant, length) = escape(&self.bytes[at..]).unwrap_or_else(|| (vec![self.bytes[at]], 1));
            from.extend(std::iter::repeat_n(self.from[at], meant.len()));
            bytes.extend(meant);
            at += length;
        }
        from.push(self.from[self.bytes.len()]);
        Self { bytes, from }
    }
}

/// What an escape of JSON means, and how long it is.
fn json_escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let [b'\\', kind, ..] = text else { return None };
    let plain = match kind {
        b'"' | b'\\' | b'/' | b'\'' => *kind,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'u' => {
            let unit = |at: usize| u16::from_str_radix(std::str::from_utf8(text.get(at..at + 4)?).ok()?, 16).ok();
            let first = unit(2)?;
            let second = if text.get(6..8) == Some(b"\\u") { unit(8) } else { None };
            let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
            let (letter, length) = match pair {
                Some(letter) if letter.len_utf16() == 2 => (letter, 12),
                _ => (char::from_u32(first.into())?, 6),
            };
            return Some((letter.to_string().into_bytes(), length));
        }
        _ => return None,
    };
    Some((vec![plain], 2))
}

/// What `%2B` means.
fn percent_escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let [b'%', high, low, ..] = text else { return None };
    Some((vec![digit(*high)? * 16 + digit(*low)?], 3))
}

/// As [`percent_escape`], in forms, which write spaces as `+`.
fn form_escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    if text.first() == Some(&b'+') { Some((vec![b' '], 1)) } else { percent_escape(text) }
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The value of a letter of base64, in either alphabet.
fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Longest runs of letters of base64 (`true`), and of hexadecimal digits, that are long enough for a secret.
fn runs(bytes: &[u8]) -> Vec<(Range<usize>, bool)> {
    let mut runs = Vec::new();
    for (base, shortest) in [(true, SHORTEST_ENCODED * 4 / 3), (false, SHORTEST_ENCODED * 2)] {
        let is_letter = |byte: &u8| if base { sextet(*byte).is_some() } else { byte.is_ascii_hexdigit() };
        let mut at = 0;
        for run in bytes.split(|byte| !is_letter(byte)) {
            if run.len() >= shortest {
                runs.push((at..at + run.len(), base));
            }
            at += run.len() + 1;
        }
    }
    runs
}

fn base64(letters: &[u8]) -> Vec<u8> {
    let group = |letters: &[u8]| {
        let bits = letters.iter().fold(0u32, |bits, letter| bits << 6 | u32::from(sextet(*letter).unwrap_or(0)));
        let bits = bits << (6 * (4 - letters.len()));
        bits.to_be_bytes()[1..letters.len()].to_vec()
    };
    letters.chunks(4).flat_map(group).collect()
}

fn hexadecimal(letters: &[u8]) -> Vec<u8> {
    letters.chunks_exact(2).filter_map(|pair| Some(digit(pair[0])? * 16 + digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose as engines};
    use serde_json::json;

    use super::*;

    const SECRET: &str = "s3cret \"5\" pass/word+é\\";

    fn percent(text: &str, keep: &str) -> String {
        let letter = |byte: u8| match char::from(byte) {
            letter if letter.is_ascii_alphanumeric() || keep.contains(letter) => letter.to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(letter).collect()
    }

    fn writings(secret: &str) -> Vec<String> {
        let json = json!(secret).to_string();
        let ascii = json
            .trim_matches('"')
            .chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) });
        let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let mut all = vec![
            secret.to_owned(),
            json!(json).to_string(),
            percent(&json, ""),
            ascii.collect::<String>(),
            percent(secret, ""),
            percent(secret, "").to_lowercase().replace("%c3%a9", "%C3%a9"),
            percent(secret, "/:@!$&'()*+,;=\""),
            percent(secret, "").replace("%20", "+"),
            percent(&percent(secret, ""), ""),
            hex.to_uppercase(),
            hex,
            json,
        ];
        for engine in [engines::STANDARD, engines::STANDARD_NO_PAD, engines::URL_SAFE, engines::URL_SAFE_NO_PAD] {
            for before in ["", "id:", "an-id:", "some id: "] {
                all.push(engine.encode(format!("{before}{secret}")));
                all.push(engine.encode(format!("{before}{secret} and what follows")));
            }
        }
        let basic = engines::STANDARD.encode(format!("id:{secret}"));
        all.push(percent(&basic, ""));
        all
    }

    #[test]
    fn a_secret_is_found_in_whatever_writing_it_comes_back() {
        let known: Known = [SECRET].into_iter().collect();
        for writing in writings(SECRET) {
            for text in [
                writing.clone(),
                format!("refused: Basic {writing}, said the service"),
                format!("{{\"a\":\"{writing}\"}}"),
            ] {
                let scrubbed = known.taken_out_of(&text);
                assert!(scrubbed.contains(REDACTED) && known.are_in(&text), "{text}");
                let rest = scrubbed.replace(REDACTED, "");
                assert!(
                    writing.len() < 12 || !rest.contains(&writing.chars().skip(4).take(8).collect::<String>()),
                    "{text}: {scrubbed}"
                );
            }
        }
    }

    #[test]
    fn a_key_of_several_lines_is_found_line_by_line() {
        let body = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "canary0123456789ABCDEFabcdef/+xy"];
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n{}\n-----END PRIVATE KEY-----\n", body[0], body[1]);
        let known: Known = [&pem].into_iter().collect();
        let joined = body.concat();
        for text in [
            pem.clone(),
            json!(pem).to_string(),
            percent(&pem, ""),
            joined,
            body[1].to_owned(),
            pem.replace('\n', "\r\n"),
        ] {
            let scrubbed = known.taken_out_of(&format!("not a key: {text}"));
            assert!(!scrubbed.contains("canary") && !scrubbed.contains("MIIE"), "{scrubbed}");
        }
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        let known: Known = [SECRET, "hush", "", "a", "12", "ab\n"].into_iter().collect();
        for text in ["the catalog `a` is not there: 12 of 100% done\\n", "AAAA++//==", "é\\u00", "%zz%2", ""] {
            assert_eq!(known.taken_out_of(text), text);
            assert!(!known.are_in(text), "{text}");
        }
        assert_eq!(known.taken_out_of("hushhush é hush"), "[secret][secret] é [secret]");
        assert_eq!(format!("{known:?}"), "Known { .. }");
    }

    #[test]
    fn an_address_is_told_without_the_login_in_it() {
        for (url, told) in [
            ("s3://bucket/folder", "s3://bucket/folder"),
            ("s3://id:pass@bucket/folder", "s3://[secret]@bucket/folder"),
            ("s3://id:pa/ss@w@bucket", "s3://[secret]@bucket"),
            ("az://container/a?sv=1&sig=canary", "az://container/a?[secret]"),
            ("id:pass@s3://bucket", "[secret]@s3://bucket"),
            (".platform", ".platform"),
        ] {
            assert_eq!(without_login(url), told);
        }
    }

    #[test]
    fn many_secrets_cost_no_more_than_one() {
        let known: Known = (0..20_000).map(|n| format!("secret number {n:08}")).collect();
        let text = "a long answer with %20 escapes \\n and + words ".repeat(2_000);
        let began = std::time::Instant::now();
        assert!(!known.are_in(&text));
        assert!(known.are_in(&format!("{text} secret number 00019999")));
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
