//! Values as text: on one line where they fit, else as indented lines, folded where a terminal can unfold them.

use serde_json::Value;

use super::escape::{clean, quoted};

/// How secrets stand in values that may be shown.
const REDACTED: &str = "[secret]";

/// Elements of a list, and lines of a text, that are shown before the rest is folded.
const MOST_LINES: usize = 20;

/// Characters of common text that stay on either side of what differs.
const COMMON_KEPT: usize = 24;

/// Characters that a value too long for its line keeps, where it is compared with another.
const MOST_COMPARED: usize = 200;

/// What unfolds them.
pub(super) const UNFOLD: &str = "-v shows all";

/// How values are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Writing {
    /// Texts with `${..}` in them are expressions, not values: they stand without quotes.
    pub(super) unknown: bool,
    /// Nothing is folded.
    pub(super) whole: bool,
}

impl Writing {
    /// The value on one line; `None` when a text in it has several.
    pub(super) fn inline(self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) if text.trim_end_matches('\n').contains('\n') => None,
            Value::String(text) => Some(self.text(text)),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.inline(item)).collect::<Option<Vec<_>>>()?;
                Some(format!("[{}]", items.join(", ")))
            }
            Value::Object(entries) => {
                let entry = |(key, entry): (&String, &Value)| Some(format!("{}: {}", clean(key), self.inline(entry)?));
                let entries = entries.iter().map(entry).collect::<Option<Vec<_>>>()?;
                Some(format!("{{{}}}", entries.join(", ")))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        }
    }

    /// The value on one line of at most `width` characters, or as several.
    pub(super) fn lines(self, value: &Value, width: usize) -> Vec<String> {
        if let Some(line) = self.inline(value).filter(|line| count(line) <= width) {
            return vec![line];
        }
        let below = width.saturating_sub(2).max(30);
        match value {
            Value::Array(items) => {
                let items = items.iter().map(|item| indented(&self.lines(item, below), "- ", "  "));
                self.folded_list(&items.collect::<Vec<_>>())
            }
            Value::Object(entries) => {
                let entry = |(key, entry): (&String, &Value)| {
                    let key = clean(key);
                    let lines = self.lines(entry, below.saturating_sub(count(&key) + 2));
                    match lines.as_slice() {
                        // What is in a map without braces stands below it, be it one line.
                        [line] if !entry.is_object() || line.starts_with('{') => vec![format!("{key}: {line}")],
                        lines => [vec![format!("{key}:")], indented(lines, "  ", "  ")].concat(),
                    }
                };
                entries.iter().flat_map(entry).collect()
            }
            Value::String(text) if text.trim_end_matches('\n').contains('\n') => {
                let lines = text.lines().map(|line| vec![format!("| {}", clean(line)).trim_end().to_owned()]);
                self.folded_list(&lines.collect::<Vec<_>>())
            }
            Value::String(text) => vec![self.folded_text(text, width)],
            Value::Null | Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        }
    }

    fn text(self, text: &str) -> String {
        let expression = self.unknown && (text.contains("${") || text.starts_with("fn("));
        if expression || text == REDACTED { clean(text) } else { quoted(text) }
    }

    fn folded_text(self, text: &str, width: usize) -> String {
        let written = self.text(text);
        if self.whole || !written.starts_with('"') {
            return written;
        }
        let told = format!("…\" ({} characters; {UNFOLD})", count(text));
        let head: String = text.chars().take(width.saturating_sub(count(&told) + 1).max(20)).collect();
        let head = quoted(&head);
        format!("{}{told}", head.strip_suffix('"').unwrap_or(&head))
    }

    fn folded_list(self, items: &[Vec<String>]) -> Vec<String> {
        let rest = items.len().saturating_sub(MOST_LINES);
        // One line that says "1 more" is no shorter than that one.
        if self.whole || rest < 2 {
            return items.concat();
        }
        let mut lines = items[..MOST_LINES].concat();
        lines.push(format!("… {rest} more; {UNFOLD}"));
        lines
    }

    /// Two texts too long for one line, each as one line in which what they have in common is shortened.
    pub(super) fn compared(self, before: &str, after: &str) -> (String, String) {
        let (before, after): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
        let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        let tails = before[head..].iter().rev().zip(after[head..].iter().rev());
        let tail = tails.take_while(|(a, b)| a == b).count();
        let show = |text: &[char]| {
            if self.whole {
                return self.text(&text.iter().collect::<String>());
            }
            let from = head.saturating_sub(COMMON_KEPT);
            let to = if tail > COMMON_KEPT { text.len() - tail + COMMON_KEPT } else { text.len() };
            let shown = &text[from..to];
            let mut window: String = shown.iter().take(MOST_COMPARED).collect();
            if from > 0 {
                window.insert(0, '…');
            }
            if to < text.len() || shown.len() > MOST_COMPARED {
                window.push('…');
            }
            self.text(&window)
        };
        (show(&before), show(&after))
    }
}

/// How many columns a text takes.
pub(super) fn count(text: &str) -> usize {
    text.chars().count()
}

fn indented(lines: &[String], first: &str, others: &str) -> Vec<String> {
    let prefix = |index: usize| if index == 0 { first } else { others };
    lines.iter().enumerate().map(|(index, line)| format!("{}{line}", prefix(index))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_and_secrets_stand_without_quotes_but_values_that_look_like_them_do_not() {
        let unknown = Writing { unknown: true, whole: false };
        assert_eq!(unknown.inline(&json!(["${lake.name}", "x"])).as_deref(), Some("[${lake.name}, \"x\"]"));
        assert_eq!(Writing::default().inline(&json!("${lake.name}")).as_deref(), Some("\"${lake.name}\""));
        assert_eq!(Writing::default().inline(&json!("[secret]")).as_deref(), Some("[secret]"));
    }

    #[test]
    fn a_map_too_long_for_its_line_stands_below_its_name() {
        let one = json!({"Condition": {"StringEquals": {"sts:ExternalId": "x".repeat(30)}}, "Sid": "A"});
        let shown = Writing { unknown: false, whole: true }.lines(&one, 40);
        let id = format!("    sts:ExternalId: \"{}\"", "x".repeat(30));
        assert_eq!(shown, ["Condition:", "  StringEquals:", &id, "Sid: \"A\""]);
    }

    #[test]
    fn control_characters_of_a_service_do_not_reach_a_terminal() {
        let shown = Writing::default().lines(&json!("red \u{1b}[31m \u{9b}31m\nand a line"), 80).concat();
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }

    #[test]
    fn long_values_are_cut_unless_all_is_asked_for() {
        let long = json!("x".repeat(500));
        let cut = Writing::default().lines(&long, 60);
        assert!(count(&cut[0]) <= 60 && cut[0].ends_with("…\" (500 characters; -v shows all)"), "{cut:?}");
        let whole = Writing { unknown: false, whole: true }.lines(&long, 60);
        assert_eq!(count(&whole[0]), 502);
        let list = json!((0..30).map(|n| format!("element number {n}")).collect::<Vec<_>>());
        assert_eq!(Writing::default().lines(&list, 60).last().map(String::as_str), Some("… 10 more; -v shows all"));
    }

    #[test]
    fn what_two_long_texts_have_in_common_is_shortened_and_what_differs_is_not() {
        let text = |middle: &str| format!("{}{middle}{}", "a".repeat(300), "z".repeat(300));
        let (before, after) = Writing::default().compared(&text("OLD"), &text("NEW"));
        assert!(before.contains("OLD") && after.contains("NEW") && count(&before) < 70, "{before} {after}");
    }
}
