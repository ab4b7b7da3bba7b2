//! Logging in to dployr's control plane and what a login gives: the client against the server, and on the state machine
//! what the client does not show or would never send. Recorded exchanges are in `replay.rs`.

mod common;

use std::time::Duration;

use common::server::{self, Server};
use common::{World, expect, expect_status};
use deploykit::ErrorKind;
use deploykit::dployr::{
    Client, EventType, EventWindow, NewApiToken, NewDeployment, NewDomain, ServiceType,
};
use deploykit_sandbox::{Dialect, Platform, Request, Sandbox};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn start() -> (Server, Client) {
    let builder = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = server::start(builder).await;
    let access = sandbox.dployr();
    let client = Client::builder().base_url(&access.base_url);
    let client = client.token(access.token.as_str());
    let client = client.cluster(access.cluster_id.as_str()).build().unwrap();
    (sandbox, client)
}

async fn signed_in(sandbox: &Sandbox, dployr: &Client) -> Client {
    let access = sandbox.dployr();
    let sent = dployr.login_by_email(&access.email).await.unwrap();
    let session = sent.verify(access.login_code.as_str()).await.unwrap();
    assert_eq!(session.expires_in, Some(7 * DAY));
    dployr.with_session(session.id.clone()).unwrap()
}

/// web-one runs.
async fn deployed(sandbox: &Sandbox, dployr: &Client) {
    let app = NewDeployment::from_image("web-one", "node:20-alpine").kind(ServiceType::Web);
    dployr.deployments().create(app).await.unwrap();
    sandbox.advance(Duration::from_secs(2));
}

#[tokio::test]
async fn a_code_gives_a_session_which_makes_a_token() {
    let (sandbox, dployr) = start().await;
    let access = sandbox.dployr();
    let wrong = dployr.verify_login_code(&access.email, "WRONG1").await;
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Rejected);
    let session = signed_in(&sandbox, &dployr).await;

    let new = NewApiToken::new("ci").expires_in(DAY);
    let made = session.api_tokens().create(new).await.unwrap();
    let with_token = dployr.with_token(made.token.clone()).unwrap();
    let user = with_token.current_user().await.unwrap();
    assert_eq!(user.clusters[0].id, access.cluster_id);
    let list = session.api_tokens().list().await.unwrap();
    assert_eq!((list.items.len(), &list.items[0].id), (1, &made.id));
    assert!(list.items[0].last_used_at.is_some());

    // A token manages no tokens.
    let tokens = with_token.api_tokens();
    let refused = tokens.create(NewApiToken::new("more")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    let refused = tokens.list().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    let revoke = with_token.api_token(&*made.id).revoke().await.unwrap_err();
    assert_eq!(revoke.kind(), ErrorKind::Forbidden);

    // A logout ends the session and not the token; that ends by itself or when it is revoked.
    session.logout().await.unwrap();
    let gone = session.current_user().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Unauthenticated);
    with_token.current_user().await.unwrap();
    let session = signed_in(&sandbox, &dployr).await;
    let other = session.api_tokens().create(NewApiToken::new("other")).await;
    let other = other.unwrap();
    session.api_token(&*other.id).revoke().await.unwrap();
    let with_other = dployr.with_token(other.token.clone()).unwrap();
    let gone = with_other.current_user().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Unauthenticated);
    sandbox.advance(DAY);
    let gone = with_token.current_user().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_domain_is_registered_verified_and_taken_away() {
    let (sandbox, dployr) = start().await;
    deployed(&sandbox, &dployr).await;
    let create = |domain: &str| dployr.domains().create(NewDomain::new(domain, "web-one"));
    let made = create("App.Site.test").await.unwrap();
    assert_eq!(
        (made.domain.as_str(), made.records.len()),
        ("app.site.test", 1)
    );
    create("app.example.com").await.unwrap();
    let list = dployr.domains().list().await.unwrap();
    assert_eq!(list.items[0].domain, "app.example.com", "the newest first");

    let domain = dployr.domain("app.site.test");
    domain.verify().await.unwrap();
    let verified = domain.get().await.unwrap();
    assert_eq!(verified.status.as_ref().unwrap().as_str(), "active");
    assert!(verified.activated_at.is_some() && verified.records.is_empty());
    let missing = dployr.domain("app.example.com").verify().await.unwrap_err();
    assert_eq!(missing.status(), Some(422));

    domain.delete().await.unwrap();
    assert_eq!(domain.get().await.unwrap_err().kind(), ErrorKind::NotFound);
    let others = create("console.dployr.io").await.unwrap_err();
    assert_eq!(others.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_cluster_is_renamed_once_a_month() {
    let (sandbox, dployr) = start().await;
    let access = sandbox.dployr();
    let cluster = dployr.clusters().by_id(access.cluster_id.as_str());
    let renamed = cluster.rename("acme").await.unwrap();
    assert_eq!(renamed.name.as_deref(), Some("acme"));
    let refused = cluster.rename("acme2").await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.status(), refused.retry_after()),
        (ErrorKind::Quota, Some(429), None)
    );
    assert_eq!(refused.attempts(), 1);
    sandbox.advance(31 * DAY);
    cluster.rename("acme2").await.unwrap();
    let clusters = dployr.clusters().list().await.unwrap();
    assert_eq!(clusters.items[0].name.as_deref(), Some("acme2"));
}

#[tokio::test]
async fn users_belong_or_are_invited() {
    let (sandbox, dployr) = start().await;
    let access = sandbox.dployr();
    let cluster = dployr.clusters().by_id(access.cluster_id.as_str());
    let invited = cluster.users().invited();
    assert!(invited.list().await.unwrap().items.is_empty());
    for _ in 0..2 {
        cluster.invite(["new@example.com"]).await.unwrap();
    }
    let refused = cluster.invite(["nobody"]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    let email = |page: deploykit::Page<deploykit::dployr::ClusterUser>| {
        let emails = page.items.iter();
        let emails = emails.map(|user| user.email.as_ref().unwrap().as_str().to_owned());
        emails.collect::<Vec<_>>()
    };
    let asked = invited.list().await.unwrap();
    assert_eq!(email(asked), ["new@example.com"]);
    let belong = cluster.users().list().await.unwrap();
    assert_eq!(email(belong), [access.email.as_str()]);
    let others = dployr.clusters().by_id("01ZZZZZZZZZZZZZZZZZZZZZZZZ");
    let refused = others.invite(["new@example.com"]).await.unwrap_err();
    assert_eq!(refused.code(), Some("permission.admin_role_required"));
}

#[tokio::test]
async fn what_happened_is_listed() {
    let (sandbox, dployr) = start().await;
    deployed(&sandbox, &dployr).await;
    let kinds = async |events: deploykit::dployr::Events| {
        let events = events.list().all().await.unwrap().into_iter();
        let kinds = events.map(|event| event.type_.unwrap().as_str().to_owned());
        kinds.collect::<Vec<_>>()
    };
    let both = ["deployment.finished", "deployment.created"];
    assert_eq!(kinds(dployr.events()).await, both);
    let oldest = dployr.events().oldest_first().page_size(1);
    assert_eq!(kinds(oldest).await, [both[1], both[0]]);
    let ended = dployr.events().kind(EventType::DeploymentFinished);
    assert_eq!(kinds(ended).await, both[..1]);
    let searched = dployr.events().search("CREATED");
    assert_eq!(kinds(searched).await, both[1..]);
    let by_node = dployr.events().actor(&sandbox.dployr().instance_tag);
    assert_eq!(kinds(by_node).await, both[..1]);
    sandbox.advance(2 * DAY);
    let today = dployr.events().within(EventWindow::Day);
    assert_eq!(kinds(today).await, [""; 0]);
    assert_eq!(kinds(dployr.events()).await, both);
}

#[tokio::test]
async fn the_server_tells_its_versions() {
    let (_sandbox, dployr) = start().await;
    let released = dployr.versions().await.unwrap();
    assert_eq!(released.include_pre_releases, Some(false));
    let all = dployr.versions_with_previews().await.unwrap();
    assert_eq!(all.versions[1..], released.versions);
    assert_eq!(all.latest.as_ref(), all.versions.first());
}

#[tokio::test]
async fn no_job_is_trusted() {
    let (_sandbox, dployr) = start().await;
    let refused = dployr.login_by_identity_token("eyJhbGciOi").await;
    let refused = refused.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.code()),
        (ErrorKind::Unauthenticated, Some("auth.oidc_invalid_token"))
    );
}

fn world() -> World {
    let builder = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    World::new(Platform::Dployr, builder)
}

fn attempt(world: &mut World, code: &str) -> (u16, Option<String>) {
    let email = world.state.dployr().access("").email;
    let body = json!({ "email": email, "code": code });
    let request = Request::new("POST", "/v1/auth/login/email/verify").with_json(&body);
    let reply = world.raw(&request);
    assert!(
        !reply.text_body().contains("session"),
        "in the cookie alone"
    );
    (
        reply.status.as_u16(),
        reply.header("set-cookie").map(str::to_owned),
    )
}

fn ask_for_a_code(world: &mut World) {
    let email = world.state.dployr().access("").email;
    let request = Request::new("POST", "/v1/auth/login/email?client=cli");
    let reply = world.raw(&request.with_json(&json!({ "email": email })));
    expect_status(&reply, 200);
}

fn me(world: &mut World, headers: &[(&str, &str)]) -> u16 {
    let request = Request::new("GET", "/v1/users/me");
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.with_header(name, value)
    });
    world.raw(&request).status.as_u16()
}

#[test]
fn a_code_has_three_attempts_ten_minutes_and_one_use() {
    let mut world = world();
    let code = world.state.dployr().access("").login_code;
    assert_eq!(attempt(&mut world, &code), (400, None), "nobody asked");
    ask_for_a_code(&mut world);
    for _ in 0..3 {
        assert_eq!(attempt(&mut world, "WRONG1"), (400, None));
    }
    assert_eq!(attempt(&mut world, &code), (400, None));
    ask_for_a_code(&mut world);
    world.wait(600_000);
    assert_eq!(attempt(&mut world, &code), (400, None));
    ask_for_a_code(&mut world);
    world.wait(599_000);
    let (status, cookie) = attempt(&mut world, &code.to_lowercase());
    assert_eq!((status, cookie.is_some()), (200, true));
    assert_eq!(attempt(&mut world, &code), (400, None));
}

#[test]
fn a_session_is_a_cookie_for_seven_days() {
    let mut world = world();
    let access = world.state.dployr().access("");
    ask_for_a_code(&mut world);
    let (_, cookie) = attempt(&mut world, &access.login_code);
    let cookie = cookie.unwrap();
    let (session, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Max-Age=604800; Path=/; HttpOnly; SameSite=Lax");
    let id = session.strip_prefix("session=").unwrap();
    let with_others = format!("a=b; {session}");
    let (bearer, wrong) = (format!("Bearer {id}"), "Bearer dpat_wrong");
    assert_eq!(me(&mut world, &[("cookie", session)]), 200);
    assert_eq!(me(&mut world, &[("cookie", &with_others)]), 200);
    assert_eq!(me(&mut world, &[("authorization", &bearer)]), 401);
    let both = [("cookie", session), ("authorization", wrong)];
    assert_eq!(me(&mut world, &both), 401, "the token goes before it");
    let both = [("cookie", session), ("authorization", "Bearer other")];
    assert_eq!(me(&mut world, &both), 200, "that is no token");
    world.wait(7 * 24 * 3_600_000 - 1);
    assert_eq!(me(&mut world, &[("cookie", session)]), 200);
    world.wait(1);
    assert_eq!(me(&mut world, &[("cookie", session)]), 401);
}

#[test]
fn a_rename_is_refused_without_a_time_to_wait() {
    let mut world = world();
    let cluster = world.state.dployr().access("").cluster_id;
    let target = format!("/v1/clusters/{cluster}");
    let mut rename = |name: &str| {
        let request = Request::new("PATCH", &target);
        world.send(request.with_json(&json!({ "name": name })))
    };
    let long = "n".repeat(65);
    for name in ["", &long] {
        expect_status(&rename(name), 400);
    }
    expect_status(&rename("acme"), 200);
    let refused = rename("acme2");
    let message = "You can only rename once per month. Try again after December 24, 2026.";
    let code = "request.too_many_requests";
    let error = json!({ "message": message, "code": code });
    expect(&refused, 429, &json!({ "success": false, "error": error }));
    assert_eq!(refused.header("retry-after"), None);
    assert_ne!(refused.header("x-ratelimit-remaining"), Some("0"));
}

#[test]
fn what_needs_a_token_and_what_does_not() {
    let mut world = world();
    let cluster = world.state.dployr().access("").cluster_id;
    let events = format!("/v1/runtime/events?clusterId={cluster}");
    let mut status = |method: &str, target: &str| {
        let reply = world.raw(&Request::new(method, target));
        (reply.status.as_u16(), reply.json_body()["code"].clone())
    };
    let code = json!("auth.bad_session");
    assert_eq!(status("GET", &events), (401, code.clone()));
    assert_eq!(status("POST", "/v1/domains"), (401, code.clone()));
    let users = format!("/v1/clusters/{cluster}/users");
    assert_eq!(status("POST", &users), (401, code));
    assert_eq!(status("GET", "/v1/runtime/versions"), (200, Value::Null));
    assert_eq!(status("GET", "/v1/auth/logout"), (200, Value::Null));
    // Not in the sandbox, and it says so.
    assert_eq!(status("GET", "/v1/domains/verify?domain=a.test").0, 501);
    let empty = Request::new("POST", "/v1/auth/oidc/exchange");
    assert_eq!(world.raw(&empty).status, 500, "nobody guards that body");
    let reply = world.get("/v1/runtime/events");
    let error = json!({ "error": "clusterId is required", "code": "request.bad_request" });
    expect(&reply, 400, &error);
}
