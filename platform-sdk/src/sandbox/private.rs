//! Files and folders that only their owner can read: a world may hold what a program keeps secret.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

use crate::files;

/// Makes a folder, or takes one that is there, and closes it to others.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    close(path, 0o700)
}

/// Opens a file, closed to others whether it is new or not. One that somebody has put a link in place of is not followed.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = files::open_own(path, options)?;
    close(path, 0o600)?;
    Ok(file)
}

/// Replaces a file as a whole, closed to others.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    files::replace(path, bytes, permissions())?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there are none")]
fn permissions() -> Option<fs::Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn permissions() -> Option<fs::Permissions> {
    None
}

#[cfg(unix)]
fn close(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn close(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
