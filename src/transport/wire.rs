//! The last step: the network, or a function in its place.

/// Where requests go.
#[derive(Clone)]
pub(crate) enum Wire {
    /// To the platform.
    Network,
    /// To a function, without a socket: recorder and snapshots.
    #[cfg(feature = "testing")]
    Function(std::sync::Arc<dyn Answer>),
}

impl Wire {
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Network)
    }
}

/// A reply that did not come over the network.
#[cfg_attr(not(feature = "testing"), allow(dead_code))]
pub(crate) type LocalReply = http::Response<Vec<u8>>;

/// Something that answers requests in the place of a platform.
#[cfg(feature = "testing")]
pub(crate) trait Answer: Send + Sync {
    /// The reply to a request, or why there is none.
    fn answer(&self, request: crate::preview::RequestPreview) -> Result<LocalReply, crate::Error>;
}
