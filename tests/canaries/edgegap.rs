//! Edgegap's operations, with a canary in every secret place.

use crate::planted::Plant;
use crate::specs::Spec;
use crate::walk::{Row, Target, Walk, no_json};
use deploykit::edgegap::{Client, NewDeployment, SelfStop, StopFilter, User};
use deploykit::{Call, OPERATIONS, Operation};
use serde_json::{Value, json as value};
use std::fmt::Debug;

const SHOWN: &str = "a variable that the platform shows too; `hidden_env` is for secrets";

fn connect(target: &Target, plant: &Plant) -> Client {
    let builder = target.apply(Client::builder());
    builder.token(plant.ascii("authorization")).build().unwrap()
}

/// The client of a container, whose token stands in the header as it is, and whose key in the path.
fn connect_inside(target: &Target, plant: &Plant) -> SelfStop {
    let base_url = match target {
        Target::Server(base_url) => base_url.as_str(),
        Target::Recorder(_) => "https://a.example",
    };
    let key = plant.plain("path.stop_key");
    let url = format!("{base_url}/v1/self/stop/9f511e17/{key}");
    let builder = target.apply(Client::builder());
    SelfStop::with_builder(builder, url, plant.ascii("authorization")).unwrap()
}

fn tag() -> Value {
    value!({ "name": "t" })
}

pub async fn walk(walk: &mut Walk) {
    let spec = Spec::read("edgegap");
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.api == "edgegap")
    {
        let plant = Plant::new(format!("edgegap {}", operation.id));
        let of = (&spec, operation, &plant);
        let accepted = value!({ "request_id": "a69f8e3e0555" });
        match operation.id {
            "create_deployment" => {
                with(walk, of, accepted, |client, plant| {
                    client.deploy(new(plant))
                })
                .await;
            }
            "create_fleet_deployment" => {
                let call = |client: &Client, plant: &Plant| {
                    client.deploy_to_fleet(new(plant).on_host("h-1"))
                };
                with(walk, of, accepted, call).await;
            }
            "list_deployments" => {
                let list = spec.example(operation).unwrap();
                let call = |client: &Client, _: &Plant| client.deployments().tagged("t").list();
                with(walk, of, list, call).await;
            }
            "get_deployment" => {
                let reply = spec.example(operation).unwrap();
                let call = |client: &Client, _: &Plant| client.deployment("a").status();
                with(walk, of, reply, call).await;
            }
            "stop_deployment" => {
                let reply = spec.example(operation).unwrap();
                let call = |client: &Client, _: &Plant| client.deployment("a").stop();
                with(walk, of, reply, call).await;
            }
            "get_container_logs" => {
                let reply = spec.example(operation).unwrap();
                let call = |client: &Client, _: &Plant| client.deployment("a").logs();
                with(walk, of, reply, call).await;
            }
            "get_deployment_metrics" => {
                let reply = spec.example(operation).unwrap();
                let call = |client: &Client, _: &Plant| client.deployment("a").metrics().get();
                with(walk, of, reply, call).await;
            }
            "stop_deployments" => {
                let reply = spec.example(operation).unwrap();
                let call =
                    |client: &Client, _: &Plant| client.stop_matching(StopFilter::any_tag(["t"]));
                with(walk, of, reply, call).await;
            }
            "list_deployment_tags" => {
                let reply = spec.example(operation).unwrap();
                let call = |client: &Client, _: &Plant| client.deployment("a").tags().list();
                with(walk, of, reply, call).await;
            }
            "add_deployment_tag" => {
                let call = |client: &Client, _: &Plant| client.deployment("a").tags().add("t");
                with(walk, of, tag(), call).await;
            }
            "get_deployment_tag" => {
                let call = |client: &Client, _: &Plant| client.deployment("a").tags().get("t");
                with(walk, of, tag(), call).await;
            }
            "rename_deployment_tag" => {
                let call =
                    |client: &Client, _: &Plant| client.deployment("a").tags().rename("t", "u");
                with(walk, of, tag(), call).await;
            }
            "delete_deployment_tag" => {
                let call = |client: &Client, _: &Plant| client.deployment("a").tags().delete("t");
                with(walk, of, Value::Null, call).await;
            }
            "list_locations" => {
                let reply = spec.example(operation).unwrap();
                let call = |client: &Client, _: &Plant| client.locations().list();
                with(walk, of, reply, call).await;
            }
            "list_applications" => {
                let reply = spec.example(operation).unwrap();
                let call = |client: &Client, _: &Plant| client.applications().list();
                with(walk, of, reply, call).await;
            }
            "list_versions" => {
                let reply = value!({ "versions": [{
                    "name": "1",
                    "private_token": plant.wide("reply.private_token"),
                    "envs": [{ "key": "A", "value": plant.wide("reply.value"), "is_hidden": true }],
                }] });
                let call = |client: &Client, _: &Plant| client.application("a").versions().list();
                with(walk, of, reply, call).await;
            }
            "list_fleet_hosts" => {
                let reply = spec.example(operation).unwrap();
                let call = |client: &Client, _: &Plant| client.fleet("a").hosts();
                with(walk, of, reply, call).await;
            }
            "stop_own_deployment" => {
                let row = Row {
                    connect: &connect_inside,
                    call: &|own: &SelfStop, _: &Plant| own.stop(),
                    reply: spec.example(operation).unwrap().to_string(),
                    json: no_json,
                };
                walk.operation(&spec, operation, &plant, row).await;
            }
            other => panic!("the canaries have no row for edgegap {other}"),
        }
    }
    handles(walk);
}

async fn with<T: Debug + Send + 'static>(
    walk: &mut Walk,
    (spec, operation, plant): (&Spec, &'static Operation, &Plant),
    reply: Value,
    call: impl Fn(&Client, &Plant) -> Call<T>,
) {
    let row = Row {
        connect: &connect,
        call: &call,
        reply: reply.to_string(),
        json: no_json,
    };
    walk.operation(spec, operation, plant, row).await;
}

fn new(plant: &Plant) -> NewDeployment {
    let hook = |event: &str| {
        let user = plant.plain(&format!("url of {event} (user)"));
        let query = plant.plain(&format!("url of {event} (query)"));
        format!("https://u:{user}@hooks.example/e?t={query}")
    };
    let database = plant.plain("url of a plain variable");
    NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into()))
        .hidden_env(
            "HIDDEN",
            plant.wide("body.environment_variables[is_hidden].value"),
        )
        .env(
            "PLAIN",
            plant.shown("body.environment_variables[].value", SHOWN),
        )
        .env("DB", format!("postgres://u:{database}@db/x"))
        .webhook_on_ready(hook("webhook_on_ready"))
        .webhook_on_error(hook("webhook_on_error"))
        .webhook_on_terminated(hook("webhook_on_terminated"))
}

fn handles(walk: &mut Walk) {
    let plant = Plant::new("edgegap builders");
    let builder = Client::builder().token(plant.ascii("authorization"));
    walk.debug("builder", &builder);
    let new = new(&plant);
    let fleet = new.clone().on_host("h-1");
    let all: [&dyn Debug; 3] = [&builder.build().unwrap(), &new, &fleet];
    for handle in all {
        walk.debug("handle", handle);
    }
    let client = Client::new(plant.ascii("authorization")).unwrap();
    let key = plant.plain("unsent key of a container");
    let url = format!("https://a.example/v1/self/stop/9f511e17/{key}");
    let own = SelfStop::new(url.as_str(), plant.ascii("authorization")).unwrap();
    walk.debug("handle", &own);
    walk.debug("call", &own.stop());
    let more = SelfStop::new(format!("{url}/more"), plant.ascii("authorization"));
    walk.look_at_error("refused", &more.unwrap_err());
    let bad = format!("no url {}", plant.plain("url that is none"));
    let refused = client.deploy(new.webhook_on_error(bad));
    walk.debug("refused call", &refused);
    walk.look_at_error("refused", &refused.preview().unwrap_err());
}
