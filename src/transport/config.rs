//! Building a client.

use super::credentials::with_scheme;
use super::limits::Limits;
use super::profile::Profile;
use super::wire::Wire;
use super::{Scope, Transport};
use crate::call::ExtraHeader;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use http::{HeaderName, HeaderValue};
use reqwest::Url;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

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
    pub(crate) token: Option<Secret>,
    plain_http: bool,
    limits: Limits,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) settings: P::Settings,
    pub(crate) wire: Wire,
}

impl<P: Platform> Default for ClientBuilder<P> {
    fn default() -> Self {
        Self {
            base_url: None,
            token: None,
            plain_http: false,
            limits: Limits::default(),
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
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// How long connecting may take, TLS included. Default: 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.limits.connect = limit;
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
        if self.token.is_none() {
            self.token = variable(profile.token_variable).map(Secret::new);
        }
        if self.base_url.is_none() && profile.base_url.is_none() {
            return Err(missing(profile.base_url_variable));
        }
        Ok(self)
    }

    /// The same builder, if it has a token by now.
    pub(crate) fn needs_token(self) -> Result<Self> {
        match self.token {
            Some(_) => Ok(self),
            None => Err(missing(P::profile().token_variable)),
        }
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the base URL is missing, not http or https, carries
    /// credentials, a query or a fragment, or is plain `http` to another host; and when the token
    /// could not stand in a header.
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
        let authorization = self
            .token
            .as_ref()
            .map(|token| with_scheme(profile.scheme, token))
            .transpose()?;
        let mut headers = Vec::new();
        for (name, value) in self.headers {
            let value = HeaderValue::from_str(&value).map_err(|_| {
                Error::configuration(format!("the value for {name} cannot stand in a header"))
            })?;
            headers.push((HeaderName::from_static(name), value));
        }
        let transport = Transport {
            profile,
            http: http_client(&self.limits, &base_url)?,
            base_url,
            wire: self.wire,
            authorization,
            headers,
            limits: self.limits,
        };
        Ok(P::assemble(Arc::new(transport), self.settings))
    }
}

impl<P: Platform> fmt::Debug for ClientBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base_url = self.base_url.as_deref().map(crate::secret::masked_url);
        f.debug_struct("ClientBuilder")
            .field("platform", &P::profile().api)
            .field("base_url", &base_url)
            .field("token", &self.token)
            .field("limits", &self.limits)
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

fn check_base_url(text: &str, plain_http: bool) -> Result<String> {
    let shown = crate::secret::masked_url(text);
    let refused = |why: &str| Error::configuration(format!("the base URL {shown:?} {why}"));
    let url =
        Url::parse(text.trim()).map_err(|error| refused("is not a URL").with_source(error))?;
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" if cfg!(any(feature = "rustls", feature = "native-tls")) => {}
        "https" => {
            return Err(refused(
                "needs one of the features `rustls` and `native-tls`",
            ));
        }
        "http" if plain_http || is_loopback(host) => {}
        "http" => {
            return Err(refused(
                "is plain http to another host, which shows the token to everybody in between; use https, or allow_plain_http()",
            ));
        }
        _ => return Err(refused("is neither http nor https")),
    }
    if host.is_empty() {
        return Err(refused("has no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("carries credentials; use token()"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("has a query or a fragment"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn http_client(limits: &Limits, base_url: &str) -> Result<reqwest::Client> {
    #[cfg(feature = "rustls")]
    {
        // The process may have chosen a provider already; then that one stands.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
    }
    let builder = reqwest::Client::builder();
    // Another crate may have switched rustls on in reqwest, without a provider it could use.
    #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
    let builder = builder.tls_backend_native();
    let host = Url::parse(base_url).ok();
    let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
    // Plain http is fine to this machine because it does not leave it: by a proxy it would.
    let builder = if is_loopback(host) {
        builder.no_proxy()
    } else {
        builder
    };
    builder
        .connect_timeout(limits.connect)
        // A redirect could carry a token to another host, or turn a POST into a GET.
        .redirect(reqwest::redirect::Policy::none())
        // What is sent again, and what is counted as an attempt, is decided here and nowhere below.
        .retry(reqwest::retry::never())
        .build()
        .map_err(|error| {
            Error::configuration("the HTTP client cannot be set up")
                .with_source(error.without_url())
        })
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
    fn base_urls() {
        for (text, kept) in [
            ("https://api.example", "https://api.example"),
            ("https://api.example/", "https://api.example"),
            ("https://api.example/sub//", "https://api.example/sub"),
            ("https://api.example:8443/a", "https://api.example:8443/a"),
            ("http://127.0.0.1:7878", "http://127.0.0.1:7878"),
            ("http://[::1]:7878", "http://[::1]:7878"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(check_base_url(text, false).unwrap(), kept, "{text}");
        }
        assert!(check_base_url("http://10.0.0.1", true).is_ok());
        for (text, part) in [
            ("http://10.0.0.1", "plain http"),
            ("http://127.0.0.1.evil.example", "plain http"),
            ("http://localhost.evil.example", "plain http"),
            ("ftp://a", "neither"),
            ("file:///etc/passwd", "neither"),
            ("api.example", "not a URL"),
            ("", "not a URL"),
            ("https://u:hush@a", "carries credentials"),
            ("https://a?x=1", "query"),
            ("https://a#x", "fragment"),
        ] {
            let error = check_base_url(text, false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(part), "{text}: {error}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

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
