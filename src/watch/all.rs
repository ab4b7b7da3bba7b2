//! Waiting for several at once.

use super::{Deployment, Observation};
use crate::error::Result;
use std::collections::VecDeque;
use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Waits for all of these, of whatever platforms, at the same time; `.await` gives what came of each,
/// in their order.
///
/// Each is waited for as its own [`wait`](Deployment::wait) does, within its platform's rate, and one
/// that fails does not end the others. Nothing is spawned: dropped, it stops.
pub fn wait_all<'a, D>(deployments: impl IntoIterator<Item = &'a D>) -> WaitAll
where
    D: AsRef<dyn Deployment> + ?Sized + 'a,
{
    let waits = deployments
        .into_iter()
        .map(|one| one.as_ref().wait())
        .collect();
    WaitAll { waits }
}

/// A wait for several; made by [`wait_all`].
#[must_use = "nothing is waited for until it is awaited"]
pub struct WaitAll {
    waits: Vec<crate::Wait<Observation>>,
}

impl WaitAll {
    /// How long to wait for each, as [`Wait::deadline`](crate::Wait::deadline).
    pub fn deadline(self, limit: Duration) -> Self {
        let waits = self.waits.into_iter();
        Self {
            waits: waits.map(|wait| wait.deadline(limit)).collect(),
        }
    }
}

impl IntoFuture for WaitAll {
    type Output = Vec<Result<Observation>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let waits = self.waits.into_iter().map(IntoFuture::into_future);
        Box::pin(Joined::new(waits.collect()))
    }
}

impl fmt::Debug for WaitAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.waits).finish()
    }
}

type Waiting = Pin<Box<dyn Future<Output = Result<Observation>> + Send>>;

/// Futures side by side. Only those that were woken are polled: polling all of them for each would be
/// work in the square of their number.
struct Joined {
    waits: Vec<Option<Waiting>>,
    ends: Vec<Option<Result<Observation>>>,
    left: usize,
    woken: Arc<Woken>,
}

/// Which of them were woken, and whom to tell.
#[derive(Default)]
struct Woken(Mutex<(VecDeque<usize>, Option<Waker>)>);

struct OneOf {
    index: usize,
    woken: Arc<Woken>,
}

impl Woken {
    fn state(&self) -> MutexGuard<'_, (VecDeque<usize>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for OneOf {
    fn wake(self: Arc<Self>) {
        let mut state = self.woken.state();
        state.0.push_back(self.index);
        let waker = state.1.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Joined {
    fn new(waits: Vec<Waiting>) -> Self {
        let woken = Woken::default();
        woken.state().0.extend(0..waits.len());
        Self {
            left: waits.len(),
            ends: waits.iter().map(|_| None).collect(),
            waits: waits.into_iter().map(Some).collect(),
            woken: Arc::new(woken),
        }
    }
}

impl Future for Joined {
    type Output = Vec<Result<Observation>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let joined = &mut *self;
        joined.woken.state().1 = Some(context.waker().clone());
        // Those that are woken meanwhile have woken this one, too: a turn of the runtime has an end, and
        // what waits for the next turn would be asked for ever in this one.
        let batch = std::mem::take(&mut joined.woken.state().0);
        for index in batch {
            // One that has ended may have been woken twice.
            let Some(slot) = joined.waits.get_mut(index) else {
                continue;
            };
            let Some(wait) = slot else { continue };
            let waker = Waker::from(Arc::new(OneOf {
                index,
                woken: joined.woken.clone(),
            }));
            if let Poll::Ready(end) = wait.as_mut().poll(&mut Context::from_waker(&waker)) {
                *slot = None;
                joined.left -= 1;
                if let Some(place) = joined.ends.get_mut(index) {
                    *place = Some(end);
                }
            }
        }
        if joined.left > 0 {
            return Poll::Pending;
        }
        Poll::Ready(joined.ends.drain(..).flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Phase;
    use std::sync::mpsc;

    /// A runtime lets a task do so much in a turn and then only wakes it, at once and again. Whoever
    /// answers that within the turn never ends it.
    #[test]
    fn many_that_do_much_leave_the_runtime_its_turns() {
        let (done, end) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
            let waits = (0..300).map(|_| -> Waiting {
                Box::pin(async {
                    for _ in 0..3 {
                        tokio::task::coop::consume_budget().await;
                    }
                    Ok(Observation::new(Phase::Ready, ""))
                })
            });
            let ends = runtime.block_on(Joined::new(waits.collect()));
            done.send(ends.len()).unwrap();
        });
        assert_eq!(end.recv_timeout(Duration::from_secs(20)), Ok(300));
    }
}
