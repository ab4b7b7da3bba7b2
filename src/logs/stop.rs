//! A handle that ends a stream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Ends a [`LogStream`](crate::LogStream) from another task or a signal handler; made by
/// [`LogStream::stop_handle`](crate::LogStream::stop_handle). Clones end the same stream.
#[derive(Clone, Debug, Default)]
pub struct LogStop(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    reader: Option<Waker>,
}

impl LogStop {
    /// Ends the stream without an error and closes its connection. Lines that were received but not yielded
    /// are dropped; the stream's cursor is before them.
    pub fn stop(&self) {
        let reader = {
            let mut state = self.state();
            state.stopped = true;
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// As `is_stopped`, and wakes the reader on a change.
    pub(super) fn poll(&self, context: &Context<'_>) -> bool {
        let mut state = self.state();
        if !state.stopped {
            match &mut state.reader {
                Some(reader) => reader.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
        }
        state.stopped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
