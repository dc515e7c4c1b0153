//! Sealing: encrypting secrets one by one, and wrapping the keys that do it.
//!
//! State and config files each have a data key of their own. It is written beside what it encrypts, wrapped with one of:
//! a key of a service that the program names ([`KeyWrapper`]), the passphrase of PLATFORM_PASSPHRASE, the key file of
//! PLATFORM_KEY_FILE, or, for state in a directory, the random key file that the directory keeps.

mod cipher;
mod key_file;
mod source;
mod wrapper;

pub(crate) use cipher::{FromBytes, Key, random_key, seal, unseal};
pub(crate) use key_file::{keep_key_file, key_file};
pub(crate) use source::{By, KeptKey, KeySource, Unwrapped, Wrapped, stretch};
pub use source::{KEY_FILE, NEW_KEY_FILE, NEW_PASSPHRASE, PASSPHRASE};
pub use wrapper::KeyWrapper;
pub use zeroize::Zeroizing;
