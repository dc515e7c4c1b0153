//! The config file that all Databricks tools share: `~/.databrickscfg`, INI, a section per profile.
//!
//! Quirks: one profile may be spread over several sections of the same name; tokens may hold `;`, `#`, quotes and
//! backslashes; `[__settings__] default_profile` names the profile used when none is named.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ini::{Ini, ParseOption};

use super::attributes::{ATTRIBUTES, CONFIG_FILE, Found, PROFILE};
use super::environment::Environment;
use super::error::LoginError;
use super::login::Place;

const SETTINGS: &str = "__settings__";
const DEFAULT: &str = "DEFAULT";

/// Adds what the profile gives, and says in words what was looked at.
///
/// The file is not read when no profile is named and the host or any credential is set already: an unrelated file must
/// not mix into a login that the environment gives.
pub(super) fn add_profile(found: &mut Found, env: &Environment) -> Result<String, LoginError> {
    let named = found.text(PROFILE);
    if named.is_none() && (found.get("host").is_some() || !found.families().is_empty()) {
        return Ok("no profile, as none is named and a host or credential is set".to_owned());
    }
    let path = match (found.text(CONFIG_FILE), env.home()) {
        (Some(path), _) => env.expand(&path),
        (None, Some(home)) => home.join(".databrickscfg"),
        (None, None) => return Ok("`~/.databrickscfg` (no home directory)".to_owned()),
    };
    let file = env.shorten(&path);
    let Some(profiles) = read(&path, &file)? else {
        return match named {
            Some(profile) => Err(LoginError::NoFile { profile, file }),
            None => Ok(format!("{file} (no such file)")),
        };
    };
    let default = profiles.get(SETTINGS).and_then(|settings| settings.get("default_profile")).cloned();
    let chosen = named.clone().or(default.clone()).unwrap_or_else(|| DEFAULT.to_owned());
    let Some(values) = profiles.get(&chosen).filter(|_| chosen != SETTINGS) else {
        if named.is_some() || default.is_some() {
            let profiles = profiles.into_keys().filter(|name| name != SETTINGS).collect();
            return Err(LoginError::UnknownProfile { profile: chosen, file, profiles });
        }
        return Ok(format!("profile `{chosen}` of {file} (no such profile)"));
    };
    for attribute in ATTRIBUTES.iter().filter(|it| it.name != PROFILE && it.name != CONFIG_FILE) {
        if let Some(text) = values.get(attribute.name) {
            found.add(attribute.name, text, Place::Profile { profile: chosen.clone(), file: file.clone() });
        }
    }
    Ok(format!("profile `{chosen}` of {file}"))
}

type Profiles = BTreeMap<String, BTreeMap<String, String>>;

/// The file's profiles, with sections of the same name merged (later values win); `None` when there is no file.
fn read(path: &Path, file: &str) -> Result<Option<Profiles>, LoginError> {
    let text = match platform_sdk::files::text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LoginError::UnreadableFile { file: file.to_owned(), source }),
    };
    let text = text.trim_start_matches('\u{feff}');
    // Checked first: the parser would take such a line and the next one as one name, and so lose a value unseen.
    let bad = |line| LoginError::BadFile { file: file.to_owned(), line };
    if let Some(line) = bad_line(text) {
        return Err(bad(line));
    }
    let options = ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
    // The parser's own message is not shown: it may quote the line, and the line may hold a token.
    let ini = Ini::load_from_str_opt(text, options).map_err(|error| bad(error.line))?;
    let mut profiles = Profiles::new();
    for (section, properties) in &ini {
        // What stands above the first section belongs to the default profile, where old tools wrote it.
        let profile = profiles.entry(section.unwrap_or(DEFAULT).trim().to_owned()).or_default();
        profile.extend(properties.iter().map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
    }
    if ini.general_section().is_empty() && ini.section(Some(DEFAULT)).is_none() {
        profiles.remove(DEFAULT);
    }
    Ok(Some(profiles))
}

/// The first line, counted from 1, that is no section, no `name = value`, no comment and no continuation (indented).
fn bad_line(text: &str) -> Option<usize> {
    let good = |line: &str| match line.chars().next() {
        None | Some(';' | '#') => true,
        Some('[') => line.contains(']'),
        Some(first) => first.is_whitespace() || line.contains(['=', ':']),
    };
    text.lines().position(|line| !good(line)).map(|before| before + 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_in_its_place_is_an_error_and_is_not_waited_for() {
        let path = std::env::temp_dir().join(format!("databrickscfg-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
        let read = read(&path, "~/.databrickscfg");
        std::fs::remove_file(&path).expect("removed");
        let Err(LoginError::UnreadableFile { source, .. }) = read else { panic!("a pipe is no file") };
        assert!(source.to_string().contains("it is a pipe or a device"), "{source}");
        assert!(super::read(Path::new("/dev/null"), "/dev/null").expect("how one says that there is none").is_some());
    }
}
