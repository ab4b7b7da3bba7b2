//! What is read of every form, and what is written.

use super::{REAL, canonical, parse};
use deploykit::nexlayer::Manifest;
use deploykit::nexlayer::manifest::{
    AppSpec, Pod, Quantities, RegistryLogin, ResourceType, Resources, Rule, SecretFile, Size,
    Volume,
};

fn spec(text: &str) -> AppSpec {
    let manifest = parse(text);
    manifest
        .spec()
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn real(name: &str) -> AppSpec {
    let found = REAL.iter().find(|(known, _)| *known == name);
    spec(found.unwrap().1)
}

/// The only pod of an application, given its fields in flow style.
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
fn every_real_manifest_is_read_and_its_canonical_form_says_the_same() {
    for (name, text) in REAL {
        let manifest = parse(text);
        let spec = manifest
            .spec()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        canonical(&manifest);
        assert_eq!(manifest.as_str(), text, "{name}: the bytes are not kept");
        let debug = format!("{spec:?} {spec:#?} {:?}", manifest.lint());
        assert!(!debug.contains("hush"), "{name}: {debug}");
    }
}

#[test]
fn variables() {
    for fields in [
        "vars: {A: 1, B: 'x', C: 1.10, D: , E: true, F: 0x1F}",
        "env: {A: 1, B: 'x', C: 1.10, D: null, E: true, F: 0x1F}",
        "vars: [{key: A, value: 1}, {key: B, value: x}, {key: C, value: 1.10}, {key: D}, {key: E, value: true}, {key: F, value: 0x1F}]",
        "env: [{name: A, value: 1}, {name: B, value: x}, {name: C, value: 1.10}, {name: D, value: }, {name: E, value: true}, {name: F, value: 0x1F}]",
        "vars: {A: 1, B: 'x'}, env: [{name: C, value: 1.10}, {name: D, value: ''}, {key: E, value: true}, {key: F, value: '0x1F'}]",
    ] {
        // As they are spelled: a program that reads 1.10 as a number would make 1.1 of it.
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
    let merged = spec(merged);
    assert_eq!(vars(&merged.pods[1]), [("B", "3"), ("A", "1.0")]);
}

#[test]
fn ports() {
    let numbers = |fields: &str| -> Vec<u16> {
        pod(fields)
            .service_ports
            .iter()
            .map(|port| port.port)
            .collect()
    };
    for fields in [
        "servicePorts: [80, 65535]",
        "servicePorts: ['80', \"65535\"]",
        "servicePorts: [{port: 80}, {name: b, port: '65535', targetPort: 8080, protocol: UDP}]",
        "ports: [{containerPort: 80, servicePort: 80, name: a}, {containerPort: 65535}]",
        "servicePorts: [80.0], ports: [65535]",
        "servicePorts: , ports: [80, 65535]",
    ] {
        assert_eq!(numbers(fields), [80, 65535], "{fields}");
    }
    let mapped = pod("servicePorts: [{name: http, port: 80, targetPort: 3000, protocol: udp}]");
    let port = &mapped.service_ports[0];
    assert_eq!((port.port, port.target_port), (80, Some(3000)));
    assert_eq!(port.protocol.as_deref(), Some("udp"));
    assert_eq!(port.name.as_deref(), Some("http"));
    // A mapping says more than a number can.
    let yaml = AppSpec::new("abc").pod(mapped).to_yaml();
    let expected = "    servicePorts:\n    - name: http\n      port: 80\n      targetPort: 3000\n      protocol: udp\n";
    assert!(yaml.contains(expected), "{yaml}");
    let same = pod("servicePorts: [{name: http, port: 80, targetPort: 80, protocol: TCP}]");
    let yaml = AppSpec::new("abc").pod(same).to_yaml();
    assert!(yaml.contains("    servicePorts:\n    - 80\n"), "{yaml}");
}

#[test]
fn volumes_and_secrets() {
    let read = pod(
        "volumes: [{name: a, size: 1Gi, mountPath: /a}, {name: b, size: 2Mi, path: /b, type: persistent}, {name: c}]",
    );
    let mounts: Vec<_> = read
        .volumes
        .iter()
        .map(|volume| volume.mount_path.as_deref())
        .collect();
    assert_eq!(mounts, [Some("/a"), Some("/b"), None]);
    assert_eq!(read.volumes[1].size, Some(Size::mib(2)));
    assert_eq!(read.volumes[1].others.get("type").unwrap(), "persistent");
    assert_eq!(read.volumes[1].others.keys().collect::<Vec<_>>(), ["type"]);

    let read = pod(
        "secrets: [{name: a, data: x, fileName: f, mountPath: /a}, {name: b, data: {g: y}}, {name: c, data: {h: z, i: w}, path: /c}, {name: d, data: 12}]",
    );
    let [a, b, c, d] = read.secrets.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!(a.data.as_ref().unwrap().expose(), "x");
    // A single file by its name is what is written with fileName today.
    assert_eq!((b.file_name.as_deref(), b.files.len()), (Some("g"), 0));
    assert_eq!(b.data.as_ref().unwrap().expose(), "y");
    assert_eq!(
        (c.data.as_ref(), c.mount_path.as_deref()),
        (None, Some("/c"))
    );
    let files: Vec<_> = c
        .files
        .iter()
        .map(|(name, data)| (name.as_str(), data.expose()))
        .collect();
    assert_eq!(files, [("h", "z"), ("i", "w")]);
    assert_eq!(d.data.as_ref().unwrap().expose(), "12");
}

#[test]
fn applications_of_every_generation() {
    let top = real("pods at the top");
    assert_eq!(
        (top.name.as_str(), top.pods[0].name.as_str()),
        ("My MERN App", "web")
    );
    let resources = top.pods[0].resources.as_ref().unwrap();
    assert_eq!(resources.requests.cpu.as_deref(), Some("0.5"));
    assert_eq!(resources.requests, resources.limits);

    let first = real("the first generation");
    assert_eq!(first.name, "legacy");
    assert_eq!(
        first.others.get("template").unwrap()["deploymentName"],
        "Legacy"
    );
    let login = first.registry_login.as_ref().unwrap();
    assert_eq!(
        login.personal_access_token.as_ref().unwrap().expose(),
        "hush"
    );
    assert_eq!(first.pods[0].image.as_deref(), Some("mongo:4"));
    assert_eq!(first.pods[0].others.get("exposeHttp").unwrap(), false);

    let plugin = real("the first schema of the plugin");
    assert_eq!(plugin.url.as_deref(), Some("example.org"));
    let login = plugin.registry_login.as_ref().unwrap();
    assert_eq!(login.username.as_deref(), Some("me"));
    assert_eq!(
        plugin.others.get("imagePullSecrets").unwrap()[0]["username"],
        "you"
    );
    let check = plugin.pods[0].health_check.as_ref().unwrap();
    assert_eq!((check.port, check.period_seconds), (Some(80), Some(10)));
    assert_eq!(plugin.pods[0].others.get("envFile").unwrap(), "./.env");

    let second = real("version 2");
    assert_eq!(second.version.as_deref(), Some("2.0"));
    assert_eq!(second.pods[1].resource_type, Some(ResourceType::Job));
    assert_eq!(second.pods[2].replicas, Some(3));
    assert_eq!(second.pods[0].subdomain.as_deref(), Some("www"));
    // Where old and new names are given, the new one counts.
    let both = pod("image: 'a:1', tag: 'b:1'");
    assert_eq!(both.image.as_deref(), Some("a:1"));
    let words = pod("command: [redis-server, --requirepass, 'it''s, hush']");
    assert_eq!(
        words.command.unwrap().expose(),
        r"redis-server --requirepass 'it'\''s, hush'"
    );
}

#[test]
fn what_is_built_is_canonical() {
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
                .volume(Volume::new("data", Size::gib(2), "/data"))
                .secret(
                    SecretFile::new("key", "key.pem", "-----BEGIN\nhush\n-----END\n")
                        .mount_path("/keys"),
                ),
        );
    let manifest = spec.manifest().unwrap();
    assert_eq!(manifest.spec().unwrap(), spec);
    assert!(manifest.lint().is_empty(), "{:?}", manifest.lint());
    let expected = "application:\n  name: guestbook\n  version: \"2.0\"\n  url: example.com\n  registryLogin:\n    registry: ghcr.io\n    username: me\n    personalAccessToken: hush-token\n  pods:\n  - name: web\n    path: /\n    image: <% REGISTRY %>/guestbook:1.4.2\n    resourceType: deployment\n    replicas: 2\n";
    assert!(
        manifest.as_str().starts_with(expected),
        "{}",
        manifest.as_str()
    );
    assert!(!format!("{spec:?}{manifest:?}").contains("hush"));
}

#[test]
fn what_the_canonical_schema_refuses_is_not_built() {
    let web = || Pod::new("web", "nginx:1.29").path("/").port(80);
    assert!(AppSpec::new("abc").pod(web()).manifest().is_ok());
    for (spec, words) in [
        (
            AppSpec::new("My App").pod(web()),
            "application.name, line 2, column 9",
        ),
        (AppSpec::new(""), "application.name"),
        (AppSpec::new("abc"), "there are no pods"),
        (AppSpec::new("abc").pod(web().port(0)), "servicePorts[1]"),
        (
            AppSpec::new("abc").pod(Pod::new("web", "nginx").path("/").port(80)),
            "image",
        ),
        (AppSpec::new("abc").pod(web().replicas(0_u32)), "replicas"),
        (
            AppSpec::new("abc").url("https://a.example").pod(web()),
            "application.url",
        ),
        (
            AppSpec::new("abc").pod(web().volume(Volume::new("hush!", Size::from("2 GB"), "/a"))),
            "volumes[0].name",
        ),
    ] {
        let error = spec.manifest().unwrap_err();
        assert!(
            error.to_string().contains(words),
            "{words:?} is not in {error}"
        );
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}

#[test]
fn unknown_fields_are_kept() {
    let text = "application:\n  name: abc\n  odd: [1, {a: null}]\n  pods:\n  - name: web\n    odd: {x: 1.5}\n    args: [a]\n    volumes: [{name: data, odd: 1}]\n    secrets: [{name: key, odd: hush}]\n    resources: {odd: 1, limits: {odd: 2}}\n    healthCheck: {odd: 3}\n  registryLogin: {odd: 4}\nodd: ümlaut\nname: x\n";
    let manifest = parse(text);
    let canonical = manifest.canonical().unwrap();
    assert_eq!(canonical.spec().unwrap(), manifest.spec().unwrap());
    assert_eq!(
        canonical.as_str().matches("odd:").count(),
        9,
        "{}",
        canonical.as_str()
    );
    let unknown = manifest.lint();
    let unknown = unknown
        .iter()
        .filter(|warning| warning.rule == Rule::UnknownField);
    assert_eq!(unknown.count(), 10);
    let spec = manifest.spec().unwrap();
    assert!(!format!("{spec:?}").contains("hush"));
}

#[test]
fn a_variable_that_is_there_twice_is_kept() {
    let text = "application: {name: abc, pods: [{name: web, vars: {A: x}, env: {A: y}}]}";
    let manifest = parse(text);
    let canonical: Manifest = manifest.canonical().unwrap();
    assert_eq!(canonical.spec().unwrap(), manifest.spec().unwrap());
}
