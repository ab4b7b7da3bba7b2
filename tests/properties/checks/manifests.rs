//! Manifests: what is read of them, and what a preview shows.

use super::{SESSION, assert_sound, platforms};
use deploykit::PreviewBody;
use deploykit::nexlayer::Manifest;
use deploykit::nexlayer::manifest::Rule;
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
    values(&manifest);
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

/// What it says, and what is said about it.
fn values(manifest: &Manifest) {
    let warnings = manifest.lint();
    // YAML breaks a line at a lone CR, too.
    let lines = manifest.as_str().matches(['\n', '\r']).count() as u64;
    let width = manifest.as_str().chars().count() as u64 + 1;
    assert!(warnings.len() <= 1000);
    assert!(warnings.is_sorted_by_key(|one| (one.line, one.column)));
    for one in &warnings {
        assert!((1..=lines + 1).contains(&one.line), "{one}");
        assert!((1..=width).contains(&one.column), "{one}");
        assert!(one.path.len() <= 500, "{one}");
        assert!(one.message.len() <= 200, "{one}");
    }
    let is_unreadable = warnings.iter().any(|one| one.rule == Rule::Unreadable);
    let spec = match manifest.spec() {
        Ok(spec) => spec,
        Err(error) => {
            assert_sound(&error);
            assert!(is_unreadable, "{error} is in no warning");
            return;
        }
    };
    assert!(!is_unreadable, "{warnings:?}");
    assert_eq!(spec.name, manifest.application_name());
    // Names are shown: those of applications, pods and variables.
    for pod in &spec.pods {
        let secrets = pod.vars.iter().map(|(_, value)| value);
        for secret in secrets.chain(&pod.command).chain(&pod.entrypoint) {
            assert_eq!(format!("{secret:?}"), "Secret(<redacted>)");
        }
    }
    let canonical = manifest.canonical().unwrap();
    let text = canonical.as_str();
    assert_eq!(
        canonical.application_name(),
        manifest.application_name(),
        "{text}"
    );
    assert_eq!(canonical.canonical().unwrap().as_str(), text);
    // Whether it can be built is a question of its own: the answer is no panic.
    if let Err(error) = spec.manifest() {
        assert_sound(&error);
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
