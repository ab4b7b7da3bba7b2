use super::{CANARY, refused};
use deploykit::edgegap::{
    ApplicationName, ApplicationUpdate, Client, Filter, Match, NewApplication, NewDeployment,
    NewPort, NewVersion, PortProtocol, StopFilter, TagName, User, VersionName, VersionUpdate,
};
use deploykit::{Effect, ErrorKind};
use std::time::{Duration, UNIX_EPOCH};

fn client() -> Client {
    Client::new(CANARY).unwrap()
}

fn player() -> User {
    User::ip([75, 28, 35, 192].into())
}

fn new() -> NewDeployment {
    NewDeployment::new("my-app", "1", player())
}

const NONE: [&str; 0] = [];

#[test]
fn invalid_deployments_are_refused() {
    let at =
        |latitude, longitude| NewDeployment::new("a", "1", User::coordinates(latitude, longitude));
    for (new, words) in [
        (NewDeployment::for_users("my-app", "1", []), "no users"),
        (
            NewDeployment::new(" ", "1", player()),
            "application is empty",
        ),
        (NewDeployment::new("a", "", player()), "version is empty"),
        (at(f64::NAN, 0.0), "is not between"),
        (at(90.1, 0.0), "is not between"),
        (at(-91.0, 0.0), "is not between"),
        (at(0.0, 180.5), "is not between"),
        (at(0.0, -180.5), "is not between"),
        (at(0.0, f64::NAN), "is not between"),
        (at(0.0, f64::INFINITY), "is not between"),
        (new().env("", "x"), "name of an environment variable"),
        (new().resources(99, 100), "at least 100"),
        (new().resources(100, 99), "at least 100"),
        (new().resources(0, 0), "at least 100"),
        (new().webhook_on_ready(""), "webhook URL"),
        (new().webhook_on_ready("my-webhook.com"), "webhook URL"),
        (
            new().webhook_on_ready("ftp://my-webhook.com"),
            "webhook URL",
        ),
    ] {
        refused(client().deploy(new), words);
    }
    let too_much_memory = new().resources(1024, 2049);
    for (new, words) in [
        (too_much_memory.on_host("a"), "at most twice"),
        (new().on_hosts(NONE), "no host ids"),
        (new().on_hosts(["a", "b", "a"]), "duplicate host id"),
        (new().on_host(""), "host id is empty"),
        (at(f64::NAN, 0.0).on_host("a"), "is not between"),
    ] {
        refused(client().deploy_to_fleet(new), words);
    }
}

#[test]
fn invalid_filters_are_refused() {
    let all = || client().deployments();
    let late = UNIX_EPOCH + Duration::from_secs(400_000_000_000);
    for (list, words) in [
        (all().tagged(""), "tag is empty"),
        (all().tagged(" "), "tag is empty"),
        (all().page(0), "page is zero"),
        (all().page_size(0), "size is zero"),
        (all().created_since(late), "after the year 9999"),
        (
            all().filter(Filter::tag(Match::any_of(NONE))),
            "empty list of values for the tag",
        ),
        (
            all().filter(Filter::version(Match::none_of([" "]))),
            "version is empty",
        ),
        (
            all().filter(Filter::application("")),
            "application is empty",
        ),
        (all().filter(Filter::fleet_like("")), "fleet name is empty"),
        (all().filter(Filter::status("".into())), "status is empty"),
    ] {
        refused(list.list(), words);
    }
    for tag in ["", " "] {
        refused(all().find_created(tag, UNIX_EPOCH), "tag is empty");
    }
    refused(
        all()
            .filter(Filter::application(""))
            .find_created("eu", UNIX_EPOCH),
        "application is empty",
    );
    for (filter, words) in [
        (StopFilter::ids(NONE), "might stop everything"),
        (StopFilter::any_tag(NONE), "might stop everything"),
        (
            StopFilter::any_tag(["a"]).without_ids(NONE),
            "might stop everything",
        ),
        (StopFilter::any_tag(["a", ""]), "tag is empty"),
        (StopFilter::ids([" "]), "request id"),
        (
            StopFilter::any_tag(["a"]).without_ids(["a/b"]),
            "request id",
        ),
    ] {
        refused(client().deployments().stop_matching(filter), words);
    }
}

#[test]
fn names_from_records_are_arguments() {
    let tag = TagName::new("eu").unwrap();
    let application = ApplicationName::new("my-app").unwrap();
    let new = NewDeployment::new(&application, "1", player()).tag(&tag);
    let text = client().deploy(new).preview().unwrap().to_string();
    assert!(text.contains("my-app") && text.contains("eu"), "{text}");
    let list = client().deployments().tagged(&tag).list();
    let text = list.preview().unwrap().to_string();
    assert!(text.contains("eu"), "{text}");
}

#[test]
fn stop_matching_refuses_a_list_with_filters() {
    let filtered = client().deployments().tagged("eu");
    let call = filtered.stop_matching(StopFilter::any_tag(["old"]));
    refused(call, "cannot apply the filters");
}

#[tokio::test]
async fn watch_refuses_an_invalid_id_without_a_request() {
    let mut watcher = client().watch(["c0653765de3b", "a/b"]);
    let error = watcher.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!((error.effect(), error.attempts()), (Effect::None, 0));
    assert!(watcher.next().await.is_none());
}

#[test]
fn invalid_tags_are_refused() {
    let server = client().deployment("c0653765de3b");
    let long = "ü".repeat(41);
    for (name, words) in [("", "tag is empty"), (long.as_str(), "more than 40")] {
        refused(server.tags().create(name), words);
        refused(server.tag("old").rename(name), words);
    }
    assert!(server.tags().create("ü".repeat(40)).preview().is_ok());
    for name in ["", "..", "a/b"] {
        let tag = server.tag(name);
        refused(tag.get(), "the tag");
        refused(tag.rename("new"), "the tag");
        refused(tag.delete(), "the tag");
    }
    refused(server.tags().page(0).list(), "page is zero");
    refused(server.tags().page_size(0).list(), "size is zero");
    let malformed = client().deployment("a/b");
    refused(malformed.tags().create("x"), "request id");
    refused(malformed.tag("x").get(), "request id");
}

#[test]
fn invalid_names_ids_and_time_ranges_are_refused() {
    refused(client().applications().page(0).list(), "page is zero");
    refused(client().locations().page(0).list(), "page is zero");
    let versions = client().application("my-app").versions();
    refused(versions.page_size(0).list(), "size is zero");
    for name in ["", "..", "a/b"] {
        let versions = client().application(name).versions();
        refused(versions.list(), "application name");
        refused(client().fleet(name).hosts().list(), "fleet name");
    }
    let server = client().deployment("c0653765de3b");
    refused(server.stop_and_store_logs(" "), "log storage is empty");
    refused(server.stop_and_store_logs("true"), "is reserved");
    let (since, minute) = (UNIX_EPOCH, Duration::from_secs(60));
    let metrics = server.metrics().since(since);
    let short = metrics.clone().until(since + minute).steps(minute / 61);
    refused(short.get(), "less than a second");
    let late = UNIX_EPOCH + Duration::from_secs(400_000_000_000);
    refused(metrics.until(late).get(), "after the year 9999");
    let metrics = server.metrics().since(since + minute).until(since);
    refused(metrics.get(), "not after its start");
    for id in ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb"] {
        let server = client().deployment(id);
        refused(server.get(), "request id");
        refused(server.stop(), "request id");
        refused(server.logs(), "request id");
        refused(server.metrics().get(), "request id");
    }
}

const IMAGE: &str = "registry.edgegap.com/my-org/game:1";

fn new_version() -> NewVersion {
    NewVersion::new("1", IMAGE, 1024, 2048)
}

fn udp(name: &str, number: u16) -> NewPort {
    NewPort::new(name, number, PortProtocol::Udp)
}

#[test]
fn invalid_applications_are_refused() {
    let applications = client().applications();
    let long = "ü".repeat(65);
    for (name, words) in [
        ("", "application name"),
        ("ab", "must have 3 to 64 characters"),
        (long.as_str(), "must have 3 to 64 characters"),
        ("my/app", "cannot be part of a path"),
        ("...\n", "control character"),
    ] {
        refused(applications.create(NewApplication::new(name)), words);
        let update = ApplicationUpdate::new().name(name);
        refused(client().application("my-app").update(update), words);
    }
    let longest = NewApplication::new("ü".repeat(64));
    assert!(applications.create(longest).preview().is_ok());
    for name in ["", "..", "a/b"] {
        let application = client().application(name);
        refused(application.get(), "application name");
        refused(application.delete(), "application name");
        let update = ApplicationUpdate::new().active(true);
        refused(application.update(update), "application name");
    }
    let nothing = ApplicationUpdate::new();
    refused(client().application("my-app").update(nothing), "is empty");
}

#[test]
fn invalid_versions_are_refused() {
    let application = client().application("my-app");
    let create = |new| application.versions().create(new);
    let named = |name: &str| NewVersion::new(name, IMAGE, 1024, 2048);
    let long = "v".repeat(65);
    for (new, words) in [
        (named(""), "version name"),
        (named("a/b"), "version name"),
        (named(&long), "must have 1 to 64 characters"),
        (NewVersion::new("1", IMAGE, 99, 100), "at least 100"),
        (NewVersion::new("1", IMAGE, 100, 99), "at least 100"),
        (NewVersion::new("1", IMAGE, 100, 201), "at most twice"),
        (
            new_version().max_duration_minutes(-2),
            "not between -1 and 1440",
        ),
        (
            new_version().max_duration_minutes(1441),
            "not between -1 and 1440",
        ),
        (
            new_version().termination_grace_seconds(4),
            "not between 5 and 3600",
        ),
        (
            new_version().termination_grace_seconds(3601),
            "not between 5 and 3600",
        ),
        (new_version().port(udp("", 7777)), "port name is empty"),
        (
            new_version().port(udp("a", 60_000)),
            "not between 0 and 59999",
        ),
        (
            new_version().env(" ", "x"),
            "name of an environment variable",
        ),
        (
            new_version().endpoint_storage(""),
            "endpoint storage is empty",
        ),
        (new_version().dns_config(""), "DNS configuration is empty"),
        (
            new_version().registry_login("", CANARY),
            "user name for the registry is empty",
        ),
    ] {
        refused(create(new), words);
    }
    for name in ["", "..", "a/b"] {
        let version = application.version(name);
        refused(version.get(), "version name");
        refused(version.delete(), "version name");
        let update = VersionUpdate::new().image_tag("2");
        refused(version.update(update), "version name");
    }
    let update = |update| application.version("1").update(update);
    for (change, words) in [
        (VersionUpdate::new(), "is empty"),
        (VersionUpdate::new().name("a/b"), "version name"),
        (
            VersionUpdate::new().image_tag(" "),
            "no registry, name or tag",
        ),
        (
            VersionUpdate::new().image("game"),
            "no registry, name or tag",
        ),
        (
            VersionUpdate::new().max_duration_minutes(1441),
            "not between -1 and 1440",
        ),
        (
            VersionUpdate::new().endpoint_storage(" "),
            "storage is empty",
        ),
    ] {
        refused(update(change), words);
    }
}

#[test]
fn image_of_a_version_needs_registry_name_and_tag() {
    let versions = client().application("my-app").versions();
    for image in [
        "",
        "game",
        "game:1",
        "my-org/game:1",
        "registry.edgegap.com/game",
        "registry.edgegap.com/my-org/game:",
        "registry.edgegap.com/:1",
        "registry.example:5000/game",
        "https://registry.edgegap.com/my-org/game:1",
        "registry.edgegap.com/game@sha256:0000",
        "user:password@registry.example/game:1",
        "registry.edgegap.com/my org/game:1",
    ] {
        let new = NewVersion::new("1", image, 1024, 2048);
        refused(versions.create(new), "no registry, name or tag");
    }
    for (image, [registry, name, tag]) in [
        (IMAGE, ["registry.edgegap.com", "my-org/game", "1"]),
        ("localhost:5000/game:a", ["localhost:5000", "game", "a"]),
        ("docker.io/a/b/c:v.1", ["docker.io", "a/b/c", "v.1"]),
    ] {
        let new = NewVersion::new("1", image, 1024, 2048);
        let text = versions.create(new).preview().unwrap().to_string();
        for (field, value) in [
            ("docker_repository", registry),
            ("docker_image", name),
            ("docker_tag", tag),
        ] {
            let field = format!("\"{field}\": \"{value}\"");
            assert!(text.contains(&field), "{field} in {text}");
        }
    }
}

#[test]
fn port_with_the_protocol_of_a_record_is_sent_in_the_form_that_the_platform_accepts() {
    let port = |protocol| NewPort::new("lobby", 8080, protocol);
    assert_eq!(port(PortProtocol::Websocket), port(PortProtocol::Ws));
    let unknown = port(PortProtocol::from("QUIC"));
    assert!(format!("{unknown:?}").contains("QUIC"), "{unknown:?}");
}

#[test]
fn invalid_image_and_tag_names_are_refused() {
    refused(client().image("my-org/game").tags().list(), "image name");
    refused(client().image("").tag("1").delete(), "image name");
    refused(
        client().image("game").tag("a/b").delete(),
        "tag of the image",
    );
    refused(client().image("game").tags().page(0).list(), "page is zero");
}

#[test]
fn version_names_from_records_are_arguments() {
    let version = VersionName::new("25.06.01").unwrap();
    let new = NewDeployment::new("my-app", &version, player());
    let text = client().deploy(new).preview().unwrap().to_string();
    assert!(text.contains("25.06.01"), "{text}");
    let get = client().application("my-app").version(&version).get();
    let text = get.preview().unwrap().to_string();
    assert!(text.contains("/version/25.06.01"), "{text}");
}

#[test]
fn debug_redacts_secrets_of_versions() {
    let new = new_version()
        .registry_login("robot$pull", CANARY)
        .hidden_env("PASSWORD", CANARY);
    let update = VersionUpdate::new()
        .registry_login("robot$pull", CANARY)
        .hidden_env("PASSWORD", CANARY);
    let text = format!("{new:?} {update:?}");
    assert!(!text.contains(CANARY), "{text}");
    assert!(text.contains("robot$pull"), "{text}");
}

#[test]
fn debug_redacts_hidden_variables_and_webhook_queries() {
    let new = new()
        .env("MY_ENVIRONMENT_VARIABLE", "my-value")
        .hidden_env("PASSWORD", CANARY)
        .webhook_on_ready(format!("https://a.example/?s={CANARY}"));
    let text = format!("{new:?}");
    assert!(!text.contains(CANARY), "{text}");
    assert!(text.contains("MY_ENVIRONMENT_VARIABLE"), "{text}");
}
