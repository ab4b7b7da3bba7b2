//! Base URL, credentials and initial resources of each platform.

/// Base URL of the sandbox's Nexlayer.
///
/// It needs no credentials: each deployment returns its session token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NexlayerAccess {
    /// The base URL, without a trailing slash.
    pub base_url: String,
}

/// Base URL and credentials of the sandbox's dployr.
///
/// `Debug` redacts the credentials.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DployrAccess {
    /// The base URL, without a trailing slash and without `/v1`.
    pub base_url: String,
    /// A bearer token that does not expire.
    pub token: String,
    /// The cluster of the token's user.
    pub cluster_id: String,
    /// The user's e-mail address.
    pub email: String,
    /// The user's password (documented dialect).
    pub password: String,
    /// The login code, the same for every login (control-plane dialect).
    pub login_code: String,
    /// The only identity token of a CI job that the sandbox trusts (control-plane dialect).
    pub identity_token: String,
    /// The tag of the connected instance.
    pub instance_tag: String,
}

/// Base URL and credentials of the sandbox's Nodion, and ids of its initial resources.
///
/// `Debug` redacts the credentials.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodionAccess {
    /// The base URL, without a trailing slash and without `/v1`.
    pub base_url: String,
    /// The API key of a project.
    pub token: String,
    /// An application that deploys from a git repository.
    pub application_id: String,
    /// An application that runs a pre-built image; only this kind accepts an image tag.
    pub image_application_id: String,
    /// The id of the only region.
    pub region_id: String,
    /// The id of the smaller instance type.
    pub instance_type_id: String,
}

/// Base URL and credentials of the sandbox's Edgegap, and names of its initial resources.
///
/// `Debug` redacts the credentials.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EdgegapAccess {
    /// The base URL, without a trailing slash and without `/v2`.
    pub base_url: String,
    /// The API token, a UUID without the prefix `token `.
    pub token: String,
    /// The name of the application that exists at the start.
    pub application: String,
    /// The name of its version.
    pub version: String,
    /// The id of a host in the private fleet.
    pub private_host_id: String,
    /// The name of the private fleet.
    pub fleet: String,
}

impl EdgegapAccess {
    /// The URL and the token that a deployment's container uses to stop itself.
    ///
    /// The platform sets them as `ARBITRIUM_DELETE_URL` and `ARBITRIUM_DELETE_TOKEN`.
    pub fn self_stop(&self, request_id: &str) -> (String, String) {
        let (key, token) = self_stop_credentials(request_id);
        let url = format!("{}/v1/self/stop/{request_id}/{key}", self.base_url);
        (url, token)
    }
}

/// Stop key and token of a deployment, derived from its id.
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
