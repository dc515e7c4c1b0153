//! Colours by meaning, so that every report uses the same ones and can do without any.
//!
//! A report carries no colours but marks, characters that no text has use for: so the writer at the end can tell our
//! colours from escapes that came with data.

use std::{borrow::Cow, fmt::Write as _};

use anstyle::{AnsiColor, Style};

use super::escape::{push_escaped, steers};

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something comes.
    Good,
    /// Something changes.
    Changed,
    /// Something goes, or went wrong.
    Bad,
    /// Something changes its place, or is only looked at.
    Moved,
    /// A heading.
    Heading,
    /// Of less weight than what is around it.
    Aside,
}

/// Where a piece of text ends.
pub(super) const END: char = '\u{fdef}';

impl Meaning {
    /// What stands before a piece of text of this meaning.
    pub(super) fn mark(self) -> char {
        match self {
            Self::Good => '\u{fdd0}',
            Self::Changed => '\u{fdd1}',
            Self::Bad => '\u{fdd2}',
            Self::Moved => '\u{fdd3}',
            Self::Heading => '\u{fdd4}',
            Self::Aside => '\u{fdd5}',
        }
    }

    fn of_mark(mark: char) -> Option<Self> {
        let all = [Self::Good, Self::Changed, Self::Bad, Self::Moved, Self::Heading, Self::Aside];
        all.into_iter().find(|meaning| meaning.mark() == mark)
    }

    fn style(self) -> Style {
        let coloured = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Good => coloured(AnsiColor::Green),
            Self::Changed => coloured(AnsiColor::Yellow),
            Self::Bad => coloured(AnsiColor::Red),
            Self::Moved => coloured(AnsiColor::Cyan),
            Self::Heading => Style::new().bold(),
            Self::Aside => Style::new().dimmed(),
        }
    }
}

/// Puts marks around text, or leaves it as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paint {
    pub(super) colour: bool,
}

impl Paint {
    pub(super) fn paint(self, meaning: Meaning, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let ours = text.chars().filter(|c| !is_mark(*c));
        std::iter::once(meaning.mark()).chain(ours).chain([END]).collect()
    }
}

/// Whether a character is one of ours, which takes no room.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// The text without marks.
pub(super) fn bare(text: &str) -> String {
    text.chars().filter(|c| !is_mark(*c)).collect()
}

/// The text with the colours that its marks stand for.
pub(super) fn ansi(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        push_colour(&mut out, c);
        out
    })
}

/// The text as a terminal may get it: marks as colours, or as nothing; of all else only what stands there.
pub(super) fn for_terminal(text: &str, colour: bool) -> Cow<'_, str> {
    let stays = |c: char| matches!(c, '\n' | '\t') || !steers(c);
    if text.chars().all(stays) {
        return text.into();
    }
    let shown = text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            c if stays(c) => out.push(c),
            c if is_mark(c) && colour => push_colour(&mut out, c),
            c if c == END || Meaning::of_mark(c).is_some() => {}
            c => push_escaped(&mut out, c),
        }
        out
    });
    shown.into()
}

fn push_colour(out: &mut String, c: char) {
    match (c, Meaning::of_mark(c)) {
        (END, _) => drop(write!(out, "{:#}", Meaning::Heading.style())),
        (_, Some(meaning)) => drop(write!(out, "{}", meaning.style())),
        (c, None) => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_our_colours_and_nobody_elses() {
        let painted =
            Paint { colour: true }.paint(Meaning::Bad, "lost \u{1b}[32m\u{fdd0}x") + " \u{1b}]0;title\u{7}\r\n";
        assert_eq!(for_terminal(&painted, true), "\u{1b}[31mlost \\u{1b}[32mx\u{1b}[0m \\u{1b}]0;title\\u{7}\\u{d}\n");
        assert_eq!(for_terminal(&painted, false), "lost \\u{1b}[32mx \\u{1b}]0;title\\u{7}\\u{d}\n");
        assert_eq!(bare(&Paint { colour: true }.paint(Meaning::Aside, "x")), "x");
    }
}
