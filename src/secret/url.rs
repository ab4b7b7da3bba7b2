//! What of an address may be shown.
//!
//! The rules are for text of all kinds, as people write it; a reader of URLs has the last word, as it
//! may see a login or a query where no rule does.

use super::REDACTED;
use std::ops::Range;

/// Schemes of which a URL may have any number of slashes, of either kind, or none.
const WEB: [&str; 5] = ["http", "https", "ws", "wss", "ftp"];
/// What is skipped wherever it stands in a URL.
const SKIPPED: [char; 3] = ['\t', '\n', '\r'];

/// A URL without userinfo, and without the values in its query.
pub(crate) fn masked_url(text: &str) -> String {
    by_reader(text).unwrap_or_else(|| by_rules(text))
}

/// As a reader of URLs takes it, if it sees a login or a query. Rules for text of all kinds could take
/// a part of it for an address of its own, and show the rest.
fn by_reader(text: &str) -> Option<String> {
    let url = read(text)?;
    let login = has_login(&url);
    if !login && !has_query(text, &url) {
        return None;
    }
    let mut shown = format!("{}:", url.scheme());
    if let Some(host) = url.host_str() {
        shown.push_str("//");
        match url.username() {
            _ if login => shown.push_str(&format!("{REDACTED}@")),
            "" => {}
            name => shown.push_str(&format!("{name}@")),
        }
        shown.push_str(host);
        shown.extend(url.port().map(|port| format!(":{port}")));
    }
    shown.push_str(url.path());
    let mut shown = by_rules(&shown);
    if let Some(query) = url.query() {
        shown.push('?');
        shown.push_str(&masked_query(query));
    }
    // Some carry a token here as others do in their query.
    shown.push_str(url.fragment().map_or("", |_| "#<redacted>"));
    Some(shown)
}

fn read(text: &str) -> Option<reqwest::Url> {
    text.contains(':')
        .then(|| reqwest::Url::parse(text.trim()).ok())?
}

/// Whether somebody logs in. A name alone is no secret for ssh, where it is that of the service.
fn has_login(url: &reqwest::Url) -> bool {
    let name = !url.username().is_empty() && url.scheme() != "ssh";
    name || url.password().is_some()
}

/// What has neither a host nor a slash may be prose with a question in it.
fn has_query(text: &str, url: &reqwest::Url) -> bool {
    url.query().is_some() && (url.has_host() || text.contains(":/"))
}

/// Shorter, it stands elsewhere by chance.
const SHORTEST_SECRET: usize = 6;

/// Who logs in and what stands in the query, as a reader of URLs sees it; as written and resolved.
pub(crate) fn secrets_of(text: &str) -> Vec<String> {
    let Some(url) = read(text) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if has_login(&url) {
        found.push(url.username());
        found.extend(url.password());
    }
    if has_query(text, &url) {
        let pairs = url.query().into_iter().flat_map(|query| query.split('&'));
        found.extend(pairs.filter_map(|pair| Some(pair.split_once('=')?.1)));
    }
    let resolved: Vec<_> = found.iter().filter_map(|secret| resolved(secret)).collect();
    let mut found: Vec<_> = found.into_iter().map(str::to_owned).collect();
    found.extend(resolved);
    found.retain(|secret| secret.len() >= SHORTEST_SECRET);
    found
}

/// A part of a URL with its `%` escapes resolved, if it has any.
pub(crate) fn resolved(part: &str) -> Option<String> {
    let name = part.replace('+', "%2B").replace(['&', '='], "%26");
    let url = reqwest::Url::parse(&format!("http://x/?{name}")).ok()?;
    let (name, _) = url.query_pairs().next()?;
    (name != part).then(|| name.into_owned())
}

fn by_rules(text: &str) -> String {
    let users = userinfo(text);
    if let Some(user) = users
        .iter()
        .find(|user| text[(*user).clone()].contains('?'))
    {
        // Whether a password ends here or a query begins before, nobody can tell.
        return format!("{}{REDACTED}@{REDACTED}", &text[..user.start]);
    }
    let shown = without_userinfo(text);
    // One slash is a slip that a query behind it does not get harmless by, and what has somebody who
    // logs in is an address, however it begins.
    let is_url = text.contains(":/") || web_authority(text).is_some() || shown != text;
    let text = shown;
    let Some((start, query)) = text.split_once('?').filter(|_| is_url) else {
        return text;
    };
    let (query, fragment) = match query.split_once('#') {
        Some((query, fragment)) => (query, format!("#{fragment}")),
        None => (query, String::new()),
    };
    format!("{start}?{}{fragment}", masked_query(query))
}

/// The names in a query. One that is none may be all sorts of things.
fn masked_query(query: &str) -> String {
    let is_name = |name: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.~[]%".contains(c);
        name.chars().all(fits)
    };
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_name(name) => format!("{name}={REDACTED}"),
            _ => REDACTED.to_owned(),
        })
        .collect();
    pairs.join("&")
}

/// Replaces `user:password@` in front of a host.
pub(crate) fn without_userinfo(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for user in userinfo(text) {
        shown.push_str(&text[end..user.start]);
        shown.push_str(REDACTED);
        end = user.end;
    }
    shown.push_str(&text[end..]);
    shown
}

/// Where the userinfo stands in the URLs of a text.
pub(crate) fn userinfo(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    if let Some(start) = web_authority(text) {
        from = start;
        found.extend(user_in(text, start, &['/', '?', '#', '\\']));
    } else if !text.contains("://") {
        return without_scheme(text).into_iter().collect();
    }
    while let Some(at) = text[from..].find("://") {
        let start = from + at + 3;
        from = start;
        let user = user_in(text, start, &['/', '?', '#']);
        // `git@host` over ssh names a login, not a secret.
        let before = text[..start - 3].strip_suffix("ssh");
        let ssh = before.is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric()));
        found.extend(user.filter(|user| !ssh || text[user.clone()].contains(':')));
    }
    found.sort_by_key(|user| user.start);
    found.dedup_by(|later, earlier| later.start < earlier.end);
    found
}

/// What stands before the last `@` of the authority that begins here.
fn user_in(text: &str, start: usize, ends: &[char]) -> Option<Range<usize>> {
    let rest = &text[start..];
    let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let user = authority.rfind('@').filter(|length| *length > 0)?;
    Some(start..start + user)
}

/// Where the authority begins of a text that is an address of the web, however it is written.
fn web_authority(text: &str) -> Option<usize> {
    let (scheme, rest) = text.split_once(':')?;
    let scheme: String = scheme.chars().filter(|c| !SKIPPED.contains(c)).collect();
    // A reader of URLs skips these in front.
    let scheme = scheme.trim_start_matches(|c: char| c.is_control() || c.is_whitespace());
    let is_web = WEB.contains(&scheme.to_ascii_lowercase().as_str());
    let slash = |c: char| matches!(c, '/' | '\\') || SKIPPED.contains(&c);
    is_web.then(|| text.len() - rest.trim_start_matches(slash).len())
}

/// `user:password@host/path`, as some write it.
fn without_scheme(text: &str) -> Option<Range<usize>> {
    let (user, rest) = text.split_once('@')?;
    let is_login = user.contains(':') && !user.contains('/') && !user.contains(char::is_whitespace);
    // The digest of an image stands behind an `@` as well.
    (is_login && !rest.starts_with("sha256:")).then_some(0..user.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_hidden_however_the_address_begins() {
        for (url, shown) in [
            (
                "\u{1}https:\\\\\u{7}@a/x?y=hush",
                "https://<redacted>@a/x?y=<redacted>",
            ),
            (
                "u:hush@a.example/x?y=hush",
                "<redacted>@a.example/x?y=<redacted>",
            ),
            ("x:y?z=@hush:/?y=hush", "x:y?z=<redacted>"),
            (
                "https:a?u:hush@b.example/x://y=@hush",
                "https://a/?<redacted>",
            ),
            ("https://a/?k#t=hush", "https://a/?<redacted>#<redacted>"),
        ] {
            assert_eq!(masked_url(url), shown);
        }
    }

    #[test]
    fn userinfo_is_cut_out() {
        for (url, shown) in [
            ("https://git.example/a", "https://git.example/a"),
            (
                "https://u:p@git.example/a",
                "https://<redacted>@git.example/a",
            ),
            ("https://tok@git.example", "https://<redacted>@git.example"),
            ("https://git.example/a@b", "https://git.example/a@b"),
            ("ssh://git@git.example/a", "ssh://git@git.example/a"),
            ("git@git.example:a.git", "git@git.example:a.git"),
            ("xssh://hush@git.example", "xssh://<redacted>@git.example"),
            ("u:hush@git.example/a.git", "<redacted>@git.example/a.git"),
            ("node:20@sha256:0123", "node:20@sha256:0123"),
            ("https:/u:hush@a.example", "https:/<redacted>@a.example"),
            (
                "HTTPS:///hush@a.example/b@c",
                "HTTPS:///<redacted>@a.example/b@c",
            ),
            (
                "https:\\\\hush@a.example\\b@c",
                "https:\\\\<redacted>@a.example\\b@c",
            ),
            (" ht\ntps:u:hush@a.example", " ht\ntps:<redacted>@a.example"),
            ("postgres://u:hu\\sh@db/x", "postgres://<redacted>@db/x"),
            (
                "curl https://a.example && git clone https://u:hush@b.example/c",
                "curl https://a.example && git clone https://<redacted>@b.example/c",
            ),
            (
                "https://a.example/?to=http://hush@b",
                "https://a.example/?to=http://<redacted>@b",
            ),
            (
                "r.example:5000/a@sha256:0123",
                "r.example:5000/a@sha256:0123",
            ),
        ] {
            assert_eq!(without_userinfo(url), shown);
        }
    }

    #[test]
    fn what_a_reader_of_urls_sees_is_hidden_where_no_rule_sees_it() {
        for url in [
            "postgres:/\t/u:hush-hush@db/x",
            "app:/\n/a.example/x?key=hush-hush",
        ] {
            assert!(secrets_of(url).contains(&"hush-hush".to_owned()), "{url:?}");
            assert!(!masked_url(url).contains("hush-hush"), "{url:?}");
        }
    }
}
