//! `Job`: tasks that run together, on a schedule or when asked to.
//! <https://docs.databricks.com/api/workspace/jobs>
//!
//! - Names are not unique, so a create writes its mark into a tag, which no diff sees.
//! - Tasks, clusters, environments and parameters are matched by their keys: order is no change.
//! - `reset` replaces all there is, so it sends what is there with what differs. What the page does not know stays.
//! - A get shows a hundred tasks a page. A list shows no more than that and leaves out whom a job runs as: where it does
//!   not show all that was last applied, the job is asked for.
//! - `run_as` is given as a user or a service principal and read back as a name.
//! - A job that is gone can be answered with "permission denied".

use std::collections::BTreeMap;

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, Input, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{
        Change, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult, Read,
        id_in_address,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    EmailNotifications, Environment, GitSource, Health, JobCluster, JobEditMode, JobParameter, PerformanceTarget,
    Queue, RunAs, Schedule, Task, WebhookNotifications, checks::flaws, settings, task::DEFAULT_ENVIRONMENT,
};
use crate::{
    WorkspaceProvider,
    client::{
        Client, Outcome, Walk,
        marks::{self, Tagged},
        wire,
    },
};

// declare

/// Tasks that run together.
#[derive(Resource)]
#[resource(
    type = "databricks:Job",
    outputs = JobOutputs,
    provider = WorkspaceProvider,
    scope = "workspace",
    identity = mark(tags),
    validate = flaws
)]
pub struct Job<S: Stage = Declared> {
    /// Its name; others may have the same.
    #[field(required)]
    pub name: S::In<String>,
    /// What it is for.
    #[field(nullable)]
    pub description: Option<S::In<String>>,
    /// What it does. [`task`](Job::task) adds one.
    #[field(keyed_by = "task_key", by_hand)]
    pub tasks: Vec<Task<S>>,
    /// Clusters that are made for a run.
    #[field(keyed_by = "job_cluster_key", each = "job_cluster")]
    pub job_clusters: Vec<JobCluster<S>>,
    /// What serverless Python runs in.
    #[field(keyed_by = "environment_key", by_hand)]
    pub environments: Vec<Environment<S>>,
    /// Parameters of all its tasks.
    #[field(keyed_by = "name", each = "parameter")]
    pub parameters: Vec<JobParameter<S>>,
    /// The repository that tasks take their files from whose source is git.
    #[field(nullable)]
    pub git_source: Option<GitSource<S>>,
    /// When it runs. Unset: when asked to.
    #[field(nullable, by_hand)]
    pub schedule: Option<Schedule<S>>,
    /// How many runs there are at once, at most. Default: 1.
    #[field(default = 1)]
    pub max_concurrent_runs: Option<S::In<u32>>,
    /// Seconds after which a run is ended; 0 is never. Default: 0.
    #[field(default = 0)]
    pub timeout_seconds: Option<S::In<u32>>,
    /// Whether runs wait when there are too many at once.
    #[field(computed)]
    pub queue: Option<Queue<S>>,
    /// Whom it runs as. Unset: who made it.
    #[field(computed, volatile)]
    pub run_as: Option<RunAs<S>>,
    /// Whether it can be edited in the browser.
    #[field(computed)]
    pub edit_mode: Option<S::In<JobEditMode>>,
    /// How serverless runs weigh time against cost.
    #[field(computed)]
    pub performance_target: Option<S::In<PerformanceTarget>>,
    /// Who hears of its runs by e-mail.
    #[field(nullable)]
    pub email_notifications: Option<EmailNotifications<S>>,
    /// Which notification destinations hear of its runs.
    #[field(nullable)]
    pub webhook_notifications: Option<WebhookNotifications<S>>,
    /// When a run is not well.
    #[field(nullable)]
    pub health: Option<Health<S>>,
    /// Tags of the job and of its clusters.
    #[field(nullable)]
    pub tags: Option<S::In<BTreeMap<String, String>>>,
}

impl Job {
    /// Adds a task. One of serverless Python brings the environment that it names, unless the job has it.
    pub fn task(mut self, task: Task) -> Self {
        self.tasks.push(task);
        self.with_default_environment()
    }

    /// What it does, in place of the tasks so far.
    pub fn tasks(mut self, tasks: impl IntoIterator<Item = Task>) -> Self {
        self.tasks = tasks.into_iter().collect();
        self.with_default_environment()
    }

    /// Adds an environment of serverless Python: before or after the tasks that name it.
    pub fn environment(mut self, environment: Environment) -> Self {
        if environment.is_called(DEFAULT_ENVIRONMENT) {
            // The one that a task brought says no more than this one.
            self.environments.retain(|known| !(known.is_called(DEFAULT_ENVIRONMENT) && known.is_bare()));
        }
        self.environments.push(environment);
        self
    }

    /// What serverless Python runs in, in place of the environments so far.
    pub fn environments(mut self, environments: impl IntoIterator<Item = Environment>) -> Self {
        self.environments = environments.into_iter().collect();
        self.with_default_environment()
    }

    fn with_default_environment(mut self) -> Self {
        let is_default = |key: &Input<String>| matches!(key, Input::Value(key) if key == DEFAULT_ENVIRONMENT);
        let wanted = self.tasks.iter().any(|task| task.environment_key.as_ref().is_some_and(is_default));
        if wanted && !self.environments.iter().any(|known| known.is_called(DEFAULT_ENVIRONMENT)) {
            self.environments.push(Environment::new(DEFAULT_ENVIRONMENT));
        }
        self
    }

    /// When it runs: a Quartz expression, seconds first, and the time zone that it is read in, `("0 0 2 * * ?", "UTC")`; or
    /// a [`Schedule`].
    pub fn schedule(mut self, schedule: impl Into<Schedule>) -> Self {
        self.schedule = Some(schedule.into());
        self
    }
}

/// Outputs of [`Job`].
#[derive(Outputs)]
pub struct JobOutputs<S: Stage = Declared> {
    /// Its id.
    pub id: S::Out<Id<Job>>,
    /// Its name.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
}

// manage

const JOBS: &str = "/api/2.2/jobs";

#[async_trait]
impl Manage for Job {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let what = named("read", existing);
        let job = get(client, &existing.id).await.or_absent().map_err(maybe_gone).while_doing(what)?;
        job.map(|job| settings::observed(&job, existing.inputs.as_ref())).transpose()
    }

    async fn meant(client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        let id = id_in_address(asked, &["jobs/{}", "job/{}"], "")?;
        if number(&id).is_ok() {
            return Ok(vec![id]);
        }
        let jobs = called(client, &id).await.while_doing(format!("look for job `{id}`"))?;
        Ok(jobs.iter().map(id_of).collect())
    }

    async fn find(client: &Client, inputs: &Job<Resolved>) -> ProviderResult<Vec<Found>> {
        let jobs = called(client, &inputs.name).await.while_doing(format!("find job `{}`", inputs.name))?;
        Ok(jobs.iter().map(found).collect())
    }

    async fn create(client: &Client, ctx: &Context, inputs: Job<Resolved>) -> ProviderResult<Made<Self>> {
        let what = format!("create job `{}`", inputs.name);
        let mut body = settings::created(&inputs, &Tagged::new(client, ctx.mark()));
        settings::with_needed_sizes(client, &mut body).await.while_doing(&what)?;
        let created = client.post(format!("{JOBS}/create")).json(&body).send::<Created>().await;
        let id = created.while_doing(what)?.job_id.to_string();
        Ok(Made { outputs: outputs(&id, &inputs), id })
    }

    async fn update(client: &Client, ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let what = format!("update job `{}`", change.after.name);
        let job = get(client, &change.id).await.while_doing(&what)?;
        let mut new_settings = settings::reset(&change, job["settings"].clone(), &Tagged::new(client, ctx.mark()));
        settings::with_needed_sizes(client, &mut new_settings).await.while_doing(&what)?;
        let body = json!({"job_id": number(&change.id)?, "new_settings": new_settings});
        client.post(format!("{JOBS}/reset")).json(&body).safe_to_repeat(true).done().await.while_doing(&what)?;
        Ok(Made { outputs: outputs(&change.id, &change.after), id: change.id })
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        let body = json!({"job_id": number(&existing.id)?});
        let delete = client.post(format!("{JOBS}/delete")).json(&body).safe_to_repeat(true);
        delete.done().await.or_absent().map_err(maybe_gone).while_doing(named("delete", &existing)).map(drop)
    }

    async fn list(client: &Client, of: &[Existing<Self>]) -> ProviderResult<Option<Vec<Observed<Self>>>> {
        let pages = client.pages(format!("{JOBS}/list"), "jobs").query("limit", 100).query("expand_tasks", true);
        let wanted = |job: &Value| of.iter().any(|existing| id_of(job) == existing.id);
        let jobs: Vec<Value> = pages.wanted(of.len(), wanted).await.while_doing("list jobs")?;
        let mut all = Vec::new();
        for existing in of {
            let Some(job) = jobs.iter().find(|job| id_of(job) == existing.id) else { continue };
            let listed = settings::observed(job, existing.inputs.as_ref())?;
            let applied = existing.inputs.as_ref().filter(|inputs| inputs.run_as.is_none() && job["has_more"] != true);
            let whole = |applied| settings::shows(&fields(&listed.inputs), &fields(applied));
            if applied.is_some_and(whole) {
                all.push(listed);
            } else {
                all.extend(Self::read(client, existing).await?);
            }
        }
        Ok(Some(all))
    }
}

fn named(verb: &str, existing: &Existing<Job>) -> String {
    let name = existing.inputs.as_ref().map_or(&existing.id, |inputs| &inputs.name);
    format!("{verb} job `{name}`")
}

/// The whole job, from as many pages as it has.
async fn get(client: &Client, id: &str) -> ProviderResult<Value> {
    let id = number(id)?;
    let ask = || client.get(format!("{JOBS}/get")).query("job_id", id);
    let mut job: Value = ask().send().await?;
    let mut walk = Walk::default();
    let endless =
        |wrong: String| ProviderError::new(ErrorKind::Failed { replace: false }, format!("read job {id}: {wrong}"));
    while let Some(token) = walk.next(&job).map_err(endless)? {
        let mut page: Value = ask().query("page_token", token).send().await?;
        let items = page["settings"]["tasks"].as_array().map_or(0, Vec::len);
        walk.page(items, 0).map_err(endless)?;
        for list in ["tasks", "job_clusters", "environments", "parameters"] {
            add_new(&mut job["settings"][list], page["settings"][list].take());
        }
        job["next_page_token"] = page["next_page_token"].take();
    }
    Ok(job)
}

/// Later pages may repeat the short lists.
fn add_new(to: &mut Value, more: Value) {
    let Value::Array(more) = more else { return };
    if to.is_null() {
        *to = Value::Array(Vec::new());
    }
    if let Value::Array(items) = to {
        for item in more {
            if !items.contains(&item) {
                items.push(item);
            }
        }
    }
}

/// The jobs of this name.
async fn called(client: &Client, name: &str) -> ProviderResult<Vec<Value>> {
    let pages = client.pages(format!("{JOBS}/list"), "jobs").query("limit", 100).query("name", name);
    let mut jobs: Vec<Value> = pages.all().await?;
    // The service's filter takes no notice of case.
    jobs.retain(|job| job["settings"]["name"] == name);
    Ok(jobs)
}

/// An id is a number there and text here.
fn id_of(job: &Value) -> String {
    job["job_id"].to_string()
}

fn number(id: &str) -> ProviderResult<i64> {
    id.parse().map_err(|_| {
        ProviderError::new(ErrorKind::Invalid { field: None }, format!("`{id}` is no job's id"))
            .hint("a job's id is a number; its page in the browser shows it")
    })
}

fn maybe_gone(error: ProviderError) -> ProviderError {
    if error.kind != ErrorKind::Denied {
        return error;
    }
    let gone = "a job that is gone can be answered like this: `state forget` drops it from state";
    let hint = error.hint.as_ref().map_or(gone.to_owned(), |hint| format!("{hint}; {gone}"));
    error.hint(hint)
}

// translate

#[derive(Deserialize)]
struct Created {
    job_id: i64,
}

pub(super) fn outputs(id: &str, inputs: &Job<Resolved>) -> JobOutputs<Resolved> {
    JobOutputs { id: Id::new(id), name: inputs.name.clone() }
}

fn fields(inputs: &Job<Resolved>) -> Value {
    Value::Object(wire::sent(inputs))
}

fn found(job: &Value) -> Found {
    let mut settings = wire::into_fields(job["settings"].clone());
    Found {
        id: id_of(job),
        mark: marks::take(&mut settings, "tags").map(Tagged::into_id),
        created_at_ms: job["created_time"].as_u64(),
        created_by: job["creator_user_name"].as_str().map(str::to_owned),
    }
}

// prove

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
