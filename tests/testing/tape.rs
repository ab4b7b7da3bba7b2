use crate::server;
use crate::support::{Answer, Server, reply};
use deploykit::nexlayer::{Client as Nexlayer, Manifest};
use deploykit::testing::{CannedReply, Recorder, Tape};
use deploykit::{Effect, ErrorKind, dployr, edgegap};
use std::path::{Path, PathBuf};

/// A file of its own for a test.
pub fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tape-{name}.json"));
    let _ = std::fs::remove_file(&path);
    path
}

const MANIFEST: &str = "application:\n  name: a\n  pods:\n  - name: web\n    image: nginx\n    vars: {API_TOKEN: hush-hush-hush}\n";

/// Starts, extends and lists, on whatever the builder sends to.
async fn nexlayer_job(tape: &Tape, base_url: &str) -> deploykit::Result<String> {
    let builder = Nexlayer::builder().base_url(base_url).tape(tape);
    let nexlayer = builder.build()?;
    let started = nexlayer.start(Manifest::parse(MANIFEST)?).await?;
    started.application().extend().await?;
    let reserved = started.session().reservations().await?;
    Ok(format!(
        "{} {}",
        started.application_name,
        reserved.items.len()
    ))
}

#[tokio::test]
async fn a_real_server_is_recorded_without_its_secrets_and_replayed() {
    let server = Server::answers(|request| {
        let body = match request.split(' ').nth(1).unwrap_or_default() {
            "/startUserDeployment" => {
                r#"{"message":"ok","url":"https://a.example","sessionToken":"s3cret-token","applicationName":"A"}"#
            }
            path if path.starts_with("/getReservations") => {
                r#"{"reservedDeployments":[{"applicationName":"A","url":"https://a.example?x=s3cret-token"}]}"#
            }
            _ => r#"{"message":"extended s3cret-token"}"#,
        };
        reply("200 OK", &["content-type: application/json", "set-cookie: a=s3cret-cookie; Path=/"], body)
    })
    .await;
    let path = file("nexlayer");
    let tape = Tape::record(&path);
    let recorded = nexlayer_job(&tape, &server.base_url).await.unwrap();
    tape.finish().unwrap();
    drop(server);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("s3cret") && !text.contains("hush"), "{text}");
    insta::assert_snapshot!(text);

    let tape = Tape::replay(&path).unwrap();
    assert!(tape.is_replaying());
    let replayed = nexlayer_job(&tape, "http://127.0.0.1:1").await.unwrap();
    assert_eq!(replayed, recorded);
    tape.finish().unwrap();
}

fn edgegap_on(recorder: &Recorder, tape: &Tape) -> edgegap::Client {
    recorder.edgegap_builder().tape(tape).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn failures_are_replayed_as_they_were() {
    let path = file("failures");
    let recorder = Recorder::new();
    let faults = [
        CannedReply::connect_error(),
        CannedReply::reset(),
        CannedReply::timeout(),
        CannedReply::json(202, r#"{"request_"#).truncated(),
        CannedReply::json(422, r#"{"request_id":"a","message":"no"}"#),
        CannedReply::json(202, r#"{"request_id":"b"}"#),
    ];
    let run = async |tape: &Tape| {
        let edgegap = recorder.edgegap_builder().retry(deploykit::Retry::off());
        let edgegap = edgegap.tape(tape).build().unwrap();
        let mut ends = Vec::new();
        for _ in 0..6 {
            let end = edgegap.deploy(server()).await;
            ends.push(match end {
                Ok(accepted) => accepted.request_id.to_string(),
                Err(error) => format!(
                    "{:?} {:?} {:?}",
                    error.kind(),
                    error.effect(),
                    error.status()
                ),
            });
        }
        ends
    };
    for fault in faults {
        recorder.reply("create_deployment", fault);
    }
    let tape = Tape::record(&path);
    let recorded = run(&tape).await;
    drop(tape); // writes as well
    assert_eq!(recorded[5], "b");
    let tape = Tape::replay(&path).unwrap();
    assert_eq!(run(&tape).await, recorded);
    tape.finish().unwrap();
}

#[tokio::test]
async fn what_is_not_next_is_shown() {
    let path = file("order");
    let recorder = Recorder::new();
    let tape = Tape::record(&path);
    let edgegap = edgegap_on(&recorder, &tape);
    let one = edgegap.deployment("one");
    one.status().await.unwrap();
    edgegap.deployment("two").stop().await.unwrap();
    tape.finish().unwrap();

    let tape = Tape::replay(&path).unwrap();
    let edgegap = edgegap_on(&recorder, &tape);
    let error = edgegap.deployment("two").stop().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::Configuration, Effect::None)
    );
    let text = error.to_string();
    for words in ["1 of 2", "- GET /v1/status/one", "+ DELETE /v1/stop/two"] {
        assert!(text.contains(words), "{text}");
    }
    let error = tape.finish().unwrap_err();
    assert!(error.to_string().contains("2 on the tape"), "{error}");
    edgegap.deployment("one").status().await.unwrap();
    edgegap.deployment("two").stop().await.unwrap();
    let error = edgegap.deployment("two").stop().await.unwrap_err();
    assert!(error.to_string().contains("has ended"), "{error}");

    let tape = Tape::replay(&path).unwrap().any_order();
    let edgegap = edgegap_on(&recorder, &tape);
    edgegap.deployment("two").stop().await.unwrap();
    edgegap.deployment("one").status().await.unwrap();
    tape.finish().unwrap();

    let tape = Tape::replay(&path).unwrap().compare_by(|mut request| {
        request.path.truncate(8);
        request
    });
    edgegap_on(&recorder, &tape)
        .deployment("other")
        .status()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_login_and_a_session_go_on_with_names() {
    let path = file("login");
    let recorder = Recorder::new();
    recorder.reply(
        "verify_login_code",
        CannedReply::example("verify_login_code", 200)
            .unwrap()
            .header("set-cookie", "session=s3cret-session; HttpOnly"),
    );
    let run = async |tape: &Tape| {
        let dployr = recorder.dployr_builder().tape(tape).build()?;
        let tokens = dployr.login("me@example.com", "pass-word").await?;
        let dployr = dployr.with_token(tokens.access_token)?;
        dployr.services().list().await?;
        let session = dployr.verify_login_code("me@example.com", "123456").await?;
        let dployr = dployr.with_session(session.id)?;
        dployr
            .api_tokens()
            .create(dployr::NewApiToken::new("ci"))
            .await
    };
    let tape = Tape::record(&path);
    run(&tape).await.unwrap();
    tape.finish().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    for secret in ["s3cret", "pass-word", "123456", "made-up"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    for name in [
        "session=<session>",
        "Bearer <access-token>",
        "<password>",
        "<code>",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
    let tape = Tape::replay(&path).unwrap();
    run(&tape).await.unwrap();
    tape.finish().unwrap();
}

#[tokio::test]
async fn a_stream_is_recorded_while_it_is_read() {
    let path = file("stream");
    let recorder = Recorder::new();
    recorder.reply(
        "get_service_logs",
        CannedReply::ndjson([r#"{"message":"one"}"#, r#"{"message":"two"}"#]),
    );
    let run = async |tape: &Tape| {
        let dployr = recorder.dployr_builder().tape(tape).build().unwrap();
        let lines = dployr.service("web").logs(None).await.unwrap();
        lines
            .into_iter()
            .map(|line| line.message.clone())
            .collect::<Vec<_>>()
    };
    let tape = Tape::record(&path);
    assert_eq!(run(&tape).await, ["one", "two"]);
    tape.finish().unwrap();
    let tape = Tape::replay(&path).unwrap();
    assert_eq!(run(&tape).await, ["one", "two"]);
}

#[test]
fn what_is_no_tape_is_refused() {
    let path = file("none");
    let refused = |words: &str| {
        let error = Tape::replay(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains("tape-none.json"), "{error}");
    };
    refused("cannot be read");
    for (text, words) in [
        ("{}", "no tape"),
        (r#"{"deploykit_tape": 2, "exchanges": []}"#, "version 2"),
        (r#"{"deploykit_tape": 1}"#, "does not fit"),
    ] {
        std::fs::write(&path, text).unwrap();
        refused(words);
    }
}

#[tokio::test]
async fn it_is_written_whole_and_not_after_a_panic() {
    let path = file("atomic");
    std::fs::write(&path, "before").unwrap();
    let target = path.clone();
    let joined = std::thread::spawn(move || {
        let _tape = Tape::record(target);
        panic!("a test that fails");
    })
    .join();
    assert!(joined.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
    drop(Tape::record(&path));
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("deploykit_tape")
    );
    // A folder that cannot be made.
    let error = Tape::record(path.join("a/b.json")).finish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let auto = Tape::auto(&path).unwrap();
    assert!(auto.is_replaying());
    assert!(!Tape::auto(file("new")).unwrap().is_replaying());
}

#[tokio::test]
async fn a_real_connection_that_breaks_is_on_the_tape() {
    let path = file("broken");
    let server = Server::start(Answer::Close).await;
    let run = async |tape: &Tape, url: &str| {
        let builder = edgegap::Client::builder()
            .token("t")
            .base_url(url)
            .tape(tape);
        let edgegap = builder.build().unwrap();
        edgegap.deploy(crate::server()).await.unwrap_err()
    };
    let tape = Tape::record(&path);
    let recorded = run(&tape, &server.base_url).await;
    tape.finish().unwrap();
    let tape = Tape::replay(&path).unwrap();
    let replayed = run(&tape, "http://127.0.0.1:1").await;
    assert_eq!(replayed.kind(), recorded.kind());
    assert_eq!(
        (replayed.kind(), replayed.effect()),
        (ErrorKind::Interrupted, Effect::Unknown)
    );
}
