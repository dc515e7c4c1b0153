//! State in Azure and at Google with the logins that their own tools take.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use platform_tests::free_port;

use crate::{
    bucket::{ACCOUNT, Bucket, KEY, Service, shared_access},
    team::{Ran, Team},
};

/// What somebody gets who runs the program with these variables.
fn ran(bucket: &Bucket, folder: &str, variables: &[(&str, &str)]) -> Ran {
    ran_at(&bucket.folder(folder), variables)
}

fn ran_at(state: &str, variables: &[(&str, &str)]) -> Ran {
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut team = Team::at(state, environment.collect::<BTreeMap<_, _>>());
    team.set(&[("SHOP_PARTS", "part-0")]);
    team.run(&["up", "--yes"])
}

#[track_caller]
fn assert_opened(ran: &Ran) {
    assert!(ran.code == Some(0) && ran.out.contains("1 created"), "{ran:?}");
}

/// Refused, with the reason and what to do next.
#[track_caller]
fn assert_refused(ran: &Ran, reason: &str, next: &str) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains(reason), "why: {ran:?}");
    let (_, hint) = ran.err.split_once("hint: ").expect("a hint");
    assert!(hint.contains(next), "what to do: {ran:?}");
}

#[test]
fn azure_is_logged_in_to_with_a_key_or_a_token_under_each_of_their_names() {
    let Some(bucket) = Bucket::start(Service::Azure, "logins") else { return };
    let (endpoint, token) = (bucket.endpoint(), shared_access());
    let server = endpoint.trim_end_matches(ACCOUNT).trim_end_matches('/');
    let at = ("AZURE_STORAGE_ENDPOINT", endpoint.as_str());
    let account = ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT);
    let of_az = [at, ("AZURE_STORAGE_ACCOUNT", ACCOUNT), ("AZURE_STORAGE_KEY", KEY)];
    assert_opened(&ran(&bucket, "of-az", &of_az));
    assert_opened(&ran(&bucket, "token", &[at, account, ("AZURE_STORAGE_SAS_TOKEN", &token)]));
    let emulator = [("AZURE_STORAGE_USE_EMULATOR", "true"), ("AZURITE_BLOB_STORAGE_URL", server)];
    assert_opened(&ran(&bucket, "emulator", &emulator));

    let misnamed = ran_at("az://No_Where/x", &of_az);
    assert_refused(
        &misnamed,
        "the service answered with 400: InvalidResourceName: ",
        "correct it, or choose another place",
    );

    let wrong = ran(&bucket, "wrong", &[at, account, ("AZURE_STORAGE_ACCOUNT_KEY", "aHVzaC1jYW5hcnk=")]);
    assert_refused(&wrong, "the service refused the login: Auth", "set AZURE_STORAGE_ACCOUNT_KEY");
    assert!(!wrong.err.contains("aHVzaC1jYW5hcnk") && !wrong.err.contains("<Error>"), "{wrong:?}");
    let broken = ran(&bucket, "broken", &[at, account, ("AZURE_STORAGE_SAS_TOKEN", &token.replace("sp=rw", "sp=r"))]);
    assert_refused(&broken, "the service refused the login: Auth", "AZURE_STORAGE_SAS_TOKEN");
    assert!(!broken.err.contains("sig="), "{broken:?}");
    let unnamed = ran(&bucket, "unnamed", &[at, ("AZURE_STORAGE_KEY", KEY)]);
    assert_refused(
        &unnamed,
        "the login for `az://acme-state/platform/unnamed` is not complete",
        "AZURE_STORAGE_ACCOUNT_NAME",
    );
}

/// Gives a token that no emulator takes, and writes down that it was asked.
const GIVES_A_TOKEN: &str = r#"#!/bin/sh
echo asked >> "$HOME/asked"
echo '{"accessToken": "hush-canary", "expiresOn": "2099-01-01 00:00:00.000000", "subscription": "s", "tenant": "t", "tokenType": "Bearer"}'
"#;

/// Whose login has ended.
const HAS_NONE: &str = "#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n";

#[test]
fn who_logged_in_with_az_needs_no_key() {
    let Some(bucket) = Bucket::start(Service::Azure, "the login of az") else { return };
    let home = tempfile::tempdir().expect("a folder");
    let az = home.path().join("az");
    let write = |script: &str| {
        fs::write(&az, script).expect("written");
        fs::set_permissions(&az, fs::Permissions::from_mode(0o700)).expect("a program");
    };
    fs::create_dir(home.path().join(".azure")).expect("made");
    fs::write(home.path().join(".azure/azureProfile.json"), "{}").expect("written");
    let (endpoint, folder) = (bucket.endpoint(), home.path().to_str().expect("text"));
    let path = format!("{folder}:/usr/bin:/bin");
    let variables = [
        ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
        ("AZURE_STORAGE_ACCOUNT", ACCOUNT),
        ("HOME", folder),
        ("PATH", path.as_str()),
    ];
    write(GIVES_A_TOKEN);
    let refused = ran(&bucket, "az", &variables);
    assert!(home.path().join("asked").exists(), "az is asked: {refused:?}");
    assert_refused(&refused, "the service refused the login", "az login");
    assert!(!refused.err.contains("hush-canary"), "{refused:?}");
    write(HAS_NONE);
    assert_refused(
        &ran(&bucket, "az", &variables),
        "`az` gave no login: ERROR: Please run 'az login'",
        "run `az login`",
    );
}

#[test]
fn who_does_not_answer_is_named_with_the_reason() {
    let closed = format!("127.0.0.1:{}", free_port());
    let (plain, of_account) = (format!("http://{closed}"), format!("http://{closed}/{ACCOUNT}"));
    let azure = [
        ("AZURE_STORAGE_ENDPOINT", of_account.as_str()),
        ("AZURE_STORAGE_ACCOUNT", ACCOUNT),
        ("AZURE_STORAGE_KEY", KEY),
    ];
    let token = shared_access();
    let with_token = [azure[0], azure[1], ("AZURE_STORAGE_SAS_TOKEN", token.as_str())];
    let s3 = [("AWS_ENDPOINT_URL", plain.as_str()), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    let why = format!("no answer from `{closed}`: Connection refused");
    for (state, variables, named) in [
        ("az://acme-state/x", &azure[..], "AZURE_STORAGE_ACCOUNT_NAME"),
        ("gs://acme-state/x", &[("STORAGE_EMULATOR_HOST", plain.as_str())], "STORAGE_EMULATOR_HOST"),
        ("s3://acme-state/x", &s3, "AWS_ENDPOINT_URL"),
    ] {
        assert_refused(&ran_at(state, variables), &why, named);
    }
    // Addresses with a token in them are not shown.
    assert_refused(
        &ran_at("az://acme-state/x", &with_token),
        "no answer from the service: Connection refused",
        "again",
    );
}

#[test]
fn google_is_logged_in_to_with_a_key_file_unless_an_emulator_needs_none() {
    let Some(bucket) = Bucket::start(Service::Google, "logins") else { return };
    let endpoint = bucket.endpoint();
    let host = endpoint.trim_start_matches("http://");
    // As Google's own clients read it, with and without a scheme, whatever login there is.
    assert_opened(&ran(&bucket, "emulator", &[("STORAGE_EMULATOR_HOST", &endpoint)]));
    let logged_in = [("STORAGE_EMULATOR_HOST", host), ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")];
    assert_opened(&ran(&bucket, "host", &logged_in));
    let key = r#"{"client_email": "", "private_key": "", "private_key_id": "", "disable_oauth": true}"#;
    let named = [("GOOGLE_BASE_URL", endpoint.as_str()), ("GOOGLE_SERVICE_ACCOUNT_KEY", key)];
    assert_opened(&ran(&bucket, "key", &named));

    let absent = [("GOOGLE_BASE_URL", endpoint.as_str()), ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")];
    let refused = ran(&bucket, "absent", &absent);
    assert_refused(
        &refused,
        "the login for `gs://acme-state/platform/absent` is not complete",
        "GOOGLE_APPLICATION_CREDENTIALS",
    );
    assert!(refused.err.contains("/nowhere/key.json"), "which one: {refused:?}");
}
