//! Manifests that are trees of known keys and odd values.

use super::checks::manifests;
use super::generated::holds;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

#[test]
fn manifests_of_any_form() {
    let key = select(vec![
        "name",
        "pods",
        "template",
        "image",
        "tag",
        "path",
        "servicePorts",
        "ports",
        "vars",
        "env",
        "volumes",
        "size",
        "mountPath",
        "secrets",
        "data",
        "fileName",
        "command",
        "resources",
        "limits",
        "cpu",
        "url",
        "version",
        "odd ü",
        "registryLogin",
        "imagePullSecrets",
        "key",
        "value",
        "port",
        "targetPort",
        "healthCheck",
        "replicas",
        "<<",
    ]);
    let scalar = select(vec![
        "",
        "~",
        "80",
        "'80'",
        "0755",
        "1.10",
        "1e999",
        ".nan",
        "yes",
        "hush-12",
        "\"\\x00\\u2028\\uFEFF\"",
        "<% URL %>",
        "<%",
        "'${A} a.pod b.pod:1'",
        "-5",
        "99999999999999999999999999999999999999999",
        "2Gi",
        "!!binary aHVzaA==",
        "!x y",
        "'a\n\n\n b '",
        "\"  a\\n\\tb\\n\"",
        "/",
        "&a b",
        "*a",
        "''",
        "'- a'",
        "a: b",
    ]);
    let leaf = scalar.prop_map(str::to_owned);
    let tree = leaf.prop_recursive(6, 40, 5, move |inner| {
        let entry = (key.clone(), inner.clone());
        prop_oneof![
            vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            vec(entry, 0..6).prop_map(|entries| {
                let entries = entries.iter().map(|(key, value)| format!("{key}: {value}"));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }),
        ]
    });
    holds(1500, (tree.clone(), tree), |(pod, rest)| {
        let text = format!(
            "application: {{name: a, pods: [{{name: web, vars: {rest}}}, {pod}], url: {rest}}}"
        );
        manifests::check(text.as_bytes());
        let text = format!("application: {{name: a, pods: [{pod}]}}\nother: {rest}\n");
        manifests::check(text.as_bytes());
    });
}
