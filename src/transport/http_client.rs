//! Connections: where they may lead, TLS, proxies.

use super::limits::CONNECT;
use crate::error::{Error, Result};
use crate::secret::Secret;
use reqwest::Url;
use std::net::IpAddr;
use std::time::Duration;

/// What a builder was told about connections.
#[derive(Default)]
pub(crate) struct Connections {
    pub connect_timeout: Option<Duration>,
    pub proxy: Option<Secret>,
    pub no_proxy: bool,
    /// PEM.
    pub roots: Vec<Vec<u8>>,
    pub own: Option<reqwest::Client>,
}

impl Connections {
    pub fn client(self, base_url: &str, plain_http: bool) -> Result<reqwest::Client> {
        if self.proxy.is_some() && self.no_proxy {
            return Err(Error::configuration("there is a proxy, and no_proxy()"));
        }
        if self.proxy.is_some() && base_url.starts_with("http:") && !plain_http {
            return Err(Error::configuration(
                "plain http leaves this machine by a proxy, which shows the token to everybody in between; use https, or allow_plain_http()",
            ));
        }
        let is_set = self.connect_timeout.is_some()
            || self.proxy.is_some()
            || self.no_proxy
            || !self.roots.is_empty();
        match self.own {
            Some(_) if is_set => Err(Error::configuration(
                "time to connect, proxy and certificates are set on the reqwest client that was given",
            )),
            Some(own) => Ok(own),
            None => self.careful_client(base_url),
        }
    }

    fn careful_client(self, base_url: &str) -> Result<reqwest::Client> {
        #[cfg(feature = "rustls")]
        {
            // The process may have chosen a provider already; then that one stands.
            if rustls::crypto::CryptoProvider::get_default().is_none() {
                let _ = rustls::crypto::ring::default_provider().install_default();
            }
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout.unwrap_or(CONNECT))
            // A redirect could carry a token to another host, or turn a POST into a GET.
            .redirect(reqwest::redirect::Policy::none())
            // What is sent again, and what is counted as an attempt, is decided here and nowhere below.
            .retry(reqwest::retry::never())
            // Another crate may have switched these on in reqwest, and what is unpacked is not bounded.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd();
        // Another crate may have switched the other one on in reqwest, which then takes what it likes: rustls perhaps
        // without a provider it could use, or the system's library, whose errors cannot be told apart.
        #[cfg(feature = "rustls")]
        {
            builder = builder.tls_backend_rustls();
        }
        #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
        {
            builder = builder.tls_backend_native();
        }
        for pem in &self.roots {
            builder = trust(builder, pem)?;
        }
        let host = Url::parse(base_url).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        if let Some(proxy) = &self.proxy {
            // The words of the error may repeat the URL.
            let proxy = reqwest::Proxy::all(proxy.expose())
                .map_err(|_| Error::configuration("the proxy is not a URL"))?;
            builder = builder.proxy(proxy);
        } else if self.no_proxy || is_loopback(host) {
            // Plain http is fine to this machine because it does not leave it: by a proxy it would.
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| {
            Error::configuration("the HTTP client cannot be set up")
                .with_source(error.without_url())
        })
    }
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn trust(builder: reqwest::ClientBuilder, pem: &[u8]) -> Result<reqwest::ClientBuilder> {
    let refused = || Error::configuration("the root certificate is not a PEM certificate");
    let certificates =
        reqwest::Certificate::from_pem_bundle(pem).map_err(|error| refused().with_source(error))?;
    if certificates.is_empty() {
        return Err(refused());
    }
    Ok(builder.tls_certs_merge(certificates))
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn trust(_: reqwest::ClientBuilder, _: &[u8]) -> Result<reqwest::ClientBuilder> {
    Err(Error::configuration(
        "a root certificate needs one of the features `rustls` and `native-tls`",
    ))
}

pub(crate) fn check_base_url(text: &str, plain_http: bool) -> Result<String> {
    let shown = crate::secret::redacted_url(text);
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
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("carries credentials; use token()"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("has a query or a fragment"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
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
    fn unusable_options_are_refused_without_being_shown() {
        // It installs the crypto provider that reqwest needs.
        let own = Connections::default().client("https://a.example", false);
        for (connections, part) in [
            (
                Connections {
                    proxy: Some("http://u:hush@ :x".into()),
                    ..Connections::default()
                },
                "the proxy is not a URL",
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
                    own: Some(own.unwrap()),
                    no_proxy: true,
                    ..Connections::default()
                },
                "are set on the reqwest client",
            ),
        ] {
            let error = connections.client("https://a.example", false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(part), "{error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
