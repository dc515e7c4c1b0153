//! One run at a time, also across processes; a dead holder is taken over at once.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use platform_sdk::{
    desired::Tree,
    state::{Location, Memory, World, lease, read},
};

use super::fixture::{ana, location, no_environment, put, resource, written};

#[tokio::test]
async fn who_comes_second_is_told_who_came_first() {
    let folder = tempfile::tempdir().expect("a directory");
    for place in [location(folder.path()), Location::within(Arc::new(Memory::default()), "acme", "prod").expect("ok")] {
        let first = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
        let said = lease(&place, World::Real, &no_environment(), &ana()).await.expect_err("taken").to_string();
        assert!(said.contains("stack `acme/prod` is in use"), "{said}");
        assert!(said.contains("held by ana on host-1 since 2024-10-04T00:00:00Z (run 1b2c3d4e)"), "{said}");
        let reading = read(&place, World::Real, &no_environment()).await.expect("readers are not kept out");
        assert!(reading.in_progress.expect("in progress").starts_with("ana on host-1"));
        first.release().await.expect("released");
        let second = lease(&place, World::Real, &no_environment(), &ana()).await.expect("free again");
        drop(second);
        assert!(lease(&place, World::Real, &no_environment(), &ana()).await.is_ok(), "dropping gives it back too");
    }
}

#[tokio::test]
async fn nothing_is_written_after_the_lease_was_given_back() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let first = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let journal = first.journal();
    first.release().await.expect("released");
    let late = journal.append(put(resource("late", Tree::default()))).await;
    assert!(late.expect_err("too late").summary.contains("after its lease was given back"));
}

#[tokio::test]
async fn a_journal_that_outlives_its_lease_keeps_others_out() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let first = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let journal = first.journal();
    drop(first);
    assert!(lease(&place, World::Real, &no_environment(), &ana()).await.is_err());
    drop(journal);
    assert!(lease(&place, World::Real, &no_environment(), &ana()).await.is_ok());
}

/// Run by the test below in a process of its own: holds the lease until it is killed.
#[tokio::test]
#[expect(clippy::print_stderr, reason = "the test that started this process waits for the line")]
#[ignore = "the other process of `a_killed_holder_is_taken_over_at_once`"]
async fn the_other_process() {
    let root = std::env::var("STATE_TEST_ROOT").expect("the test's directory");
    let lease = lease(&location(Path::new(&root)), World::Real, &no_environment(), &ana()).await.expect("a lease");
    let state = resource("from-the-other", Tree::default());
    lease.journal().append(put(state)).await.expect("durable");
    eprintln!("holding");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_holder_is_taken_over_at_once() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    written(&place, &["a"]).await;
    let mut other = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "lease::the_other_process", "--ignored", "--nocapture"])
        .env("STATE_TEST_ROOT", folder.path())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("another process");
    let lines = BufReader::new(other.stderr.take().expect("its output")).lines();
    let held = lines.map_while(Result::ok).any(|line| line.contains("holding"));
    assert!(held, "the other process took the lease");
    assert!(lease(&place, World::Real, &no_environment(), &ana()).await.is_err(), "it is held");
    other.kill().expect("killed");
    other.wait().expect("gone");
    let mut taken = lease(&place, World::Real, &no_environment(), &ana()).await.expect("taken over");
    assert_eq!(taken.reading().recovered, 1, "what it had done is known");
    let snapshot = taken.reading().snapshot.clone();
    assert_eq!(snapshot.resources.len(), 2);
    assert!(taken.commit(&snapshot).await.expect("committed").written);
    let seal = folder.path().join("acme/prod/journal/2/2.jsonl");
    assert!(std::fs::read_to_string(seal).expect("a seal").contains("\"seal\""), "its journal is sealed");
    taken.release().await.expect("released");
    assert_eq!(read(&place, World::Real, &no_environment()).await.expect("a reading").snapshot, snapshot);
}
