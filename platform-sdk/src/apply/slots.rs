//! Slots: so many steps have effects at once; of those that wait, the one with the longest path behind it goes first.

use std::{
    cmp::{self, Reverse},
    collections::BinaryHeap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{Notify, oneshot, watch};

/// The slots of an apply.
pub(super) struct Slots {
    state: Mutex<State>,
    /// A slot came free, somebody waits for one, or rests.
    changed: Notify,
    /// How many are under way that do nothing but wait.
    resting: AtomicUsize,
    closing: watch::Sender<bool>,
}

struct State {
    free: usize,
    waiting: BinaryHeap<Waiter>,
    /// How many have ever waited: among equals the first comes first.
    waited: u64,
    closed: bool,
}

struct Waiter {
    priority: (usize, Reverse<u64>),
    wake: oneshot::Sender<()>,
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Self) -> bool {
        self.priority == other.priority
    }
}

impl Eq for Waiter {}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiter {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.priority.cmp(&other.priority)
    }
}

/// One slot, for as long as it is held.
pub(super) struct Slot<'s> {
    slots: &'s Slots,
    remaining: usize,
    held: bool,
}

impl<'s> Slot<'s> {
    /// The slots that it is one of.
    pub(super) fn of(&self) -> &'s Slots {
        self.slots
    }

    /// Waits while others use the slot, and takes the next one that is free. `false`: it has none any more, since nothing
    /// new is to be started.
    pub(super) async fn aside(&mut self, wait: impl Future<Output = ()>) -> bool {
        self.held = false;
        self.slots.give_back();
        self.slots.resting(self.slots.unless_closed(wait)).await;
        self.held = match self.slots.take(self.remaining).await {
            // It is this one from now on.
            Some(mut taken) => std::mem::take(&mut taken.held),
            None => false,
        };
        self.held
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if self.held {
            self.slots.give_back();
        }
    }
}

/// Somebody rests for as long as this lives.
struct Rest<'s>(&'s AtomicUsize);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Slots {
    pub(super) fn new(count: usize) -> Self {
        let state = State { free: count.max(1), waiting: BinaryHeap::new(), waited: 0, closed: false };
        let closing = watch::channel(false).0;
        Self { state: Mutex::new(state), changed: Notify::new(), resting: AtomicUsize::new(0), closing }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a slot; `None` once nothing new is to be started.
    ///
    /// Slots are given out by [`hand_out`](Self::hand_out) alone: what ends at one moment makes others ready, and the one
    /// with the longest path may be among them.
    pub(super) async fn take(&self, remaining: usize) -> Option<Slot<'_>> {
        let woken = {
            let mut state = self.state();
            if state.closed {
                return None;
            }
            let (wake, woken) = oneshot::channel();
            state.waited += 1;
            let priority = (remaining, Reverse(state.waited));
            state.waiting.push(Waiter { priority, wake });
            woken
        };
        self.changed.notify_one();
        woken.await.ok().map(|()| Slot { slots: self, remaining, held: true })
    }

    /// Gives free slots to those who wait.
    pub(super) fn hand_out(&self) {
        let mut state = self.state();
        while state.free > 0 {
            let Some(next) = state.waiting.pop() else { return };
            // Who does not wait any more can't take it.
            if next.wake.send(()).is_ok() {
                state.free -= 1;
            }
        }
    }

    /// Answers when there may be something to hand out.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Starts nothing new: whoever waits is sent away.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.waiting.clear();
        self.closing.send_replace(true);
    }

    /// Waits for something that may be dropped halfway; `None` once nothing new is to be started.
    pub(super) async fn unless_closed<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        let mut closing = self.closing();
        tokio::select! {
            biased;
            Ok(_) = closing.wait_for(|closed| *closed) => None,
            waited = wait => Some(waited),
        }
    }

    /// Turns true when nothing new is to be started.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Waits for something that needs no slot: meanwhile another can be under way instead.
    pub(super) async fn resting<T>(&self, wait: impl Future<Output = T>) -> T {
        self.resting.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
        let _at_rest = Rest(&self.resting);
        wait.await
    }

    /// How many do nothing but wait.
    pub(super) fn at_rest(&self) -> usize {
        self.resting.load(Ordering::SeqCst)
    }

    fn give_back(&self) {
        self.state().free += 1;
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, future::join};

    use super::*;

    #[tokio::test]
    async fn the_longest_path_goes_first_and_equals_in_their_order() {
        let slots = Slots::new(1);
        let order = Mutex::new(Vec::new());
        let waiter = async |remaining, name| {
            let slot = slots.take(remaining).await;
            order.lock().unwrap_or_else(PoisonError::into_inner).push(name);
            drop(slot);
            slots.hand_out();
        };
        let all = join(join(waiter(1, "short"), waiter(2, "long")), waiter(2, "as long, later"));
        join(all, async { slots.hand_out() }).await;
        assert_eq!(*order.lock().unwrap_or_else(PoisonError::into_inner), ["long", "as long, later", "short"]);
    }

    #[tokio::test]
    async fn closing_sends_everyone_away() {
        let slots = Slots::new(1);
        let mut waiting = Box::pin(slots.take(1));
        assert!(waiting.as_mut().now_or_never().is_none());
        slots.close();
        slots.hand_out();
        assert!(waiting.await.is_none());
        assert!(slots.take(1).await.is_none(), "a free slot is for nobody");
    }
}
