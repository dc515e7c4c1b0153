//! The difference of two texts line by line: the longest common subsequence, with what is the same left out.

/// One line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// In both.
    Same(&'a str),
    /// Only in the old text.
    Old(&'a str),
    /// Only in the new text.
    New(&'a str),
    /// This many lines of both are left out.
    Skipped(usize),
}

/// Beyond this many comparisons the middle is shown as replaced whole: a plan has to stay quick.
const MOST_COMPARISONS: usize = 4_000_000;

/// The lines to show so that a person sees what differs, with this many of both around it.
pub(super) fn line_diff<'a>(before: &'a [String], after: &'a [String], around: usize) -> Vec<Line<'a>> {
    let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let tail = before[head..].iter().rev().zip(after[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&before[head..before.len() - tail], &after[head..after.len() - tail]);
    let mut lines: Vec<Line<'a>> = before[..head].iter().map(|line| Line::Same(line)).collect();
    lines.extend(middle(old, new));
    lines.extend(before[before.len() - tail..].iter().map(|line| Line::Same(line)));
    shortened(&lines, around)
}

fn middle<'a>(old: &'a [String], new: &'a [String]) -> Vec<Line<'a>> {
    let replaced = || old.iter().map(|line| Line::Old(line)).chain(new.iter().map(|line| Line::New(line))).collect();
    if old.len().saturating_mul(new.len()) > MOST_COMPARISONS {
        return replaced();
    }
    // `longest[i][j]`: the longest common subsequence of `old[i..]` and `new[j..]`.
    let mut longest = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i][j] =
                if old[i] == new[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Same(&old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            lines.push(Line::Old(&old[i]));
            i += 1;
        } else {
            lines.push(Line::New(&new[j]));
            j += 1;
        }
    }
    lines
}

fn shortened<'a>(lines: &[Line<'a>], around: usize) -> Vec<Line<'a>> {
    let differs = |line: &Line<'_>| !matches!(line, Line::Same(_));
    let near = |index: usize| {
        let (from, to) = (index.saturating_sub(around), (index + around + 1).min(lines.len()));
        lines[from..to].iter().any(differs)
    };
    let mut shown = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match shown.last_mut() {
            _ if near(index) => shown.push(*line),
            Some(Line::Skipped(lines)) => *lines += 1,
            _ => shown.push(Line::Skipped(1)),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn only_what_differs_and_its_neighbours_are_shown() {
        let (before, after) = (lines("a b c d e f g"), lines("a b c X e f g"));
        let expected =
            [Line::Skipped(2), Line::Same("c"), Line::Old("d"), Line::New("X"), Line::Same("e"), Line::Skipped(2)];
        assert_eq!(line_diff(&before, &after, 1), expected);
    }

    proptest! {
        #[test]
        fn the_middle_says_how_each_text_becomes_the_other(
            before in prop::collection::vec("[a-c]", 0..12),
            after in prop::collection::vec("[a-c]", 0..12),
        ) {
            let (mut old, mut new) = (Vec::new(), Vec::new());
            for line in middle(&before, &after) {
                match line {
                    Line::Same(line) => { old.push(line); new.push(line); }
                    Line::Old(line) => old.push(line),
                    Line::New(line) => new.push(line),
                    Line::Skipped(_) => unreachable!("nothing is left out yet"),
                }
            }
            prop_assert_eq!(old, before.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(new, after.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
