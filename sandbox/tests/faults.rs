//! Injects each kind of fault into the calls of a deploykit client.
//!
//! The tests check the resulting error, and whether the sandbox processed the request.

mod common;

use std::time::Duration;

use common::server::{self, Server};
use deploykit::edgegap::{Client, NewDeployment, User};
use deploykit::{Effect, Error, ErrorKind, Retry};
use deploykit_sandbox::{Fault, FaultBuilder, Platform, Sandbox, SandboxBuilder};

const LONG: Duration = Duration::from_secs(20);

/// A sandbox with this fault, and a client without retries.
async fn start(fault: Fault) -> (Server, Client) {
    start_with(Sandbox::builder().fault(fault), LONG).await
}

async fn start_with(builder: SandboxBuilder, limit: Duration) -> (Server, Client) {
    let sandbox = server::start(builder).await;
    let access = sandbox.edgegap();
    let client = Client::builder().base_url(&access.base_url);
    let client = client.token(access.token.as_str()).timeout(limit);
    let client = client.retry(Retry::off()).build().unwrap();
    (sandbox, client)
}

fn create() -> FaultBuilder {
    Fault::on("create_deployment").platform(Platform::Edgegap)
}

fn new(sandbox: &Sandbox) -> NewDeployment {
    let access = sandbox.edgegap();
    let player: std::net::IpAddr = "198.51.100.7".parse().unwrap();
    NewDeployment::for_users(
        access.application.as_str(),
        access.version.as_str(),
        [User::ip(player)],
    )
}

async fn failure(sandbox: &Sandbox, client: &Client) -> Error {
    client.deploy(new(sandbox)).await.unwrap_err()
}

/// The number of deployments on the platform.
async fn deployments(client: &Client) -> usize {
    client.deployments().list().await.unwrap().items.len()
}

/// Asserts that the first create fails with this kind and effect, and that the second succeeds.
async fn expect(fault: Fault, kind: ErrorKind, effect: Effect, processed: bool) -> Error {
    let text = fault.to_string();
    let (sandbox, client) = start(fault).await;
    let error = failure(&sandbox, &client).await;
    assert_eq!(
        (error.kind(), error.effect()),
        (kind, effect),
        "{text}: {error}"
    );
    assert_eq!(deployments(&client).await, usize::from(processed), "{text}");
    assert_eq!(sandbox.pending_faults(), [], "{text}");
    let seen = &sandbox.requests_to(Platform::Edgegap)[0];
    assert_eq!(
        seen.fault.as_ref().map(ToString::to_string),
        Some(text.clone())
    );
    client.deploy(new(&sandbox)).await.unwrap();
    assert_eq!(
        deployments(&client).await,
        usize::from(processed) + 1,
        "{text}"
    );
    error
}

#[tokio::test]
async fn a_status_replaces_the_reply_before_or_after_processing() {
    let busy = create().nth(1).status(503).retry_after(7);
    let error = expect(busy, ErrorKind::Unavailable, Effect::Unknown, false).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(error.message(), Some("Service Unavailable"));
    let after = create().nth(1).status(502).after();
    expect(after, ErrorKind::Unavailable, Effect::Unknown, true).await;
    let limit = create().nth(1).status(429);
    expect(limit, ErrorKind::RateLimited, Effect::None, false).await;
    // The example body of the spec has the id of a deployment.
    let error = expect(
        create().nth(1).status(422),
        ErrorKind::Rejected,
        Effect::Applied,
        false,
    )
    .await;
    assert!(error.resource_id().is_some());
    let custom =
        create()
            .nth(1)
            .status_with(400, "application/json", r#"{"message":"custom message"}"#);
    let error = expect(custom, ErrorKind::Rejected, Effect::None, false).await;
    assert_eq!(error.message(), Some("custom message"));
}

#[tokio::test]
async fn after_a_reset_the_effect_is_unknown() {
    let before = create().nth(1).reset();
    expect(before, ErrorKind::Interrupted, Effect::Unknown, false).await;
    let after = create().nth(1).reset().after();
    expect(after, ErrorKind::Interrupted, Effect::Unknown, true).await;
}

#[tokio::test]
async fn a_truncated_reply_is_an_error() {
    for bytes in [0, 5, 10_000] {
        let cut = create().nth(1).truncate(bytes);
        expect(cut, ErrorKind::Interrupted, Effect::Unknown, true).await;
    }
}

#[tokio::test]
async fn a_garbage_reply_is_a_decode_error() {
    let before = create().nth(1).garbage();
    expect(before, ErrorKind::Decode, Effect::Unknown, false).await;
    let after = create().nth(1).garbage().after();
    expect(after, ErrorKind::Decode, Effect::Unknown, true).await;
}

#[tokio::test]
async fn a_delay_follows_the_manual_clock() {
    let delay = create().nth(1).delay(Duration::from_secs(3_600));
    let (sandbox, client) = start_with(Sandbox::builder().manual_clock().fault(delay), LONG).await;
    let call = client.deploy(new(&sandbox));
    let drive = async {
        let seen = sandbox
            .wait_for_request(|one| one.method == "POST", LONG)
            .await
            .unwrap();
        assert_eq!(seen.status, 202, "processed before the delay");
        sandbox.advance(Duration::from_secs(3_599));
        sandbox.advance(Duration::from_secs(1));
    };
    let (accepted, ()) = tokio::join!(call, drive);
    accepted.unwrap();
    assert_eq!(deployments(&client).await, 1);
}

#[tokio::test]
async fn a_reply_slower_than_the_timeout_is_an_error() {
    for (fault, processed) in [
        (create().nth(1).hang(), false),
        (create().nth(1).hang().after(), true),
        (create().nth(1).delay(Duration::from_secs(3_600)), true),
        (create().nth(1).dribble(Duration::from_secs(3_600), 1), true),
    ] {
        let text = fault.to_string();
        let builder = Sandbox::builder().manual_clock().fault(fault);
        let (sandbox, client) = start_with(builder, Duration::from_millis(300)).await;
        let error = failure(&sandbox, &client).await;
        let (kind, effect) = (error.kind(), error.effect());
        assert_eq!(
            (kind, effect),
            (ErrorKind::Timeout, Effect::Unknown),
            "{text}"
        );
        assert_eq!(deployments(&client).await, usize::from(processed), "{text}");
        assert_eq!(sandbox.pending_faults(), []);
    }
}

#[tokio::test]
async fn a_dribbled_body_arrives_complete() {
    let pieces = create().nth(1).dribble(Duration::from_secs(60), 3);
    let (sandbox, client) = start_with(Sandbox::builder().manual_clock().fault(pieces), LONG).await;
    let call = client.deploy(new(&sandbox));
    let drive = async {
        sandbox
            .wait_for_request(|one| one.method == "POST", LONG)
            .await
            .unwrap();
        // Moves the clock once per piece, without real waiting.
        for _ in 0..60 {
            sandbox.advance(Duration::from_secs(60));
            tokio::task::yield_now().await;
        }
    };
    let (accepted, ()) = tokio::join!(call, drive);
    accepted.unwrap();
    assert_eq!(deployments(&client).await, 1);
}

#[tokio::test]
async fn a_client_with_retries_succeeds_after_faults() {
    let builder = Sandbox::builder().fault(Fault::on("list_deployments").times(2).reset());
    let builder = builder.fault(Fault::on("list_deployments").nth(3).status(503));
    let sandbox = server::start(builder).await;
    let access = sandbox.edgegap();
    let client = Client::builder().base_url(&access.base_url);
    let retry = Retry::default()
        .max_retries(3)
        .initial_backoff(Duration::from_millis(1));
    let client = client
        .token(access.token.as_str())
        .retry(retry)
        .build()
        .unwrap();
    assert_eq!(deployments(&client).await, 0);
    let statuses: Vec<u16> = sandbox.requests().iter().map(|one| one.status).collect();
    assert_eq!(statuses, [503, 503, 503, 200]);
    assert_eq!(sandbox.pending_faults(), []);
}

#[tokio::test]
async fn faults_are_injected_and_cleared() {
    let (sandbox, client) = start(create().from(3).hang()).await;
    sandbox.clear_faults();
    sandbox
        .inject("edgegap.create_deployment:2=503".parse().unwrap())
        .unwrap();
    client.deploy(new(&sandbox)).await.unwrap();
    assert_eq!(sandbox.pending_faults().len(), 1, "not applied yet");
    failure(&sandbox, &client).await;
    assert_eq!(sandbox.pending_faults(), []);
    let used = &sandbox.faults()[0];
    assert_eq!((used.matched, used.applied), (2, 1));
    client.deploy(new(&sandbox)).await.unwrap();

    let refused = sandbox
        .inject(Fault::on("create_deploymen").reset())
        .unwrap_err();
    assert!(refused.to_string().contains("did you mean"), "{refused}");
    let builder = Sandbox::builder().fault(Fault::on("nope").reset());
    let refused = builder.clone().start().await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("no platform has the operation nope"),
        "{refused}"
    );
    let request = deploykit_sandbox::Request::new("GET", "/v1/regions");
    let reply = builder.state().handle(Platform::Nodion, &request, LONG);
    assert_eq!(
        (reply.status.as_u16(), reply.text_body()),
        (500, refused.to_string())
    );
}

#[tokio::test]
async fn a_fault_on_any_operation_includes_unknown_routes() {
    let fault = Fault::on_any().platform(Platform::Nodion).status(502);
    let mut state = Sandbox::builder().fault(fault).state();
    let mut status = |platform, target| {
        let request = deploykit_sandbox::Request::new("GET", target);
        state.handle(platform, &request, LONG).status
    };
    assert_eq!(status(Platform::Nodion, "/v1/regions"), 502);
    assert_eq!(status(Platform::Nodion, "/nope"), 502);
    assert_eq!(status(Platform::Edgegap, "/v1/locations"), 401);
}

#[tokio::test]
async fn a_webhook_can_be_dropped() {
    let dropped = Fault::on_any()
        .platform(Platform::Edgegap)
        .nth(2)
        .drop_webhook();
    let builder = Sandbox::builder().manual_clock().fault(dropped);
    let (sandbox, client) = start_with(builder, LONG).await;
    let receiver = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", receiver.local_addr().unwrap());
    let mut ids = Vec::new();
    for _ in 0..3 {
        let new = new(&sandbox).webhook_on_ready(url.as_str());
        ids.push(client.deploy(new).await.unwrap().request_id.to_string());
        // At different times, so that the order of the webhooks is known.
        sandbox.advance(Duration::from_millis(100));
    }
    sandbox.advance(Duration::from_secs(1));
    let mut called = Vec::new();
    for at in [100, 100] {
        let (mut stream, _) = tokio::time::timeout(LONG, receiver.accept())
            .await
            .unwrap()
            .unwrap();
        called.push(body_of(&mut stream).await);
        sandbox.advance(Duration::from_millis(at));
    }
    assert!(
        called[0].contains(&ids[0]) && called[1].contains(&ids[2]),
        "{called:?}"
    );
    assert_eq!(sandbox.pending_faults(), []);
}

/// Reads a request up to the end of its JSON body.
async fn body_of(stream: &mut tokio::net::TcpStream) -> String {
    use tokio::io::AsyncReadExt;
    let mut text = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        text.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&text).into_owned();
        if read == 0 || text.trim_end().ends_with('}') {
            return text;
        }
    }
}
