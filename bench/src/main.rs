//! `cargo run --release -p platform-bench`: measures whole processes, from start to exit, ours and Terraform's in turns,
//! and prints a table of ratios.

mod measure;
mod sides;
mod table;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser;
use platform_bench::{Graph, Shape};

use crate::{
    sides::{Ours, Side, Terraform},
    table::{Row, growth_table, table},
};

/// What is measured.
#[derive(Parser)]
#[command(
    about = "Measures an apply and an offline plan with nothing to do, beside Terraform's where it is on the path"
)]
struct Arguments {
    /// Sizes of the layered graph. Terraform takes some nine minutes to apply one of 5000.
    #[arg(long, value_delimiter = ',', default_value = "1000")]
    layered: Vec<usize>,
    /// Sizes of the chain.
    #[arg(long, value_delimiter = ',', default_value = "1000")]
    chain: Vec<usize>,
    /// Runs of each side, from an empty state; each plans several times, and the least time counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Leaves Terraform out.
    #[arg(long)]
    alone: bool,
    /// Measures growth from 10,000 to 100,000 resources instead; counts instructions where there is a valgrind.
    #[arg(long)]
    growth: bool,
}

fn main() -> ExitCode {
    // The measured process is this executable too: one binary to build, and nothing but the SDK in it that runs.
    if std::env::var_os("BENCH_GRAPH").is_some() {
        return platform_bench::program().main();
    }
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            say(&format!("error: {problem}\n"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    // Who has stopped reading the table misses nothing else.
    let _nobody_reads_it = io::stdout().write_all(text.as_bytes());
}

fn run(arguments: &Arguments) -> io::Result<String> {
    if arguments.growth {
        let small = Graph { shape: Shape::Layered, size: 10_000 };
        let large = Graph { shape: Shape::Layered, size: 100_000 };
        let costs = |graph| Ok::<_, io::Error>((Ours::DATA.least(graph, 5)?, sides::instructions(graph)?));
        return Ok(growth_table(&costs(small)?, &costs(large)?));
    }
    let terraform = if arguments.alone { None } else { Terraform::found() };
    if terraform.is_none() && !arguments.alone {
        say("there is no terraform on the path: ours alone\n");
    }
    let layered = arguments.layered.iter().map(|size| Graph { shape: Shape::Layered, size: *size });
    let chains = arguments.chain.iter().map(|size| Graph { shape: Shape::Chain, size: *size });
    let mut rows = Vec::new();
    for graph in layered.chain(chains) {
        rows.extend(measured(graph, arguments.runs, terraform.as_ref())?);
    }
    Ok(table(&rows))
}

/// Both sides in turns, so that a busy moment of the machine hits both: ours, which is over in a moment, on either side of
/// theirs.
fn measured(graph: Graph, runs: usize, terraform: Option<&Terraform>) -> io::Result<Vec<Row>> {
    let (mut data, mut effects, mut theirs) = (None, None, None);
    for _ in 0..runs.max(1) {
        let mut ours = || {
            Ours::DATA.again(graph, &mut data)?;
            Ours::EFFECTS.again(graph, &mut effects)
        };
        ours()?;
        if let Some(terraform) = terraform {
            terraform.again(graph, &mut theirs)?;
            ours()?;
        }
    }
    let row = |name: &str, ours| Row { name: format!("{graph} {name}"), ours, theirs: theirs.clone() };
    Ok([("", data), ("with effects", effects)].into_iter().filter_map(|(name, ours)| Some(row(name, ours?))).collect())
}
