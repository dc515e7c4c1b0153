//! Every store passes the conformance suite.

use std::{fs, sync::Arc};

use platform_sdk::state::{Condition, Local, Location, Logins, Memory, Store, conformance};

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
    store.put("a/head.json", "whole".into(), Condition::Absent).await.expect("put");
    assert_eq!(store.list("a").await.expect("list"), ["a/head.json"]);
}

#[cfg(feature = "state-bucket")]
#[tokio::test(start_paused = true)]
async fn a_bucket_conforms() {
    let objects = Arc::new(object_store::memory::InMemory::new());
    conformance::check(Arc::new(platform_sdk::state::Bucket::new(objects, "memory://bucket/a/folder", "a/folder")))
        .await;
}

#[cfg(feature = "state-bucket")]
#[tokio::test(start_paused = true)]
async fn a_whole_bucket_conforms() {
    let objects = Arc::new(object_store::memory::InMemory::new());
    conformance::check(Arc::new(platform_sdk::state::Bucket::new(objects, "memory://bucket", ""))).await;
}

/// A place as a program without providers finds it.
fn place(state: &str, environment: &[(&str, &str)]) -> platform_sdk::Result<Location> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Location::with_logins(state, "acme", "prod", &Logins::of_environment(environment))
}

fn refused(state: &str, environment: &[(&str, &str)]) -> String {
    place(state, environment).expect_err("refused").to_string()
}

#[tokio::test]
async fn places_are_directories_and_buckets() {
    assert!(Location::new("file:///tmp/x", "acme", "prod").is_ok());
    let said = Location::new("x", "acme", "../prod").expect_err("no name").to_string();
    assert!(said.contains("`../prod` can't be the name of a stack"), "{said}");
    assert!(refused("", &[]).contains("the place of the state is empty"));
    assert!(refused("ftp://bucket/x", &[]).contains("state can't be kept in `ftp://`"));
    for none in ["s3://", "s3:///x", "az://container/../x", "gs://bucket//x"] {
        assert!(refused(none, &[]).contains("names no place in"), "{none}: {}", refused(none, &[]));
    }
}

#[cfg(not(feature = "state-s3"))]
#[tokio::test]
async fn a_bucket_that_was_not_built_in_is_refused_by_the_name_of_its_feature() {
    let said = refused("s3://bucket/x", &[]);
    assert!(said.contains("built without state in Amazon S3") && said.contains("`state-s3`"), "{said}");
}

#[cfg(feature = "state-s3")]
#[tokio::test]
async fn a_profile_is_refused_where_no_provider_reads_it() {
    let said = refused("s3://bucket/x", &[("AWS_PROFILE", "work")]);
    assert!(said.contains("`s3://bucket/x` needs AWS keys in the environment"), "{said}");
    assert!(said.contains("Aws::from_env()") && said.contains("aws configure export-credentials"), "{said}");
    let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_PROFILE", "work")];
    assert!(place("s3://bucket/x/", &keys).is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn a_journal_whose_folder_has_gone_takes_nothing_more() {
    let folder = tempfile::tempdir().expect("a directory");
    let root = folder.path().join("state");
    let store: Arc<dyn Store> = Arc::new(Local::new(&root));
    let mut journal = store.appender("acme/prod/journal/1".to_owned(), 1);
    for line in [b"one".to_vec(), b"two".to_vec()] {
        journal.append(line).await.expect("it is there");
    }
    fs::rename(&root, folder.path().join("away")).expect("moved");
    for there in [false, true] {
        if there {
            // Another one in its place is not it.
            fs::create_dir_all(root.join("acme/prod/journal/1")).expect("made");
            fs::write(root.join("acme/prod/journal/1/1.jsonl"), b"").expect("written");
        }
        let said = journal.append(b"three".to_vec()).await.expect_err("it is gone");
        let why = std::error::Error::source(&said).expect("a cause").to_string();
        assert!(why.contains("removed, moved or unmounted"), "{said}: {why}");
    }
}
