//! A service whose calls take time, and the tasks that it makes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use platform_sdk::{
    Declared, Expr, Id, Provider, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{
        Change, Connector, Context, Drivers, ErrorKind, Existing, Found, Made, Manage, ProviderError, ProviderResult,
        Read,
    },
    testing::OneClient,
};
use tokio::time::{Instant, sleep};

use super::bucket::{Bucket, Watched};

/// A task that takes its time.
#[derive(Resource)]
#[resource(type = "lab:Task", outputs = TaskOutputs, provider = Lab, identity = key)]
pub(crate) struct Task<S: Stage = Declared> {
    /// Its name.
    #[field(required, key)]
    pub(crate) name: S::In<String>,
    /// How long its create takes, in milliseconds.
    #[field(required)]
    pub(crate) ms: S::In<u64>,
}

/// Outputs of [`Task`].
#[derive(Outputs)]
pub(crate) struct TaskOutputs<S: Stage = Declared> {
    /// Its name.
    pub(crate) id: S::Out<Id<Task>>,
}

/// What was seen at the service.
#[derive(Debug, Default)]
struct Seen {
    busy: usize,
    most_busy: usize,
    first: Option<Instant>,
    last: Option<Instant>,
    /// The end of each create.
    ended: BTreeMap<String, Instant>,
}

/// How long a service with a limit takes for each answer.
const LATENCY: Duration = Duration::from_millis(50);

/// How many calls a service takes, and what it says to one too many.
#[derive(Debug)]
struct Limit {
    bucket: Bucket,
    /// The pause that it asks for.
    after: Option<Duration>,
}

impl Limit {
    /// One call.
    async fn call(&self) -> ProviderResult<()> {
        let admitted = self.bucket.admits();
        sleep(LATENCY).await;
        if admitted {
            return Ok(());
        }
        Err(ProviderError::new(ErrorKind::Throttled { after: self.after }, "too many requests"))
    }
}

/// The service: creates take as long as they are told to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lab {
    seen: Arc<Mutex<Seen>>,
    limit: Option<Arc<Limit>>,
    /// How long it is not ready for tasks whose names begin with `late`.
    opens_after: Duration,
}

impl Lab {
    /// Not ready for so long for tasks whose names begin with `late`.
    pub(crate) fn opening_after(opens_after: Duration) -> Self {
        Self { opens_after, ..Self::default() }
    }

    /// With a limit of calls a second; `after` is the pause that it asks for.
    pub(crate) fn limited(rate: u32, after: Option<Duration>) -> Self {
        let limit = Limit { bucket: Bucket::new(rate), after };
        Self { limit: Some(Arc::new(limit)), ..Self::default() }
    }

    /// The most tasks that were made at once.
    pub(crate) fn most_busy(&self) -> usize {
        self.seen().most_busy
    }

    /// From the first create's start to the last one's end.
    pub(crate) fn took(&self) -> Duration {
        let seen = self.seen();
        seen.last.expect("an end") - seen.first.expect("a start")
    }

    /// How long after the first create's start the last task ended whose name begins so.
    pub(crate) fn ended(&self, prefix: &str) -> Duration {
        let seen = self.seen();
        let last = seen.ended.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, at)| *at).max();
        last.expect("an end") - seen.first.expect("a start")
    }

    /// What came of the limit.
    pub(crate) fn watched(&self) -> Watched {
        self.limit.as_ref().expect("a limit").bucket.watched()
    }

    async fn called(&self) -> ProviderResult<()> {
        match &self.limit {
            Some(limit) => limit.call().await,
            None => Ok(()),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Lab {
    const KIND: &'static str = "lab";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(OneClient::of::<Self>(self.clone(), drivers))
    }
}

fn drivers() -> Drivers<Lab> {
    Drivers::default().with::<Task>()
}

#[async_trait]
impl Manage for Task {
    type Client = Lab;

    async fn read(_lab: &Lab, _existing: &Existing<Self>) -> Read<Self> {
        Ok(None)
    }

    async fn find(lab: &Lab, _inputs: &Task<Resolved>) -> ProviderResult<Vec<Found>> {
        lab.called().await?;
        Ok(Vec::new())
    }

    async fn create(lab: &Lab, _ctx: &Context, inputs: Task<Resolved>) -> ProviderResult<Made<Self>> {
        lab.called().await?;
        {
            let mut seen = lab.seen();
            seen.busy += 1;
            seen.most_busy = seen.most_busy.max(seen.busy);
            let since = seen.first.get_or_insert_with(Instant::now).elapsed();
            if inputs.name.starts_with("late") && since < lab.opens_after {
                seen.busy -= 1;
                let after = Some(Duration::from_secs(1));
                return Err(ProviderError::new(ErrorKind::NotReady { after }, "still being set up"));
            }
        }
        if inputs.ms > 0 {
            sleep(Duration::from_millis(inputs.ms)).await;
        }
        let mut seen = lab.seen();
        seen.busy -= 1;
        seen.last = Some(Instant::now());
        seen.ended.insert(inputs.name.clone(), Instant::now());
        Ok(Made { outputs: TaskOutputs { id: Id::new(&inputs.name) }, id: inputs.name })
    }

    async fn update(_lab: &Lab, _ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        Ok(Made { outputs: TaskOutputs { id: Id::new(&change.id) }, id: change.id })
    }

    async fn delete(_lab: &Lab, _ctx: &Context, _existing: Existing<Self>, _force: bool) -> ProviderResult<()> {
        Ok(())
    }
}
