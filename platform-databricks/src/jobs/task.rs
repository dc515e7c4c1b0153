//! `Task`: one thing that a job does, and the compute that it does it on.

use std::collections::BTreeMap;

use platform_sdk::{Declared, Expr, Id, Input, IntoInput, Output, Stage, derive::Block, names};

use super::{EmailNotifications, Health, WebhookNotifications};
use crate::{
    compute::{Cluster, SqlWarehouse},
    workspace::NotebookPath,
};

/// The environment that a Python task names unless it is given compute of another kind.
pub(super) const DEFAULT_ENVIRONMENT: &str = "default";

names! {
    /// Where a task's file is.
    pub enum FileSource {
        /// In the workspace, or where its URL says.
        Workspace = "WORKSPACE",
        /// In the job's git repository.
        Git = "GIT",
    }
}

names! {
    /// What of the tasks before it must have happened.
    pub enum RunIf {
        /// All succeeded.
        AllSuccess = "ALL_SUCCESS",
        /// All ended.
        AllDone = "ALL_DONE",
        /// None failed.
        NoneFailed = "NONE_FAILED",
        /// One succeeded.
        AtLeastOneSuccess = "AT_LEAST_ONE_SUCCESS",
        /// All failed.
        AllFailed = "ALL_FAILED",
        /// One failed.
        AtLeastOneFailed = "AT_LEAST_ONE_FAILED",
    }
}

/// One thing that a job does: made by [`Task::notebook`], [`Task::python`] or [`Task::sql_file`]. Serverless unless it is
/// put on a cluster.
#[derive(Block)]
pub struct Task<S: Stage = Declared> {
    /// Its name in the job.
    #[field(required)]
    pub task_key: S::In<String>,
    /// What it is for.
    #[field(nullable)]
    pub description: Option<S::In<String>>,
    /// The tasks before it. [`depends_on`](Task::depends_on) adds some.
    #[field(keyed_by = "task_key", by_hand)]
    pub depends_on: Vec<TaskDependency<S>>,
    /// It runs a notebook.
    #[field(nullable)]
    pub notebook_task: Option<NotebookTask<S>>,
    /// It runs a Python file.
    #[field(nullable)]
    pub spark_python_task: Option<PythonTask<S>>,
    /// It runs a file of SQL on a warehouse.
    #[field(nullable)]
    pub sql_task: Option<SqlTask<S>>,
    /// The all-purpose cluster that it runs on.
    #[field(nullable)]
    pub existing_cluster_id: Option<S::In<Id<Cluster>>>,
    /// The job's cluster that it runs on.
    #[field(nullable)]
    pub job_cluster_key: Option<S::In<String>>,
    /// The job's environment that serverless Python runs in.
    #[field(nullable)]
    pub environment_key: Option<S::In<String>>,
    /// What of the tasks before it must have happened. Default: all succeeded.
    #[field(default = "ALL_SUCCESS")]
    pub run_if: Option<S::In<RunIf>>,
    /// Seconds after which it is ended; 0 is never. Default: 0.
    #[field(default = 0)]
    pub timeout_seconds: Option<S::In<u32>>,
    /// How often it is tried again; -1 is without end. Default: 0.
    #[field(default = 0)]
    pub max_retries: Option<S::In<i32>>,
    /// Milliseconds between tries. Default: 0.
    #[field(default = 0)]
    pub min_retry_interval_millis: Option<S::In<u32>>,
    /// Whether it is tried again after its time was up. Default: false.
    #[field(default = false)]
    pub retry_on_timeout: Option<S::In<bool>>,
    /// Who hears of it by e-mail.
    #[field(nullable)]
    pub email_notifications: Option<EmailNotifications<S>>,
    /// Which notification destinations hear of it.
    #[field(nullable)]
    pub webhook_notifications: Option<WebhookNotifications<S>>,
    /// When it is not well.
    #[field(nullable)]
    pub health: Option<Health<S>>,
}

/// A task that comes before.
#[derive(Block)]
pub struct TaskDependency<S: Stage = Declared> {
    /// Its name.
    #[field(required)]
    pub task_key: S::In<String>,
    /// The outcome that it must have, if it is a condition.
    #[field(nullable)]
    pub outcome: Option<S::In<String>>,
}

impl<K: IntoInput<String>> From<K> for TaskDependency {
    fn from(task_key: K) -> Self {
        Self::new(task_key)
    }
}

/// A notebook that a task runs.
#[derive(Block)]
pub struct NotebookTask<S: Stage = Declared> {
    /// Where it is.
    #[field(required)]
    pub notebook_path: S::In<NotebookPath>,
    /// Where that is. Default: in the workspace.
    #[field(default = "WORKSPACE")]
    pub source: Option<S::In<FileSource>>,
    /// Values of its widgets.
    #[field(nullable)]
    pub base_parameters: Option<S::In<BTreeMap<String, String>>>,
    /// The warehouse that a notebook of SQL runs on.
    #[field(nullable)]
    pub warehouse_id: Option<S::In<Id<SqlWarehouse>>>,
}

/// A Python file that a task runs.
#[derive(Block)]
pub struct PythonTask<S: Stage = Declared> {
    /// Where it is: `/Shared/load.py`, `/Volumes/lake/ops/load.py`.
    #[field(required)]
    pub python_file: S::In<String>,
    /// Where that is. Default: in the workspace, or where its URL says.
    #[field(default = "WORKSPACE")]
    pub source: Option<S::In<FileSource>>,
    /// Its command line.
    #[field(nullable)]
    pub parameters: Option<S::In<Vec<String>>>,
}

/// SQL that a task runs.
#[derive(Block)]
pub struct SqlTask<S: Stage = Declared> {
    /// The file.
    #[field(required)]
    pub file: SqlFile<S>,
    /// The warehouse that it runs on.
    #[field(nullable)]
    pub warehouse_id: Option<S::In<Id<SqlWarehouse>>>,
    /// Values of its named parameters.
    #[field(nullable)]
    pub parameters: Option<S::In<BTreeMap<String, String>>>,
}

/// A file of SQL.
#[derive(Block)]
pub struct SqlFile<S: Stage = Declared> {
    /// Where it is: `/Shared/report.sql`.
    #[field(required)]
    pub path: S::In<String>,
    /// Where that is. Default: in the workspace.
    #[field(default = "WORKSPACE")]
    pub source: Option<S::In<FileSource>>,
}

impl Task {
    /// Runs a notebook: the handle of one, or its path.
    pub fn notebook(task_key: impl IntoInput<String>, notebook: impl IntoInput<NotebookPath>) -> Self {
        Self { notebook_task: Some(NotebookTask::new(notebook)), ..Self::new(task_key) }
    }

    /// Runs a Python file, serverless in the environment `default` unless it is put on a cluster.
    pub fn python(task_key: impl IntoInput<String>, file: impl IntoInput<String>) -> Self {
        Self { spark_python_task: Some(PythonTask::new(file)), ..Self::new(task_key) }
            .environment_key(DEFAULT_ENVIRONMENT)
    }

    /// Runs a file of SQL on the warehouse given with [`warehouse`](Self::warehouse).
    pub fn sql_file(task_key: impl IntoInput<String>, path: impl IntoInput<String>) -> Self {
        Self { sql_task: Some(SqlTask::new(SqlFile::new(path))), ..Self::new(task_key) }
    }

    /// After these tasks, too: their keys, or a [`TaskDependency`] each.
    pub fn depends_on<D: Into<TaskDependency>>(mut self, tasks: impl IntoIterator<Item = D>) -> Self {
        self.depends_on.extend(tasks.into_iter().map(Into::into));
        self
    }

    /// On an all-purpose cluster.
    pub fn on_cluster(mut self, cluster: impl IntoInput<Id<Cluster>>) -> Self {
        self.environment_key = None;
        self.existing_cluster_id(cluster)
    }

    /// On the job's cluster of this name.
    pub fn on_job_cluster(mut self, key: impl IntoInput<String>) -> Self {
        self.environment_key = None;
        self.job_cluster_key(key)
    }

    /// On a SQL warehouse: SQL, and notebooks of SQL.
    pub fn warehouse(mut self, warehouse: impl IntoInput<Id<SqlWarehouse>>) -> Self {
        let warehouse = warehouse.into_input();
        match (&mut self.sql_task, &mut self.notebook_task) {
            (Some(sql), _) => sql.warehouse_id = Some(warehouse),
            (None, Some(notebook)) => notebook.warehouse_id = Some(warehouse),
            (None, None) => return self.misused("`warehouse` is for tasks that run SQL or a notebook"),
        }
        self
    }

    /// The command line of a Python file.
    pub fn parameters(mut self, parameters: impl IntoInput<Vec<String>>) -> Self {
        match &mut self.spark_python_task {
            Some(python) => python.parameters = Some(parameters.into_input()),
            None => return self.misused("`parameters` is for tasks that run Python; others take `named_parameters`"),
        }
        self
    }

    /// Values of a notebook's widgets, or of a SQL file's named parameters.
    pub fn named_parameters(mut self, parameters: impl IntoInput<BTreeMap<String, String>>) -> Self {
        match (&mut self.sql_task, &mut self.notebook_task) {
            (Some(sql), _) => sql.parameters = Some(parameters.into_input()),
            (None, Some(notebook)) => notebook.base_parameters = Some(parameters.into_input()),
            (None, None) => return self.misused("`named_parameters` is for tasks that run SQL or a notebook"),
        }
        self
    }

    /// Setters can't fail: a value that can't be is reported with the job's place when the program has run.
    fn misused(mut self, how: &str) -> Self {
        let key = match &self.task_key {
            Input::Value(key) => format!("task `{key}`: {how}"),
            Input::Output(_) => how.to_owned(),
        };
        self.description = Some(Input::Output(Output::from_expr(Expr::Invalid(key))));
        self
    }
}
