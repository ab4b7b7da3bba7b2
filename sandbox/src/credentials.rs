//! Where a platform listens and what opens it.

/// Where the Nexlayer of the sandbox listens. It needs no credentials: the session token of a reply is the credential.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NexlayerAccess {
    /// The base URL, without a trailing slash.
    pub base_url: String,
}

/// Where the dployr of the sandbox listens and what opens it. Its `Debug` hides the latter.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DployrAccess {
    /// The base URL, without a trailing slash and without `/v1`.
    pub base_url: String,
    /// A bearer token that does not expire.
    pub token: String,
    /// The cluster of the token's user.
    pub cluster_id: String,
    /// The user's address, for a login by password (documented dialect).
    pub email: String,
    /// The user's password, for a login by password (documented dialect).
    pub password: String,
    /// The code of every mail, for a login by e-mail (control plane's dialect).
    pub login_code: String,
    /// The identity token of the one CI job that is trusted (control plane's dialect).
    pub identity_token: String,
    /// The tag of the one instance.
    pub instance_tag: String,
}

/// Where the Nodion of the sandbox listens and what opens it. Its `Debug` hides the latter.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodionAccess {
    /// The base URL, without a trailing slash and without `/v1`.
    pub base_url: String,
    /// A project API key.
    pub token: String,
    /// An application that is connected to a git repository.
    pub application_id: String,
    /// An application that runs a pre-built image, the only kind that takes an image tag.
    pub image_application_id: String,
    /// The one region.
    pub region_id: String,
    /// A type of instances, the smaller one.
    pub instance_type_id: String,
}

/// Where the Edgegap of the sandbox listens and what opens it. Its `Debug` hides the latter.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EdgegapAccess {
    /// The base URL, without a trailing slash and without `/v2`.
    pub base_url: String,
    /// The token, a UUID without the word `token`.
    pub token: String,
    /// The one application.
    pub application: String,
    /// Its one version.
    pub version: String,
    /// A host of the private fleet.
    pub private_host_id: String,
    /// The name of the private fleet.
    pub fleet: String,
}

impl EdgegapAccess {
    /// What the platform puts into the container of this deployment, so that it can end itself: the values of
    /// `ARBITRIUM_DELETE_URL` and `ARBITRIUM_DELETE_TOKEN`.
    pub fn self_stop(&self, request_id: &str) -> (String, String) {
        let (key, token) = self_stop_credentials(request_id);
        let url = format!("{}/v1/self/stop/{request_id}/{key}", self.base_url);
        (url, token)
    }
}

/// The key and the token of a deployment. They follow from its id, so that nothing has to be kept.
pub(crate) fn self_stop_credentials(request_id: &str) -> (String, String) {
    let mixed = request_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |mixed, byte| {
            (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let key = (mixed % 1_000).to_string();
    (
        key,
        format!("{mixed:016x}{:016x}", mixed.rotate_left(29) ^ 0x5a5a),
    )
}
