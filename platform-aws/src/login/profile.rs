//! Profiles of `~/.aws/config` and `~/.aws/credentials`, read only to know what is there; the official crates use them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The settings of one profile, from both files together.
pub(crate) type Profile = BTreeMap<String, String>;

/// Where the files are: by their variables, else under the home directory.
pub(super) fn paths(environment: &BTreeMap<String, String>) -> [PathBuf; 2] {
    let home = PathBuf::from(environment.get("HOME").or_else(|| environment.get("USERPROFILE")).map_or("", |v| v));
    let at = |variable: &str, file: &str| {
        let named = environment.get(variable).filter(|path| !path.is_empty());
        named.map_or_else(|| home.join(".aws").join(file), PathBuf::from)
    };
    [at("AWS_CONFIG_FILE", "config"), at("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
}

/// The profile with this name, or `None` when neither file has it.
pub(super) fn load(name: &str, paths: &[PathBuf; 2], read: &dyn Fn(&Path) -> Option<String>) -> Option<Profile> {
    let mut found = None;
    for path in paths {
        let Some(text) = read(path) else { continue };
        for (section, key, value) in entries(&text) {
            // `[profile x]` in the one file is `[x]` in the other.
            if section.strip_prefix("profile ").map_or(section, str::trim) == name {
                let profile: &mut Profile = found.get_or_insert_with(Profile::new);
                if let (Some(key), Some(value)) = (key, value) {
                    profile.insert(key.to_lowercase(), value.to_owned());
                }
            }
        }
    }
    found
}

/// Section headers (without key) and the settings under them; nested settings are passed over.
fn entries(text: &str) -> impl Iterator<Item = (&str, Option<&str>, Option<&str>)> {
    let mut section = "";
    text.lines().filter_map(move |line| {
        let nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.split(']').next().unwrap_or_default().trim();
            return Some((section, None, None));
        }
        if nested || line.is_empty() || line.starts_with(['#', ';']) {
            return None;
        }
        let (key, value) = line.split_once('=')?;
        Some((section, Some(key.trim()), Some(value.trim())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> Option<String> {
        match path.to_str()? {
            "/h/.aws/config" => Some(
                "# mine\n[default]\nregion = eu-west-1\n\n[profile work]\nSSO_Session = s\ns3 =\n  max = 1\n"
                    .to_owned(),
            ),
            "/h/.aws/credentials" => Some("[work]\naws_access_key_id=AKIA\n[empty]\n".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn a_profile_is_what_both_files_say_of_it() {
        let paths = paths(&BTreeMap::from([("HOME".to_owned(), "/h".to_owned())]));
        let work = load("work", &paths, &read).expect("work");
        assert_eq!(work.get("sso_session").map(String::as_str), Some("s"));
        assert_eq!(work.get("aws_access_key_id").map(String::as_str), Some("AKIA"));
        assert!(!work.contains_key("max"), "{work:?}");
        assert_eq!(load("default", &paths, &read).and_then(|p| p.get("region").cloned()).as_deref(), Some("eu-west-1"));
        assert_eq!(load("empty", &paths, &read), Some(Profile::new()));
        assert_eq!(load("other", &paths, &read), None);
    }
}
