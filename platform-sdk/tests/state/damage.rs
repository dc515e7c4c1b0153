//! What is damaged, newer, foreign, missing or unwritable is refused by name, and left as it was.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use platform_sdk::state::{Examined, FORMAT_VERSION, World, examine, history, lease, read, unfolded};

use super::fixture::{ana, files, intent, location, no_environment, resource, written};

/// A stack with two snapshots and a journal that no snapshot has.
async fn stack(root: &Path) {
    let place = location(root);
    written(&place, &["a"]).await;
    written(&place, &["b"]).await;
    let lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let target = resource("c", platform_sdk::desired::Tree::default());
    lease.journal().append(intent("1", target)).await.expect("durable");
    lease.release().await.expect("released");
}

fn restore(files: &BTreeMap<PathBuf, Vec<u8>>) {
    for (path, content) in files {
        fs::write(path, content).expect("written");
    }
}

/// Says what both ways in say, and that they changed nothing.
async fn refused(root: &Path) -> String {
    let before = files(root);
    let place = location(root);
    let reader = read(&place, World::Real, &no_environment()).await.expect_err("refused").to_string();
    let writer = lease(&place, World::Real, &no_environment(), &ana()).await.expect_err("refused").to_string();
    assert_eq!(reader, writer);
    assert_eq!(files(root), before, "nothing was changed");
    reader
}

fn head(root: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(root.join("acme/prod/head.json")).expect("a head")).expect("JSON")
}

fn current_snapshot(root: &Path) -> PathBuf {
    let hash = head(root)["snapshot"].as_str().expect("a hash").to_owned();
    root.join(format!("acme/prod/snapshots/{hash}.json"))
}

#[tokio::test]
async fn every_flipped_bit_of_snapshot_and_journal_is_found() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let sound = files(folder.path());
    for path in [current_snapshot(folder.path()), folder.path().join("acme/prod/journal/3/1.jsonl")] {
        let content = &sound[&path];
        for at in (0..content.len()).step_by(7).chain([content.len() - 1]) {
            let mut flipped = content.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, flipped).expect("written");
            let said = read(&location(folder.path()), World::Real, &no_environment()).await;
            let said = said.expect_err("a flipped bit").to_string();
            assert!(said.contains(&format!("`{}` is damaged", path.display())), "{said}");
        }
        restore(&sound);
    }
}

#[tokio::test]
async fn a_flipped_bit_of_the_head_never_leads_elsewhere() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let place = location(folder.path());
    let sound = read(&place, World::Real, &no_environment()).await.expect("sound");
    let path = folder.path().join("acme/prod/head.json");
    let content = fs::read(&path).expect("a head");
    for at in 0..content.len() {
        for bit in 0..8 {
            let mut flipped = content.clone();
            flipped[at] ^= 1 << bit;
            fs::write(&path, flipped).expect("written");
            if let Ok(reading) = read(&place, World::Real, &no_environment()).await {
                assert_eq!(reading.snapshot, sound.snapshot, "byte {at}, bit {bit}");
            }
        }
    }
}

#[tokio::test]
async fn a_missing_snapshot_is_named_and_the_last_good_one_offered() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let path = current_snapshot(folder.path());
    fs::remove_file(&path).expect("removed");
    let said = refused(folder.path()).await;
    assert!(said.contains(&format!("`{}` is missing", path.display())), "{said}");
    assert!(said.contains("the last good snapshot is serial 1"), "{said}");
}

#[tokio::test]
async fn a_missing_head_is_no_empty_state() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    fs::remove_file(folder.path().join("acme/prod/head.json")).expect("removed");
    let said = refused(folder.path()).await;
    assert!(said.contains("head.json` is damaged") && said.contains("it is missing"), "{said}");
}

#[tokio::test]
async fn a_missing_part_of_the_journal_is_named() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let journal = folder.path().join("acme/prod/journal/3");
    fs::rename(journal.join("1.jsonl"), journal.join("2.jsonl")).expect("renamed");
    let said = refused(folder.path()).await;
    assert!(said.contains("journal/3/1.jsonl` is damaged"), "{said}");
}

#[tokio::test]
async fn a_head_that_does_not_fit_its_snapshot_is_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let path = folder.path().join("acme/prod/head.json");
    let sound = head(folder.path());
    for (field, other) in [("parent", serde_json::Value::Null), ("serial", 1.into())] {
        let mut head = sound.clone();
        head[field] = other;
        fs::write(&path, head.to_string()).expect("written");
        let said = refused(folder.path()).await;
        let named = said.contains(&format!("`{}` is damaged", path.display()));
        let why = format!("its {field} is not that of the snapshot that it names");
        assert!(named && said.contains(&why), "{said}");
    }
}

#[tokio::test]
async fn newer_versions_are_named() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let path = folder.path().join("acme/prod/head.json");
    let text = fs::read_to_string(&path).expect("a head");
    let of = |version: u32| format!("\"version\": {version}");
    fs::write(&path, text.replace(&of(FORMAT_VERSION), &of(FORMAT_VERSION + 1))).expect("written");
    let said = refused(folder.path()).await;
    let newer = format!("version {}", FORMAT_VERSION + 1);
    assert!(said.contains("was written by a newer version") && said.contains(&newer), "{said}");
}

#[tokio::test]
async fn files_of_another_stack_are_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    fs::rename(folder.path().join("acme/prod"), folder.path().join("acme/test")).expect("renamed");
    let place = platform_sdk::state::Location::new(folder.path().to_str().expect("text"), "acme", "test");
    let said =
        read(&place.expect("a location"), World::Real, &no_environment()).await.expect_err("foreign").to_string();
    assert!(said.contains("it belongs to `acme/prod`"), "{said}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a directory");
    let root = folder.path().join("a-file");
    fs::write(&root, b"x").expect("written");
    let said =
        lease(&location(&root), World::Real, &no_environment(), &ana()).await.expect_err("no directory").to_string();
    assert!(said.contains(&format!("cannot lock `{}/acme/prod/lease.json`", root.display())), "{said}");
    assert!(said.contains("--state"), "{said}");
    assert_eq!(fs::read(&root).expect("still there"), b"x");
}

#[tokio::test]
async fn an_old_copy_of_a_head_is_no_head() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    written(&place, &["a"]).await;
    let path = folder.path().join("acme/prod/head.json");
    let old = fs::read(&path).expect("a head");
    written(&place, &["b"]).await;
    fs::write(&path, old).expect("put back");
    let said = refused(folder.path()).await;
    let named = format!("`{}` is damaged", path.display());
    assert!(said.contains(&named) && said.contains("it is older than"), "{said}");
    let told = history(&place).await.expect_err("nor of a history").to_string();
    assert!(told.contains("it is older than"), "{told}");
}

#[tokio::test]
async fn a_head_of_another_world_than_its_snapshot_is_damaged() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let path = folder.path().join("acme/prod/head.json");
    let text = fs::read_to_string(&path).expect("a head");
    fs::write(&path, text.replace("\"real\"", "\"sandbox\"")).expect("written");
    let said = refused(folder.path()).await;
    assert!(said.contains("its world is not that of the snapshot that it names"), "{said}");
}

/// Both ways in, the history, and what repair would do: each says something within a moment, whatever a number says.
async fn answers_at_once(root: &Path) -> Vec<String> {
    let place = location(root);
    let environment = no_environment();
    let asked = async {
        let mut said = Vec::new();
        said.extend(read(&place, World::Real, &environment).await.err().map(|error| error.to_string()));
        match lease(&place, World::Real, &environment, &ana()).await {
            Err(error) => said.push(error.to_string()),
            Ok(lease) => lease.release().await.expect("released"),
        }
        said.extend(history(&place).await.err().map(|error| error.to_string()));
        said.extend(unfolded(&place).await.err().map(|error| error.to_string()));
        said.extend(examine(&place, World::Real, &environment).await.err().map(|error| error.to_string()));
        said
    };
    tokio::time::timeout(Duration::from_secs(5), asked).await.expect("no number costs more than its file")
}

/// Writes a snapshot that differs, under the name that its bytes give it, and a head that names it.
fn replant(root: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let mut snapshot: serde_json::Value =
        serde_json::from_slice(&fs::read(current_snapshot(root)).expect("a snapshot")).expect("JSON");
    change(&mut snapshot["entry"]);
    let bytes = snapshot.to_string();
    let hash = platform_sdk::desired::Hash::of(bytes.as_bytes()).to_string();
    fs::write(root.join(format!("acme/prod/snapshots/{hash}.json")), bytes).expect("written");
    let mut head = head(root);
    head["snapshot"] = hash.into();
    for field in ["serial", "fence"] {
        if snapshot["entry"][field].as_u64() > head[field].as_u64() || field == "serial" {
            head[field] = snapshot["entry"][field].clone();
        }
    }
    fs::write(root.join("acme/prod/head.json"), head.to_string()).expect("written");
}

const NUMBERS: [u64; 6] = [2_000, 9_999_999_999, 1 << 53, i64::MAX as u64, u64::MAX - 1, u64::MAX];

#[tokio::test]
async fn no_number_of_a_head_hangs_a_command() {
    for (field, number) in ["fence", "serial", "version"].into_iter().flat_map(|f| NUMBERS.map(|n| (f, n))) {
        let folder = tempfile::tempdir().expect("a directory");
        stack(folder.path()).await;
        let path = folder.path().join("acme/prod/head.json");
        let mut head = head(folder.path());
        head[field] = number.into();
        fs::write(&path, head.to_string()).expect("written");
        let said = answers_at_once(folder.path()).await;
        let named = said.first().is_some_and(|said| said.contains("head.json`"));
        assert!(named, "{field} {number}: {said:?}");
    }
}

#[tokio::test]
async fn a_head_whose_fence_no_run_can_have_reached_is_repaired() {
    for number in NUMBERS {
        let folder = tempfile::tempdir().expect("a directory");
        stack(folder.path()).await;
        let place = location(folder.path());
        let owned = read(&place, World::Real, &no_environment()).await.expect("sound").snapshot;
        let mut head = head(folder.path());
        head["fence"] = number.into();
        fs::write(folder.path().join("acme/prod/head.json"), head.to_string()).expect("written");
        let said = refused(folder.path()).await;
        assert!(said.contains("its fence"), "{said}");
        let examined = examine(&place, World::Real, &no_environment()).await.expect("examined");
        let Examined::Damaged(repair) = examined else { panic!("{examined:?}") };
        repair.carry_out(&place, &ana()).await.expect("repaired");
        let now = read(&place, World::Real, &no_environment()).await.expect("sound again");
        assert_eq!(now.snapshot, owned);
        written(&place, &["z"]).await;
    }
}

#[tokio::test]
async fn no_number_of_a_snapshot_or_a_journal_hangs_a_command() {
    for (field, number) in ["fence", "serial", "part", "version"].into_iter().flat_map(|f| NUMBERS.map(|n| (f, n))) {
        let folder = tempfile::tempdir().expect("a directory");
        stack(folder.path()).await;
        replant(folder.path(), |entry| entry[field] = number.into());
        answers_at_once(folder.path()).await;
    }
    for number in NUMBERS {
        let folder = tempfile::tempdir().expect("a directory");
        stack(folder.path()).await;
        let journal = folder.path().join("acme/prod/journal");
        fs::copy(journal.join("3/1.jsonl"), journal.join(format!("3/{number}.jsonl"))).expect("copied");
        let said = answers_at_once(folder.path()).await;
        assert!(said.iter().any(|said| said.contains("journal/3/2.jsonl`")), "{said:?}");
        let folder = tempfile::tempdir().expect("a directory");
        stack(folder.path()).await;
        let journal = folder.path().join("acme/prod/journal");
        fs::rename(journal.join("3"), journal.join(number.to_string())).expect("renamed");
        answers_at_once(folder.path()).await;
    }
}

#[tokio::test]
async fn runs_that_died_between_their_fence_and_their_first_word_are_many_and_no_damage() {
    let folder = tempfile::tempdir().expect("a directory");
    stack(folder.path()).await;
    let place = location(folder.path());
    let owned = read(&place, World::Real, &no_environment()).await.expect("sound").snapshot;
    let mut head = head(folder.path());
    head["fence"] = 60.into();
    fs::write(folder.path().join("acme/prod/head.json"), head.to_string()).expect("written");
    assert_eq!(read(&place, World::Real, &no_environment()).await.expect("sound").snapshot, owned);
    written(&place, &["z"]).await;
    assert!(folder.path().join("acme/prod/journal/60/1.jsonl").exists(), "its journal is sealed");
}
