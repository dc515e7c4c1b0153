//! Jobs: what runs, when, on what, and who hears of it.

mod checks;
mod job;
mod notify;
mod parts;
mod settings;
mod task;

pub use job::{Job, JobOutputs};
pub use notify::{EmailNotifications, Webhook, WebhookNotifications};
pub use parts::{
    Environment, JobCluster, JobEditMode, JobParameter, PauseStatus, PerformanceTarget, Queue, RunAs, Schedule,
};
pub use task::{FileSource, NotebookTask, PythonTask, RunIf, SqlFile, SqlTask, Task, TaskDependency};
