//! What stands where a file of ours should: links are not written through, pipes are not waited for, keys that others can
//! read are none, and a disk that is full is left no fuller.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
    time::Duration,
};

use platform_sdk::{
    Program,
    desired::Tree,
    sealing::KEY_FILE,
    state::{World, lease, read},
    testing::Harness,
};
use serde_json::json;

use super::fixture::{ana, files, location, no_environment, put, resource, secret, written};

/// A run in a process whose files may not grow past a few KiB.
const FULL: &str = "PLATFORM_TEST_FULL_DISK";

fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

/// What both ways in say, at once.
async fn refused(root: &Path) -> String {
    let place = location(root);
    let (environment, ana) = (no_environment(), ana());
    let asked = async {
        let reader = read(&place, World::Real, &environment).await.expect_err("refused").to_string();
        let writer = lease(&place, World::Real, &environment, &ana).await.expect_err("refused").to_string();
        format!("{reader}\n{writer}")
    };
    tokio::time::timeout(Duration::from_secs(10), asked).await.expect("nothing is waited for")
}

#[tokio::test]
async fn a_link_that_somebody_planted_is_not_written_through() {
    let folder = tempfile::tempdir().expect("a directory");
    let (victim, root) = (folder.path().join("victim"), folder.path().join("state"));
    fs::write(&victim, "precious").expect("written");
    fs::create_dir_all(root.join("acme/prod")).expect("made");
    symlink(&victim, root.join("acme/prod/.head.json.new")).expect("linked");
    written(&location(&root), &["a"]).await;
    assert_eq!(fs::read_to_string(&victim).expect("there"), "precious");
    let head = root.join("acme/prod/head.json");
    assert!(head.is_file() && !head.is_symlink());

    symlink(&victim, root.join("acme/prod/lease.json")).expect("linked");
    let said = lease(&location(&root), World::Real, &no_environment(), &ana()).await.expect_err("refused").to_string();
    assert!(said.contains("lease.json`") && said.contains("it is a link"), "{said}");
    assert_eq!(fs::read_to_string(&victim).expect("there"), "precious");
    symlink(folder.path().join("nothing"), root.join("acme/prod/lease.json.x")).expect("linked");
    fs::rename(root.join("acme/prod/lease.json.x"), root.join("acme/prod/lease.json")).expect("renamed");
    lease(&location(&root), World::Real, &no_environment(), &ana()).await.expect_err("refused");
    assert!(!folder.path().join("nothing").exists(), "nor is a file made at its end");
}

#[tokio::test]
async fn a_pipe_or_a_device_in_place_of_a_file_is_named_at_once() {
    for name in ["head.json", "journal/3/1.jsonl", "lease.json"] {
        let folder = tempfile::tempdir().expect("a directory");
        let place = location(folder.path());
        written(&place, &["a"]).await;
        written(&place, &["b"]).await;
        let open = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
        open.journal().append(put(resource("c", Tree::default()))).await.expect("durable");
        open.release().await.expect("released");
        let path = folder.path().join("acme/prod").join(name);
        pipe(&path);
        let said = refused(folder.path()).await;
        assert!(said.contains(&format!("{name}`")) && said.contains("it is a pipe or a device"), "{name}: {said}");
        if name == "head.json" {
            fs::remove_file(&path).expect("removed");
            symlink("/dev/zero", &path).expect("linked");
            let said = refused(folder.path()).await;
            assert!(said.contains("it is a pipe or a device"), "{said}");
        }
    }
}

#[test]
fn so_is_one_in_place_of_a_config_file() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("config.toml");
    pipe(&path);
    let program = Program::new("acme", |_| Ok(())).config_file(&path);
    let said = Harness::new().plan(&program).expect_err("refused").to_string();
    assert!(said.contains("config.toml`") && said.contains("it is a pipe or a device"), "{said}");
}

#[tokio::test]
async fn a_key_that_others_could_read_is_refused_and_says_chmod() {
    let folder = tempfile::tempdir().expect("a directory");
    let (key, root) = (folder.path().join("mine"), folder.path().join("state"));
    let environment = [(KEY_FILE.to_owned(), key.display().to_string())].into();
    let place = location(&root);
    let open = lease(&place, World::Real, &environment, &ana()).await.expect("a lease");
    open.journal().append(put(resource("a", secret("hush")))).await.expect("durable");
    open.release().await.expect("released");
    let before = files(&root);
    for mode in [0o666, 0o644, 0o640, 0o602, 0o610] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("changed");
        let said = read(&place, World::Real, &environment).await.expect_err("refused").to_string();
        let named = said.contains(&format!("{}`", key.display())) && said.contains(&format!("{mode:04o}"));
        assert!(named && said.contains("chmod 600"), "{said}");
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("changed");
        read(&place, World::Real, &environment).await.expect("its owner's alone");
    }
    pipe(&key);
    let asked = tokio::time::timeout(Duration::from_secs(10), read(&place, World::Real, &environment));
    let said = asked.await.expect("nothing is waited for").expect_err("refused").to_string();
    assert!(said.contains("it is a pipe or a device"), "{said}");
    assert_eq!(files(&root), before);
}

#[test]
fn a_full_disk_is_named_and_left_no_fuller() {
    let test = "files::a_full_disk_is_named_and_left_no_fuller";
    if let Some(root) = std::env::var_os(FULL) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let place = location(Path::new(&root));
            let mut open = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
            let mut snapshot = open.reading().snapshot.clone();
            let large = resource("large", Tree::from(json!({"input": "x".repeat(1 << 20)})));
            snapshot.resources.insert(large.address.clone(), large.into());
            let said = open.commit(&snapshot).await.expect_err("full").to_string();
            fs::write(Path::new(&root).join("said"), said).expect("small enough");
            open.release().await.expect("released");
        });
        return;
    }
    let folder = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(written(&location(folder.path()), &["a"]));
    let before = runtime.block_on(read(&location(folder.path()), World::Real, &no_environment())).expect("sound");
    let ran = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().expect("a test knows its program"))
        .args([test, "--exact", "--nocapture"])
        .env(FULL, folder.path())
        .output()
        .expect("a shell");
    let said = fs::read_to_string(folder.path().join("said")).unwrap_or_default();
    assert!(ran.status.success() && said.contains("snapshots/") && said.contains("File too large"), "{said}");
    let left: Vec<_> =
        files(folder.path()).into_keys().filter(|path| path.to_string_lossy().contains(".new")).collect();
    assert!(left.is_empty(), "{left:?}");
    let after = runtime.block_on(read(&location(folder.path()), World::Real, &no_environment())).expect("sound");
    assert_eq!(after.snapshot, before.snapshot);
}
