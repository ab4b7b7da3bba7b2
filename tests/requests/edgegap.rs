use super::{CANARY, refused, shows, shows_as};
use deploykit::edgegap::{
    Client, DeploymentStatus, Filter, LogStorage, Match, NameMatch, NewDeployment, Order, SelfStop,
    StopFilter, User,
};
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
    .resources(1024, 2048)
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
pub fn filters() {
    let at = UNIX_EPOCH + Duration::from_millis(1_776_859_246_999);
    let list = |filter| client().deployments().filter(filter).list();
    for (variant, filter) in [
        ("status", Filter::status(DeploymentStatus::Ready)),
        ("not_status", Filter::not_status("Status.NEW".into())),
        ("application", Filter::application("my-app")),
        ("version", Filter::version(Match::is_not("1"))),
        ("any_tag", Filter::tag(Match::any_of(["a", "b"]))),
        ("no_id", Filter::request_id(Match::none_of(["a", "b"]))),
        ("fleet", Filter::fleet(NameMatch::like("alpha-%"))),
        ("host", Filter::host(Match::any_of(["h-1"]))),
        ("whole_fleet", Filter::fleet("alpha")),
        ("created_at", Filter::created_at(at)),
        ("created_until", Filter::created_until(at)),
    ] {
        shows_as(variant, list(filter));
    }
    // One condition for each property, and one order: the later one holds.
    let several = client()
        .deployments()
        .tagged("before")
        .created_since(at)
        .filter(Filter::tag(Match::is_not("after")))
        .filter(Filter::created_until(at))
        .newest_first()
        .order_by(Order::MostFreeSockets)
        .order_by(Order::OldestFirst)
        .order_by(Order::FewestFreeSockets);
    shows_as("several", several.list());

    let none: [&str; 0] = [];
    refused(list(Filter::tag(Match::any_of(none))), "no tag to compare");
    refused(
        list(Filter::version(Match::none_of([" "]))),
        "version is empty",
    );
    refused(list(Filter::application("")), "application is empty");
    refused(list(Filter::fleet(NameMatch::like(""))), "fleet is empty");
    refused(list(Filter::status("".into())), "status is empty");
}

#[test]
pub fn stops_of_many() {
    shows(client().stop_matching(StopFilter::ids(["c0653765de3b"])));
    let all = StopFilter::all_tags(["eu", "ranked"])
        .with_any_tag(["a", "b"])
        .with_all_tags(["c"])
        .without_ids(["c0653765de3b"])
        .without_tags(["keep"]);
    shows_as("every_condition", client().stop_matching(all));
    let none: [&str; 0] = [];
    for filter in [
        StopFilter::ids(none),
        StopFilter::any_tag(none),
        StopFilter::any_tag(["a"]).without_ids(none),
    ] {
        refused(client().stop_matching(filter), "might stop everything");
    }
    let blank = StopFilter::any_tag(["a", ""]);
    refused(client().stop_matching(blank), "tag is empty");
    refused(
        client().stop_matching(StopFilter::ids([" "])),
        "id is empty",
    );
}

#[test]
pub fn tags() {
    let tags = client().deployment("c0653765de3b").tags();
    shows(tags.list());
    shows_as("page", tags.clone().page(2).page_size(50).list());
    shows(tags.add("ünïcode tag"));
    shows(tags.get("ünïcode tag"));
    shows(tags.rename("old", "new"));
    shows(tags.delete("old"));
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
pub fn what_can_be_deployed_and_where() {
    shows(client().applications().list());
    shows_as("page", client().applications().page(2).page_size(5).list());
    let versions = client().application("my-app").versions();
    shows(versions.list());
    shows_as("page", versions.page(2).page_size(5).list());
    shows(client().locations().list());
    let some = client().locations().of_version("my-app", "25.05.30");
    shows_as("of_version", some.page(2).page_size(5).list());
    shows(client().fleet("alpha").hosts());

    refused(client().applications().page(0).list(), "page is zero");
    refused(client().locations().page(0).list(), "page is zero");
    let versions = client().application("my-app").versions();
    refused(versions.page_size(0).list(), "size is zero");
    for name in ["", "..", "a/b"] {
        let versions = client().application(name).versions();
        refused(versions.list(), "application name");
        refused(client().fleet(name).hosts(), "fleet name");
    }
}

#[test]
pub fn a_server_ends_itself() {
    // The address holds a secret, too.
    let url = format!("https://api.edgegap.com/v1/self/stop/9f511e17/{CANARY}");
    let own = SelfStop::new(url, CANARY).unwrap();
    shows(own.stop());
    shows_as("off", own.stop_and_store_logs(LogStorage::Off));
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
    for (units, memory) in [(99, 100), (100, 99), (0, 0)] {
        let small = new().resources(units, memory);
        refused(client().deploy(small), "less than 100");
    }
    let uneven = new().resources(1024, 2049).on_host("a");
    refused(client().deploy_to_fleet(uneven), "more than twice");
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
