//! Repair: what is left of a damaged state goes on, in order, and what is lost is said.

use std::{fs, path::Path};

use platform_sdk::state::{Examined, Repair, World, examine, lease, read, unfolded};

use super::fixture::{address, ana, files, intent, location, no_environment, put, resource, written};

/// Two snapshots, then a journal of three records and an open intent that no snapshot has.
async fn stack(root: &Path) {
    let place = location(root);
    written(&place, &["a"]).await;
    written(&place, &["b"]).await;
    let lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    for name in ["c", "d", "e"] {
        let target = resource(name, platform_sdk::desired::Tree::default());
        lease.journal().append(put(target)).await.expect("durable");
    }
    let target = resource("open", platform_sdk::desired::Tree::default());
    lease.journal().append(intent("00000000000000aa", target)).await.expect("durable");
    lease.release().await.expect("released");
}

async fn damaged(root: &Path) -> Repair {
    let before = files(root);
    let examined = examine(&location(root), World::Real, &no_environment()).await.expect("something is left");
    assert_eq!(files(root), before, "looking changes nothing");
    match examined {
        Examined::Damaged(repair) => *repair,
        Examined::Readable(_) => panic!("it is damaged"),
    }
}

/// Repairs it, and gives the names of what the stack owns then.
async fn repaired(root: &Path) -> Vec<String> {
    let before = files(root);
    let repair = damaged(root).await;
    let commit = repair.carry_out(&location(root), &ana()).await.expect("repaired");
    let after = files(root);
    let kept = before.iter().filter(|(path, _)| !path.ends_with("head.json"));
    assert!(kept.into_iter().all(|(path, content)| after.get(path) == Some(content)), "nothing is overwritten");
    let reading = read(&location(root), World::Real, &no_environment()).await.expect("readable again");
    assert_eq!((reading.serial, reading.base), (commit.serial, commit.snapshot));
    written(&location(root), &["later"]).await;
    reading.snapshot.resources.keys().map(|address| address.path().to_owned()).collect()
}

fn journal(root: &Path) -> std::path::PathBuf {
    root.join("acme/prod/journal/3/1.jsonl")
}

#[tokio::test]
async fn what_no_snapshot_has_is_counted() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    assert_eq!(unfolded(&location(folder.path())).await.expect("readable"), 4);
    written(&location(folder.path()), &["later"]).await;
    assert_eq!(unfolded(&location(folder.path())).await.expect("readable"), 0);
}

#[tokio::test]
async fn a_journal_counts_up_to_its_damage() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let text = fs::read_to_string(journal(folder.path())).expect("a journal");
    fs::write(journal(folder.path()), text.replace("id-d", "id-?")).expect("written");
    let repair = damaged(folder.path()).await;
    assert!(repair.problem.summary.contains("journal/3/1.jsonl` is damaged"), "{}", repair.problem);
    assert_eq!(repair.from, Some(2));
    let said = repair.findings.join("\n");
    assert!(said.contains("line 3") && said.contains("is lost"), "{said}");
    assert_eq!(repaired(folder.path()).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn an_open_intent_stays_open() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    fs::remove_file(folder.path().join("acme/prod/head.json")).expect("removed");
    assert_eq!(repaired(folder.path()).await, ["a", "b", "c", "d", "e"]);
    let reading = read(&location(folder.path()), World::Real, &no_environment()).await.expect("readable");
    assert_eq!(reading.open.iter().map(|open| &open.intent.target.address).collect::<Vec<_>>(), [&address("open")]);
}

#[tokio::test]
async fn a_run_that_another_one_repaired_under_cannot_write_on() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    fs::remove_file(folder.path().join("acme/prod/head.json")).expect("removed");
    let first = damaged(folder.path()).await;
    damaged(folder.path()).await.carry_out(&location(folder.path()), &ana()).await.expect("repaired");
    let said = first.carry_out(&location(folder.path()), &ana()).await.expect_err("too late").to_string();
    assert!(said.contains("was written by somebody else"), "{said}");
}

#[tokio::test]
async fn where_nothing_is_left_the_problem_is_said_and_nothing_made_up() {
    let folder = tempfile::tempdir().expect("a directory");
    let head = folder.path().join("acme/prod/head.json");
    fs::create_dir_all(head.parent().expect("a folder")).expect("made");
    fs::write(&head, "{").expect("written");
    let said =
        examine(&location(folder.path()), World::Real, &no_environment()).await.expect_err("nothing").to_string();
    assert!(said.contains("head.json` is damaged"), "{said}");
}

#[tokio::test]
async fn a_newer_state_and_one_of_the_other_world_are_no_damage() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let place = location(folder.path());
    assert!(examine(&place, World::Sandbox, &no_environment()).await.is_err());
    let head = folder.path().join("acme/prod/head.json");
    let mut newer: serde_json::Value = serde_json::from_slice(&fs::read(&head).expect("a head")).expect("JSON");
    newer["version"] = 99.into();
    fs::write(&head, newer.to_string()).expect("written");
    let said = examine(&place, World::Real, &no_environment()).await.expect_err("newer").to_string();
    assert!(said.contains("was written by a newer version"), "{said}");
}

/// The head as it is, and as damage left it.
async fn with_head(root: &Path, change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    stack(root).await;
    let path = root.join("acme/prod/head.json");
    let mut head: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("a head")).expect("JSON");
    change(&mut head);
    fs::write(&path, head.to_string()).expect("written");
    head.to_string().into_bytes()
}

fn kept(root: &Path) -> Vec<Vec<u8>> {
    let damaged = fs::read_dir(root.join("acme/prod/damaged")).expect("a folder");
    damaged.map(|file| fs::read(file.expect("an entry").path()).expect("a file")).collect()
}

#[tokio::test]
async fn a_head_that_does_not_fit_is_kept_and_the_world_is_its_snapshot_s() {
    let folder = tempfile::tempdir().expect("a directory");
    let head = with_head(folder.path(), |head| head["world"] = "sandbox".into()).await;
    let repair = damaged(folder.path()).await;
    assert_eq!(repair.from, Some(2));
    assert!(repair.findings[0].ends_with("does not fit the snapshot that it names"), "{:?}", repair.findings);
    assert_eq!(repaired(folder.path()).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(kept(folder.path()), [head]);
}

#[tokio::test]
async fn an_old_copy_of_a_head_is_kept_and_the_newest_snapshot_gone_on_from() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    written(&place, &["a"]).await;
    let path = folder.path().join("acme/prod/head.json");
    let old = fs::read(&path).expect("a head");
    written(&place, &["b"]).await;
    written(&place, &["c"]).await;
    fs::write(&path, &old).expect("put back");
    let repair = damaged(folder.path()).await;
    assert_eq!(repair.from, Some(3));
    assert!(repair.findings[0].ends_with("is older than what was journalled"), "{:?}", repair.findings);
    assert_eq!(repaired(folder.path()).await, ["a", "b", "c"]);
    assert_eq!(kept(folder.path()), [old]);
}
