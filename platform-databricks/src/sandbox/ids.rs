//! Ids in the service's shapes, derived from the world's counter, so that one history gives one set of ids.

use std::fmt::Write;

use platform_sdk::sandbox::World;
use sha2::{Digest, Sha256};

/// A UUID.
pub(super) fn uuid(world: &mut World) -> String {
    uuid_of(&world.next_id().to_string())
}

/// The UUID that always stands for this name.
pub(super) fn uuid_of(name: &str) -> String {
    let hex = hash(name);
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// Hexadecimal text of this length.
pub(super) fn hex(world: &mut World, length: usize) -> String {
    hash(&world.next_id().to_string())[..length].to_owned()
}

/// A number as long as the service's: larger than a double holds exactly.
pub(super) fn number(world: &mut World) -> i64 {
    let digits = &hash(&world.next_id().to_string())[..12];
    9_007_199_254_740_993 + i64::from_str_radix(digits, 16).expect("twelve hexadecimal digits")
}

/// SHA-256 in hexadecimal.
pub(super) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string does not fail");
        hex
    })
}
