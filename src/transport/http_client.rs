//! Builds the HTTP client: TLS, proxies, no redirects. Checks base URLs.

use super::limits::CONNECT;
use super::redact::credential_in;
use crate::error::{Error, Result};
use crate::secret::{Secret, has_login, percent_decoded};
use reqwest::Url;
use std::net::IpAddr;
use std::time::Duration;

/// The connection options of a builder.
#[derive(Default)]
pub(crate) struct Connections {
    pub connect_timeout: Option<Duration>,
    pub proxy: Option<Secret>,
    pub no_proxy: bool,
    /// Root certificates, PEM.
    pub roots: Vec<Vec<u8>>,
    /// The caller's own client.
    pub custom: Option<reqwest::Client>,
}

impl Connections {
    /// The caller's client, or a new one with these options.
    pub fn client(self, base_url: &str, plain_http: bool) -> Result<reqwest::Client> {
        let has_proxy = self.proxy.is_some();
        let has_options = self.connect_timeout.is_some() || self.no_proxy || !self.roots.is_empty();
        let problem = if has_proxy && self.no_proxy {
            "proxy() and no_proxy() contradict each other"
        } else if has_proxy && base_url.starts_with("http:") && !plain_http {
            "plain http through a proxy sends the token unencrypted: use https or allow_plain_http()"
        } else if self.custom.is_some() && (has_proxy || has_options) {
            "set connect timeout, proxy and certificates on your reqwest client, not on the builder"
        } else {
            return match self.custom {
                Some(client) => Ok(client),
                None => self.default_client(base_url),
            };
        };
        Err(Error::configuration(problem))
    }

    fn default_client(self, base_url: &str) -> Result<reqwest::Client> {
        #[cfg(feature = "rustls")]
        {
            // Does not replace a crypto provider that the process has installed.
            if rustls::crypto::CryptoProvider::get_default().is_none() {
                let _ = rustls::crypto::ring::default_provider().install_default();
            }
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout.unwrap_or(CONNECT))
            // A redirect could send a token to another host, or turn a POST into a GET.
            .redirect(reqwest::redirect::Policy::none())
            // Only the pipeline retries and counts attempts.
            .retry(reqwest::retry::never())
            // Another crate may have enabled these features of reqwest. Decompression has no size limit.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd();
        // Another crate may have enabled the other TLS backend: rustls without a crypto provider, or the
        // system's library, whose errors do not show their cause.
        #[cfg(feature = "rustls")]
        {
            builder = builder.tls_backend_rustls();
        }
        #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
        {
            builder = builder.tls_backend_native();
        }
        for pem in &self.roots {
            builder = trust_also(builder, pem)?;
        }
        let host = Url::parse(base_url).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        if let Some(proxy) = &self.proxy {
            // reqwest's message may contain the URL.
            let proxy = reqwest::Proxy::all(proxy.expose())
                .map_err(|_| Error::configuration("the proxy is not a valid URL"))?;
            builder = builder.proxy(proxy);
        } else if self.no_proxy || is_loopback(host) {
            // A proxy would send plain http for loopback to another machine.
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| {
            Error::configuration("cannot build the HTTP client").with_source(error.without_url())
        })
    }
}

/// The variables from which reqwest takes its proxies.
const PROXY_VARIABLES: [&str; 6] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
];

/// The passwords of this proxy and of those in the environment, and the headers that contain them.
pub(crate) fn proxy_secrets(proxy: Option<Secret>, http: &reqwest::Client) -> Vec<Secret> {
    let proxies = PROXY_VARIABLES
        .iter()
        .filter_map(|name| std::env::var(name).ok());
    let proxies = proxies.chain(proxy.map(|proxy| proxy.expose().to_owned()));
    let urls = proxies.filter_map(|proxy| {
        // The scheme is optional.
        let scheme = if proxy.contains("://") { "" } else { "http://" };
        Url::parse(&format!("{scheme}{proxy}")).ok()
    });
    let mut secrets = Vec::new();
    for url in urls.filter(has_login) {
        // A token may be used as the name.
        secrets.push(percent_decoded(url.password().unwrap_or(url.username())));
        // reqwest moves the login of a URL to a header.
        if let Ok(request) = http.get(url).build() {
            let headers = request.headers().iter();
            secrets.extend(headers.map(|(name, value)| Secret::new(credential_in(name, value))));
        }
    }
    secrets
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn trust_also(builder: reqwest::ClientBuilder, pem: &[u8]) -> Result<reqwest::ClientBuilder> {
    let refused = || Error::configuration("the root certificate is not valid PEM");
    let certificates =
        reqwest::Certificate::from_pem_bundle(pem).map_err(|error| refused().with_source(error))?;
    if certificates.is_empty() {
        return Err(refused());
    }
    Ok(builder.tls_certs_merge(certificates))
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn trust_also(_: reqwest::ClientBuilder, _: &[u8]) -> Result<reqwest::ClientBuilder> {
    Err(Error::configuration(
        "a root certificate needs one of the features `rustls` and `native-tls`",
    ))
}

/// Checks a base URL, and removes trailing slashes.
pub(crate) fn check_base_url(text: &str, plain_http: bool) -> Result<String> {
    let shown = crate::secret::redacted_url(text);
    let refused = |reason: &str| Error::configuration(format!("the base URL {shown:?} {reason}"));
    let url =
        Url::parse(text.trim()).map_err(|error| refused("is not a URL").with_source(error))?;
    let host = url.host_str().unwrap_or_default();
    let is_https = url.scheme() == "https";
    let problem = if !is_https && url.scheme() != "http" {
        "is neither http nor https"
    } else if is_https && !cfg!(any(feature = "rustls", feature = "native-tls")) {
        "needs one of the features `rustls` and `native-tls`"
    } else if !is_https && !plain_http && !is_loopback(host) {
        "is plain http to a remote host, which sends the token unencrypted: use https or allow_plain_http()"
    } else if has_login(&url) {
        "contains credentials: use token()"
    } else if url.query().is_some() || url.fragment().is_some() {
        "has a query or a fragment"
    } else {
        return Ok(url.as_str().trim_end_matches('/').to_owned());
    };
    Err(refused(problem))
}

pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn base_urls_are_checked() {
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
            ("https://u:hush@a", "contains credentials"),
            ("https://a?x=1", "query"),
            ("https://a#x", "fragment"),
            ("//u:hush@a", "not a URL"),
            ("u:hush@a", "neither"),
            ("u:/hush@a", "neither"),
            ("https://a#hush", "fragment"),
            (" HTTPS://u:hush@a\t", "contains credentials"),
            ("https:u:hush@a", "contains credentials"),
            ("https//u:hush@a", "not a URL"),
            ("https://u:hush@", "not a URL"),
            ("\u{a0}https://a?hush", "query"),
        ] {
            let error = check_base_url(text, false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(part), "{text}: {error}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

    #[test]
    fn invalid_options_are_refused_and_not_shown() {
        // Also installs the crypto provider that reqwest needs.
        let custom = Connections::default().client("https://a.example", false);
        for (connections, part) in [
            (
                Connections {
                    proxy: Some("http://u:hush@ :x".into()),
                    ..Connections::default()
                },
                "the proxy is not a valid URL",
            ),
            (
                Connections {
                    roots: vec![b"hush".to_vec()],
                    ..Connections::default()
                },
                "root certificate",
            ),
            (
                Connections {
                    custom: Some(custom.unwrap()),
                    no_proxy: true,
                    ..Connections::default()
                },
                "on your reqwest client",
            ),
        ] {
            let error = connections.client("https://a.example", false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(part), "{error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
