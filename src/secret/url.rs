//! Redacts URLs that may hold a secret: user info, query and fragment are hidden.

use super::{REDACTED, Secret};
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// A URL without user info, query and fragment. Text that is not a URL is hidden as a whole.
pub(crate) fn redacted_url(text: &str) -> String {
    let Some(url) = parse(text) else {
        return REDACTED.to_owned();
    };
    if !has_login(&url) && url.query().is_none() && url.fragment().is_none() {
        return text.to_owned();
    }
    let mut shown = format!("{}://", url.scheme());
    if has_login(&url) {
        shown.push_str(&format!("{REDACTED}@"));
    }
    shown.push_str(url.host_str().unwrap_or_default());
    shown.extend(url.port().map(|port| format!(":{port}")));
    shown.push_str(url.path());
    if url.query().is_some() {
        shown.push_str(&format!("?{REDACTED}"));
    }
    if url.fragment().is_some() {
        shown.push_str(&format!("#{REDACTED}"));
    }
    shown
}

/// The values that [`redacted_url`] hides, each as a server may repeat it: decoded.
pub(crate) fn secrets_of_url(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    let Some(url) = parse(text) else {
        // `user:password@host:path`, as git writes it.
        let login = text.rsplit_once('@').map_or("", |(login, _)| login);
        found.extend(login.split([':', '/']).map(Secret::new));
        found.push(Secret::new(text));
        return found;
    };
    let login = [url.username(), url.password().unwrap_or_default()];
    found.extend(login.into_iter().map(percent_decoded));
    found.extend(url.fragment().map(percent_decoded));
    let query = url.query().unwrap_or_default();
    found.push(Secret::new(query));
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        // `?token` is a secret without a name.
        let secret = if value.is_empty() { name } else { value };
        found.push(Secret::new(secret));
    }
    found
}

fn percent_decoded(text: &str) -> Secret {
    Secret::new(percent_decode_str(text).decode_utf8_lossy())
}

/// A URL with a host or an absolute path. `user:password@host` parses as one that has neither.
fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (!url.cannot_be_a_base()).then_some(url)
}

fn has_login(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_info_query_and_fragment_are_hidden() {
        for (url, shown, secret) in [
            ("https://git.example/a@b", "https://git.example/a@b", ""),
            (
                "https://u:hu%2Fsh@a.example:8443/b",
                "https://<redacted>@a.example:8443/b",
                "hu/sh",
            ),
            (
                "https://hush@a.example",
                "https://<redacted>@a.example/",
                "hush",
            ),
            (
                "ssh://git@a.example/b",
                "ssh://<redacted>@a.example/b",
                "git",
            ),
            (
                "postgres://u:hu\\sh@db/x",
                "postgres://<redacted>@db/x",
                "hu\\sh",
            ),
            (
                "https:/u:hush@a.example",
                "https://<redacted>@a.example/",
                "hush",
            ),
            ("https://a/?k=hu%20sh", "https://a/?<redacted>", "hu sh"),
            ("https://a/?hush", "https://a/?<redacted>", "hush"),
            ("https://a/x#hush", "https://a/x#<redacted>", "hush"),
            // Text that is not a URL is hidden as a whole.
            ("git@git.example:a.git", REDACTED, "git@git.example:a.git"),
            ("u:hush@git.example/a.git", REDACTED, "hush"),
            ("hush", REDACTED, "hush"),
        ] {
            assert_eq!(redacted_url(url), shown);
            let found = secrets_of_url(url);
            assert!(found.contains(&Secret::new(secret)), "{url}: no {secret}");
        }
    }
}
