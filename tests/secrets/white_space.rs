//! Secrets whose white space the platform changed in an error.

use deploykit::dployr::{self, NewDeployment};
use deploykit::nexlayer::{
    self,
    manifest::{AppSpec, Pod},
};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Error, Result};
use serde_json::json;
use std::error::Error as _;
use std::fmt::Debug;

/// Secrets, with `~` for white space. The second word and the last one must never be shown.
const SECRETS: [&str; 2] = [
    "-----BEGIN~PRIVATE~KEY-----~MIIEvQIBADANBgkqhkiG9w0B~AQEFAASCBKcwggSjAgEAAoIB~-----END~PRIVATE~KEY-----~",
    "my~Tr0ub4dor-and-3~battery-staple-17",
];
const WORDS: [&str; 4] = [
    "MIIEvQIBADANBgkqhkiG9w0B",
    "AQEFAASCBKcwggSjAgEAAoIB",
    "Tr0ub4dor-and-3",
    "battery-staple-17",
];
const SPACES: [&str; 5] = ["  ", "\r\n", "\u{a0}", "\u{85}", "\u{2028}"];

/// The forms in which a server may repeat a secret.
fn echoes(secret: &str) -> Vec<String> {
    let words: Vec<_> = secret.split_whitespace().collect();
    let joined = [" ", "", "\r\n  ", "\u{a0}", "\\n"].map(|space| words.join(space));
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let in_json = json!(secret).to_string();
    [secret.to_owned(), encoded, in_json]
        .into_iter()
        .chain(joined)
        .collect()
}

fn replies(echo: &str) -> Vec<CannedReply> {
    let text = format!("cannot use value {echo} of KEY");
    let json = |status, body: serde_json::Value| CannedReply::json(status, body.to_string());
    vec![
        json(
            200,
            json!({ "success": false, "error": { "message": text } }),
        ),
        json(
            200,
            json!({ "success": false, "error": { "message": "no", "code": text, "details": { "a": [text] } } }),
        ),
        json(200, json!({ "success": true, "data": [text] })),
        json(200, json!(text)),
        json(
            400,
            json!({ "success": false, "error": { "message": text, "details": { (text.clone()): text } } }),
        ),
        json(
            400,
            json!({ "error": text, "code": text, "details": [{ "path": "a", "message": text }] }),
        ),
        json(422, json!({ "message": text, "details": text })),
        CannedReply::new(200, text.as_str()).header("content-type", "text/plain"),
        CannedReply::new(400, text.as_str()).header("content-type", "text/plain"),
        CannedReply::new(500, text.as_str()),
        CannedReply::new(502, format!("<html><pre>{text}</pre></html>"))
            .header("content-type", "text/html"),
    ]
}

/// Everything that an error shows.
fn shown(error: &Error) -> String {
    let mut all = format!(
        "{error}\n{error:?}\n{error:#?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        error.message(),
        error.code(),
        error.details().map(ToString::to_string),
        error.body_excerpt(),
        error.resource_id(),
        error.http_request_id(),
    );
    let mut source = error.source();
    while let Some(cause) = source {
        all += &format!("\n{cause}\n{cause:?}");
        source = cause.source();
    }
    all
}

fn output(result: Result<impl Debug>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => shown(&error),
    }
}

#[tokio::test]
async fn a_repeated_secret_is_redacted_whatever_its_white_space() {
    let recorder = Recorder::new();
    let dployr = dployr::Client::builder()
        .recorder(&recorder)
        .base_url("https://dployr.example");
    let dployr = dployr.token("canary-token").build().unwrap();
    let nexlayer = nexlayer::Client::builder()
        .recorder(&recorder)
        .build()
        .unwrap();
    let (mut count, mut leaks) = (0, Vec::new());
    for (secret, space) in SECRETS
        .iter()
        .flat_map(|secret| SPACES.map(|space| (secret, space)))
    {
        let secret = secret.replace('~', space);
        let pod = Pod::new("web", "nginx:1.29")
            .path("/")
            .port(80)
            .var("KEY", secret.as_str());
        let manifest = AppSpec::new("abc").pod(pod).manifest().unwrap();
        for (echo, reply) in echoes(&secret).into_iter().flat_map(|echo| {
            let replies = replies(&echo).into_iter();
            replies
                .map(move |reply| (echo.clone(), reply))
                .collect::<Vec<_>>()
        }) {
            let answer = reply.clone();
            recorder.answer_with(move |_| answer.clone());
            let new = NewDeployment::from_git("my-app", "https://git.example/a.git");
            let outputs = [
                output(dployr.deploy(new.secret("KEY", secret.as_str())).await),
                output(nexlayer.deploy(manifest.clone()).await),
                output(nexlayer.validate(&manifest).await),
            ];
            for shown in outputs {
                count += 1;
                let found = WORDS.iter().find(|word| shown.contains(**word));
                leaks
                    .extend(found.map(|word| format!("{word} of {secret:?} as {echo:?}: {shown}")));
            }
        }
    }
    assert!(count > 2_000, "{count}");
    assert!(
        leaks.is_empty(),
        "{} leaks, such as {}",
        leaks.len(),
        leaks[0]
    );
}
