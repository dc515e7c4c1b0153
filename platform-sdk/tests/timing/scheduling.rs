//! An apply takes little longer than what nobody could beat.

use platform_sdk::{Handle, Program, testing::Harness};

use super::{
    PARALLEL,
    lab::{Lab, Task},
    paused,
};

/// Draws numbers that are the same on every machine.
struct Draw(u64);

impl Draw {
    fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).expect("less than the count")
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A graph: for each task how long it takes, and the earlier ones that it waits for.
#[derive(Clone)]
struct Graph(Vec<(u64, Vec<usize>)>);

impl Graph {
    /// Each task waits for up to `degree` of the `reach` before it: a small reach makes a deep graph.
    fn random(size: usize, reach: usize, degree: u64, ms: impl Fn(&mut Draw) -> u64, seed: u64) -> Self {
        let mut draw = Draw(seed);
        let task = |index: usize| {
            let near = reach.min(index);
            let count = if near == 0 { 0 } else { draw.below(degree + 1) };
            let mut needs: Vec<usize> = (0..count).map(|_| index - 1 - draw.place(near)).collect();
            needs.sort_unstable();
            needs.dedup();
            (ms(&mut draw), needs)
        };
        Self((0..size).map(task).collect())
    }

    fn program(&self, lab: &Lab) -> Program {
        let graph = self.0.clone();
        let declare = move |stack: &platform_sdk::Stack| {
            let mut made: Vec<Handle<Task>> = Vec::new();
            for (index, (ms, needs)) in graph.iter().enumerate() {
                let name = format!("t{index}");
                let mut task = stack.add(&name, Task::new(&name, ms));
                for need in needs {
                    task = task.depends_on(&made[*need]);
                }
                made.push(task);
            }
            Ok(())
        };
        Program::new("lab", declare).provider(lab.clone())
    }

    /// The longest path behind each task, with its own time, in milliseconds.
    fn behind(&self) -> Vec<u64> {
        let mut behind: Vec<u64> = self.0.iter().map(|(ms, _)| *ms).collect();
        for index in (0..self.0.len()).rev() {
            for need in &self.0[index].1 {
                behind[*need] = behind[*need].max(self.0[*need].0 + behind[index]);
            }
        }
        behind
    }

    /// What nobody can beat: the critical path, and all work on all slots.
    fn bound(&self) -> u64 {
        let work: u64 = self.0.iter().map(|(ms, _)| ms).sum();
        self.behind().into_iter().max().unwrap_or(0).max(work / PARALLEL as u64)
    }

    /// What a list scheduler gets that knows every duration.
    fn all_knowing(&self) -> u64 {
        use std::{cmp::Reverse, collections::BinaryHeap};

        let behind = self.behind();
        let mut waiting: Vec<usize> = self.0.iter().map(|(_, needs)| needs.len()).collect();
        let mut dependents = vec![Vec::new(); self.0.len()];
        for (index, (_, needs)) in self.0.iter().enumerate() {
            for need in needs {
                dependents[*need].push(index);
            }
        }
        let mut ready: BinaryHeap<(u64, Reverse<usize>)> = (0..self.0.len())
            .filter(|index| waiting[*index] == 0)
            .map(|index| (behind[index], Reverse(index)))
            .collect();
        let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        let mut now = 0;
        loop {
            while running.len() < PARALLEL {
                let Some((_, Reverse(index))) = ready.pop() else { break };
                running.push(Reverse((now + self.0[index].0, index)));
            }
            let Some(Reverse((ended, index))) = running.pop() else { return now };
            now = ended;
            for next in &dependents[index] {
                waiting[*next] -= 1;
                if waiting[*next] == 0 {
                    ready.push((behind[*next], Reverse(*next)));
                }
            }
        }
    }
}

/// Applies the graph in virtual time; how long that took, in milliseconds.
fn makespan(graph: &Graph) -> u64 {
    let lab = Lab::default();
    let harness = Harness::new().with_parallel(PARALLEL).with_runtime(paused);
    let run = harness.up(&graph.program(&lab)).expect("applied");
    assert!(run.failures.is_empty() && harness.snapshot().resources.len() == graph.0.len());
    assert!(lab.most_busy() <= PARALLEL, "{} at once", lab.most_busy());
    lab.took().as_millis().try_into().expect("milliseconds")
}

fn assert_close(graph: &Graph, name: &str) {
    let (took, bound) = (makespan(graph), graph.bound());
    // Where the graph itself forbids the bound, nobody does better than who knows all durations.
    let wanted = if took * 100 <= bound * 105 { bound } else { bound.max(graph.all_knowing()) };
    assert!(took * 100 <= wanted * 105, "{name}: {took} ms; the bound is {bound} ms, all-knowing {wanted} ms");
}

const SHAPES: [(usize, usize, u64); 7] = [
    (1_000, 20, 2),
    (1_000, 100, 3),
    (1_000, 1_000, 2),
    (3_000, 60, 3),
    (10_000, 500, 3),
    (1_000, 3, 3),
    (2_000, 18, 3),
];

#[test]
fn tasks_of_50_ms_take_no_longer_than_the_graph_demands() {
    for (seed, (size, reach, degree)) in (1..).zip(SHAPES) {
        let graph = Graph::random(size, reach, degree, |_| 50, seed);
        assert_close(&graph, &format!("{size} tasks of 50 ms, reach {reach}"));
    }
}

#[test]
fn tasks_of_10_to_500_ms_take_little_longer_than_if_that_were_known() {
    for (seed, (size, reach, degree)) in (11..).zip(SHAPES) {
        let graph = Graph::random(size, reach, degree, |draw| 10 + draw.below(491), seed);
        assert_close(&graph, &format!("{size} tasks of 10 to 500 ms, reach {reach}"));
    }
}
