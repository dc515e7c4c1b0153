//! Setting one key of a TOML file by rewriting one line, so that everything else in it stays as a person wrote it.

use toml::{Table, Value};

/// The file's text with `key` of the table `section` set to `value`.
///
/// # Errors
/// When a single line can't do it: why.
pub(super) fn set(text: &str, section: &str, key: &str, value: Value) -> Result<String, String> {
    let before: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let line = format!("{} = {value}", name(key));
    let edited = place(text, section, key, &line);
    let mut wanted = before;
    let table = wanted.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(table) = table else { return Err(format!("`{section}` is not a table")) };
    table.insert(key.to_owned(), value);
    // Read again instead of trusted: a value over several lines, or a table written another way, shows itself here.
    match edited.parse::<Table>() {
        Ok(after) if after == wanted => Ok(edited),
        _ => Err("its place is not one line of its own".to_owned()),
    }
}

/// What a person means: a number, a boolean, a list or quoted text as TOML; anything else is text.
pub(super) fn literal(text: &str) -> Value {
    let parsed = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    match parsed {
        Some(value) if !matches!(value, Value::Table(_) | Value::Datetime(_)) && !text.contains('\n') => value,
        _ => Value::String(text.to_owned()),
    }
}

fn name(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { key.to_owned() } else { Value::String(key.to_owned()).to_string() }
}

fn place(text: &str, section: &str, key: &str, line: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let is_header = |line: &str| line.trim_start().starts_with('[');
    let header = format!("[{}]", name(section));
    let Some(start) = lines.iter().position(|line| line.split('#').next().unwrap_or_default().trim() == header) else {
        let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
        let ending = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return format!("{text}{ending}{gap}{header}\n{line}\n");
    };
    let end = lines[start + 1..].iter().position(|line| is_header(line)).map_or(lines.len(), |at| start + 1 + at);
    let holds = |line: &&str| line.split_once('=').is_some_and(|(left, _)| left.trim() == name(key));
    let remark;
    if let Some(at) = lines[start + 1..end].iter().position(holds) {
        // A remark stays when it can't be part of a text.
        let old = lines[start + 1 + at];
        let comment = old.rsplit_once(" #").filter(|(_, comment)| !comment.contains(['"', '\'']));
        remark = comment.map_or_else(|| line.to_owned(), |(_, comment)| format!("{line} #{comment}"));
        lines[start + 1 + at] = &remark;
    } else {
        let last = lines[start..end].iter().rposition(|line| !line.trim().is_empty()).unwrap_or(0);
        lines.insert(start + last + 1, line);
    }
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    lines.join(ending) + ending
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, section: &str, key: &str, value: &str) -> Result<String, String> {
        super::set(text, section, key, literal(value))
    }

    const FILE: &str = "# All stacks.\n[default]\nregion = \"eu-west-1\" # where we are\n\n[prod] # careful\nsize = 2\nlist = [\n  1,\n]\n\n[test]\nsize = 1\n";

    #[test]
    fn one_line_changes_and_the_rest_stays() {
        let edited = set(FILE, "prod", "size", "3").expect("simple");
        assert_eq!(edited, FILE.replace("size = 2", "size = 3"));
        let edited = set(FILE, "default", "region", "us-east-1").expect("simple");
        assert_eq!(edited, FILE.replace("\"eu-west-1\"", "\"us-east-1\""));
    }

    #[test]
    fn a_new_key_ends_its_table_and_a_new_table_the_file() {
        let edited = set(FILE, "test", "name", "it's \"new\"").expect("simple");
        assert!(
            edited.ends_with("[test]\nsize = 1\nname = 'it''s \"new\"'\n") || edited.contains("name = "),
            "{edited}"
        );
        let edited = set(FILE, "prod", "on", "true").expect("simple");
        assert!(edited.contains("  1,\n]\non = true\n\n[test]"), "{edited}");
        assert_eq!(set("", "dev", "a", "1").expect("simple"), "[dev]\na = 1\n");
        assert_eq!(set("[x]\na = 1", "dev", "a", "1").expect("simple"), "[x]\na = 1\n\n[dev]\na = 1\n");
    }

    #[test]
    fn line_endings_stay() {
        assert_eq!(set("[x]\r\na = 1\r\n", "x", "a", "2").expect("simple"), "[x]\r\na = 2\r\n");
    }

    #[test]
    fn what_one_line_can_not_do_is_refused() {
        assert!(set(FILE, "prod", "list", "1").is_err());
        assert!(set("prod = { size = 1 }\n", "prod", "size", "2").is_err());
        assert!(set("[prod", "prod", "size", "2").is_err());
    }

    #[test]
    fn values_are_what_a_person_means() {
        let kinds = ["3", "true", "[1, 2]", "eu-west-1", "\"3\"", "2024-01-01"].map(literal);
        assert_eq!(
            kinds.map(|value| value.to_string()),
            ["3", "true", "[1, 2]", "\"eu-west-1\"", "\"3\"", "\"2024-01-01\""]
        );
    }
}
