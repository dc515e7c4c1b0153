//! Every page that the providers have, broken off at every call of a create, an update, a replacement and a delete: where
//! it is refused from then on, where its answer is lost, and where the process dies. Each time a plan works, the next run
//! comes to where an undisturbed one comes, with the same objects, nothing is left to do, and nothing is left in the end.

mod cases;
mod stage;
mod walk;

use std::{collections::BTreeSet, sync::Mutex, thread};

use platform_aws::Aws;
use platform_databricks::{AccountProvider, WorkspaceProvider};
use platform_sdk::{Provider as _, Schema};

use crate::{
    cases::CASES,
    walk::{Run, Walk, Walked},
};

/// How many walks go on at once: much of their time is spent waiting.
const AT_ONCE: usize = 12;

#[test]
#[expect(clippy::print_stdout, reason = "how many calls each page was broken off at")]
fn every_page_can_be_broken_off_at_every_call() {
    let walks = CASES.iter().flat_map(|case| Run::of(case).map(move |run| (*case, run)));
    let to_walk = Mutex::new(walks.collect::<Vec<_>>());
    let counted = Mutex::new(BTreeSet::new());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = to_walk.lock().expect("nobody panics while it is held").pop();
                    let Some((case, run)) = next else { return };
                    let Walked { calls, wrong: found } = Walk::over(case, run);
                    let calls: Vec<String> = calls.iter().map(|(how, calls)| format!("{how:?} {calls}")).collect();
                    let line = format!("{} {run:?}: {}", case.type_name, calls.join(", "));
                    counted.lock().expect("nobody panics while it is held").insert(line);
                    let of = |what| format!("{} {run:?}, {what}", case.type_name);
                    wrong.lock().expect("nobody panics while it is held").extend(found.into_iter().map(of));
                }
            });
        }
    });
    for line in counted.into_inner().expect("nobody panics while it is held") {
        println!("{line}");
    }
    let wrong = wrong.into_inner().expect("nobody panics while it is held");
    assert!(wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

fn schemas() -> Vec<&'static Schema> {
    let connectors = [
        WorkspaceProvider::from_env().connector(),
        AccountProvider::from_env().connector(),
        Aws::from_env().connector(),
    ];
    connectors.iter().flat_map(|connector| connector.schemas()).collect()
}

#[test]
fn every_type_that_a_provider_lists_is_walked() {
    let listed: BTreeSet<&str> = schemas().into_iter().map(|schema| schema.type_name).collect();
    let walked: BTreeSet<&str> = CASES.iter().map(|case| case.type_name).collect();
    assert_eq!(walked, listed, "declare it in `cases.rs`");
}
