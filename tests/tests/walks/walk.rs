//! One walk: a run that is broken off at its first call, at its second, and so on, each time followed by everything that
//! has to be so all the same.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use platform_aws::Aws;
use platform_databricks::{AccountProvider, WorkspaceProvider};
use platform_sdk::{
    Program,
    state::Memory,
    testing::{Command, Said},
};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::{
    cases::{Case, Life, Parts},
    schemas,
    stage::{Break, Stage, Worlds, identities},
};

const UP: &[&str] = &["up", "--yes", "--json", "--allow-data-loss", "all"];
const HOUR: Duration = Duration::from_hours(1);
const DESTROY: &[&str] = &["destroy", "--yes", "--json", "--allow-data-loss", "all"];

/// What a run does that is broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Run {
    Create,
    Update,
    Replace,
    Delete,
}

impl Run {
    /// What the program says before it, and then.
    fn lives(self) -> (Life, Life) {
        match self {
            Self::Create => (Life::Before, Life::Made),
            Self::Update => (Life::Made, Life::Changed),
            Self::Replace => (Life::Made, Life::Replaced),
            Self::Delete => (Life::Made, Life::Before),
        }
    }

    /// How it is broken off. What is there stays hidden only for a while after it was made, and whose login is refused is
    /// the same for all.
    pub(crate) fn breaks(self) -> &'static [Break] {
        let all = &[Break::Denied, Break::AnswerLost, Break::Death, Break::Refused, Break::Hidden];
        if self == Self::Create { all } else { &all[..3] }
    }

    /// All that there are of a case.
    pub(crate) fn of(case: &Case) -> impl Iterator<Item = Self> + use<> {
        let replaces = case.replaces;
        [Self::Create, Self::Update, Self::Replace, Self::Delete]
            .into_iter()
            .filter(move |run| *run != Self::Replace || replaces)
    }
}

/// What there is: the services' worlds, and the state.
#[derive(Clone)]
struct Scene {
    worlds: Worlds,
    store: Memory,
}

/// How a command ended.
struct Ended {
    /// `None`: its process died.
    code: Option<u8>,
    out: String,
    err: String,
}

impl Ended {
    fn plan(&self) -> Option<Vec<Value>> {
        let mut objects = self.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        objects.find(|object| object["event"] == "plan")?["steps"].as_array().cloned()
    }

    /// The steps of its plan that do something.
    fn steps(&self) -> Option<BTreeSet<String>> {
        Some(self.plan()?.iter().map(|step| format!("{} {}", step["op"], step["address"])).collect())
    }

    /// The fields that its plan changes.
    fn fields(&self) -> BTreeSet<String> {
        let changes = self.plan().into_iter().flatten().filter_map(|step| step["changes"].as_array().cloned());
        let path =
            |change: Value| change["path"].as_str().unwrap_or_default().split(['.', '[']).next().map(str::to_owned);
        changes.flatten().filter_map(path).collect()
    }
}

/// A walk over all calls of a run.
pub(crate) struct Walk {
    stage: Stage,
    store: Memory,
    parts: Parts,
    case: Case,
    run: Run,
    /// How much later it is, for the commands.
    later: Duration,
}

/// What a walk has seen.
#[derive(Default)]
pub(crate) struct Walked {
    /// How many calls were broken off in each way.
    pub(crate) calls: Vec<(Break, usize)>,
    pub(crate) wrong: Vec<String>,
}

impl Walk {
    /// Walks over a run of a case once for each way to break it off.
    pub(crate) fn over(case: Case, run: Run) -> Walked {
        let stage = Stage::set_up();
        let parts = Parts::on(&stage);
        let mut walk = Self { stage, store: Memory::default(), parts, case, run, later: Duration::ZERO };
        let mut walked = Walked::default();
        if let Err(undisturbed) = walk.all(&mut walked) {
            walked.wrong.push(undisturbed);
        }
        walked
    }

    /// # Errors
    /// When it does not work undisturbed.
    fn all(&mut self, walked: &mut Walked) -> Result<(), String> {
        let nothing = self.stage.told();
        let (before, after) = self.run.lives();
        for life in [Life::Before, before] {
            self.must(life, UP)?;
        }
        if let (Run::Delete, Some(meanwhile)) = (self.run, self.case.meanwhile) {
            meanwhile(&self.stage);
        }
        let begin = self.scene();
        self.stage.break_at(None);
        let done = self.must(after, UP)?;
        let (calls, wanted) = (self.stage.calls(), self.stage.told());
        let kept = &identities(&begin.worlds) & &identities(&self.stage.worlds());
        self.must(after, DESTROY)?;
        let schema =
            schemas().into_iter().find(|schema| schema.type_name == self.case.type_name).expect("it is listed");
        let renames = schema.fields().iter().filter(|field| field.renames && self.run == Run::Update);
        for field in renames.filter(|field| !done.fields().contains(field.name) || done.fields().len() == 1) {
            walked.wrong.push(format!("change `{}` and more: it changes {:?}", field.name, done.fields()));
        }
        if self.stage.told() != nothing {
            walked.wrong.push(format!("undisturbed, it leaves {}", difference(&nothing, &self.stage.told())));
        }
        let goal = Goal { nothing, wanted, kept };
        for how in self.run.breaks() {
            // What is refused is asked less, and what gets no answer is asked more.
            let broken = |nth: &usize| {
                self.put(&begin);
                self.broken_at(*nth, *how, &goal, walked)
            };
            let broken = (1..=calls + 8).take_while(broken).count();
            if broken == 0 {
                walked.wrong.push(format!("{how:?}: no call was broken off"));
            }
            walked.calls.push((*how, broken));
        }
        Ok(())
    }

    /// Breaks a run off at its nth call, and looks at everything that has to be so then. Whether there was such a call.
    fn broken_at(&mut self, nth: usize, how: Break, goal: &Goal, walked: &mut Walked) -> bool {
        let after = self.run.lives().1;
        let was = self.stage.told();
        self.later = Duration::ZERO;
        self.stage.break_at(Some((nth, how)));
        let broken_off = self.command(after, &["up", "--yes", "--allow-data-loss", "all"]);
        if !self.stage.mend() {
            return false;
        }
        let half = self.scene();
        // Whatever may lag behind has come by then.
        self.later = HOUR;
        let mut wrong = Vec::new();
        if broken_off.out.contains("nothing was changed") && was != self.stage.told() {
            let changed = difference(&was, &self.stage.told());
            wrong.push(format!("says that nothing was changed, and has changed {changed}"));
        }
        // Whose login is refused, too, leaves what is left without it: there only the report is another.
        if how != Break::Refused {
            wrong.extend(self.goes_on(after, broken_off.code == Some(0), goal));
        }
        // From a half as well as from a whole.
        if matches!(how, Break::Denied | Break::Refused) {
            self.put(&half);
        }
        if matches!(how, Break::Denied | Break::Refused | Break::AnswerLost) {
            wrong.extend(self.ends(after, goal));
        }
        let said = |what: String| format!("{how:?} at call {nth}: {what}\nafter\n{}{}", broken_off.out, broken_off.err);
        walked.wrong.extend(wrong.into_iter().map(said));
        true
    }

    /// What is wrong with going on, where the run has come to its end all the same or has not: the next runs have to come to where an undisturbed one comes.
    fn goes_on(&mut self, life: Life, is_done: bool, goal: &Goal) -> Vec<String> {
        let mut wrong = Vec::new();
        if !is_done {
            let plan = self.command(life, &["plan", "--json", "--allow-data-loss", "all"]);
            let up = self.command(life, UP);
            if plan.code != Some(0) {
                wrong.push(failed("plan", &plan));
            } else if plan.steps() != up.steps() {
                wrong.push(format!("`plan` says {:?}, and `up` does {:?}", plan.steps(), up.steps()));
            }
            if up.code != Some(0) {
                wrong.push(failed("up", &up));
                return wrong;
            }
        }
        if self.stage.told() != goal.wanted {
            wrong.push(format!("`up` leaves {}", difference(&goal.wanted, &self.stage.told())));
        }
        let identities = identities(&self.stage.worlds());
        if !goal.kept.is_subset(&identities) {
            wrong.push(format!("lost: {:?}", &goal.kept - &identities));
        }
        let again = self.command(life, UP);
        if again.code != Some(0) || again.steps().is_none_or(|steps| !steps.is_empty()) {
            wrong.push(failed("the second up", &again));
        }
        let drift = self.command(life, &["drift"]);
        if drift.code != Some(0) {
            wrong.push(failed("drift", &drift));
        }
        wrong
    }

    /// What is wrong with the end of it all: nothing may be left.
    fn ends(&mut self, life: Life, goal: &Goal) -> Vec<String> {
        let destroyed = self.command(life, DESTROY);
        if destroyed.code != Some(0) {
            return vec![failed("destroy", &destroyed)];
        }
        let left = self.stage.told();
        if left == goal.nothing {
            Vec::new()
        } else {
            vec![format!("`destroy` leaves {}", difference(&goal.nothing, &left))]
        }
    }

    fn must(&mut self, life: Life, words: &[&str]) -> Result<Ended, String> {
        let ended = self.command(life, words);
        if ended.code == Some(0) { Ok(ended) } else { Err(failed("undisturbed", &ended)) }
    }

    fn scene(&self) -> Scene {
        Scene { worlds: self.stage.worlds(), store: self.store.fork() }
    }

    fn put(&mut self, scene: &Scene) {
        self.stage.put_back(&scene.worlds);
        self.store = scene.store.fork();
    }

    fn command(&mut self, life: Life, words: &[&str]) -> Ended {
        let (declare, parts, later) = (self.case.declare, self.parts.clone(), self.later);
        let program = Program::new("walk", move |stack| {
            declare(stack, life, &parts);
            Ok(())
        });
        let said = Said::default();
        let command = Command {
            program: program
                .provider(WorkspaceProvider::from_env())
                .provider(AccountProvider::from_env().host(&self.stage.environment["DATABRICKS_HOST"]))
                .provider(Aws::from_env()),
            line: words.iter().map(|argument| (*argument).to_owned()).collect(),
            store: Arc::new(self.store.clone()),
            folder: None,
            environment: self.stage.environment.clone(),
            clock: Arc::new(move || OffsetDateTime::now_utc() + later),
            stop: watch::channel(false).1,
            said: said.clone(),
        };
        // A runtime of its own, which ends with it: so does whatever it has begun.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let code = runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stage.died.notified() => None,
                code = command.run() => Some(code),
            }
        });
        drop(runtime);
        Ended { code, out: said.out(), err: said.err() }
    }
}

/// Where all of it has to come to.
struct Goal {
    /// Before anything was made.
    nothing: BTreeSet<String>,
    /// After an undisturbed run.
    wanted: BTreeSet<String>,
    /// What an undisturbed run keeps of what tells objects apart.
    kept: BTreeSet<String>,
}

fn failed(what: &str, ended: &Ended) -> String {
    format!("`{what}` ends with {:?}:\n{}{}", ended.code, ended.out, ended.err)
}

fn difference(wanted: &BTreeSet<String>, is: &BTreeSet<String>) -> String {
    let lines = |sign: char, of: BTreeSet<String>| of.into_iter().map(move |it| format!("\n  {sign} {it}"));
    lines('-', wanted - is).chain(lines('+', is - wanted)).collect::<Vec<_>>().concat()
}
