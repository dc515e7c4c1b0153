//! What state takes on disk: at most twice the canonical JSON of what it is about, inputs and outputs.

use std::{collections::BTreeMap, fs};

use platform_bench::{Graph, Shape, data};
use platform_sdk::{
    Program,
    desired::canonical,
    state::{Holder, Location, ResourceState, Snapshot, World, lease},
    testing::Harness,
};

/// The bytes of a snapshot's file.
fn written(snapshot: &Snapshot) -> usize {
    let folder = tempfile::tempdir().expect("a directory");
    let place = Location::new(folder.path().to_str().expect("text"), "bench", "dev").expect("a location");
    let environment = BTreeMap::new();
    let commit = async {
        let mut lease = lease(&place, World::Real, &environment, &Holder::here(&environment)).await.expect("a lease");
        let commit = lease.commit(snapshot).await.expect("committed");
        lease.release().await.expect("released");
        commit.snapshot.expect("a snapshot")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let hash = runtime.block_on(commit);
    let file = folder.path().join(format!("bench/dev/snapshots/{hash}.json"));
    fs::metadata(file).expect("a file").len().try_into().expect("a size")
}

/// The bytes of a resource's inputs and outputs.
fn payload(state: &ResourceState) -> usize {
    [&state.inputs, &state.outputs].map(|tree| canonical(&tree.plain().expect("known")).len()).iter().sum()
}

#[test]
fn state_takes_at_most_twice_what_it_is_about() {
    for (shape, size) in [(Shape::Layered, 100), (Shape::Layered, 5_000), (Shape::Chain, 5_000)] {
        let graph = Graph { shape, size };
        let harness = Harness::new();
        let run = harness.up(&Program::new("bench", move |stack| data(stack, graph))).expect("applied");
        assert!(run.failures.is_empty());
        let snapshot = harness.snapshot();
        let payload: usize = snapshot.resources.values().map(|state| payload(state)).sum();
        let file = written(&snapshot);
        assert!(file <= 2 * payload, "{graph}: {file} bytes for {payload} of inputs and outputs");
    }
}
