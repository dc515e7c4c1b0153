//! The two sides: our program and Terraform's, each in a fresh directory on disk.

use std::{fs, io, path::Path, process::Command};

use platform_bench::Graph;

use crate::measure::{Cost, cost, least};

/// What one side cost for one graph.
#[derive(Debug, Clone)]
pub(crate) struct Costs {
    pub(crate) apply: Cost,
    pub(crate) plan: Cost,
    /// Bytes of state.
    pub(crate) state: u64,
}

/// Who is measured.
pub(crate) trait Side {
    /// Applies the graph from nothing, then plans it offline with nothing to do.
    fn once(&self, graph: Graph) -> io::Result<Costs>;

    /// Once more: the least so far stays.
    fn again(&self, graph: Graph, so_far: &mut Option<Costs>) -> io::Result<()> {
        let Costs { apply, plan, state } = self.once(graph)?;
        *so_far = Some(match so_far.take() {
            None => Costs { apply, plan, state },
            Some(before) => Costs { apply: apply.least(before.apply), plan: plan.least(before.plan), state },
        });
        Ok(())
    }

    /// The least of some runs.
    fn least(&self, graph: Graph, runs: usize) -> io::Result<Costs> {
        let mut costs = Some(self.once(graph)?);
        for _ in 1..runs {
            self.again(graph, &mut costs)?;
        }
        costs.ok_or_else(|| io::Error::other("nothing was measured"))
    }
}

/// How often a plan is measured after one apply, on each side: it takes a moment, and an apply of Terraform's minutes.
const PLANS: usize = 5;

/// Our program, with a durable local store.
pub(crate) struct Ours {
    effects: bool,
}

impl Ours {
    /// Resources that live in state only.
    pub(crate) const DATA: Self = Self { effects: false };
    /// Resources that a provider in the same process makes, with the whole write-ahead protocol.
    pub(crate) const EFFECTS: Self = Self { effects: true };

    fn command(&self, graph: Graph, folder: &Path) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.current_dir(folder).env("BENCH_GRAPH", graph.to_string());
        if self.effects {
            command.env("BENCH_EFFECTS", "1");
        }
        Ok(command)
    }
}

impl Side for Ours {
    fn once(&self, graph: Graph) -> io::Result<Costs> {
        let folder = tempfile::tempdir()?;
        let apply = cost(self.command(graph, folder.path())?.args(["up", "--yes"]))?;
        let plan = least(self.command(graph, folder.path())?.args(["plan", "--offline"]), PLANS)?;
        let mut state = 0;
        for file in fs::read_dir(folder.path().join(".platform/bench/dev/snapshots"))? {
            state += file?.metadata()?.len();
        }
        Ok(Costs { apply, plan, state })
    }
}

/// Terraform with its built-in `terraform_data`: no provider to load, no API to call.
pub(crate) struct Terraform;

impl Terraform {
    /// If there is one on the path.
    pub(crate) fn found() -> Option<Self> {
        Command::new("terraform").arg("version").output().is_ok_and(|said| said.status.success()).then_some(Self)
    }
}

impl Side for Terraform {
    fn once(&self, graph: Graph) -> io::Result<Costs> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("main.tf"), graph.terraform())?;
        let terraform = |arguments: &[&str]| {
            let mut command = Command::new("terraform");
            command.current_dir(folder.path()).env("CHECKPOINT_DISABLE", "1").args(arguments).arg("-input=false");
            command
        };
        cost(&mut terraform(&["init"]))?;
        let apply = cost(&mut terraform(&["apply", "-auto-approve"]))?;
        let plan = least(&mut terraform(&["plan", "-refresh=false"]), PLANS)?;
        let state = fs::metadata(folder.path().join("terraform.tfstate"))?.len();
        Ok(Costs { apply, plan, state })
    }
}

/// Instructions of our apply and our plan, as valgrind counts them; `None` without a valgrind.
pub(crate) fn instructions(graph: Graph) -> io::Result<Option<(u64, u64)>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    let count = |arguments: &[&str]| {
        let ours = Ours::DATA.command(graph, folder.path())?;
        let mut command = Command::new("valgrind");
        command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
        command.current_dir(folder.path()).env("BENCH_GRAPH", graph.to_string());
        let said = command.arg(ours.get_program()).args(arguments).output()?;
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        let line = said.lines().find_map(|line| line.split("I   refs:").nth(1).or(line.split("I refs:").nth(1)));
        let digits: String = line.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
        digits.parse().map_err(|_| io::Error::other(format!("valgrind counted nothing: {said}")))
    };
    Ok(Some((count(&["up", "--yes"])?, count(&["plan", "--offline"])?)))
}
