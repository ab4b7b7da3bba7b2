//! Properties of caller input: ids, URLs, headers, queries, paths, tokens, bodies.

use super::platforms::{self, UNUSED_URL, secrets_of};
use super::{
    NUMBER, QUERY, TOKEN, USER, VALUE, assert_redacted, assert_sound, block_on, text, with_canaries,
};
use deploykit::http::Method;
use deploykit::secret::{CallbackUrl, GitUrl};
use deploykit::testing::CannedReply;
use deploykit::{
    Call, Error, ErrorKind, Result, Secret,
    operation::Operation,
    preview::{PreviewBody, RequestPreview},
};
use deploykit::{dployr, edgegap, nodion};
use serde_json::Value;
use url::{Url, form_urlencoded};

const REDACTED: &str = "<redacted>";
/// Characters that URL parsers skip.
const SKIPPED: [char; 3] = ['\t', '\n', '\r'];

/// The first byte selects the kind of input; for an id, the second byte selects the operation.
pub fn check(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    match choice % 8 {
        0 => {
            let Some((operation, id)) = rest.split_first() else {
                return;
            };
            check_id_in_path(platforms::operation(*operation), &text(id));
        }
        1 => check_base_url(&text(&with_canaries(rest))),
        2 => {
            let (name, value) = name_and_value(rest);
            check_header(&name, &value);
        }
        3 => {
            let (name, value) = name_and_value(rest);
            check_query(&name, &value);
        }
        4 => check_url(&text(&with_canaries(rest))),
        5 => check_raw_path(&text(rest)),
        6 => check_token(&text(&with_canaries(rest))),
        _ => check_raw_body(rest),
    }
}

/// Splits the input at the first line break into a name and a value.
fn name_and_value(data: &[u8]) -> (String, String) {
    let text = text(data);
    let (name, value) = text.split_once('\n').unwrap_or((&text, ""));
    (
        name.to_owned(),
        self::text(&with_canaries(value.as_bytes())),
    )
}

/// Asserts the properties of an error for invalid input.
pub(super) fn assert_refused(error: &Error) {
    assert_sound(error);
    let kinds = [ErrorKind::InvalidRequest, ErrorKind::Configuration];
    assert!(kinds.contains(&error.kind()), "{error}");
    assert_eq!((error.attempts(), error.status()), (0, None), "{error}");
}

/// Splits a shell command line, which may contain single quotes, into words.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => quoted = !quoted,
            '\\' if !quoted => word.extend(chars.next()),
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    assert!(!quoted, "unclosed quote in {line}");
    words.push(word);
    words
}

/// Asserts the properties of the preview of a request with these secrets.
pub fn assert_preview(preview: &RequestPreview, secrets: &[&str]) {
    let curl = preview.to_curl();
    for shown in [preview.to_string(), curl.clone(), format!("{preview:?}")] {
        for secret in secrets {
            assert!(!shown.contains(secret), "{secret:?} is in {shown}");
        }
    }
    let path = &preview.path;
    let from_root = path.starts_with('/') || path.is_empty();
    let plain = path.is_ascii() && !path.contains(['?', '#', '\\', ' ']);
    let has_dot_segment = path
        .split('/')
        .any(|segment| [".", ".."].contains(&segment));
    assert!(from_root && plain && !has_dot_segment, "{path:?}");
    let words = shell_words(&curl);
    // `curl -X <method> <url>`, then an option and a value for each header and for the body.
    let options = 2 * preview.headers.len() + 2 * usize::from(preview.body != PreviewBody::None);
    assert_eq!(words.len(), 4 + options, "{curl}");
    let url = format!("{}{path}", preview.base_url);
    assert!(words[3].starts_with(&url), "{curl}");
}

pub fn check_id_in_path(operation: &'static Operation, id: &str) {
    // The platform provides the whole URL.
    if operation.id == "stop_own_deployment" {
        return;
    }
    // Ids are not redacted, even if the caller uses a secret as an id.
    let secrets = secrets_of(operation);
    if secrets.iter().any(|secret| id.contains(secret)) {
        return;
    }
    let preview = match platforms::with(|platforms| platforms.preview(operation, id)) {
        Ok(preview) => preview,
        Err(error) => return assert_refused(&error),
    };
    assert_preview(&preview, secrets);
    let path = &preview.path;
    let slashes = |text: &str| text.matches('/').count();
    assert_eq!(
        slashes(path),
        slashes(operation.path),
        "{id:?} gives the path {path}"
    );
    for (segment, part) in path.split('/').zip(operation.path.split('/')) {
        match part.starts_with('{') {
            true => assert_eq!(decoded(segment), id, "{path}"),
            false => assert_eq!(segment, part, "{id:?} gives the path {path}"),
        }
    }
}

fn decoded(segment: &str) -> String {
    // Form decoding reads `+` as a space and `&` as a separator.
    let value = segment.replace('+', "%2B").replace('&', "%26");
    let pair = format!("x={value}");
    let (_, decoded) = form_urlencoded::parse(pair.as_bytes()).next().unwrap();
    decoded.into_owned()
}

/// The canaries in secret parts of a URL.
fn secrets_in(url: &str) -> Vec<&'static str> {
    let words = [USER, QUERY].into_iter();
    words.filter(|words| is_secret_in(url, words)).collect()
}

/// Whether a text occurs exactly once in a URL, and in its user info or query.
fn is_secret_in(url: &str, words: &str) -> bool {
    let Ok(parsed) = Url::parse(url.trim()) else {
        return false;
    };
    // `git` in `ssh://git@host` is not a secret.
    let login = parsed.scheme() != "ssh" || parsed.password().is_some();
    let in_userinfo = login && parsed.username().contains(words)
        || parsed
            .password()
            .is_some_and(|password| password.contains(words));
    // `Url` also parses texts such as `a:b?c`, which are not URLs for the client.
    let in_query = (parsed.has_host() || url.contains(":/"))
        && parsed.query_pairs().any(|(_, value)| value.contains(words));
    // A second occurrence may be in a public part, which is not redacted.
    let read = url.replace(SKIPPED, "").to_ascii_lowercase();
    read.matches(&words.to_ascii_lowercase()).count() == 1 && (in_userinfo || in_query)
}

pub fn check_base_url(url: &str) {
    let secrets = secrets_in(url);
    let builder = nodion::Client::builder()
        .base_url(url)
        .token(TOKEN)
        .allow_plain_http();
    let debug = format!("{builder:?}");
    for secret in &secrets {
        assert!(!debug.contains(secret), "{debug}");
    }
    let client = match builder.build() {
        Ok(client) => client,
        Err(error) => {
            assert_refused(&error);
            return assert_redacted(&error, &secrets);
        }
    };
    let kept = Url::parse(client.base_url()).unwrap();
    let http = matches!(kept.scheme(), "http" | "https") && kept.has_host();
    let login = !kept.username().is_empty() || kept.password().is_some();
    let has_suffix = kept.query().is_some() || kept.fragment().is_some();
    assert!(http && !login && !has_suffix, "{kept}");
    let preview = client
        .application("a")
        .deployments()
        .list()
        .preview()
        .unwrap();
    assert_eq!(preview.path, "/v1/applications/a/deployments", "{kept}");
    assert_eq!(preview.base_url, client.base_url());
    // Paths are not redacted, even if they contain the token.
    assert_preview(
        &preview,
        if contains_as_parsed(url, TOKEN) {
            &[]
        } else {
            &[TOKEN]
        },
    );
    // Plain http is allowed only for loopback by default.
    let strict = nodion::Client::builder().base_url(url).token(TOKEN).build();
    let safe = kept.scheme() == "https" || is_loopback(&kept);
    assert_eq!(strict.is_ok(), safe, "{kept}");
    if let Err(error) = strict {
        assert_refused(&error);
    }
}

/// Whether a text contains `words` after removal of the characters that URL parsers skip.
fn contains_as_parsed(text: &str, words: &str) -> bool {
    text.replace(SKIPPED, "").contains(words)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The error of a call to which the platform responds with a 400 that repeats `words`.
fn error_that_repeats<T: Send + 'static>(
    words: &str,
    call: impl FnOnce(&dployr::Client) -> Call<T>,
) -> Error {
    let body =
        serde_json::json!({ "error": { "message": words, "details": [words, { words: 1 }] } });
    platforms::with(|platforms| {
        platforms.answer(CannedReply::json(400, body.to_string()));
        match block_on(call(&platforms.dployr).into_future()) {
            Err(error) => error,
            Ok(_) => panic!("a 400 response was decoded as a success"),
        }
    })
}

pub fn check_header(name: &str, value: &str) {
    let call = |client: &dployr::Client| client.services().list().header(name, value);
    let preview = match platforms::with(|platforms| call(&platforms.dployr).preview()) {
        Ok(preview) => preview,
        Err(error) => {
            assert_refused(&error);
            let name_has_canary = name.contains("canary");
            return assert_redacted(&error, if name_has_canary { &[] } else { &[QUERY] });
        }
    };
    let name = name.to_ascii_lowercase();
    let reserved = ["authorization", "cookie", "host", "content-length"];
    assert!(!reserved.contains(&name.as_str()) && name != "transfer-encoding");
    // Header names are not redacted.
    let name_has_canary = name.contains("canary");
    let secrets = if name_has_canary {
        &[][..]
    } else {
        &[TOKEN, QUERY]
    };
    assert_preview(&preview, secrets);
    let redacted_pair = (name, REDACTED.to_owned());
    let is_omitted = ["accept", "user-agent"].contains(&redacted_pair.0.as_str());
    assert!(
        is_omitted || preview.headers.contains(&redacted_pair),
        "{preview}"
    );
    if value.trim().len() >= 4 && value.contains(QUERY) {
        let error = error_that_repeats(value.trim(), call);
        assert_sound(&error);
        assert_redacted(&error, &[QUERY]);
    }
}

pub fn check_query(name: &str, value: &str) {
    let call = |client: &dployr::Client| client.services().list().query(name, value);
    let preview = match platforms::with(|platforms| call(&platforms.dployr).preview()) {
        Ok(preview) => preview,
        Err(error) => return assert_refused(&error),
    };
    assert!(!name.is_empty());
    let redacted_pair = (name.to_owned(), REDACTED.to_owned());
    assert!(preview.query.contains(&redacted_pair), "{preview}");
    let secrets: &[&str] = match name.contains("canary") {
        true => &[],
        false => &[TOKEN, QUERY, VALUE],
    };
    assert_preview(&preview, secrets);
    if value.contains(QUERY) {
        let error = error_that_repeats(value, call);
        assert_sound(&error);
        assert_redacted(&error, &[QUERY]);
    }
    let refused = platforms::with(|platforms| {
        let session = platforms.nexlayer.session("a-session");
        session.reservations().list().query(name, value).preview()
    });
    assert_eq!(refused.is_err(), name == "sessionToken", "{name:?}");
}

pub fn check_url(url: &str) {
    let secrets = secrets_in(url);
    let git = GitUrl::from(url.to_owned());
    let callback = CallbackUrl::from(url.to_owned());
    assert_eq!((git.expose(), callback.expose()), (url, url));
    let json = serde_json::to_string(&(&git, &callback)).unwrap();
    let new = dployr::NewDeployment::from_git("my-app", url);
    let hook = dployr::NewWebhook::new(url, ["x"]);
    let game = edgegap::NewDeployment::new("a", "1", edgegap::User::ip([1, 1, 1, 1].into()));
    let game = game.webhook_on_error(url);
    let shown = format!("{git} {git:?} {callback} {callback:?} {json} {new:?} {hook:?} {game:?}");
    for secret in &secrets {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
    let create = |client: &dployr::Client| client.deploy(new);
    let previews: [Result<RequestPreview>; 3] = platforms::with(|platforms| {
        let client = &platforms.dployr;
        [
            create.clone()(client).preview(),
            client.webhooks().create(hook).preview(),
            platforms.edgegap.deploy(game).preview(),
        ]
    });
    let sent = previews[0].is_ok();
    for preview in previews {
        match preview {
            Ok(preview) => assert_preview(&preview, &secrets),
            Err(error) => {
                assert_refused(&error);
                assert_redacted(&error, &secrets);
            }
        }
    }
    // A server may repeat the whole URL or only the secret.
    if !sent || secrets.is_empty() {
        return;
    }
    for words in [url].iter().chain(&secrets) {
        let error = error_that_repeats(words, create.clone());
        if *words == url || is_whole_component(url, words) {
            assert_redacted(&error, &secrets);
        }
    }
}

/// Whether the text is a whole user name, password or query value.
fn is_whole_component(url: &str, words: &str) -> bool {
    let Ok(parsed) = Url::parse(url.trim()) else {
        return false;
    };
    parsed.password() == Some(words)
        || parsed.username() == words && parsed.password().is_none()
        || parsed.query().is_some_and(|query| {
            let mut pairs = query.split('&');
            pairs.any(|pair| {
                pair.split_once('=')
                    .is_some_and(|(_, value)| value == words)
            })
        })
}

pub fn check_raw_path(path: &str) {
    let call = |client: &nodion::Client| client.request(Method::GET, path).preview();
    let preview = match platforms::with(|platforms| call(&platforms.nodion)) {
        Ok(preview) => preview,
        Err(error) => return assert_refused(&error),
    };
    // Paths are not redacted, even if they contain the token.
    assert_preview(
        &preview,
        if contains_as_parsed(path, TOKEN) {
            &[]
        } else {
            &[TOKEN]
        },
    );
    assert_eq!(preview.base_url, UNUSED_URL);
    let slashes = |text: &str| text.matches('/').count();
    assert_eq!(slashes(&preview.path), slashes(path), "{path:?}");
    assert!(preview.query.is_empty(), "{path:?}");
}

pub fn check_token(token: &str) {
    let secrets: &[&str] = if token.contains(VALUE) { &[VALUE] } else { &[] };
    assert!(!format!("{:?}", Secret::new(token)).contains(VALUE));
    let edgegap = edgegap::Client::builder().base_url(UNUSED_URL).token(token);
    let (with_token, session, login) = platforms::with(|platforms| {
        let session = platforms.nexlayer.session(token);
        assert!(!format!("{session:?}").contains(VALUE), "{session:?}");
        let with_token = platforms.dployr.with_token(token).err();
        let login = platforms.dployr.login(token, token).preview().err();
        (with_token, session.reservations().list().preview(), login)
    });
    if let Ok(preview) = &session {
        assert_preview(preview, secrets);
    }
    let errors = [edgegap.build().err(), with_token, session.err(), login];
    for error in errors.iter().flatten() {
        assert_refused(error);
        assert_redacted(error, secrets);
    }
}

/// In a request without a spec entry, all values of the body are redacted.
pub fn check_raw_body(body: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let body = with_secret_scalars(&body);
    let call = |client: &nodion::Client| client.request(Method::POST, "/x").json(&body).preview();
    let preview = platforms::with(|platforms| call(&platforms.nodion)).unwrap();
    assert_preview(&preview, &[VALUE, NUMBER]);
}

/// Replaces every scalar with a secret.
fn with_secret_scalars(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(with_secret_scalars).collect(),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(name, inner)| (name.clone(), with_secret_scalars(inner)));
            Value::Object(entries.collect())
        }
        Value::Number(_) => serde_json::from_str(NUMBER).unwrap(),
        _ => Value::from(VALUE),
    }
}
