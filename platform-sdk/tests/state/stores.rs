//! Every store passes the conformance suite.

use std::{fs, sync::Arc};

use platform_sdk::state::{Condition, Local, Location, Memory, Store as _, conformance};

#[tokio::test(flavor = "multi_thread")]
async fn the_local_store_conforms() {
    let folder = tempfile::tempdir().expect("a directory");
    conformance::check(Arc::new(Local::new(folder.path().join("made/when/needed")))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_in_memory_conforms() {
    conformance::check(Arc::new(Memory::default())).await;
}

#[tokio::test]
async fn what_a_crash_leaves_beside_a_file_is_not_listed_and_not_in_the_way() {
    let folder = tempfile::tempdir().expect("a directory");
    fs::create_dir(folder.path().join("a")).expect("made");
    fs::write(folder.path().join("a/.head.json.new"), b"half").expect("written");
    let store = Local::new(folder.path());
    assert!(store.list("a").await.expect("list").is_empty());
    store.put("a/head.json", b"whole".to_vec(), Condition::Absent).await.expect("put");
    assert_eq!(store.list("a").await.expect("list"), ["a/head.json"]);
}

#[tokio::test]
async fn only_directories_are_places_for_now() {
    assert!(Location::new("file:///tmp/x", "acme", "prod").is_ok());
    let said = Location::new("s3://bucket/x", "acme", "prod").expect_err("not yet").to_string();
    assert!(said.contains("`s3://` is not supported yet"), "{said}");
    let said = Location::new("x", "acme", "../prod").expect_err("no name").to_string();
    assert!(said.contains("`../prod` can't be the name of a stack"), "{said}");
}
