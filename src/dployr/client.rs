//! The client, its builder, and the calls about the server and its user.

use super::failures::{classify, failed_success};
use super::session::PasswordLogin;
use super::{ClusterId, CurrentUser, Health, Versions};
use crate::call::Call;
pub(super) use crate::call::Steps;
use crate::call::in_steps;
pub(super) use crate::check::text as check_text;
use crate::error::{Error, Result};
use crate::id::checked;
use crate::raw::dployr::Op;
use crate::secret::Secret;
use crate::transport::Scope;
use crate::transport::builder::{self, ClientBuilder};
use crate::transport::credentials::{Auth, Credentials};
use crate::transport::platform::{Lookup, Profile};

/// Settings that only dployr's builder has.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    cluster: Option<ClusterId>,
}

const CLUSTER_VARIABLE: &str = "DPLOYR_CLUSTER_ID";

static PROFILE: Profile = Profile {
    api: "dployr",
    scheme: "Bearer",
    base_url: None,
    default_host_advice: None,
    base_url_variable: "DPLOYR_BASE_URL",
    token_variables: &["DPLOYR_TOKEN"],
    secret_query: &[],
    classify,
    failed_success,
    lookups: &[Lookup {
        operation: "create_deployment",
        creates: "deployment",
        advice: "check deployments().find_created(name, time)",
    }],
    redact_manifest: |_| None,
};

crate::raw::client! {
    /// A client for one dployr server. Cheap to clone; clones share connections.
    Dployr, dployr, Settings
}

impl ClientBuilder<Dployr> {
    /// The cluster of all calls, sent as `clusterId`.
    ///
    /// The control plane rejects most calls without it.
    pub fn cluster<I>(mut self, id: I) -> Self
    where
        I: TryInto<ClusterId>,
        I::Error: Into<Error>,
    {
        match checked(id) {
            Ok(id) => self.settings.cluster = Some(id),
            Err(why) => self.problem = Some(Error::configuration(why)),
        }
        self
    }

    /// Obtains tokens by logging in with a password: `POST /v1/auth/login`.
    ///
    /// Logs in before the first request, before the token expires, and after a 401. No documented
    /// operation accepts the refresh token, so each renewal logs in again. Concurrent calls share one
    /// login. If the server rejects the login, calls fail for a minute without another one.
    /// [`token_store`](ClientBuilder::token_store) keeps the token across processes. For a server that renews
    /// tokens, use [`Credentials::renewed`](crate::credentials::Credentials::renewed).
    pub fn login(self, email: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials(Credentials::obtained_by(PasswordLogin {
            email: email.into(),
            password: password.into(),
        }))
    }
}

impl Client {
    /// Builds a client. Requires a base URL, and a token for all calls except logins.
    pub fn builder() -> ClientBuilder<Dployr> {
        ClientBuilder::default()
    }

    /// Creates a client for this base URL and token.
    ///
    /// The token is a personal access token (`dpat_…`) or one from [`login`](Self::login), with or
    /// without `Bearer `. The hosted server is `https://base.dployr.io`; a self-hosted server listens
    /// on port 7878 by default.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a URL that is not
    /// `https` (or `http` to this machine), and for a token that is empty or cannot be part of a
    /// header.
    pub fn new(base_url: impl Into<String>, token: impl Into<Secret>) -> Result<Self> {
        Self::builder().base_url(base_url).token(token).build()
    }

    /// Creates a client from environment variables.
    ///
    /// Reads `DPLOYR_BASE_URL`, `DPLOYR_TOKEN` and, if set, `DPLOYR_CLUSTER_ID`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the URL or the token is
    /// missing or empty, if the cluster id is invalid, and as [`new`](Self::new).
    pub fn from_env() -> Result<Self> {
        Self::from_variables(builder::process_environment)
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let cluster = builder::variable(CLUSTER_VARIABLE, &read).ok();
        let mut builder = Self::builder().environment(read)?.needs_token()?;
        if let Some(cluster) = cluster {
            builder = builder.cluster(cluster);
        }
        builder.build()
    }

    /// A copy with another token. Settings, limits and connections are shared.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let dployr = deploykit::testing::Recorder::new().dployr()?;
    /// let tokens = dployr.login("user@example.com", "password").await?;
    /// let dployr = dployr.with_token(tokens.access_token)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a token that is empty or
    /// cannot be part of a header.
    pub fn with_token(&self, token: impl Into<Secret>) -> Result<Self> {
        Ok(self.with_auth(Auth::token(PROFILE.scheme, &token.into())?))
    }

    /// A copy without credentials.
    pub(super) fn without_token(&self) -> Self {
        self.with_auth(Auth::None)
    }

    /// A copy with other credentials.
    pub(super) fn with_auth(&self, auth: Auth) -> Self {
        Self {
            scope: self.scope.with_auth(auth),
            settings: self.settings.clone(),
        }
    }

    /// A client with default settings.
    pub(super) fn with_defaults(scope: Scope) -> Self {
        let settings = Settings::default();
        Self { scope, settings }
    }

    /// A copy for another cluster. Token, limits and connections are shared.
    ///
    /// [`clusters`](Self::clusters) lists the clusters of the user.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid id.
    pub fn with_cluster<I>(&self, id: I) -> Result<Self>
    where
        I: TryInto<ClusterId>,
        I::Error: Into<Error>,
    {
        let id = checked(id).map_err(Error::invalid_request)?;
        let mut client = self.clone();
        client.settings.cluster = Some(id);
        Ok(client)
    }

    /// The id of the client's cluster.
    pub fn cluster_id(&self) -> Option<&ClusterId> {
        self.settings.cluster.as_ref()
    }

    /// The id of the client's cluster, for a query parameter; `None` omits the parameter.
    pub(super) fn cluster_parameter(&self) -> Option<String> {
        self.cluster_id().map(ToString::to_string)
    }

    /// The id of the client's cluster, for a body that requires it.
    pub(super) fn required_cluster(&self) -> Result<String> {
        self.cluster_parameter().ok_or_else(|| {
            Error::invalid_request("the client has no cluster")
                .with_advice("set one: builder().cluster(id) or DPLOYR_CLUSTER_ID")
        })
    }

    /// Reads the health and the version of the server: `GET /v1/health`, without a token.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/index.ts>
    pub fn health(&self) -> Call<Health> {
        self.without_token().call(Op::GetHealth, |raw| async move {
            Ok(raw.get_health().await?.into_inner().0)
        })
    }

    /// Reads the released versions of the daemon: `GET /v1/runtime/versions`, without a token.
    ///
    /// # Errors
    /// [`Server`](crate::ErrorKind::Server) if the server cannot reach the vendor's release list.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/runtime.ts>
    pub fn versions(&self) -> Call<Versions> {
        self.versions_with(None)
    }

    /// As [`versions`](Self::versions), with prereleases: `GET /v1/runtime/versions?showPreReleases=true`.
    ///
    /// # Errors
    /// As [`versions`](Self::versions).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/runtime.ts>
    pub fn versions_with_previews(&self) -> Call<Versions> {
        self.versions_with(Some(true))
    }

    fn versions_with(&self, previews: Option<bool>) -> Call<Versions> {
        let client = self.without_token();
        client.call(Op::ListVersions, move |raw| async move {
            let reply = raw.list_versions_with(|options| options.show_pre_releases = previews);
            Ok(reply.await?.into_inner().0)
        })
    }

    /// Reads the user of the token or session, and the user's clusters: `GET /v1/users/me`.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/users.ts>
    pub fn current_user(&self) -> Call<CurrentUser> {
        self.call(Op::GetCurrentUser, |raw| async move {
            Ok(raw.get_current_user().await?.into_inner().0)
        })
    }

    /// A call that sends several requests.
    pub(super) fn in_steps<T, F, R>(&self, op: Op, run: F) -> Call<T>
    where
        T: Send + 'static,
        F: FnOnce(Steps) -> R + Send + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        in_steps(self.scope_of(op), run)
    }
}

/// Checks a port.
pub(super) fn check_port(port: i64) -> Result<()> {
    match port {
        1..=65_535 => Ok(()),
        _ => Err(Error::invalid_request(format!(
            "the port {port} is not between 1 and 65535"
        ))),
    }
}

/// Checks each text that is set, under its name.
pub(super) fn check_texts<'a>(
    texts: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<()> {
    let mut set = texts
        .into_iter()
        .filter_map(|(what, text)| Some((what, text?)));
    set.try_for_each(|(what, text)| check_text(what, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn variables<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn from_env_reads_base_url_token_and_cluster() {
        let all = [
            ("DPLOYR_BASE_URL", "https://dployr.example/"),
            ("DPLOYR_TOKEN", "Bearer dpat_abc"),
            ("DPLOYR_CLUSTER_ID", "c-1"),
        ];
        let client = Client::from_variables(variables(&all)).unwrap();
        assert_eq!(client.base_url(), "https://dployr.example");
        assert_eq!(client.cluster_id().unwrap().as_str(), "c-1");
        assert!(
            Client::from_variables(variables(&all[..2]))
                .unwrap()
                .cluster_id()
                .is_none()
        );

        for (name, rest) in [("DPLOYR_BASE_URL", &all[1..]), ("DPLOYR_TOKEN", &all[..1])] {
            let mut empty = rest.to_vec();
            empty.push((name, " "));
            for pairs in [rest, &empty] {
                let error = Client::from_variables(variables(pairs)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Configuration);
                assert!(error.to_string().contains(name), "{error}");
            }
        }
    }

    #[test]
    fn an_invalid_cluster_id_fails_the_build() {
        for bad in ["", " ", "a/b", "a\nb"] {
            let builder = Client::builder().base_url("https://a.example").cluster(bad);
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{bad:?}");
            assert!(error.to_string().contains("cluster id"), "{error}");
        }
    }

    #[test]
    fn the_base_url_is_required() {
        let error = Client::builder().token("x").build().unwrap_err();
        assert!(error.to_string().contains("DPLOYR_BASE_URL"), "{error}");
    }

    #[test]
    fn with_token_keeps_the_other_settings() {
        let builder = Client::builder()
            .base_url("https://a.example")
            .cluster("c-1");
        let client = builder.build().unwrap();
        assert!(format!("{client:?}").contains("token: not set"));
        let with = client.with_token("Bearer hush").unwrap();
        assert!(format!("{with:?}").contains("token: set"));
        assert_eq!(with.cluster_id(), client.cluster_id());
        assert_eq!(with.base_url(), "https://a.example");
        assert_eq!(
            client.with_token(" ").unwrap_err().kind(),
            ErrorKind::Configuration
        );
    }
}
