//! The engine in a simulated cloud: random histories with crashes, faults and strangers, judged by what really exists.
//!
//! A [`scenario`] is plain data, drawn from a seed. [`history`] lives through it: each command is the real command line
//! over the real engine and the real state layer, as a future on a runtime with a virtual clock ([`process`]). It meets
//! a simulated [`disk`], where unsynced writes are lost with the process, and a simulated [`cloud`], which has [`rules`]
//! of its own. A crash is the end of the future at one of the points at which it waits for disk or cloud. After every
//! command the [`oracle`] asks the cloud itself. A failing scenario is made short by [`shrink`], and printed as Rust
//! by [`print`]: a file that can stand here as it is, as [`printed`] does.
//!
//! `SIMULATION_SEEDS=100000 cargo test --release -p platform-sdk --test simulation long -- --nocapture` is a campaign;
//! `SIMULATION_FROM` says at which seed it starts, `SIMULATION_FIRST=1` ends it with the first failure. `mutants/run` puts
//! plausible bugs back into the engine, one at a time, and shows at which seed each is found.

mod cloud;
mod dice;
mod disk;
mod driver;
mod generate;
mod history;
mod impasse;
mod kinds;
mod oracle;
mod prefixes;
mod print;
#[rustfmt::skip]
mod printed;
mod process;
mod program;
mod rules;
mod scenario;
mod shrink;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use history::{Tally, live};
use scenario::Scenario;

/// The seed of `printed.rs`: nearly every kind of act is in it.
const PRINTED: u64 = 5778;

/// What a thread needs for its stack.
const STACK: usize = 32 << 20;

/// Lives through these seeds on all processors; every kind of failure, its first seed made short.
fn campaign(from: u64, seeds: u64) -> Result<Tally, String> {
    let next = AtomicU64::new(from);
    let total = Mutex::new(Tally::default());
    let failures: Mutex<BTreeMap<String, (u64, u64)>> = Mutex::default();
    let (failed, first_only) = (AtomicBool::new(false), std::env::var_os("SIMULATION_FIRST").is_some());
    let workers = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            // Futures of whole commands are large where nothing is optimised.
            let worker = std::thread::Builder::new().stack_size(STACK);
            let spawned = worker.spawn_scoped(scope, || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds || first_only && failed.load(Ordering::Relaxed) {
                        return;
                    }
                    match live(&generate::scenario(seed)).0 {
                        Ok(tally) => total.lock().unwrap_or_else(PoisonError::into_inner).add(&tally),
                        Err(why) => {
                            failed.store(true, Ordering::Relaxed);
                            let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                            let (first, count) = failures.entry(kind_of(&why)).or_insert((seed, 0));
                            (*first, *count) = ((*first).min(seed), *count + 1);
                        }
                    }
                }
            });
            spawned.expect("a thread");
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    if failures.is_empty() {
        return Ok(total);
    }
    let lines = failures.iter().map(|(kind, (first, count))| format!("{count} times, first seed {first}: {kind}"));
    let mut text = format!("{}\nthe others: {total:?}", lines.collect::<Vec<_>>().join("\n"));
    let mut firsts: Vec<u64> = failures.values().map(|(first, _)| *first).collect();
    firsts.sort_unstable();
    let explained = number("SIMULATION_EXPLAINED").unwrap_or(4);
    for first in firsts.into_iter().take(usize::try_from(explained).unwrap_or(usize::MAX)) {
        text.push_str("\n\n");
        text.push_str(&explain(first));
    }
    Err(text)
}

/// What failures have in common that differ only in names and numbers.
fn kind_of(why: &str) -> String {
    why.chars().filter(|c| !c.is_ascii_digit()).take(150).collect()
}

/// A failing seed as a short test.
fn explain(seed: u64) -> String {
    let scenario = generate::scenario(seed);
    let Err(why) = live(&scenario).0 else { return format!("seed {seed} failed once, and not again") };
    let (short, why_now) = shrink::shrink(&scenario, &why);
    let trace = live(&short).1.join("\n");
    format!("seed {seed}: {why}\n\n{}\n{trace}", short.as_rust(&why_now))
}

/// For reproductions: lives through a scenario.
fn check(scenario: &Scenario) {
    let (outcome, trace) = live(scenario);
    if let Err(why) = outcome {
        panic!("{why}\n{}", trace.join("\n"));
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn nothing_is_lost_doubled_or_destroyed_unasked() {
    let tally = campaign(0, 2_000).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(tally.crashes > 300 && tally.faults > 300, "the troubles did not happen: {tally:?}");
    assert!(tally.guarded < 100, "too many histories end at a guard: {tally:?}");
}

/// `printed.rs` is compiled and run with everything else here: what is printed for a failing seed is a test as it stands.
#[test]
fn what_is_printed_is_a_test_as_it_stands() {
    let printed = generate::scenario(PRINTED).as_rust("nothing fails: that it compiles is to be seen");
    let there = include_str!("printed.rs");
    assert!(printed == there, "`printed.rs` has to say:\n{printed}");
}

#[test]
fn the_same_seed_is_the_same_history() {
    let histories = || {
        for seed in 0..10 {
            let scenario = generate::scenario(seed);
            let (one, other) = (live(&scenario).1, live(&scenario).1);
            assert_eq!(one, other, "seed {seed}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(histories).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_long_campaign_runs_when_asked_for() {
    let Some(seeds) = number("SIMULATION_SEEDS") else { return };
    let from = number("SIMULATION_FROM").unwrap_or(0);
    let began = Instant::now();
    let tally = campaign(from, seeds).unwrap_or_else(|failure| panic!("{failure}"));
    let took = began.elapsed().as_secs();
    #[expect(clippy::print_stdout, reason = "a campaign is run for what it reports")]
    {
        println!("{seeds} seeds from {from} in {took} s: {tally:?}");
    }
}
