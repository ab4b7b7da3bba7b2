//! Arguments that dployr's methods refuse, and redaction of secrets.

use super::{CANARY, refused};
use deploykit::ErrorKind;
use deploykit::dployr::{
    Client, ClusterLogOptions, DeploymentUpdate, EventWindow, LogOptions, NewApiToken,
    NewDeployment, NewDomain, NewInstance, NewProject, NewRoute, NewWebhook, ServiceField,
    ServiceSecret, ServiceUpdate, WebhookSetup,
};
use serde_json::json;
use std::net::Ipv4Addr;
use std::time::{Duration, UNIX_EPOCH};

/// Ids that would change the path of a request.
const BAD_IDS: [&str; 9] = ["", " ", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb"];
const NONE: [&str; 0] = [];

fn client() -> Client {
    Client::new("https://dployr.example", CANARY).unwrap()
}

fn in_cluster() -> Client {
    client().with_cluster("01M85NWTN0TJ4JW1JXEKRNC9Z2").unwrap()
}

fn signed_in() -> Client {
    client().with_session(CANARY).unwrap()
}

#[test]
fn logins_and_public_routes_send_no_credentials() {
    for preview in [
        client().login("user@example.com", CANARY).preview(),
        client().login_by_email("user@example.com").preview(),
        client().verify_login_code("a@b.example", CANARY).preview(),
        signed_in().login_by_identity_token(CANARY).preview(),
        signed_in().health().preview(),
        signed_in().versions().preview(),
        signed_in().domain("a.example").status().preview(),
    ] {
        let text = preview.unwrap().to_string();
        assert!(!text.contains("authorization"), "{text}");
        assert!(!text.contains("cookie"), "{text}");
    }
    let text = signed_in()
        .logout_everywhere()
        .preview()
        .unwrap()
        .to_string();
    assert!(!text.contains("authorization"), "{text}");
}

#[test]
fn invalid_logins_are_refused() {
    let client = client();
    refused(client.login("", CANARY), "e-mail address is empty");
    refused(client.login("a\nb", CANARY), "control character");
    refused(client.login("user@example.com", ""), "password is empty");
    refused(client.login_by_email(" "), "e-mail address is empty");
    let verify = |email, code| client.verify_login_code(email, code);
    refused(verify("", "ABC123"), "e-mail address is empty");
    refused(verify("a@b.example", " "), "code is empty");
    refused(
        client.login_by_identity_token(""),
        "identity token is empty",
    );
    for id in ["", " ", "session=", "a;b", "a b"] {
        let error = client.with_session(id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{id:?}");
    }
    let tokens = signed_in().api_tokens();
    let expires_in = |lifetime| NewApiToken::new("ci").expires_in(lifetime);
    for (new, words) in [
        (NewApiToken::new(""), "name of the token"),
        (expires_in(Duration::ZERO), "below a second"),
        (expires_in(Duration::from_millis(999)), "below a second"),
    ] {
        refused(tokens.create(new), words);
    }
    refused(tokens.page_size(0).list(), "the page size is zero");
}

#[test]
fn invalid_clusters_are_refused() {
    let cluster = client().cluster("c-1");
    refused(cluster.users().page(0).list(), "the page is zero");
    refused(cluster.rename(""), "name of the cluster is empty");
    refused(cluster.rename("ü".repeat(65)), "longer than 64 characters");
    assert!(cluster.rename("ü".repeat(64)).preview().is_ok());
    refused(cluster.invite(NONE), "no user to invite");
    let invite = cluster.invite(["a@b.example", ""]);
    refused(invite, "e-mail address is empty");
}

#[test]
fn invalid_domains_are_refused() {
    let new = NewDomain::new;
    for (client, new, words) in [
        (client(), new("a.example", "web-one"), "no cluster"),
        (in_cluster(), new("", "web-one"), "domain is empty"),
        (
            in_cluster(),
            new("a.example", ""),
            "name of the service is empty",
        ),
        (
            in_cluster(),
            new("https://a.example", "s"),
            "contains a scheme",
        ),
        (in_cluster(), new("a.example/b", "s"), "contains a scheme"),
        (in_cluster(), new("a.example:80", "s"), "contains a scheme"),
        (in_cluster(), new("a b", "s"), "contains a scheme"),
    ] {
        refused(client.domains().create(new), words);
    }
}

#[test]
fn event_windows_are_sent_in_the_servers_form() {
    for (window, word) in [(EventWindow::Week, "7d"), (EventWindow::Month, "30d")] {
        let call = client().events().within(window).list();
        let query = call.preview().unwrap().query;
        assert_eq!(query, [("window".to_owned(), word.to_owned())]);
    }
}

#[test]
fn invalid_deployments_are_refused() {
    let git = || NewDeployment::from_git("my-app", "https://github.com/user/repo");
    for (new, words) in [
        (
            NewDeployment::from_git(" ", "https://a.example"),
            "the name is empty",
        ),
        (
            NewDeployment::from_git("a\nb", "https://a.example"),
            "the name contains a control character",
        ),
        (
            NewDeployment::from_git("a", ""),
            "URL of the repository is empty",
        ),
        (NewDeployment::from_image("a", ""), "the image is empty"),
        (
            NewDeployment::from_image("a", "b").branch("main"),
            "an image has no branch",
        ),
        (git().branch(""), "the branch is empty"),
        (git().runtime("", "20"), "the runtime is empty"),
        (
            git().runtime("nodejs", ""),
            "version of the runtime is empty",
        ),
        (git().kind(""), "the kind is empty"),
        (git().env("", "x"), "name of a variable is empty"),
        (git().secret("A=B", "x"), "contains `=`"),
        (git().port(0), "is not between 1 and 65535"),
        (git().port(65_536), "is not between 1 and 65535"),
        (git().port(u32::MAX), "is not between 1 and 65535"),
    ] {
        refused(client().deploy(new), words);
    }
    let update = DeploymentUpdate::new;
    for (update, words) in [
        (update(), "changes nothing"),
        (update().version(""), "version of the runtime is empty"),
        (update().env("", "x"), "name of a variable is empty"),
    ] {
        refused(client().deployment("d").update(update), words);
    }
    refused(in_cluster().deployments().page(0).list(), "page is zero");
    let found = in_cluster().deployments().find_created(" ", UNIX_EPOCH);
    refused(found, "name is empty");
}

#[test]
fn invalid_routes_projects_and_webhooks_are_refused() {
    let new = NewRoute::new;
    for (new, words) in [
        (new("example.com", "s", 0), "is not between 1 and 65535"),
        (
            new("example.com", "s", 65_536),
            "is not between 1 and 65535",
        ),
        (
            new("example.com", "s", u32::MAX),
            "is not between 1 and 65535",
        ),
        (new("", "s", 80), "the domain is empty"),
        (new("https://example.com", "s", 80), "contains a scheme"),
        (new("example.com/a", "s", 80), "contains a scheme"),
        (new("example.com", "", 80), "service id \"\" is empty"),
    ] {
        refused(client().routes().create(new), words);
    }
    let new = NewProject::new("");
    refused(client().projects().create(new), "the name is empty");

    let url = "https://example.com";
    for (url, events, words) in [
        ("", &["x"][..], "not an http or https URL"),
        ("example.com", &["x"], "not an http or https URL"),
        ("ftp://example.com", &["x"], "not an http or https URL"),
        (url, &[], "no events"),
        (url, &[" "], "name of an event"),
    ] {
        let new = NewWebhook::new(url, events.to_vec());
        refused(client().webhooks().create(new), words);
        let setup = WebhookSetup::new(url, events.to_vec());
        refused(in_cluster().webhooks().set_up(setup), words);
    }
}

#[test]
fn invalid_service_updates_are_refused() {
    let update = || ServiceUpdate::new("loop-node-1").allow_loss();
    let keep = |key: &str| -> [ServiceSecret; 1] {
        [serde_json::from_value(json!({ "key": key, "serviceId": "s" })).unwrap()]
    };
    for (update, words) in [
        (ServiceUpdate::new(" "), "instance tag \" \" is empty"),
        (update().health_check(""), "path of the health check"),
        (update().port(0), "port 0"),
        (update().port(65_536), "port 65536"),
        (update().replace_env([("A=B", "x")]), "contains `=`"),
        (
            update().replace_secrets([("", "x")], &keep("A")),
            "name of a variable",
        ),
        (
            update().replace_secrets([("B", "x")], &keep("a\n")),
            "name of a variable",
        ),
        (update().replace_secrets([("A", "x")], &keep("A")), "both"),
        (update().image(""), "setting Image is empty"),
        (update().git_url(""), "URL of the repository"),
        (update().runtime("", "1"), "setting Runtime is empty"),
        (update().runtime("nodejs", " "), "setting Version is empty"),
        (update().domain("a\nb"), "control character"),
    ] {
        refused(client().service("s").update(update), words);
    }
    let set = client().service("s").env_variable("").set("x");
    refused(set, "name of a variable is empty");
    let variables = client().service("s").env_variables();
    refused(variables.rewrite_with("A=B", "x", update()), "contains `=`");
    refused(
        variables.rewrite_without("", update()),
        "name of a variable is empty",
    );
    let services = in_cluster().services();
    refused(services.metrics("a/b"), "name of a service");
    let before = UNIX_EPOCH - Duration::from_secs(1);
    for (from, to) in [(before, UNIX_EPOCH), (UNIX_EPOCH, before)] {
        refused(services.metrics_between("a", from, to), "before 1970");
    }
}

#[test]
fn an_update_that_may_lose_settings_is_refused_unless_it_allows_it() {
    let secret = |id: Option<&str>| -> ServiceSecret {
        serde_json::from_value(json!({ "key": "S1", "serviceId": id })).unwrap()
    };
    let (first, linked) = ([secret(None)], [secret(None), secret(Some("s"))]);
    let none = [("", ""); 0];
    let new = || ServiceUpdate::new("loop-node-1");
    let without_secrets = || new().health_check("/health").domain("a.example");
    let service = client().service("s");
    let variables = service.env_variables();
    for update in [
        new(),
        without_secrets(),
        new().health_check("/").replace_secrets([("S1", "x")], []),
        new().domain("a.example").replace_secrets([("S1", "x")], []),
        // The server loses a secret of the first deployment even if it is kept.
        without_secrets().replace_secrets(none, &first),
    ] {
        for error in [
            refused(service.update(update.clone()), "may lose"),
            refused(variables.rewrite_with("A", "x", update.clone()), "may lose"),
            refused(variables.rewrite_without("A", update.clone()), "may lose"),
        ] {
            assert!(error.to_string().contains("allow_loss()"), "{error}");
        }
        service.update(update.allow_loss()).preview().unwrap();
    }
    for update in [
        without_secrets().replace_secrets([("S1", "x")], []),
        without_secrets().replace_secrets(none, &linked),
        new()
            .health_check("/")
            .clear(ServiceField::Domain)
            .replace_secrets(none, []),
    ] {
        service.update(update).preview().unwrap();
    }
}

#[test]
fn invalid_log_queries_are_refused() {
    let before = UNIX_EPOCH - Duration::from_secs(1);
    let new = ClusterLogOptions::new;
    for (query, words) in [
        (new().service(" "), "service is empty"),
        (new().source("a\nb"), "control character"),
        (new().limit(0), "limit is zero"),
        (new().tail(0), "1 to 5000"),
        (new().tail(5001), "1 to 5000"),
        (new().tail(5).limit(5), "tail excludes"),
        (new().tail(5).newest_first(), "tail excludes"),
        (new().since(before), "before 1970"),
    ] {
        refused(client().logs(query), words);
    }
    refused(client().logs(new().until(before)), "before 1970");
    let options = LogOptions::new().since(before);
    refused(client().service("s").logs(options.clone()), "before 1970");
    refused(client().service("s").follow_logs(options), "before 1970");
    for bounded in [new().until(UNIX_EPOCH), new().newest_first(), new().tail(5)] {
        refused(in_cluster().follow_logs(bounded), "cannot have until, tail");
    }
    refused(client().follow_logs(new().limit(0)), "limit is zero");
}

#[test]
fn invalid_instances_are_refused() {
    let new = |tag: &str| NewInstance::new(Ipv4Addr::new(127, 0, 0, 77), tag);
    for (new, words) in [
        (new("ab"), "3 to 21"),
        (new(&"x".repeat(22)), "3 to 21"),
        (new("a\nb"), "control character"),
        (new("abc").region(""), "region is empty"),
        (new("abc").role(" "), "role is empty"),
    ] {
        refused(in_cluster().instances().create(new), words);
    }
    let error = refused(client().instances().create(new("abc")), "has no cluster");
    assert!(error.to_string().contains("DPLOYR_CLUSTER_ID"), "{error}");
}

#[test]
fn ids_that_change_the_path_are_refused() {
    let client = client();
    let position = serde_json::json!({ "last": 7, "floor": 7, "lines": [], "overflow": 0 });
    let cursor = serde_json::json!({ "version": 1, "platform": "dployr", "position": position });
    let cursor = serde_json::from_value(cursor).unwrap();
    for id in BAD_IDS {
        refused(client.deployment(id).get(), "deployment id");
        refused(client.deployments().find(id), "deployment id");
        let service = client.service(id);
        refused(service.get(), "service id");
        refused(service.restart(), "service id");
        refused(service.restart_by_stop_and_start(), "service id");
        refused(service.logs(LogOptions::new()), "service id");
        refused(service.follow_logs(LogOptions::new()), "service id");
        refused(service.resume_logs(&cursor), "service id");
        refused(service.env_variable("A").set("b"), "service id");
        let update = ServiceUpdate::new("loop-node-1").allow_loss();
        let rewrite = service.env_variables().rewrite_with("A", "b", update);
        refused(rewrite, "service id");
        refused(client.instance(id).get(), "instance id");
        refused(client.instance_by_tag(id).ping(), "instance tag");
        refused(client.route(id).delete(), "route id");
        refused(client.project(id).delete(), "project id");
        refused(client.api_token(id).delete(), "API token id");
        refused(client.domain(id).get(), "domain");
        refused(client.domain(id).status(), "domain");
        let cluster = client.cluster(id);
        refused(cluster.users().list(), "cluster id");
        assert!(client.with_cluster(id).is_err(), "{id:?}");
        let removal = client.service("s").env_variable(id).delete();
        refused(removal, "name of a variable");
    }
}

#[test]
fn debug_redacts_secrets() {
    let url = format!("https://x:{CANARY}@git.example/a.git");
    let new = NewDeployment::from_git("a", url).env("A", CANARY);
    let new = new.secret("B", CANARY);
    let update = DeploymentUpdate::new().env("A", CANARY);
    let url = format!("https://a.example/{CANARY}?s={CANARY}");
    let hook = NewWebhook::new(url.as_str(), ["e"]).secret(CANARY);
    let setup = WebhookSetup::new(url, ["e"]);
    let env = client().service("s").env_variable("A").set(CANARY);
    let text = format!("{new:?} {update:?} {hook:?} {setup:?} {env:?}");
    assert!(!text.contains(CANARY), "{text}");
    assert!(text.contains("git.example"), "{text}");
    assert!(text.contains("https://a.example/…"), "{text}");
}
