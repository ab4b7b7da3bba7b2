//! What a caller puts in: ids, addresses, headers, queries, paths, tokens, bodies.

use super::platforms::{self, NOWHERE, secrets_of};
use super::{QUERY, TOKEN, USER, VALUE, assert_keeps, assert_sound, block_on, text, with_canaries};
use deploykit::http::Method;
use deploykit::secret::{CallbackUrl, GitUrl};
use deploykit::testing::CannedReply;
use deploykit::{Call, Error, ErrorKind, Operation, PreviewBody, RequestPreview, Result, Secret};
use deploykit::{dployr, edgegap, nodion};
use serde_json::Value;
use url::Url;

const REDACTED: &str = "<redacted>";
/// What a reader of URLs skips wherever it stands.
const SKIPPED: [char; 3] = ['\t', '\n', '\r'];

/// The first byte chooses what the rest is; for an id the second one chooses the operation.
pub fn check(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    match choice % 8 {
        0 => {
            let Some((operation, id)) = rest.split_first() else {
                return;
            };
            id_in_a_path(platforms::operation(*operation), &text(id));
        }
        1 => base_url(&text(&with_canaries(rest))),
        2 => {
            let (name, value) = pair(rest);
            header(&name, &value);
        }
        3 => {
            let (name, value) = pair(rest);
            query(&name, &value);
        }
        4 => address(&text(&with_canaries(rest))),
        5 => raw_path(&text(rest)),
        6 => token(&text(&with_canaries(rest))),
        _ => raw_body(rest),
    }
}

/// A name, and a value behind the first line break.
fn pair(data: &[u8]) -> (String, String) {
    let text = text(data);
    let (name, value) = text.split_once('\n').unwrap_or((&text, ""));
    (
        name.to_owned(),
        self::text(&with_canaries(value.as_bytes())),
    )
}

/// An error of a call that was refused before it was sent.
/// What holds for what is refused before anything is sent.
pub(super) fn assert_refused(error: &Error) {
    assert_sound(error);
    let kinds = [ErrorKind::InvalidRequest, ErrorKind::Configuration];
    assert!(kinds.contains(&error.kind()), "{error}");
    assert_eq!((error.attempts(), error.status()), (0, None), "{error}");
}

/// The arguments of a command line of words and single quotes.
fn words(line: &str) -> Vec<String> {
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
    assert!(!quoted, "a quote is open in {line}");
    words.push(word);
    words
}

/// What holds for every preview of a call that carried these secrets.
pub fn assert_preview(preview: &RequestPreview, secrets: &[&str]) {
    let curl = preview.to_curl();
    for shown in [preview.to_string(), curl.clone(), format!("{preview:?}")] {
        for secret in secrets {
            assert!(!shown.contains(secret), "{secret:?} is in {shown}");
        }
    }
    let path = &preview.path;
    assert!(path.starts_with('/') || path.is_empty(), "{path:?}");
    assert!(
        !path.contains(['?', '#', '\\', ' ']) && path.is_ascii(),
        "{path:?}"
    );
    assert!(
        path.split('/')
            .all(|segment| segment != "." && segment != ".."),
        "{path:?}"
    );
    let words = words(&curl);
    let headers = preview.headers.len() * 2;
    let body = if preview.body == PreviewBody::None {
        0
    } else {
        2
    };
    assert_eq!(words.len(), 4 + headers + body, "{curl}");
    assert!(
        words[3].starts_with(&format!("{}{path}", preview.base_url)),
        "{curl}"
    );
}

pub fn id_in_a_path(operation: &'static Operation, id: &str) {
    // Its address comes from the platform, as a whole.
    if operation.id == "stop_own_deployment" {
        return;
    }
    // A name is shown. Who takes a secret for one shows it.
    if secrets_of(operation)
        .iter()
        .any(|secret| id.contains(secret))
    {
        return;
    }
    let preview = match platforms::with(|platforms| platforms.preview(operation, id)) {
        Ok(preview) => preview,
        Err(error) => return assert_refused(&error),
    };
    assert_preview(&preview, secrets_of(operation));
    let segments: Vec<_> = preview.path.split('/').collect();
    let template: Vec<_> = operation.path.split('/').collect();
    assert_eq!(
        segments.len(),
        template.len(),
        "{id:?} makes {}",
        preview.path
    );
    for (segment, part) in segments.iter().zip(template) {
        if part.starts_with('{') {
            assert_eq!(decoded(segment), id, "{}", preview.path);
        } else {
            assert_eq!(*segment, part, "{id:?} makes {}", preview.path);
        }
    }
}

fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'%' => {
                let code = std::str::from_utf8(&rest[..2]).unwrap();
                bytes.push(u8::from_str_radix(code, 16).unwrap());
                rest = &rest[2..];
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Whether these words stand once in a URL, and where they are secret.
fn is_secret_in(url: &str, words: &str) -> bool {
    let Ok(parsed) = Url::parse(url.trim()) else {
        return false;
    };
    let login = parsed.scheme() != "ssh" || parsed.password().is_some();
    let in_front = login && parsed.username().contains(words)
        || parsed
            .password()
            .is_some_and(|password| password.contains(words));
    // What has no slashes may be prose.
    let in_query = (parsed.has_host() || url.contains(":/"))
        && parsed.query_pairs().any(|(_, value)| value.contains(words));
    // Of what stands elsewhere as well, in any form that is read alike, nobody can tell.
    let read = url.replace(SKIPPED, "").to_ascii_lowercase();
    read.matches(&words.to_ascii_lowercase()).count() == 1 && (in_front || in_query)
}

pub fn base_url(url: &str) {
    let secrets: Vec<_> = [USER, QUERY]
        .into_iter()
        .filter(|words| is_secret_in(url, words))
        .collect();
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
            return assert_keeps(&error, &secrets);
        }
    };
    let kept = Url::parse(client.base_url()).unwrap();
    assert!(
        matches!(kept.scheme(), "http" | "https") && kept.has_host(),
        "{kept}"
    );
    assert!(
        kept.username().is_empty() && kept.password().is_none(),
        "{kept}"
    );
    assert!(
        kept.query().is_none() && kept.fragment().is_none(),
        "{kept}"
    );
    let preview = client.application("a").deployments().preview().unwrap();
    assert_eq!(preview.path, "/v1/applications/a/deployments", "{kept}");
    assert_eq!(preview.base_url, client.base_url());
    // A path is shown, whatever stands in it.
    assert_preview(&preview, if writes(url, TOKEN) { &[] } else { &[TOKEN] });
    if builder_refuses_plain_http(url) {
        assert!(kept.scheme() == "https" || !is_loopback(&kept), "{kept}");
    }
}

/// Whether a reader of URLs finds these words in a text.
fn writes(text: &str, words: &str) -> bool {
    text.replace(SKIPPED, "").contains(words)
}

/// Without permission plain http goes to this machine alone.
fn builder_refuses_plain_http(url: &str) -> bool {
    let builder = nodion::Client::builder().base_url(url).token(TOKEN);
    match builder.build() {
        Ok(client) => {
            let kept = Url::parse(client.base_url()).unwrap();
            assert!(kept.scheme() == "https" || is_loopback(&kept), "{kept}");
            false
        }
        Err(error) => {
            assert_refused(&error);
            true
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Sends a call against a failure that repeats what the caller put in.
fn repeated<T: Send + 'static>(
    words: &str,
    call: impl FnOnce(&dployr::Client) -> Call<T>,
) -> Error {
    let body =
        serde_json::json!({ "error": { "message": words, "details": [words, { words: 1 }] } });
    platforms::with(|platforms| {
        platforms.answer(CannedReply::json(400, body.to_string()));
        match block_on(call(&platforms.dployr).into_future()) {
            Err(error) => error,
            Ok(_) => panic!("a 400 is a success"),
        }
    })
}

pub fn header(name: &str, value: &str) {
    let call = |client: &dployr::Client| client.services().list().header(name, value);
    let preview = match platforms::with(|platforms| call(&platforms.dployr).preview()) {
        Ok(preview) => preview,
        Err(error) => {
            assert_refused(&error);
            let named = name.contains("canary");
            return assert_keeps(&error, if named { &[] } else { &[QUERY] });
        }
    };
    let name = name.to_ascii_lowercase();
    for reserved in [
        "authorization",
        "cookie",
        "host",
        "content-length",
        "transfer-encoding",
    ] {
        assert_ne!(name, reserved);
    }
    // A name is shown, whatever it is.
    let named = name.contains("canary");
    let secrets = if named { &[][..] } else { &[TOKEN, QUERY] };
    assert_preview(&preview, secrets);
    let hidden = (name, REDACTED.to_owned());
    let left_out = ["accept", "user-agent"].contains(&hidden.0.as_str());
    assert!(left_out || preview.headers.contains(&hidden), "{preview}");
    if value.trim().len() >= 4 && value.contains(QUERY) {
        let error = repeated(value.trim(), call);
        assert_sound(&error);
        assert_keeps(&error, &[QUERY]);
    }
}

pub fn query(name: &str, value: &str) {
    let call = |client: &dployr::Client| client.services().list().query(name, value);
    let preview = match platforms::with(|platforms| call(&platforms.dployr).preview()) {
        Ok(preview) => preview,
        Err(error) => return assert_refused(&error),
    };
    assert!(!name.is_empty());
    let hidden = (name.to_owned(), REDACTED.to_owned());
    assert!(preview.query.contains(&hidden), "{preview}");
    let named = name.contains("canary");
    let secrets = if named {
        &[][..]
    } else {
        &[TOKEN, QUERY, VALUE]
    };
    assert_preview(&preview, secrets);
    if value.contains(QUERY) {
        let error = repeated(value, call);
        assert_sound(&error);
        assert_keeps(&error, &[QUERY]);
    }
    let refused = platforms::with(|platforms| {
        let session = platforms.nexlayer.session("a-session");
        session.reservations().query(name, value).preview()
    });
    assert_eq!(refused.is_err(), name == "sessionToken", "{name:?}");
}

pub fn address(url: &str) {
    let secrets: Vec<_> = [USER, QUERY]
        .into_iter()
        .filter(|words| is_secret_in(url, words))
        .collect();
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
    let create = |client: &dployr::Client| client.deployments().create(new);
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
                assert_keeps(&error, &secrets);
            }
        }
    }
    // What a server may say of it: the address as it got it, or the secret alone.
    for words in [url]
        .iter()
        .chain(&secrets)
        .filter(|_| sent && !secrets.is_empty())
    {
        let error = repeated(words, create.clone());
        assert_keeps(
            &error,
            if *words == url || is_exact(url, words) {
                &secrets
            } else {
                &[]
            },
        );
    }
}

/// Whether this is all that stands in its place, and not a part of it.
fn is_exact(url: &str, words: &str) -> bool {
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

pub fn raw_path(path: &str) {
    let call = |client: &nodion::Client| client.request(Method::GET, path).preview();
    let preview = match platforms::with(|platforms| call(&platforms.nodion)) {
        Ok(preview) => preview,
        Err(error) => return assert_refused(&error),
    };
    // It is shown, whatever stands in it.
    assert_preview(&preview, if writes(path, TOKEN) { &[] } else { &[TOKEN] });
    assert_eq!(preview.base_url, NOWHERE);
    assert_eq!(
        preview.path.matches('/').count(),
        path.matches('/').count(),
        "{path:?}"
    );
    assert!(preview.query.is_empty(), "{path:?}");
}

pub fn token(token: &str) {
    let secrets: &[&str] = if token.contains(VALUE) { &[VALUE] } else { &[] };
    assert!(!format!("{:?}", Secret::new(token)).contains(VALUE));
    let edgegap = edgegap::Client::builder().base_url(NOWHERE).token(token);
    let with_token = platforms::with(|platforms| platforms.dployr.with_token(token).err());
    let errors = [
        edgegap.build().err(),
        with_token,
        platforms::with(|platforms| {
            let session = platforms.nexlayer.session(token);
            let debug = format!("{session:?}");
            assert!(!debug.contains(VALUE), "{debug}");
            match session.reservations().preview() {
                Ok(preview) => {
                    assert_preview(&preview, secrets);
                    None
                }
                Err(error) => Some(error),
            }
        }),
        platforms::with(|platforms| platforms.dployr.login(token, token).preview().err()),
    ];
    for error in errors.iter().flatten() {
        assert_refused(error);
        assert_keeps(error, secrets);
    }
}

/// A body without a spec entry: no value is shown.
pub fn raw_body(body: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let (mut secret, mut public) = (Vec::new(), String::new());
    sort(&body, &mut secret, &mut public);
    let call = |client: &nodion::Client| client.request(Method::POST, "/x").json(&body).preview();
    let preview = platforms::with(|platforms| call(&platforms.nodion)).unwrap();
    let hidden: Vec<_> = secret.iter().map(String::as_str).collect();
    assert_preview(&preview, &hidden);
}

/// Collects the strings that are not a name or another value as well.
fn sort(value: &Value, hidden: &mut Vec<String>, public: &mut String) {
    fn walk(value: &Value, hidden: &mut Vec<String>, public: &mut String) {
        match value {
            Value::String(text) => hidden.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| walk(item, hidden, public)),
            Value::Object(map) => {
                for (name, inner) in map {
                    public.push_str(name);
                    walk(inner, hidden, public);
                }
            }
            other => public.push_str(&other.to_string()),
        }
    }
    walk(value, hidden, public);
    // As short as a name or a mark, it is in the preview anyway.
    hidden.retain(|text| text.len() >= 6 && !public.contains(text.as_str()));
    hidden.retain(|text| {
        !"POST /x authorization: <redacted> content-type: application/json".contains(text.as_str())
    });
}
