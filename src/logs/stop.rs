//! A handle that ends a stream.

use tokio::sync::watch::Sender;

/// Ends a [`LogStream`](crate::LogStream) from another task or a signal handler; made by
/// [`LogStream::stop_handle`](crate::LogStream::stop_handle). Clones end the same stream.
#[derive(Clone, Debug, Default)]
pub struct LogStop(Sender<bool>);

impl LogStop {
    /// Ends the stream without an error and closes its connection. Lines that were received but not yielded
    /// are dropped; the stream's cursor is before them.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes when the stream is to end.
    pub(super) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut changes = self.0.subscribe();
        async move {
            let _ = changes.wait_for(|stopped| *stopped).await;
        }
    }
}
