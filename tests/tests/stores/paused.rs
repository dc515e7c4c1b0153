//! A holder in a bucket that stands still past its lease, at every point between two effects: another one takes over, and the
//! woken one sends nothing more.

use std::{thread, time::Duration};

use crate::{
    bucket::{Bucket, Service},
    team::Team,
};

const UP: &[&str] = &["up", "--yes", "--parallel", "1"];

/// What a point is called after which a run asks and writes nothing more.
const OVER: &str = "the head has moved";

/// Every kind of point that a run passes, and how often it may.
const POINTS: [(&str, u64); 15] = [
    ("before the fence is raised", 1),
    ("the fence is raised", 1),
    // An intent and an outcome for each of three, and an id; some may share a flush.
    ("before records are durable", 7),
    ("records are durable", 7),
    ("before a create is sent", 1),
    ("an id is known", 1),
    ("a create is answered", 1),
    ("it is ready", 1),
    ("before an update is sent", 1),
    ("an update is answered", 1),
    ("before a delete is sent", 1),
    ("a delete is answered", 1),
    ("before the snapshot is written", 1),
    ("the snapshot is written", 1),
    (OVER, 1),
];

/// A run that creates, updates and deletes, and stands still when it passes this point for the `nth` time.
fn life(bucket: &Bucket, (point, nth): (&str, u64)) {
    let at = format!("{nth} {point}");
    let mut team = Team::at(&bucket.folder(&at.replace(' ', "-")), bucket.environment());
    team.set(&[("SHOP_PARTS", "kept old"), ("SHOP_NOTE", "first")]);
    team.done(UP);
    team.set(&[("SHOP_PARTS", "kept new"), ("SHOP_NOTE", "second"), ("PLATFORM_PAUSE_AT", &at)]);
    let mut first = team.start(UP);
    team.set(&[("PLATFORM_PAUSE_AT", "")]);
    if !first.stands_still() {
        let ran = first.ended();
        assert!(nth > 1 && ran.code == Some(0), "it passes {at}: {ran:?}");
        return;
    }
    let (id, sent) = (first.id(), team.requests_of(first.id()));
    let second = team.run_in_its_place(UP);
    assert_eq!(second.code, Some(0), "{at}: {second:?}");
    assert!(second.err.contains("waiting for a sign of life"), "{at}: {second:?}");
    assert_whole(&team);
    first.signal("CONT");
    let woken = first.ended();
    assert_eq!(team.requests_of(id), sent, "{at}: it sends nothing more: {woken:?}");
    assert_whole(&team);
    if point != OVER {
        assert_eq!(woken.code, Some(1), "{at}: {woken:?}");
        assert!(woken.err.contains("another run has taken over this stack"), "{at}: it says why: {woken:?}");
    }
    // What it learned and could not write down any more does no harm to the next one.
    team.done(UP);
    assert_whole(&team);
}

#[track_caller]
fn assert_whole(team: &Team) {
    team.assert_exactly(&["kept", "new"]);
    assert_eq!(team.notes(), ["second".to_owned()].into());
}

/// How far apart the lives begin, so that they wait at once and work one after the other.
const APART: Duration = Duration::from_millis(250);

/// In S3 every time that a run passes a point, elsewhere once: what differs there is the store, not the run.
fn stands_still_at_every_point(service: Service) {
    let Some(bucket) = Bucket::start(service, "paused at every point") else { return };
    let times = |most| if service == Service::S3 { most } else { 1 };
    let points = POINTS.into_iter().flat_map(|(point, most)| (1..=times(most)).map(move |nth| (point, nth)));
    thread::scope(|scope| {
        for point in points {
            let bucket = &bucket;
            scope.spawn(move || life(bucket, point));
            thread::sleep(APART);
        }
    });
}

#[test]
fn a_holder_that_stood_still_past_its_lease_sends_nothing_more_wherever_it_stood() {
    Service::each(stands_still_at_every_point);
}
