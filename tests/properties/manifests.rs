//! Properties of manifests, for generated manifests.

use super::checks::manifests::check;
use super::values::for_all;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Known keys, and some unknown ones.
const KEYS: &str = "name pods template image tag path servicePorts ports vars env volumes size mountPath \
    secrets data fileName command resources limits cpu url version odd-ü registryLogin imagePullSecrets \
    key value port targetPort healthCheck replicas <<";
/// Scalars in flow style, and unusual nodes.
const SCALARS: &str = "|~|80|'80'|0755|1.10|1e999|.nan|yes|hush-12|\"\\x00\\u2028\\uFEFF\"|<% URL %>|<%\
    |'${A} a.pod b.pod:1'|-5|99999999999999999999999999999999999999999|2Gi|!!binary aHVzaA==|!x y\
    |'a\n\n\n b '|\"  a\\n\\tb\\n\"|/|&a b|*a|''|'- a'|a: b";

#[test]
fn any_tree_of_keys_and_values_is_parsed_and_redacted() {
    let key = select(KEYS.split(' ').collect::<Vec<_>>());
    let leaf = select(SCALARS.split('|').collect::<Vec<_>>()).prop_map(str::to_owned);
    let tree = leaf.prop_recursive(6, 40, 5, move |inner| {
        let entry = (key.clone(), inner.clone()).prop_map(|(key, value)| format!("{key}: {value}"));
        prop_oneof![
            vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            vec(entry, 0..6).prop_map(|entries| format!("{{{}}}", entries.join(", "))),
        ]
    });
    for_all(1500, (tree.clone(), tree), |(pod, rest)| {
        let web = format!("{{name: web, vars: {rest}}}");
        check(format!("application: {{name: a, pods: [{web}, {pod}], url: {rest}}}").as_bytes());
        check(format!("application: {{name: a, pods: [{pod}]}}\nother: {rest}\n").as_bytes());
    });
}

/// A YAML scalar with a secret, in any style.
fn secret_scalar() -> impl Strategy<Value = String> {
    let secret = "(hush|Hush|HUSH)[-_ 0-9'ü]{0,5}[0-9]{2}";
    (secret, 0..7_u8).prop_map(|(secret, style)| match style {
        0 => secret.replace('\'', ""),
        1 => format!("'{}'", secret.replace('\'', "''")),
        2 => format!("\"{secret}\""),
        3 => format!("\"{}\"", secret.replace('h', "\\x68")),
        4 => format!("|\n      {secret}\n      {secret}"),
        5 => format!(">-\n      {secret}\n\n      x{secret}"),
        _ => format!("&anchor '{}'", secret.replace('\'', "")),
    })
}

#[test]
fn secrets_are_redacted_in_every_scalar_style() {
    let key = "(token|Token|\"password\"|personalAccessToken|other|\\? token\n   )";
    let entry = (key, secret_scalar(), "( # hush| )?");
    let file = (vec(entry, 1..5), any::<bool>(), any::<bool>());
    for_all(750, file, |(entries, crlf, list)| {
        let mut text = "application:\n  name: a\n  vars:\n".to_owned();
        for (key, value, end) in entries {
            let dash = if list { "- " } else { "  " };
            text.push_str(&format!("  {dash}{key}: {value}{end}\n"));
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        check(text.as_bytes());
    });
}

#[test]
fn any_bytes_are_parsed_or_rejected() {
    for_all(500, vec(any::<u8>(), 0..100), |bytes| check(&bytes));
    let flow =
        "(\\{|\\}|\\[|\\]|token|: |, |a|hush-12|'|\"|\n|  |- |&x |\\*x|!!binary |\\||>|#){0,20}";
    for_all(750, flow, |rest| {
        check(format!("application: {{name: a}}\n{rest}").as_bytes());
    });
}
