//! Nodion's operations, with a canary in every secret place.

use crate::planted::Plant;
use crate::specs::Spec;
use crate::walk::{Row, Target, Walk, json};
use deploykit::OPERATIONS;
use deploykit::nodion::Client;
use serde_json::{Value, json as value};

fn connect(target: &Target, plant: &Plant) -> Client {
    let builder = target.apply(Client::builder()).project("p-1");
    builder.token(plant.ascii("authorization")).build().unwrap()
}

pub async fn walk(walk: &mut Walk) {
    let spec = Spec::read("nodion");
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.api == "nodion")
    {
        let plant = Plant::new(format!("nodion {}", operation.id));
        match operation.id {
            "create_deployment" => {
                let row = Row {
                    connect: &connect,
                    call: &|client: &Client, _: &Plant| client.application("a-1").deploy(),
                    reply: value!({ "deployment": deployment(&plant) }).to_string(),
                    json,
                };
                walk.operation(&spec, operation, &plant, row).await;
            }
            "list_deployments" => {
                let row = Row {
                    connect: &connect,
                    call: &|client: &Client, _: &Plant| client.application("a-1").deployments(),
                    reply: value!({ "deployments": [deployment(&plant)] }).to_string(),
                    json,
                };
                walk.operation(&spec, operation, &plant, row).await;
            }
            other => panic!("the canaries have no row for nodion {other}"),
        }
    }
    let plant = Plant::new("nodion builders");
    let builder = Client::builder().token(plant.ascii("authorization"));
    walk.debug("builder", &builder);
    let client = Client::new(plant.ascii("authorization")).unwrap();
    walk.debug("client", &client);
    walk.debug("handle", &builder.build().unwrap().application("a-1"));
}

fn deployment(plant: &Plant) -> Value {
    value!({ "id": "d-1", "status": "created", "deploy_number": 3, "committer_email": plant.wide("reply.committer_email") })
}
