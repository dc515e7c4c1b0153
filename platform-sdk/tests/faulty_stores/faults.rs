//! Whole lives of a stack on a store that fails before and after effects, lags, acts late, and stays away.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use platform_sdk::{
    state::{Memory, Store},
    testing::{FaultyStore, StoreFaults},
};
use tokio::time::timeout;

use crate::{
    command::{Ran, reading, run},
    service::{Plant, wanted},
};

const LAYERS: usize = 3;
const WIDTH: usize = 4;
const LINES: [&[&str]; 2] = [&["up", "--yes", "--parallel", "3"], &["destroy", "--yes", "--parallel", "3"]];

/// A number below a bound, different for each seed and place.
fn draw(seed: u64, place: u64, bound: u64) -> u64 {
    let mixed = seed.wrapping_mul(31).wrapping_add(place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) % bound
}

/// A stack and the store that it suffers from.
struct Life {
    seed: u64,
    plant: Plant,
    network: FaultyStore,
    store: Arc<dyn Store>,
    machine: tempfile::TempDir,
}

impl Life {
    fn new(seed: u64) -> Self {
        let network = FaultyStore::new(Arc::new(Memory::default()), StoreFaults::of_seed(seed));
        let store: Arc<dyn Store> = Arc::new(network.clone());
        let machine = tempfile::tempdir().expect("a folder");
        Self { seed, plant: Plant::new(Duration::from_millis(300)), network, store, machine }
    }

    async fn run(&self, line: &[&str]) -> Ran {
        // Every third stack is run from machines that keep nothing.
        let machine = (!self.seed.is_multiple_of(3)).then(|| self.machine.path());
        run(self.plant.program(LAYERS, WIDTH), &self.store, machine, line).await
    }

    /// A run in bad weather, which may be killed, or lose its store for good.
    async fn suffers(&self, line: &[&str], place: u64) {
        self.network.behave(StoreFaults::of_seed(self.seed * 100 + place));
        match draw(self.seed, place, 3) {
            0 => drop(timeout(Duration::from_millis(500 + draw(self.seed, place + 10, 15_000)), self.run(line)).await),
            1 => {
                self.network.go_away_after(8 + draw(self.seed, place + 20, 25));
                self.run(line).await;
            }
            _ => drop(self.run(line).await),
        }
        self.network.come_back();
        self.network.behave(StoreFaults::none());
    }

    /// In good weather it succeeds, at the latest when whoever is dead is known to be.
    async fn succeeds(&self, line: &[&str]) {
        let mut said = Vec::new();
        for _ in 0..4 {
            let ran = self.run(line).await;
            if ran.code == 0 {
                return;
            }
            said.push(ran.said);
        }
        panic!("seed {}: {line:?} does not succeed:\n{}", self.seed, said.join("\n---\n"));
    }

    /// What is there is what state says, each once.
    async fn agrees(&self, names: &[String]) {
        let reading = reading(&self.store).await;
        let known: BTreeSet<String> = reading.snapshot.resources.values().map(|state| state.id.clone()).collect();
        assert_eq!(self.plant.names(), names, "seed {}", self.seed);
        assert_eq!(self.plant.parts().into_keys().collect::<BTreeSet<_>>(), known, "seed {}", self.seed);
        assert!(reading.open.is_empty(), "seed {}: {:?}", self.seed, reading.open);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_orphaned_or_doubled_whatever_the_store_does() {
    for seed in 0..60 {
        let life = Life::new(seed);
        let [up, destroy] = LINES;
        life.suffers(up, 1).await;
        life.suffers(up, 2).await;
        life.succeeds(up).await;
        life.agrees(&wanted(LAYERS, WIDTH)).await;
        life.suffers(destroy, 3).await;
        life.succeeds(destroy).await;
        life.agrees(&[]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_with_our_own_write_is_no_conflict() {
    let network = FaultyStore::new(Arc::new(Memory::default()), StoreFaults { lose: 1000, ..StoreFaults::none() });
    let store: Arc<dyn Store> = Arc::new(network.clone());
    let plant = Plant::new(Duration::from_millis(300));
    // Every write happens, no write is answered: each is repeated, finds itself, and counts.
    let ran = run(plant.program(LAYERS, WIDTH), &store, None, LINES[0]).await;
    assert_eq!((ran.code, plant.names()), (0, wanted(LAYERS, WIDTH)), "{}", ran.said);
    network.behave(StoreFaults::none());
    let reading = reading(&store).await;
    assert_eq!((reading.snapshot.resources.len(), reading.open.len(), reading.serial), (LAYERS * WIDTH, 0, 1));
}
