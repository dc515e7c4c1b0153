//! Where one is inside a value, on the way down.

use std::fmt;

/// A place inside a value. Nothing is written until something is to be said about it, and most values give no cause.
#[derive(Clone, Copy)]
pub(crate) enum Trail<'a> {
    /// The whole value.
    Top,
    /// What a map has under a key.
    Key(&'a Trail<'a>, &'a str),
    /// What a list has at a place.
    Index(&'a Trail<'a>, usize),
}

impl<'a> Trail<'a> {
    pub(crate) fn key(&'a self, key: &'a str) -> Self {
        Trail::Key(self, key)
    }

    pub(crate) fn index(&'a self, index: usize) -> Self {
        Trail::Index(self, index)
    }
}

/// `tasks[2].name`; nothing for the whole value.
impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trail::Top => Ok(()),
            Trail::Key(Trail::Top, key) => f.write_str(key),
            Trail::Key(above, key) => write!(f, "{above}.{key}"),
            Trail::Index(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}
