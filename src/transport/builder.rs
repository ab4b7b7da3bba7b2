//! `ClientBuilder`: base URL, credentials, timeouts, limits, proxies.

use super::Transport;
use super::credentials::{Auth, Credentials, ErasedStore, TokenStore};
use super::headers::ExtraHeader;
use super::http_client::{Connections, check_base_url, proxy_secrets};
use super::limits::Limits;
use super::observer::{CallReport, Observer};
use super::pacing::{Pacer, Pacing};
use super::platform::Platform;
use super::retry::Retry;
use super::send::FakeNetwork;
use super::spend_limit::SpendGuard;
use crate::error::{Error, Result};
use crate::secret::Secret;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Builds a client. Building sends no request.
///
/// Use a client only in the tokio runtime in which it sent its first request: connections end with their
/// runtime. Each `#[tokio::test]` has its own runtime, so build the client in each test.
///
/// ```
/// # fn example<P: deploykit::Platform>(builder: deploykit::ClientBuilder<P>) -> deploykit::Result<()> {
/// use std::time::Duration;
/// let client = builder
///     .token("secret")
///     .timeout(Duration::from_secs(10))
///     .build()?;
/// # Ok(()) }
/// ```
pub struct ClientBuilder<P: Platform> {
    options: Options,
    /// Headers that every request gets.
    pub(crate) headers: Vec<ExtraHeader>,
    pub(crate) settings: P::Settings,
    /// The error of an invalid option, which `build` returns.
    pub(crate) problem: Option<Error>,
    /// Replaces the network: a recorder or an in-process platform.
    pub(crate) fake_network: Option<Arc<dyn FakeNetwork>>,
}

/// The options that all platforms share.
#[derive(Default)]
struct Options {
    base_url: Option<String>,
    credentials: Option<Credentials>,
    store: Option<Arc<dyn ErasedStore>>,
    plain_http: bool,
    limits: Limits,
    connections: Connections,
    retry: Option<Retry>,
    pacing: Option<Pacing>,
    spend: Option<Arc<SpendGuard>>,
    observer: Option<Observer>,
}

impl<P: Platform> Default for ClientBuilder<P> {
    fn default() -> Self {
        Self {
            options: Options::default(),
            headers: Vec::new(),
            settings: P::Settings::default(),
            problem: None,
            fake_network: None,
        }
    }
}

impl<P: Platform> ClientBuilder<P> {
    /// The platform's base URL: scheme, host, optional port and path. A trailing slash is ignored.
    ///
    /// Plain `http` is accepted for loopback hosts only, unless
    /// [`allow_plain_http`](Self::allow_plain_http) is set.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = Some(url.into());
        self
    }

    /// The API token, with or without its prefix (`Bearer `, `token `).
    pub fn token(self, token: impl Into<Secret>) -> Self {
        self.credentials(Credentials::token(token))
    }

    /// The credentials: a fixed token, one from the environment, or renewed tokens.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.options.credentials = Some(credentials);
        self
    }

    /// Keeps renewed tokens across processes, for example in a [`FileStore`](crate::credentials::FileStore).
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.options.store = Some(Arc::new(store));
        self
    }

    /// Timeout for connecting, TLS handshake included. Default: 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.options.connections.connect_timeout = Some(limit);
        self
    }

    /// Timeout of one attempt. Default: 30 s; 120 s for slow operations, which are deploys on Nexlayer and
    /// calls without a wrapper (`client.request(..)`).
    ///
    /// Does not apply to streams, which have an [`idle_timeout`](Self::idle_timeout).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.options.limits.attempt_timeout = Some(limit);
        self
    }

    /// Deadline of a call, retries and waits included. Default: 90 s; 180 s for slow operations.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.options.limits.deadline = Some(limit);
        self
    }

    /// Timeout of a stream before its first byte and between two chunks. Default: 300 s.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.options.limits.idle = limit;
        self
    }

    /// Largest response body, in bytes. Default: 16 MiB.
    pub fn max_reply_bytes(mut self, limit: usize) -> Self {
        self.options.limits.reply_bytes = limit;
        self
    }

    /// The retry policy. Default: [`Retry::default`]; [`Retry::off`] disables retries.
    pub fn retry(mut self, policy: Retry) -> Self {
        self.options.retry = Some(policy);
        self
    }

    /// Client-side rate limits. Default: [`Pacing::documented`].
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.options.pacing = Some(pacing);
        self
    }

    /// Limits the calls that cost money, per time span, for this client and its clones: a guard
    /// against runaway loops and agents.
    ///
    /// Counts operations marked [`Behaviour::spends`](crate::operation::Behaviour), and every `POST`
    /// without a wrapper (`client.request(..)`). Calls that certainly had no effect do not count. Calls
    /// beyond the limit fail with [`ErrorKind::SpendLimit`](crate::ErrorKind::SpendLimit) and send nothing.
    /// Default: no limit.
    ///
    /// ```
    /// # fn example<P: deploykit::Platform>(builder: deploykit::ClientBuilder<P>) -> deploykit::ClientBuilder<P> {
    /// use std::time::Duration;
    /// builder.max_creates(5, Duration::from_secs(60))
    /// # }
    /// ```
    pub fn max_creates(mut self, count: u32, span: Duration) -> Self {
        self.options.spend = Some(Arc::new(SpendGuard::new(count, span)));
        self
    }

    /// Passes a report of every call of this client and its clones to a function, for metrics or an audit
    /// log. The function runs on the task of the call, so it must not block.
    ///
    /// ```
    /// # fn example<P: deploykit::Platform>(builder: deploykit::ClientBuilder<P>) -> deploykit::ClientBuilder<P> {
    /// builder.observer(|call| {
    ///     if let Some(operation) = call.operation {
    ///         println!("{operation}: {:?} after {} attempts in {:?}", call.status, call.attempts, call.elapsed);
    ///     }
    /// })
    /// # }
    /// ```
    pub fn observer(mut self, observe: impl Fn(&CallReport<'_>) + Send + Sync + 'static) -> Self {
        self.options.observer = Some(Arc::new(observe));
        self
    }

    /// Sends every request through this proxy: `http://user:password@proxy.example:3128`, also `https`
    /// and, if reqwest was built with it, `socks5`.
    ///
    /// Default: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, except for loopback hosts.
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.options.connections.proxy = Some(url.into());
        self
    }

    /// Uses no proxy and ignores the proxy variables of the environment.
    pub fn no_proxy(mut self) -> Self {
        self.options.connections.no_proxy = true;
        self
    }

    /// Trusts the certificates in this PEM text in addition to the system's.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.options.connections.roots.push(pem.into());
        self
    }

    /// Sends requests with your own `reqwest::Client`. Timeouts, retries, pacing and size limits of this
    /// crate still apply.
    ///
    /// Set up the client as follows:
    /// - Follow no redirects (`redirect(Policy::none())`): a redirect may send a token to another host.
    /// - Do not retry (`retry(reqwest::retry::never())`): a retry may create something twice.
    /// - Disable decompression, or limit it.
    /// - Set `connect_timeout`, and use no proxy for loopback hosts.
    /// - With the feature `rustls`, install a crypto provider for the process first.
    ///
    /// Connect errors then have an unknown effect: the failed connection may belong to a redirect that the
    /// client followed after the platform acted.
    ///
    /// Do not combine it with `connect_timeout`, `proxy`, `no_proxy` or `root_certificate`: `build` then
    /// returns an error.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.options.connections.custom = Some(client);
        self
    }

    /// Permits plain `http` to any host, which sends tokens unencrypted: for private networks and
    /// tunnels.
    pub fn allow_plain_http(mut self) -> Self {
        self.options.plain_http = true;
        self
    }

    /// Reads base URL and token from the environment, unless they are set.
    pub(crate) fn environment(mut self, read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let (profile, options) = (P::profile(), &mut self.options);
        if options.base_url.is_none() {
            let found = variable(profile.base_url_variable, &read);
            options.base_url = match profile.base_url {
                Some(_) => found.ok(),
                None => Some(found?),
            };
        }
        if options.credentials.is_none() {
            let mut names = profile.token_variables.iter();
            let token = names.find_map(|name| variable(name, &read).ok());
            options.credentials = token.map(Credentials::token);
        }
        Ok(self)
    }

    /// Requires a token.
    pub(crate) fn needs_token(self) -> Result<Self> {
        match self.options.credentials {
            Some(_) => Ok(self),
            None => Err(missing(&P::profile().token_variables.join(" or "))),
        }
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the base URL is missing, is not
    /// `http` or `https`, contains credentials, a query or a fragment, or is plain `http` to a host that
    /// is not loopback; if the token is not a valid header value; if the proxy or a certificate is
    /// invalid; or if options contradict each other.
    pub fn build(self) -> Result<P::Client> {
        let api = P::profile().api;
        self.assemble().map_err(|error| error.prefixed(api))
    }

    fn assemble(self) -> Result<P::Client> {
        let (profile, options) = (P::profile(), self.options);
        let is_default_host = options.base_url.is_none();
        let base_url = options.base_url.as_deref().or(profile.base_url);
        let base_url = base_url.ok_or_else(|| {
            let variable = profile.base_url_variable;
            Error::configuration(format!(
                "the base URL is missing: set it on the builder or in {variable}"
            ))
        })?;
        let base_url = check_base_url(base_url, options.plain_http)?;
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        // By default, a fake network gets each request once and without delay.
        let (retry, pacing) = match self.fake_network {
            None => (Retry::default(), Pacing::documented()),
            Some(_) => (Retry::off(), Pacing::off()),
        };
        let pacing = options.pacing.unwrap_or(pacing);
        let server = format!("{} {base_url}", profile.api);
        let auth = Auth::new(
            profile.scheme,
            &server,
            options.credentials.as_ref(),
            options.store,
        )?;
        let is_custom_http = options.connections.custom.is_some();
        let proxy = options.connections.proxy.clone();
        let http = options.connections.client(&base_url, options.plain_http)?;
        let transport = Transport {
            profile,
            is_custom_http,
            proxy_secrets: proxy_secrets(proxy, &http),
            http,
            pacer: Pacer::new(&pacing, profile.api, &base_url, &auth),
            base_url,
            connect_advice: profile.default_host_advice.filter(|_| is_default_host),
            fake_network: self.fake_network,
            auth,
            headers: self.headers,
            limits: options.limits,
            retry: options.retry.unwrap_or(retry),
            spend: options.spend,
            observer: options.observer,
        };
        Ok(P::assemble(Arc::new(transport), self.settings))
    }
}

impl<P: Platform> fmt::Debug for ClientBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base_url = self.options.base_url.as_deref();
        f.debug_struct("ClientBuilder")
            .field("platform", &P::profile().api)
            .field("base_url", &base_url.map(crate::secret::redacted_url))
            .field("credentials", &self.options.credentials)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The value of an environment variable.
pub(crate) fn variable(name: &str, read: impl Fn(&str) -> Option<String>) -> Result<String> {
    let value = read(name).filter(|value| !value.trim().is_empty());
    value.ok_or_else(|| missing(name))
}

fn missing(variable: &str) -> Error {
    Error::configuration(format!(
        "the environment variable {variable} is missing or empty"
    ))
}

/// Reads a variable from the environment of this process.
pub(crate) fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
