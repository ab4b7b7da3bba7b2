//! What only the control plane of dployr has: services as records, logs of a cluster, instances.

use super::dployr::{SERVICE, UNUSUAL, client, in_cluster};
use super::{CANARY, refused, shows, shows_as};
use deploykit::dployr::{HealthCheck, LogQuery, NewInstance, ServiceField, ServiceUpdate};
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[test]
pub fn one_service() {
    let service = in_cluster().service(SERVICE);
    shows(service.get());
    shows(service.delete());
    shows_as("unusual_id", client().service(UNUSUAL).delete());
}

fn update() -> ServiceUpdate {
    ServiceUpdate::new("loop-node-1", "/health")
}

#[test]
pub fn updates() {
    let service = client().service(SERVICE);
    let every_value = update()
        .env([("A", CANARY), ("Ü %", CANARY)])
        .secrets([("S2", CANARY)], ["S1", "S0", "S1"])
        .description("übung, with \"quotes\"")
        .run_cmd("npm start")
        .build_cmd("npm install")
        .port(4000)
        .working_dir("app")
        .static_dir("public")
        .domain("example.com")
        .runtime("nodejs", "22")
        .remote_url(format!("https://x:{CANARY}@git.example/a.git"))
        .remote_branch("main");
    shows(service.update(every_value));
    shows_as("least", service.update(update()));
    let image = update().image(format!("u:{CANARY}@r.example/a:1"));
    shows_as("image", service.update(image));
    let none = ServiceUpdate::new("loop-node-1", HealthCheck::None);
    shows_as("no_health_check", service.update(none));
    let reset = ServiceUpdate::new("loop-node-1", HealthCheck::Reset);
    shows_as("health_check_reset", service.update(reset));
    // An empty map removes all variables, and one secret alone all secrets.
    let none: [(&str, &str); 0] = [];
    let all_gone = update().env(none).secrets(none, [] as [&str; 0]);
    shows_as("all_removed", service.update(all_gone));
    let cleared = [
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
    let cleared = cleared.into_iter().fold(update(), ServiceUpdate::clear);
    shows_as("cleared", service.update(cleared));

    let refuses = |update, words| refused(service.update(update), words);
    refuses(ServiceUpdate::new(" ", "/"), "tag of the instance is empty");
    refuses(ServiceUpdate::new("a", ""), "path of the health check");
    refuses(update().port(0), "port 0");
    refuses(update().port(65_536), "port 65536");
    refuses(update().env([("A=B", "x")]), "contains `=`");
    refuses(update().secrets([("", "x")], ["A"]), "name of a variable");
    refuses(
        update().secrets([("B", "x")], ["a\n"]),
        "name of a variable",
    );
    refuses(update().secrets([("A", "x")], ["A"]), "both");
    refuses(update().image(""), "image is empty");
    refuses(update().remote_url(""), "URL of the repository");
    refuses(update().runtime("", "1"), "runtime is empty");
    refuses(update().runtime("nodejs", " "), "version of the runtime");
    refuses(update().domain("a\nb"), "control character");
}

#[test]
pub fn variables_and_traffic() {
    let service = in_cluster().service(SERVICE);
    shows(service.env().map());
    shows(service.secrets());
    let services = in_cluster().services();
    shows(services.metrics("web-one"));
    let from = UNIX_EPOCH + Duration::from_millis(1_795_400_720_000);
    let to = UNIX_EPOCH + Duration::from_millis(1_795_487_120_999);
    shows_as("between", services.metrics_between("web-one", from, to));
    refused(services.metrics("a/b"), "name of a service");
    let before = UNIX_EPOCH - Duration::from_secs(1);
    refused(services.metrics_between("a", before, to), "before 1970");
    refused(services.metrics_between("a", from, before), "before 1970");
}

#[test]
pub fn logs_of_a_cluster() {
    shows(in_cluster().logs(LogQuery::new()));
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let everything = LogQuery::new()
        .service("web-one")
        .deployment(deploykit::dployr::DeploymentId::new("d-1").unwrap())
        .source("build|deploy")
        .since(at(1_795_400_720))
        .limit(100);
    let ended = || everything.clone().until(at(1_795_487_120));
    shows_as("everything", in_cluster().logs(ended().newest_first()));
    shows_as("follow", in_cluster().follow_logs(LogQuery::new()));
    shows_as(
        "follow_everything",
        in_cluster().follow_logs(everything.clone()),
    );
    for endless in [ended(), everything.newest_first()] {
        refused(in_cluster().follow_logs(endless), "has no end");
    }
    let refuses = |query: LogQuery, words: &str| {
        refused(client().logs(query.clone()), words);
        refused(client().follow_logs(query), words);
    };
    refuses(LogQuery::new().service(" "), "service is empty");
    refuses(LogQuery::new().source("a\nb"), "control character");
    refuses(LogQuery::new().limit(0), "limit is zero");
    let before: SystemTime = UNIX_EPOCH - Duration::from_secs(1);
    refuses(LogQuery::new().since(before), "before 1970");
    refused(client().logs(LogQuery::new().until(before)), "before 1970");
}

#[test]
pub fn nodes() {
    let new = |tag: &str| NewInstance::new(Ipv4Addr::new(127, 0, 0, 77), tag);
    let create = |new| in_cluster().instances().create(new);
    shows(create(new("loop-tmp")));
    let everything = new("loop-tmp")
        .region("eu-west")
        .managed(false)
        .role("build");
    shows_as("everything", create(everything));
    refused(create(new("ab")), "3 to 21");
    refused(create(new(&"x".repeat(22))), "3 to 21");
    refused(create(new("a\nb")), "control character");
    refused(create(new("abc").region("")), "region is empty");
    refused(create(new("abc").role(" ")), "role is empty");
    let homeless = refused(client().instances().create(new("abc")), "in a cluster");
    assert!(
        homeless.to_string().contains("DPLOYR_CLUSTER_ID"),
        "{homeless}"
    );

    shows(in_cluster().instance("i-1").delete());
    let node = in_cluster().node("loop-node-1");
    shows(node.ping());
    shows(node.reboot(true));
    shows(node.restart(false));
    shows_as("unusual_tag", client().node(UNUSUAL).reboot(false));
    for tag in ["", "..", "a/b", "a?b"] {
        let node = client().node(tag);
        refused(node.ping(), "tag of an instance");
        refused(node.reboot(true), "tag of an instance");
        refused(node.restart(true), "tag of an instance");
        refused(client().instance(tag).delete(), "instance id");
        let service = client().service(tag);
        refused(service.get(), "service id");
        refused(service.update(update()), "service id");
        refused(service.delete(), "service id");
        refused(service.secrets(), "service id");
        refused(service.env().map(), "service id");
    }
}
