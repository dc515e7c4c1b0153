//! What each stage costs: `cargo bench -p platform-bench`.

use divan::{Bencher, black_box, counter::ItemsCount};
use platform_bench::{Graph, Parts, Shape, data, parts};
use platform_sdk::{
    Data, Program, Resource as _,
    desired::{Tree, hash_written},
    plan::{Sides, diff},
    testing::Harness,
};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

const SIZES: [usize; 2] = [1_000, 5_000];

fn inputs(index: usize) -> Value {
    json!({"input": {"name": Graph::name(index), "tags": {"layer": index / 100, "team": "data"}, "parts": [1, 2.5, true]}})
}

/// A resource's inputs into SHA-256.
#[divan::bench]
fn hash(bencher: Bencher) {
    let tree = Tree::from(inputs(1));
    bencher.counter(ItemsCount::new(1_usize)).bench(|| black_box(&tree).hash(&|value| value.to_string()));
}

/// The same as JSON: no tree in between.
#[divan::bench]
fn hash_of_json(bencher: Bencher) {
    let value = inputs(1);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| hash_written(black_box(&value)));
}

/// Three sides of a resource that agree (`same`) or not.
#[divan::bench(args = ["same", "another"])]
fn difference(bencher: Bencher, desired: &str) {
    let fields = Data::schema().fields();
    let last = Tree::from(inputs(1));
    let desired = Tree::from(inputs(usize::from(desired == "another") + 1));
    bencher.counter(ItemsCount::new(1_usize)).bench(|| {
        diff(fields, Sides { last: Some(black_box(&last)), observed: Some(&last), desired: black_box(&desired) })
    });
}

fn layered(size: usize) -> Program {
    let graph = Graph { shape: Shape::Layered, size };
    Program::new("bench", move |stack| data(stack, graph))
}

/// From a program to a plan that makes everything.
#[divan::bench(args = SIZES)]
fn plan_of_creates(bencher: Bencher, size: usize) {
    let program = layered(size);
    bencher
        .counter(ItemsCount::new(size))
        .bench_local(|| Harness::new().plan_offline(&program).expect("a plan").steps.len());
}

/// From a program and its own state to a plan that does nothing.
#[divan::bench(args = SIZES)]
fn plan_of_keeps(bencher: Bencher, size: usize) {
    let program = layered(size);
    let harness = Harness::new();
    harness.up(&program).expect("applied");
    bencher.counter(ItemsCount::new(size)).bench_local(|| harness.plan_offline(&program).expect("a plan").is_empty());
}

/// Plan and schedule, with a provider that answers at once and a journal in memory.
#[divan::bench(args = SIZES)]
fn schedule(bencher: Bencher, size: usize) {
    let graph = Graph { shape: Shape::Layered, size };
    bencher.counter(ItemsCount::new(size)).bench_local(|| {
        let program = Program::new("bench", move |stack| parts(stack, graph)).provider(Parts::default());
        Harness::new().up(&program).expect("applied").failures.len()
    });
}
