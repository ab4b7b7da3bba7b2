//! Manifests: parsed values, errors and redacted previews.

#[path = "../../../build/yaml.rs"]
#[allow(clippy::duplicate_mod)] // The fuzz targets include this file alone.
mod yaml;

use super::{SESSION, assert_sound, platforms};
use deploykit::nexlayer::Manifest;
use deploykit::nexlayer::manifest::Rule;
use deploykit::preview::PreviewBody;
use serde_json::Value;

/// Fields whose values are redacted.
const SECRET: [&str; 6] = [
    "vars",
    "env",
    "registryLogin",
    "imagePullSecrets",
    "command",
    "entrypoint",
];
/// Minimum length of a compared line: a shorter one may occur in public text by chance.
const MIN_LENGTH: usize = 6;

pub fn check(data: &[u8]) {
    let manifest = match Manifest::from_bytes(data) {
        Ok(manifest) => manifest,
        Err(error) => {
            assert_sound(&error);
            // The secrets in generated manifests contain `hush`.
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
            return;
        }
    };
    let text = manifest.as_str().to_owned();
    assert_eq!(
        text.as_bytes(),
        data,
        "the sent text differs from the input"
    );
    assert!(!manifest.application_name().trim().is_empty());
    check_values(&manifest);
    let name = manifest.application_name().to_owned();
    let debug = format!("{manifest:?}");
    let shown = preview(manifest);
    if shown.starts_with("<manifest of ") {
        return;
    }
    let read = serde_saphyr::from_str_with_options::<Value>(&text, yaml::options());
    let Ok(read) = read else {
        return;
    };
    let (mut secrets, mut others) = (Vec::new(), String::new());
    collect(&read, "", false, &mut secrets, &mut others);
    for secret in &secrets {
        let lines = secret.lines().map(str::trim);
        for line in lines.filter(|line| is_distinctive(line) && !others.contains(line)) {
            assert!(!shown.contains(line), "{line:?} is in {shown}");
            assert!(!debug.contains(line), "{line:?} is in {debug}");
        }
    }
    let shown = Manifest::parse(shown).expect("the preview is a manifest");
    assert_eq!(shown.application_name(), name);
}

/// Checks the parsed values and the warnings of a manifest.
fn check_values(manifest: &Manifest) {
    let warnings = manifest.lint();
    // In YAML, a single CR is a line break.
    let lines = manifest.as_str().matches(['\n', '\r']).count() as u64;
    let width = manifest.as_str().chars().count() as u64 + 1;
    assert!(warnings.len() <= 1000);
    assert!(warnings.is_sorted_by_key(|warning| (warning.line, warning.column)));
    for warning in &warnings {
        assert!((1..=lines + 1).contains(&warning.line), "{warning}");
        assert!((1..=width).contains(&warning.column), "{warning}");
        assert!(warning.path.len() <= 500, "{warning}");
        assert!(warning.message.len() <= 200, "{warning}");
    }
    let is_unreadable = warnings
        .iter()
        .any(|warning| warning.rule == Rule::Unreadable);
    let spec = match manifest.spec() {
        Ok(spec) => spec,
        Err(error) => {
            assert_sound(&error);
            assert!(is_unreadable, "no warning for {error}");
            return;
        }
    };
    assert!(!is_unreadable, "{warnings:?}");
    assert_eq!(spec.name, manifest.application_name());
    // Names of applications, pods and variables are not redacted.
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
    // Converting back to a manifest may fail, but does not panic.
    if let Err(error) = spec.manifest() {
        assert_sound(&error);
    }
}

fn preview(manifest: Manifest) -> String {
    let preview = platforms::with(|platforms| {
        platforms
            .nexlayer
            .session(SESSION)
            .deploy(manifest)
            .preview()
    });
    match preview.unwrap().body {
        PreviewBody::Text(text) => text,
        other => panic!("{other:?} is not text"),
    }
}

/// Collects the strings in secret fields in `found`, and all other text in `others`.
/// `parent` is the key that the value, or the list around it, belongs to.
fn collect(
    value: &Value,
    parent: &str,
    secret: bool,
    found: &mut Vec<String>,
    others: &mut String,
) {
    match value {
        Value::String(text) if secret && !text.contains("<%") => found.push(text.clone()),
        Value::Array(items) => {
            for item in items {
                collect(item, parent, secret, found, others);
            }
        }
        Value::Object(map) => {
            for (key, inner) in map {
                // In a list of variables, the name is not secret.
                let is_name = secret && ["key", "name"].contains(&key.as_str());
                let is_data = parent == "secrets" && key == "data";
                let secret = secret && !is_name || is_data || SECRET.contains(&key.as_str());
                others.push_str(&format!("{key}\n"));
                collect(inner, key, secret, found, others);
            }
        }
        other => others.push_str(&format!("{other}\n")),
    }
}

/// Whether a line is unlikely to occur in public text by chance.
fn is_distinctive(line: &str) -> bool {
    line.len() >= MIN_LENGTH
        && !line.bytes().all(|byte| byte.is_ascii_lowercase())
        // Excludes parts of the placeholder.
        && !"<redacted>".contains(line)
}
