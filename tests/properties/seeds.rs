//! Where the fuzz targets begin: what the specs show, what was recorded, and edges found by hand.

use super::checks::replies::{self, TYPES};
use super::specs;
use deploykit::OPERATIONS;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a target runs on each input.
type Target = fn(&[u8]);

/// The fuzz targets, each with its check.
pub const TARGETS: [(&str, Target); 7] = [
    ("hints", super::checks::hints::check),
    ("inputs", super::checks::inputs::check),
    ("logs", super::checks::logs::check),
    ("manifests", super::checks::manifests::check),
    ("replies", super::checks::replies::check),
    ("texts", super::checks::texts::check),
    ("webhooks", super::checks::webhooks::check),
];

/// An example of a reply, from a spec.
#[derive(Clone, Debug)]
pub struct Example {
    /// Where its operation stands in [`OPERATIONS`].
    pub operation: usize,
    pub status: u16,
    pub content_type: &'static str,
    pub value: Value,
    body: String,
}

impl Example {
    pub fn body(&self) -> Vec<u8> {
        self.body.clone().into_bytes()
    }
}

/// All examples of replies in all specs, failures too.
pub fn examples() -> Vec<Example> {
    let all = ["dployr", "edgegap", "nexlayer", "nodion"].map(specs::examples);
    let all = all.into_iter().flatten();
    all.map(|example| {
        let known = TYPES.iter().find(|known| known.starts_with(&example.media));
        let mut operations = OPERATIONS.iter();
        let number = operations.position(|operation| operation == example.operation);
        Example {
            operation: number.unwrap(),
            status: example.status,
            content_type: known.copied().unwrap_or_default(),
            body: example.body(),
            value: example.value,
        }
    })
    .collect()
}

/// Where the inputs of a fuzz target are kept.
pub fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target)
}

fn of_replies() -> Vec<Vec<u8>> {
    // A success is its operation's own; of the failures, which many share, one each will do.
    let mut seen = BTreeSet::new();
    let mut seeds: Vec<_> = examples()
        .iter()
        .filter(|it| {
            let api = OPERATIONS[it.operation].api;
            it.status < 300 && it.value.to_string().len() < 1500
                || seen.insert((api, it.status, it.value.to_string()))
        })
        .filter_map(|it| replies::encode(it.operation, it.status, it.content_type, &it.body()))
        .collect();
    // Operation, status, media type (`-` for none), body.
    for line in [
        r#"login 200 application/json {"access_token":"hush-1","refresh_token":7}"#,
        "login 401 application/json {\"error\":{\"message\":\"bad password \u{4}\"}}",
        "login 200 text/html <html><body>\u{3}</body></html>",
        "login 200 application/json {\"\u{4}\":1}",
        "create_deployment 400 application/json {\"error\":{\"message\":\"no \u{1}\",\"details\":{\"\":[7734419902,\"\"]}}}",
        "create_deployment 502 text/html <html><h1>502 Bad Gateway</h1></html>",
        "create_deployment 429 - ",
        "get_service_logs 200 - {\"message\":\"a\"}\n\noops\n[{\"message\":\"b\"}]",
        "set_service_env 200 application/json {\"success\":false,\"error\":{\"message\":\"\u{5}\"}}",
        r#"list_services 200 application/json {"success":true,"data":{"items":[],"pagination":{"page":-1}}}"#,
        "extend_deployment 500 text/html Application  a reservation has ALREADY been removed.",
        "extend_deployment 200 - \u{feff}\"Application a has been extended.\"",
        r#"claim_deployment 200 application/json {"claimURL":"https://a/claim/hush","claimToken":"hush"}"#,
        r#"start_user_deployment 200 application/json {"data":{"status":"x","extend":"for another 120 minutes","claim":"x"}}"#,
        r#"get_reservations 200 application/json [{"status":{"pods":[1,{"state":1}]}}]"#,
    ] {
        let parts: Vec<_> = line.splitn(4, ' ').collect();
        let [id, status, media, body] = parts[..] else {
            panic!("{line}");
        };
        let mut operations = OPERATIONS.iter();
        let number = operations.position(|operation| operation.id == id);
        let media = TYPES.into_iter().find(|known| known.starts_with(media));
        let status = status.parse().unwrap();
        let media = media.unwrap_or_default();
        let seed = replies::encode(number.unwrap(), status, media, body.as_bytes());
        seeds.push(seed.expect(line));
    }
    seeds
}

fn of_texts() -> Vec<Vec<u8>> {
    let any = [
        "Application Complete-Test-App has been extended. Environment will expire in 150 minutes. 0 extension(s) remaining.",
        "\"Application a has been extended. Environment will expire in 1 minute. 1 extension remaining\"",
        "Application a has been extended. b has been extended. Environment will expire in 99999999999 minutes.",
        "Application a reservation has been added.",
        "Application My App reservation has been removed.  Application site will be removed within the next 10 minutes.",
        "All reservations have been removed.  Application sites will be removed within 10 minutes.",
        "Visit https://app.nexlayer.io/claim/dCf0NdAQ64j6 to finalize your deployment.",
        "You can extend it up to 3 times. ü extension",
        "User is not on the Scale or Conquer plan.",
        "Application not found",
        "  <!DOCTYPE html><p>\u{2}",
        "\u{feff} \n",
        "{\"message\":\"Application a has been extended\"}",
        "7",
    ];
    let named = [
        "a",
        "will expire in 5 minutes 7 extension",
        "x has been extended",
        "\u{85}\u{2028}ü",
    ];
    let any = any.iter().map(|text| [b"\0", text.as_bytes()].concat());
    let named = named
        .iter()
        .map(|name| [b"\x01\x96\0\0\0\x02\0\0\0", name.as_bytes()].concat());
    any.chain(named).collect()
}

fn of_manifests() -> Vec<Vec<u8>> {
    let example = include_str!("../../examples/nexlayer.yaml");
    let app = "application: {name: a}\n";
    let mut seeds = vec![
        example.to_owned(),
        app.to_owned(),
        "\u{feff}# ü\r\napplication:\r\n  name: \"My App\"\r\n".to_owned(),
    ];
    for rest in [
        "token: hush-1\n",
        "token: 'hush ''1'''\npassword: \"hu\\x73h-1\"\n",
        "secrets:\n- data: |2-\n     hush-1\n    hush-2\n\n# kept\n  name: n\n",
        "secrets:\r\n- data: >\r\n    hush-1\r\n",
        "token: !!binary aHVzaC0x\n",
        "plain: &p hush-1\ntoken: *p\n",
        "d: &d {token: hush-1}\nvars:\n  <<: *d\n",
        "tokens: [hush-1, {a: hush-2}]\n",
        "vars: [{key: DB_PASSWORD, value: hush-1}, {name: KEY, value: hush-2}]\n",
        "token: <% A %>hush<% B %>\n",
        "token: |\n  hush-1\n  hush-2\nother: hush-1\n",
        "? token\n: hush-1\n",
        "url: postgres://u:hush-1@db/x?y=hush-2\n",
        "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n",
        "token:\n- hush-1\n- 7734419902\n- ~\n- true\n",
    ] {
        seeds.push(format!("{app}{rest}"));
    }
    for broken in [
        "application:\n  token: hush\n  name: [hush\n",
        "application: {name: a}\n---\nb: 1\n",
        "- a",
        "[[[[[[[[",
    ] {
        seeds.push(broken.to_owned());
    }
    seeds.into_iter().map(String::into_bytes).collect()
}

fn of_hints() -> Vec<Vec<u8>> {
    let lines = [
        "30\n100\n0\n1795487100\nWed, 21 Oct 2015 07:28:00 GMT\nabc",
        "Wed, 21 Oct 2026 07:28:00 GMT\n\n\n\nWed, 21 Oct 2026 07:27:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "18446744073709551615\n18446744073709551615\n18446744073709551615\n18446744073709551615",
        "-1\n-1\n0\n-1",
        "1e9\n\n0\n1e9",
        "\n100\n0\n99999999999",
        "\n100\n7\n1795487100",
        " 5 ",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "",
    ];
    let lines = lines.iter().enumerate();
    lines
        .map(|(index, text)| [&[u8::try_from(index).unwrap()][..], text.as_bytes()].concat())
        .collect()
}

fn of_logs() -> Vec<Vec<u8>> {
    [
        "{\"message\":\"grün ⚠ 1\",\"timestamp\":1}\r\n{\"message\":\"zwei\"}",
        "\n\r\n: ping\n{}\nnull\n{\"type\":\"heartbeat\"}\n{\"event\":\"ping\",\"n\":1}\n{\"message\":\"a\",\"type\":\"ping\"}\n \n",
        "oops\n{\"message\":\"a\"}\n{\"level\":\"info\"}\n{\"message\":1}\n[1]\n{\"message\":\"b\"}\n{\"mess",
        "[{\"message\":\"a\"},{\"message\":\"b\"}]",
        "{\"success\":false,\"error\":{\"message\":\"gone \u{1}\",\"code\":\"x.y\"}}\n{\"message\":\"a\"}",
        "{\"success\":true,\"data\":{\"logs\":[{\"message\":\"a\",\"timestamp\":\"2024-01-15T12:00:00Z\",\"level\":\"warn\",\"source\":\"app\"}]}}",
        "{\"items\":[{\"message\":\"a\"},null]}",
        "\u{feff}{\"message\":\"a\"}\n{\"message\":\"b\"}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}

fn of_inputs() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let ids = [
        "a b %2e ü:@+",
        "..",
        ".. ",
        "%2e%2e",
        "a/b",
        "a\\b",
        "",
        "a\u{0}",
        ".",
        "...",
        "a?b#c",
    ];
    for (number, id) in ids.iter().enumerate() {
        seeds.push(
            [
                &[0, u8::try_from(3 * number + 3).unwrap()][..],
                id.as_bytes(),
            ]
            .concat(),
        );
    }
    let urls = [
        "https://api.example/sub//",
        "https://u:\u{7}@a.example/?x=\u{8}#f",
        "https:/u:\u{7}@a.example",
        "https:\\\\\u{7}@a.example",
        "ht\ntps://\u{7}@a.example",
        "\u{7}:x@git.example/a.git",
        "git@git.example:a.git",
        "ssh://git:\u{7}@git.example/a",
        "http://localhost.evil.example",
        "http://[::1]:7878/",
        "file:///etc/passwd",
        "https://a.example/h?key=\u{8}&l",
        "postgres://u:\u{7}@db/x?y=\u{8}",
    ];
    for url in urls {
        seeds.extend([1, 4].map(|choice: u8| [&[choice][..], url.as_bytes()].concat()));
    }
    for (choice, text) in [
        (2, "X-Trace\n\u{8}"),
        (2, "Authorization\nx"),
        (2, "accept\n \u{8} "),
        (2, "x y\na"),
        (2, "x-nodion-project\n\u{8}"),
        (3, "page\n2"),
        (3, "sessionToken\n\u{8}"),
        (3, "a&b=c\n'\u{8}'"),
        (3, "\nx"),
        (5, "/v1/a/b"),
        (5, "/a/.. "),
        (5, "/a/%2E%2e/b"),
        (5, "//a"),
        (5, "/a/..;/b"),
        (5, "/@b:c/ü/%zz"),
        (6, "Bearer token \u{5}"),
        (6, "token \u{8}\n"),
        (6, "\u{5}"),
        (
            7,
            r#"{"tokens":["hush-1"],"secret":{"a":"hush-2"},"env":[{"key":"DB","value":"hush-3"}]}"#,
        ),
        (
            7,
            r#"[{"password":"it's hush","url":"https://u:hush@a/?q=hush"}]"#,
        ),
    ] {
        seeds.push([&[choice][..], text.as_bytes()].concat());
    }
    seeds
}

/// The seeds of every target.
fn of_webhooks() -> Vec<Vec<u8>> {
    let status = examples().into_iter().find(|example| {
        OPERATIONS[example.operation].id == "get_deployment" && example.value["fqdn"].is_string()
    });
    let status = status.unwrap().value.to_string();
    let seed = |choice: u8, text: &str| [&[choice][..], text.as_bytes()].concat();
    let bodies = [
        status.as_str(),
        "\u{feff}{\"request_id\":\"a\",\"error\":true}",
        r#"{"request_id":"a","current_status":null,"running":true,"elapsed_time":"34.0","ports":null,"tags":null}"#,
        r#"{"request_id":["\u0001"],"ports":{"\u0002":{"external":"\u0002"}}}"#,
        "{\"request_id\":\"a\",\"ports\":{\"\u{1}\":{\"external\":\"\u{8}\"}}}",
        r#"{"event":"deployment.finished","timestamp":"2026-11-24T02:24:27.986Z","data":{"clusterId":"c","serviceName":"a","deploymentId":"d","actorId":"u","actorType":"user"}}"#,
        "{\"event\":\"x\",\"timestamp\":1795487067,\"data\":{\"userEmail\":\"\u{7}@a.example\",\"deployment_id\":7,\"\u{1}\":[\"\u{2}\"]}}",
        "{\"event\":\"x\",\"data\":\"\u{1}\"}",
        "[[[[[[[[",
        "event=\u{1}",
    ];
    let queries = [
        "callback_secret=\u{1}-and-more",
        "a=b&callback_secret=\u{8}-and-much-more&c",
        "callback_secret=\u{1}-and-more&callback%5Fsecret=x",
        "callback%5fsecret=%63anary-token-5d1f7a-and-more",
        "callback_secret=\u{1}-and-mor",
        "callback_secret",
    ];
    let addresses = [
        "https://me.example/hook?a=b",
        "https://me.example?",
        "http://127.0.0.1:1/x",
        "http://[::1]",
        "https://u:p@me.example/#x",
        " https:\\\\me.example\\a?callback%5fsecret",
        "http://me.example",
    ];
    let bodies = bodies.iter().map(|text| seed(0, text));
    let queries = queries.iter().map(|text| seed(1, text));
    let addresses = addresses.iter().map(|text| seed(2, text));
    bodies.chain(queries).chain(addresses).collect()
}

pub fn seeds() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    BTreeMap::from([
        ("hints", of_hints()),
        ("inputs", of_inputs()),
        ("logs", of_logs()),
        ("manifests", of_manifests()),
        ("replies", of_replies()),
        ("texts", of_texts()),
        ("webhooks", of_webhooks()),
    ])
}

#[test]
fn every_seed() {
    for (target, check) in TARGETS {
        for seed in &seeds()[target] {
            let shown = String::from_utf8_lossy(seed).into_owned();
            let caught = std::panic::catch_unwind(|| check(seed));
            assert!(caught.is_ok(), "{target}: {shown:?}");
        }
    }
}

/// Writes the seeds to where the fuzz targets look for them.
#[test]
#[ignore = "it writes files: cargo test --test properties write_seeds -- --ignored"]
fn write_seeds() {
    for (target, seeds) in seeds() {
        let folder = corpus(target);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:03}")), seed).unwrap();
        }
        println!("{target}: {}", json!(seeds.len()));
    }
}
