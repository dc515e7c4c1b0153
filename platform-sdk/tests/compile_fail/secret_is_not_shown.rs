//! A secret has neither `Display` nor `Serialize`.

use platform_sdk::prelude::*;

fn serialized(_: &impl serde::Serialize) {}

fn show(secret: &Secret<String>) {
    let _ = format!("{secret}");
    serialized(secret);
}

fn main() {}
