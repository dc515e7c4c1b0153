//! What a plan and an apply allocate: no more than the committed baseline, and no faster growth than the stack's.
//!
//! Allocations, not seconds: the same on a busy machine.

use std::{alloc::System, collections::BTreeMap, path::Path};

use platform_bench::{Graph, Parts, Shape, parts};
use platform_sdk::{
    Program,
    state::{Holder, Location, World, lease, read},
    testing::Harness,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How far above the baseline is still noise: hash maps grow at other moments in each run.
const SLACK: f64 = 1.03;

/// How far above four times as much is still linear: nodes of trees split at sizes of their own.
const LINEAR: f64 = 1.1;

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

fn counted<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let region = Region::new(ALLOCATOR);
    let result = work();
    (result, region.change().allocations + region.change().reallocations)
}

/// How often each stage allocates for a layered graph of this size.
fn allocations(size: usize) -> BTreeMap<String, usize> {
    let graph = Graph { shape: Shape::Layered, size };
    let program = Program::new("bench", move |stack| parts(stack, graph)).provider(Parts::default());
    let harness = Harness::new();
    let (run, apply) = counted(|| harness.up(&program).expect("applied"));
    assert!(run.failures.is_empty() && run.plan.summary.count("create") == size);
    drop(run);
    let (plan, keep) = counted(|| harness.plan_offline(&program).expect("a plan"));
    assert!(plan.is_empty());
    let (everything, destroy) = counted(|| deletes(&harness));
    assert_eq!(everything, size);
    let (write, reading) = state(&harness);
    [("apply", apply), ("plan", keep), ("plan of deletes", destroy), ("state write", write), ("state read", reading)]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
}

/// A plan that deletes everything: the program without its resources.
fn deletes(harness: &Harness) -> usize {
    let nothing = Program::new("bench", |_| Ok(())).provider(Parts::default());
    harness.plan_offline(&nothing).expect("a plan").summary.count("delete")
}

fn state(harness: &Harness) -> (usize, usize) {
    let folder = tempfile::tempdir().expect("a directory");
    let place = Location::new(folder.path().to_str().expect("text"), "bench", "dev").expect("a location");
    let environment = BTreeMap::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let who = Holder::here(&environment);
    let mut lease = runtime.block_on(lease(&place, World::Real, &environment, &who)).expect("a lease");
    let snapshot = harness.snapshot();
    let (commit, write) = counted(|| runtime.block_on(lease.commit(&snapshot)));
    assert!(commit.expect("committed").written);
    runtime.block_on(lease.release()).expect("released");
    let (reading, again) = counted(|| runtime.block_on(read(&place, World::Real, &environment)));
    assert_eq!(reading.expect("a reading").snapshot, snapshot);
    (write, again)
}

/// One test: another one at the same time would be counted along.
#[test]
fn allocations_grow_no_faster_than_the_stack_and_stay_below_the_baseline() {
    let _warm = allocations(10);
    let (small, large) = (allocations(1_000), allocations(4_000));
    let growth: Vec<String> = large
        .iter()
        .filter(|(name, count)| ratio(**count, small[*name]) > 4.0 * LINEAR)
        .map(|(name, count)| format!("{name}: {} for 1000 resources, {count} for 4000", small[name]))
        .collect();
    assert!(growth.is_empty(), "these grow faster than the stack:\n{}", growth.join("\n"));

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/allocations.json");
    let each: BTreeMap<String, f64> =
        large.iter().map(|(name, count)| (name.clone(), (ratio(*count, 4_000) * 10.0).round() / 10.0)).collect();
    if std::env::var_os("BENCH_BASELINE").is_some() {
        let text = serde_json::to_string_pretty(&each).expect("numbers") + "\n";
        std::fs::write(&file, text).expect("the baseline is written");
    }
    let text = std::fs::read_to_string(&file).expect("the committed baseline");
    let baseline: BTreeMap<String, f64> = serde_json::from_str(&text).expect("numbers by name");
    assert_eq!(baseline.keys().collect::<Vec<_>>(), each.keys().collect::<Vec<_>>());
    let above: Vec<String> = each
        .iter()
        .filter(|(name, count)| **count > baseline[*name] * SLACK)
        .map(|(name, count)| format!("{name}: {count} allocations a resource, {} in the baseline", baseline[name]))
        .collect();
    let hint = "if that is worth it, write a new baseline: BENCH_BASELINE=1 cargo test -p platform-bench --test growth";
    assert!(above.is_empty(), "{}\n{hint}", above.join("\n"));
}
