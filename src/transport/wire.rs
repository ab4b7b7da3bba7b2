//! The last step: the network, or something in its place.

#[cfg(feature = "testing")]
use super::local::{Reaction, Sent};
#[cfg(feature = "testing")]
use crate::testing::Recording;
#[cfg(feature = "testing")]
use std::sync::Arc;

/// Where requests go.
#[derive(Clone)]
pub(crate) enum Wire {
    /// To the platform.
    Network,
    /// To a function, without a socket: recorder, replayed tape, a platform in this process.
    #[cfg(feature = "testing")]
    Function(Arc<dyn Answer>),
    /// Onward, with a copy of everything for a tape.
    #[cfg(feature = "testing")]
    Taped(Arc<Wire>, Recording),
}

impl Wire {
    pub fn is_network(&self) -> bool {
        match self {
            Self::Network => true,
            #[cfg(feature = "testing")]
            Self::Function(_) => false,
            #[cfg(feature = "testing")]
            Self::Taped(onward, _) => onward.is_network(),
        }
    }

    /// Whether what comes from there is meant to be handled as a platform's replies are, failures
    /// repeated among it.
    pub fn is_like_a_platform(&self) -> bool {
        match self {
            Self::Network => true,
            #[cfg(feature = "testing")]
            Self::Function(answer) => answer.is_like_a_platform(),
            #[cfg(feature = "testing")]
            Self::Taped(onward, _) => onward.is_like_a_platform(),
        }
    }
}

/// A reply that did not come over the network.
#[cfg_attr(not(feature = "testing"), allow(dead_code))]
pub(crate) type LocalReply = http::Response<Vec<u8>>;

/// Something that answers requests in the place of a platform.
#[cfg(feature = "testing")]
pub(crate) trait Answer: Send + Sync {
    /// What becomes of a request, or why nothing does.
    fn answer(&self, sent: &Arc<Sent>) -> Result<Reaction, crate::Error>;

    /// See [`Wire::is_like_a_platform`].
    fn is_like_a_platform(&self) -> bool {
        false
    }
}
