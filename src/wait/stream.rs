//! A wait poll by poll.

use super::Progress;
use super::cursor::WaitCursor;
use super::engine::{Engine, Step};
use crate::error::{Error, Result};
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

type Stepping<T> = Pin<Box<dyn Future<Output = (Engine<T>, Step<T>)> + Send>>;

/// The polls of a wait; made by [`Wait::stream`](crate::Wait::stream).
///
/// Each poll is sent when it is asked for, and not before its time. The last one is the one that
/// reached what was waited for, and then [`into_value`](Self::into_value) has it; or an error is the
/// last item. Dropped, it leaves nothing behind.
///
/// ```no_run
/// # async fn example(wait: deploykit::Wait<String>) -> deploykit::Result<()> {
/// let mut polls = wait.stream();
/// while let Some(progress) = polls.next().await {
///     let progress = progress?;
///     println!("{:>4} s {}", progress.elapsed.as_secs(), progress.phase);
/// }
/// if let Some(ready) = polls.into_value() {
///     println!("{ready}");
/// }
/// # Ok(()) }
/// ```
#[must_use = "nothing is asked until the stream is read"]
pub struct WaitStream<T> {
    state: State<T>,
    cursor: WaitCursor,
    value: Option<T>,
}

enum State<T> {
    Idle(Box<Engine<T>>),
    Stepping(Stepping<T>),
    Failed(Error),
    Over,
}

/// Nothing in it is pinned in place.
impl<T> Unpin for WaitStream<T> {}

impl<T: Send + 'static> WaitStream<T> {
    pub(super) fn new(engine: Engine<T>, cursor: WaitCursor) -> Self {
        Self {
            state: State::Idle(Box::new(engine)),
            cursor,
            value: None,
        }
    }

    /// The next poll; `None` after the last one. It may be dropped and asked again: nothing is lost.
    ///
    /// # Errors
    /// Those of [`Wait`](crate::Wait), as the last item.
    pub async fn next(&mut self) -> Option<Result<Progress>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Where the wait was at the last item, for another process to go on with.
    pub fn cursor(&self) -> &WaitCursor {
        &self.cursor
    }

    /// What was waited for, if it was reached.
    pub fn into_value(self) -> Option<T> {
        self.value
    }
}

impl<T: Send + 'static> Stream for WaitStream<T> {
    type Item = Result<Progress>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.get_mut();
        loop {
            match std::mem::replace(&mut stream.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Failed(error) => return Poll::Ready(Some(Err(error))),
                State::Idle(mut engine) => {
                    stream.state = State::Stepping(Box::pin(async move {
                        let step = engine.step().await;
                        (*engine, step)
                    }));
                }
                State::Stepping(mut stepping) => {
                    let Poll::Ready((engine, step)) = stepping.as_mut().poll(context) else {
                        stream.state = State::Stepping(stepping);
                        return Poll::Pending;
                    };
                    match step.end {
                        None => stream.state = State::Idle(Box::new(engine)),
                        Some(Ok(value)) => stream.value = Some(value),
                        Some(Err(error)) => stream.state = State::Failed(error),
                    }
                    if let Some(progress) = step.progress {
                        stream.cursor = progress.cursor().clone();
                        return Poll::Ready(Some(Ok(progress)));
                    }
                }
            }
        }
    }
}

impl<T> fmt::Debug for WaitStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitStream")
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}
