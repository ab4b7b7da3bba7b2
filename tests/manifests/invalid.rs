//! Invalid manifests. Errors contain the position, but no values.

use super::parse;
use deploykit::nexlayer::Manifest;
use deploykit::nexlayer::manifest::Rule;
use deploykit::{Effect, Error, ErrorKind};
use std::time::{Duration, Instant};

fn assert_refused(error: &Error, expected: &str) {
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::InvalidRequest, Effect::None)
    );
    let output = format!("{error} {error:?}");
    assert!(output.contains(expected), "{expected:?} is not in {output}");
    assert!(!output.contains("hush"), "{output}");
}

#[test]
fn invalid_yaml_is_refused() {
    for (text, expected) in [
        ("", "is empty"),
        (" \n\t\n", "is empty"),
        (
            "application:\n  name: [hush\n",
            "not valid YAML at line 2, column 9",
        ),
        ("application:\n\tname: hush\n", "not valid YAML at line 2"),
        (
            "application: {name: a}\nhush: 1\nhush: 2\n",
            "line 3, column 1: duplicate key",
        ),
        (
            "application: {name: a}\n---\napplication: {name: hush}\n",
            "line 3, column 1: a second document starts here",
        ),
        (
            "application: {name: a}\nx: *hush\n",
            "line 2, column 4: the alias has no anchor",
        ),
        (
            "application: {name: a}\nx: &hush [*hush]\n",
            "the anchor contains its own alias",
        ),
        (
            "application: {name: a}\nx: {<<: hush}\n",
            "<< requires a map",
        ),
        (
            "application: {name: a}\n? [hush]\n: 1\n",
            "line 2, column 3: a key must be a string",
        ),
    ] {
        assert_refused(&Manifest::parse(text).unwrap_err(), expected);
    }
    let not_utf8 = Manifest::from_bytes(b"application: {name: \xfe\xff}".as_slice()).unwrap_err();
    assert_refused(&not_utf8, "not UTF-8");
}

#[test]
fn size_expanded_size_and_depth_are_limited() {
    let large = "x".repeat(Manifest::MAX_BYTES);
    let large = format!("application: {{name: a}}\n# {large}\n");
    let mut bomb = "application: {name: a}\na0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..12 {
        let aliases = vec![format!("*a{}", n - 1); 9].join(",");
        bomb.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
    }
    let repeated = vec!["*a"; 400].join(",");
    let long = "hush".repeat(1 << 18);
    let long = format!("application: {{name: a}}\na: &a {long}\nb: [{repeated}]\n");
    // The top-level map counts as one level.
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        format!("application: {{name: a}}\na: {open}{close}\n")
    };
    assert!(Manifest::parse(nested(24)).is_ok());
    for (text, expected) in [
        (large, "larger than 10 MiB"),
        (bomb, "with all aliases expanded"),
        (long, "with all aliases expanded"),
        (nested(25), "nested too deeply"),
    ] {
        assert_refused(&Manifest::parse(text).unwrap_err(), expected);
    }
}

#[test]
fn unreadable_values_are_refused_by_spec_but_not_by_parse() {
    for (fields, expected) in [
        (
            "image: [hush]",
            ".image, line 5, column 12: a string is expected here, not a list",
        ),
        (
            "servicePorts: [80, hush]",
            ".servicePorts[1], line 5, column 24: a port, 1 to 65535, is expected here, not a string",
        ),
        (
            "servicePorts: [{name: hush}]",
            ".servicePorts[0], line 5, column 20: the port is missing",
        ),
        (
            "vars: hush",
            ".vars, line 5, column 11: a map of variables is expected here, not a string",
        ),
        (
            "vars: [hush]",
            ".vars[0], line 5, column 12: a map is expected here, not a string",
        ),
        (
            "vars: {A: {hush: hush}}",
            ".vars.A, line 5, column 15: a single value is expected here, not a map",
        ),
        (
            "secrets: [{name: a, data: {hush: hush}}]",
            ".secrets[0].data, line 5, column 31: a string is expected here, not a map",
        ),
        (
            "replicas: -1",
            ".replicas, line 5, column 15: a whole number",
        ),
        (
            "volumes: [{size: hush}, {size: hush}]",
            ".volumes[0], line 5, column 15: the name is missing (and 1 more)",
        ),
    ] {
        let text = format!("application:\n  name: hush\n  pods:\n  - name: web\n    {fields}\n");
        let manifest = parse(&text);
        assert_refused(
            &manifest.spec().unwrap_err(),
            &format!("application.pods[0]{expected}"),
        );
        let warnings = manifest.lint();
        assert!(
            warnings
                .iter()
                .any(|warning| warning.rule == Rule::Unreadable)
        );
        assert_eq!(manifest.as_str(), text);
    }
}

#[test]
fn parse_time_grows_linearly_with_the_size() {
    let cases: [(&str, &dyn Fn(usize) -> String); 5] = [
        ("", &|n| format!("  k{n}: 1\n")),
        ("  pods:\n  - name: web\n    vars:\n", &|n| {
            format!("      K{n}: http://p{n}.pod/<% URL %>\n")
        }),
        ("  pods:\n", &|n| {
            format!("  - {{name: p{n}, volumes: [{{name: d}}]}}\n")
        }),
        ("  pods:\n  - name: web\n    servicePorts:\n", &|n| {
            format!("    - {}\n", n % 65_535 + 1)
        }),
        ("  pods:\n  - name: web\n    command: >\n", &|n| {
            format!("      a{n}.pod <% X %> ${{A}} <% \n")
        }),
    ];
    for (head, item) in cases {
        let [small, large] = [2_000, 8_000].map(|count| {
            let items: String = (0..count).map(item).collect();
            let text = format!("application:\n  name: abc\n{head}{items}");
            let start = Instant::now();
            let manifest = parse(&text);
            let _ = (manifest.spec(), manifest.lint());
            start.elapsed()
        });
        // Linear growth is 4 times, quadratic 16 times. One second allows for a busy machine.
        let bound = small * 10 + Duration::from_secs(1);
        assert!(large < bound, "{head}: {small:?}, then {large:?}");
    }
}
