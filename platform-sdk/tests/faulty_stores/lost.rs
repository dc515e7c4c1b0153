//! A store that goes away in the middle of a run: nothing new is started, what is in flight is kept on the machine.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Duration};

use platform_sdk::{
    state::{Memory, Store},
    testing::{FaultyStore, StoreFaults},
};
use tempfile::TempDir;

use crate::{
    command::{Ran, reading, run},
    service::{CANARY, Plant, wanted},
};

const UP: &[&str] = &["up", "--yes", "--parallel", "4"];
const LAYERS: usize = 3;
const WIDTH: usize = 24;
const PARALLEL: usize = 4;

/// A stack whose first run has lost its store while parts were being made.
struct Torn {
    plant: Plant,
    store: Arc<dyn Store>,
    machine: TempDir,
    ran: Ran,
}

async fn torn() -> Torn {
    torn_after(1000).await
}

async fn torn_after(ms: u64) -> Torn {
    let plant = Plant::new(Duration::from_millis(400));
    let network = FaultyStore::new(Arc::new(Memory::default()), StoreFaults::lagging(Duration::from_millis(10)));
    let store: Arc<dyn Store> = Arc::new(network.clone());
    let machine = tempfile::tempdir().expect("a folder");
    let leaves = async {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        network.go_away_after(0);
    };
    let (ran, ()) = tokio::join!(run(plant.program(LAYERS, WIDTH), &store, Some(machine.path()), UP), leaves);
    network.come_back();
    Torn { plant, store, machine, ran }
}

/// What a machine keeps: files by path.
fn kept(machine: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(files) = fs::read_dir(machine.join("stranded/plant/dev")) else { return BTreeMap::new() };
    let files = files.map(|file| file.expect("an entry").path());
    files.map(|file| (file.display().to_string(), fs::read(&file).expect("a file"))).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_ends_and_is_kept_and_nothing_new_is_started() {
    for moment in (600..1400).step_by(50) {
        let Torn { plant, store, machine, ran } = torn_after(moment).await;
        assert_eq!(ran.code, 1, "{}", ran.said);
        assert_eq!(plant.asked(), plant.parts().len(), "all that was asked has ended");
        let ahead = plant.looked() - plant.asked();
        assert!(plant.asked() < WIDTH && ahead <= 2 * PARALLEL, "{} asked, {ahead} looked at", plant.asked());
        assert!(!reading(&store).await.open.is_empty(), "nothing was in flight");
        let files = kept(machine.path());
        let (file, bytes) = files.first_key_value().expect("a file");
        let said = &ran.said;
        assert!(said.contains(&format!("kept in `{file}`")) && said.contains("nothing new was started"), "{said}");
        assert_eq!(said.matches("no answer: injected").count(), 1, "each failure once, after {moment} ms: {said}");
        assert!(!String::from_utf8_lossy(bytes).contains(CANARY), "a secret in clear");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_run_here_brings_it_home_and_asks_nobody() {
    let Torn { plant, store, machine, .. } = torn().await;
    let made = plant.parts();
    let planned = run(plant.program(LAYERS, WIDTH), &store, Some(machine.path()), &["plan", "--offline"]).await;
    let missing = LAYERS * WIDTH - made.len();
    assert!(planned.said.contains(&format!("{missing} to create")), "a plan sees it already: {}", planned.said);
    assert_eq!(kept(machine.path()).len(), 1, "and leaves it there");
    let ran = run(plant.program(LAYERS, WIDTH), &store, Some(machine.path()), UP).await;
    assert_eq!(ran.code, 0, "{}", ran.said);
    assert!(ran.said.contains("brought home from a run that had lost its store"), "{}", ran.said);
    assert!(!ran.said.contains("was interrupted"), "nothing is left to be found out: {}", ran.said);
    assert_eq!(plant.names(), wanted(LAYERS, WIDTH));
    assert!(made.iter().all(|(id, name)| plant.parts().get(id) == Some(name)), "none was made anew");
    assert!(kept(machine.path()).is_empty());
    let again = run(plant.program(LAYERS, WIDTH), &store, Some(machine.path()), UP).await;
    assert!(again.code == 0 && plant.asked() == LAYERS * WIDTH, "hashes fit: {}", again.said);
}

#[tokio::test(start_paused = true)]
async fn another_machine_asks_the_services_and_what_is_kept_here_is_no_news_then() {
    let Torn { plant, store, machine, .. } = torn().await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let ran = run(plant.program(LAYERS, WIDTH), &store, Some(elsewhere.path()), UP).await;
    assert!(ran.code == 0 && ran.said.contains("is ours"), "{}", ran.said);
    assert_eq!(plant.names(), wanted(LAYERS, WIDTH));
    let before = reading(&store).await;
    let here = run(plant.program(LAYERS, WIDTH), &store, Some(machine.path()), UP).await;
    assert!(here.code == 0 && !here.said.contains("brought home"), "{}", here.said);
    assert!(kept(machine.path()).is_empty());
    let after = reading(&store).await;
    assert_eq!((before.serial, before.snapshot), (after.serial, after.snapshot));
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_and_damaged_is_named_and_left_alone() {
    let Torn { plant, store, machine, .. } = torn().await;
    let (file, mut bytes) = kept(machine.path()).pop_first().expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).expect("written");
    let ran = run(plant.program(LAYERS, WIDTH), &store, Some(machine.path()), UP).await;
    assert!(ran.code == 1 && ran.said.contains(&format!("`{file}` is damaged")), "{}", ran.said);
    assert_eq!(kept(machine.path())[&file], bytes);
    fs::remove_file(&file).expect("removed");
    let ran = run(plant.program(LAYERS, WIDTH), &store, Some(machine.path()), UP).await;
    assert_eq!((ran.code, plant.names()), (0, wanted(LAYERS, WIDTH)), "{}", ran.said);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_away_for_a_moment_is_waited_for() {
    let plant = Plant::new(Duration::from_millis(400));
    let network = FaultyStore::new(Arc::new(Memory::default()), StoreFaults::lagging(Duration::from_millis(10)));
    let store: Arc<dyn Store> = Arc::new(network.clone());
    let blink = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        network.go_away_after(0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        network.come_back();
    };
    let (ran, ()) = tokio::join!(run(plant.program(LAYERS, WIDTH), &store, None, UP), blink);
    assert_eq!((ran.code, plant.names()), (0, wanted(LAYERS, WIDTH)), "{}", ran.said);
}
