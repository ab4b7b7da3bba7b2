//! What is hidden on a tape and in a snapshot, and what has to stay.

use crate::server;
use crate::tape::file;
use deploykit::http::Method;
use deploykit::testing::{CannedReply, Recorder, Tape};
use deploykit::{ErrorKind, dployr};

fn on(recorder: &Recorder, tape: &Tape, token: &str) -> dployr::Client {
    let builder = recorder.dployr_builder().token(token).tape(tape);
    builder.build().unwrap()
}

#[tokio::test]
async fn short_settings_rewrite_no_reply() {
    let path = file("settings");
    let recorder = Recorder::new();
    let ready = r#"{"request_id":"a","current_status":"Status.READY","running":true,
        "fqdn":"running.example","elapsed_time":3000,"max_duration":12345678,"error_detail":"hush-hush, s3cr3t",
        "ports":{"game":{"external":3000,"internal":3000,"protocol":"UDP","link":"running.example:3000"}}}"#;
    recorder.reply("get_deployment", CannedReply::json(200, ready));
    let run = async |tape: &Tape| {
        let builder = recorder.edgegap_builder().tape(tape);
        let edgegap = builder.build().unwrap();
        let new = server()
            .hidden_env("PORT", "3000")
            .hidden_env("MODE", "running")
            .hidden_env("CODE", "12345")
            .hidden_env("DB_PASSWORD", "s3cr3t")
            .hidden_env("GREETING", "hush-hush");
        edgegap.deploy(new).await.unwrap();
        edgegap.deployment("a").status().await.unwrap()
    };
    let tape = Tape::record(&path);
    let recorded = run(&tape).await;
    tape.finish().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("<port>") && text.contains("<mode>"), "{text}");
    assert!(
        !text.contains("hush-hush") && !text.contains("s3cr3t"),
        "{text}"
    );

    let tape = Tape::replay(&path).unwrap();
    let replayed = run(&tape).await;
    assert_eq!(
        replayed.error_detail.as_deref(),
        Some("<greeting>, <db-password>")
    );
    assert_eq!(replayed.ports, recorded.ports);
    assert_eq!(
        (replayed.fqdn, replayed.elapsed_time, replayed.max_duration),
        (recorded.fqdn, Some(3000), Some(12_345_678))
    );
}

#[tokio::test]
async fn a_credential_of_four_characters_is_in_no_text() {
    let recorder = Recorder::new();
    let dployr = recorder.dployr_builder().token("hush").build().unwrap();
    recorder.reply("", CannedReply::json(200, r#"{"note":"it is hush!"}"#));
    let call = || dployr.request(Method::GET, "/v1/whoami");
    call().await.unwrap();
    recorder.reply("", CannedReply::new(200, "\"it is hush!\nand hush\""));
    let _ = call().await;
    let text = recorder.snapshot().with_replies().to_string();
    assert!(!text.contains("hush"), "{text}");
    assert!(text.contains("it is <token>!"), "{text}");
}

#[tokio::test]
async fn a_name_that_stands_in_a_text_is_given_to_nothing() {
    let path = file("taken");
    let recorder = Recorder::new();
    for reply in [
        r#"{"note":"the form is <token-2> or \u003ctoken-3\u003e","token":"s3cret-one"}"#,
        // What is hidden is no text: nobody can tell from the tape that it was there.
        r#"{"token":"s3cret <pin-8>"}"#,
        r#"{"token":"s3cret-six"}"#,
    ] {
        recorder.reply("", CannedReply::json(200, reply));
    }
    let run = async |tape: &Tape| {
        let call = |token: &str| on(&recorder, tape, token).request(Method::GET, "/v1/whoami");
        let first = call("s3cret-zero").await.unwrap();
        let token = first["token"].as_str().unwrap();
        call(token).await.unwrap();
        call("s3cret-five").header("x-pin", "0815").await.unwrap();
        first["note"].clone()
    };
    let tape = Tape::record(&path);
    let note = run(&tape).await;
    tape.finish().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("s3cret"), "{text}");
    for name in [
        "Bearer <token>",
        r#""token": "<token-4>""#,
        "Bearer <token-4>",
        r#""token": "<token-5>""#,
        "Bearer <token-6>",
        "x-pin: <pin>",
        r#""token": "<token-7>""#,
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
    let tape = Tape::replay(&path).unwrap();
    assert_eq!(run(&tape).await, note);
    tape.finish().unwrap();
}

#[tokio::test]
async fn an_id_is_numbered_around_what_is_there() {
    let recorder = Recorder::new();
    recorder.reply(
        "list_services",
        CannedReply::json(200, r#"[{"id":"web-1","name":"<id-1>"}]"#),
    );
    let dployr = recorder.dployr().unwrap();
    dployr.services().list().await.unwrap();
    dployr.service("web-1").get().await.unwrap();
    let text = recorder
        .snapshot()
        .name_ids()
        .with_replies()
        .only("list_services")
        .to_string();
    assert!(text.contains(r#""id": "<id-2>""#), "{text}");
    assert!(text.contains(r#""name": "<id-1>""#), "{text}");
}

#[tokio::test]
async fn in_any_order_a_request_of_two_clients_is_refused() {
    let path = file("clients");
    let recorder = Recorder::new();
    let whoami = |tape: &Tape, token: &str| {
        let dployr = on(&recorder, tape, token);
        async move { dployr.request(Method::GET, "/v1/whoami").await }
    };
    let tape = Tape::record(&path);
    for name in ["one", "two"] {
        let reply = format!(r#"{{"i":"{name}"}}"#);
        recorder.reply("", CannedReply::json(200, reply));
        let me = whoami(&tape, &format!("s3cret-{name}")).await.unwrap();
        assert_eq!(me["i"], name);
    }
    on(&recorder, &tape, "s3cret-one")
        .services()
        .list()
        .await
        .unwrap();
    tape.finish().unwrap();

    let tape = Tape::replay(&path).unwrap().any_order();
    let error = whoami(&tape, "any").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("several credentials"), "{error}");
    // What one of them asks alone is clear.
    let services = on(&recorder, &tape, "any").services().list().await;
    services.unwrap();
    // So are the names themselves,
    let tape = Tape::replay(&path).unwrap().any_order();
    for (token, name) in [("<token-2>", "two"), ("<token>", "one")] {
        assert_eq!(whoami(&tape, token).await.unwrap()["i"], name);
    }
    // and the order.
    let tape = Tape::replay(&path).unwrap();
    for name in ["one", "two"] {
        assert_eq!(whoami(&tape, name).await.unwrap()["i"], name);
    }
}

#[tokio::test]
async fn in_any_order_a_client_that_was_given_its_token_is_known() {
    let path = file("given");
    let recorder = Recorder::new();
    let run = async |tape: &Tape| {
        let whoami = async |token: &str| {
            let dployr = on(&recorder, tape, token);
            dployr.request(Method::GET, "/v1/whoami").await.unwrap()
        };
        let first = whoami("s3cret-one").await;
        whoami(first["token"].as_str().unwrap()).await
    };
    for reply in [r#"{"token":"s3cret-two"}"#, r#"{"i":"two"}"#] {
        recorder.reply("", CannedReply::json(200, reply));
    }
    let tape = Tape::record(&path);
    assert_eq!(run(&tape).await["i"], "two");
    tape.finish().unwrap();
    let tape = Tape::replay(&path).unwrap().any_order();
    assert_eq!(run(&tape).await["i"], "two");
    tape.finish().unwrap();
}
