//! Every prefix of a journal is a state: loads, and says nothing that can't be.

use std::collections::{BTreeMap, BTreeSet};

use platform_sdk::state::Reading;

use crate::{disk::Disk, process::state_of};

/// Of how many places to cut at one is tried where a command has ended well: most of them do, and every journal is read
/// by the same code, wherever it ends.
const ENDED_WELL: usize = 5;

/// Whether everything that a run has journalled since the last snapshot, among these objects, can be cut off anywhere.
/// With the number of a command that ended well: at some places, which differ from one command to the next.
pub(crate) fn load(disk: &Disk, objects: &BTreeMap<String, Vec<u8>>, ended_well: Option<usize>) -> Result<(), String> {
    let mut places = 0;
    let parts: BTreeMap<(u64, u64), &String> = objects.keys().filter_map(|key| Some((place(key)?, key))).collect();
    let Some(((fence, _), _)) = parts.last_key_value() else { return Ok(()) };
    let last: Vec<&String> = parts.range((*fence, 0)..).map(|(_, key)| *key).collect();
    for (at, key) in last.iter().enumerate() {
        let bytes = &objects[*key];
        let ends = if disk.grows(key) { cuts(bytes) } else { vec![bytes.len()] };
        for cut in ends {
            places += 1;
            if ended_well.is_some_and(|number| places % ENDED_WELL != number % ENDED_WELL) {
                continue;
            }
            let mut shorter = objects.clone();
            last[at + 1..].iter().for_each(|later| drop(shorter.remove(*later)));
            shorter.insert((*key).clone(), bytes[..cut].to_vec());
            let reading = state_of(&disk.with(shorter)).map_err(|why| format!("`{key}` up to byte {cut}: {why}"))?;
            valid(&reading).map_err(|why| format!("`{key}` up to byte {cut}: {why}"))?;
        }
    }
    Ok(())
}

/// The fence and number of a journal's part.
fn place(key: &str) -> Option<(u64, u64)> {
    let (fence, part) = key.split_once("/journal/")?.1.split_once('/')?;
    Some((fence.parse().ok()?, part.strip_suffix(".jsonl")?.parse().ok()?))
}

/// Behind each line, and once within the last one.
fn cuts(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    ends.chain([bytes.len().saturating_sub(3)]).collect()
}

fn valid(reading: &Reading) -> Result<(), String> {
    let mut intents = BTreeSet::new();
    for open in &reading.open {
        if !intents.insert(&open.intent.id) {
            return Err(format!("the intent {} is open twice", open.intent.id));
        }
    }
    for state in reading.snapshot.resources.values().chain(&reading.snapshot.pending_deletes) {
        if state.id.is_empty() {
            return Err(format!("{} has no id", state.address));
        }
        if !state.parents.is_subset(&state.dependencies) {
            return Err(format!("{} lives in what it does not depend on", state.address));
        }
    }
    Ok(())
}
