//! Authenticated encryption of one value for one place.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, KeyInit, Payload},
};
use zeroize::Zeroizing;

/// 256 bits, which leave memory with their owner.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// 32 bytes from the operating system.
pub(crate) fn random_key() -> Key {
    Zeroizing::new(chacha20poly1305::Key::generate().into())
}

/// XChaCha20-Poly1305: a random nonce, then the sealed bytes, as base64. They open for this place alone.
pub(crate) fn seal(key: &Key, place: &str, bytes: &[u8]) -> String {
    let nonce = XNonce::generate();
    let payload = Payload { msg: bytes, aad: place.as_bytes() };
    let sealed = XChaCha20Poly1305::new(&chacha20poly1305::Key::from(**key)).encrypt(&nonce, payload);
    let mut all = nonce.to_vec();
    all.extend(sealed.expect("memory is large enough for one value"));
    BASE64.encode(all)
}

/// The opposite of [`seal`]; `None` when anything does not fit.
pub(crate) fn unseal(key: &Key, place: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
    let all = BASE64.decode(sealed).ok()?;
    let (nonce, sealed) = all.split_at_checked(24)?;
    let payload = Payload { msg: sealed, aad: place.as_bytes() };
    let nonce = XNonce::try_from(nonce).ok()?;
    let cipher = XChaCha20Poly1305::new(&chacha20poly1305::Key::from(**key));
    cipher.decrypt(&nonce, payload).ok().map(Zeroizing::new)
}

/// Keys from bytes of the right length.
pub(crate) trait FromBytes: Sized {
    /// `None` when there are more or fewer.
    fn try_from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl FromBytes for Key {
    fn try_from_bytes(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes).ok().map(Zeroizing::new)
    }
}
