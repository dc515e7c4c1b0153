//! Files that a program names: found from wherever in the project it is run, and read only where they are files.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use crate::{Result, report::Diagnostic};

/// The file at `path`, which is relative to the working directory or to a folder above it: a program finds its files
/// whether it is run from its project's top or by a test from a member's folder.
///
/// # Errors
/// When it is in none of these.
pub fn locate(path: &Path) -> Result<PathBuf> {
    if path.is_absolute() {
        return found(path.to_owned(), path);
    }
    let here = std::env::current_dir()?;
    let candidate = here.ancestors().map(|folder| folder.join(path)).find(|candidate| candidate.exists());
    found(candidate.unwrap_or_else(|| here.join(path)), path)
}

/// The content of a file. What is no file but a pipe, a device or a folder is an error at once: a read of it could wait for
/// ever, or never end.
///
/// # Errors
/// When it is none, or can't be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file, as [`read`] takes it.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// A file to be read.
///
/// # Errors
/// When it is none, or can't be opened.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    unix::guard(&mut options, unix::Links::Follow);
    let file = options.open(path)?;
    check_regular(path, &file)?;
    Ok(file)
}

/// A file of our own to be read and written, made where there is none. One that somebody has put a link in place of is not
/// followed.
///
/// # Errors
/// When it is no file, or can't be opened.
pub(crate) fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    unix::guard(options, unix::Links::Refuse);
    let file = options.open(path).map_err(|error| unix::said(error, path))?;
    check_regular(path, &file)?;
    Ok(file)
}

/// What is said of what could be waited for without an end.
const PIPE: &str = "it is a pipe or a device, not a file";

fn check_regular(path: &Path, file: &File) -> io::Result<()> {
    let kind = file.metadata()?.file_type();
    // How one says that there is no such file.
    if kind.is_file() || path == Path::new("/dev/null") {
        return Ok(());
    }
    let what = if kind.is_dir() { "it is a folder, not a file" } else { PIPE };
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}

/// Replaces a file as a whole: readers, and a machine that dies, find the old content or the new. Only one may do so at a
/// time. What can't be written whole leaves nothing behind.
///
/// # Errors
/// When it can't be written.
pub(crate) fn replace(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> io::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // The dot keeps what a crash leaves here out of lists.
    let fresh = path.with_file_name(format!(".{name}.new"));
    // What stands there is a crash's, or somebody's link: it goes, and is not written through.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(&fresh)?;
    let written = permissions
        .map_or(Ok(()), |permissions| file.set_permissions(permissions))
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        // A full disk is no fuller for it.
        let _ = fs::remove_file(&fresh);
    }
    written
}

/// How files are opened that might be something else.
#[cfg(unix)]
mod unix {
    use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _, path::Path};

    use rustix::fs::OFlags;

    #[derive(Clone, Copy)]
    pub(super) enum Links {
        Follow,
        Refuse,
    }

    /// Opening a pipe waits for its other end unless it is told not to.
    pub(super) fn guard(options: &mut OpenOptions, links: Links) {
        let flags = match links {
            Links::Follow => OFlags::NONBLOCK,
            Links::Refuse => OFlags::NONBLOCK | OFlags::NOFOLLOW,
        };
        options.custom_flags(flags.bits().cast_signed());
    }

    /// The system's words for a link that is not followed, and for a pipe that nobody reads, are about something else.
    pub(super) fn said(error: io::Error, path: &Path) -> io::Error {
        if path.is_symlink() {
            io::Error::new(error.kind(), "it is a link, which is not followed")
        } else if path.metadata().is_ok_and(|is| !is.is_file() && !is.is_dir()) {
            io::Error::new(error.kind(), super::PIPE)
        } else {
            error
        }
    }
}

/// Elsewhere no path is a pipe, and a link needs rights that its maker could use otherwise.
#[cfg(not(unix))]
mod unix {
    use std::{fs::OpenOptions, io, path::Path};

    #[derive(Clone, Copy)]
    pub(super) enum Links {
        Follow,
        Refuse,
    }

    pub(super) fn guard(_options: &mut OpenOptions, _links: Links) {}

    pub(super) fn said(error: io::Error, _path: &Path) -> io::Error {
        error
    }
}

fn found(candidate: PathBuf, asked: &Path) -> Result<PathBuf> {
    if candidate.exists() {
        return Ok(candidate);
    }
    Err(Diagnostic::error(format!("there is no file `{}`", asked.display()))
        .detail("looked in the working directory and the folders above it")
        .hint("create the file, or correct its path in the program")
        .into())
}
