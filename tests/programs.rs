//! The programs of the README and of `docs/` on the sandbox. Their short examples are doctests.

#[path = "../docs/four_steps.rs"]
mod four_steps;
#[path = "../docs/matchmaker.rs"]
mod matchmaker;
#[path = "../docs/preview_bot.rs"]
mod preview_bot;
#[path = "../docs/publish_build.rs"]
mod publish_build;

use deploykit::nexlayer::Manifest;
use deploykit::{Effect, ErrorKind};
use deploykit::{dployr, edgegap};
use deploykit_sandbox::{Dialect, Fault, Platform, Sandbox};
use serde_json::json;
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

mod quickstart {
    include!("../docs/quickstart.rs");

    #[test]
    #[ignore = "needs the environment of the test below, which starts it"]
    fn program() {
        main().unwrap();
    }
}

#[test]
fn readme_contains_the_quickstart() {
    let program = include_str!("../docs/quickstart.rs");
    assert!(include_str!("../README.md").contains(program));
}

#[tokio::test]
async fn quickstart_prints_the_endpoint_and_stops_the_server() {
    let sandbox = Sandbox::builder().ready_after(Duration::ZERO);
    let sandbox = sandbox.start().await.unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program
        .args(["quickstart::program", "--exact", "--ignored", "--nocapture"])
        .env("EDGEGAP_BASE_URL", &sandbox.edgegap().base_url)
        .env("EDGEGAP_TOKEN", &sandbox.edgegap().token);
    let output = tokio::task::spawn_blocking(move || program.output());
    let output = output.await.unwrap().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains(".pr.edgegap.net:"), "{text}");
    let requests = sandbox.requests_to(Platform::Edgegap);
    assert_eq!(requests.last().unwrap().method.as_str(), "DELETE");
}

#[tokio::test(start_paused = true)]
async fn edgegap_deployment_is_stopped_at_the_end() {
    let sandbox = Sandbox::builder().in_process();
    let (client, access) = (sandbox.edgegap().unwrap(), sandbox.edgegap_access());
    let player = edgegap::User::ip([75, 28, 35, 192].into());
    let new = edgegap::NewDeployment::new(&access.application, &access.version, player);
    four_steps::edgegap(&client, new).await.unwrap();
    let deployments = client.deployments().list().all().await.unwrap();
    for deployment in deployments {
        let status = client.deployment(deployment.request_id).get().await;
        assert!(status.is_err() || status.unwrap().is_over());
    }
}

#[test]
fn publishing_page_contains_its_program() {
    let program = include_str!("../docs/publish_build.rs");
    assert!(include_str!("../docs/publishing.md").contains(program));
}

/// The response to the first creation is lost.
#[tokio::test(start_paused = true)]
async fn edgegap_build_is_published_once_deployed_and_removed() {
    let lost = Fault::on("create_version").platform(Platform::Edgegap);
    let sandbox = Sandbox::builder().fault(lost.nth(1).reset().after());
    let sandbox = sandbox.in_process();
    let (client, build) = (sandbox.edgegap().unwrap(), "25.06.01-10.00.00-04");
    for _ in 0..2 {
        let password = "registry-password".into();
        let published = publish_build::publish(&client, build, password);
        published.await.unwrap();
    }
    let application = client.application(sandbox.edgegap_access().application);
    let versions = application.versions().list().all().await.unwrap();
    let names: Vec<_> = versions
        .iter()
        .map(|version| version.name.as_str())
        .collect();
    assert_eq!(names, [sandbox.edgegap_access().version.as_str(), build]);

    let player = edgegap::User::ip([75, 28, 35, 192].into());
    let ready = publish_build::deploy(&client, build, player).await.unwrap();
    assert_eq!(ready.app_version.as_deref(), Some(build));
    assert!(ready.endpoint("gameport").is_ok(), "{ready:?}");

    publish_build::remove(&client, build).await.unwrap();
    let error = application.version(build).get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let server = client.deployment(&ready.request_id).get().await.unwrap();
    assert!(!server.is_ready(), "{server:?}");
    let tags = client.image("my-game-server").tags().list().await.unwrap();
    assert!(tags.items.iter().all(|tag| tag.tag != build), "{tags:?}");
}

#[tokio::test(start_paused = true)]
async fn removing_a_build_stops_only_its_servers_if_filters_are_ignored() {
    let sandbox = Sandbox::builder().in_process();
    let (client, access) = (sandbox.edgegap().unwrap(), sandbox.edgegap_access());
    let build = "25.06.01-10.00.00-04";
    let password = "registry-password".into();
    let published = publish_build::publish(&client, build, password).await;
    published.unwrap();
    let mut ids = Vec::new();
    for version in [build, &access.version] {
        let player = edgegap::User::ip([75, 28, 35, 192].into());
        let ready = publish_build::deploy(&client, version, player).await;
        ids.push(ready.unwrap().request_id);
    }
    let all = ids.iter().map(|id| json!({ "request_id": id }));
    let all = json!({ "data": all.collect::<Vec<_>>() }).to_string();
    let list = Fault::on("list_deployments").platform(Platform::Edgegap);
    let unfiltered = list.status_with(200, "application/json", all);
    sandbox.inject(unfiltered).unwrap();

    publish_build::remove(&client, build).await.unwrap();
    let mut are_ready = Vec::new();
    for id in &ids {
        let server = client.deployment(id).get().await.unwrap();
        are_ready.push(server.is_ready());
    }
    assert_eq!(are_ready, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn edgegap_build_without_an_image_is_not_published() {
    let client = Sandbox::builder().in_process().edgegap().unwrap();
    let password = "registry-password".into();
    let published = publish_build::publish(&client, "never-pushed", password).await;
    let error = published.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Rejected, Some(424))
    );
}

/// Matches of two players.
fn matches(number: u8) -> Vec<matchmaker::Match> {
    let players = |last| vec![[75, 28, 35, last].into(), [203, 0, 113, last].into()];
    let game = |id: u8| matchmaker::Match {
        id: id.to_string(),
        players: players(id),
    };
    (1..=number).map(game).collect()
}

/// Number of servers that are ready.
async fn ready_servers(client: &edgegap::Client) -> usize {
    let mut ready = 0;
    for listed in client.deployments().list().all().await.unwrap() {
        let server = client.deployment(listed.request_id).get().await.unwrap();
        ready += usize::from(server.is_ready());
    }
    ready
}

/// The response to the first create is lost.
#[tokio::test(start_paused = true)]
async fn matchmaker_starts_one_server_for_each_match_and_stops_it() {
    let lost = Fault::on("create_deployment").platform(Platform::Edgegap);
    let sandbox = Sandbox::builder().fault(lost.nth(1).reset().after());
    let sandbox = sandbox.in_process();
    let client = sandbox.edgegap().unwrap();
    let started = matchmaker::start_all(&client, matches(3)).await;
    let endpoint = |server: &deploykit::Result<matchmaker::Server>| {
        let server = server.as_ref().unwrap_or_else(|error| panic!("{error}"));
        server.endpoint.clone()
    };
    let endpoints: HashSet<_> = started.iter().map(|(_, server)| endpoint(server)).collect();
    assert_eq!((endpoints.len(), ready_servers(&client).await), (3, 3));
    for (game, server) in started {
        let again = matchmaker::start(&client, &game).await;
        assert_eq!(endpoint(&again), endpoint(&server));
        matchmaker::stop(server.unwrap()).await.unwrap();
    }
    let requests = sandbox.requests();
    let creates = requests.iter().filter(|request| request.method == "POST");
    assert_eq!((creates.count(), ready_servers(&client).await), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn matchmaker_leaves_no_server_behind_a_match_without_capacity() {
    let sandbox = Sandbox::builder().edgegap_capacity(1).in_process();
    let client = sandbox.edgegap().unwrap();
    let started = matchmaker::start_all(&client, matches(2)).await;
    let errors = started
        .iter()
        .filter_map(|(_, server)| server.as_ref().err());
    let errors: Vec<_> = errors
        .map(|error| (error.status(), error.effect()))
        .collect();
    assert_eq!(errors, [(Some(422), Effect::None)]);
    assert_eq!(ready_servers(&client).await, 1);
}

#[tokio::test(start_paused = true)]
async fn matchmaker_stops_a_server_that_does_not_become_ready() {
    let sandbox = Sandbox::builder().deployments_fail(true).in_process();
    let client = sandbox.edgegap().unwrap();
    let started = matchmaker::start(&client, &matches(1)[0]).await;
    assert_eq!(started.err().unwrap().kind(), ErrorKind::WaitFailed);
    let requests = sandbox.requests();
    assert_eq!(requests.last().unwrap().method, "DELETE");
}

fn dployr(dialect: Dialect) -> dployr::Client {
    let sandbox = Sandbox::builder().dployr_dialect(dialect).in_process();
    let cluster = sandbox.dployr_access().cluster_id;
    sandbox.dployr_builder().cluster(cluster).build().unwrap()
}

fn new_dployr_deployment() -> dployr::NewDeployment {
    dployr::NewDeployment::from_image("four-steps", "docker.io/example/web:1")
        .kind(dployr::ServiceType::Web)
        .port(3000)
}

async fn assert_dployr_deployment_is_deleted(client: &dployr::Client) {
    let deployments = client.deployments().list().all().await.unwrap();
    let mut names = deployments.iter().map(|deployment| &deployment.name);
    assert!(names.all(|name| name != "four-steps"));
}

#[tokio::test(start_paused = true)]
async fn dployr_service_and_deployment_are_deleted_from_a_control_plane() {
    let client = dployr(Dialect::ControlPlane);
    let new = new_dployr_deployment();
    four_steps::dployr(&client, new).await.unwrap();
    let services = client.services().list().all().await.unwrap();
    assert!(services.iter().all(|service| service.name != "four-steps"));
    assert_dployr_deployment_is_deleted(&client).await;
}

#[tokio::test(start_paused = true)]
async fn dployr_service_is_stopped_and_deployment_deleted_with_the_documented_api() {
    let client = dployr(Dialect::Documented);
    let new = new_dployr_deployment();
    four_steps::dployr_documented(&client, new).await.unwrap();
    let services = client.services().list().all().await.unwrap();
    let mut left = services.iter().filter(|one| one.name == "four-steps");
    let service = client.service(&left.next().unwrap().id);
    let status = service.status().await.unwrap().status;
    assert_eq!(status.to_string(), "stopped");
    assert_dployr_deployment_is_deleted(&client).await;
}

#[tokio::test(start_paused = true)]
async fn nodion_application_is_deleted_at_the_end() {
    let sandbox = Sandbox::builder().in_process();
    let client = sandbox.nodion().unwrap();
    let application = client.application(sandbox.nodion_access().application_id);
    four_steps::nodion(&application).await.unwrap();
    let error = application.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn nexlayer_application_becomes_ready() {
    let sandbox = Sandbox::builder().in_process();
    let client = sandbox.nexlayer().unwrap();
    let manifest = Manifest::parse(include_str!("../examples/nexlayer.yaml")).unwrap();
    four_steps::nexlayer(&client, manifest).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn preview_bot_changes_name_image_and_variable_of_the_deployed_manifest() {
    let sandbox = Sandbox::builder().in_process();
    let client = sandbox.nexlayer().unwrap();
    let file = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/nexlayer.yaml"
    ));
    let url = preview_bot::preview(&client, file, 7).await.unwrap();
    assert!(url.contains("guestbook-7"), "{url}");
    let sent = String::from_utf8(sandbox.requests()[0].body.clone()).unwrap();
    let changed = [
        "  name: guestbook-7",
        "      image: <% REGISTRY %>/guestbook:pr-7",
        "        LOG_LEVEL: debug",
    ];
    assert_eq!(
        changed_lines(&std::fs::read_to_string(file).unwrap(), &sent),
        changed
    );
}

#[test]
fn preview_bot_changes_one_line_of_the_file_for_a_release() {
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/released.yaml");
    let before = include_str!("../examples/nexlayer.yaml");
    std::fs::write(path, before).unwrap();
    preview_bot::release(Path::new(path), "<% REGISTRY %>/guestbook:1.5.0").unwrap();
    let after = std::fs::read_to_string(path).unwrap();
    let changed = ["      image: <% REGISTRY %>/guestbook:1.5.0"];
    assert_eq!(changed_lines(before, &after), changed);
}

/// The lines of a text that differ from those of the text before.
fn changed_lines<'t>(before: &str, after: &'t str) -> Vec<&'t str> {
    assert_eq!(before.lines().count(), after.lines().count());
    let lines = before.lines().zip(after.lines());
    let changed = lines.filter(|(before, after)| before != after);
    changed.map(|(_, after)| after).collect()
}
