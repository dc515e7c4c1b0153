//! One request's road through a sandbox: fault, world, service, disk, log.

use std::{
    io,
    panic::AssertUnwindSafe,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    Fault, Faults, LogEntry, Refusal, Request, Response, Service, World,
    faults::{Dealer, Dealt},
    log::Log,
    store::Store,
    views::Views,
};

/// What goes back to the client.
#[derive(Debug)]
pub(super) enum Reply {
    /// The answer.
    Whole(Response),
    /// The answer's head and half of its body.
    CutOff(Response),
    /// Nothing: the connection is dropped.
    Nothing,
}

/// A service with its durable world.
pub(super) struct Exchange {
    service: Arc<dyn Service>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    store: Store,
    world: World,
    views: Views,
    dealer: Dealer,
    log: Log,
    now_ms: u64,
}

impl Exchange {
    pub(super) fn open(folder: &Path, service: Arc<dyn Service>, faults: Faults) -> io::Result<Self> {
        let (store, world) = Store::open(folder, || seeded(service.as_ref()))?;
        let now_ms = world.now_ms();
        let (views, dealer, log) = (Views::default(), Dealer::new(faults), Log::open(folder)?);
        Ok(Self { service, state: Mutex::new(State { store, world, views, dealer, log, now_ms }) })
    }

    /// Chooses what goes wrong with a request, in the order in which requests arrive.
    pub(super) fn deal(&self, request: &Request) -> Dealt {
        let mutating = !self.service.is_read(request);
        self.state().dealer.deal(&request.method, &request.path, mutating)
    }

    /// Carries a request out: when this returns, its effect is on disk and it is logged.
    pub(super) fn carry_out(&self, request: &Request, dealt: &Dealt) -> Reply {
        let mut state = self.state();
        let state = &mut *state;
        state.tick();
        let mutating = !self.service.is_read(request);
        let (answer, changed) = match dealt.fault {
            Some(Fault::ResetBefore) => (None, false),
            Some(Fault::Throttle) => (Some(self.service.refuse_request(request, Refusal::Throttled)), false),
            Some(Fault::ErrorBefore) => (Some(self.service.refuse_request(request, either_error(dealt.draw))), false),
            Some(Fault::Html) => (Some(html_page()), false),
            Some(Fault::ErrorAfter) => {
                let (_, changed) = self.ask(state, request, dealt, mutating);
                (Some(self.service.refuse_request(request, Refusal::Internal)), changed)
            }
            Some(Fault::ResetAfter | Fault::Truncate | Fault::Stale | Fault::Late) | None => {
                let (answer, changed) = self.ask(state, request, dealt, mutating);
                (Some(answer), changed)
            }
        };
        let entry = LogEntry {
            n: 0,
            at_ms: state.now_ms,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            status: answer.as_ref().map(|answer| answer.status),
            mutating,
            changed,
            fault: dealt.fault,
            body: self.service.loggable_body(request),
        };
        if let Err(error) = state.log.append(entry) {
            tracing::error!(%error, "the sandbox's request log can't be written");
        }
        match (answer, dealt.fault) {
            (None, _) | (_, Some(Fault::ResetAfter)) => Reply::Nothing,
            (Some(answer), Some(Fault::Truncate)) => Reply::CutOff(answer),
            (Some(answer), _) => Reply::Whole(answer),
        }
    }

    /// Lets the service answer, and keeps what it changed. The second value says whether that was anything.
    fn ask(&self, state: &mut State, request: &Request, dealt: &Dealt, mutating: bool) -> (Response, bool) {
        if let Some(mut view) = state.view(dealt, mutating) {
            // What a read changes by the way must not bring the past back.
            view.begin(state.now_ms);
            return (self.handle(request, &mut view), false);
        }
        let last_id = state.world.last_id();
        state.world.begin(state.now_ms);
        let mut answer = self.handle(request, &mut state.world);
        let changed = state.world.changes().next().is_some() || state.world.last_id() != last_id;
        if changed && answer.status < 400 {
            match state.store.append(&state.world) {
                Ok(()) => {
                    let late = (dealt.fault == Some(Fault::Late)).then_some(state.dealer.faults().late_ms);
                    state.views.committed(state.now_ms, state.world.commit(), late);
                    return (answer, true);
                }
                Err(error) => {
                    tracing::error!(%error, "the sandbox's world can't be written");
                    answer = self.service.refuse_request(request, Refusal::Internal);
                }
            }
        }
        state.world.roll_back(last_id);
        (answer, false)
    }

    /// The service's answer; a service that panics has a bug, which must not take the world with it.
    fn handle(&self, request: &Request, world: &mut World) -> Response {
        std::panic::catch_unwind(AssertUnwindSafe(|| self.service.handle(request, world))).unwrap_or_else(|_| {
            tracing::error!(method = request.method, path = request.path, "the sandboxed service panicked");
            self.service.refuse_request(request, Refusal::Internal)
        })
    }

    pub(super) fn service(&self) -> &dyn Service {
        self.service.as_ref()
    }

    /// The world as it is now.
    pub(super) fn world(&self) -> World {
        self.state().world.clone()
    }

    pub(super) fn faults(&self) -> Faults {
        self.state().dealer.faults().clone()
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.state().dealer = Dealer::new(faults);
    }

    pub(super) fn log_since(&self, n: u64) -> io::Result<Vec<LogEntry>> {
        self.state().log.since(n)
    }

    /// Back to the seed. Faults and the log stay.
    pub(super) fn reset(&self) -> io::Result<()> {
        let mut state = self.state();
        let world = seeded(self.service.as_ref());
        state.store.replace(&world)?;
        state.views.clear();
        state.world = world;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock but services, which are caught.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Moves time on: as the clock does, and always forward.
    fn tick(&mut self) {
        self.now_ms = clock_ms().max(self.now_ms + 1);
    }

    /// What a reader sees instead of the world, if a fault wants so.
    fn view(&mut self, dealt: &Dealt, mutating: bool) -> Option<World> {
        if mutating {
            return None;
        }
        if dealt.fault == Some(Fault::Stale) {
            let age = dealt.draw % (self.dealer.faults().stale_ms + 1);
            return Some(self.views.as_of(&self.world, self.now_ms.saturating_sub(age)));
        }
        self.views.as_landed(&self.world, self.now_ms)
    }
}

fn seeded(service: &dyn Service) -> World {
    let mut world = World::at(clock_ms());
    service.seed(&mut world);
    world
}

fn clock_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn either_error(draw: u64) -> Refusal {
    if draw.is_multiple_of(2) { Refusal::Internal } else { Refusal::Unavailable }
}

/// What a captive portal says to an API client: everything is fine, here is a page.
fn html_page() -> Response {
    let body =
        "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in to continue</h1></body></html>\n";
    Response { status: 200, headers: Vec::new(), body: body.into() }.header("content-type", "text/html; charset=utf-8")
}
