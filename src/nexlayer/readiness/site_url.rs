//! Validation of a site's URL before it is requested.
//!
//! The URL comes from the platform and is not trusted: it must not point to this machine or to a
//! private network.

use reqwest::Url;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// Shorter session tokens may occur in URLs by chance.
const MIN_TOKEN_LENGTH: usize = 4;

/// The URL of a site, without query and fragment.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::nexlayer) struct SiteUrl(Url);

impl SiteUrl {
    /// Parses and checks a URL. `platform` is the base URL of the client.
    ///
    /// The error text is the end of a sentence: `the URL of the site is not a URL`.
    pub fn parse(text: &str, platform: &str, token: &str) -> Result<Self, &'static str> {
        let Ok(mut url) = Url::parse(text.trim()) else {
            return Err("is not a URL");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err("is neither http nor https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("contains credentials");
        }
        url.set_query(None);
        url.set_fragment(None);
        if token.len() >= MIN_TOKEN_LENGTH && url.as_str().contains(token) {
            return Err("contains the session token");
        }
        let platform = Url::parse(platform).ok();
        if is_internal(&url) && !platform.is_some_and(|platform| is_internal(&platform)) {
            return Err("points to this machine or a private network");
        }
        Ok(Self(url))
    }

    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SiteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteUrl({})", self.0.origin().ascii_serialization())
    }
}

/// Whether a host is internal by its name or IP address. Names are not resolved.
fn is_internal(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse() {
        Ok(IpAddr::V4(ip)) => is_internal_v4(ip),
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => is_internal_v4(ip),
            None => {
                ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_unique_local()
                    || ip.is_unicast_link_local()
            }
        },
        Err(_) => {
            let name = host.to_ascii_lowercase();
            !name.contains('.')
                || [".localhost", ".local", ".internal"]
                    .iter()
                    .any(|end| name.ends_with(end))
        }
    }
}

fn is_internal_v4(ip: Ipv4Addr) -> bool {
    // 100.64.0.0/10: carrier-grade NAT (RFC 6598).
    let [a, b, ..] = ip.octets();
    ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || a == 100 && (64..128).contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATFORM: &str = "https://app.nexlayer.io";

    #[test]
    fn public_urls_are_accepted() {
        for (text, expected) in [
            (
                "https://jolly-tapir-a.alpha.nexlayer.ai",
                "https://jolly-tapir-a.alpha.nexlayer.ai/",
            ),
            ("http://a.example:8080/x", "http://a.example:8080/x"),
            (" https://a.example/x?t=hush#f ", "https://a.example/x"),
            ("https://8.8.8.8", "https://8.8.8.8/"),
        ] {
            let site = SiteUrl::parse(text, PLATFORM, "dCf0NdAQ64j6").unwrap();
            assert_eq!(site.as_url().as_str(), expected);
        }
        let site = SiteUrl::parse("https://a.example/hush", PLATFORM, "").unwrap();
        assert_eq!(format!("{site:?}"), "SiteUrl(https://a.example)");
    }

    #[test]
    fn unsafe_urls_are_rejected() {
        for (text, problem) in [
            ("", "not a URL"),
            ("a.example", "not a URL"),
            ("ftp://a.example", "neither"),
            ("file:///etc/passwd", "neither"),
            ("javascript:x", "neither"),
            ("https://u@a.example", "credentials"),
            ("https://u:p@a.example", "credentials"),
            ("https://a.example/dCf0NdAQ64j6/x", "session token"),
        ] {
            let error = SiteUrl::parse(text, PLATFORM, "dCf0NdAQ64j6").unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn url_in_a_private_network_is_rejected_for_a_public_platform() {
        for host in [
            "127.0.0.1:8080",
            "0x7f.1",
            "localhost",
            "LOCALHOST.",
            "router",
            "a.localhost",
            "db.internal",
            "printer.local",
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:127.0.0.1]",
        ] {
            let text = format!("http://{host}/");
            let error = SiteUrl::parse(&text, PLATFORM, "").unwrap_err();
            assert!(error.contains("private network"), "{text}: {error}");
            // The sites of a local platform may be local.
            for platform in ["http://127.0.0.1:7878", "http://localhost"] {
                assert!(SiteUrl::parse(&text, platform, "").is_ok(), "{text}");
            }
        }
    }
}
