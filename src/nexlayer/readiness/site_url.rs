//! Addresses of sites that may be asked.
//!
//! The platform supplies them, so they are not trusted: they must not lead to a machine that only this
//! one can reach.

use reqwest::Url;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// Shorter tokens occur in addresses by chance.
const SHORTEST_TOKEN: usize = 4;

/// The address of a site, without query and fragment.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::nexlayer) struct SiteUrl(Url);

impl SiteUrl {
    /// Reads an address for a client of the platform at `platform`, or says what is wrong with it.
    pub fn read(text: &str, platform: &str, token: &str) -> Result<Self, &'static str> {
        let Ok(mut url) = Url::parse(text.trim()) else {
            return Err("is not a URL");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err("is neither http nor https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("carries credentials");
        }
        url.set_query(None);
        url.set_fragment(None);
        if token.len() >= SHORTEST_TOKEN && url.as_str().contains(token) {
            return Err("holds the session token");
        }
        let platform = Url::parse(platform).ok();
        if is_internal(&url) && !platform.is_some_and(|platform| is_internal(&platform)) {
            return Err("is one of this machine or of a private network");
        }
        Ok(Self(url))
    }

    pub fn url(&self) -> &Url {
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
    // 100.64.0.0/10 is shared by the customers of one provider.
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
    fn public_addresses_are_accepted() {
        for (text, asked) in [
            (
                "https://jolly-tapir-a.alpha.nexlayer.ai",
                "https://jolly-tapir-a.alpha.nexlayer.ai/",
            ),
            ("http://a.example:8080/x", "http://a.example:8080/x"),
            (" https://a.example/x?t=hush#f ", "https://a.example/x"),
            ("https://8.8.8.8", "https://8.8.8.8/"),
        ] {
            let site = SiteUrl::read(text, PLATFORM, "dCf0NdAQ64j6").unwrap();
            assert_eq!(site.url().as_str(), asked);
        }
        let site = SiteUrl::read("https://a.example/hush", PLATFORM, "").unwrap();
        assert_eq!(format!("{site:?}"), "SiteUrl(https://a.example)");
    }

    #[test]
    fn unsafe_addresses_are_refused() {
        for (text, why) in [
            ("", "not a URL"),
            ("a.example", "not a URL"),
            ("ftp://a.example", "neither"),
            ("file:///etc/passwd", "neither"),
            ("javascript:x", "neither"),
            ("https://u@a.example", "credentials"),
            ("https://u:p@a.example", "credentials"),
            ("https://a.example/dCf0NdAQ64j6/x", "session token"),
        ] {
            let error = SiteUrl::read(text, PLATFORM, "dCf0NdAQ64j6").unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn public_platform_cannot_point_to_internal_addresses() {
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
            let error = SiteUrl::read(&text, PLATFORM, "").unwrap_err();
            assert!(error.contains("private network"), "{text}: {error}");
            // A local platform may have local sites.
            for platform in ["http://127.0.0.1:7878", "http://localhost"] {
                assert!(SiteUrl::read(&text, platform, "").is_ok(), "{text}");
            }
        }
    }
}
