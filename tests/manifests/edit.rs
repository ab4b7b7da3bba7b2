//! Edits in place: what changes, what stays, and what is refused.

use super::parse;
use deploykit::ErrorKind;

const FILE: &str = "\u{feff}# The shop ü\r
application:\r
  version: 2.0 # a number\r
  name: 'shop'   # quoted\r
  pods:\r
  - image: ghcr.io/shop/web:1.4.2\t# set by the bot\r
    name: \"web\"\r
    vars: {MODE: live, 'LEVEL': \"in\\x66o\", discovery.type: single-node}\r
\r
  - name: db\r
    tag: <% REGISTRY %>/db:17\r
    env:\r
    # the database\r
    - {key: PORT, value: 5432}\r
    - name: EMPTY\r
      value: ~\r
";

#[test]
fn an_edit_changes_one_scalar() {
    let file = parse(FILE);
    let edited = |old: &str, new: &str| {
        assert_eq!(FILE.matches(old).count(), 1, "{old}");
        FILE.replace(old, new)
    };
    let check =
        |edit: &dyn Fn(&mut deploykit::nexlayer::Manifest) -> String, old: &str, new: &str| {
            let mut manifest = file.clone();
            let replaced = edit(&mut manifest);
            assert_eq!(manifest.as_str(), edited(old, new));
            assert!(old.contains(&replaced), "{replaced}");
        };
    let web = "ghcr.io/shop/web:1.4.2";
    check(
        &|file| file.set_image("web", "nginx:1").unwrap(),
        web,
        "nginx:1",
    );
    let db = "<% REGISTRY %>/db:17";
    for (pod, name, value, old, new) in [
        ("web", "MODE", "preview", "live", "preview"),
        ("web", "LEVEL", "de'\"bug", "\"in\\x66o\"", r#""de'\"bug""#),
        ("web", "discovery.type", "zen", "single-node", "zen"),
    ] {
        check(&|file| file.set_var(pod, name, value).unwrap(), old, new);
    }
    for (path, value, old, new) in [
        ("application.name", "it's", "'shop'", "'it''s'"),
        ("application.version", "3", "2.0", "3"),
        (
            "application.pods[1].tag",
            "<% REGISTRY %>/db:18",
            db,
            "<% REGISTRY %>/db:18",
        ),
        (
            "application.pods[0].vars.discovery.type",
            "zen",
            "single-node",
            "zen",
        ),
        (
            "application.pods[db].env[PORT].value",
            "5433",
            "5432",
            "'5433'",
        ),
        ("application.pods[1].env[EMPTY].value", "full", "~", "full"),
        ("application.pods[web].name", "api", "\"web\"", "\"api\""),
    ] {
        check(&|file| file.set(path, value).unwrap(), old, new);
    }
}

#[test]
fn a_value_gets_quotes_only_if_it_needs_them() {
    for (old, value, expected) in [
        ("info", "a b:c#d", "a b:c#d"),
        ("info", "", "''"),
        ("info", "true", "'true'"),
        ("info", "8080", "'8080'"),
        ("info", "yes", "'yes'"),
        ("info", "1.10", "'1.10'"),
        ("info", "null", "'null'"),
        ("info", " a", "' a'"),
        ("info", "a: b", "'a: b'"),
        ("info", "a #b", "'a #b'"),
        ("info", "*a", "'*a'"),
        ("info", "'a'", "'''a'''"),
        ("info", "a\nb", r#""a\nb""#),
        ("info", "# \u{1b}", r##""# \u001b""##),
        ("info", "1.2.3", "'1.2.3'"),
        ("info", "12e4567", "'12e4567'"),
        ("info", "2026-12-01", "'2026-12-01'"),
        ("info", "2026-12-01 10:00:00", "'2026-12-01 10:00:00'"),
        ("info", "12:30", "'12:30'"),
        ("info", "0x1F", "'0x1F'"),
        ("info", "<<", "'<<'"),
        ("info", "25.06.01-10.00", "25.06.01-10.00"),
        // Variables are strings, whatever was there before.
        ("8080", "9090", "'9090'"),
        ("8080", "1.10", "'1.10'"),
        ("8080", "a", "a"),
        ("true", "false", "'false'"),
        ("true", "on", "'on'"),
        ("yes", "no", "'no'"),
        ("~", "7", "'7'"),
        ("a1b2c3d", "12e4567", "'12e4567'"),
        ("'1'", "a", "'a'"),
        ("'1'", "\t", "'\t'"),
        ("'1'", "a\nb", r#""a\nb""#),
        (r#""1""#, "a", r#""a""#),
        (r#""1""#, "\\\"", r#""\\\"""#),
        // Folded lines become one.
        ("a\n       b", "c", "c"),
        ("'a\n\n       b'", "c", "'c'"),
        ("!!str 1", "2", "!!str '2'"),
    ] {
        let text = |value: &str| {
            format!(
                "application: {{name: abc}}\npods:\n- name: web\n  vars:\n    A: {value} # c\n    B: 1\n"
            )
        };
        let mut file = parse(&text(old));
        let replaced = file.set("pods[web].vars.A", value).unwrap();
        assert_eq!(file.as_str(), text(expected));
        let spec = file.spec().unwrap();
        assert_eq!(spec.pods[0].vars[0].1.expose(), value);
        file.replace("pods[0].vars.A", &replaced).unwrap();
        assert_eq!(file.as_str(), text(old));
    }
    // In a flow collection, more values need quotes.
    let mut file = parse("application: {name: abc, version: info}");
    file.set("application.version", "a, b").unwrap();
    assert_eq!(file.as_str(), "application: {name: abc, version: 'a, b'}");
}

#[test]
fn a_number_or_boolean_stays_plain_only_where_it_replaces_one_outside_of_strings() {
    let text = "application:
  name: abc
  version: 2.0
  pods:
  - name: web
    image: 7
    servicePorts: [80]
    replicas: 1
    useGPU: false
    resources: {limits: {cpu: 2}}
    secrets: [{name: a, data: 123}]
    env: [{name: PORT, value: 5432}]
    healthCheck: {port: 81, path: yes}
";
    for (path, old, value, expected) in [
        ("servicePorts[0]", "80", "8080", "8080"),
        ("servicePorts[0]", "80", "0x50", "'0x50'"),
        ("replicas", "replicas: 1", "3", "replicas: 3"),
        ("replicas", "replicas: 1", "1e3", "replicas: '1e3'"),
        ("replicas", "replicas: 1", "null", "replicas: 'null'"),
        ("useGPU", "false", "true", "true"),
        ("useGPU", "false", "on", "'on'"),
        ("healthCheck.port", "81", "82", "82"),
        ("healthCheck.port", "81", "12e4567", "'12e4567'"),
        ("healthCheck.path", "yes", "true", "'true'"),
        ("image", "7", "8", "'8'"),
        ("resources.limits.cpu", "cpu: 2", "4", "cpu: '4'"),
        ("secrets[a].data", "123", "456", "'456'"),
        ("env[PORT].value", "5432", "5433", "'5433'"),
    ] {
        let mut file = parse(text);
        file.set(&format!("application.pods[web].{path}"), value)
            .unwrap();
        assert_eq!(file.as_str(), text.replacen(old, expected, 1), "{path}");
    }
    for (value, expected) in [("3.0", "3.0"), ("3", "3"), ("3.10", "'3.10'")] {
        let mut file = parse(text);
        file.set("application.version", value).unwrap();
        assert_eq!(file.as_str(), text.replace("2.0", expected));
    }
}

#[test]
fn anchors_aliases_and_block_scalars_are_refused_with_line_and_column() {
    let file = "application: &app
  name: abc
  pods:
  - &web
    name: web
    image: a:1
  - name: api
    image: &image a:1
    vars: &vars # shared
      A: hush
      B: |
        hush
  - name: db
    image: *image
    vars: *vars
    command: >-
      hush
  - name: job
    vars: {<<: *vars, C: &unused hush, D: 'it''s &fine'} # &fine
    secrets: [&list {name: a, data: hush}]
";
    for (path, expected) in [
        (
            "application.pods[web].image",
            "at line 1, column 14: anchors and aliases cannot be edited",
        ),
        (
            "application.pods[job].vars.D",
            "at line 1, column 14: anchors and aliases cannot be edited",
        ),
    ] {
        let error = parse(file).set(path, "x").unwrap_err().to_string();
        assert!(error.contains(expected), "{path}: {error}");
    }
    let file = file.replace(" &app", "");
    for (path, expected) in [
        (
            "application.pods[web].image",
            "at line 4, column 5: anchors and aliases cannot be edited",
        ),
        (
            "application.pods[api].image",
            "at line 8, column 12: anchors and aliases cannot be edited",
        ),
        (
            "application.pods[1].vars.A",
            "at line 9, column 11: anchors and aliases cannot be edited",
        ),
        (
            "application.pods[db].image",
            "at line 14, column 12: anchors and aliases cannot be edited",
        ),
        (
            "application.pods[db].vars.A",
            "at line 15, column 11: anchors and aliases cannot be edited",
        ),
        (
            "application.pods[db].command",
            "at line 17, column 7: only plain and quoted scalars can be edited",
        ),
        (
            "application.pods[job].vars.A",
            "at line 19, column 16: anchors and aliases cannot be edited",
        ),
        (
            "application.pods[job].vars.C",
            "at line 19, column 26: anchors and aliases cannot be edited",
        ),
        (
            "application.pods[job].secrets[a].data",
            "at line 20, column 15: anchors and aliases cannot be edited",
        ),
        (
            "application.pods[api]",
            "at line 7, column 5: only plain and quoted scalars can be edited",
        ),
        (
            "application.pods",
            "at line 4, column 5: only plain and quoted scalars can be edited",
        ),
    ] {
        let mut manifest = parse(&file);
        for error in [
            manifest.set(path, "x").unwrap_err(),
            manifest.replace(path, "x").unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            let error = error.to_string();
            assert!(error.contains(expected), "{path}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
        assert_eq!(manifest.as_str(), file);
    }
    let mut manifest = parse(&file);
    manifest.set_var("job", "D", "x").unwrap();
    assert_eq!(manifest.as_str(), file.replace("'it''s &fine'", "'x'"));
}

#[test]
fn missing_values_and_other_yaml_than_a_scalar_are_refused() {
    let file = "application:\n  name: abc\n  pods: [{name: web, image: a:1, path: }]\n";
    let mut manifest = parse(file);
    for (error, expected) in [
        (
            manifest.set_image("api", "a:1"),
            "the manifest has no application.pods[api].image",
        ),
        (
            manifest.set_var("web", "A", "hush"),
            "has no application.pods[web].vars.A",
        ),
        (
            manifest.set("application.pods[1].image", "a"),
            "has no application.pods[1].image",
        ),
        (
            manifest.set("application.pods.image", "a"),
            "has no application.pods.image",
        ),
        (manifest.set("application.na", "a"), "has no application.na"),
        (
            manifest.set("application.name.x", "a"),
            "has no application.name.x",
        ),
        (
            manifest.set("", "a"),
            "only plain and quoted scalars can be edited",
        ),
        (
            manifest.set("application.pods[0].path", "/"),
            "only plain and quoted scalars can be edited",
        ),
        (
            manifest.set("application.name", " "),
            "the value cannot be written there",
        ),
        (
            manifest.replace("application.name", "7"),
            "the value cannot be written there",
        ),
    ] {
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for yaml in [
        "", "a, x: b", "a}", "[a]", "{a: b}", "&a b", "*a", "!!str a", "a # b", "|\n a", "'a",
        "a\nb: c", "a ", "'a' # b",
    ] {
        let error = manifest
            .replace("application.pods[web].image", yaml)
            .unwrap_err();
        assert!(
            error.to_string().contains("cannot be written there"),
            "{error}"
        );
    }
    assert_eq!(manifest.as_str(), file);
}
