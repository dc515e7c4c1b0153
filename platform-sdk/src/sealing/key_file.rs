//! Key files: 64 hexadecimal digits that are their owner's alone.

use std::{
    fs,
    io::{self, Read, Write as _},
    path::Path,
};

use zeroize::Zeroizing;

use super::{Key, random_key};
use crate::files;

/// The key in a file; where there is none, `make` makes one, and the key is `None` otherwise.
///
/// # Errors
/// When the file can't be read or written, or holds something else.
pub(crate) fn key_file(path: &Path, make: bool) -> io::Result<Option<Key>> {
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && make => {
            let key = random_key();
            return match write(path, &key) {
                // Somebody else was first: that key is ours too.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => key_file(path, false),
                written => written.map(|()| Some(key)),
            };
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let not_a_key =
        || io::Error::new(io::ErrorKind::InvalidData, "a key file holds 64 hexadecimal digits, and this one does not");
    parse(text.trim_ascii()).map(Some).ok_or_else(not_a_key)
}

/// The file's content, where it is its owner's alone.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut file = files::open(path)?;
    own(&file)?;
    let mut text = Zeroizing::new(Vec::with_capacity(128));
    // A key is short, and what is longer is none.
    Read::by_ref(&mut file).take(128).read_to_end(&mut text)?;
    Ok(text)
}

/// Refuses a key that others could read or change, as ssh does.
#[cfg(unix)]
fn own(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = file.metadata()?.permissions().mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    let why =
        format!("its permissions are {mode:04o}: others than its owner could read or change it; run `chmod 600` on it");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// Elsewhere permissions are no numbers.
#[cfg(not(unix))]
fn own(_file: &fs::File) -> io::Result<()> {
    Ok(())
}

fn parse(digits: &[u8]) -> Option<Key> {
    let mut key = Key::default();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

/// Writes a key where there is none. Says whether the file holds this one now.
///
/// # Errors
/// When the file can't be read or written, or holds no key.
pub(crate) fn keep_key_file(path: &Path, key: &Key) -> io::Result<bool> {
    match write(path, key) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(key_file(path, false)?.is_some_and(|there| *there == **key))
        }
        written => written.map(|()| true),
    }
}

/// Written elsewhere and linked into place: there is never half a key, and never a second one.
fn write(path: &Path, key: &Key) -> io::Result<()> {
    use std::fmt::Write as _;

    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut digits = Zeroizing::new(String::with_capacity(65));
    for byte in key.iter() {
        let _ = write!(digits, "{byte:02x}");
    }
    digits.push('\n');
    let fresh = path.with_file_name(format!(".key.{}", uuid::Uuid::new_v4().simple()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    let placed =
        file.write_all(digits.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&fresh, path));
    fs::remove_file(&fresh)?;
    placed?;
    fs::File::open(folder)?.sync_all()
}
