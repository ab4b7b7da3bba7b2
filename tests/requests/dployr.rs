use super::{CANARY, refused, shows, shows_as};
use deploykit::dployr::{
    Client, DeploymentUpdate, NewDeployment, NewProject, NewRoute, NewWebhook, ServiceType,
};
use std::time::UNIX_EPOCH;

pub const SERVICE: &str = "service-123";
pub const UNUSUAL: &str = "a b %2e ü:@+";

pub fn client() -> Client {
    Client::new("https://dployr.example", CANARY).unwrap()
}

/// The same with a cluster, which the vendor's page does not know.
pub fn in_cluster() -> Client {
    let builder = Client::builder()
        .base_url("https://dployr.example")
        .token(CANARY);
    builder
        .cluster("01M85NWTN0TJ4JW1JXEKRNC9Z2")
        .build()
        .unwrap()
}

/// The one on the vendor's page.
fn documented() -> NewDeployment {
    NewDeployment::from_git("my-app", "https://github.com/user/repo")
        .runtime("nodejs", "20")
        .branch("main")
        .build_cmd("npm install")
        .run_cmd("npm start")
        .port(3000)
}

#[test]
pub fn login() {
    shows(client().login("user@example.com", CANARY));
    let without_token = Client::builder()
        .base_url("https://dployr.example")
        .build()
        .unwrap();
    shows_as(
        "without_token",
        without_token.login("user@example.com", CANARY),
    );
    let preview = client()
        .login("user@example.com", CANARY)
        .preview()
        .unwrap();
    assert!(
        !preview.to_string().contains("authorization"),
        "a login carries no token"
    );

    refused(client().login("", CANARY), "e-mail address is empty");
    refused(client().login("a\nb", CANARY), "control character");
    refused(client().login("user@example.com", ""), "password is empty");
}

#[test]
pub fn create_deployment() {
    shows(client().deployments().create(documented()));
    let bare = NewDeployment::from_git("my-app", "https://github.com/user/repo");
    shows_as("least", client().deployments().create(bare));
    let with_env = documented().env("DATABASE_URL", CANARY).env("Ü %", CANARY);
    shows_as("env", client().deployments().create(with_env));
    shows_as(
        "kind",
        in_cluster().deployments().create(
            documented()
                .kind(ServiceType::Web)
                .env("DATABASE_URL", CANARY)
                .secret("API_KEY", CANARY),
        ),
    );
    shows_as(
        "image",
        in_cluster().deployments().create(
            NewDeployment::from_image("web-one", "node:20-alpine")
                .kind("worker")
                .description("übung, with \"quotes\"")
                .domain("example.com")
                .working_dir("app")
                .static_dir("public")
                .health_check("/health"),
        ),
    );
    let url = format!("https://x:{CANARY}@git.example/a.git");
    let private = NewDeployment::from_git("my-app", url).kind(ServiceType::Web);
    shows_as(
        "credentials_in_the_url",
        client().deployments().create(private),
    );
}

#[test]
pub fn list_deployments() {
    shows(client().deployments().list());
    shows_as("cluster", in_cluster().deployments().list());
    let second = || in_cluster().deployments().page(2);
    shows_as("second_page", second().list());
    shows_as("page", second().page_size(50).list());
    refused(in_cluster().deployments().page(0).list(), "page is zero");
    let found = |name| in_cluster().deployments().find_created(name, UNIX_EPOCH);
    shows_as("find_created", found("web"));
    refused(found(" "), "name is empty");
}

#[test]
pub fn one_deployment() {
    let update = || {
        DeploymentUpdate::new()
            .version("22")
            .env("NODE_ENV", CANARY)
    };
    shows(client().deployment("d-1").get());
    shows_as("cluster", in_cluster().deployment("d-1").get());
    shows_as("unusual_id", client().deployment(UNUSUAL).get());
    shows(client().deployment("d-1").update(update()));
    shows_as(
        "version",
        client()
            .deployment("d-1")
            .update(DeploymentUpdate::new().version("22")),
    );
    shows_as("cluster", in_cluster().deployment("d-1").update(update()));
    shows(client().deployment("d-1").delete());
    shows_as("cluster", in_cluster().deployment("d-1").delete());
}

#[test]
pub fn services() {
    shows(client().services().list());
    shows_as("cluster", in_cluster().services().list());
    let service = in_cluster().service(SERVICE);
    shows(service.status());
    shows(service.start());
    shows(service.stop());
    shows(service.restart());
    shows_as("unusual_id", client().service(UNUSUAL).restart());
}

/// Behind two lines of one millisecond.
fn cursor() -> deploykit::LogCursor {
    serde_json::from_value(serde_json::json!({
        "version": 1,
        "platform": "dployr",
        "place": {
            "last": 1_795_487_019_229_i64,
            "floor": 1_795_487_019_229_i64,
            "given": [[1_795_487_019_229_i64, "00000000000000ff", 2]],
            "crowd": 0,
        },
    }))
    .unwrap()
}

#[test]
pub fn logs() {
    let service = in_cluster().service(SERVICE);
    shows(service.logs(None));
    shows_as("tail", service.logs(Some(100)));
    shows_as("follow", service.follow_logs());
    shows_as("follow_from", service.follow_logs_from(100));
    shows_as("resume", service.resume_logs(&cursor()));
    shows_as("unusual_id", client().service(UNUSUAL).follow_logs());
}

#[test]
pub fn env() {
    let env = in_cluster().service(SERVICE).env();
    shows(env.list());
    shows(env.set("NODE_ENV", CANARY));
    shows_as("unusual_key", env.set("a/b Ü", CANARY));
    shows(env.remove("NODE_ENV"));
    shows_as("unusual_key", env.remove(UNUSUAL));
}

#[test]
pub fn instances() {
    shows(client().instances().list());
    shows_as("cluster", in_cluster().instances().list());
    shows(in_cluster().instance("i-1").get());
    shows(in_cluster().instance("i-1").metrics());
    shows_as("unusual_id", client().instance(UNUSUAL).metrics());
}

#[test]
pub fn routes() {
    let new = || NewRoute::new("example.com", SERVICE, 3000);
    shows(client().routes().list());
    shows_as("cluster", in_cluster().routes().list());
    shows(client().routes().create(new()));
    shows_as("cluster", in_cluster().routes().create(new()));
    shows(client().route("r-1").delete());
    shows_as("unusual_id", in_cluster().route(UNUSUAL).delete());
}

#[test]
pub fn projects() {
    shows(in_cluster().projects().list());
    shows(
        in_cluster()
            .projects()
            .create(NewProject::new("my-project").description("Project description")),
    );
    shows_as(
        "least",
        client()
            .projects()
            .create(NewProject::new("mein Projekt ü")),
    );
    shows(client().project("p-1").delete());
    shows_as("unusual_id", in_cluster().project(UNUSUAL).delete());
}

#[test]
pub fn webhooks() {
    let events = ["deployment.created", "deployment.failed"];
    let new = || NewWebhook::new("https://example.com/webhook", events);
    shows(client().webhooks().list());
    shows_as("cluster", in_cluster().webhooks().list());
    shows(client().webhooks().create(new().secret(CANARY)));
    shows_as("without_secret", in_cluster().webhooks().create(new()));
    let url = format!("https://u:{CANARY}@example.com/hook?token={CANARY}");
    shows_as(
        "secret_in_the_url",
        client().webhooks().create(NewWebhook::new(url, events)),
    );
}

#[test]
pub fn ids_that_change_the_path_are_refused() {
    let client = client();
    for id in ["", " ", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb"] {
        let deployment = client.deployment(id);
        refused(deployment.get(), "deployment id");
        refused(
            deployment.update(DeploymentUpdate::new().version("1")),
            "deployment id",
        );
        refused(deployment.delete(), "deployment id");
        let service = client.service(id);
        refused(service.status(), "service id");
        refused(service.start(), "service id");
        refused(service.stop(), "service id");
        refused(service.restart(), "service id");
        refused(service.logs(None), "service id");
        refused(service.follow_logs(), "service id");
        refused(service.resume_logs(&cursor()), "service id");
        refused(service.env().list(), "service id");
        refused(service.env().set("A", "b"), "service id");
        refused(service.env().remove("A"), "service id");
        refused(client.instance(id).get(), "instance id");
        refused(client.instance(id).metrics(), "instance id");
        refused(client.route(id).delete(), "route id");
        refused(client.project(id).delete(), "project id");
        refused(
            client.service(SERVICE).env().remove(id),
            "name of a variable",
        );
    }
}

#[test]
pub fn what_cannot_be_right_is_refused() {
    let client = client();
    let create = |new| client.deployments().create(new);
    let git = |name, url| create(NewDeployment::from_git(name, url));
    refused(git(" ", "https://a.example"), "the name is empty");
    refused(
        git("a\nb", "https://a.example"),
        "the name contains a control character",
    );
    refused(git("a", ""), "URL of the repository is empty");
    refused(
        create(NewDeployment::from_image("a", "")),
        "the image is empty",
    );
    refused(
        create(NewDeployment::from_image("a", "b").branch("main")),
        "an image has no branch",
    );
    refused(create(documented().branch("")), "the branch is empty");
    refused(
        create(documented().runtime("", "20")),
        "the runtime is empty",
    );
    refused(
        create(documented().runtime("nodejs", "")),
        "version of the runtime is empty",
    );
    refused(create(documented().kind("")), "the kind is empty");
    refused(
        create(documented().env("", "x")),
        "name of a variable is empty",
    );
    refused(create(documented().secret("A=B", "x")), "contains `=`");
    for port in [0, 65_536, u32::MAX] {
        refused(
            create(documented().port(port)),
            "is not between 1 and 65535",
        );
        let route = NewRoute::new("example.com", SERVICE, port);
        refused(client.routes().create(route), "is not between 1 and 65535");
    }

    let update = |update| client.deployment("d").update(update);
    refused(update(DeploymentUpdate::new()), "changes nothing");
    refused(
        update(DeploymentUpdate::new().version("")),
        "version of the runtime is empty",
    );
    refused(
        update(DeploymentUpdate::new().env("", "x")),
        "name of a variable is empty",
    );

    let route = |domain, service| client.routes().create(NewRoute::new(domain, service, 80));
    refused(route("", SERVICE), "the domain is empty");
    refused(
        route("https://example.com", SERVICE),
        "neither scheme nor path",
    );
    refused(route("example.com/a", SERVICE), "neither scheme nor path");
    refused(route("example.com", ""), "the service id is empty");

    refused(
        client.projects().create(NewProject::new("")),
        "the name is empty",
    );
    refused(
        client.service(SERVICE).env().set("", "x"),
        "name of a variable is empty",
    );

    let webhook = |url, events: &[&str]| {
        client
            .webhooks()
            .create(NewWebhook::new(url, events.to_vec()))
    };
    for url in ["", "example.com", "ftp://example.com"] {
        refused(
            webhook(url, &["deployment.created"]),
            "not an http or https URL",
        );
    }
    refused(webhook("https://example.com", &[]), "no events");
    refused(
        webhook("https://example.com", &[""]),
        "name of an event is empty",
    );
}

#[test]
pub fn debug_shows_no_secret() {
    let url = format!("https://x:{CANARY}@git.example/a.git");
    let new = NewDeployment::from_git("a", url)
        .env("A", CANARY)
        .secret("B", CANARY);
    let update = DeploymentUpdate::new().env("A", CANARY);
    let hook =
        NewWebhook::new(format!("https://a.example/{CANARY}?s={CANARY}"), ["e"]).secret(CANARY);
    let text = format!(
        "{new:?} {update:?} {hook:?} {:?}",
        client().service("s").env()
    );
    assert!(!text.contains(CANARY), "{text}");
    assert!(
        text.contains("git.example") && text.contains("https://a.example/…"),
        "{text}"
    );
}
