//! Secrets: sealed wherever they are written, opened by their key alone, and free of charge where there are none.

use std::{collections::BTreeMap, fs, path::Path};

use base64::Engine as _;
use platform_sdk::{
    desired::Tree,
    sealing::{KEY_FILE, NEW_KEY_FILE, NEW_PASSPHRASE, PASSPHRASE},
    state::{Location, Record, World, lease, read, snapshot_at},
};

use super::fixture::{ana, files, intent, location, no_environment, put, resource, secret, written};

const CANARY: &str = "canary-4f1d9c";

fn with_passphrase(text: &str) -> BTreeMap<String, String> {
    [(PASSPHRASE.to_owned(), text.to_owned())].into()
}

/// A stack with the canary in inputs, outputs, exports, an open intent and a journal that no snapshot has.
async fn secretive(root: &Path, environment: &BTreeMap<String, String>) {
    let place = location(root);
    let mut lease = lease(&place, World::Real, environment, &ana()).await.expect("a lease");
    let keys = lease.reading().keys.clone();
    let nested = Tree::Map([("deep".to_owned(), Tree::List(vec![secret(CANARY)]))].into());
    let state = resource("secretive", nested);
    let mut snapshot = lease.reading().snapshot.clone();
    lease.journal().append(intent("1", state.clone())).await.expect("durable");
    lease.journal().append(put(state.clone())).await.expect("durable");
    snapshot.resources.insert(state.address.clone(), state.clone().into());
    snapshot.exports.insert("token".to_owned(), secret(CANARY));
    lease.commit(&snapshot).await.expect("committed");
    lease.journal().append(intent("2", state)).await.expect("durable");
    lease.journal().append(Record::Exports(snapshot.exports.clone())).await.expect("durable");
    lease.release().await.expect("released");
    let reading = read(&place, World::Real, environment).await.expect("a reading");
    assert_eq!(reading.snapshot, snapshot);
    assert_eq!(reading.open.len(), 2);
    assert_eq!(reading.keys.hmac(&CANARY.into()), keys.hmac(&CANARY.into()), "the HMAC key stays");
}

fn assert_no_canary(root: &Path) {
    let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(CANARY);
    for (path, content) in files(root) {
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains(CANARY) && !text.contains(&encoded[..12]), "{} has the secret in clear", path.display());
    }
}

#[tokio::test]
async fn no_file_has_a_secret_in_clear() {
    for environment in [no_environment(), with_passphrase("correct horse")] {
        let folder = tempfile::tempdir().expect("a directory");
        secretive(folder.path(), &environment).await;
        assert_no_canary(folder.path());
        assert_eq!(folder.path().join("key").exists(), environment.is_empty(), "a key file only without a passphrase");
    }
}

#[tokio::test]
async fn a_stack_without_secrets_has_no_keys() {
    let folder = tempfile::tempdir().expect("a directory");
    written(&location(folder.path()), &["a"]).await;
    assert!(!folder.path().join("key").exists());
    assert!(files(folder.path()).values().all(|content| !String::from_utf8_lossy(content).contains("\"wrapped\"")));
}

#[tokio::test]
async fn a_wrong_or_missing_passphrase_stops_before_anything() {
    let folder = tempfile::tempdir().expect("a directory");
    secretive(folder.path(), &with_passphrase("correct horse")).await;
    let before = files(folder.path());
    let place = location(folder.path());
    let said = lease(&place, World::Real, &with_passphrase("wrong"), &ana()).await.expect_err("wrong").to_string();
    assert!(said.contains("PLATFORM_PASSPHRASE is not the passphrase of stack `acme/prod`"), "{said}");
    let said = lease(&place, World::Real, &no_environment(), &ana()).await.expect_err("missing").to_string();
    assert!(said.contains("PLATFORM_PASSPHRASE is not set"), "{said}");
    assert_eq!(files(folder.path()), before);
}

#[tokio::test]
async fn a_missing_or_foreign_key_file_stops_before_anything() {
    let folder = tempfile::tempdir().expect("a directory");
    secretive(folder.path(), &no_environment()).await;
    let key = folder.path().join("key");
    let place = location(folder.path());
    fs::write(&key, "0".repeat(64)).expect("written");
    let said = read(&place, World::Real, &no_environment()).await.expect_err("foreign").to_string();
    assert!(said.contains(&format!("`{}` is not the key of stack `acme/prod`", key.display())), "{said}");
    fs::write(&key, "0").expect("written");
    assert!(read(&place, World::Real, &no_environment()).await.is_err(), "half a key is none");
    fs::remove_file(&key).expect("removed");
    let said = read(&place, World::Real, &no_environment()).await.expect_err("missing").to_string();
    assert!(said.contains("the key file of stack `acme/prod` is missing"), "{said}");
    assert!(!key.exists(), "and no other one is made up");
}

#[cfg(unix)]
#[tokio::test]
async fn the_key_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a directory");
    secretive(folder.path(), &no_environment()).await;
    let mode = fs::metadata(folder.path().join("key")).expect("a key file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_sealed_secret_opens_in_its_place_alone() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let one = Tree::Map([("a".to_owned(), secret("1")), ("b".to_owned(), secret("2"))].into());
    lease.journal().append(put(resource("x", one))).await.expect("durable");
    lease.release().await.expect("released");
    // Swap the two in the journal, with checksums that fit.
    let path = folder.path().join("acme/prod/journal/1/1.jsonl");
    let text = fs::read_to_string(&path).expect("a journal");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = lines.pop().expect("a record");
    let json = last.splitn(3, ',').nth(2).and_then(|json| json.strip_suffix(']')).expect("framed");
    let swapped = json.replacen("\"a\":", "\"?\":", 1).replacen("\"b\":", "\"a\":", 1).replacen("\"?\":", "\"b\":", 1);
    lines.push(format!("[{},\"{:08x}\",{swapped}]", swapped.len(), crc32fast::hash(swapped.as_bytes())));
    fs::write(&path, lines.join("\n") + "\n").expect("written");
    let said = read(&place, World::Real, &no_environment()).await.expect_err("swapped").to_string();
    assert!(said.contains("can't be opened"), "{said}");
}

#[tokio::test]
async fn stacks_of_one_directory_share_the_key_file_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a directory");
    secretive(folder.path(), &no_environment()).await;
    let root = folder.path().to_str().expect("text");
    let other = Location::new(root, "acme", "test").expect("a location");
    let lease = lease(&other, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let prod = read(&location(folder.path()), World::Real, &no_environment()).await.expect("a reading");
    lease.journal().append(put(resource("x", secret(CANARY)))).await.expect("durable");
    assert_ne!(lease.reading().keys.hmac(&CANARY.into()), prod.keys.hmac(&CANARY.into()));
    assert_no_canary(folder.path());
}

/// An environment with these variables.
fn with(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Rotates the key of `acme/prod`, and says what wraps it now.
async fn rotated(root: &Path, environment: &BTreeMap<String, String>, anew: bool) -> String {
    let lease = lease(&location(root), World::Real, environment, &ana()).await.expect("a lease");
    lease.rotate(anew).await.expect("rotated").expect("there are secrets").0
}

/// What the snapshots hold of the sealed output: the sealed texts, oldest first.
fn sealed(root: &Path) -> Vec<String> {
    let snapshots = files(&root.join("acme/prod/snapshots")).into_values();
    let json = snapshots.map(|file| serde_json::from_slice::<serde_json::Value>(&file).expect("JSON"));
    let mut all: Vec<_> = json.map(|file| (file["entry"]["serial"].as_u64(), file["exports"].to_string())).collect();
    all.sort();
    all.into_iter().map(|(_, exports)| exports).collect()
}

#[tokio::test]
async fn after_a_rotation_the_new_passphrase_opens_all_of_history_and_the_old_one_nothing_of_today() {
    for anew in [false, true] {
        let folder = tempfile::tempdir().expect("a directory");
        secretive(folder.path(), &with_passphrase("old")).await;
        let going_over = with(&[(PASSPHRASE, "old"), (NEW_PASSPHRASE, "new")]);
        assert_eq!(rotated(folder.path(), &going_over, anew).await, "a passphrase");
        let (place, new) = (location(folder.path()), with_passphrase("new"));
        let reading = read(&place, World::Real, &new).await.expect("the new one opens it");
        assert_eq!(reading.snapshot.exports["token"], secret(CANARY));
        assert_eq!(reading.open.len(), 2, "open intents are taken along");
        let (then, _) = snapshot_at(&place, 1, &new).await.expect("the new one opens what was before");
        assert_eq!(then.exports["token"], secret(CANARY));
        let said = read(&place, World::Real, &with_passphrase("old")).await.expect_err("the old one").to_string();
        assert!(said.contains("is not the passphrase of stack `acme/prod`"), "{said}");
        assert_no_canary(folder.path());
    }
}

#[tokio::test]
async fn encrypting_anew_takes_another_data_key_and_the_hashes_stay() {
    let folder = tempfile::tempdir().expect("a directory");
    let environment = with_passphrase("same");
    secretive(folder.path(), &environment).await;
    let before = read(&location(folder.path()), World::Real, &environment).await.expect("readable");
    rotated(folder.path(), &environment, true).await;
    let after = read(&location(folder.path()), World::Real, &environment).await.expect("readable");
    assert_eq!(after.snapshot, before.snapshot);
    assert_eq!(after.keys.hmac(&CANARY.into()), before.keys.hmac(&CANARY.into()));
    // A copy of the first snapshot's key would open the first text, and not the second one.
    let sealed = sealed(folder.path());
    assert_ne!(sealed[0], sealed[1]);
    // What is written after it is sealed with the new key, and the next rotation keeps both.
    rotated(folder.path(), &environment, true).await;
    let (first, _) = snapshot_at(&location(folder.path()), 1, &environment).await.expect("two keys ago");
    assert_eq!(first.exports["token"], secret(CANARY));
}

#[tokio::test]
async fn a_named_key_file_opens_what_it_sealed_wherever_the_state_is() {
    let folder = tempfile::tempdir().expect("a directory");
    let (state, file) = (folder.path().join("state"), folder.path().join("keys/prod"));
    let file = file.to_str().expect("text");
    secretive(&state, &with(&[(KEY_FILE, file)])).await;
    assert!(!state.join("key").exists() && Path::new(file).exists(), "made where it was named, and nowhere else");
    let place = location(&state);
    let said = read(&place, World::Real, &no_environment()).await.expect_err("not named").to_string();
    assert!(said.contains("the key file of stack `acme/prod` is missing"), "{said}");
    let other = folder.path().join("keys/other");
    let going_over = with(&[(KEY_FILE, file), (NEW_KEY_FILE, other.to_str().expect("text"))]);
    assert_eq!(rotated(&state, &going_over, false).await, "a key file");
    let said = read(&place, World::Real, &with(&[(KEY_FILE, file)])).await.expect_err("the old one").to_string();
    assert!(said.contains(&format!("`{file}` is not the key of stack `acme/prod`")), "{said}");
    read(&place, World::Real, &with(&[(KEY_FILE, other.to_str().expect("text"))])).await.expect("the new one");
}

#[tokio::test]
async fn a_rotation_without_a_key_to_go_over_to_changes_nothing() {
    let folder = tempfile::tempdir().expect("a directory");
    written(&location(folder.path()), &["a"]).await;
    let before = files(folder.path());
    let lease = lease(&location(folder.path()), World::Real, &no_environment(), &ana()).await.expect("a lease");
    assert_eq!(lease.rotate(true).await.expect("no secrets"), None);
    assert_eq!(files(folder.path()), before);
}
