//! Quartz expressions: seconds, minutes, hours, day of the month, month, day of the week and perhaps a year.
//! <https://www.quartz-scheduler.org/api/2.1.7/org/quartz/CronExpression.html>

/// A field: its name, what it counts, and names for its numbers from the first on.
struct Place {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const fn place(name: &'static str, least: u32, most: u32) -> Place {
    Place { name, least, most, names: &[] }
}

const DAY: usize = 3;
const WEEKDAY: usize = 5;
const PLACES: [Place; 7] = [
    place("seconds", 0, 59),
    place("minutes", 0, 59),
    place("hours", 0, 23),
    place("day of the month", 1, 31),
    Place {
        names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
        ..place("month", 1, 12)
    },
    Place { names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], ..place("day of the week", 1, 7) },
    place("year", 1970, 2099),
];

/// What is wrong with an expression; one of its two days is `?`.
pub(super) fn quartz_flaw(expression: &str) -> Option<String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if !(6..=7).contains(&fields.len()) {
        let count = fields.len();
        return Some(format!(
            "is `{expression}`: a Quartz expression has 6 or 7 fields, seconds first, this one {count}"
        ));
    }
    for (index, (field, place)) in fields.iter().zip(&PLACES).enumerate() {
        if let Some(part) = field.split(',').find(|part| !is_part(part, index, place)) {
            let (name, least, most) = (place.name, place.least, place.most);
            return Some(format!(
                "is `{expression}`: `{part}` is not for field {} ({name}, {least} to {most})",
                index + 1
            ));
        }
    }
    let days = (fields[DAY] == "?", fields[WEEKDAY] == "?");
    (!matches!(days, (true, false) | (false, true)))
        .then(|| format!("is `{expression}`: one of its two days (fields 4 and 6) must be `?`, and not both"))
}

/// `*`, `5`, `1-5`, `*/10`, `3/10`; of days also `?`, `L`, `LW`, `L-3`, `15W`, and of weekdays `6L`, `6#3`.
fn is_part(part: &str, index: usize, place: &Place) -> bool {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    if step.is_some_and(|step| !step.parse::<u32>().is_ok_and(|step| (1..=place.most).contains(&step))) {
        return false;
    }
    match index {
        _ if range == "*" => true,
        DAY | WEEKDAY if matches!(part, "?" | "L") => true,
        DAY if part == "LW" => true,
        DAY if let Some(days) = part.strip_prefix("L-") => days.parse::<u32>().is_ok_and(|days| days <= 30),
        DAY if let Some(day) = part.strip_suffix('W') => value(day, place).is_some(),
        WEEKDAY if let Some((day, nth)) = part.split_once('#') => {
            value(day, place).is_some() && nth.parse::<u32>().is_ok_and(|nth| (1..=5).contains(&nth))
        }
        WEEKDAY if let Some(day) = part.strip_suffix('L') => value(day, place).is_some(),
        // Ranges may go over the end: `FRI-MON`, `22-2`.
        _ => range.splitn(2, '-').all(|end| value(end, place).is_some()),
    }
}

fn value(text: &str, place: &Place) -> Option<u32> {
    let named = place.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let number = match named {
        Some(index) => place.least + u32::try_from(index).ok()?,
        None => text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())??,
    };
    (place.least..=place.most).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_the_shape_of_quartz() {
        for right in [
            "0 0 2 * * ?",
            "0 0/15 8-18 ? * MON-FRI",
            "0 0 2 1 * ? 2030",
            "0 0,30 */2 L * ?",
            "0 0 12 LW JAN,jul ?",
            "0 0 12 L-3 * ?",
            "0 0 12 15W 1/3 ?",
            "0 0 12 ? * 6#3",
            "0 0 22-2 ? * FRI-MON 2026-2030",
            "0 0 12 ? * 6L",
        ] {
            assert_eq!(quartz_flaw(right), None, "{right}");
        }
        let said = quartz_flaw("0 2 * * *").expect("five fields");
        assert_eq!(said, "is `0 2 * * *`: a Quartz expression has 6 or 7 fields, seconds first, this one 5");
        for wrong in ["0 0 2 * * *", "0 0 2 ? * ?"] {
            assert!(quartz_flaw(wrong).is_some_and(|flaw| flaw.contains("must be `?`")), "{wrong}");
        }
        for (wrong, part) in [
            ("0 60 2 * * ?", "`60` is not for field 2 (minutes, 0 to 59)"),
            ("0 0 24 * * ?", "`24` is not for field 3 (hours, 0 to 23)"),
            ("0 0 2 32 * ?", "`32` is not for field 4 (day of the month, 1 to 31)"),
            ("0 0 2 ? 13 MON", "`13` is not for field 5 (month, 1 to 12)"),
            ("0 0 2 ? * MONDAY", "`MONDAY` is not for field 6 (day of the week, 1 to 7)"),
            ("0 0 2 ? * 0", "`0` is not for field 6"),
            ("0 */0 2 * * ?", "`*/0` is not for field 2"),
            ("0 a 2 * * ?", "`a` is not for field 2"),
            ("0 1,,2 2 * * ?", "`` is not for field 2"),
            ("? 0 2 * * ?", "`?` is not for field 1"),
            ("0 0 2 1 * ? 26", "`26` is not for field 7 (year, 1970 to 2099)"),
        ] {
            let flaw = quartz_flaw(wrong).expect(wrong);
            assert!(flaw.contains(part), "{flaw}");
        }
    }
}
