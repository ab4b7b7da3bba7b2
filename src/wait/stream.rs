//! A wait as a stream of its polls.

use super::Progress;
use super::engine::{Engine, Step};
use crate::error::{Error, Result};
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type Stepping<T> = Pin<Box<dyn Future<Output = (Box<Engine<T>>, Step<T>)> + Send>>;

/// The polls of a wait; made by [`Wait::stream`](crate::Wait::stream).
///
/// Sends each poll when it is requested and due. The last item is the poll that reached the target, whose
/// value [`into_value`](Self::into_value) returns, or an error.
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
#[must_use = "streams do nothing unless polled"]
pub struct WaitStream<T> {
    /// `None` after the last poll.
    stepping: Option<Stepping<T>>,
    error: Option<Error>,
    value: Option<T>,
}

impl<T> Unpin for WaitStream<T> {}

impl<T: Send + 'static> WaitStream<T> {
    pub(super) fn new(engine: Engine<T>) -> Self {
        Self {
            stepping: Some(step(Box::new(engine))),
            error: None,
            value: None,
        }
    }

    /// The next poll; `None` after the last one. Cancel-safe.
    ///
    /// # Errors
    /// Those of [`Wait`](crate::Wait), as the last item.
    pub async fn next(&mut self) -> Option<Result<Progress>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The value that was waited for, if the target was reached.
    pub fn into_value(self) -> Option<T> {
        self.value
    }
}

fn step<T: Send + 'static>(mut engine: Box<Engine<T>>) -> Stepping<T> {
    Box::pin(async move {
        let step = engine.step().await;
        (engine, step)
    })
}

impl<T: Send + 'static> Stream for WaitStream<T> {
    type Item = Result<Progress>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stepping) = &mut self.stepping else {
            return Poll::Ready(self.error.take().map(Err));
        };
        let (engine, Step { progress, end }) = ready!(stepping.as_mut().poll(context));
        self.stepping = None;
        match end {
            None => self.stepping = Some(step(engine)),
            Some(Ok(value)) => self.value = Some(value),
            Some(Err(error)) => self.error = Some(error),
        }
        let item = progress.map(Ok).or_else(|| self.error.take().map(Err));
        Poll::Ready(item)
    }
}

impl<T> fmt::Debug for WaitStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitStream")
            .field("ended", &self.stepping.is_none())
            .finish_non_exhaustive()
    }
}
