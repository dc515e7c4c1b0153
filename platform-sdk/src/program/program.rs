//! The program: a project's name, its stacks and providers, and the function that declares its resources.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::ExitCode,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Builtin, Config, Expr, Provider, ProviderDeclaration, Recorder, Sealer, Stack, logged_in_twice, secret::NeedsKey,
};
use crate::{
    Result,
    desired::ProviderKey,
    panics::{Panicked, caught},
    provider::Connector,
    report::{Diagnostic, Error},
    scrub::Known,
    sealing::{KeySource, KeyWrapper},
};

/// A program that the SDK turns into a command-line tool.
///
/// ```no_run
/// use platform_sdk::prelude::*;
///
/// fn main() -> std::process::ExitCode {
///     Program::new("acme", |stack| {
///         let greeting = stack.add("greeting", Data::new(serde_json::json!("hello")));
///         stack.export("greeting", &greeting.output);
///         Ok(())
///     })
///     .stack("dev")
///     .main()
/// }
/// ```
pub struct Program {
    pub(crate) project: String,
    pub(crate) formerly: Vec<String>,
    pub(crate) default_stack: String,
    pub(crate) config_file: Option<PathBuf>,
    providers: BTreeMap<&'static str, Listed>,
    declare: Box<dyn Fn(&Stack) -> Result<()>>,
    problems: Vec<Diagnostic>,
    pub(crate) secrets_key: Option<Arc<dyn KeyWrapper>>,
}

/// A provider that a program lists: the default of its kind.
struct Listed {
    config: Box<dyn Fn() -> Expr>,
    connector: Arc<dyn Connector>,
}

/// A program's declarations for one stack, with the configuration they were made from.
pub(crate) struct Recording {
    pub(crate) recorder: Recorder,
    /// Why secrets of the configuration stay sealed, where they do.
    pub(crate) locked: Option<Diagnostic>,
}

/// Whether a program is given the secrets of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsealing {
    /// It is, or is not run.
    Needed,
    /// It is where there is a key to them, and otherwise knows only that they are there: for who only looks.
    Optional,
}

impl Program {
    /// A program of this project; `declare` is run once for each plan. The default stack is `dev`.
    pub fn new(project: &str, declare: impl Fn(&Stack) -> Result<()> + 'static) -> Self {
        let program = Self {
            project: project.to_owned(),
            formerly: Vec::new(),
            default_stack: "dev".to_owned(),
            config_file: None,
            providers: BTreeMap::new(),
            declare: Box::new(declare),
            problems: Vec::new(),
            secrets_key: None,
        };
        program.provider(Builtin)
    }

    /// A name that the project had: where a stack has its state under that one, the next command that writes state brings it
    /// along. Secrets of the config file that were encrypted under it open as before. To be kept for as long as there is a
    /// stack or such a secret from then.
    pub fn formerly(mut self, project: &str) -> Self {
        self.formerly.push(project.to_owned());
        self
    }

    /// The stack that is meant when neither `--stack` nor `PLATFORM_STACK` names one.
    pub fn stack(mut self, name: &str) -> Self {
        name.clone_into(&mut self.default_stack);
        self
    }

    /// The committed configuration, relative to the project's top: a TOML table for each stack, and `[default]`.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config_file = Some(path.into());
        self
    }

    /// The key of a key management service that wraps the keys of this program's secrets, in state and in its config
    /// file. What was encrypted before it was named stays as it is until `state rotate-key` and `config rotate-key`.
    pub fn secrets_key(mut self, key: impl KeyWrapper + 'static) -> Self {
        self.secrets_key = Some(Arc::new(key));
        self
    }

    /// A provider: manages the resources of its kind, and those in state that the program no longer mentions.
    pub fn provider<P: Provider>(mut self, provider: P) -> Self {
        let connector = provider.connector();
        let listed = Listed { config: Box::new(move || provider.config()), connector };
        if self.providers.insert(P::KIND, listed).is_some() {
            let problem = Diagnostic::error(format!("two default providers of kind `{}`", P::KIND))
                .hint("list one; give the other to `stack.within(&provider)` or `.provider(&provider)`");
            self.problems.push(problem);
        }
        self
    }

    /// What connects to the providers that the program lists, whatever its function declares.
    pub(crate) fn listed(&self) -> BTreeMap<ProviderKey, Arc<dyn Connector>> {
        let listed = self.providers.iter();
        listed.map(|(kind, listed)| (ProviderKey::default_of(kind), listed.connector.clone())).collect()
    }

    /// Runs the command line with the process's arguments and environment.
    pub fn main(self) -> ExitCode {
        crate::cli::main(self)
    }

    /// A stack's configuration with what the program asks of it, also when the program then fails: one that misses a
    /// key can still be asked which it has.
    pub(crate) fn configuration(&self, stack: &str, environment: &BTreeMap<String, String>) -> Result<Rc<Config>> {
        let sealer = self.sealer(environment, Unsealing::Optional);
        let config = Rc::new(Config::load(stack, self.config_file.as_deref(), environment, sealer)?);
        let handle = Stack::new(stack, config.clone(), 0);
        let _what_else_it_declares = caught(|| (self.declare)(&handle));
        Ok(config)
    }

    /// A text sealed for a key of a stack's table, and the table's wrapped key where it has just been made.
    pub(crate) fn sealed_config(
        &self,
        environment: &BTreeMap<String, String>,
        stack: &str,
        key: &str,
        text: &str,
    ) -> Result<(serde_json::Value, Option<serde_json::Value>)> {
        let sealer = self.sealer(environment, Unsealing::Needed);
        let config = Config::load(stack, self.config_file.as_deref(), environment, sealer)?;
        Ok(config.into_sealer().seal(stack, key, text)?)
    }

    fn sealer(&self, environment: &BTreeMap<String, String>, unsealing: Unsealing) -> Sealer {
        let source = KeySource::new(environment, self.secrets_key.clone());
        Sealer::new(&self.project, &self.formerly, source.optional(unsealing == Unsealing::Optional))
    }

    /// The stacks that the config file has a table of. None where there is no file, or it can't be read: whoever needs what
    /// is in it says why.
    pub(crate) fn configured_stacks(&self) -> BTreeSet<String> {
        self.config_file.as_deref().map_or_else(BTreeSet::new, |file| Config::stacks(file).unwrap_or_default())
    }

    /// Runs the program's function for a stack and records what it declares.
    pub(crate) fn record(
        &self,
        stack: &str,
        environment: &BTreeMap<String, String>,
        unsealing: Unsealing,
    ) -> Result<Recording> {
        static RECORDINGS: AtomicU64 = AtomicU64::new(1);

        let sealer = self.sealer(environment, unsealing);
        let config = Rc::new(Config::load(stack, self.config_file.as_deref(), environment, sealer)?);
        let handle = Stack::new(stack, config.clone(), RECORDINGS.fetch_add(1, Ordering::Relaxed));
        let declared = caught(|| (self.declare)(&handle));
        let mut recorder = handle.take();
        recorder.secrets = config.given();
        // What is wrong may be told with what the program was given.
        let given: Known = recorder.secrets.iter().collect();
        match declared {
            Ok(declared) => declared.map_err(|error| error.scrubbed(&given))?,
            Err(panic) => return Err(panicked(&panic, &config).into()),
        }
        for (kind, listed) in &self.providers {
            let (config, connector) = ((listed.config)(), listed.connector.clone());
            let alike = recorder.providers.get(&ProviderKey::new(kind, &config));
            let others = alike.and_then(|other| other.connector.given_credentials());
            if others.is_some() && others != connector.given_credentials() {
                recorder.problems.push(logged_in_twice(kind));
            }
            recorder.providers.insert(ProviderKey::default_of(kind), ProviderDeclaration { kind, config, connector });
        }
        recorder.problems.extend(self.problems.iter().cloned());
        recorder.problems.extend(config.unknown_keys());
        let locked = config.sealer().locked();
        if recorder.problems.is_empty() {
            Ok(Recording { recorder, locked })
        } else {
            Err(Error::all(recorder.problems).scrubbed(&given))
        }
    }
}

fn panicked(panic: &Panicked, config: &Config) -> Diagnostic {
    if let Some(NeedsKey { at }) = panic.payload.downcast_ref() {
        let why = config.sealer().locked().map(|why| [why.summary, why.detail.unwrap_or_default()].join("; "));
        return Diagnostic::error("the program needs the value of a secret that it has no key to")
            .detail(why.unwrap_or_default())
            .hint("hand the secret on without looking into it, and no key is needed for a plan; or give the key")
            .at(at);
    }
    Diagnostic::error("the program panicked while it declared its resources")
        .detail(panic.told())
        .hint("nothing was planned and nothing was changed; correct the program and run it again")
}
