//! The lease around a command: taken so that an interrupt can give it back, and given back however the work ends.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    Result,
    cli::Context,
    provider::waiting,
    report::{Error, heard},
    state::{self, Holder, Lease, Location, World},
};

/// Takes the lease. From here on the first interrupt asks the command to give it back.
pub(super) async fn take(context: &Context, location: &Location, world: World) -> Result<Lease> {
    context.interrupts.hold("stopping: nothing new is started, what is in flight is waited for; again to end at once");
    let waits = Arc::new(AtomicBool::new(false));
    let (told, printer) = (waits.clone(), context.printer.clone());
    let who = holder(context).when_waiting(move |text| {
        told.store(true, Ordering::SeqCst);
        printer.note(text);
    });
    let taking = state::lease(location, world, &context.environment, &who);
    let mut taking = pin!(heard(&*context.printer, waiting("the lease of the stack", taking)));
    tokio::select! {
        lease = &mut taking => return lease,
        () = context.interrupts.asked() => {}
    }
    // While it waits for another run, there is nothing to give back.
    if !waits.load(Ordering::SeqCst) {
        taking.await?.release().await?;
    }
    Err(Error::interrupted())
}

/// Gives the lease back, however the work under it ended.
pub(super) async fn given_back<T>(lease: Lease, outcome: Result<T>) -> Result<T> {
    let released = lease.release().await;
    let done = outcome?;
    released.map(|()| done)
}

/// Who changes something, and from which commit.
pub(super) fn holder(context: &Context) -> Holder {
    let commit = std::env::current_dir().ok().and_then(|here| super::commit::commit_of(&here));
    let printer = context.printer.clone();
    let here = Holder::here(&context.environment).with_commit(commit).when_waiting(move |text| printer.note(text));
    match &context.embedded {
        Some(embedded) => Holder { clock: embedded.clock.clone(), ..here },
        None => here,
    }
}
