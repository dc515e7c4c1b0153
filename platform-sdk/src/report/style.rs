//! Colours by meaning, so that every report uses the same ones and can do without any.

use anstyle::{AnsiColor, Style};

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

/// Puts colours around text, or leaves it as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paint {
    pub(super) colour: bool,
}

impl Paint {
    pub(super) fn paint(self, meaning: Meaning, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = style(meaning);
        format!("{style}{text}{style:#}")
    }
}

fn style(meaning: Meaning) -> Style {
    let coloured = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    match meaning {
        Meaning::Good => coloured(AnsiColor::Green),
        Meaning::Changed => coloured(AnsiColor::Yellow),
        Meaning::Bad => coloured(AnsiColor::Red),
        Meaning::Moved => coloured(AnsiColor::Cyan),
        Meaning::Heading => Style::new().bold(),
        Meaning::Aside => Style::new().dimmed(),
    }
}
