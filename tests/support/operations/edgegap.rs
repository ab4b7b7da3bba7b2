//! Calls of Edgegap's operations.

use super::{AnyCall, Clients, Row, json, opaque, opaque_with_id};
use deploykit::Call;
use deploykit::edgegap::{
    ApplicationHandle, ApplicationUpdate, ApplicationVersions, Deployed, DeploymentHandle,
    DeploymentStatus, Deployments, Filter, ImageHandle, LogStorage, Match, NewApplication,
    NewDeployment, NewPort, NewVersion, Order, PortProtocol, RestartPolicy, SelfStop, StopFilter,
    Tags, User, VersionHandle, VersionUpdate,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HOST: &str = "alpha-north-america-95fab093";
const DEPLOYMENT: &str = "c0653765de3b";
const NEW_APPLICATION: &str = "new-app";
const NEW_VERSION: &str = "25.06.01";
const IMAGE: &str = "registry.edgegap.com/my-org/my-game-server:25.06.01-10.00.00-04";

fn row(id: &str, make: impl Fn(&Clients) -> AnyCall + Send + Sync + 'static) -> Row {
    super::row("edgegap", id, make)
}

fn deployment(to: &Clients) -> DeploymentHandle {
    to.edgegap.deployment(to.id("deployment", DEPLOYMENT))
}

fn tags(to: &Clients) -> Tags {
    deployment(to).tags()
}

fn player() -> User {
    User::ip([75, 28, 35, 192].into())
}

fn application(to: &Clients) -> String {
    to.value("application", "my-app")
}

fn new(to: &Clients) -> NewDeployment {
    NewDeployment::new(application(to), to.value("version", "25.05.30"), player())
}

fn full(to: &Clients) -> NewDeployment {
    let users = [player(), User::coordinates(45.508888, -73.561668)];
    let version = to.value("version", "25.05.30-16.45.19-04");
    let hidden = to.secret("body.environment_variables[is_hidden].value");
    NewDeployment::for_users(application(to), version, users)
        .user(User::ip("2001:db8::1".parse().unwrap()))
        .env("MY_ENVIRONMENT_VARIABLE", "my-value")
        .hidden_env("PASSWORD", hidden)
        .tag("eu")
        .tag("ünïcode tag")
        .webhook_on_ready("https://my-webhook.com/ready")
        .webhook_on_error("https://my-webhook.com/error")
        .webhook_on_terminated("https://my-webhook.com/end")
        .resources(1024, 2048)
}

/// A deployment with secrets in each webhook URL and in two variables.
fn with_secrets(to: &Clients) -> NewDeployment {
    let hook = |event: &str| {
        let user = to.secret(&format!("url of {event} (user)"));
        let query = to.secret(&format!("url of {event} (query)"));
        format!("https://u:{user}@hooks.example/e?t={query}")
    };
    let hidden = to.secret("body.environment_variables[is_hidden].value");
    new(to)
        .hidden_env("A", hidden)
        .hidden_env(
            "B",
            to.secret("body.environment_variables[is_hidden].value (second)"),
        )
        .webhook_on_ready(hook("webhook_on_ready"))
        .webhook_on_error(hook("webhook_on_error"))
        .webhook_on_terminated(hook("webhook_on_terminated"))
}

fn versions(to: &Clients) -> ApplicationVersions {
    let application = to.id("application", "my-app");
    to.edgegap.application(application).versions()
}

/// The application that a row creates and a later one deletes.
fn new_application(to: &Clients) -> ApplicationHandle {
    let name = to.id("new_application", NEW_APPLICATION);
    to.edgegap.application(name)
}

/// The version that a row creates and a later one deletes.
fn version(to: &Clients) -> VersionHandle {
    let application = to.id("application", "my-app");
    let application = to.edgegap.application(application);
    application.version(to.id("new_version", NEW_VERSION))
}

fn new_version(name: &str) -> NewVersion {
    NewVersion::new(name, IMAGE, 1024, 2048)
}

fn port() -> NewPort {
    NewPort::new("gameport", 7777, PortProtocol::Udp)
}

/// A port that was read from a version.
fn websocket() -> NewPort {
    let port = NewPort::new("lobby", 8080, PortProtocol::Websocket);
    port.check(false).tls_upgrade(true)
}

fn full_version(to: &Clients) -> NewVersion {
    NewVersion::new("ünïcode 1", IMAGE, 100, 200)
        .gpu_units(1024)
        .active(false)
        .registry_login("robot$my-org+pull", to.secret("body.private_token"))
        .verify_image(false)
        .force_cache(true)
        .time_to_deploy_seconds(120)
        .max_duration_minutes(-1)
        .restart_policy(RestartPolicy::OnFailure)
        .termination_grace_seconds(5)
        .mainland_china(false)
        .dns_config("my-dns")
        .endpoint_storage("my-storage")
        .port(port())
        .port(websocket())
        .env("MODE", "ranked")
        .hidden_env("PASSWORD", to.secret("body.envs[is_hidden].value"))
}

fn full_update(to: &Clients) -> VersionUpdate {
    VersionUpdate::new()
        .name("renamed")
        .image("docker.io/my-org/game:2")
        .active(true)
        .registry_login("robot$my-org+pull", to.secret("body.private_token"))
        .verify_image(true)
        .force_cache(false)
        .time_to_deploy_seconds(30)
        .max_duration_minutes(0)
        .restart_policy(RestartPolicy::Never)
        .termination_grace_seconds(3600)
        .mainland_china(true)
        .dns_config("my-dns")
        .endpoint_storage("my-storage")
        .port(websocket())
        .env("MODE", "ranked")
        .hidden_env("PASSWORD", to.secret("body.envs[is_hidden].value"))
}

fn image(to: &Clients) -> ImageHandle {
    to.edgegap.image(to.id("image", "my-game-server"))
}

fn deploy(call: Call<Deployed>) -> AnyCall {
    opaque_with_id(call, |deployed| deployed.request_id.to_string())
}

fn since() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_776_859_246_999)
}

type MakeFilter = fn() -> Filter;

/// Filters, each of which has its own list request.
const FILTERS: [(&str, MakeFilter); 11] = [
    ("status", || Filter::status(DeploymentStatus::Ready)),
    ("not_status", || Filter::not_status("Status.NEW".into())),
    ("application", || Filter::application("my-app")),
    ("version", || Filter::version(Match::is_not("1"))),
    ("any_tag", || Filter::tag(Match::any_of(["a", "b"]))),
    ("no_id", || Filter::request_id(Match::none_of(["a", "b"]))),
    ("fleet", || Filter::fleet_like("alpha-%")),
    ("host", || Filter::host(Match::any_of(["h-1"]))),
    ("whole_fleet", || Filter::fleet("alpha")),
    ("created_at", || Filter::created_at(since())),
    ("created_until", || Filter::created_until(since())),
];

/// Several filters and orders. A later one replaces an earlier one for the same property.
fn several(deployments: Deployments) -> Deployments {
    deployments
        .tagged("before")
        .created_since(since())
        .filter(Filter::tag(Match::is_not("after")))
        .filter(Filter::created_until(since()))
        .newest_first()
        .order_by(Order::MostFreeSockets)
        .order_by(Order::OldestFirst)
        .order_by(Order::FewestFreeSockets)
}

fn self_stop(to: &Clients) -> SelfStop {
    let key = to.secret("path.stop_key");
    let url = to.value("self_stop_url", "https://api.edgegap.com");
    let id = to.id("deployment", "9f511e17");
    let url = format!("{url}/v1/self/stop/{id}/{key}");
    SelfStop::with_builder(
        to.edgegap_builder(),
        url,
        to.secret("authorization (container)"),
    )
    .unwrap()
}

fn list_deployments() -> Row {
    let row = row("list_deployments", |to| {
        json(to.edgegap.deployments().list())
    })
    .variant("tagged", |to| {
        let tagged = to.edgegap.deployments().tagged("ünïcode \"tag\"");
        json(tagged.page(2).page_size(50).list())
    })
    .variant("since", |to| {
        json(to.edgegap.deployments().created_since(since()).list())
    })
    .variant("newest", |to| {
        json(to.edgegap.deployments().newest_first().list())
    })
    // The request contains a time one minute earlier, to allow for clock skew.
    .variant("find_created", |to| {
        json(to.edgegap.deployments().find_created("match-7", since()))
    })
    .variant("several", |to| {
        json(several(to.edgegap.deployments()).list())
    });
    FILTERS.into_iter().fold(row, |row, (name, filter)| {
        row.variant(name, move |to| {
            json(to.edgegap.deployments().filter(filter()).list())
        })
    })
}

/// Applications, versions and image tags. Creates come first, and deletions last.
fn publishing() -> Vec<Row> {
    vec![
        row("create_application", |to| {
            let new = NewApplication::new(NEW_APPLICATION);
            json(to.edgegap.applications().create(new))
        })
        .variant("full", |to| {
            let new = NewApplication::new("ünïcode app").active(false);
            json(
                to.edgegap
                    .applications()
                    .create(new.picture("iVBORw0KGgo=")),
            )
        }),
        row("get_application", |to| json(new_application(to).get())),
        row("update_application", |to| {
            json(new_application(to).update(ApplicationUpdate::new().active(true)))
        })
        .variant("full", |to| {
            let update = ApplicationUpdate::new().name("renamed").active(false);
            let application = to
                .edgegap
                .application(to.id("other_application", "ünïcode app"));
            json(application.update(update.picture("iVBORw0KGgo=")))
        }),
        row("create_version", |to| {
            json(versions(to).create(new_version(NEW_VERSION)))
        })
        .variant("full", |to| json(versions(to).create(full_version(to)))),
        row("get_version", |to| json(version(to).get())),
        row("update_version", |to| {
            json(version(to).update(VersionUpdate::new().image_tag("dev")))
        })
        .variant("full", |to| {
            let application = to.edgegap.application(to.id("application", "my-app"));
            let version = application.version(to.id("other_version", "ünïcode 1"));
            json(version.update(full_update(to)))
        }),
        row("delete_version", |to| json(version(to).delete())),
        row("list_image_tags", |to| json(image(to).tags().list())).variant("page", |to| {
            json(image(to).tags().page(2).page_size(2).list())
        }),
        row("delete_image_tag", |to| {
            json(image(to).tag(to.id("image_tag", "dev")).delete())
        }),
        row("delete_application", |to| {
            json(new_application(to).delete())
        }),
    ]
}

pub fn rows() -> Vec<Row> {
    let mut rows = publishing();
    rows.extend(deploying());
    rows
}

fn deploying() -> Vec<Row> {
    vec![
        row("list_applications", |to| {
            json(to.edgegap.applications().list())
        })
        .variant("page", |to| {
            json(to.edgegap.applications().page(2).page_size(5).list())
        }),
        row("list_versions", |to| json(versions(to).list()))
            .variant("page", |to| json(versions(to).page(2).page_size(5).list())),
        row("list_locations", |to| json(to.edgegap.locations().list())).variant(
            "of_version",
            |to| {
                let version = to.value("version", "25.05.30");
                let locations = to.edgegap.locations().of_version(application(to), version);
                json(locations.page(2).page_size(5).list())
            },
        ),
        row("list_fleet_hosts", |to| {
            json(to.edgegap.fleet(to.id("fleet", "alpha")).hosts().list())
        }),
        row("create_deployment", |to| deploy(to.edgegap.deploy(new(to))))
            .variant("full", |to| {
                deploy(to.edgegap.deploy(full(to).require_cached_locations(true)))
            })
            .variant("secrets", |to| deploy(to.edgegap.deploy(with_secrets(to))))
            .without_snapshot()
            .names("deployment", ""),
        row("get_deployment", |to| json(deployment(to).get())).variant("unusual_id", |to| {
            let id = to.id("unusual", "a b %2e ü");
            json(to.edgegap.deployment(id).get())
        }),
        list_deployments(),
        row("get_container_logs", |to| json(deployment(to).logs())),
        row("get_deployment_metrics", |to| {
            json(deployment(to).metrics().get())
        })
        .variant("window", |to| {
            let until = since() + Duration::from_secs(3600);
            let metrics = deployment(to).metrics().since(since()).until(until);
            json(metrics.raw(true).steps(Duration::from_secs(60)).get())
        }),
        row("create_deployment_tag", |to| {
            json(tags(to).create("ünïcode tag"))
        }),
        row("list_deployment_tags", |to| json(tags(to).list()))
            .variant("page", |to| json(tags(to).page(2).page_size(50).list())),
        row("get_deployment_tag", |to| {
            json(deployment(to).tag(to.id("tag", "ünïcode tag")).get())
        }),
        row("rename_deployment_tag", |to| {
            let tag = deployment(to).tag(to.id("renamed_tag", "old"));
            json(tag.rename("new"))
        }),
        row("delete_deployment_tag", |to| {
            json(deployment(to).tag(to.id("deleted_tag", "old")).delete())
        }),
        row("stop_deployment", |to| opaque(deployment(to).stop()))
            .variant("configured", |to| {
                opaque(deployment(to).stop_and_store_logs(LogStorage::Configured))
            })
            .variant("off", |to| {
                opaque(deployment(to).stop_and_store_logs(LogStorage::Off))
            })
            .variant("named", |to| {
                opaque(deployment(to).stop_and_store_logs(LogStorage::from("my storage")))
            }),
        row("create_fleet_deployment", |to| {
            let new = new(to).on_host(to.value("host", HOST));
            deploy(to.edgegap.deploy_to_fleet(new))
        })
        .variant("full", |to| {
            let hosts = [to.value("host", HOST), "alpha-europe-1".to_owned()];
            let new = full(to).require_cached_locations(true);
            deploy(to.edgegap.deploy_to_fleet(new.on_hosts(hosts)))
        })
        .variant("null", |to| {
            let new = new(to).require_cached_locations(None);
            deploy(
                to.edgegap
                    .deploy_to_fleet(new.on_host(to.value("host", HOST))),
            )
        })
        .variant("secrets", |to| {
            let new = with_secrets(to).on_host(to.value("host", HOST));
            deploy(to.edgegap.deploy_to_fleet(new))
        })
        .without_snapshot()
        .names("deployment", ""),
        row("stop_own_deployment", |to| opaque(self_stop(to).stop())).variant("off", |to| {
            opaque(self_stop(to).stop_and_store_logs(LogStorage::Off))
        }),
        row("stop_deployments", |to| {
            let id = to.value("deployment", DEPLOYMENT);
            json(
                to.edgegap
                    .deployments()
                    .stop_matching(StopFilter::ids([id])),
            )
        })
        .variant("every_condition", |to| {
            let all = StopFilter::all_tags(["eu", "ranked"])
                .and(StopFilter::any_tag(["a", "b"]))
                .and(StopFilter::all_tags(["c"]))
                .without_ids([DEPLOYMENT])
                .without_tags(["keep"]);
            json(to.edgegap.deployments().stop_matching(all))
        }),
    ]
}
