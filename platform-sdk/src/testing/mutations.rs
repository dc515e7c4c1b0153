//! Bytes that nobody wrote: seeded mutations of a corpus, the same for the same seed on any machine.

/// What readers look for, and what has hurt readers before.
const TOKENS: &[&str] = &[
    "{", "}", "[", "]", "\"", ":", ",", "null", "true", "{}", "[]", "\"\"", "\\u0000", "\\ud800", "$", "$sealed",
    "$secret", "$unknown", "$ref", "\n", "\0", "\u{feff}", "-", ".", "e", "<", ">", "(", ")", "struct<", "array<",
    "<a>", "&amp;", "=", "'", "--", "/*", "%", "=1", "[[", "]]", "\r\n\r\n",
];

/// Numbers at an edge of something.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "7",
    "255",
    "65536",
    "4294967295",
    "4294967296",
    "9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "1e309",
    "1e-400",
    "0.1",
    "00",
    "99999999999999999999999999999999999999",
];

/// The longest input that is made.
const LONGEST: usize = 64 * 1024;

/// `SplitMix64`: small, and good enough to find another byte.
pub(super) struct Dice(u64);

impl Dice {
    /// The throws of one seed.
    pub(super) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`; 0 when that is 0.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    fn one<'t, T: ?Sized>(&mut self, of: &[&'t T]) -> &'t T {
        of[self.below(of.len())]
    }
}

/// The input of this number. The corpus comes first, as it is.
pub(super) fn input(corpus: &[Vec<u8>], seed: u64, number: u64) -> Vec<u8> {
    if let Some(own) = usize::try_from(number).ok().and_then(|number| corpus.get(number)) {
        return own.clone();
    }
    let mut dice = Dice::of(seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let mut bytes = if corpus.is_empty() { Vec::new() } else { corpus[dice.below(corpus.len())].clone() };
    for _ in 0..=dice.below(8) {
        mutate(&mut bytes, corpus, &mut dice);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn mutate(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let end = at + dice.below((bytes.len() - at).min(64) + 1);
    match dice.below(10) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = u8::try_from(dice.below(256)).unwrap_or_default(),
        2 => drop(bytes.drain(at..end)),
        3 => bytes.truncate(at),
        4 => {
            let piece = bytes[at..end].to_vec();
            insert(bytes, dice, &piece);
        }
        5 => {
            let number = dice.one(NUMBERS);
            replace_number(bytes, at, number);
        }
        6 if !corpus.is_empty() => {
            let other = &corpus[dice.below(corpus.len())];
            let from = dice.below(other.len() + 1);
            let piece = other[from..].to_vec();
            bytes.truncate(at);
            bytes.extend(piece);
        }
        7 => {
            // As deep as it goes.
            let piece = dice.one(TOKENS).repeat(1 << dice.below(15));
            bytes.splice(at..at, piece.bytes());
        }
        _ => {
            let token = dice.one(TOKENS).as_bytes().to_vec();
            insert(bytes, dice, &token);
        }
    }
    bytes.truncate(LONGEST);
}

fn insert(bytes: &mut Vec<u8>, dice: &mut Dice, piece: &[u8]) {
    let at = dice.below(bytes.len() + 1);
    bytes.splice(at..at, piece.iter().copied());
}

/// Puts another number in the place of the next one.
fn replace_number(bytes: &mut Vec<u8>, from: usize, number: &str) {
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.splice(start..start + length, number.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_the_corpus_comes_first() {
        let corpus = [b"{\"a\": 1}".to_vec(), b"[2]".to_vec()];
        let of = |seed| (0..400).map(|number| input(&corpus, seed, number)).collect::<Vec<_>>();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert_eq!(of(1)[..2], corpus);
        assert!(of(1).iter().all(|bytes| bytes.len() <= LONGEST));
    }
}
