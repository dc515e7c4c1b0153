//! What people do to a state in a bucket by hand: copying, going back, rotating its key, taking it elsewhere, repairing it.

use std::fs;

use crate::{
    bucket::{Bucket, Service},
    team::Team,
};

const UP: &[&str] = &["up", "--yes", "--parallel", "8"];

/// A stack of two snapshots and a secret, in a bucket.
fn stack(bucket: &Bucket, name: &str) -> Team {
    let mut team = Team::at(&bucket.folder(name), bucket.environment());
    team.set(&[("PLATFORM_PASSPHRASE", "the old one"), ("SHOP_TOKEN", "hush-canary"), ("SHOP_NOTE", "first")]);
    team.done(UP);
    team.set(&[("SHOP_NOTE", "second")]);
    team.done(UP);
    team
}

fn copied(bucket: &Bucket) {
    let mut team = stack(bucket, "copied");
    let there = team.history();
    assert_eq!(there.len(), 2, "{there:?}");
    team.done(&["state", "copy-to", "local"]);
    team.move_to("local");
    assert_eq!(team.history(), there, "from the bucket to a directory");
    let back = bucket.folder("copied-back");
    team.done(&["state", "copy-to", &back]);
    team.move_to(&back);
    assert_eq!(team.history(), there, "and from there to the bucket");
    assert!(team.done(&["output", "token", "--show-secrets"]).contains("hush-canary"));
    assert!(team.run(&["plan", "--detailed-exitcode"]).code == Some(0), "and it is the stack");
}

fn rolled_back(bucket: &Bucket) {
    let team = stack(bucket, "rolled-back");
    assert_eq!(team.notes(), ["second".to_owned()].into());
    assert!(team.done(&["state", "show", "shop:Part::part-1", "--at", "1"]).contains("first"));
    team.done(&["rollback", "1", "--yes"]);
    assert_eq!(team.notes(), ["first".to_owned()].into());
    assert_eq!(team.history().len(), 3);
}

fn rotated(bucket: &Bucket) {
    let mut team = stack(bucket, "rotated");
    team.set(&[("PLATFORM_NEW_PASSPHRASE", "the new one")]);
    team.done(&["state", "rotate-key", "--re-encrypt"]);
    team.set(&[("PLATFORM_NEW_PASSPHRASE", "")]);
    let old = team.run(&["output", "token", "--show-secrets"]);
    assert!(old.code == Some(1) && old.err.contains("passphrase") && !old.err.contains("hush"), "{old:?}");
    team.set(&[("PLATFORM_PASSPHRASE", "the new one")]);
    assert!(team.done(&["output", "token", "--show-secrets"]).contains("hush-canary"));
    assert!(team.run(&["plan", "--detailed-exitcode"]).code == Some(0), "hashes stay");
}

fn exported(bucket: &Bucket) {
    let mut team = stack(bucket, "exported");
    let text = team.done(&["state", "export"]);
    assert!(!text.contains("hush-canary"));
    fs::write(team.folder().join("state.json"), text).expect("written");
    team.move_to(&bucket.folder("imported"));
    team.done(&["state", "import", "state.json", "--yes"]);
    assert!(team.done(&["output", "token", "--show-secrets"]).contains("hush-canary"));
    team.assert_whole(8);
}

fn repaired(bucket: &Bucket) {
    let team = stack(bucket, "repaired");
    let hash = team.history().iter().find(|snapshot| snapshot[0] == 2).expect("serial 2")[1].clone();
    let hash = hash.as_str().expect("text");
    bucket.overwrite(&bucket.folder("repaired"), &format!("shared/dev/snapshots/{hash}.json"), "{}");
    let refused = team.run(UP);
    assert!(refused.code == Some(1) && refused.err.contains(hash), "named: {refused:?}");
    assert!(refused.err.contains("the last good snapshot is serial 1"), "offered: {refused:?}");
    let asked = team.run(&["state", "repair"]);
    assert!(asked.code == Some(64) && format!("{}{}", asked.out, asked.err).contains("serial 1"), "{asked:?}");
    team.done(&["state", "repair", "--yes"]);
    team.done(UP);
    team.assert_whole(8);
}

fn by_hand(service: Service) {
    let Some(bucket) = Bucket::start(service, "by hand") else { return };
    std::thread::scope(|scope| {
        for scenario in [copied, rolled_back, rotated, exported, repaired] {
            let bucket = &bucket;
            scope.spawn(move || scenario(bucket));
        }
    });
}

#[test]
fn a_state_in_a_bucket_is_copied_rolled_back_rotated_exported_and_repaired() {
    Service::each(by_hand);
}
