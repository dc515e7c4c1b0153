//! The name that a mistyped one is closest to.

/// The known name that differs least from this one, if it is likely what was meant. Case counts for nothing.
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let plain =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<Vec<_>>();
    let asked = plain(&name.chars().take(100).collect::<String>());
    let distances = known.into_iter().map(|known| (distance(&asked, &plain(known)), known));
    let (least, nearest) = distances.min_by_key(|(distance, _)| *distance)?;
    (least <= asked.len().div_ceil(3)).then_some(nearest)
}

/// How many characters must be put, taken or changed.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_was_likely_meant_is_found_and_nothing_is_guessed() {
        let sizes = ["2X-Small", "X-Small", "Small", "Medium", "Large"];
        for (asked, meant) in [
            ("small", Some("Small")),
            ("SMAL", Some("Small")),
            ("xsmall", Some("X-Small")),
            ("Lagre", Some("Large")),
            ("huge", None),
            ("", None),
        ] {
            assert_eq!(nearest(asked, sizes), meant, "{asked}");
        }
        assert_eq!(nearest("x", []), None);
    }
}
