//! What only the control plane of dployr has, with a canary in every secret place.

use crate::dployr::{Run, deployment, git_url, page_json, service};
use crate::planted::Plant;
use crate::walk::json;
use deploykit::Secret;
use deploykit::dployr::{InstanceRegistered, LogQuery, NewInstance, ServiceUpdate};
use serde_json::json as value;
use std::collections::BTreeMap;

pub async fn one(run: Run<'_>) {
    let plant = run.plant;
    match run.operation.id {
        "get_service" => {
            run.with(Some(service(plant)), json, |client, _| {
                client.service("s").get()
            })
            .await
        }
        "update_service" => {
            let reply = value!({ "service": service(plant), "deployment": deployment(plant), "taskId": "t" });
            run.with(Some(reply), json, |client, plant| {
                client.service("s").update(update(plant))
            })
            .await
        }
        "delete_service" => {
            run.with(None, json, |client, _| client.service("s").delete())
                .await
        }
        "get_service_envs" => {
            let reply = value!({ "envs": { "A": plant.wide("reply.envs.*") } });
            run.with(
                Some(reply),
                |_: &BTreeMap<String, Secret>| Vec::new(),
                |client, _| client.service("s").env().map(),
            )
            .await;
        }
        "list_service_secrets" => {
            run.with(None, page_json, |client, _| client.service("s").secrets())
                .await
        }
        "get_service_metrics" => {
            run.with(None, json, |client, _| client.services().metrics("web"))
                .await
        }
        "get_logs" => {
            run.with(Some(value!([])), json, |client, _| {
                client.logs(LogQuery::new())
            })
            .await
        }
        "create_instance" => {
            let reply = value!({ "instance": { "id": "i" }, "token": plant.wide("reply.token") });
            run.with(
                Some(reply),
                |made: &InstanceRegistered| json(&made),
                |client, _| {
                    let new = NewInstance::new([127, 0, 0, 77].into(), "loop-tmp");
                    client.instances().create(new)
                },
            )
            .await;
        }
        "delete_instance" => {
            run.with(None, json, |client, _| client.instance("i").delete())
                .await
        }
        "ping_instance" => {
            run.with(None, json, |client, _| client.node("n").ping())
                .await
        }
        "reboot_instance" => {
            run.with(None, json, |client, _| client.node("n").reboot(true))
                .await
        }
        "restart_instance" => {
            run.with(None, json, |client, _| client.node("n").restart(true))
                .await
        }
        other => panic!("the canaries have no row for dployr {other}"),
    }
}

pub fn update(plant: &Plant) -> ServiceUpdate {
    ServiceUpdate::new("loop-node-1", "/health")
        .env([("A", plant.wide("body.env_vars.*"))])
        .secrets([("B", plant.wide("body.secrets.*"))], ["C"])
        .remote_url(git_url(plant, "git"))
}
