//! What every verb is given: the program, the stack, the flags, the environment, the printer.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use time::OffsetDateTime;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::{
    arguments::{Consent, Globals},
    interrupts::Interrupts,
};
use crate::{
    Program, Result,
    desired::{Address, Desired, ProviderKey, desired},
    program::{Recorder, Recording, Unsealing},
    provider::Connector,
    report::{Diagnostic, Printer},
    state::{Clock, Local, Location, Logins, Store, World},
};

/// The name of the folder that state is in unless told otherwise.
pub(crate) const STATE: &str = ".platform";

/// Where runs keep what they learn after they have lost their store: beside what state would be there, wherever it is.
const STRANDED: &str = "stranded";

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done,
    /// It failed, and has said so.
    Failed,
    /// There are differences, and the exit code was asked to tell.
    Differences,
    /// The command line makes no sense.
    Usage,
    /// A person stopped it.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Differences => 2,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }

    /// Whether the command did what was asked.
    pub(crate) fn ok(self) -> bool {
        matches!(self, Self::Done | Self::Differences)
    }
}

/// One command's surroundings. Nothing below reads the process's environment or writes to its streams by itself.
pub(crate) struct Context {
    /// The program.
    pub(crate) program: Program,
    /// The stack that is meant.
    pub(crate) stack: String,
    /// Where state is, if the flag or the environment says so.
    pub(crate) state: Option<String>,
    /// The `.platform` of the project: where state is unless something else is said, and what a run keeps on its machine.
    pub(crate) folder: PathBuf,
    /// The name that the project had when the stack's state was written, as long as that was not brought along.
    pub(crate) former: Option<String>,
    /// The flags.
    pub(crate) globals: Globals,
    /// The environment, as it was when the process began.
    pub(crate) environment: BTreeMap<String, String>,
    /// What the places of states are logged in with.
    logins: Logins,
    /// Where everything is said; an observer of engines.
    pub(crate) printer: Arc<Printer>,
    /// Somebody is there to be asked.
    pub(crate) attended: bool,
    /// Who may stop it.
    pub(crate) interrupts: Interrupts,
    /// What stands in for the process, where a command is run within one that is not its own.
    pub(crate) embedded: Option<Embedded>,
}

/// What a command is given that runs within a process of somebody else's.
pub(crate) struct Embedded {
    /// Where state is, whatever flags and environment say.
    pub(crate) store: Arc<dyn Store>,
    /// What stands for `.platform` on its machine, if it has one.
    pub(crate) folder: Option<PathBuf>,
    /// What time it is.
    pub(crate) clock: Clock,
}

/// What running the program gave.
pub(crate) struct Declared {
    /// The graph.
    pub(crate) desired: Desired,
    /// What connects to each of its providers, with the credentials that the program gives.
    pub(crate) connectors: BTreeMap<ProviderKey, Arc<dyn Connector>>,
    /// Why secrets of the configuration stay sealed, where they do.
    pub(crate) locked: Option<Diagnostic>,
}

impl Context {
    /// The surroundings of a command; flags go before the environment, the environment before the program.
    pub(crate) fn new(
        program: Program,
        globals: Globals,
        environment: BTreeMap<String, String>,
        printer: Arc<Printer>,
        attended: bool,
    ) -> Self {
        let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
        let stack = globals.stack.clone().or_else(|| variable("PLATFORM_STACK"));
        let stack = stack.unwrap_or_else(|| program.default_stack.clone());
        let state = globals.state.clone().or_else(|| variable("PLATFORM_STATE"));
        // A key of a real service is none of the sandbox's.
        let mut program = program;
        if globals.sandbox {
            program.secrets_key = None;
        }
        let logins = Logins::new(environment.clone(), program.listed());
        let interrupts = Interrupts::by(watch::channel(false).1);
        let (folder, former, embedded) = (PathBuf::from(STATE), None, None);
        Self {
            program,
            stack,
            state,
            folder,
            former,
            globals,
            environment,
            logins,
            printer,
            attended,
            interrupts,
            embedded,
        }
    }

    /// Runs the program and builds its graph.
    ///
    /// # Errors
    /// Everything that is wrong with the program.
    pub(crate) fn declared(&self) -> Result<Declared> {
        self.declared_with(Unsealing::Needed)
    }

    /// The same for who only looks, and needs no key to the secrets of the configuration.
    ///
    /// # Errors
    /// As [`Self::declared`].
    pub(crate) fn declared_to_look(&self) -> Result<Declared> {
        self.declared_with(Unsealing::Optional)
    }

    fn declared_with(&self, unsealing: Unsealing) -> Result<Declared> {
        let Recording { recorder, locked } = self.program.record(&self.stack, &self.environment, unsealing)?;
        let connectors = recorder.connectors();
        Ok(Declared { desired: desired(&self.program.project, &self.stack, recorder)?, connectors, locked })
    }

    /// What the program declares; where its function fails, the providers that it lists, and nothing else.
    pub(crate) fn declared_or_listed(&self) -> Result<Declared> {
        self.declared_to_look().or_else(|_| {
            let desired = desired(&self.program.project, &self.stack, Recorder::default())?;
            Ok(Declared { desired, connectors: self.program.listed(), locked: None })
        })
    }

    /// Where the stack's state is.
    ///
    /// # Errors
    /// When the place can't be one.
    pub(crate) fn location(&self) -> Result<Location> {
        self.location_under(self.former.as_deref(), &self.stack)
    }

    /// Where a stack of this project has its state, under the name that the project has, or had.
    ///
    /// # Errors
    /// When the place can't be one.
    pub(crate) fn location_under(&self, former: Option<&str>, stack: &str) -> Result<Location> {
        let Program { project, formerly, .. } = &self.program;
        let heirs = std::iter::once(project).chain(formerly).cloned();
        Ok(self.location_of(former.unwrap_or(project), stack)?.for_heirs(heirs))
    }

    /// Where another stack's state is, beside this one's.
    ///
    /// # Errors
    /// When the place can't be one.
    pub(crate) fn location_of(&self, project: &str, stack: &str) -> Result<Location> {
        if let Some(embedded) = &self.embedded {
            let location = Location::within(embedded.store.clone(), project, stack)?;
            return Ok(location.stranding_in(embedded.folder.as_ref().map(|folder| folder.join(STRANDED))));
        }
        let location = if let Some(place) = &self.state {
            self.location_at(place, project, stack)?
        } else {
            let location = Location::within(Arc::new(Local::new(&self.folder)), project, stack)?;
            location.with_key(self.program.secrets_key.clone())
        };
        Ok(location.stranding_in(Some(self.folder.join(STRANDED))))
    }

    /// A place that the program names: where it is a relative path, it is that in the folder which `.platform` is in.
    pub(crate) fn place_in_project(&self, place: &str) -> String {
        let path = place.strip_prefix("file://").unwrap_or(place);
        match self.folder.parent() {
            Some(top) if !path.is_empty() && !path.contains("://") => top.join(path).display().to_string(),
            _ => place.to_owned(),
        }
    }

    /// Where a stack's state is in another place, with the logins and the key of this program.
    ///
    /// # Errors
    /// When the place can't be one, or there is no login for it.
    pub(crate) fn location_at(&self, place: &str, project: &str, stack: &str) -> Result<Location> {
        let location = Location::with_logins(place, project, stack, &self.logins)?;
        Ok(location.with_key(self.program.secrets_key.clone()))
    }

    /// Gives up what a command is made of, at its end. Piece by piece that takes long, and a process that ends gives all
    /// of its memory back at once.
    pub(crate) fn leave<T>(&self, what: T) {
        if self.embedded.is_none() {
            std::mem::forget(what);
        }
    }

    /// The time, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        let now = self.embedded.as_ref().map_or_else(OffsetDateTime::now_utc, |embedded| (embedded.clock)());
        u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
    }

    /// Where sandboxes keep their worlds: beside the state, where that is a directory.
    pub(crate) fn sandbox_folder(&self) -> PathBuf {
        let state = self.state.as_deref().map(|state| state.strip_prefix("file://").unwrap_or(state));
        state.filter(|state| !state.contains("://")).map_or(&*self.folder, Path::new).join("sandbox")
    }

    /// The world that the stored state speaks of; for verbs that touch nothing but state.
    ///
    /// # Errors
    /// When the state's head can't be read.
    pub(crate) async fn stored_world(&self, location: &Location) -> Result<World> {
        let meant = self.meant_world();
        Ok(if self.globals.sandbox { meant } else { crate::state::world(location).await?.unwrap_or(meant) })
    }

    /// The world that the command line means.
    pub(crate) fn meant_world(&self) -> World {
        if self.globals.sandbox { World::Sandbox } else { World::Real }
    }

    /// Whether this resource's data may be lost.
    pub(crate) fn consents(&self, address: &Address) -> bool {
        self.globals.allow_data_loss.iter().any(|consent| match consent {
            Consent::All => true,
            Consent::One(one) => one == address,
        })
    }

    /// The error of a verb that would have to ask, and has nobody to ask: known before anything is read or locked.
    pub(crate) fn unattended(&self, verb: &str) -> Option<Diagnostic> {
        if self.globals.yes || (self.attended && !self.printer.is_json()) {
            return None;
        }
        let why = if self.printer.is_json() { "--json asks no questions" } else { "there is no terminal to ask on" };
        let problem = Diagnostic::error(format!("`{verb}` needs --yes here")).detail(why);
        Some(problem.hint(format!("look at the plan first, then run `{verb} --yes`")))
    }

    /// A secret that was not given on the command line: asked for without an echo, or all of stdin.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn ask_secret(&self, name: &str) -> Result<Zeroizing<String>> {
        let unread = |error: &dyn std::fmt::Display| {
            Diagnostic::error(format!("the value of `{name}` could not be read")).detail(error.to_string())
        };
        if self.attended {
            let ask = || dialoguer::Password::new().with_prompt(format!("Value of {name}")).interact();
            return self.printer.suspended(ask).map(Zeroizing::new).map_err(|error| unread(&error).into());
        }
        let text = std::io::read_to_string(std::io::stdin()).map(Zeroizing::new).map_err(|error| unread(&error))?;
        let value = text.strip_suffix('\n').unwrap_or(&text);
        if value.is_empty() {
            return Err(unread(&"stdin is empty").hint("pipe it in, or give it as the last argument").into());
        }
        Ok(Zeroizing::new(value.to_owned()))
    }

    /// Asks whether to go on; with `--yes` the answer is known.
    ///
    /// # Errors
    /// When nobody can be asked, or an interrupt is the answer.
    pub(crate) async fn confirm(&self, question: &str) -> Result<bool> {
        if self.globals.yes {
            return Ok(true);
        }
        if let Some(problem) = self.unattended("this") {
            return Err(problem.into());
        }
        // A line, as the terminal hands it over: nothing has to be put back when the answer is an interrupt.
        self.printer.ask(&format!("{question} [y/N] "));
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        let answer = async {
            let unasked = |error| Diagnostic::error("the question could not be asked").detail(format!("{error}"));
            Ok(line.await?.map_err(|error: std::io::Error| unasked(error))?)
        };
        let answer = self.interrupts.unless_asked(answer).await?;
        Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
    }
}
