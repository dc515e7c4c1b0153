//! The command line's grammar: verbs, their flags, and the flags that stand before or after any verb.

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::desired::Address;

/// What was asked for.
#[derive(Debug, Parser)]
#[command(
    name = "platform-sdk",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 differences where asked for, 64 usage, 130 interrupted."
)]
pub(crate) struct Arguments {
    /// The verb; without one, `plan`.
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    /// What any verb takes.
    #[command(flatten)]
    pub(crate) globals: Globals,
}

/// Flags that stand before or after any verb.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// The stack [env: PLATFORM_STACK] [default: the program's]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// The stack is a new one: neither the program's default, nor in the config file, nor stored
    #[arg(long, global = true)]
    pub(crate) new_stack: bool,
    /// Where state is: a directory, or s3://, az://, gs:// [env: PLATFORM_STATE] [default: the nearest .platform upwards]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) state: Option<String>,
    /// Only these addresses (globs) and what they need; repeatable
    #[arg(long, global = true, value_name = "GLOB")]
    pub(crate) target: Vec<String>,
    /// All but these addresses (globs) and what needs them; repeatable
    #[arg(long, global = true, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Replace this resource even if nothing asks for it; repeatable
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = address)]
    pub(crate) replace: Vec<Address>,
    /// How many steps run at once
    #[arg(long, global = true, value_name = "N", default_value_t = 16, value_parser = at_least_one)]
    pub(crate) parallel: usize,
    /// Don't read reality first
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Don't ask before applying
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// One JSON object a line on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Use the sandbox: loopback servers, nothing real is touched
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
    /// Consent to the loss of data by this resource, or by `all`; repeatable
    #[arg(long, global = true, value_name = "ADDRESS|all", value_parser = consent)]
    pub(crate) allow_data_loss: Vec<Consent>,
    /// Start nothing new after the first failure
    #[arg(long, global = true)]
    pub(crate) fail_fast: bool,
    /// No colours [env: NO_COLOR]
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Say more, fold nothing, and log to stderr; repeatable
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Whose data may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Any resource's.
    All,
    /// This one's.
    One(Address),
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show what would change
    #[command(visible_alias = "preview")]
    Plan(PlanArguments),
    /// Plan, ask, apply
    #[command(visible_alias = "apply")]
    Up(UpArguments),
    /// Delete everything the stack owns, in order
    Destroy,
    /// Compare reality with state
    Drift(DriftArguments),
    /// Adopt one existing resource, and print the Rust for it
    Import(ImportArguments),
    /// Look at and mend state
    #[command(subcommand, arg_required_else_help = false)]
    State(StateVerb),
    /// List the project's stacks, and remove empty ones
    #[command(subcommand, arg_required_else_help = false)]
    Stack(StackVerb),
    /// List the snapshots of the stack
    History,
    /// Plan and apply the inputs of an earlier snapshot
    Rollback(RollbackArguments),
    /// Print the stack's outputs, or one of them
    Output(OutputArguments),
    /// Draw what the program declares
    Graph(GraphArguments),
    /// Look at and change the stack's configuration
    #[command(subcommand, arg_required_else_help = false)]
    Config(ConfigVerb),
    /// Show login, identity and roles, and what is missing
    Doctor,
    /// Serve the sandbox until interrupted
    Sandbox,
}

impl Verb {
    /// Whether it runs the program to do what that says for the stack.
    pub(crate) fn follows_the_program(&self) -> bool {
        match self {
            Self::Plan(_)
            | Self::Up(_)
            | Self::Drift(_)
            | Self::Import(_)
            | Self::Rollback(_)
            | Self::Graph(_)
            | Self::Doctor => true,
            Self::Destroy
            | Self::State(_)
            | Self::Stack(_)
            | Self::History
            | Self::Output(_)
            | Self::Config(_)
            | Self::Sandbox => false,
        }
    }

    /// Whether it writes state, and so brings along what the project had under a former name.
    pub(crate) fn writes_state(&self) -> bool {
        match self {
            Self::Up(_) | Self::Destroy | Self::Import(_) | Self::Rollback(_) => true,
            Self::Drift(arguments) => arguments.accept,
            Self::State(verb) => match verb {
                StateVerb::Mv(_)
                | StateVerb::Forget(_)
                | StateVerb::Import(_)
                | StateVerb::CopyTo(_)
                | StateVerb::Prune(_)
                | StateVerb::RotateKey(_) => true,
                // What is damaged or locked is mended where it is, by the last two.
                StateVerb::List(_)
                | StateVerb::Show(_)
                | StateVerb::Export(_)
                | StateVerb::Repair
                | StateVerb::Unlock(_) => false,
            },
            Self::Plan(_)
            | Self::Stack(_)
            | Self::History
            | Self::Output(_)
            | Self::Graph(_)
            | Self::Config(_)
            | Self::Doctor
            | Self::Sandbox => false,
        }
    }
}

impl Default for Verb {
    fn default() -> Self {
        Self::Plan(PlanArguments::default())
    }
}

/// `plan`.
#[derive(Debug, Default, Args)]
pub(crate) struct PlanArguments {
    /// Save the plan for `up --plan`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<std::path::PathBuf>,
    /// Write the plan for reviewers: Markdown (.md) or a page (.html)
    #[arg(long, value_name = "FILE", value_parser = Report::parse)]
    pub(crate) report: Option<Report>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

/// A file that shows a plan to people.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// Where it is written.
    pub(crate) file: std::path::PathBuf,
    /// What is written there.
    pub(crate) show: fn(&crate::plan::Plan) -> String,
}

impl Report {
    fn parse(text: &str) -> Result<Self, String> {
        let file = std::path::PathBuf::from(text);
        let show = match file.extension().and_then(|ending| ending.to_str()) {
            Some("md") => crate::report::plan_markdown,
            Some("html") => crate::report::plan_html,
            _ => return Err("a report ends in .md or .html".to_owned()),
        };
        Ok(Self { file, show })
    }
}

/// `up`.
#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    /// Apply exactly this saved plan, or refuse
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<std::path::PathBuf>,
}

/// `drift`.
#[derive(Debug, Args)]
pub(crate) struct DriftArguments {
    /// Record what was observed, and print the Rust to change
    #[arg(long)]
    pub(crate) accept: bool,
    /// Exit with 2 also for changes in what the program does not set
    #[arg(long)]
    pub(crate) unmanaged: bool,
}

/// `import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The address it is to have: databricks:Catalog::lake
    #[arg(value_parser = address)]
    pub(crate) address: Address,
    /// Its id, natural key, or URL in the browser
    pub(crate) id: String,
}

/// `state`.
#[derive(Debug, Subcommand)]
pub(crate) enum StateVerb {
    /// List what the stack owns
    List(StateListArguments),
    /// Show everything known of one resource, or of all
    Show(StateShowArguments),
    /// Give a resource another address
    Mv(StateMoveArguments),
    /// Drop a resource from state and leave the object
    Forget(StateForgetArguments),
    /// Print the state as JSON, secrets sealed
    Export(StateExportArguments),
    /// Make an exported state the stack's own, as its next snapshot
    Import(StateImportArguments),
    /// Copy the state to another place, and compare every object
    CopyTo(StateCopyArguments),
    /// Remove old snapshots for good
    Prune(StatePruneArguments),
    /// Wrap the key of the state's secrets anew: with PLATFORM_NEW_PASSPHRASE, PLATFORM_NEW_KEY_FILE, or what there is
    RotateKey(StateRotateArguments),
    /// Take the lease from a run that is gone
    Unlock(StateUnlockArguments),
    /// Check the state, say what would be done about damage and interrupted runs, and do it
    Repair,
}

/// `state list`.
#[derive(Debug, Args)]
pub(crate) struct StateListArguments {
    /// As of this snapshot
    #[arg(long, value_name = "SERIAL")]
    pub(crate) at: Option<u64>,
}

/// `state show`.
#[derive(Debug, Args)]
pub(crate) struct StateShowArguments {
    /// Only this resource
    #[arg(value_parser = address)]
    pub(crate) address: Option<Address>,
    /// As of this snapshot
    #[arg(long, value_name = "SERIAL")]
    pub(crate) at: Option<u64>,
}

/// `state mv`.
#[derive(Debug, Args)]
pub(crate) struct StateMoveArguments {
    /// The address it has
    #[arg(value_parser = address)]
    pub(crate) from: Address,
    /// The address it is to have
    #[arg(value_parser = address)]
    pub(crate) to: Address,
}

/// `state forget`.
#[derive(Debug, Args)]
pub(crate) struct StateForgetArguments {
    /// The resource
    #[arg(value_parser = address)]
    pub(crate) address: Address,
}

/// `state export`.
#[derive(Debug, Args)]
pub(crate) struct StateExportArguments {
    /// As of this snapshot
    #[arg(long, value_name = "SERIAL")]
    pub(crate) at: Option<u64>,
}

/// `state import`.
#[derive(Debug, Args)]
pub(crate) struct StateImportArguments {
    /// What `state export` has written
    pub(crate) file: std::path::PathBuf,
}

/// `state copy-to`.
#[derive(Debug, Args)]
pub(crate) struct StateCopyArguments {
    /// The place, as `--state` takes it
    pub(crate) url: String,
}

/// `state prune`.
#[derive(Debug, Args)]
pub(crate) struct StatePruneArguments {
    /// How many of the newest snapshots stay
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) keep: usize,
}

/// `state rotate-key`.
#[derive(Debug, Args)]
pub(crate) struct StateRotateArguments {
    /// Encrypt every secret with another key, too: after the old one has leaked
    #[arg(long)]
    pub(crate) re_encrypt: bool,
}

/// `state unlock`.
#[derive(Debug, Args)]
pub(crate) struct StateUnlockArguments {
    /// The run that holds the lease, as the message about it names it
    pub(crate) run: String,
}

/// `stack`.
#[derive(Debug, Subcommand)]
pub(crate) enum StackVerb {
    /// List them, and where each is known from
    List,
    /// Remove the state of a stack that owns nothing, with its history
    Remove(StackRemoveArguments),
}

/// `stack remove`.
#[derive(Debug, Args)]
pub(crate) struct StackRemoveArguments {
    /// The stack
    pub(crate) name: String,
}

/// `rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// The snapshot's number, as `history` lists it
    pub(crate) serial: u64,
}

/// `output`.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// Only this one: text as it is, anything else as JSON
    pub(crate) name: Option<String>,
    /// Show secrets in clear
    #[arg(long)]
    pub(crate) show_secrets: bool,
}

/// `graph`.
#[derive(Debug, Args)]
pub(crate) struct GraphArguments {
    /// For documents, or for Graphviz
    #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
    pub(crate) format: GraphFormat,
}

/// How a graph is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Mermaid.
    Mermaid,
    /// Graphviz.
    Dot,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Print one value
    Get(ConfigGetArguments),
    /// Write one value of the stack into the config file
    Set(ConfigSetArguments),
    /// List all values and where they come from
    List,
    /// Wrap the keys of the file's secrets anew: with PLATFORM_NEW_PASSPHRASE, PLATFORM_NEW_KEY_FILE, or what there is
    RotateKey,
}

/// `config get`.
#[derive(Debug, Args)]
pub(crate) struct ConfigGetArguments {
    /// The key
    pub(crate) key: String,
}

/// `config set`.
#[derive(Debug, Args)]
pub(crate) struct ConfigSetArguments {
    /// The key
    pub(crate) key: String,
    /// The value: text, or a TOML number, boolean or list; a secret is text, and asked for or read from stdin without it
    #[arg(allow_hyphen_values = true, required_unless_present = "secret")]
    pub(crate) value: Option<String>,
    /// Encrypt it: with the program's key service, PLATFORM_PASSPHRASE or PLATFORM_KEY_FILE
    #[arg(long)]
    pub(crate) secret: bool,
}

/// Reads a command line.
///
/// # Errors
/// clap's answer: help, version, or what is wrong.
pub(crate) fn parse<T>(about: &str, line: impl IntoIterator<Item = T>) -> Result<Arguments, clap::Error>
where
    T: Into<std::ffi::OsString> + Clone,
{
    let mut command = Arguments::command().about(about.to_owned());
    let matches = command.try_get_matches_from_mut(line)?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|problem: crate::Diagnostic| match problem.hint {
        Some(hint) => format!("{}; {hint}", problem.summary),
        None => problem.summary,
    })
}

fn consent(text: &str) -> Result<Consent, String> {
    if text == "all" { Ok(Consent::All) } else { address(text).map(Consent::One) }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number from 1 on is wanted".to_owned()),
        Ok(number) => Ok(number),
    }
}
