//! Manifests: what is read of them, and what a preview shows.

use super::{SESSION, assert_sound, platforms};
use deploykit::PreviewBody;
use deploykit::nexlayer::Manifest;
use serde_json::Value;

/// Keys whose values nobody would show.
const SECRET: [&str; 3] = ["token", "password", "personalaccesstoken"];
/// A shorter value occurs elsewhere by chance.
const SHORTEST: usize = 6;

pub fn check(data: &[u8]) {
    let manifest = match Manifest::from_bytes(data) {
        Ok(manifest) => manifest,
        Err(error) => {
            assert_sound(&error);
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
            return;
        }
    };
    let text = manifest.as_str().to_owned();
    assert_eq!(text.as_bytes(), data, "it is not sent as it came");
    assert!(!manifest.application_name().trim().is_empty());
    let debug = format!("{manifest:?}");
    let shown = preview(manifest);
    if shown.starts_with("<manifest of ") {
        return;
    }
    let Ok(read) = serde_saphyr::from_str::<Value>(&text) else {
        return;
    };
    let mut secrets = Vec::new();
    collect(&read, false, &mut secrets);
    for secret in &secrets {
        for line in secret
            .lines()
            .map(str::trim)
            .filter(|line| is_distinctive(line))
        {
            assert!(!shown.contains(line), "{line:?} is in {shown}");
            assert!(
                !debug.contains(line) || debug.contains("application_name"),
                "{debug}"
            );
        }
    }
    let lower = text.to_lowercase();
    let words = [
        "token",
        "secret",
        "pass",
        "pwd",
        "dsn",
        "salt",
        "credential",
        "private",
        "auth",
        "key",
    ];
    if !words.iter().any(|word| lower.contains(word)) && !text.contains(['@', '?', '\\', '!']) {
        assert_eq!(shown, text, "something was hidden that is no secret");
    }
}

fn preview(manifest: Manifest) -> String {
    let preview = platforms::with(|platforms| {
        platforms
            .nexlayer
            .session(SESSION)
            .start(manifest)
            .preview()
    });
    match preview.unwrap().body {
        PreviewBody::Text(text) => text,
        other => panic!("{other:?} is no text"),
    }
}

/// What stands below a key that says that it is secret.
fn collect(value: &Value, secret: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if secret && !text.contains("<%") => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, secret, found)),
        Value::Object(map) => {
            for (key, inner) in map {
                let named = SECRET.contains(&key.to_lowercase().as_str());
                collect(inner, secret || named, found);
            }
        }
        _ => {}
    }
}

fn is_distinctive(line: &str) -> bool {
    line.len() >= SHORTEST
        && !line.bytes().all(|byte| byte.is_ascii_lowercase())
        // The mark itself, or a part of it.
        && !"<redacted>".contains(line)
}
