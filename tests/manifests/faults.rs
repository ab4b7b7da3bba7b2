//! Files that are broken, or cannot be read into values: the error says where and shows no value.

use super::parse;
use deploykit::nexlayer::Manifest;
use deploykit::{Effect, Error, ErrorKind};
use std::time::{Duration, Instant};

fn refused(error: &Error, words: &str) {
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::InvalidRequest, Effect::None)
    );
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(words), "{words:?} is not in {shown}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn what_is_no_manifest() {
    for (text, words) in [
        ("", "is empty"),
        (" \n\t\n", "is empty"),
        (
            "application:\n  name: [hush\n",
            "not valid YAML at line 2, column 9",
        ),
        ("application:\n\tname: hush\n", "not valid YAML at line 2"),
        (
            "application: {name: a}\nhush: 1\nhush: 2\n",
            "line 3, column 1: a key is there twice",
        ),
        (
            "application: {name: a, pods: [{vars: {hush: 1, hush: 2}}]}",
            "line 1, column 48: a key is there twice",
        ),
        (
            "application: {name: a}\n---\napplication: {name: hush}\n",
            "line 3, column 1: a second document starts there",
        ),
        (
            "application: {name: a}\nx: *hush\n",
            "line 2, column 4: an alias has no anchor",
        ),
        (
            "application: {name: a}\nx: &hush [*hush]\n",
            "an anchor holds an alias of itself",
        ),
        ("application: {name: a}\nx: {<<: hush}\n", "<< takes a map"),
        (
            "application: {name: a}\n? [hush]\n: 1\n",
            "line 2, column 3: a key is expected to be a text",
        ),
        ("application: {name: [hush]}", "no application.name"),
        ("hush", "no application.name"),
    ] {
        refused(&Manifest::parse(text).unwrap_err(), words);
    }
    let wide = Manifest::from_bytes(b"application: {name: \xfe\xff}".as_slice()).unwrap_err();
    refused(&wide, "not UTF-8");
}

#[test]
fn what_is_too_large() {
    let large = format!(
        "application: {{name: a}}\n# {}\n",
        "x".repeat(Manifest::MAX_BYTES)
    );
    refused(
        &Manifest::parse(large).unwrap_err(),
        "10485760 bytes (10 MiB)",
    );

    let mut bomb = "application: {name: a}\na0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..12 {
        let aliases = vec![format!("*a{}", n - 1); 9].join(",");
        bomb.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
    }
    refused(
        &Manifest::parse(bomb).unwrap_err(),
        "with its aliases written out",
    );

    let repeated = vec!["*a"; 400].join(",");
    let long = format!(
        "application: {{name: a}}\na: &a {}\nb: [{repeated}]\n",
        "hush".repeat(1 << 18)
    );
    let error = Manifest::parse(long).map(|manifest| manifest.spec().map(|_| ()));
    match error {
        Ok(read) => refused(&read.unwrap_err(), "with its aliases written out"),
        Err(error) => refused(&error, "with its aliases written out"),
    }

    let deep = format!(
        "application: {{name: a}}\na: {}{}\n",
        "[".repeat(100),
        "]".repeat(100)
    );
    refused(&Manifest::parse(deep).unwrap_err(), "nested deeper");
}

#[test]
fn types_that_no_generation_has() {
    let pods =
        |pod: &str| format!("application:\n  name: hush\n  pods:\n  - name: web\n    {pod}\n");
    for (text, words) in [
        (
            pods("image: [hush]"),
            "application.pods[0].image, line 5, column 12: a text is expected here, not a list",
        ),
        (
            pods("servicePorts: [80, hush]"),
            "application.pods[0].servicePorts[1], line 5, column 24: a port, 1 to 65535, is expected here, not a text",
        ),
        (
            pods("servicePorts: [{name: hush}]"),
            "application.pods[0].servicePorts[0], line 5, column 20: it has no port",
        ),
        (
            pods("vars: hush"),
            "application.pods[0].vars, line 5, column 11: a map of variables is expected here, not a text",
        ),
        (
            pods("vars: [hush]"),
            "application.pods[0].vars[0], line 5, column 12: a map is expected here, not a text",
        ),
        (
            pods("vars: {A: {hush: hush}}"),
            "application.pods[0].vars.A, line 5, column 15: a single value is expected here, not a map",
        ),
        (
            pods("secrets: [{name: a, data: [hush]}]"),
            "application.pods[0].secrets[0].data, line 5, column 31: a text",
        ),
        (
            pods("replicas: -1"),
            "application.pods[0].replicas, line 5, column 15: a whole number",
        ),
        (
            pods("volumes: [{size: hush}, {size: hush}]"),
            "application.pods[0].volumes[0], line 5, column 15: it has no name, and 1 more of the kind",
        ),
        (
            "application: {name: a, pods: hush}".to_owned(),
            "application.pods, line 1, column 30: a list is expected here, not a text",
        ),
        (
            "application: {name: a, registryLogin: hush}".to_owned(),
            "application.registryLogin, line 1, column 39: a map",
        ),
        (
            "application: {name: a, pods: [\n? [hush]\n: 1\n]}".to_owned(),
            "line 2, column 3: a key is expected to be a text",
        ),
    ] {
        // It is sent all the same: the platform may know what it means.
        let manifest = parse(&text);
        refused(&manifest.spec().unwrap_err(), words);
        refused(&manifest.canonical().unwrap_err(), words);
        assert!(
            manifest
                .lint()
                .iter()
                .any(|one| one.rule.name() == "unreadable"),
            "{text}"
        );
        assert_eq!(manifest.as_str(), text);
    }
}

/// Files as large as they may be, of the kinds that cost the most.
#[test]
fn the_time_grows_with_the_size_alone() {
    let repeat = |head: &str, item: &dyn Fn(usize) -> String, count: usize| {
        let items: String = (0..count).map(item).collect();
        format!("application:\n  name: abc\n{head}{items}")
    };
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
        let mut times = Vec::new();
        for count in [2_000, 8_000] {
            let text = repeat(head, item, count);
            let start = Instant::now();
            let manifest = parse(&text);
            let _ = (manifest.spec(), manifest.lint());
            times.push(start.elapsed());
        }
        let [small, large] = times.as_slice() else {
            panic!("{times:?}")
        };
        // Four times as much; sixteen times would be quadratic. Machines are busy now and then.
        let bound = *small * 10 + Duration::from_secs(1);
        assert!(*large < bound, "{head}: {small:?}, then {large:?}");
    }
}
