//! Files and folders that only their owner can read: a world may hold what a program keeps secret.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

/// Makes a folder, or takes one that is there, and closes it to others.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    close(path, 0o700)
}

/// Opens a file, closed to others whether it is new or not.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path)?;
    close(path, 0o600)?;
    Ok(file)
}

#[cfg(unix)]
fn close(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn close(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
