use super::{CANARY, refused};
use deploykit::edgegap::{Client, Filter, Match, NewDeployment, StopFilter, User};
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
        (new().env("", "x"), "name of a variable"),
        (new().resources(99, 100), "less than 100"),
        (new().resources(100, 99), "less than 100"),
        (new().resources(0, 0), "less than 100"),
        (new().webhook_on_ready(""), "webhook URL"),
        (new().webhook_on_ready("my-webhook.com"), "webhook URL"),
        (
            new().webhook_on_ready("ftp://my-webhook.com"),
            "webhook URL",
        ),
    ] {
        refused(client().deploy(new), words);
    }
    let uneven = new().resources(1024, 2049);
    let cached = new().require_cached_locations(true);
    for (new, words) in [
        (uneven.on_host("a"), "more than twice"),
        (new().on_hosts(NONE), "no host ids"),
        (new().on_hosts(["a", "b", "a"]), "given twice"),
        (new().on_host(""), "host id is empty"),
        (cached.on_host("a"), "not for private fleets"),
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
        (all().created_since(late), "calendar"),
        (
            all().filter(Filter::tag(Match::any_of(NONE))),
            "no tag to compare",
        ),
        (
            all().filter(Filter::version(Match::none_of([" "]))),
            "version is empty",
        ),
        (
            all().filter(Filter::application("")),
            "application is empty",
        ),
        (all().filter(Filter::fleet_like("")), "fleet is empty"),
        (all().filter(Filter::status("".into())), "status is empty"),
    ] {
        refused(list.list(), words);
    }
    for tag in ["", " "] {
        refused(all().find_created(tag, UNIX_EPOCH), "tag is empty");
    }
    for (filter, words) in [
        (StopFilter::ids(NONE), "might stop everything"),
        (StopFilter::any_tag(NONE), "might stop everything"),
        (
            StopFilter::any_tag(["a"]).without_ids(NONE),
            "might stop everything",
        ),
        (StopFilter::any_tag(["a", ""]), "tag is empty"),
        (StopFilter::ids([" "]), "id is empty"),
    ] {
        refused(client().stop_matching(filter), words);
    }
}

#[test]
fn invalid_tags_are_refused() {
    let tags = client().deployment("c0653765de3b").tags();
    let long = "ü".repeat(41);
    for (name, words) in [("", "tag is empty"), (long.as_str(), "more than 40")] {
        refused(tags.add(name), words);
        refused(tags.rename("old", name), words);
    }
    assert!(tags.add("ü".repeat(40)).preview().is_ok());
    for name in ["", "..", "a/b"] {
        refused(tags.get(name), "the tag");
        refused(tags.rename(name, "new"), "the tag");
        refused(tags.delete(name), "the tag");
    }
    refused(tags.clone().page(0).list(), "page is zero");
    refused(tags.page_size(0).list(), "size is zero");
    refused(client().deployment("a/b").tags().add("x"), "request id");
}

#[test]
fn invalid_lookups_are_refused() {
    refused(client().applications().page(0).list(), "page is zero");
    refused(client().locations().page(0).list(), "page is zero");
    let versions = client().application("my-app").versions();
    refused(versions.page_size(0).list(), "size is zero");
    for name in ["", "..", "a/b"] {
        let versions = client().application(name).versions();
        refused(versions.list(), "application name");
        refused(client().fleet(name).hosts(), "fleet name");
    }
    let server = client().deployment("c0653765de3b");
    refused(server.stop_and_store_logs(" "), "log storage is empty");
    refused(server.stop_and_store_logs("true"), "cannot be called");
    let (since, minute) = (UNIX_EPOCH, Duration::from_secs(60));
    let metrics = server.metrics().since(since);
    let short = metrics.clone().until(since + minute).steps(minute / 61);
    refused(short.get(), "less than a second");
    let late = UNIX_EPOCH + Duration::from_secs(400_000_000_000);
    refused(metrics.until(late).get(), "calendar");
    let metrics = server.metrics().since(since + minute).until(since);
    refused(metrics.get(), "before they begin");
    for id in ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb"] {
        let server = client().deployment(id);
        refused(server.status(), "request id");
        refused(server.stop(), "request id");
        refused(server.logs(), "request id");
        refused(server.metrics().get(), "request id");
    }
}

#[test]
fn debug_redacts_hidden_variables_and_queries() {
    let new = new()
        .env("MY_ENVIRONMENT_VARIABLE", "my-value")
        .hidden_env("PASSWORD", CANARY)
        .webhook_on_ready(format!("https://a.example/?s={CANARY}"));
    let text = format!("{new:?}");
    assert!(!text.contains(CANARY), "{text}");
    assert!(text.contains("MY_ENVIRONMENT_VARIABLE"), "{text}");
}
