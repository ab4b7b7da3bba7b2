//! The JSON Schema and the lints accept the same manifests: compared on thousands of modified manifests.

#[path = "../../build/yaml.rs"]
mod yaml;

use super::{REAL, canonical, parse};
use deploykit::nexlayer::Manifest;
use jsonschema::Validator;
use proptest::sample::Index;
use proptest::strategy::Strategy;
use serde_json::Value;
use std::collections::HashSet;

/// Values that replace or extend parts of a manifest.
fn probes() -> Vec<Value> {
    const TEXTS: &str = "| |a|ab|abc|A|a-b|-|a.b|a.com|a.technology|a/b:1|a:b:c|a:/1|a:-|<% REGISTRY %>/a|\
        <%REGISTRY%>/a:1|<% REGISTRY %>|<% URL %>|/|/x|x/|80|0|080|65535|65536|+80| 80|1e1|\
        2Gi|2GB|Gi|0Mi|250m|m|1.5|1.|.5|1.5Ki|1.5k|job|deployment|cron|true|null|2.0|x\n|ü|\
        https://a.com|www.a|a..b";
    let mut probes: Vec<Value> = TEXTS.split('|').map(Value::from).collect();
    probes.extend(
        [
            "a".repeat(63),
            "a".repeat(64),
            "a".repeat(65),
            format!("{}.com", "a".repeat(64)),
        ]
        .map(Value::from),
    );
    let values: Vec<Value> = serde_json::from_str(
        r#"[
            null, true, false, 0, 1, 7, 80, 80.0, 1.5, -1, 65535, 65536, 4294967295, 4294967296,
            1e300, -1.0, [], [null], [[]], [80], ["80"], [80, 80], [1.0], ["a", 1, true], [{}],
            [{ "name": "abc" }], [{ "name": null }], [{ "name": 7 }], [{ "name": [] }],
            [{ "key": "A" }], [{ "key": null, "name": "A" }], [{ "key": [], "name": "A" }],
            [{ "key": "A", "value": [] }], [{ "key": "A", "name": [] }], [{ "port": 80 }],
            [{ "port": null, "targetPort": "80" }], [{ "containerPort": 0 }],
            [{ "servicePort": 1, "name": [] }], [{ "port": "a", "targetPort": 80 }],
            [{ "name": "web", "path": "/" }],
            [{ "name": "job", "resourceType": "job", "image": "a:1", "path": "/" }], {},
            { "a": "b" }, { "a": null }, { "a": [] }, { "a": {} }, { "name": "abc" },
            { "name": "abc", "pods": null }, { "name": "abc", "pods": 7 },
            { "cpu": "1", "memory": "1Gi" }, { "cpu": 1 }, { "limits": { "cpu": [] } },
            { "registry": "r", "username": "u", "personalAccessToken": "t" }, { "port": 0 }
        ]"#,
    )
    .unwrap();
    probes.extend(values);
    probes
}

/// Names of known fields, which are also inserted in wrong places.
const KEYS: &str = "name version url domain registryLogin imagePullSecrets pods template application \
    entrypoint command annotations image tag privateTag exposeHttp path servicePorts \
    ports vars env envFile volumes secrets args useGPU resourceType replicas resources \
    subdomain healthCheck size mountPath type readOnly data fileName requests limits \
    cpu memory registry username personalAccessToken key value port odd";

/// Collects the JSON pointers to a value and all nested values.
fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{path}/{index}"), found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                pointers(
                    item,
                    &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        _ => {}
    }
}

/// Each real manifest, with the pointers that no earlier manifest has. List positions are ignored.
fn new_pointers() -> Vec<(Value, Vec<String>)> {
    let mut seen = HashSet::new();
    let mut fresh = |pointer: &String| {
        let steps = pointer
            .split('/')
            .filter(|step| step.parse::<usize>().is_err());
        seen.insert(steps.collect::<Vec<_>>().join("/"))
    };
    let of = |base: Value| {
        let mut all = Vec::new();
        pointers(&base, "", &mut all);
        all.retain(&mut fresh);
        (base, all)
    };
    real().into_iter().map(of).collect()
}

/// Compares the schema with the lints.
struct Comparison(Validator);

impl Comparison {
    fn new() -> Self {
        Self(jsonschema::validator_for(&Manifest::json_schema().to_value()).unwrap())
    }

    /// Whether schema and lints accept a manifest. Panics if they disagree.
    fn accepts(&self, value: &Value) -> bool {
        // JSON is valid YAML.
        let text = value.to_string();
        let warnings = Manifest::parse(text.as_str()).map(|manifest| {
            let warnings = manifest.lint().into_iter();
            let warnings = warnings.filter(|warning| warning.rule.is_in_schema());
            warnings.collect::<Vec<_>>()
        });
        let accepted = warnings.as_ref().is_ok_and(Vec::is_empty);
        assert_eq!(self.0.is_valid(value), accepted, "{text}\n{warnings:?}");
        accepted
    }
}

fn read(text: &str) -> Value {
    serde_saphyr::from_str_with_options(text, yaml::options()).unwrap()
}

fn real() -> Vec<Value> {
    REAL.iter().map(|(_, text)| read(text)).collect()
}

#[test]
fn schema_and_lints_agree_on_real_manifests() {
    let comparison = Comparison::new();
    let accepted = real()
        .iter()
        .filter(|value| comparison.accepts(value))
        .count();
    assert_eq!(accepted, 6, "manifests in the current format");
    for (_, text) in REAL {
        let written = canonical(&parse(text));
        comparison.accepts(&read(written.as_str()));
    }
}

#[test]
fn schema_and_lints_agree_on_one_replaced_value() {
    let comparison = Comparison::new();
    let probes = probes();
    let mut counts = [0_usize; 2];
    for (base, all) in new_pointers() {
        for pointer in &all {
            for probe in &probes {
                let mut changed = base.clone();
                *changed.pointer_mut(pointer).unwrap() = probe.clone();
                counts[usize::from(comparison.accepts(&changed))] += 1;
            }
        }
    }
    assert!(counts.iter().all(|count| *count > 500), "{counts:?}");
}

#[test]
fn schema_and_lints_agree_on_an_added_or_removed_field() {
    let comparison = Comparison::new();
    let probes = probes();
    let mut next_probe = 0;
    for (base, all) in new_pointers() {
        for pointer in &all {
            let Some(map) = base.pointer(pointer).and_then(Value::as_object) else {
                continue;
            };
            let change = |edit: &dyn Fn(&mut serde_json::Map<String, Value>)| {
                let mut changed = base.clone();
                let map = changed.pointer_mut(pointer).and_then(Value::as_object_mut);
                edit(map.unwrap());
                comparison.accepts(&changed);
            };
            for key in map.keys() {
                change(&|map| drop(map.remove(key)));
            }
            for key in KEYS.split(' ').filter(|key| !map.contains_key(*key)) {
                for _ in 0..2 {
                    next_probe = (next_probe + 7) % probes.len();
                    let probe = &probes[next_probe];
                    change(&|map| drop(map.insert(key.to_owned(), probe.clone())));
                }
            }
        }
    }
}

#[test]
fn schema_and_lints_agree_on_several_changes() {
    let comparison = Comparison::new();
    let (bases, probes) = (real(), probes());
    let keys: Vec<_> = KEYS.split(' ').collect();
    let index = proptest::arbitrary::any::<Index>;
    let changes = proptest::collection::vec((index(), index(), index(), proptest::bool::ANY), 2..5);
    let mut runner = proptest::test_runner::TestRunner::new(proptest::test_runner::Config {
        cases: 1000,
        failure_persistence: None,
        ..Default::default()
    });
    let strategy = (index(), changes).prop_map(|(base, changes)| {
        let mut value = bases[base.index(bases.len())].clone();
        for (index, probe, key, adds) in changes {
            let mut all = Vec::new();
            pointers(&value, "", &mut all);
            let target = value
                .pointer_mut(index.get(all.as_slice()).as_str())
                .unwrap();
            let probe = probes[probe.index(probes.len())].clone();
            match target.as_object_mut() {
                Some(map) if adds => {
                    map.insert(key.get(&keys).to_string(), probe);
                }
                _ => *target = probe,
            }
        }
        value
    });
    runner
        .run(&strategy, |value| {
            comparison.accepts(&value);
            // Also checks the canonical form.
            let manifest = Manifest::parse(value.to_string());
            if let Ok(manifest) = manifest
                && manifest.spec().is_ok()
            {
                canonical(&manifest);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn schema_is_valid_json_schema() {
    let value = Manifest::json_schema().to_value();
    assert!(jsonschema::meta::is_valid(&value));
    let draft = "https://json-schema.org/draft/2020-12/schema";
    assert_eq!(value["$schema"], draft);
}
