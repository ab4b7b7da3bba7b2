//! deploykit clients for the sandbox, and previews of the requests it received. Feature `client`.
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
                /// Builds a client with the credentials. Feature `client`.
                ///
                /// # Errors
                ///
                /// If the client cannot be built.
                pub fn client(&self) -> Result<$platform::Client> {
                    self.builder().build()
                }

                /// Returns the builder of [`client`](Self::client), with URL and credentials set. Feature
                /// `client`.
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
    // No cluster: only the control-plane dialect needs `.cluster(access.cluster_id.as_str())`.
    DployrAccess, dployr, |access, new| new.token(access.token.as_str());
    NodionAccess, nodion, |access, new| new.token(access.token.as_str());
    EdgegapAccess, edgegap, |access, new| new.token(access.token.as_str());
}

impl RecordedRequest {
    /// The request in the form of deploykit's recorder, with secrets redacted. Feature `client`.
    pub fn preview(&self) -> RequestPreview {
        // Cannot fail for a received request. If it did, the preview would be empty.
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
    /// Previews of all received requests, oldest first. Feature `client`.
    ///
    /// They have the same type as the previews of deploykit's recorder: compare them with expected requests,
    /// or keep them as a snapshot.
    pub fn request_previews(&self) -> Vec<RequestPreview> {
        self.requests()
            .iter()
            .map(RecordedRequest::preview)
            .collect()
    }
}
