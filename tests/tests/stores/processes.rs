//! Two real processes on one stack: racing, killed, paused; in a directory, and in each kind of bucket.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    bucket::{Bucket, Service},
    team::{Process, Ran, Team},
};

const UP: &[&str] = &["up", "--yes", "--parallel", "2"];
const PARTS: usize = 8;

/// Where nothing but silence tells that a holder is dead.
const SILENCE: Duration = Duration::from_secs(20);

/// Who comes second is told who came first, and since when.
#[track_caller]
fn assert_told(ran: &Ran) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("stack `shared/dev` is in use"), "{ran:?}");
    assert!(ran.err.contains("held by ana on host-1 since 20") && ran.err.contains("(run "), "{ran:?}");
}

/// The same; or it has waited, and says for whom.
#[track_caller]
fn assert_told_or_waited(ran: &Ran) {
    if ran.code != Some(0) {
        return assert_told(ran);
    }
    let said = "stack `shared/dev` is held by ana on host-1 since 20";
    assert!(ran.err.contains(said) && ran.err.contains("waiting for a sign of life"), "{ran:?}");
}

fn racing(team: &Team) {
    // At the same moment: who is faster works, and the other may come when that is done.
    let both: Vec<Process> = (0..2).map(|_| team.start(UP)).collect();
    let ran: Vec<Ran> = both.into_iter().map(Process::ended).collect();
    let told = ran.iter().filter(|ran| ran.code != Some(0)).inspect(|ran| assert_told(ran)).count();
    assert!(told <= 1, "one of them works: {ran:?}");
    assert_eq!(team.run(UP).code, Some(0), "and the other does once it is done");
    team.assert_whole(PARTS);
    // In the middle.
    team.done(&["destroy", "--yes"]);
    let first = team.start(&["up", "--yes", "--parallel", "1"]);
    team.until_parts(1);
    assert_told_or_waited(&team.run(UP));
    let first = first.ended();
    assert_eq!(first.code, Some(0), "{first:?}");
    team.assert_whole(PARTS);
}

/// Kills a run in its middle; how the next one goes, and how long it takes.
fn after_a_kill(team: &Team) -> (Ran, Duration) {
    let first = team.start(UP);
    team.until_parts(3);
    first.signal("KILL");
    first.ended();
    let export = team.run(&["state", "export"]);
    assert!(export.err.contains("are not in this export") || export.err.contains("no snapshot yet"), "{export:?}");
    let began = Instant::now();
    let second = team.run_in_its_place(UP);
    assert_eq!(second.code, Some(0), "{second:?}");
    team.assert_whole(PARTS);
    (second, began.elapsed())
}

/// A run that is paused in its middle, and the requests that it had sent.
fn paused(team: &Team) -> (Process, Vec<String>) {
    let first = team.start(UP);
    team.until_parts(3);
    loop {
        first.signal("STOP");
        thread::sleep(Duration::from_millis(50));
        let sent = team.requests_of(first.id());
        // The service is in the same process: what was sent must have arrived before that stands still.
        if sent.iter().filter(|request| request.starts_with("create ")).count() == team.parts().len() {
            return (first, sent);
        }
        first.signal("CONT");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn in_a_directory_one_works_and_the_other_is_told() {
    racing(&Team::in_a_directory());
}

#[test]
fn in_a_directory_what_a_living_run_is_doing_is_not_for_repair_to_find_out() {
    let team = Team::in_a_directory();
    let (first, _) = paused(&team);
    let repair = team.run(&["state", "repair", "--yes"]);
    assert_told(&repair);
    assert!(!format!("{}{}", repair.out, repair.err).contains("interrupted"), "{repair:?}");
    first.signal("CONT");
    let first = first.ended();
    assert_eq!(first.code, Some(0), "{first:?}");
    team.assert_whole(PARTS);
}

#[test]
fn in_a_directory_a_killed_holder_is_taken_over_at_once() {
    let (second, _) = after_a_kill(&Team::in_a_directory());
    assert!(!second.err.contains("waiting for a sign of life"), "{second:?}");
}

#[test]
fn in_a_directory_a_paused_holder_keeps_its_lock_and_goes_on() {
    let team = Team::in_a_directory();
    let (first, _) = paused(&team);
    assert_told(&team.run(UP));
    first.signal("CONT");
    let first = first.ended();
    assert_eq!(first.code, Some(0), "{first:?}");
    team.assert_whole(PARTS);
}

fn killed_in_a_bucket(team: &Team) {
    let (second, took) = after_a_kill(team);
    assert!(took >= SILENCE, "{took:?}");
    assert_told_or_waited(&second);
}

/// Who knows that a holder is gone need not wait until its silence shows it.
fn unlocked_in_a_bucket(team: &Team) {
    let first = team.start(UP);
    team.until_parts(3);
    first.signal("KILL");
    first.ended();
    let refused = team.run(&["state", "unlock", "someone"]);
    assert!(refused.code == Some(1) && refused.err.contains("no run `someone` holds the lease"), "{refused:?}");
    let (_, run) = refused.err.split_once("(run ").expect("the one that does is named");
    let run = run.split_once(')').expect("in brackets").0;
    assert!(team.done(&["state", "unlock", run]).contains("took the lease from ana on host-1"));
    let second = team.run(UP);
    assert!(second.code == Some(0) && !second.err.contains("waiting for a sign of life"), "{second:?}");
    team.assert_whole(PARTS);
}

fn paused_in_a_bucket(team: &Team) {
    let (first, sent) = paused(team);
    let (id, second) = (first.id(), team.run_in_its_place(UP));
    assert_eq!(second.code, Some(0), "{second:?}");
    team.assert_whole(PARTS);
    first.signal("CONT");
    let woken = first.ended();
    assert_eq!(woken.code, Some(1), "{woken:?}");
    assert!(woken.err.contains("another run has taken over this stack"), "it says why: {woken:?}");
    assert_eq!(team.requests_of(id), sent, "the woken one sends nothing");
    team.assert_whole(PARTS);
    team.done(UP);
}

fn in_a_bucket(service: Service) {
    let Some(bucket) = Bucket::start(service, "two processes") else { return };
    let team = |name: &str| Team::at(&bucket.folder(name), bucket.environment());
    thread::scope(|scope| {
        scope.spawn(|| racing(&team("racing")));
        scope.spawn(|| killed_in_a_bucket(&team("killed")));
        scope.spawn(|| unlocked_in_a_bucket(&team("unlocked")));
        scope.spawn(|| paused_in_a_bucket(&team("paused")));
    });
}

#[test]
fn in_a_bucket_one_works_a_killed_one_is_taken_over_and_a_paused_one_sends_nothing_more() {
    Service::each(in_a_bucket);
}
