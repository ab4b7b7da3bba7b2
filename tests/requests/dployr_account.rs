use super::{CANARY, refused, shows, shows_as};
use deploykit::ErrorKind;
use deploykit::dployr::{Client, EventType, EventWindow, NewApiToken, NewDomain, WebhookSetup};
use std::time::Duration;

const CLUSTER: &str = "01M85NWTN0TJ4JW1JXEKRNC9Z2";
const UNUSUAL: &str = "a b %2e ü:@+";

fn client() -> Client {
    Client::new("https://dployr.example", CANARY).unwrap()
}

fn in_cluster() -> Client {
    client().with_cluster(CLUSTER).unwrap()
}

/// A client with a session, which goes out as a cookie.
fn signed_in() -> Client {
    client().with_session(CANARY).unwrap()
}

#[test]
pub fn sessions() {
    shows(client().login_by_email("user@example.com"));
    // The operation of `CodeSent::verify`, which takes a reply to be made.
    shows(client().verify_login_code("user@example.com", CANARY));
    shows(client().login_by_identity_token(CANARY));
    shows(signed_in().logout());
    for preview in [
        client().login_by_email("user@example.com").preview(),
        client()
            .verify_login_code("user@example.com", CANARY)
            .preview(),
        signed_in().login_by_identity_token(CANARY).preview(),
        signed_in().health().preview(),
        signed_in().versions().preview(),
        signed_in().domain("a.example").status().preview(),
    ] {
        let text = preview.unwrap().to_string();
        assert!(
            !text.contains("authorization") && !text.contains("cookie"),
            "it carries no credentials: {text}"
        );
    }
    let text = signed_in().logout().preview().unwrap().to_string();
    assert!(!text.contains("authorization"), "{text}");

    refused(client().login_by_email(" "), "e-mail address is empty");
    let verify = |email, code| client().verify_login_code(email, code);
    refused(verify("", "ABC123"), "e-mail address is empty");
    refused(verify("a@b.example", " "), "code is empty");
    refused(
        client().login_by_identity_token(""),
        "identity token is empty",
    );
    for id in ["", " ", "session=", "a;b", "a b"] {
        let error = client().with_session(id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{id:?}");
    }
}

#[test]
pub fn api_tokens() {
    let tokens = signed_in().api_tokens();
    shows(tokens.create(NewApiToken::new("ci").expires_in(Duration::from_secs(3600))));
    shows_as("for_ever", tokens.create(NewApiToken::new("übung")));
    shows(tokens.list());
    let second = tokens.clone().page(2).page_size(5);
    shows_as("second_page", second.list());
    refused(tokens.clone().page_size(0).list(), "the page size is zero");
    shows(signed_in().api_token("t-1").revoke());
    shows_as("unusual_id", signed_in().api_token(UNUSUAL).revoke());

    refused(tokens.create(NewApiToken::new("")), "name of the token");
    for lifetime in [Duration::ZERO, Duration::from_millis(999)] {
        let short = NewApiToken::new("ci").expires_in(lifetime);
        refused(tokens.create(short), "end at once");
    }
    let long = NewApiToken::new("ci").expires_in(Duration::MAX);
    refused(tokens.create(long), "beyond what can be written");
    refused(signed_in().api_token("a/b").revoke(), "id of the API token");
}

#[test]
pub fn clusters() {
    shows(client().current_user());
    shows(client().clusters().list());
    let cluster = client().clusters().by_id(CLUSTER);
    shows(cluster.rename("acme"));
    shows(cluster.users().list());
    shows_as("invited", cluster.users().invited().list());
    let second = cluster.users().page(2).page_size(50);
    shows_as("second_page", second.list());
    refused(cluster.users().page(0).list(), "the page is zero");
    shows(cluster.invite(["new@example.com", "other@example.com"]));
    shows(cluster.integrations());
    let unusual = client().clusters().by_id(UNUSUAL);
    shows_as("unusual_id", unusual.rename("ü"));

    refused(cluster.rename(""), "name of the cluster is empty");
    refused(cluster.rename("ü".repeat(65)), "longer than 64 characters");
    assert!(cluster.rename("ü".repeat(64)).preview().is_ok());
    refused(cluster.invite([""; 0]), "nobody to invite");
    refused(
        cluster.invite(["a@b.example", ""]),
        "e-mail address is empty",
    );
    for id in ["", "..", "a/b", "a?b"] {
        let cluster = client().clusters().by_id(id);
        refused(cluster.rename("a"), "cluster id");
        refused(cluster.users().list(), "cluster id");
        refused(cluster.invite(["a@b.example"]), "cluster id");
        refused(cluster.integrations(), "cluster id");
        assert!(client().with_cluster(id).is_err(), "{id:?}");
    }
}

#[test]
pub fn domains() {
    let new = || NewDomain::new("App.Example.com", "web-one");
    shows(in_cluster().domains().create(new()));
    shows(in_cluster().domains().list());
    let second = in_cluster().domains().page(2).page_size(50);
    shows_as("second_page", second.list());
    let domain = client().domain("app.example.com");
    shows(domain.get());
    shows(domain.verify());
    shows(domain.delete());
    shows(domain.status());
    shows_as("unusual_id", client().domain(UNUSUAL).delete());

    refused(client().domains().create(new()), "no cluster");
    let create = |domain, service| {
        in_cluster()
            .domains()
            .create(NewDomain::new(domain, service))
    };
    refused(create("", "web-one"), "domain is empty");
    refused(create("a.example", ""), "name of the service is empty");
    for domain in ["https://a.example", "a.example/b", "a.example:80", "a b"] {
        refused(create(domain, "web-one"), "more than a domain");
    }
    for name in ["", "..", "a/b", "a?b"] {
        let domain = client().domain(name);
        refused(domain.get(), "domain");
        refused(domain.verify(), "domain");
        refused(domain.delete(), "domain");
        refused(domain.status(), "domain");
    }
}

#[test]
pub fn events_and_webhook() {
    shows(in_cluster().events().list());
    let filter = in_cluster().events();
    let filter = filter.kind(EventType::DeploymentFinished).search("web-one");
    let filter = filter.oldest_first().within(EventWindow::Day).actor("u-1");
    shows_as("filter", filter.page(2).list());
    for (window, word) in [(EventWindow::Week, "7d"), (EventWindow::Month, "30d")] {
        let call = client().events().within(window).list();
        let query = call.preview().unwrap().query;
        assert_eq!(query, [("window".to_owned(), word.to_owned())]);
    }

    let setup = |url: &str| WebhookSetup::new(url, ["deployment.created", "something.new"]);
    shows(
        in_cluster()
            .webhooks()
            .set_up(setup("https://example.com/hook")),
    );
    let url = format!("https://u:{CANARY}@example.com/hook?token={CANARY}");
    let secret = in_cluster().webhooks().set_up(setup(&url).disabled());
    shows_as("secret_in_the_url", secret);
    let debug = format!("{:?}", setup(&format!("https://a.example/{CANARY}")));
    assert!(
        debug.contains("a.example/…") && !debug.contains(CANARY),
        "{debug}"
    );

    let bad = |url: &str, events: &[&str]| {
        let setup = WebhookSetup::new(url, events.to_vec());
        in_cluster().webhooks().set_up(setup)
    };
    refused(bad("ftp://example.com", &["x"]), "not an http or https URL");
    refused(bad("https://example.com", &[]), "no events");
    refused(bad("https://example.com", &[" "]), "name of an event");
}

#[test]
pub fn server() {
    shows(client().health());
    shows(client().versions());
    shows_as("previews", client().versions_with_previews());
    shows(in_cluster().routes().services());
}
