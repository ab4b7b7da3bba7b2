//! `AppSpec`: parsing of every form, the builder, and the canonical form.

use super::{REAL, canonical, parse};
use deploykit::nexlayer::manifest::{
    AppSpec, Pod, Quantities, RegistryLogin, ResourceType, Resources, Rule, SecretFile, Volume,
};

fn spec(text: &str) -> AppSpec {
    let spec = parse(text).spec();
    spec.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn real(name: &str) -> AppSpec {
    let found = REAL.iter().find(|(known, _)| *known == name);
    spec(found.unwrap().1)
}

/// Parses the only pod of an application, given its fields in flow style.
fn pod(fields: &str) -> Pod {
    let text = format!("application: {{name: abc, pods: [{{name: web, {fields}}}]}}");
    spec(&text).pods.remove(0)
}

fn vars(pod: &Pod) -> Vec<(&str, &str)> {
    let pairs = pod.vars.iter();
    pairs
        .map(|(key, value)| (key.as_str(), value.expose()))
        .collect()
}

#[test]
fn real_manifests_keep_text_and_values() {
    for (name, text) in REAL {
        let manifest = parse(text);
        canonical(&manifest);
        assert_eq!(manifest.as_str(), text, "{name}");
        let debug = format!("{:?} {:?}", manifest.spec(), manifest.lint());
        assert!(!debug.contains("hush"), "{name}: {debug}");
    }
}

#[test]
fn variables_keep_their_spelling() {
    for fields in [
        "vars: {A: 1, B: 'x', C: 1.10, D: , E: true, F: 0x1F}",
        "env: {A: 1, B: 'x', C: 1.10, D: null, E: true, F: 0x1F}",
        "vars: [{key: A, value: 1}, {key: B, value: x}, {key: C, value: 1.10}, {key: D}, {key: E, value: true}, {key: F, value: 0x1F}]",
        "env: [{name: A, value: 1}, {name: B, value: x}, {name: C, value: 1.10}, {name: D, value: }, {name: E, value: true}, {name: F, value: 0x1F}]",
        "vars: {A: 1, B: 'x'}, env: [{name: C, value: 1.10}, {name: D, value: ''}, {key: E, value: true}, {key: F, value: '0x1F'}, {key: A, value: 2}]",
    ] {
        let expected = [
            ("A", "1"),
            ("B", "x"),
            ("C", "1.10"),
            ("D", ""),
            ("E", "true"),
            ("F", "0x1F"),
        ];
        assert_eq!(vars(&pod(fields)), expected, "{fields}");
    }
    assert_eq!(
        vars(&pod("vars: {A: &a x, B: *a, 8: y}")),
        [("A", "x"), ("B", "x"), ("8", "y")]
    );
    let merged = "application:\n  name: abc\n  pods:\n  - name: one\n    vars: &v {A: 1.0, B: 2}\n  - name: two\n    vars: {<<: *v, B: 3}\n";
    assert_eq!(vars(&spec(merged).pods[1]), [("B", "3"), ("A", "1.0")]);
}

#[test]
fn ports_are_parsed_in_every_form() {
    for fields in [
        "servicePorts: [80, 65535]",
        "servicePorts: ['80', \"65535\"]",
        "servicePorts: [{port: 80}, {name: b, port: '65535', targetPort: 8080, protocol: UDP}]",
        "ports: [{containerPort: 80, name: a}, {containerPort: 1, servicePort: 65535}]",
        "servicePorts: [80.0], ports: [65535]",
        "servicePorts: , ports: [80, 65535]",
    ] {
        assert_eq!(pod(fields).service_ports, [80, 65535], "{fields}");
    }
}

#[test]
fn volumes_and_secrets_are_parsed() {
    let read = pod(
        "volumes: [{name: a, size: 1Gi, mountPath: /a}, {name: b, size: 2Mi, path: /b, type: persistent}, {name: c}], secrets: [{name: a, data: 12, fileName: f, path: /a}]",
    );
    let [a, b, c] = read.volumes.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!(
        (a.mount_path.as_deref(), b.mount_path.as_deref()),
        (Some("/a"), Some("/b"))
    );
    assert_eq!((b.size.as_deref(), &c.mount_path), (Some("2Mi"), &None));
    assert_eq!(b.others.get("type").unwrap(), "persistent");
    let secret = &read.secrets[0];
    assert_eq!(secret.data.as_ref().unwrap().expose(), "12");
    assert_eq!(secret.file_name.as_deref(), Some("f"));
    assert_eq!(secret.mount_path.as_deref(), Some("/a"));
}

#[test]
fn older_names_and_forms_are_parsed() {
    let top = real("pods at the top");
    assert_eq!(
        (top.name.as_str(), top.pods[0].name.as_str()),
        ("My MERN App", "web")
    );
    let resources = top.pods[0].resources.as_ref().unwrap();
    assert_eq!(resources.requests.cpu.as_deref(), Some("0.5"));
    assert_eq!(resources.requests, resources.limits);

    let plugin = real("the first schema of the plugin");
    assert_eq!(plugin.url.as_deref(), Some("example.org"));
    let login = plugin.others.get("imagePullSecrets").unwrap();
    assert_eq!(login[0]["username"], "me");
    assert_eq!(plugin.pods[0].others.get("envFile").unwrap(), "./.env");

    let second = real("version 2");
    assert_eq!(second.version.as_deref(), Some("2.0"));
    assert_eq!(second.pods[1].resource_type, Some(ResourceType::Job));
    assert_eq!(second.pods[2].replicas, Some(3));
    assert_eq!(second.pods[0].subdomain.as_deref(), Some("www"));
    let both = pod("image: 'a:1', tag: 'b:1'");
    assert_eq!(both.image.as_deref(), Some("a:1"), "the current name wins");
}

#[test]
fn builder_writes_the_canonical_form() {
    let spec = AppSpec::new("guestbook")
        .version("2.0")
        .url("example.com")
        .registry_login(RegistryLogin::new("ghcr.io", "me", "hush-token"))
        .pod(
            Pod::new("web", "<% REGISTRY %>/guestbook:1.4.2")
                .path("/")
                .subdomain("www")
                .port(3000)
                .var("PORT", "3000")
                .var("YES", "yes")
                .var("LINES", "a\n b\n\n")
                .var("EMPTY", "")
                .var("ODD", "\u{feff}\u{85}\t\"'\\ # : {")
                .command("serve --token hush")
                .entrypoint("/bin/sh")
                .use_gpu(true)
                .replicas(2_u32)
                .resource_type(ResourceType::Deployment)
                .resources(Resources::new(
                    Quantities::new("250m", "256Mi"),
                    Quantities::new("1", "1Gi"),
                ))
                .volume(Volume::new("data", "2Gi", "/data"))
                .secret(
                    SecretFile::new("key", "key.pem", "-----BEGIN\nhush\n-----END\n")
                        .mount_path("/keys"),
                ),
        );
    let manifest = spec.manifest().unwrap();
    assert_eq!(manifest.spec().unwrap(), spec);
    assert!(manifest.lint().is_empty(), "{:?}", manifest.lint());
    let expected = "application:\n  name: guestbook\n  version: \"2.0\"\n  url: example.com\n  registryLogin:\n    registry: ghcr.io\n    username: me\n    personalAccessToken: hush-token\n  pods:\n  - name: web\n    path: /\n    image: <% REGISTRY %>/guestbook:1.4.2\n    resourceType: deployment\n    replicas: 2\n";
    assert!(manifest.as_str().starts_with(expected));
    let output = format!("{spec:?}{manifest:?}");
    assert!(!output.contains("hush"), "{output}");
    assert!(
        output.contains("registry_login: Some(RegistryLogin(<redacted>))"),
        "{output}"
    );
}

#[test]
fn builder_refuses_values_that_violate_the_schema() {
    let web = || Pod::new("web", "nginx:1.29").path("/").port(80);
    let app = || AppSpec::new("abc");
    assert!(app().pod(web()).manifest().is_ok());
    for (spec, expected) in [
        (
            AppSpec::new("My App").pod(web()),
            "application.name, line 2, column 9",
        ),
        (AppSpec::new(""), "application.name"),
        (app(), "there are no pods"),
        (app().pod(web().port(0)), "servicePorts[1]"),
        (app().pod(web().replicas(0_u32)), "replicas"),
        (
            app().pod(web().volume(Volume::new("hush!", "2 GB", "/a"))),
            "volumes[0].name",
        ),
        (
            app().pod(web().var("A", "hush").var("A", "hush")),
            "duplicate key",
        ),
    ] {
        let error = spec.manifest().unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} is not in {error}");
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn unknown_fields_are_kept() {
    let text = "application:\n  name: abc\n  odd: [1, {a: null}]\n  pods:\n  - name: web\n    odd: {x: 1.5}\n    args: [a]\n    volumes: [{name: data, odd: 1}]\n    secrets: [{name: key, odd: hush}]\n    resources: {odd: 1, limits: {odd: 2}}\n  registryLogin: {odd: 4}\n";
    let manifest = parse(text);
    let written = canonical(&manifest);
    assert_eq!(written.as_str().matches("odd:").count(), 7, "{written:?}");
    let warnings = manifest.lint();
    let unknown = warnings
        .iter()
        .filter(|warning| warning.rule == Rule::UnknownField);
    assert_eq!(unknown.count(), 7);
    assert!(!format!("{:?}", manifest.spec()).contains("hush"));
}
