//! State in S3 with the login of AWS's own tools: a profile, as `AWS_PROFILE` names it.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use tempfile::TempDir;

use crate::{
    bucket::{Bucket, Service},
    team::Team,
};

/// Gives keys, and writes down that it was asked.
const GIVES_KEYS: &str = r#"#!/bin/sh
echo asked >> "$HOME/asked"
echo '{"Version": 1, "AccessKeyId": "ASIATEST", "SecretAccessKey": "hush-canary", "SessionToken": "hush-token"}'
"#;

/// A home whose profile `work` asks a program for keys, and whose profile `away` has not logged in.
fn home(s3: &Bucket) -> TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let program = home.path().join("gives-keys");
    fs::write(&program, GIVES_KEYS).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("a program");
    fs::create_dir(home.path().join(".aws")).expect("made");
    let (program, endpoint) = (program.display(), s3.endpoint());
    let config = format!(
        "[profile work]\ncredential_process = {program}\nregion = eu-west-1\nendpoint_url = {endpoint}\n\
         [profile away]\nsso_session = acme\nsso_account_id = 123456789012\nsso_role_name = engineer\n\
         region = eu-west-1\nendpoint_url = {endpoint}\n\
         [sso-session acme]\nsso_region = eu-west-1\nsso_start_url = https://acme.awsapps.com/start\n"
    );
    fs::write(home.path().join(".aws/config"), config).expect("written");
    home
}

/// The variables of somebody who uses this profile.
fn environment(home: &Path, profile: &str) -> BTreeMap<String, String> {
    let given =
        [("HOME", home.to_str().expect("text")), ("AWS_PROFILE", profile), ("AWS_EC2_METADATA_DISABLED", "true")];
    given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_stack_in_s3_is_worked_on_with_the_keys_of_a_profile() {
    let Some(s3) = Bucket::start(Service::S3, "a profile") else { return };
    let home = home(&s3);
    let team = Team::at(&s3.folder("profile"), environment(home.path(), "work"));
    let asked = || fs::read_to_string(home.path().join("asked")).unwrap_or_default().lines().count();
    team.done(&["up", "--yes", "--parallel", "8"]);
    assert_eq!(asked(), 1, "the keys are kept for all of a run's requests");
    team.assert_whole(8);
    let elsewhere = s3.folder("profile-copied");
    let before = asked();
    team.done(&["state", "copy-to", &elsewhere]);
    assert_eq!(asked(), before + 1, "both places are opened with the same");
}

#[test]
fn who_has_not_logged_in_is_told_how_to() {
    let Some(s3) = Bucket::start(Service::S3, "not logged in") else { return };
    let home = home(&s3);
    let refused = Team::at(&s3.folder("profile"), environment(home.path(), "away")).run(&["up", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.err.contains("cannot read `s3://acme-state/platform/profile/shared/dev/"),
        "what failed: {refused:?}"
    );
    assert!(refused.err.contains("no AWS credentials could be loaded"), "why: {refused:?}");
    assert!(refused.err.contains("aws sso login"), "and the next step: {refused:?}");
    let absent = Team::at(&s3.folder("profile"), environment(home.path(), "absent")).run(&["up", "--yes"]);
    assert_eq!(absent.code, Some(1), "{absent:?}");
    assert!(absent.err.contains("AWS_PROFILE names the AWS profile `absent`"), "{absent:?}");
}
