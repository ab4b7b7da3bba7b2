//! Replies that repeat the request with its canaries, in many statuses and forms.

use crate::server::Answer;
use crate::spec_replies::Success;
use crate::support;
use serde_json::{Value, json};
use std::sync::Arc;

/// Statuses of replies that repeat the request.
const STATUSES: [&str; 10] = [
    "200 OK",
    "302 Found",
    "307 Temporary Redirect",
    "400 Bad Request",
    "401 Unauthorized",
    "404 Not Found",
    "422 Unprocessable Entity",
    "429 Too Many Requests",
    "500 Internal Server Error",
    "503 Service Unavailable",
];
/// Statuses that are combined with every form. Other statuses are combined only with the forms below.
const STATUSES_WITH_EVERY_FORM: [&str; 2] = ["200 OK", "400 Bad Request"];
const FORMS_WITH_EVERY_STATUS: [&str; 2] = ["text", "JSON"];

/// A form of a body that repeats the request: name, content type, function that writes the body.
type Form = (&'static str, &'static str, fn(&str) -> String);
const FORMS: [Form; 10] = [
    ("text", "text/plain", str::to_owned),
    ("JSON", "application/json", |text| {
        json!({ "success": false, "error": { "message": text, "code": text, "details": { text: [text] } }, "request_id": text }).to_string()
    }),
    ("flat JSON", "application/json", |text| {
        json!({ "error": text, "message": text, "code": text, "details": text, "errors": [text], "helpLink": text }).to_string()
    }),
    ("JSON in ASCII", "application/json", |text| {
        to_ascii_json(&json!({ "message": text, "errors": [text, { "a": text }] }).to_string())
    }),
    ("a JSON string", "application/json", |text| {
        json!(text).to_string()
    }),
    ("JSON keys", "application/json", |text| {
        json!({ text: { text: 1 }, "items": { text: 1 } }).to_string()
    }),
    ("JSON in text", "text/plain", |text| {
        format!(
            "no good: {} and {}",
            json!({ "message": text }),
            to_ascii_json(&json!({ "a": text }).to_string())
        )
    }),
    ("a URL in text", "text/plain", |text| {
        let form = url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        format!("no such page: /x?a={form}&b={}", form.replace('+', "%20"))
    }),
    ("wrapped text", "text/plain", |text| {
        let characters: Vec<_> = text.chars().collect();
        let lines: Vec<String> = characters
            .chunks(16)
            .map(|line| line.iter().collect())
            .collect();
        lines.join("\r\n  ")
    }),
    ("an HTML page", "text/html", |text| {
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let text = text.replace('"', "&quot;").replace('\'', "&#39;");
        format!("<!DOCTYPE html><html><body><pre>Cannot POST {text}</pre></body></html>")
    }),
];

/// The body of a JSON failure that repeats a text in every field.
pub fn in_json(text: &str) -> String {
    let (_, _, write) = FORMS[1];
    write(text)
}

/// A reply with its name.
pub struct Reply {
    pub name: String,
    pub answer: Answer,
    /// Whether the call must succeed.
    pub success: bool,
}

/// All replies to a request with these canaries: the given successes first, then all others.
pub fn all(successes: &[Success], canaries: &str) -> Vec<Reply> {
    let session = ["set-cookie: session=a; Path=/".to_owned()];
    let mut replies: Vec<_> = successes
        .iter()
        .map(|Success { content_type, body }| Reply {
            name: format!("success {body}"),
            answer: reply("200 OK", content_type, &session, body),
            success: true,
        })
        .collect();
    let success = successes.first().map_or("", |success| &success.body);
    let request_line = |request: &str| request.lines().next().unwrap_or_default().to_owned();
    replies.extend([
        failure("a closed connection", Arc::new(|_| Vec::new())),
        failure(
            "garbage",
            Arc::new(|_| b"\x16\x03\x01 garbage\r\n\r\n".to_vec()),
        ),
        failure(
            "a broken reply",
            Arc::new(|request| {
                format!("HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n{request}").into_bytes()
            }),
        ),
        failure(
            "the request in a status line",
            Arc::new(move |request| {
                let line = request_line(request);
                format!("HTTP/1.1 400 {line}\r\ncontent-length: 0\r\n\r\n").into_bytes()
            }),
        ),
    ]);
    // Successes with wrong types. The client does not know their secrets, so it cannot redact them by value.
    let value: Value = serde_json::from_str(success).unwrap_or_default();
    let lists = map_scalars(&value, &|scalar| match scalar {
        Value::String(_) => json!([scalar]),
        other => other.clone(),
    });
    let texts = map_scalars(&value, &|scalar| match scalar {
        Value::Number(_) | Value::Bool(_) => json!(success),
        other => other.clone(),
    });
    for (name, body) in [
        ("invalid JSON", "{\"access_token\": nope".to_owned()),
        ("lists instead of strings", lists.to_string()),
        ("strings instead of numbers", texts.to_string()),
    ] {
        replies.push(failure(
            name,
            reply("200 OK", "application/json", &[], &body),
        ));
    }
    for status in STATUSES {
        for (form, content_type, write) in FORMS {
            if STATUSES_WITH_EVERY_FORM.contains(&status) || FORMS_WITH_EVERY_STATUS.contains(&form)
            {
                let name = format!("{} with {form}", &status[..3]);
                replies.push(failure(&name, echo(status, content_type, write, canaries)));
            }
        }
    }
    replies
}

fn failure(name: &str, answer: Answer) -> Reply {
    Reply {
        name: name.to_owned(),
        answer,
        success: false,
    }
}

/// Applies a function to every scalar of a JSON value.
fn map_scalars(value: &Value, scalar: &dyn Fn(&Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| map_scalars(item, scalar)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), map_scalars(value, scalar)))
            .collect(),
        other => scalar(other),
    }
}

/// A reply that repeats the request and its canaries in its body and in its headers.
fn echo(
    status: &'static str,
    content_type: &'static str,
    write: fn(&str) -> String,
    canaries: &str,
) -> Answer {
    let canaries = canaries.to_owned();
    Arc::new(move |request: &str| {
        let body = write(&format!("{canaries} in {request}"));
        let headers = headers_of(request);
        reply(status, content_type, &headers, &body)(request)
    })
}

/// Headers that repeat the target and the headers of the request.
fn headers_of(request: &str) -> Vec<String> {
    let path = request.split(' ').nth(1).unwrap_or("/");
    let sent = |name: &str| {
        let line = request.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default()
    };
    let authorization = sent("authorization: ");
    let extra = sent("x-extra: ");
    vec![
        format!("location: https://elsewhere.example{path}"),
        format!("x-request-id: {extra} {authorization}"),
        format!("x-echo: {path} {extra} {authorization}"),
        format!("set-cookie: session={authorization}"),
        format!("www-authenticate: Bearer {authorization}"),
    ]
}

/// Answers every request with this reply.
pub fn reply(status: &str, content_type: &str, headers: &[String], body: &str) -> Answer {
    let content_type = format!("content-type: {content_type}");
    let headers = headers.iter().map(String::as_str);
    let headers: Vec<_> = headers.chain([content_type.as_str()]).collect();
    let bytes = support::reply(status, &headers, body);
    Arc::new(move |_| bytes.clone())
}

/// Escapes slashes and non-ASCII characters, as some JSON libraries do.
fn to_ascii_json(json: &str) -> String {
    let mut out = String::new();
    for c in json.chars() {
        match c {
            '/' => out.push_str("\\/"),
            c if c.is_ascii() => out.push(c),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out
}
