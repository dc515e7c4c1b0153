//! The refusal of what is not as it was written.

use crate::report::Diagnostic;

/// Something in the state is not what was written there: named, and left alone.
pub(super) fn damage(place: &str, why: &str) -> Diagnostic {
    Diagnostic::error(format!("`{place}` is damaged"))
        .detail(why)
        .hint("restore it from a copy, or see what `state repair` offers; nothing was changed")
}
