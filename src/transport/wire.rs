//! Where requests go: the network, or a function in its place.

#[cfg(feature = "testing")]
use super::local::{Reaction, Sent};
#[cfg(feature = "testing")]
use std::sync::Arc;

#[derive(Clone)]
pub(crate) enum Wire {
    Network,
    /// A recorder, or a platform in this process: no socket is opened.
    #[cfg(feature = "testing")]
    Function(Arc<dyn Answer>),
}

impl Wire {
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Network)
    }
}

/// Answers requests in the place of a platform.
#[cfg(feature = "testing")]
pub(crate) trait Answer: Send + Sync {
    /// The reply or network failure to play.
    ///
    /// # Errors
    /// When there is none for this request; the call fails with this error.
    fn answer(&self, sent: &Sent) -> Result<Reaction, crate::Error>;
}
