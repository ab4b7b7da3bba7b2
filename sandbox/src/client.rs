//! Ready clients of deploykit for the sandbox, and what it received in the shapes of their recorder. Feature `client`.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use deploykit_sandbox::Sandbox;
//!
//! let sandbox = Sandbox::start().await?;
//! let nodion = sandbox.nodion().client()?;
//! nodion.application(sandbox.nodion().application_id.as_str()).deploy().await?;
//! println!("{}", sandbox.request_previews()[0]);
//! # Ok(()) }
//! ```

use deploykit::testing::describe;
use deploykit::{Result, dployr, edgegap, nexlayer, nodion, preview::RequestPreview};

use crate::credentials::{DployrAccess, EdgegapAccess, NexlayerAccess, NodionAccess};
use crate::platform::Platform;
use crate::request::RecordedRequest;
use crate::server::Sandbox;

macro_rules! clients {
    ($($access:ty, $platform:ident, |$self:ident, $new:ident| $with:expr;)*) => {
        $(
            impl $access {
                /// A client for it, with its credentials. Feature `client`.
                ///
                /// # Errors
                /// When the client cannot be built, which a loopback address gives no reason for.
                pub fn client(&self) -> Result<$platform::Client> {
                    self.builder().build()
                }

                /// The builder of [`client`](Self::client), for options of one's own. Feature `client`.
                pub fn builder(&self) -> $platform::ClientBuilder {
                    let $self = self;
                    let $new = $platform::Client::builder().base_url(self.base_url.as_str());
                    $with
                }
            }
        )*
    };
}

clients! {
    NexlayerAccess, nexlayer, |_access, new| new;
    // Its cluster is for the control plane's dialect alone: `.cluster(access.cluster_id.as_str())`.
    DployrAccess, dployr, |access, new| new.token(access.token.as_str());
    NodionAccess, nodion, |access, new| new.token(access.token.as_str());
    EdgegapAccess, edgegap, |access, new| new.token(access.token.as_str());
}

impl RecordedRequest {
    /// The request in the shape in which deploykit's recorder shows it, secrets left out. Feature `client`.
    pub fn preview(&self) -> RequestPreview {
        // What came over a connection can be written down again; if not, it is shown as nothing.
        let request = self.to_http().unwrap_or_default();
        let (parts, body) = request.into_parts();
        let request = http::Request::from_parts(parts, body.as_slice());
        match self.platform {
            Platform::Nexlayer => describe::<nexlayer::Nexlayer>(&request),
            Platform::Dployr => describe::<dployr::Dployr>(&request),
            Platform::Nodion => describe::<nodion::Nodion>(&request),
            Platform::Edgegap => describe::<edgegap::Edgegap>(&request),
        }
    }
}

impl Sandbox {
    /// What all platforms received, oldest first, in the shape of deploykit's recorder: to compare with what a client
    /// was to send, or to keep as a snapshot. Feature `client`.
    pub fn request_previews(&self) -> Vec<RequestPreview> {
        self.requests()
            .iter()
            .map(RecordedRequest::preview)
            .collect()
    }
}
