//! Nodion's operations, with a canary in every secret place.

use crate::planted::Plant;
use crate::specs::Spec;
use crate::walk::{Row, Target, Walk, json};
use deploykit::nodion::{
    ApplicationHandle, Branch, Client, EnvVariableUpdate, LogWindow, NewApplication,
    NewEnvVariable, Scaling,
};
use deploykit::{Call, OPERATIONS, Operation};
use serde::Serialize;
use serde_json::{Value, json as value};
use std::fmt::Debug;

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
        let run = Run {
            walk,
            spec: &spec,
            operation,
            plant: &plant,
        };
        one(run).await;
    }
    with_a_tag(walk).await;
    handles(walk);
}

/// Runs an operation with this reply, or with the example of the spec.
struct Run<'a> {
    walk: &'a mut Walk,
    spec: &'a Spec,
    operation: &'static Operation,
    plant: &'a Plant,
}

impl Run<'_> {
    async fn with<T: Debug + Serialize + Send + 'static>(
        self,
        reply: Option<Value>,
        call: impl Fn(&Client, ApplicationHandle, &Plant) -> Call<T>,
    ) {
        let reply = reply
            .or_else(|| self.spec.example(self.operation))
            .unwrap_or_default();
        let row = Row {
            connect: &connect,
            call: &|client: &Client, plant: &Plant| call(client, client.application("a-1"), plant),
            reply: reply.to_string(),
            json,
        };
        self.walk
            .operation(self.spec, self.operation, self.plant, row)
            .await;
    }
}

async fn one(run: Run<'_>) {
    let plant = run.plant.clone();
    let variable = || value!({ "env_variable": variable(&plant) });
    match run.operation.id {
        "create_deployment" => {
            let reply = value!({ "deployment": deployment(&plant) });
            run.with(Some(reply), |_, application, _| application.deploy())
                .await;
        }
        "list_deployments" => {
            let reply = value!({ "deployments": [deployment(&plant)] });
            run.with(Some(reply), |_, application, _| application.deployments())
                .await;
        }
        "list_applications" => {
            run.with(None, |client, _, _| client.applications().list())
                .await
        }
        "create_application" => {
            run.with(None, |client, _, _| {
                let new = NewApplication::from_git("a", "r", "t", branch());
                client.applications().create(new)
            })
            .await;
        }
        "get_application" => run.with(None, |_, application, _| application.get()).await,
        "update_application" => {
            run.with(None, |_, application, _| application.set_branch(branch()))
                .await;
        }
        "delete_application" => {
            run.with(None, |_, application, _| application.delete())
                .await
        }
        "list_instances" => {
            let reply = value!({ "instances": [{ "id": "i", "deployment": deployment(&plant) }] });
            run.with(Some(reply), |_, application, _| application.instances())
                .await;
        }
        "list_processes" => {
            run.with(None, |_, application, _| application.processes())
                .await
        }
        "scale_process" => {
            run.with(None, |_, application, _| application.process("p").scale(2))
                .await;
        }
        "list_scaling_events" => {
            run.with(None, |_, application, _| application.scaling_events())
                .await;
        }
        "create_scaling_event" => {
            run.with(None, |_, application, _| {
                application.scale(Scaling::to(2, "t").worker("w"))
            })
            .await;
        }
        "list_logs" => {
            run.with(None, |_, application, _| {
                application.logs(LogWindow::new().limit(5).instance("i"))
            })
            .await;
        }
        "list_env_variables" => {
            let reply = value!({ "env_variables": [self::variable(&plant)] });
            run.with(Some(reply), |_, application, _| application.env().list())
                .await;
        }
        "create_env_variable" => {
            let reply = variable();
            run.with(Some(reply), |_, application, plant| {
                let new = NewEnvVariable::new("K", plant.wide("body.env_val"));
                application.env().add(new.buildtime(true))
            })
            .await;
        }
        "get_env_variable" => {
            let reply = variable();
            run.with(Some(reply), |_, application, _| {
                application.env_variable("v").get()
            })
            .await;
        }
        "update_env_variable" => {
            let reply = variable();
            run.with(Some(reply), |_, application, plant| {
                let update = EnvVariableUpdate::new().value(plant.wide("body.env_val"));
                application.env_variable("v").update(update)
            })
            .await;
        }
        "delete_env_variable" => {
            run.with(None, |_, application, _| {
                application.env_variable("v").delete()
            })
            .await;
        }
        "list_domains" => {
            run.with(None, |_, application, _| application.domains().list())
                .await
        }
        "create_domain" => {
            run.with(None, |_, application, _| {
                application.domains().add("www.example.com")
            })
            .await;
        }
        "verify_domain" => {
            run.with(None, |_, application, _| application.domain("d").verify())
                .await;
        }
        "connect_domain" => {
            run.with(None, |_, application, _| application.domain("d").connect())
                .await;
        }
        "delete_domain" => {
            run.with(None, |_, application, _| application.domain("d").delete())
                .await;
        }
        "list_regions" => run.with(None, |client, _, _| client.regions()).await,
        "list_instance_types" => run.with(None, |client, _, _| client.instance_types()).await,
        other => panic!("the canaries have no row for nodion {other}"),
    }
}

/// The same operation with a body.
async fn with_a_tag(walk: &mut Walk) {
    let plant = Plant::new("nodion create_deployment with a tag");
    let row = Row {
        connect: &connect,
        call: &|client: &Client, _: &Plant| client.application("a-1").deploy_image("1.27"),
        reply: value!({ "deployment": deployment(&plant) }).to_string(),
        json,
    };
    walk.run(&plant, row).await;
}

/// Builders and handles that are never sent.
fn handles(walk: &mut Walk) {
    let plant = Plant::new("nodion builders");
    let builder = Client::builder().token(plant.ascii("authorization"));
    walk.debug("builder", &builder);
    walk.debug(
        "client",
        &Client::new(plant.ascii("authorization")).unwrap(),
    );
    let client = builder.build().unwrap();
    let application = client.application("a-1");
    let new = NewEnvVariable::new("K", plant.wide("body.env_val"));
    let update = EnvVariableUpdate::new().value(plant.wide("body.env_val"));
    let all: [&dyn Debug; 10] = [
        &application,
        &client.applications(),
        &application.deployment("d"),
        &application.process("p"),
        &application.env(),
        &application.env_variable("v"),
        &application.domains(),
        &application.domain("d"),
        &new,
        &update,
    ];
    for handle in all {
        walk.debug("handle", handle);
    }
    let wrong = NewEnvVariable::new("A=B", plant.wide("body.env_val"));
    let refused = application.env().add(wrong);
    walk.debug("refused call", &refused);
    walk.look_at_error("refused", &refused.preview().unwrap_err());
}

fn branch() -> Branch {
    Branch::new("i", "r", "b")
}

fn deployment(plant: &Plant) -> Value {
    value!({ "id": "d-1", "status": "created", "deploy_number": 3, "committer_email": plant.wide("reply.committer_email") })
}

fn variable(plant: &Plant) -> Value {
    value!({ "id": "v-1", "env_key": "K", "env_val": plant.wide("reply.env_val"), "buildtime": false })
}
