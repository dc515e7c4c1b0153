//! The parts of a job beside its tasks: schedule, clusters, environments, parameters, whom it runs as.

use platform_sdk::{Declared, Input, IntoInput, Stage, derive::Block, names};

use crate::compute::NewCluster;

names! {
    /// Whether a schedule starts runs.
    pub enum PauseStatus {
        /// It does not.
        Paused = "PAUSED",
        /// It does.
        Unpaused = "UNPAUSED",
    }
}

names! {
    /// Whether a job can be edited in the browser.
    pub enum JobEditMode {
        /// It can.
        Editable = "EDITABLE",
        /// It can't.
        UiLocked = "UI_LOCKED",
    }
}

names! {
    /// How serverless runs weigh time against cost.
    pub enum PerformanceTarget {
        /// They start soon and run fast.
        PerformanceOptimized = "PERFORMANCE_OPTIMIZED",
        /// They cost less.
        Standard = "STANDARD",
    }
}

/// When a job runs.
#[derive(Block)]
pub struct Schedule<S: Stage = Declared> {
    /// A Quartz expression, seconds first: `0 0 2 * * ?` is two o'clock each night.
    #[field(required)]
    pub quartz_cron_expression: S::In<String>,
    /// The time zone that it is read in: `Europe/Berlin`.
    #[field(required)]
    pub timezone_id: S::In<String>,
    /// Whether it starts runs. Default: it does.
    #[field(default = "UNPAUSED")]
    pub pause_status: Option<S::In<PauseStatus>>,
}

impl Schedule {
    /// The same schedule, which starts nothing for now.
    pub fn paused(self) -> Self {
        self.pause_status(PauseStatus::Paused)
    }
}

impl<Q: IntoInput<String>, Z: IntoInput<String>> From<(Q, Z)> for Schedule {
    fn from((quartz, timezone): (Q, Z)) -> Self {
        Self::new(quartz, timezone)
    }
}

/// A cluster that several tasks share; it is made for the run and ends with it.
#[derive(Block)]
pub struct JobCluster<S: Stage = Declared> {
    /// The name that tasks use.
    #[field(required)]
    pub job_cluster_key: S::In<String>,
    /// What it is made of.
    #[field(required)]
    pub new_cluster: NewCluster<S>,
}

/// What serverless Python runs in.
#[derive(Block)]
pub struct Environment<S: Stage = Declared> {
    /// The name that tasks use.
    #[field(required)]
    pub environment_key: S::In<String>,
    /// The version of the environment, which fixes that of Python. Default: 4.
    #[field(default = "4")]
    pub environment_version: Option<S::In<String>>,
    /// Packages, as in a requirements file: `pandas==2.2.3`, `/Volumes/lake/ops/lib/acme.whl`.
    #[field(nullable)]
    pub dependencies: Option<S::In<Vec<String>>>,
}

/// A parameter of all tasks of a job.
#[derive(Block)]
pub struct JobParameter<S: Stage = Declared> {
    /// Its name.
    #[field(required)]
    pub name: S::In<String>,
    /// Its value where a run gives no other.
    #[field(required)]
    pub default: S::In<String>,
}

names! {
    /// Where a git repository is kept.
    pub enum GitProvider {
        /// GitHub.
        GitHub = "gitHub",
        /// A GitHub of one's own.
        GitHubEnterprise = "gitHubEnterprise",
        /// GitLab.
        GitLab = "gitLab",
        /// A GitLab of one's own.
        GitLabEnterprise = "gitLabEnterpriseEdition",
        /// Bitbucket.
        BitbucketCloud = "bitbucketCloud",
        /// A Bitbucket of one's own.
        BitbucketServer = "bitbucketServer",
        /// Azure DevOps.
        AzureDevOps = "azureDevOpsServices",
        /// AWS `CodeCommit`.
        AwsCodeCommit = "awsCodeCommit",
    }
}

/// The repository of tasks whose source is [`FileSource::Git`](super::FileSource::Git). Unless set, its default branch.
#[derive(Block)]
pub struct GitSource<S: Stage = Declared> {
    /// Its address: `https://github.com/acme/etl`.
    #[field(required)]
    pub git_url: S::In<String>,
    /// Where it is kept.
    #[field(required)]
    pub git_provider: S::In<GitProvider>,
    /// The branch.
    #[field(nullable)]
    pub git_branch: Option<S::In<String>>,
    /// The tag.
    #[field(nullable)]
    pub git_tag: Option<S::In<String>>,
    /// The commit.
    #[field(nullable)]
    pub git_commit: Option<S::In<String>>,
}

names! {
    /// What of a run is measured.
    pub open enum HealthMetric {
        /// How long it takes.
        RunDurationSeconds = "RUN_DURATION_SECONDS",
        /// What a stream has not read yet, in bytes.
        StreamingBacklogBytes = "STREAMING_BACKLOG_BYTES",
        /// The same in files.
        StreamingBacklogFiles = "STREAMING_BACKLOG_FILES",
        /// The same in records.
        StreamingBacklogRecords = "STREAMING_BACKLOG_RECORDS",
        /// The same in seconds.
        StreamingBacklogSeconds = "STREAMING_BACKLOG_SECONDS",
    }
}

/// When a run is not well, so that it is warned of.
#[derive(Block)]
pub struct Health<S: Stage = Declared> {
    /// One rule a metric.
    #[field(keyed_by = "metric", each = rule)]
    pub rules: Vec<HealthRule<S>>,
}

/// A measure that is too much.
#[derive(Block)]
pub struct HealthRule<S: Stage = Declared> {
    /// What is measured.
    #[field(required)]
    pub metric: S::In<HealthMetric>,
    /// More than this is too much.
    #[field(required)]
    pub value: S::In<u64>,
}

impl Health {
    /// Runs that take longer than this.
    pub fn longer_than(seconds: impl IntoInput<u64>) -> Self {
        Self::new().rule(HealthRule::new(HealthMetric::RunDurationSeconds, seconds))
    }
}

/// Whether runs wait when there are too many at once.
#[derive(Block)]
pub struct Queue<S: Stage = Declared> {
    /// They do.
    #[field(required)]
    pub enabled: S::In<bool>,
}

/// Whom a job runs as.
#[derive(Block)]
pub struct RunAs<S: Stage = Declared> {
    /// A user's e-mail address.
    #[field(nullable)]
    pub user_name: Option<S::In<String>>,
    /// A service principal's application id.
    #[field(nullable)]
    pub service_principal_name: Option<S::In<String>>,
}

impl RunAs {
    /// The user with this e-mail address.
    pub fn user(name: impl IntoInput<String>) -> Self {
        Self::new().user_name(name)
    }

    /// The service principal with this application id; needs the role `servicePrincipal.user` on it.
    pub fn service_principal(application_id: impl IntoInput<String>) -> Self {
        Self::new().service_principal_name(application_id)
    }
}

impl Environment {
    /// Whether its key is known to be this one.
    pub(super) fn is_called(&self, key: &str) -> bool {
        matches!(&self.environment_key, Input::Value(known) if known == key)
    }

    /// Whether it says nothing but its key.
    pub(super) fn is_bare(&self) -> bool {
        self.environment_version.is_none() && self.dependencies.is_none()
    }
}
