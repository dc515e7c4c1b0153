//! State in a bucket costs little time: what is ready makes its intents durable while others have the slots.

use std::{sync::Arc, time::Duration};

use object_store::{
    memory::InMemory,
    throttle::{ThrottleConfig, ThrottledStore},
};
use platform_sdk::state::{Bucket, Local, Store};
use tokio::time::Instant;

use crate::{
    command::run,
    service::{Plant, wanted},
};

const LAYERS: usize = 10;
const WIDTH: usize = 50;

/// How long `up` takes from its start to its end, in virtual time.
async fn up(store: Arc<dyn Store>) -> Duration {
    let plant = Plant::new(Duration::from_millis(200));
    let began = Instant::now();
    let ran = run(plant.program(LAYERS, WIDTH), &store, None, &["up", "--yes"]).await;
    assert_eq!((ran.code, plant.names()), (0, wanted(LAYERS, WIDTH)), "{}", ran.said);
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn five_hundred_resources_take_at_most_a_fifth_longer_than_in_a_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let local = up(Arc::new(Local::new(folder.path()))).await;
    let each = Duration::from_millis(50);
    let slow = ThrottleConfig {
        wait_delete_per_call: each,
        wait_get_per_call: each,
        wait_list_per_call: each,
        wait_list_with_delimiter_per_call: each,
        wait_put_per_call: each,
        ..ThrottleConfig::default()
    };
    let objects = Arc::new(ThrottledStore::new(InMemory::new(), slow));
    let bucket = up(Arc::new(Bucket::new(objects, "memory://bucket", ""))).await;
    assert!(local >= Duration::from_secs(6), "{local:?} is less than the work of 500 creates in 16 slots");
    assert!(bucket * 100 <= local * 120, "{bucket:?} in a bucket, {local:?} in a directory");
}
