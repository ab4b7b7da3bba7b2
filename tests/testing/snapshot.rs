use crate::server;
use deploykit::nexlayer::Manifest;
use deploykit::testing::{CannedReply, Recorder};

async fn deployed() -> Recorder {
    let recorder = Recorder::new();
    let edgegap = recorder.edgegap().unwrap();
    let accepted = edgegap
        .deploy(server().hidden_env("PASSWORD", "hush-hush").env("B", "2"))
        .await
        .unwrap();
    let handle = edgegap.deployment(accepted.request_id);
    handle.status().await.unwrap();
    handle.tags().add("hush-hush").await.unwrap();
    handle.stop().await.unwrap();
    recorder
}

#[tokio::test]
async fn names_and_ids() {
    let recorder = deployed().await;
    let text = recorder
        .snapshot()
        .name("my-app", "<app>")
        .name_ids()
        .to_string();
    insta::assert_snapshot!(text);
    assert!(
        !text.contains("hush") && !text.contains("made-up"),
        "{text}"
    );
    // The plain text of the recorder has no names.
    assert!(recorder.to_string().contains("authorization: <redacted>"));
    // Numbers do not depend on what is shown.
    let stop = recorder
        .snapshot()
        .name_ids()
        .only("stop_deployment")
        .to_string();
    assert_eq!(stop, "DELETE /v1/stop/<id-1>\nauthorization: token <token>");
    let rest = recorder.snapshot().without("edgegap create_deployment");
    assert_eq!(rest.to_string().matches("\n---\n").count(), 2);
}

#[tokio::test]
async fn json_with_replies() {
    let recorder = deployed().await;
    let snapshot = recorder
        .snapshot()
        .name_ids()
        .with_replies()
        .without("get_deployment")
        .field("message", "<message>")
        .map(|mut request| {
            request.path = request.path.replace("/v1", "/v…");
            request
        });
    insta::assert_snapshot!(serde_json::to_string_pretty(&snapshot).unwrap());
}

#[tokio::test]
async fn a_session_token_has_one_name_everywhere() {
    let recorder = Recorder::new();
    let nexlayer = recorder.nexlayer().unwrap();
    let manifest = "application:\n  name: a\n  pods:\n  - name: web\n    image: nginx\n    path: /\n    servicePorts: [80]\n    vars: {API_TOKEN: hush-hush-hush}\n";
    let started = nexlayer
        .start(Manifest::parse(manifest).unwrap())
        .await
        .unwrap();
    started.application().extend().await.unwrap();
    started.session().reservations().await.unwrap();
    let other = nexlayer.session("another-token-1");
    other.reservations().await.unwrap();
    other.application("dCf0NdAQ64j6").extend().await.unwrap();
    let text = recorder.snapshot().with_replies().to_string();
    insta::assert_snapshot!(text);
    for secret in ["dCf0NdAQ64j6", "another-token-1", "hush"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn headers_are_shown_on_demand() {
    let recorder = Recorder::new();
    let edgegap = recorder.edgegap().unwrap();
    let call = || edgegap.deployment("a").status();
    call().header("x-trace", "t-1").await.unwrap();
    call()
        .header("x-trace", "made-up-edgegap-token")
        .await
        .unwrap();
    call()
        .header("x-trace", "t-2")
        .header("x-other", "o-1")
        .query("also", "q-1")
        .await
        .unwrap();
    let text = recorder
        .snapshot()
        .header("X-Trace")
        .header("accept")
        .header("authorization");
    assert_eq!(
        text.without_header("x-other").to_string(),
        "GET /v1/status/a\naccept: application/json\nauthorization: token <token>\nx-trace: t-1\n\n---\n\n\
         GET /v1/status/a\naccept: application/json\nauthorization: token <token>\nx-trace: <token>\n\n---\n\n\
         GET /v1/status/a\n? also = <also>\naccept: application/json\nauthorization: token <token>\nx-trace: t-2"
    );
    let text = recorder
        .snapshot()
        .without_header("authorization")
        .to_string();
    assert!(
        text.contains("x-trace: <trace>") && text.contains("x-trace: <trace-2>"),
        "{text}"
    );
}

#[tokio::test]
async fn an_id_that_is_a_number_is_named_in_fields_only() {
    let recorder = Recorder::new();
    recorder.reply(
        "list_services",
        CannedReply::json(200, r#"[{"id":"7","name":"a","port":7}]"#),
    );
    let dployr = recorder.dployr().unwrap();
    dployr.services().list().await.unwrap();
    dployr.service("7").get().await.unwrap();
    let text = recorder
        .snapshot()
        .name_ids()
        .with_replies()
        .only("list_services")
        .to_string();
    assert!(text.contains(r#""id": "<id-1>""#), "{text}");
    assert!(text.contains(r#""port": 7"#), "{text}");
}
