//! dployr's operations, with a canary in every secret place.

use crate::dployr_account;
use crate::planted::Plant;
use crate::specs::Spec;
use crate::walk::{Row, Target, Walk, json, no_json};
use deploykit::dployr::{
    Client, DeploymentUpdate, EnvVariable, NewDeployment, NewProject, NewRoute, NewWebhook, Page,
    ServiceUpdate,
};
use deploykit::http::Method;
use deploykit::{Call, OPERATIONS, Operation};
use serde::Serialize;
use serde_json::{Value, json as value};
use std::fmt::Debug;

fn connect(target: &Target, plant: &Plant) -> Client {
    let builder = target.apply(Client::builder()).cluster("c-1");
    let builder = builder.token(plant.ascii("authorization"));
    // Each operation by itself.
    builder.without_fallbacks().build().unwrap()
}

/// A login carries no token, even if the client has one.
fn connect_to_login(target: &Target, plant: &Plant) -> Client {
    let builder = target.apply(Client::builder());
    let token = plant.ascii("unsent authorization");
    builder.token(token).build().unwrap()
}

pub async fn walk(walk: &mut Walk) {
    let spec = Spec::read("dployr");
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.api == "dployr")
    {
        let plant = Plant::new(format!("dployr {}", operation.id));
        one(walk, &spec, operation, &plant).await;
    }
    handles(walk);
    dployr_account::handles(walk).await;
    variants(walk, &spec).await;
    without_wrapper(walk).await;
}

/// Runs an operation with this reply.
pub struct Run<'a> {
    pub walk: &'a mut Walk,
    spec: &'a Spec,
    pub operation: &'static Operation,
    pub plant: &'a Plant,
}

impl Run<'_> {
    pub async fn with<T: Debug + Send + 'static>(
        self,
        reply: Option<Value>,
        json: fn(&T) -> Vec<String>,
        call: impl Fn(&Client, &Plant) -> Call<T>,
    ) {
        let reply = reply
            .or_else(|| self.spec.example(self.operation))
            .unwrap_or_default();
        let connect = match self.operation.id {
            "login" => connect_to_login,
            id if dployr_account::OPEN.contains(&id) => connect_to_login,
            id if dployr_account::SIGNED_IN.contains(&id) => dployr_account::connect_signed_in,
            _ => connect,
        };
        let row = Row {
            connect: &connect,
            call: &call,
            reply: reply.to_string(),
            json,
        };
        self.walk
            .operation(self.spec, self.operation, self.plant, row)
            .await;
        self.walk.set_cookie = None;
    }
}

async fn one(walk: &mut Walk, spec: &Spec, operation: &'static Operation, plant: &Plant) {
    let run = Run {
        walk,
        spec,
        operation,
        plant,
    };
    match operation.id {
        "login" => {
            let reply = value!({ "access_token": plant.wide("reply.access_token"), "refresh_token": plant.wide("reply.refresh_token"), "expires_in": 60 });
            run.with(Some(reply), no_json, |client, plant| {
                client.login("a@b.example", plant.wide("body.password"))
            })
            .await;
        }
        "create_deployment" => {
            let reply = value!({ "id": "d-1", "remoteUrl": url_in_reply(plant, "remoteUrl") });
            run.with(Some(reply), json, |client, plant| {
                client.deployments().create(new(plant))
            })
            .await
        }
        "list_deployments" => {
            let reply = value!({ "items": [deployment(plant)] });
            run.with(Some(reply), page_json, |client, _| {
                client.deployments().list()
            })
            .await;
        }
        "get_deployment" => {
            run.with(Some(deployment(plant)), json, |client, _| {
                client.deployment("d-1").get()
            })
            .await
        }
        "update_deployment" => {
            let reply = value!({ "id": "d-1", "remoteUrl": url_in_reply(plant, "remoteUrl") });
            run.with(Some(reply), json, |client, plant| {
                client.deployment("d-1").update(update(plant))
            })
            .await;
        }
        "delete_deployment" => {
            run.with(None, json, |client, _| client.deployment("d-1").delete())
                .await
        }
        "list_services" => {
            let service = service(plant);
            run.with(Some(value!([service])), page_json, |client, _| {
                client.services().list()
            })
            .await;
        }
        "get_service_status" => {
            run.with(None, json, |client, _| client.service("s").status())
                .await
        }
        "start_service" => {
            run.with(None, json, |client, _| client.service("s").start())
                .await
        }
        "stop_service" => {
            run.with(None, json, |client, _| client.service("s").stop())
                .await
        }
        "restart_service" => {
            run.with(None, json, |client, _| client.service("s").restart())
                .await
        }
        "get_service_logs" => {
            run.with(Some(value!([])), json, |client, _| {
                client.service("s").logs(Some(5))
            })
            .await
        }
        "list_service_env" => {
            let secret = plant.wide("reply.*");
            let in_data = plant.wide("reply.envs.*");
            let in_list = plant.wide("reply.value");
            let reply = value!({ "envs": { "A": secret, "B": in_data, "C": in_list } });
            run.with(
                Some(reply),
                |_: &Page<EnvVariable>| Vec::new(),
                |client, _| client.service("s").env().list(),
            )
            .await;
        }
        "set_service_env" => {
            let reply = value!({ "key": "K", "value": plant.wide("reply.value") });
            run.with(Some(reply), json, |client, plant| {
                client.service("s").env().set("K", plant.wide("body.value"))
            })
            .await;
        }
        "delete_service_env" => {
            run.with(None, json, |client, _| {
                client.service("s").env().remove("K")
            })
            .await
        }
        "list_instances" => {
            run.with(None, page_json, |client, _| client.instances().list())
                .await
        }
        "get_instance" => {
            run.with(None, json, |client, _| client.instance("i").get())
                .await
        }
        "get_instance_metrics" => {
            run.with(None, json, |client, _| client.instance("i").metrics())
                .await
        }
        "list_routes" => {
            run.with(None, page_json, |client, _| client.routes().list())
                .await
        }
        "create_route" => {
            run.with(None, json, |client, _| {
                client.routes().create(NewRoute::new("a.example", "s", 80))
            })
            .await
        }
        "delete_route" => {
            run.with(None, json, |client, _| client.route("r").delete())
                .await
        }
        "list_projects" => {
            run.with(None, page_json, |client, _| client.projects().list())
                .await
        }
        "create_project" => {
            run.with(None, json, |client, _| {
                client.projects().create(NewProject::new("p"))
            })
            .await
        }
        "delete_project" => {
            run.with(None, json, |client, _| client.project("p").delete())
                .await
        }
        "list_webhooks" => {
            let webhook = webhook(plant);
            run.with(Some(value!([webhook])), page_json, |client, _| {
                client.webhooks().list()
            })
            .await;
        }
        "create_webhook" => {
            let reply = webhook(plant);
            run.with(Some(reply), json, |client, plant| {
                client.webhooks().create(new_webhook(plant))
            })
            .await;
        }
        _ => dployr_account::one(run).await,
    }
}

pub fn git_url(plant: &Plant, place: &str) -> String {
    let user = plant.plain(&format!("url of {place} (user)"));
    let password = plant.plain(&format!("url of {place} (password)"));
    let query = plant.plain(&format!("url of {place} (query)"));
    format!("https://{user}:{password}@git.example/a.git?t={query}")
}

fn new(plant: &Plant) -> NewDeployment {
    NewDeployment::from_git("my-app", git_url(plant, "git"))
        .kind("web")
        .env("A", plant.wide("body.env.*"))
        // The same values go out once more, under the control plane's name.
        .env("B", plant.wide("body.envVars.*"))
        .secret("C", plant.wide("body.secrets.*"))
}

fn update(plant: &Plant) -> DeploymentUpdate {
    DeploymentUpdate::new().env("A", plant.wide("body.env.*"))
}

fn new_webhook(plant: &Plant) -> NewWebhook {
    NewWebhook::new(git_url(plant, "webhook"), ["x"]).secret(plant.wide("body.secret"))
}

/// A URL with userinfo in a reply.
pub fn url_in_reply(plant: &Plant, field: &str) -> String {
    let user = plant.plain(&format!("reply.{field}"));
    let query = plant.plain(&format!("reply.{field} (query)"));
    format!("https://x:{user}@git.example/a.git?t={query}")
}

pub fn deployment(plant: &Plant) -> Value {
    value!({ "id": "d-1", "name": "my-app", "status": "running", "remoteUrl": url_in_reply(plant, "remoteUrl"), "remote_url": url_in_reply(plant, "remoteUrl"), "env": { "A": plant.wide("reply.env.*") } })
}

pub fn service(plant: &Plant) -> Value {
    value!({ "id": "s-1", "name": "web", "remoteUrl": url_in_reply(plant, "remoteUrl"), "envVars": { "A": plant.wide("reply.envVars.*") } })
}

fn webhook(plant: &Plant) -> Value {
    value!({ "id": "w-1", "url": url_in_reply(plant, "url"), "secret": plant.wide("reply.secret"), "events": ["x"] })
}

pub fn page_json<T: Serialize>(page: &Page<T>) -> Vec<String> {
    page.items.iter().flat_map(json).collect()
}

/// Builders, clients and handles that are never sent.
fn handles(walk: &mut Walk) {
    let plant = Plant::new("dployr builders");
    let builder = Client::builder().token(plant.ascii("authorization"));
    walk.debug("builder", &builder);
    let user = plant.plain("url of the server (user)");
    let query = plant.plain("url of the server (query)");
    let builder = builder.base_url(format!("https://{user}@a.example/?q={query}"));
    walk.debug("builder", &builder);
    walk.look_at_error("build", &builder.build().unwrap_err());
    for token in ["a b", "a\nb", "ü"] {
        let token = format!("{}{token}", plant.plain("authorization (refused)"));
        walk.look_at_error(
            "build",
            &Client::new("https://a.example", token).unwrap_err(),
        );
    }
    let client = Client::new("https://a.example", plant.ascii("authorization")).unwrap();
    let other = client
        .with_token(plant.ascii("authorization (other)"))
        .unwrap();
    let service = other.service("s");
    let all: [&dyn Debug; 18] = [
        &client,
        &other,
        &service,
        &service.env(),
        &other.services(),
        &other.deployments(),
        &other.deployment("d"),
        &other.instances(),
        &other.instance("i"),
        &other.routes(),
        &other.route("r"),
        &other.projects(),
        &other.project("p"),
        &other.webhooks(),
        &new(&plant),
        &update(&plant),
        &crate::dployr_services::update(&plant),
        &other.node("n"),
    ];
    for handle in all {
        walk.debug("handle", handle);
    }
    walk.debug("new", &new_webhook(&plant));
    let image = format!("u:{}@r.example/a:1", plant.plain("url of the image"));
    walk.debug("new", &NewDeployment::from_image("my-app", image.as_str()));
    let update = ServiceUpdate::new("loop-node-1", "/health").image(image);
    walk.debug("new", &update);
    let refused = client.deployments().create(new(&plant).port(0));
    walk.debug("refused call", &refused);
    walk.look_at_error("refused", &refused.preview().unwrap_err());
    let bad = format!("no url {}", plant.plain("url of a webhook that is none"));
    let refused = client.webhooks().create(NewWebhook::new(bad, ["x"]));
    walk.look_at_error("refused", &refused.preview().unwrap_err());
}

/// Further ways to call what was called above.
async fn variants(walk: &mut Walk, spec: &Spec) {
    let _ = spec;
    let plant = Plant::new("dployr create_deployment (image)");
    let row = Row {
        connect: &connect,
        call: &|client: &Client, plant: &Plant| {
            let image = format!("u:{}@r.example/a:1", plant.plain("url of the image"));
            client
                .deployments()
                .create(NewDeployment::from_image("my-app", image))
        },
        reply: value!({ "id": "d-1" }).to_string(),
        json,
    };
    walk.run(&plant, row).await;

    // A stream hands out lines, and errors among them.
    let plant = Plant::new("dployr get_service_logs (followed)");
    let row = Row {
        connect: &connect,
        call: &|client: &Client, _: &Plant| client.service("s").follow_logs(),
        reply: String::new(),
        json: no_json,
    };
    walk.run(&plant, row).await;
    let words = plant.all_texts();
    let lines = [
        value!({ "success": false, "error": { "message": words, "code": words, "details": [words] } }).to_string(),
        value!({ "message": { "a": words } }).to_string(),
        value!({ "message": "m", "timestamp": words, "level": [words] }).to_string(),
        value!([words, { words.clone(): words }]).to_string(),
        words.clone(),
    ];
    let body = lines.join("\n");
    walk.server.answer(crate::answers::reply(
        "200 OK",
        "application/x-ndjson",
        &[],
        &body,
    ));
    let client = connect(&Target::Server(walk.server.base_url.clone()), &plant);
    let call = || {
        let followed = client
            .service("s")
            .follow_logs()
            .query("extra", &plant.wide("query.extra"));
        followed.header("x-extra", &plant.ascii("header x-extra"))
    };
    let mut stream = call().await.unwrap().without_reconnecting();
    walk.debug("stream", &stream);
    let mut errors = 0;
    while let Some(line) = stream.next().await {
        match line {
            Ok(line) => walk.debug("line", &line),
            Err(error) => {
                errors += 1;
                walk.look_at_error("a line", &error);
            }
        }
    }
    assert!(errors >= lines.len(), "{errors} errors in the stream");
    for line in lines {
        walk.server.answer(crate::answers::reply(
            "200 OK",
            "application/json",
            &[],
            &line,
        ));
        let logs = client
            .service("s")
            .logs(None)
            .query("extra", &plant.wide("query.extra"));
        let logs = logs.header("x-extra", &plant.ascii("header x-extra"));
        match logs.await {
            Ok(lines) => walk.debug("lines", &lines),
            Err(error) => walk.look_at_error("whole logs", &error),
        }
    }
}

/// An endpoint of which the spec says nothing: names decide.
async fn without_wrapper(walk: &mut Walk) {
    let plant = Plant::new("dployr without a wrapper");
    let row = Row {
        connect: &connect,
        call: &|client: &Client, plant: &Plant| {
            client.request(Method::POST, "/v1/other").json(&value!({
                "name": "my-app",
                "password": plant.wide("body.password"),
                "nested": { "apiKey": plant.wide("body.nested.apiKey"), "list": [{ "refresh_token": plant.wide("body.nested.list[].refresh_token") }] },
                "secrets": { "A": plant.wide("body.secrets.*"), "B": [plant.wide("body.secrets.*[]")] },
                "env": { "DB": plant.wide("body.env.*") },
                "envVars": { "DB": plant.wide("body.envVars.*") },
                "environment_variables": [{ "key": "A", "value": plant.wide("body.environment_variables[].value"), "is_hidden": false }],
                "variables": { "A": plant.wide("body.variables.*") },
                "dsn": plant.wide("body.dsn"),
                "passphrase": plant.wide("body.passphrase"),
                "session": plant.wide("body.session"),
                "cookie": plant.wide("body.cookie"),
                "remote": git_url(plant, "remote"),
                "hooks": [git_url(plant, "hook")],
            }))
        },
        // Whoever reads an endpoint without a wrapper gets JSON as it came.
        reply: value!({ "ok": true }).to_string(),
        json: no_json,
    };
    walk.run(&plant, row).await;
}
