//! `ClientBuilder`: base URL, credentials, timeouts, limits, proxies.

use super::Transport;
use super::credentials::{Auth, Credentials, ErasedStore, TokenStore};
use super::headers::ExtraHeader;
use super::http_client::{Connections, check_base_url};
use super::limits::Limits;
use super::observer::{CallReport, Observer};
use super::pacing::{Pacer, Pacing};
use super::platform::Platform;
use super::retry::Retry;
use super::send::Answer;
use super::spend_limit::SpendGuard;
use crate::error::{Error, Result};
use crate::secret::Secret;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Sets up a client. Nothing is sent by it, and `build` is cheap.
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
    /// Headers that every call gets.
    pub(crate) headers: Vec<ExtraHeader>,
    pub(crate) settings: P::Settings,
    /// Why the client cannot be built.
    pub(crate) problem: Option<Error>,
    /// Answers requests instead of the network.
    pub(crate) wire: Option<Arc<dyn Answer>>,
}

/// What the builders of all platforms have.
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
            wire: None,
        }
    }
}

impl<P: Platform> ClientBuilder<P> {
    /// Where the platform is: scheme, host, and port and path if need be.
    ///
    /// A slash at the end makes no difference. Plain `http` is for loopback only, unless
    /// [`allow_plain_http`](Self::allow_plain_http) says otherwise.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = Some(url.into());
        self
    }

    /// The API token, with or without the word that stands in front of it in the header.
    pub fn token(self, token: impl Into<Secret>) -> Self {
        self.credentials(Credentials::token(token))
    }

    /// Where the token comes from: fixed, from the environment, or renewed.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.options.credentials = Some(credentials);
        self
    }

    /// Keeps tokens that are renewed across processes, see [`FileStore`](crate::credentials::FileStore).
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.options.store = Some(Arc::new(store));
        self
    }

    /// How long connecting may take, TLS included. Default: 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.options.connections.connect_timeout = Some(limit);
        self
    }

    /// How long one attempt may take. Default: 30 s; 120 s for operations that work before they
    /// answer. Streams: until the reply begins.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.options.limits.attempt = Some(limit);
        self
    }

    /// How long a whole call may take. Default: 90 s; 180 s for operations that work before they
    /// answer.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.options.limits.deadline = Some(limit);
        self
    }

    /// How long a stream may be silent. Default: 300 s.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.options.limits.idle = limit;
        self
    }

    /// How large the body of a reply may be, in bytes. Default: 16 MiB.
    pub fn max_reply_bytes(mut self, limit: usize) -> Self {
        self.options.limits.reply_bytes = limit;
        self
    }

    /// When a failed call is sent again. Default: [`Retry::default`]; [`Retry::off`] for never.
    pub fn retry(mut self, policy: Retry) -> Self {
        self.options.retry = Some(policy);
        self
    }

    /// How the client keeps to the platform's rate limits. Default: [`Pacing::documented`].
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.options.pacing = Some(pacing);
        self
    }

    /// Permits at most so many calls that cost money in any such span, by this client and its
    /// clones: a loop or an agent that runs wild is stopped here.
    ///
    /// What counts is [`Behaviour::spends`](crate::operation::Behaviour), and every `POST` without a
    /// wrapper. Calls that are known to have done nothing do not count. One that is too many is
    /// refused with [`ErrorKind::SpendLimit`](crate::ErrorKind::SpendLimit) before anything is sent. Default: no limit.
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

    /// Tells a function how every call of this client and its clones ended: for metrics, or for a
    /// record of what was created. It runs on the task of the call, so it must not block.
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
    pub fn observer(mut self, tell: impl Fn(&CallReport<'_>) + Send + Sync + 'static) -> Self {
        self.options.observer = Some(Arc::new(tell));
        self
    }

    /// Sends everything through this proxy: `http://proxy.example:3128`, also `https` and, if reqwest
    /// was built with it, `socks5`; with user and password in the URL if it needs them.
    ///
    /// Without one, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count, except for this machine.
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.options.connections.proxy = Some(url.into());
        self
    }

    /// Uses no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.options.connections.no_proxy = true;
        self
    }

    /// Trusts the certificates in this PEM text as well as the system's: for a server of your own.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.options.connections.roots.push(pem.into());
        self
    }

    /// Sends through a `reqwest::Client` of your own. Everything above it stays as it is: time limits
    /// of attempts and calls, retries, pacing, size limits.
    ///
    /// What the client itself does is then yours to guarantee. It should follow no redirects
    /// (`redirect(Policy::none())`), as one may carry a token in a query or a body to another host, and
    /// hides what the platform answered: so a failure to connect proves nothing there, and its effect is
    /// unknown; send
    /// nothing again by itself (`retry(reqwest::retry::never())`), as that may be a second create; not
    /// unpack replies without limit; limit the time to connect (`connect_timeout`); and use no proxy for
    /// this machine. With the feature `rustls`, install a crypto provider for the process before you
    /// build it; the clients of this crate do so for themselves.
    ///
    /// `connect_timeout`, `proxy`, `no_proxy` and `root_certificate` of this builder are then refused.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.options.connections.own = Some(client);
        self
    }

    /// Permits `http` to any host. Tokens then cross the network for everybody to read: for a
    /// private network, or for a tunnel.
    pub fn allow_plain_http(mut self) -> Self {
        self.options.plain_http = true;
        self
    }

    /// Takes what is not set yet from the environment: base URL and token.
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
            let token = variable(profile.token_variable, &read).ok();
            options.credentials = token.map(Credentials::token);
        }
        Ok(self)
    }

    /// The same builder, if it has a token by now.
    pub(crate) fn needs_token(self) -> Result<Self> {
        match self.options.credentials {
            Some(_) => Ok(self),
            None => Err(missing(P::profile().token_variable)),
        }
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the base URL is missing, not http or https, carries
    /// credentials, a query or a fragment, or is plain `http` to another host; when the token could not
    /// stand in a header; when the proxy or a certificate cannot be read; and when options contradict
    /// each other.
    pub fn build(self) -> Result<P::Client> {
        let (profile, options) = (P::profile(), self.options);
        let base_url = options.base_url.as_deref().or(profile.base_url);
        let base_url = base_url.ok_or_else(|| {
            let variable = profile.base_url_variable;
            Error::configuration(format!(
                "there is no base URL: set it on the builder or in {variable}"
            ))
        })?;
        let base_url = check_base_url(base_url, options.plain_http)?;
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        // A test in the place of the network sees each call once, and at once.
        let (retry, pacing) = match self.wire {
            None => (Retry::default(), Pacing::documented()),
            Some(_) => (Retry::off(), Pacing::off()),
        };
        let pacing = options.pacing.unwrap_or(pacing);
        let account = format!("{} {base_url}", profile.api);
        let auth = Auth::new(
            profile.scheme,
            &account,
            options.credentials.as_ref(),
            options.store,
        )?;
        let transport = Transport {
            profile,
            own_http: options.connections.own.is_some(),
            http: options.connections.client(&base_url, options.plain_http)?,
            pacer: Pacer::new(&pacing, profile.api, &base_url, &auth),
            base_url,
            wire: self.wire,
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

/// The error for an environment variable that is needed and is missing or empty.
fn missing(variable: &str) -> Error {
    Error::configuration(format!(
        "the environment variable {variable} is missing or empty"
    ))
}

/// Reads the environment of this process.
pub(crate) fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
