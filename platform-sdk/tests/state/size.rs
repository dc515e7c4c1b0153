//! State stays small, and ten thousand resources come back as they were.

use std::{fs, time::Instant};

use platform_sdk::{
    desired::{Tree, canonical},
    state::{Referred, World, lease, read},
};
use serde_json::json;

use super::fixture::{address, ana, location, no_environment, resource};

#[tokio::test]
async fn ten_thousand_resources_take_at_most_twice_their_inputs_and_outputs() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = location(folder.path());
    let mut lease = lease(&place, World::Real, &no_environment(), &ana()).await.expect("a lease");
    let mut snapshot = lease.reading().snapshot.clone();
    let mut payload = 0;
    for number in 0..10_000_u32 {
        let before = format!("layer-{}/item-{:05}", number / 1_000, number.saturating_sub(1_000));
        let input =
            json!({"input": {"name": format!("item-{number:05}"), "from": format!("id-{before}"), "size": number}});
        let mut state = resource(&format!("layer-{}/item-{number:05}", number / 1_000), Tree::from(input));
        if number >= 1_000 {
            state.references.insert("input.from".to_owned(), Referred { to: address(&before), field: "id".into() });
            state.dependencies = [address(&before)].into();
        }
        payload += [&state.inputs, &state.outputs]
            .map(|tree| canonical(&tree.plain().expect("known")).len())
            .iter()
            .sum::<usize>();
        snapshot.resources.insert(state.address.clone(), state.into());
    }
    let started = Instant::now();
    let commit = lease.commit(&snapshot).await.expect("committed");
    let wrote = started.elapsed();
    lease.release().await.expect("released");
    let hash = commit.snapshot.expect("a snapshot");
    let file = fs::read(folder.path().join(format!("acme/prod/snapshots/{hash}.json"))).expect("a file");
    let started = Instant::now();
    let reading = read(&place, World::Real, &no_environment()).await.expect("a reading");
    let took = started.elapsed();
    #[expect(clippy::print_stderr, reason = "a measurement, for who runs this with --nocapture")]
    {
        eprintln!("{} bytes for {payload}; wrote in {wrote:?}, read in {took:?}", file.len());
    }
    assert!(reading.snapshot == snapshot, "all came back");
    assert!(file.len() <= 2 * payload, "{} bytes for {payload}", file.len());
    let text = canonical(&serde_json::from_slice(&file).expect("JSON"));
    assert!(text.as_bytes() == file, "the file is canonical JSON");
}
