//! Lints: the rule and the position of each warning.

use super::{REAL, canonical, parse};
use deploykit::nexlayer::manifest::Rule;
use std::collections::HashSet;

/// Each row: fields of a pod, which start at line 5, column 5 => path, rule and position of the warning.
/// No warning is expected after an empty `=>`.
const POD_ROWS: &str = r#"
image: nginx:1.29 =>
image: <%REGISTRY%>/a => image no-registry-login 5:12
image: nginx => image image-form 5:12
image: 'nginx@sha256:0123' => image image-form 5:12
image: 'a/<% REGISTRY %>/b:1' => image image-form 5:12
image: 'nginx:${TAG}' => image client-placeholder 5:12
image: registry.nexlayer.io/u/r:latest => image latest-tag 5:12
tag: nginx:1.29 => tag old-spelling 5:5
image: 7 => image unquoted-text 5:12
image: => image empty-field 5:10
image: '' => image image-form 5:12
imag: nginx:1.29 => imag unknown-field 5:5
privateTag: true => privateTag old-field 5:5
path: api => path path-form 5:11
path: =>
servicePorts: [] => servicePorts service-ports 5:19
servicePorts: ['80'] => servicePorts[0] old-spelling 5:20
servicePorts: [{port: 80}] => servicePorts[0] old-spelling 5:20
servicePorts: [80, 80] => servicePorts[1] duplicate-port 5:24
servicePorts: [0] => servicePorts[0] unreadable 5:20
servicePorts: 80 => servicePorts unreadable 5:19
vars: [{key: A, value: b}] => vars old-spelling 5:11
vars: {A: 1.10} => vars.A unquoted-value 5:15
vars: {A: 0755} => vars.A unquoted-value 5:15
vars: {A: yes} => vars.A unquoted-value 5:15
vars: {A: 2026-12-01} => vars.A unquoted-value 5:15
vars: {A: 2026-12-01T10:00:00Z} => vars.A unquoted-value 5:15
vars: {A: 12:30} => vars.A unquoted-value 5:15
vars: {A: 'yes', B: "1.10", C: 10, D: true, E: 1.5, F: a_1} =>
vars: {A: '2026-12-01', B: '12:30', C: 8080:80, D: 08:30, E: 2026-12-01-rc1, F: 2026-12, G: 2026-12-01 a, H: 1.2.3} =>
vars: {A: [1]} => vars.A unreadable 5:15
vars: {'A B': x} => vars.… var-name 5:12
vars: {NEXT_PUBLIC_API: 'http://web.pod:80'} => vars.NEXT_PUBLIC_API pod-host-in-browser 5:29
vars: {API: 'http://web.pod:80/x.pods'} =>
vars: {API: 'http://db.pod'} => vars.API unknown-pod 5:17
vars: {API: 'http://${web:80}'} =>
vars: {API: 'http://${db:5432}/${HOME'} => vars.API unknown-pod 5:17
vars: {API: 'http://localhost:80'} =>
vars: {API: 'http://localhost:5432'} =>
vars: {API: '<% URL %>/<%DOMAIN%>/<% SECRET_X %>'} =>
vars: {API: '<% OTHER %>'} => vars.API unknown-placeholder 5:17
vars: {API: '<% URL'} => vars.API unknown-placeholder 5:17
vars: {API: '$x ${HOME}'} => vars.API client-placeholder 5:17
command: echo ${HOME} =>
command: [a, b] => command unreadable 5:14
command: ping db.pod => command unknown-pod 5:14
entrypoint: {a: b} => entrypoint unreadable 5:17
volumes: [{name: d, size: 2GB, mountPath: /d}] => volumes[0].size volume-size 5:31
volumes: [{name: d1, mountPath: /d}] => volumes[0] missing-field 5:15
volumes: [{name: D1, size: 2Gi, mountPath: /d}] => volumes[0].name name-form 5:22
volumes: [{name: d1, size: 2Gi, mountPath: d}] => volumes[0].mountPath path-form 5:48
volumes: [{name: d1, size: 2Gi, mountPath: /d}, {name: d2, size: 2Gi, mountPath: /d/}] => volumes[1].mountPath mount-collision 5:86
volumes: [{name: d1, size: 2Gi, mountPath: /d}, {name: d1, size: 2Gi, mountPath: /e}] => volumes[1].name duplicate-name 5:60
volumes: [{name: d1, size: 2Gi, mountPath: /var/lib/postgresql/data/}] => volumes postgres-data 5:14
vars: {PGDATA: /d/}; volumes: [{name: d1, size: 2Gi, mountPath: /d}] => volumes postgres-data 6:14
vars: {PGDATA: /d/pgdata}; volumes: [{name: d1, size: 2Gi, mountPath: /d}] =>
volumes: [{name: d1, size: 2Gi, mountPath: /var/lib/postgresql}] =>
secrets: [{name: S, data: x, fileName: f}] => secrets[0].name name-form 5:22
secrets: [{name: s1, data: x, fileName: a/f}] => secrets[0].fileName file-name 5:45
secrets: [{name: s1, data: x}] => secrets[0] missing-field 5:15
secrets: [{name: s1, data: {f: x}, fileName: f}] => secrets[0].data unreadable 5:32
volumes: [{name: d1, size: 2Gi, mountPath: /var/secrets/s1}]; secrets: [{name: s1, data: x, fileName: f}] => secrets[0] mount-collision 6:15
useGPU: 'yes' => useGPU unreadable 5:13
replicas: 2 => replicas needs-version-2 5:5
subdomain: www => subdomain subdomain-without-url 5:16
subdomain: w_w => subdomain subdomain-form 5:16
resourceType: cron => resourceType resource-type 5:19
replicas: 0 => replicas replicas 5:15
resources: {cpu: 250m} => resources.cpu old-spelling 5:17
resources: {limits: {cpu: 1 core}} => resources.limits.cpu cpu-quantity 5:31
resources: {limits: {memory: 1GB}} => resources.limits.memory memory-quantity 5:34
resources: {requests: {cpu: '1', memory: 1Gi}, limits: {cpu: '1', memory: 1000M}} => resources limit-below-request 5:16
"#;

fn pod_rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = POD_ROWS.lines().filter_map(|row| row.split_once(" =>"));
    rows.map(|(fields, expected)| (fields, expected.trim()))
}

fn warnings(text: &str) -> Vec<String> {
    let found = parse(text).lint();
    let output = found.iter();
    output
        .map(|warning| {
            format!(
                "{} {} {}:{}",
                warning.path, warning.rule, warning.line, warning.column
            )
        })
        .collect()
}

#[test]
fn each_mistake_in_a_pod_has_a_warning() {
    for (fields, expected) in pod_rows() {
        // The required fields of the pod, unless the row sets them.
        let mut rest = String::new();
        for (key, value) in [
            ("image", "nginx:1.29"),
            ("path", "/"),
            ("servicePorts", "[80]"),
        ] {
            if !(fields.starts_with(key) || key == "image" && fields.starts_with("tag")) {
                rest.push_str(&format!("    {key}: {value}\n"));
            }
        }
        let lines = fields.replace("; ", "\n    ");
        let mut found = warnings(&format!(
            "application:\n  name: abc\n  pods:\n  - name: web\n    {lines}\n{rest}"
        ));
        found.retain(|warning| !warning.contains("no-path"));
        match expected {
            "" => assert!(found.is_empty(), "{fields}: {found:?}"),
            expected => {
                let expected = format!("application.pods[0].{expected}");
                assert!(found.contains(&expected), "{fields}: {found:?}");
            }
        }
    }
}

#[test]
fn each_mistake_in_an_application_has_a_warning() {
    const POD: &str = "{name: web, image: 'nginx:1.29', path: /, servicePorts: [80]}";
    for (text, expected) in [
        ("application: {name: abc, pods: [POD]}", ""),
        (
            "application: {name: Abc, pods: [POD]}",
            "application.name application-name 1:21",
        ),
        (
            "\u{feff}application: {name: Abc, pods: [POD]}",
            "application.name application-name 1:21",
        ),
        (
            "# ü\r\n\r\napplication: {ü: 1, name: abc, pods: [POD]}",
            "application.… unknown-field 3:15",
        ),
        (
            "application: {name: abc, pods: [POD]}\nversion: 2",
            "version unknown-field 2:1",
        ),
        (
            "application: {name: abc}\npods: [POD]",
            "pods old-spelling 2:1",
        ),
        (
            "application: {name: abc, url: 'https://a.example', pods: [POD]}",
            "application.url url-form 1:31",
        ),
        (
            "application: {name: abc, url: a.example, pods: [POD]}",
            "application.url url-form 1:31",
        ),
        (
            "application: {name: abc, domain: a.com, pods: [POD]}",
            "application.domain old-spelling 1:26",
        ),
        (
            "application: {name: abc, command: x, pods: [POD]}",
            "application.command old-field 1:26",
        ),
        (
            "application: {name: abc, environment: jolly-tapir, pods: [POD]}",
            "application.environment old-field 1:26",
        ),
        (
            "application: {name: abc, pods: [POD, {name: api, image: 'a:1', path: /api, servicePorts: [3000]}]}",
            "",
        ),
        (
            "application: {name: abc, pods: [POD, {name: api, image: 'a:1', path: /, servicePorts: [3000]}]}",
            "application.pods[1].path duplicate-path 1:128",
        ),
        (
            "application: {name: abc, version: 2.0, url: a.com, pods: [POD, {name: api, image: 'a:1', path: /, subdomain: api, servicePorts: [80]}]}",
            "",
        ),
        (
            "application: {name: abc, pods: [POD, {name: db, image: 'a:1', servicePorts: [5432], vars: {API: 'http://localhost/x:80', OWN: '127.0.0.1:5432', WEB: 'u:p@127.0.0.1:80'}}]}",
            "application.pods[1].vars.WEB localhost 1:208",
        ),
        (
            "application: {name: abc, pods: [POD, {name: db, image: 'a:1', servicePorts: [5432], vars: {API: 'localhost:5432,localhost:9,127.0.0.1:80'}}]}",
            "application.pods[1].vars.API localhost 1:155",
        ),
        (
            "application: {name: abc, pods: [POD, {name: db, image: 'a:1', servicePorts: [5432], vars: {API: 'x+http://u:p@localhost/x:1'}}]}",
            "",
        ),
        (
            "application: {name: abc, pods: [POD, {name: db, image: 'a:1', servicePorts: [5432], vars: {API: 'http+x://u:p@localhost/x:1'}}]}",
            "application.pods[1].vars.API localhost 1:155",
        ),
        (
            "application: {name: abc, pods: [POD, {name: db, image: 'a:1', servicePorts: [5432], vars: {HOST: localhost, DB_HOST: localhost, DB_PORT: 5432, A: 'http://localhost:${PORT}', B: https://localhost, C: 'http://localhost.pod', D: 'http://xlocalhost/', PORT: 5432}}]}",
            "application.pods[1].vars.A client-placeholder 1:205",
        ),
        (
            "application: {name: abc, registryLogin: {registry: r, username: u}, pods: [POD]}",
            "application.registryLogin missing-field 1:41",
        ),
        (
            "application: {name: abc, imagePullSecrets: [{registry: r}], pods: [POD]}",
            "application.imagePullSecrets old-field 1:26",
        ),
        (
            "application: {name: abc, pods: [POD, POD]}",
            "application.pods[1].name duplicate-name 1:103",
        ),
        (
            "application: {name: abc, pods: [{image: 'a:1'}]}",
            "application.pods[0] unreadable 1:33",
        ),
        (
            "application: {name: abc, pods: [{name: W}]}",
            "application.pods[0].name name-form 1:40",
        ),
        (
            "application: {name: abc, pods: [{name: web}]}",
            "application no-path 1:14",
        ),
        (
            "application: {name: abc, pods: []}",
            "application no-pods 1:14",
        ),
        ("application: {name: abc}", "application no-pods 1:14"),
        (
            "application: {name: abc, pods: 7}",
            "application.pods unreadable 1:32",
        ),
    ] {
        let text = text.replace("POD", POD);
        let found = warnings(&text);
        match expected {
            "" => assert!(found.is_empty(), "{text}: {found:?}"),
            expected => assert!(found.contains(&expected.to_owned()), "{text}: {found:?}"),
        }
    }
    let job = "application: {name: abc, version: 2.0, url: a.com, pods: [{name: web, image: 'nginx:1.29', path: /, servicePorts: [80], subdomain: www}, {name: job, image: 'a:1', resourceType: job}]}";
    assert!(warnings(job).is_empty(), "{:?}", warnings(job));
}

#[test]
fn each_rule_has_a_unique_name_and_a_test_row() {
    let names: HashSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    // A duplicate key is invalid YAML, but `vars` and `env` may both contain a variable.
    let duplicate = "application: {name: abc, pods: [{name: web, vars: {A: x}, env: {A: z}}]}";
    let found = warnings(duplicate);
    let expected = "application.pods[0].env.A duplicate-var 1:65".to_owned();
    assert!(found.contains(&expected), "{found:?}");
    let of_pods = pod_rows().flat_map(|(_, expected)| expected.split(' ').nth(1));
    let others = "application-name url-form no-path no-pods duplicate-var duplicate-path localhost";
    let covered: HashSet<_> = of_pods.chain(others.split(' ')).collect();
    let missing: Vec<_> = names.difference(&covered).collect();
    assert!(missing.is_empty(), "no row has {missing:?}");
}

#[test]
fn warnings_are_in_file_order_and_contain_no_values() {
    for (name, text) in REAL {
        let found = parse(text).lint();
        assert!(
            found.is_sorted_by_key(|warning| (warning.line, warning.column)),
            "{name}"
        );
        let output = found.iter().map(ToString::to_string).collect::<String>();
        assert!(!output.contains("hush"), "{name}: {output}");
    }
    let text = "application:\n  name: abc\n  pods:\n  - name: web\n    image: nginx\n";
    assert_eq!(
        parse(text).lint()[2].to_string(),
        "5:12 application.pods[0].image: [registry/]repository:tag or <% REGISTRY %>/repository:tag is expected, with a tag and without a digest (image-form)"
    );
}

#[test]
fn at_most_1000_warnings_are_reported() {
    let unknown: String = (0..20_000).map(|n| format!("  k{n}: 1\n")).collect();
    let text = format!("application:\n  name: abc\n{unknown}  pods: 7\n");
    assert_eq!(parse(&text).lint().len(), 1000);
    // `spec` still reports an invalid value after the last warning.
    let error = parse(&text).spec().unwrap_err().to_string();
    assert!(error.contains("application.pods, line 20003"), "{error}");
}

#[test]
fn warnings_name_the_deployment_method_and_the_change() {
    let text = "application: {name: abc, pods: [{name: web, image: , path: /, servicePorts: [80], vars: [{key: A, value: '${A}'}], resources: {cpu: 1}}]}";
    let manifest = parse(text);
    let message = |rule: Rule, field: &str| {
        let warnings = manifest.lint().into_iter();
        let mut warnings =
            warnings.filter(|warning| warning.rule == rule && warning.path.ends_with(field));
        warnings.next().unwrap().message
    };
    for message in [
        message(Rule::OldSpelling, "vars"),
        message(Rule::ClientPlaceholder, ".value"),
    ] {
        assert!(
            message.contains("startUserDeployment") && message.contains("newer pipeline"),
            "{message}"
        );
    }
    assert_eq!(
        message(Rule::OldSpelling, "cpu"),
        "write requests and limits with this value instead"
    );
    assert!(message(Rule::EmptyField, "image").contains("is dropped"));
    let pod = &canonical(&manifest).spec().unwrap().pods[0];
    assert_eq!(pod.image, None);
    let resources = pod.resources.as_ref().unwrap();
    assert_eq!(resources.requests.cpu.as_deref(), Some("1"));
    assert_eq!(resources.requests, resources.limits);
}
