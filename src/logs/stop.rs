//! Ending a stream from outside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Ends a [`LogStream`](crate::LogStream) from elsewhere: another task, a handler of signals; made by
/// [`LogStream::stop_handle`](crate::LogStream::stop_handle).
///
/// Copies end the same stream.
#[derive(Clone, Debug, Default)]
pub struct LogStop(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    reader: Option<Waker>,
}

impl LogStop {
    /// Ends the stream without an error, whether it waits for a line or for the next connection, and
    /// closes the connection. What has come and was not given out is dropped; its cursor is before it.
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

    /// The same, and wakes the reader when that changes.
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
        // Two fields that are set one by one: nothing is half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
