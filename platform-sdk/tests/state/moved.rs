//! A state that goes elsewhere: copied object by object, or exported and taken in. Its secrets open there, or it is said
//! why they would not.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use platform_sdk::{
    desired::Tree,
    sealing::{NEW_PASSPHRASE, PASSPHRASE},
    state::{Location, Memory, Record, World, copy, export, exported, lease, read, take_in},
};

use super::fixture::{ana, files, intent, location, no_environment, put, resource, secret, written};

fn with(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A stack with a secret in its snapshot, and one in a journal that no snapshot has.
async fn secretive(root: &Path, environment: &BTreeMap<String, String>) {
    let mut lease = lease(&location(root), World::Real, environment, &ana()).await.expect("a lease");
    let state = resource("x", Tree::Map([("password".to_owned(), secret("hush"))].into()));
    let mut snapshot = lease.reading().snapshot.clone();
    snapshot.resources.insert(state.address.clone(), Arc::new(state.clone()));
    lease.journal().append(put(state.clone())).await.expect("durable");
    lease.commit(&snapshot).await.expect("committed");
    lease.journal().append(Record::Exports([("token".to_owned(), secret("hush"))].into())).await.expect("durable");
    lease.journal().append(intent("00000000000000aa", state)).await.expect("durable");
    lease.release().await.expect("released");
}

/// Copies `acme/prod` of a directory, under its lease.
async fn copied(root: &Path, to: &Location, environment: &BTreeMap<String, String>) -> Result<usize, String> {
    let from = location(root);
    let lease = lease(&from, World::Real, environment, &ana()).await.expect("a lease");
    let copied = copy(&lease, &from, to).await;
    lease.release().await.expect("released");
    copied.map(|copied| copied.objects).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_copy_in_another_directory_takes_the_key_file_along_and_is_the_same_to_the_last_secret() {
    let folder = tempfile::tempdir().expect("a directory");
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    secretive(&here, &no_environment()).await;
    let before = files(&here);
    copied(&here, &location(&there), &no_environment()).await.expect("copied");
    assert_eq!(files(&here), before, "the original stays");
    let there_files = files(&there);
    let same = |(path, content): (&std::path::PathBuf, &Vec<u8>)| {
        there_files.get(&there.join(path.strip_prefix(&here).expect("below it"))) == Some(content)
    };
    assert!(before.iter().all(same), "every file, byte by byte");
    let original = read(&location(&here), World::Real, &no_environment()).await.expect("readable");
    let copy = read(&location(&there), World::Real, &no_environment()).await.expect("readable");
    assert_eq!((copy.snapshot, copy.base, copy.open), (original.snapshot, original.base, original.open));
}

#[tokio::test]
async fn where_the_key_file_can_not_go_secrets_of_it_are_refused_until_their_key_is_rotated() {
    let folder = tempfile::tempdir().expect("a directory");
    secretive(folder.path(), &no_environment()).await;
    let bucket = Location::within(Arc::new(Memory::default()), "acme", "prod").expect("a location");
    let said = copied(folder.path(), &bucket, &no_environment()).await.expect_err("no key there");
    assert!(said.contains("would not open in") && said.contains("state rotate-key"), "{said}");
    let other = folder.path().join("other");
    fs::create_dir(&other).expect("made");
    fs::write(other.join("key"), "0".repeat(64)).expect("written");
    #[cfg(unix)]
    fs::set_permissions(other.join("key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its owner's");
    let said = copied(folder.path(), &location(&other), &no_environment()).await.expect_err("another key");
    assert!(said.contains(&format!("`{}`, is that of other stacks", other.join("key").display())), "{said}");
    assert_eq!(files(&other).len(), 1, "nothing was copied");
    let going_over = with(&[(NEW_PASSPHRASE, "correct horse")]);
    let lease = lease(&location(folder.path()), World::Real, &going_over, &ana()).await.expect("a lease");
    lease.rotate(false).await.expect("rotated").expect("there are secrets");
    let passphrase = with(&[(PASSPHRASE, "correct horse")]);
    copied(folder.path(), &bucket, &passphrase).await.expect("copied");
    let reading = read(&bucket, World::Real, &passphrase).await.expect("readable");
    assert_eq!(reading.snapshot.exports["token"], secret("hush"));
}

#[tokio::test]
async fn a_damaged_snapshot_is_not_copied_and_half_a_copy_is_no_state() {
    let folder = tempfile::tempdir().expect("a directory");
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    written(&location(&here), &["a"]).await;
    written(&location(&here), &["b"]).await;
    let head: serde_json::Value =
        serde_json::from_slice(&fs::read(here.join("acme/prod/head.json")).expect("a head")).expect("JSON");
    let first = here.join(format!("acme/prod/snapshots/{}.json", head["parent"].as_str().expect("a parent")));
    let sound = fs::read(&first).expect("a snapshot");
    fs::write(&first, b"{}").expect("written");
    let said = copied(&here, &location(&there), &no_environment()).await.expect_err("damaged");
    assert!(said.contains(&format!("`{}` is damaged", first.display())), "{said}");
    assert!(!there.join("acme/prod/head.json").exists());
    fs::write(&first, sound).expect("written");
    copied(&here, &location(&there), &no_environment()).await.expect("taken up where it ended");
}

#[tokio::test]
async fn a_copy_to_the_same_place_is_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    written(&location(folder.path()), &["a"]).await;
    let said = copied(folder.path(), &location(folder.path()), &no_environment()).await.expect_err("the same");
    assert!(said.contains("stack `acme/prod` is in ") && said.contains(" already"), "{said}");
}

#[tokio::test]
async fn an_export_brings_its_secrets_its_keys_and_its_open_intents() {
    let folder = tempfile::tempdir().expect("a directory");
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let environment = with(&[(PASSPHRASE, "correct horse")]);
    secretive(&here, &environment).await;
    let mut ours = lease(&location(&here), World::Real, &environment, &ana()).await.expect("a lease");
    let snapshot = ours.reading().snapshot.clone();
    ours.commit(&snapshot).await.expect("what the journal had is in a snapshot now");
    ours.release().await.expect("released");
    let text = export(&location(&here), None).await.expect("a snapshot");
    let place = location(&there);
    let said = exported(&place, &text, "s.json", &with(&[(PASSPHRASE, "wrong")])).await.expect_err("wrong").to_string();
    assert!(said.contains("is not the passphrase of stack `acme/prod`"), "{said}");
    let taken = exported(&place, &text, "s.json", &environment).await.expect("an export");
    let mut theirs = lease(&place, World::Real, &environment, &ana()).await.expect("a lease");
    take_in(&mut theirs, taken).await.expect("taken in");
    theirs.release().await.expect("released");
    let (original, copy) = (
        read(&location(&here), World::Real, &environment).await.expect("readable"),
        read(&place, World::Real, &environment).await.expect("readable"),
    );
    assert_eq!((copy.snapshot, copy.open), (original.snapshot, original.open));
    assert_eq!(copy.keys.hmac(&"hush".into()), original.keys.hmac(&"hush".into()), "hashes of secrets go on");
}
