//! Names of time zones, as IANA publishes them: <https://www.iana.org/time-zones>, release 2025b.

use platform_sdk::nearest;

/// One name a line, in the order of their bytes.
const ZONES: &str = include_str!("zones.txt");

/// What is wrong with the name of a time zone. An offset from Greenwich is one too: `GMT+2`, `UTC+05:30`.
pub(super) fn zone_flaw(name: &str) -> Option<String> {
    if ZONES.lines().any(|zone| zone == name) || is_offset(name) {
        return None;
    }
    let near = nearest(name, ZONES.lines()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Some(format!("is `{name}`, which is no time zone{near}"))
}

fn is_offset(name: &str) -> bool {
    let Some(offset) = ["GMT", "UTC", "UT"].iter().find_map(|zone| name.strip_prefix(zone)?.strip_prefix(['+', '-']))
    else {
        return false;
    };
    let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "00"));
    let is = |text: &str, digits: std::ops::RangeInclusive<usize>, most: u8| {
        digits.contains(&text.len()) && text.parse::<u8>().is_ok_and(|number| number <= most)
    };
    is(hours, 1..=2, 18) && is(minutes, 2..=2, 59)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_is_one_of_iana_or_an_offset() {
        for zone in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT-3", "GMT+2", "UTC-05:30", "EST"]
        {
            assert_eq!(zone_flaw(zone), None, "{zone}");
        }
        for (zone, near) in [
            ("Europe/Berln", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("Amerika/New_York", "America/New_York"),
        ] {
            let flaw = zone_flaw(zone).expect("no zone");
            assert!(flaw.contains(&format!("did you mean `{near}`?")), "{flaw}");
        }
        for zone in ["", "GMT+25", "GMT+2:5", "Middle/Earth and more", "UTC+"] {
            assert!(zone_flaw(zone).is_some(), "{zone}");
        }
    }
}
