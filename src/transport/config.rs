//! Building a client.

use super::credentials::{Auth, Credentials, TokenStore};
use super::http_client::{Connections, check_base_url};
use super::limits::Limits;
use super::observe::{CallReport, Observer};
use super::pace::{Pacer, Pacing};
use super::profile::Profile;
use super::retry::Retry;
use super::spend::SpendGuard;
use super::wire::Wire;
use super::{Scope, Transport};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use http::{HeaderName, HeaderValue};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A header that a caller adds, checked.
pub(crate) type ExtraHeader = (HeaderName, HeaderValue);

/// Headers that the transport or HTTP itself sets.
const RESERVED_HEADERS: [&str; 14] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A platform that a client can be built for; implemented by this crate alone.
pub trait Platform: sealed::Sealed {
    /// What only this platform's builder has.
    type Settings: Settings;
    /// Its client.
    type Client;
}

/// What only one platform's builder has; implemented by this crate alone.
pub trait Settings: Clone + Default + fmt::Debug {
    /// What would make a client that cannot work.
    #[doc(hidden)]
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A builder with nothing of its own.
#[derive(Clone, Debug, Default)]
pub struct NoSettings;

impl Settings for NoSettings {}

pub(crate) mod sealed {
    use super::{Arc, Platform, Profile, Transport};

    pub trait Sealed {
        #[doc(hidden)]
        fn profile() -> &'static Profile
        where
            Self: Sized;

        #[doc(hidden)]
        fn assemble(transport: Arc<Transport>, settings: Self::Settings) -> Self::Client
        where
            Self: Platform + Sized;
    }
}

/// Makes the source of tokens from a client without any.
type Login = Box<dyn FnOnce(Scope) -> Credentials + Send + Sync>;
type Store = Arc<dyn super::credentials::ErasedStore>;

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
    base_url: Option<String>,
    credentials: Option<Credentials>,
    /// Credentials that need a client of their own to log in with.
    login: Option<Login>,
    store: Option<Store>,
    plain_http: bool,
    limits: Limits,
    connections: Connections,
    retry: Option<Retry>,
    pacing: Option<Pacing>,
    max_creates: Option<(u32, Duration)>,
    observer: Option<Observer>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) settings: P::Settings,
    pub(crate) wire: Wire,
}

impl<P: Platform> Default for ClientBuilder<P> {
    fn default() -> Self {
        Self {
            base_url: None,
            credentials: None,
            login: None,
            store: None,
            plain_http: false,
            limits: Limits::default(),
            connections: Connections::default(),
            retry: None,
            pacing: None,
            max_creates: None,
            observer: None,
            headers: Vec::new(),
            settings: P::Settings::default(),
            wire: Wire::Network,
        }
    }
}

impl<P: Platform> ClientBuilder<P> {
    /// Where the platform is: scheme, host, and port and path if need be.
    ///
    /// A slash at the end makes no difference. Plain `http` is for loopback only, unless
    /// [`allow_plain_http`](Self::allow_plain_http) says otherwise.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The API token, with or without the word that stands in front of it in the header.
    pub fn token(self, token: impl Into<Secret>) -> Self {
        self.credentials(Credentials::token(token))
    }

    /// Where the token comes from: fixed, from the environment, or renewed.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self.login = None;
        self
    }

    /// Takes tokens from a source that needs a client without any.
    pub(crate) fn login_with(
        mut self,
        login: impl FnOnce(Scope) -> Credentials + Send + Sync + 'static,
    ) -> Self {
        self.login = Some(Box::new(login));
        self.credentials = None;
        self
    }

    /// Keeps tokens that are renewed across processes, see [`FileStore`](crate::FileStore).
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// How long connecting may take, TLS included. Default: 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connections.connect_timeout = Some(limit);
        self
    }

    /// How long one attempt may take. Default: 30 s; 120 s for operations that work before they
    /// answer. Streams: until the reply begins.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limits.attempt = Some(limit);
        self
    }

    /// How long a whole call may take. Default: 90 s; 180 s for operations that work before they
    /// answer.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.limits.deadline = Some(limit);
        self
    }

    /// How long a stream may be silent. Default: 300 s.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// How large the body of a reply may be, in bytes. Default: 16 MiB.
    pub fn max_reply_bytes(mut self, limit: usize) -> Self {
        self.limits.reply_bytes = limit;
        self
    }

    /// When a failed call is sent again. Default: [`Retry::default`]; [`Retry::off`] for never.
    pub fn retry(mut self, policy: Retry) -> Self {
        self.retry = Some(policy);
        self
    }

    /// How the client keeps to the platform's rate limits. Default: [`Pacing::documented`].
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = Some(pacing);
        self
    }

    /// Permits at most so many calls that cost money in any such span, by this client and its
    /// clones: a loop or an agent that runs wild is stopped here.
    ///
    /// What counts is [`Behaviour::spends`](crate::operation::Behaviour), and every `POST` without a
    /// wrapper. Calls that are known to have done nothing do not count. One that is too many is
    /// refused with [`ErrorKind::SpendLimit`] before anything is sent. Default: no limit.
    ///
    /// ```
    /// # fn example<P: deploykit::Platform>(builder: deploykit::ClientBuilder<P>) -> deploykit::ClientBuilder<P> {
    /// use std::time::Duration;
    /// builder.max_creates(5, Duration::from_secs(60))
    /// # }
    /// ```
    pub fn max_creates(mut self, count: u32, span: Duration) -> Self {
        self.max_creates = Some((count, span));
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
        self.observer = Some(Observer::new(tell));
        self
    }

    /// Sends everything through this proxy: `http://proxy.example:3128`, also `https` and, if reqwest
    /// was built with it, `socks5`; with user and password in the URL if it needs them.
    ///
    /// Without one, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count, except for this machine.
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.connections.proxy = Some(url.into());
        self
    }

    /// Uses no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.connections.no_proxy = true;
        self
    }

    /// Trusts the certificates in this PEM text as well as the system's: for a server of your own.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.connections.roots.push(pem.into());
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
        self.connections.own = Some(client);
        self
    }

    /// Permits `http` to any host. Tokens then cross the network for everybody to read: for a
    /// private network, or for a tunnel.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Takes what is not set yet from the environment: base URL and token.
    pub(crate) fn environment(mut self, read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let profile = P::profile();
        let variable = |name: &str| read(name).filter(|value| !value.trim().is_empty());
        if self.base_url.is_none() {
            self.base_url = variable(profile.base_url_variable);
        }
        if self.credentials.is_none() {
            self.credentials = variable(profile.token_variable).map(Credentials::token);
        }
        if self.base_url.is_none() && profile.base_url.is_none() {
            return Err(missing(profile.base_url_variable));
        }
        Ok(self)
    }

    /// The same builder, if it has a token by now.
    pub(crate) fn needs_token(self) -> Result<Self> {
        match self.credentials {
            Some(_) => Ok(self),
            None => Err(missing(P::profile().token_variable)),
        }
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the base URL is missing, not http or https, carries
    /// credentials, a query or a fragment, or is plain `http` to another host; when the token could not
    /// stand in a header; when the proxy or a certificate cannot be read; and when options contradict
    /// each other.
    pub fn build(self) -> Result<P::Client> {
        let profile = P::profile();
        let base_url = match (&self.base_url, profile.base_url) {
            (Some(url), _) => url.as_str(),
            (None, Some(url)) => url,
            (None, None) => {
                return Err(Error::configuration(format!(
                    "there is no base URL: set it on the builder or in {}",
                    profile.base_url_variable
                )));
            }
        };
        let base_url = check_base_url(base_url, self.plain_http)?;
        self.settings.check()?;
        let mut headers = Vec::new();
        for (name, value) in self.headers {
            let value = HeaderValue::from_str(&value).map_err(|_| {
                Error::configuration(format!("the value for {name} cannot stand in a header"))
            })?;
            headers.push((HeaderName::from_static(name), value));
        }
        // A test in the place of the network sees each call once, and at once.
        let (retry, pacing) = match self.wire.is_network() {
            true => (Retry::default(), Pacing::documented()),
            false => (Retry::off(), Pacing::off()),
        };
        let pacing = self.pacing.unwrap_or(pacing);
        let transport = Transport {
            profile,
            own_http: self.connections.own.is_some(),
            http: self.connections.client(&base_url, self.plain_http)?,
            pacer: Pacer::new(&pacing, profile.api, &base_url, &Auth::None),
            base_url,
            wire: self.wire,
            auth: Auth::None,
            headers,
            limits: self.limits,
            retry: self.retry.unwrap_or(retry),
            spend: self
                .max_creates
                .map(|(count, span)| Arc::new(SpendGuard::new(count, span))),
            observer: self.observer,
        };
        let transport = Arc::new(transport);
        let credentials = match self.login {
            Some(login) => Some(login(Scope::new(transport.clone()))),
            None => self.credentials,
        };
        let place = format!("{} {}", profile.api, transport.base_url);
        let auth = Auth::new(profile.scheme, &place, credentials.as_ref(), self.store)?;
        let transport = transport.with_auth(auth);
        Ok(P::assemble(Arc::new(transport), self.settings))
    }
}

impl<P: Platform> fmt::Debug for ClientBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base_url = self.base_url.as_deref().map(crate::secret::redacted_url);
        f.debug_struct("ClientBuilder")
            .field("platform", &P::profile().api)
            .field("base_url", &base_url)
            .field("credentials", &self.credentials)
            .field("login", &self.login.is_some())
            .field("limits", &self.limits)
            .field("connections", &self.connections)
            .field("retry", &self.retry)
            .field("pacing", &self.pacing)
            .field("max_creates", &self.max_creates)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The error for an environment variable that is needed and is missing or empty.
pub(crate) fn missing(variable: &str) -> Error {
    Error::configuration(format!(
        "the environment variable {variable} is missing or empty"
    ))
}

/// Reads the environment of this process.
pub(crate) fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A header that a caller adds to one call.
pub(crate) fn extra_header(name: &str, value: &str) -> Result<ExtraHeader> {
    let refused = |why: &str| Error::invalid_request(format!("the header {name:?} {why}"));
    let parsed: HeaderName = name.parse().map_err(|_| refused("is not a header name"))?;
    if RESERVED_HEADERS.contains(&parsed.as_str()) {
        return Err(refused("is set by the client and cannot be added"));
    }
    let mut value =
        HeaderValue::from_str(value).map_err(|_| refused("has a value that cannot be sent"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// Checks a query parameter that a caller adds to one call.
pub(crate) fn extra_query(scope: &Scope, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid_request("a query parameter has no name"));
    }
    if scope.transport().profile.secret_query.contains(&name) {
        return Err(Error::new(
            ErrorKind::InvalidRequest,
            format!("the query parameter {name:?} carries a credential and cannot be added"),
        )
        .with_effect(crate::Effect::None));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_framing_are_not_for_the_escape_hatch() {
        for name in [
            "Authorization",
            "cookie",
            "HOST",
            "Content-Length",
            "Transfer-Encoding",
        ] {
            let error = extra_header(name, "x").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}");
        }
        assert!(extra_header("X-Trace", "abc").is_ok());
        assert!(extra_header("x y", "abc").is_err());
        assert!(extra_header("x-trace", "a\nb").is_err());
    }
}
