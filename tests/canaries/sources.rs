//! What the library's own sources say about where secrets go in.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every function that takes a secret from a program, and where this test gives it one.
const TAKEN: &[(&str, &str, &str)] = &[
    ("dployr/auth.rs", "login", "dployr.rs"),
    ("dployr/client.rs", "login", "sessions.rs"),
    ("dployr/client.rs", "new", "dployr.rs"),
    ("dployr/client.rs", "with_token", "dployr.rs"),
    ("dployr/deployments.rs", "env", "dployr.rs"),
    ("dployr/deployments.rs", "secret", "dployr.rs"),
    ("dployr/env_rewrite.rs", "set", "dployr.rs"),
    ("dployr/service_update.rs", "env", "dployr_services.rs"),
    ("dployr/service_update.rs", "secrets", "dployr_services.rs"),
    (
        "dployr/session.rs",
        "login_by_identity_token",
        "dployr_account.rs",
    ),
    ("dployr/session.rs", "verify", "dployr_account.rs"),
    (
        "dployr/session.rs",
        "verify_login_code",
        "dployr_account.rs",
    ),
    ("dployr/session.rs", "with_session", "dployr_account.rs"),
    ("dployr/webhooks.rs", "secret", "dployr.rs"),
    ("edgegap/client.rs", "new", "edgegap.rs"),
    ("edgegap/deploy.rs", "hidden_env", "edgegap.rs"),
    ("edgegap/self_stop.rs", "new", "edgegap.rs"),
    ("edgegap/self_stop.rs", "with_builder", "edgegap.rs"),
    ("nexlayer/manifest/spec.rs", "new", "nexlayer.rs"),
    ("nexlayer/manifest/spec.rs", "var", "nexlayer.rs"),
    ("nexlayer/client.rs", "session", "nexlayer.rs"),
    ("nodion/client.rs", "new", "nodion.rs"),
    ("nodion/env.rs", "new", "nodion.rs"),
    ("nodion/env.rs", "value", "nodion.rs"),
    ("transport/config.rs", "proxy", "sessions.rs"),
    ("transport/config.rs", "token", "dployr.rs"),
    ("transport/credentials/mod.rs", "token", "sessions.rs"),
    ("transport/credentials/source.rs", "new", "sessions.rs"),
    ("transport/credentials/source.rs", "refresh", "sessions.rs"),
    // Of a feature that is off here; the test of the fleet looks for its password.
    ("transport/pace/redis.rs", "new", "../fleet/main.rs"),
    ("webhook.rs", "new", "callbacks.rs"),
];

/// Hands over each file of the library: its path below `src`, and its text.
pub fn each(mut look: impl FnMut(&str, &str)) {
    fn walk(folder: &Path, root: &Path, look: &mut dyn FnMut(&str, &str)) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, look);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                look(&name, &fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    walk(&root, &root, &mut look);
}

#[test]
fn every_function_that_takes_a_secret_is_walked() {
    let mut found = BTreeSet::new();
    each(|file, text| {
        // A signature may be broken over lines.
        for function in text.split("pub fn ").skip(1) {
            let signature = function.split(['{', ';']).next().unwrap_or_default();
            if signature.contains("Into<Secret>") || signature.contains("Into<crate::Secret>") {
                let name = signature.split(['(', '<']).next().unwrap_or_default();
                found.insert((file.to_owned(), name.to_owned()));
            }
        }
    });
    let taken = TAKEN.iter();
    let taken = taken.map(|(file, name, _)| ((*file).to_owned(), (*name).to_owned()));
    assert_eq!(
        found,
        taken.collect::<BTreeSet<_>>(),
        "left: the sources; right: this test"
    );
    for (file, name, given) in TAKEN {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/canaries")
            .join(given);
        let text = fs::read_to_string(path).unwrap();
        let called = [format!(".{name}("), format!("::{name}(")];
        assert!(
            called.iter().any(|call| text.contains(call)),
            "{given} does not call {name} of {file}"
        );
    }
}
