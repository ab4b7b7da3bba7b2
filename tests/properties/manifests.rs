//! Properties of manifests, for generated manifests.

use super::checks::manifests::check;
use super::values::for_all;
use deploykit::nexlayer::Manifest;
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

/// A file with this scalar between comments, in a block or in a flow collection.
fn file_with(scalar: &str, flow: bool, crlf: bool) -> String {
    let (start, end) = if flow {
        ("{A: 1, B: ", "}")
    } else {
        ("\n      A: 1\n      B: ", "")
    };
    let text = format!(
        "# ü\napplication:\n  pods: # web\n  - vars: {start}{scalar}{end} # B\n    name: web\n  name: 'a'\n"
    );
    if crlf {
        text.replace('\n', "\r\n")
    } else {
        text
    }
}

/// How an edit writes a value in plain style, in single quotes and in double quotes.
fn written(value: &str, style: u8) -> String {
    match style {
        0 => value.to_owned(),
        1 => format!("'{}'", value.replace('\'', "''")),
        _ => serde_json::to_string(value).unwrap(),
    }
}

#[test]
fn editing_and_editing_back_gives_the_same_bytes() {
    let pair = |value: &'static str| (value, value);
    let values = prop_oneof![
        (Just(0_u8), pair("v[a-z0-9./:_<%>-]{0,20}z")),
        (1..3_u8, pair("[ -~ü\u{2028}\u{1F600}]{0,20}")),
    ];
    for_all(
        750,
        (values, any::<bool>(), any::<bool>()),
        |((style, (old, new)), flow, crlf)| {
            let file = |value: &str| file_with(&written(value, style), flow, crlf);
            let mut manifest = Manifest::parse(file(&old)).unwrap();
            assert_eq!(
                manifest.set_var("web", "B", &new).unwrap(),
                written(&old, style)
            );
            assert_eq!(manifest.as_str(), file(&new));
            manifest.set_var("web", "B", &old).unwrap();
            assert_eq!(manifest.as_str(), file(&old));
        },
    );
}

/// Variables are strings. This parser reads `yes` as a boolean, as YAML 1.1 does.
#[test]
fn a_set_variable_is_read_as_a_string() {
    let old = "80|1.10|true|yes|~|0755|2026-12-01|info|'80'|\"80\"";
    let old = select(old.split('|').collect::<Vec<_>>());
    let value =
        "[+-]?(0x|0b|0o|yes|On|true|null|~|\\.inf|<<|=|[0-9]{1,4}|[-:._eTZ ][0-9]{0,2}){1,5}";
    for_all(
        1500,
        (old, value, any::<bool>(), any::<bool>()),
        |(old, value, flow, crlf)| {
            let mut manifest = Manifest::parse(file_with(old, flow, crlf)).unwrap();
            manifest.set_var("web", "B", &value).unwrap();
            let read: serde_json::Value = serde_saphyr::from_str(manifest.as_str()).unwrap();
            let found = &read["application"]["pods"][0]["vars"]["B"];
            assert_eq!(*found, value, "{}", manifest.as_str());
        },
    );
}

/// For any spelling of a scalar, and any value: the result of an edit restores the file.
#[test]
fn an_edit_returns_the_yaml_that_restores_the_file() {
    let scalars =
        SCALARS
            .split('|')
            .chain(["\"\\x41\\/\"", "a\n        b", "'a\n\n        b'", "~"]);
    let scalar = prop_oneof![
        select(scalars.map(str::to_owned).collect::<Vec<_>>()),
        secret_scalar(),
        "[a-z0-9 '\"#:,&*!|>%@`?-]{1,12}",
    ];
    let value = prop_oneof![any::<String>(), "[a-z0-9 '\"#:,&*!|>%@`?\n-]{0,12}"];
    for_all(
        1500,
        (scalar, value, any::<bool>(), any::<bool>()),
        |(scalar, value, flow, crlf)| {
            let text = file_with(&scalar, flow, crlf);
            let Ok(mut manifest) = Manifest::parse(text.as_str()) else {
                return;
            };
            if let Ok(replaced) = manifest.set("application.pods[0].vars.B", &value) {
                let spec = manifest.spec().unwrap();
                // A comma in a flow collection may begin another variable.
                let mut vars = spec.pods[0].vars.iter();
                let (_, read) = vars.find(|(name, _)| name == "B").unwrap();
                assert_eq!(read.expose(), value);
                manifest
                    .replace("application.pods[web].vars.B", &replaced)
                    .unwrap();
            }
            assert_eq!(manifest.as_str(), text);
        },
    );
}
