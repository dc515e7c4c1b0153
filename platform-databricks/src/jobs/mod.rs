//! Jobs: what runs, when, on what, and who hears of it.

mod checks;
mod job;
mod notify;
mod parts;
mod quartz;
mod settings;
mod task;
mod zones;

pub use job::{Job, JobOutputs};
pub use notify::{EmailNotifications, Webhook, WebhookNotifications};
pub use parts::{
    Environment, GitProvider, GitSource, Health, HealthMetric, HealthRule, JobCluster, JobEditMode, JobParameter,
    PauseStatus, PerformanceTarget, Queue, RunAs, Schedule,
};
pub use task::{FileSource, NotebookTask, PythonTask, RunIf, SqlFile, SqlTask, Task, TaskDependency};
