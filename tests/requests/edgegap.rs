use super::{CANARY, refused, shows, shows_as};
use deploykit::edgegap::{Client, LogStorage, NewDeployment, User};
use std::time::{Duration, UNIX_EPOCH};

fn client() -> Client {
    Client::new(CANARY).unwrap()
}

fn player() -> User {
    User::ip([75, 28, 35, 192].into())
}

fn full() -> NewDeployment {
    NewDeployment::for_users(
        "my-app",
        "25.05.30-16.45.19-04",
        [player(), User::coordinates(45.508888, -73.561668)],
    )
    .user(User::ip("2001:db8::1".parse().unwrap()))
    .env("MY_ENVIRONMENT_VARIABLE", "my-value")
    .hidden_env("PASSWORD", CANARY)
    .tag("eu")
    .tag("ünïcode tag")
    .webhook_on_ready("https://my-webhook.com/ready")
    .webhook_on_error("https://my-webhook.com/error")
    .webhook_on_terminated("https://my-webhook.com/end")
}

#[test]
pub fn deploy() {
    shows(client().deploy(NewDeployment::new("my-app", "25.05.30", player())));
    shows_as(
        "full",
        client().deploy(full().require_cached_locations(true)),
    );
}

#[test]
pub fn deploy_to_fleet() {
    let hosts = ["alpha-north-america-95fab093", "alpha-europe-1"];
    shows(
        client()
            .deploy_to_fleet(NewDeployment::new("my-app", "25.05.30", player()).on_host(hosts[0])),
    );
    shows_as("full", client().deploy_to_fleet(full().on_hosts(hosts)));
}

#[test]
pub fn deployments() {
    let all = client().deployments();
    shows(all.list());
    let some = all.tagged("ünïcode \"tag\"").page(2).page_size(50);
    shows_as("tagged", some.list());
    let since = UNIX_EPOCH + Duration::from_millis(1_776_859_246_999);
    shows_as("since", client().deployments().created_since(since).list());
    shows_as("newest", client().deployments().newest_first().list());
    // A minute earlier than asked for.
    let found = client().deployments().find_created("match-7", since);
    shows_as("find_created", found);

    for tag in ["", " "] {
        refused(client().deployments().tagged(tag).list(), "tag is empty");
        let found = client().deployments().find_created(tag, since);
        refused(found, "tag is empty");
    }
    refused(client().deployments().page(0).list(), "page is zero");
    refused(client().deployments().page_size(0).list(), "size is zero");
    let late = UNIX_EPOCH + Duration::from_secs(400_000_000_000);
    refused(
        client().deployments().created_since(late).list(),
        "calendar",
    );
}

#[test]
pub fn one_deployment() {
    let server = client().deployment("c0653765de3b");
    shows(server.status());
    shows(server.logs());
    shows(server.stop());
    for (variant, storage) in [
        ("configured", LogStorage::Configured),
        ("off", LogStorage::Off),
        ("named", LogStorage::from("my storage")),
    ] {
        shows_as(variant, server.stop_and_store_logs(storage));
    }
    refused(server.stop_and_store_logs(" "), "log storage is empty");
    refused(server.stop_and_store_logs("true"), "cannot be called");
    shows_as("unusual_id", client().deployment("a b %2e ü").status());
}

#[test]
pub fn metrics() {
    let metrics = client().deployment("c0653765de3b").metrics();
    shows(metrics.get());
    let since = UNIX_EPOCH + Duration::from_millis(1_776_859_246_999);
    let until = since + Duration::from_secs(3600);
    let minute = Duration::from_secs(60);
    let some = metrics.clone().since(since).until(until).raw(true);
    shows_as("window", some.clone().steps(minute).get());
    refused(some.steps(minute / 61).get(), "less than a second");
    let late = UNIX_EPOCH + Duration::from_secs(400_000_000_000);
    refused(metrics.clone().until(late).get(), "calendar");
    refused(metrics.since(until).until(since).get(), "before they begin");
}

#[test]
pub fn ids_that_change_the_path_are_refused() {
    for id in ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb"] {
        let server = client().deployment(id);
        refused(server.status(), "request id");
        refused(server.stop(), "request id");
        refused(server.logs(), "request id");
        refused(server.metrics().get(), "request id");
    }
}

#[test]
pub fn what_cannot_be_right_is_refused() {
    let new = || NewDeployment::new("my-app", "1", player());
    let on = |user| NewDeployment::new("my-app", "1", user);
    refused(
        client().deploy(NewDeployment::for_users("my-app", "1", [])),
        "no users",
    );
    refused(
        client().deploy(NewDeployment::new(" ", "1", player())),
        "application is empty",
    );
    refused(
        client().deploy(NewDeployment::new("a", "", player())),
        "version is empty",
    );
    for (latitude, longitude) in [
        (f64::NAN, 0.0),
        (90.1, 0.0),
        (-91.0, 0.0),
        (0.0, 180.5),
        (0.0, f64::INFINITY),
    ] {
        refused(
            client().deploy(on(User::coordinates(latitude, longitude))),
            "is not between",
        );
    }
    refused(client().deploy(new().env("", "x")), "name of a variable");
    for url in ["", "my-webhook.com", "ftp://my-webhook.com"] {
        refused(client().deploy(new().webhook_on_ready(url)), "webhook URL");
    }
    let none: [&str; 0] = [];
    refused(
        client().deploy_to_fleet(new().on_hosts(none)),
        "no host ids",
    );
    refused(
        client().deploy_to_fleet(new().on_hosts(["a", "b", "a"])),
        "given twice",
    );
    refused(
        client().deploy_to_fleet(new().on_host("")),
        "host id is empty",
    );
    refused(
        client().deploy_to_fleet(new().require_cached_locations(true).on_host("a")),
        "not for private fleets",
    );
}

#[test]
pub fn debug_hides_what_is_hidden() {
    let text = format!(
        "{:?}",
        full().webhook_on_ready(format!("https://a.example/?s={CANARY}"))
    );
    assert!(!text.contains(CANARY), "{text}");
    assert!(text.contains("MY_ENVIRONMENT_VARIABLE=my-value"), "{text}");
}
