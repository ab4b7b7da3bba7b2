//! Rows of dployr's operations.

use super::{AnyCall, Clients, Row, json, json_with_id, lines, opaque, opaque_with_id};
use deploykit::dployr::{
    ActorKind, Client, ClusterHandle, ClusterLogOptions, DeploymentHandle, DeploymentId,
    DeploymentUpdate, DomainHandle, EventType, EventWindow, InstanceHandle, LogOptions,
    NewApiToken, NewDeployment, NewDomain, NewInstance, NewProject, NewRoute, NewWebhook,
    ServiceField, ServiceHandle, ServiceSecret, ServiceType, ServiceUpdate, TaggedInstanceHandle,
    WebhookSetup,
};
use deploykit::logs::LogCursor;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const CLUSTER: &str = "01M85NWTN0TJ4JW1JXEKRNC9Z2";
const UNUSUAL: &str = "a b %2e ü:@+";
const EVENTS: [&str; 2] = ["deployment.created", "deployment.failed"];

fn row(id: &str, make: impl Fn(&Clients) -> AnyCall + Send + Sync + 'static) -> Row {
    super::row("dployr", id, make)
}

/// A client with a cluster.
fn in_cluster(to: &Clients) -> Client {
    to.dployr
        .with_cluster(to.value("cluster", CLUSTER))
        .unwrap()
}

/// A client with a session cookie.
fn signed_in(to: &Clients) -> Client {
    to.dployr.with_session(to.secret("cookie")).unwrap()
}

/// An e-mail address, which is personal.
fn email(to: &Clients, place: &str) -> String {
    let secret = to.secret(place);
    match secret.contains('@') {
        true => secret,
        false => format!("{secret}@example.com"),
    }
}

fn unusual(to: &Clients) -> String {
    to.id("unusual", UNUSUAL)
}

/// The example deployment of the vendor's page.
fn documented() -> NewDeployment {
    NewDeployment::from_git("my-app", "https://github.com/user/repo")
        .runtime("nodejs", "20")
        .branch("main")
        .build_cmd("npm install")
        .run_cmd("npm start")
        .port(3000)
}

fn deployment_id(to: &Clients) -> String {
    to.id("deployment", "d-1")
}

fn deployment(to: &Clients) -> DeploymentHandle {
    to.dployr.deployment(deployment_id(to))
}

fn deployment_update(to: &Clients) -> DeploymentUpdate {
    DeploymentUpdate::new()
        .version("22")
        .env("NODE_ENV", to.secret("body.env.*"))
}

fn service_id(to: &Clients) -> String {
    to.id("service", "service-123")
}

fn service(to: &Clients) -> ServiceHandle {
    in_cluster(to).service(service_id(to))
}

fn service_update(to: &Clients) -> ServiceUpdate {
    ServiceUpdate::new(to.value("instance_tag", "loop-node-1"))
        .health_check("/health")
        .allow_loss()
}

fn update(to: &Clients, update: ServiceUpdate) -> AnyCall {
    json(to.dployr.service(service_id(to)).update(update))
}

/// A secret variable of a service, as in a list.
fn listed_secret(key: &str) -> ServiceSecret {
    serde_json::from_value(serde_json::json!({ "key": key, "serviceId": "s" })).unwrap()
}

fn every_value(to: &Clients) -> ServiceUpdate {
    let keep = ["S1", "S0", "S1"].map(listed_secret);
    let user = to.secret("url of the repository (user)");
    let value = to.secret("body.env_vars.*");
    service_update(to)
        .replace_env([("A", value.clone()), ("Ü %", value)])
        .replace_secrets([("S2", to.secret("body.secrets.*"))], &keep)
        .description("übung, with \"quotes\"")
        .run_cmd("npm start")
        .build_cmd("npm install")
        .port(4000)
        .working_dir("app")
        .static_dir("public")
        .domain("example.com")
        .runtime("nodejs", "22")
        .git_url(format!("https://x:{user}@git.example/a.git"))
        .branch("main")
}

fn cleared(to: &Clients) -> ServiceUpdate {
    let fields = [
        ServiceField::Description,
        ServiceField::RunCmd,
        ServiceField::BuildCmd,
        ServiceField::Port,
        ServiceField::WorkingDir,
        ServiceField::StaticDir,
        ServiceField::Image,
        ServiceField::Domain,
        ServiceField::Runtime,
        ServiceField::Version,
        ServiceField::RemoteBranch,
    ];
    fields
        .into_iter()
        .fold(service_update(to), ServiceUpdate::clear)
}

/// A cursor after two lines of one millisecond.
fn cursor() -> LogCursor {
    serde_json::from_value(serde_json::json!({
        "version": 1,
        "platform": "dployr",
        "position": {
            "last": 1_795_487_019_229_i64,
            "floor": 1_795_487_019_229_i64,
            "lines": [[1_795_487_019_229_i64, "00000000000000ff", 2]],
            "overflow": 0,
        },
    }))
    .unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn every_condition() -> ClusterLogOptions {
    ClusterLogOptions::new()
        .service("web-one")
        .deployment(DeploymentId::new("d-1").unwrap())
        .source("build|deploy")
        .since(at(1_795_400_720))
        .limit(100)
}

fn cluster(to: &Clients) -> ClusterHandle {
    to.dployr.cluster(to.id("cluster", CLUSTER))
}

fn domain(to: &Clients) -> DomainHandle {
    to.dployr.domain(to.id("domain", "app.example.com"))
}

/// A URL with a secret in the user info and in the query.
fn secret_url(to: &Clients) -> String {
    let user = to.secret("url of the hook (user)");
    let query = to.secret("url of the hook (query)");
    format!("https://u:{user}@example.com/hook?token={query}")
}

fn setup(to: &Clients, url: &str) -> WebhookSetup {
    let unknown = to.value("event", "something.new");
    WebhookSetup::new(url, ["deployment.created", &unknown])
}

fn instance(to: &Clients) -> InstanceHandle {
    in_cluster(to).instance(to.id("instance", "i-1"))
}

fn tagged_instance(to: &Clients) -> TaggedInstanceHandle {
    in_cluster(to).instance_by_tag(to.id("instance_tag", "loop-node-1"))
}

fn new_instance() -> NewInstance {
    NewInstance::new(Ipv4Addr::new(127, 0, 0, 77), "loop-tmp")
}

fn new_route(to: &Clients) -> NewRoute {
    NewRoute::new("example.com", to.value("service", "service-123"), 3000)
}

pub fn rows() -> Vec<Row> {
    let mut rows = account();
    rows.extend(deployments());
    rows.extend(services());
    rows.extend(instances());
    rows.extend(domains());
    rows.extend(proxy_projects_and_webhooks());
    rows.extend(deletes());
    rows
}

fn account() -> Vec<Row> {
    vec![
        row("login", |to| {
            opaque(
                to.dployr
                    .login(email(to, "body.email"), to.secret("body.password")),
            )
        })
        .variant("without_token", |to| {
            let client = to.dployr_builder().build().unwrap();
            opaque(client.login(email(to, "body.email"), to.secret("body.password")))
        }),
        row("request_login_code", |to| {
            opaque(to.dployr.login_by_email(email(to, "body.email")))
        }),
        row("verify_login_code", |to| {
            let code = to.secret("body.code");
            let call = to.dployr.verify_login_code(email(to, "body.email"), code);
            opaque_with_id(call, |session| session.id.expose().to_owned())
        })
        .names("cookie", ""),
        row("exchange_identity_token", |to| {
            opaque(to.dployr.login_by_identity_token(to.secret("body.token")))
        }),
        row("create_api_token", |to| {
            let new = NewApiToken::new("ci").expires_in(Duration::from_secs(3600));
            let call = signed_in(to).api_tokens().create(new);
            json_with_id(call, |token| Some(token.id.to_string()))
        })
        .variant("for_ever", |to| {
            json(signed_in(to).api_tokens().create(NewApiToken::new("übung")))
        })
        .names("api_token", ""),
        row("list_api_tokens", |to| {
            json(signed_in(to).api_tokens().list())
        })
        .variant("second_page", |to| {
            json(signed_in(to).api_tokens().page(2).page_size(5).list())
        }),
        row("delete_api_token", |to| {
            json(signed_in(to).api_token(to.id("api_token", "t-1")).delete())
        })
        .variant("unusual_id", |to| {
            json(signed_in(to).api_token(unusual(to)).delete())
        }),
        row("logout", |to| json(signed_in(to).logout_everywhere())),
        row("get_health", |to| json(to.dployr.health())),
        row("list_versions", |to| json(to.dployr.versions()))
            .variant("previews", |to| json(to.dployr.versions_with_previews())),
        row("get_current_user", |to| json(to.dployr.current_user())),
        row("list_clusters", |to| json(to.dployr.clusters().list())),
        row("rename_cluster", |to| json(cluster(to).rename("acme"))).variant("unusual_id", |to| {
            json(to.dployr.cluster(unusual(to)).rename("ü"))
        }),
        row("list_cluster_users", |to| json(cluster(to).users().list()))
            .variant("invited", |to| json(cluster(to).users().invited().list()))
            .variant("second_page", |to| {
                json(cluster(to).users().page(2).page_size(50).list())
            }),
        row("invite_cluster_users", |to| {
            let other = "other@example.com".to_owned();
            json(cluster(to).invite([email(to, "body.users"), other]))
        }),
        row("get_integrations", |to| json(cluster(to).integrations())),
        row("list_events", |to| json(in_cluster(to).events().list())).variant("filter", |to| {
            let filter = in_cluster(to).events();
            let filter = filter.kind(EventType::DeploymentFinished).search("web-one");
            let filter = filter
                .oldest_first()
                .within(EventWindow::Day)
                .actor(ActorKind::User);
            json(filter.page(2).list())
        }),
        row("set_up_webhook", |to| {
            let setup = setup(to, "https://example.com/hook");
            json(in_cluster(to).webhooks().set_up(setup))
        })
        .variant("secret_in_the_url", |to| {
            let setup = setup(to, &secret_url(to)).disabled();
            json(in_cluster(to).webhooks().set_up(setup))
        }),
    ]
}

fn deployments() -> Vec<Row> {
    vec![
        row("create_deployment", |to| {
            json(to.dployr.deploy(documented()))
        })
        .variant("least", |to| {
            let bare = NewDeployment::from_git("my-app", "https://github.com/user/repo");
            json(to.dployr.deploy(bare))
        })
        .variant("commit", |to| {
            let hash = "0d29e65f2c1b4a3e8d7c6b5a4f3e2d1c0b9a8f7e";
            json(
                to.dployr
                    .deploy(documented().remote_commit_hash(hash).force_rebuild()),
            )
        })
        .variant("env", |to| {
            let value = to.secret("body.env.*");
            let with_env = documented()
                .env("DATABASE_URL", value.as_str())
                .env("Ü %", value);
            json(to.dployr.deploy(with_env))
        })
        .variant("kind", |to| {
            let new = documented()
                .kind(ServiceType::Web)
                .env("DATABASE_URL", to.secret("body.envVars.*"))
                .secret("API_KEY", to.secret("body.secrets.*"));
            json(in_cluster(to).deploy(new))
        })
        .variant("image", |to| {
            let new = NewDeployment::from_image("web-one", "node:20-alpine")
                .kind("worker")
                .description("übung, with \"quotes\"")
                .domain("example.com")
                .working_dir("app")
                .static_dir("public")
                .health_check("/health");
            json(in_cluster(to).deploy(new))
        })
        .variant("credentials_in_the_url", |to| {
            let user = to.secret("url of the repository (user)");
            let url = format!("https://x:{user}@git.example/a.git");
            let private = NewDeployment::from_git("my-app", url).kind(ServiceType::Web);
            json(to.dployr.deploy(private))
        })
        .variant("secrets", |to| {
            let user = to.secret("url of the repository (user)");
            let url = format!("https://x:{user}@git.example/a.git");
            let new = NewDeployment::from_git("my-app", url)
                .kind(ServiceType::Web)
                .env("A", to.secret("body.envVars.*"))
                .secret("B", to.secret("body.secrets.*"));
            json(in_cluster(to).deploy(new))
        })
        .without_snapshot(),
        row("list_deployments", |to| {
            let call = to.dployr.deployments().list();
            json_with_id(call, |page| Some(page.items.first()?.id.to_string()))
        })
        .variant("second_page", |to| {
            json(in_cluster(to).deployments().page(2).list())
        })
        .variant("page", |to| {
            json(in_cluster(to).deployments().page(2).page_size(50).list())
        })
        .variant("find_created", |to| {
            json(in_cluster(to).deployments().find_created("web", UNIX_EPOCH))
        })
        .variant("filtered", |to| {
            let deployments = in_cluster(to).deployments();
            json(deployments.of_service("s-1").status("failed").list())
        })
        .variant("cluster", |to| json(in_cluster(to).deployments().list()))
        .names("deployment", "/items/0/id"),
        row("get_deployment", |to| json(deployment(to).get()))
            .variant("cluster", |to| {
                json(in_cluster(to).deployment(deployment_id(to)).get())
            })
            .variant("unusual_id", |to| {
                json(to.dployr.deployment(unusual(to)).get())
            }),
        row("update_deployment", |to| {
            json(deployment(to).update(deployment_update(to)))
        })
        .variant("version", |to| {
            json(deployment(to).update(DeploymentUpdate::new().version("22")))
        })
        .variant("cluster", |to| {
            let deployment = in_cluster(to).deployment(deployment_id(to));
            json(deployment.update(deployment_update(to)))
        }),
    ]
}

fn services() -> Vec<Row> {
    vec![
        row("list_services", |to| {
            let call = to.dployr.services().list();
            json_with_id(call, |page| Some(page.items.first()?.id.to_string()))
        })
        .variant("cluster", |to| json(in_cluster(to).services().list()))
        .names("service", "/items/0/id"),
        row("get_service", |to| json(service(to).get())),
        row("get_service_status", |to| json(service(to).status())),
        row("stop_service", |to| json(service(to).stop())),
        row("start_service", |to| json(service(to).start())),
        row("restart_service", |to| json(service(to).restart())).variant("unusual_id", |to| {
            json(to.dployr.service(unusual(to)).restart())
        }),
        row("update_service", |to| update(to, every_value(to)))
            .variant("least", |to| update(to, service_update(to)))
            .variant("image", |to| {
                update(to, service_update(to).image("r.example/a:1"))
            })
            .variant("no_health_check", |to| {
                update(to, ServiceUpdate::new("loop-node-1").allow_loss())
            })
            // Empty maps remove all variables and all secrets.
            .variant("all_removed", |to| {
                let none: [(&str, &str); 0] = [];
                update(
                    to,
                    service_update(to)
                        .replace_env(none)
                        .replace_secrets(none, []),
                )
            })
            .variant("cleared", |to| update(to, cleared(to))),
        row("get_service_logs", |to| {
            json(service(to).logs(LogOptions::new()))
        })
        .variant("since", |to| {
            json(service(to).logs(LogOptions::new().since(at(1_795_400_720))))
        })
        .variant("tail", |to| {
            json(service(to).logs(LogOptions::new().tail(100)))
        })
        .variant("follow", |to| {
            lines(service(to).follow_logs(LogOptions::new()))
        })
        .variant("follow_from", |to| {
            lines(service(to).follow_logs(LogOptions::new().tail(100)))
        })
        .variant("resume", |to| lines(service(to).resume_logs(&cursor())))
        .variant("unusual_id", |to| {
            lines(
                to.dployr
                    .service(unusual(to))
                    .follow_logs(LogOptions::new()),
            )
        }),
        row("get_logs", |to| {
            json(in_cluster(to).logs(ClusterLogOptions::new()))
        })
        .variant("tail", |to| {
            json(in_cluster(to).logs(ClusterLogOptions::new().tail(20)))
        })
        .variant("everything", |to| {
            let ended = every_condition().until(at(1_795_487_120)).newest_first();
            json(in_cluster(to).logs(ended))
        })
        .variant("follow", |to| {
            lines(in_cluster(to).follow_logs(ClusterLogOptions::new()))
        })
        .variant("follow_everything", |to| {
            lines(in_cluster(to).follow_logs(every_condition()))
        }),
        row("get_service_metrics", |to| {
            json(in_cluster(to).services().metrics(to.id("name", "web-one")))
        })
        .variant("between", |to| {
            let from = UNIX_EPOCH + Duration::from_millis(1_795_400_720_000);
            let to_ = UNIX_EPOCH + Duration::from_millis(1_795_487_120_999);
            let services = in_cluster(to).services();
            json(services.metrics_between("web-one", from, to_))
        }),
        row("set_service_env", |to| {
            let value = to.secret("body.value");
            json(service(to).env_variable("NODE_ENV").set(value))
        })
        .variant("unusual_key", |to| {
            json(
                service(to)
                    .env_variable("a/b Ü")
                    .set(to.secret("body.value")),
            )
        }),
        row("list_service_env", |to| {
            opaque(service(to).env_variables().list())
        }),
        row("get_service_envs", |to| {
            opaque(service(to).env_variables().get_map())
        }),
        row("delete_service_env", |to| {
            json(service(to).env_variable(to.id("key", "NODE_ENV")).delete())
        })
        .variant("unusual_key", |to| {
            json(service(to).env_variable(unusual(to)).delete())
        }),
        row("list_service_secrets", |to| {
            json(service(to).secrets().list())
        }),
    ]
}

fn instances() -> Vec<Row> {
    vec![
        row("list_instances", |to| json(to.dployr.instances().list()))
            .variant("cluster", |to| json(in_cluster(to).instances().list()))
            .names("instance", "/items/0/id"),
        row("get_instance", |to| json(instance(to).get())),
        row("get_instance_metrics", |to| json(instance(to).metrics()))
            .variant("unusual_id", |to| {
                json(to.dployr.instance(unusual(to)).metrics())
            }),
        row("ping_instance", |to| json(tagged_instance(to).ping())),
        row("restart_instance", |to| {
            json(tagged_instance(to).restart_daemon(false))
        }),
        row("reboot_instance", |to| {
            json(tagged_instance(to).reboot(true))
        })
        .variant("unusual_tag", |to| {
            json(to.dployr.instance_by_tag(unusual(to)).reboot(false))
        }),
        row("create_instance", |to| {
            let call = in_cluster(to).instances().create(new_instance());
            json_with_id(call, |made| Some(made.instance.id.to_string()))
        })
        .variant("everything", |to| {
            let new = new_instance()
                .region("eu-west")
                .managed(false)
                .role("build");
            json(in_cluster(to).instances().create(new))
        })
        .names("created_instance", ""),
        row("delete_instance", |to| {
            let id = to.id("created_instance", "i-1");
            json(in_cluster(to).instance(id).delete())
        }),
    ]
}

fn domains() -> Vec<Row> {
    vec![
        row("create_domain", |to| {
            let service = to.value("service_name", "web-one");
            let domain = to.value("domain", "App.Example.com");
            let new = NewDomain::new(domain, service);
            json(in_cluster(to).domains().create(new))
        }),
        row("list_domains", |to| json(in_cluster(to).domains().list()))
            .variant("second_page", |to| {
                json(in_cluster(to).domains().page(2).page_size(50).list())
            }),
        row("get_domain", |to| json(domain(to).get())),
        row("verify_domain", |to| json(domain(to).verify())),
        row("get_domain_status", |to| json(domain(to).status())),
        row("delete_domain", |to| json(domain(to).delete())).variant("unusual_id", |to| {
            json(to.dployr.domain(unusual(to)).delete())
        }),
    ]
}

fn proxy_projects_and_webhooks() -> Vec<Row> {
    vec![
        row("create_route", |to| {
            json(to.dployr.routes().create(new_route(to)))
        })
        .variant("cluster", |to| {
            json(in_cluster(to).routes().create(new_route(to)))
        })
        .names("route", "/id"),
        row("list_routes", |to| json(to.dployr.routes().list()))
            .variant("cluster", |to| json(in_cluster(to).routes().list())),
        row("list_proxy_services", |to| {
            json(in_cluster(to).routable_services().list())
        }),
        row("delete_route", |to| {
            json(to.dployr.route(to.id("route", "r-1")).delete())
        })
        .variant("unusual_id", |to| {
            json(in_cluster(to).route(unusual(to)).delete())
        }),
        row("create_project", |to| {
            let new = NewProject::new("my-project").description("Project description");
            json(in_cluster(to).projects().create(new))
        })
        .variant("least", |to| {
            let new = NewProject::new("mein Projekt ü");
            json(to.dployr.projects().create(new))
        })
        .names("project", "/id"),
        row("list_projects", |to| json(in_cluster(to).projects().list())),
        row("delete_project", |to| {
            json(to.dployr.project(to.id("project", "p-1")).delete())
        })
        .variant("unusual_id", |to| {
            json(in_cluster(to).project(unusual(to)).delete())
        }),
        row("create_webhook", |to| {
            let secret = to.secret("body.secret");
            let new = NewWebhook::new("https://example.com/webhook", EVENTS).secret(secret);
            json(to.dployr.webhooks().create(new))
        })
        .variant("without_secret", |to| {
            let new = NewWebhook::new("https://example.com/webhook", EVENTS);
            json(in_cluster(to).webhooks().create(new))
        })
        .variant("secret_in_the_url", |to| {
            let new = NewWebhook::new(secret_url(to), EVENTS);
            json(to.dployr.webhooks().create(new))
        })
        .variant("secrets", |to| {
            let secret = to.secret("body.secret");
            let new = NewWebhook::new(secret_url(to), EVENTS).secret(secret);
            json(to.dployr.webhooks().create(new))
        })
        .without_snapshot(),
        row("list_webhooks", |to| json(to.dployr.webhooks().list()))
            .variant("cluster", |to| json(in_cluster(to).webhooks().list())),
    ]
}

fn deletes() -> Vec<Row> {
    vec![
        row("delete_service", |to| json(service(to).delete())).variant("unusual_id", |to| {
            json(to.dployr.service(unusual(to)).delete())
        }),
        row("delete_deployment", |to| json(deployment(to).delete())).variant("cluster", |to| {
            json(in_cluster(to).deployment(deployment_id(to)).delete())
        }),
    ]
}
