//! Nexlayer's operations, with a canary in every secret place.

use crate::planted::Plant;
use crate::specs::Spec;
use crate::walk::{Row, Target, Walk, json, no_json};
use deploykit::nexlayer::manifest::{AppSpec, Pod, RegistryLogin};
use deploykit::nexlayer::{Client, Manifest, Session};
use deploykit::{Call, OPERATIONS, Operation};
use serde_json::{Value, json as value};
use std::fmt::Debug;

fn connect(target: &Target, plant: &Plant) -> Client {
    let builder = target.apply(Client::builder());
    builder.token(plant.ascii("authorization")).build().unwrap()
}

pub async fn walk(walk: &mut Walk) {
    let spec = Spec::read("nexlayer");
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.api == "nexlayer")
    {
        let plant = Plant::new(format!("nexlayer {}", operation.id));
        one(walk, &spec, operation, &plant).await;
    }
    handles(walk);
    first_start(walk).await;
}

async fn with<T: Debug + Send + 'static>(
    walk: &mut Walk,
    (spec, operation, plant): (&Spec, &'static Operation, &Plant),
    reply: Option<Value>,
    json: fn(&T) -> Vec<String>,
    call: impl Fn(&Client, &Plant) -> Call<T>,
) {
    let reply = reply
        .or_else(|| spec.example(operation))
        .unwrap_or_default();
    let row = Row {
        connect: &connect,
        call: &call,
        reply: reply.to_string(),
        json,
    };
    walk.operation(spec, operation, plant, row).await;
}

async fn one(walk: &mut Walk, spec: &Spec, operation: &'static Operation, plant: &Plant) {
    let of = (spec, operation, plant);
    let in_body = |client: &Client, plant: &Plant| {
        client
            .session(plant.wide("body.sessionToken"))
            .application("a")
    };
    match operation.id {
        "start_user_deployment" => {
            with(walk, of, Some(started(plant)), no_json, |client, plant| {
                in_query(client, plant).start(manifest(plant))
            })
            .await;
        }
        "update_user_deployment" => {
            with(walk, of, Some(started(plant)), no_json, |client, plant| {
                in_query(client, plant).update(manifest(plant))
            })
            .await;
        }
        "extend_deployment" => {
            with(walk, of, None, no_json, |client, plant| {
                in_body(client, plant).extend()
            })
            .await
        }
        "claim_deployment" => {
            let token = plant.plain("reply.claimToken");
            let in_url = plant.plain("reply.claimUrl");
            let reply = value!({ "claimUrl": format!("https://app.nexlayer.io/claim/{in_url}"), "claimToken": token, "message": format!("Visit https://app.nexlayer.io/claim/{in_url}") });
            with(walk, of, Some(reply), claim_texts, |client, plant| {
                in_body(client, plant).claim()
            })
            .await;
        }
        "get_reservations" => {
            let reservation = started(plant);
            let reply = value!({ "reservedDeployments": [reservation] });
            with(walk, of, Some(reply), json, |client, plant| {
                in_query(client, plant).reservations()
            })
            .await;
        }
        "add_deployment_reservation" => {
            with(
                walk,
                of,
                Some(value!({ "message": "Done." })),
                no_json,
                |client, plant| in_body(client, plant).reserve(),
            )
            .await
        }
        "remove_deployment_reservation" => {
            with(walk, of, None, no_json, |client, plant| {
                in_body(client, plant).unreserve()
            })
            .await
        }
        "remove_reservations" => {
            with(walk, of, None, no_json, |client, plant| {
                client
                    .session(plant.wide("body.sessionToken"))
                    .remove_reservations()
            })
            .await;
        }
        "get_pods_status" => {
            with(walk, of, None, json, |client, plant| {
                in_body(client, plant).pods()
            })
            .await;
        }
        "validate_manifest" => {
            with(walk, of, None, no_json, |client, plant| {
                client.validate(&document(plant))
            })
            .await;
        }
        "get_schema" => with(walk, of, None, json, |client, _| client.schema()).await,
        "send_feedback" => {
            with(walk, of, None, json, |client, plant| {
                let session = client.session(plant.wide("body.sessionID"));
                session.feedback("Works as it should.")
            })
            .await;
        }
        other => panic!("the canaries have no row for nexlayer {other}"),
    }
}

fn in_query(client: &Client, plant: &Plant) -> Session {
    client.session(plant.wide("query.sessionToken"))
}

fn claim_texts(claim: &deploykit::nexlayer::Claim) -> Vec<String> {
    claim.url.iter().map(ToString::to_string).collect()
}

fn started(plant: &Plant) -> Value {
    value!({
        "message": format!("Your token is {}", plant.wide("reply.message")),
        "info": format!("curl -d {}", plant.wide("reply.info")),
        "url": "https://jolly-tapir-a.alpha.nexlayer.ai",
        "sessionToken": plant.wide("reply.sessionToken"),
        "applicationName": "a",
        "status": { "state": "deploying", "progress": 0 },
        "extend": { "available": true, "message": format!("curl -d {}", plant.wide("reply.extend.message")) },
        "claim": { "claimed": false, "claimToken": plant.wide("reply.claimToken"), "message": format!("curl -d {}", plant.wide("reply.claim.message")) }
    })
}

/// A manifest with a secret in every place that a person would put one.
fn manifest(plant: &Plant) -> Manifest {
    let secret = |place: &str| Value::String(plant.wide(&format!("manifest {place}"))).to_string();
    let in_url = |place: &str| plant.plain(&format!("manifest url of {place}"));
    let text = format!(
        "# copied from {comment}\napplication:\n  name: a\n  registryLogin:\n    registry: r.example\n    username: me\n    personalAccessToken: {token}\n  pods:\n  - name: db\n    image: \"u:{image}@r.example/a:1\"\n    command: {command}\n    entrypoint: [redis-server, --requirepass, {argument}]\n    vars:\n      POSTGRES_PASSWORD: {password}\n      API_KEY: {key}\n      DATABASE_URL: postgresql://u:{url}@db.pod:5432/x\n      HOOK: https://a.example/h?x={query}\n      PLAIN: {plain}\n    secrets:\n    - name: s\n      data: {data}\n      mountPath: /s\n    - name: lines\n      data: |\n        {block}\n        second\n      mountPath: /t\n  - name: web\n    vars:\n    - key: JWT_SECRET\n      value: {pair}\n",
        comment = plant.wide("manifest registryLogin.personalAccessToken"),
        token = secret("registryLogin.personalAccessToken"),
        image = in_url("image"),
        command = Value::String(format!(
            "redis-server --requirepass {}",
            plant.plain("manifest command")
        )),
        argument = secret("entrypoint"),
        password = secret("vars.POSTGRES_PASSWORD"),
        key = secret("vars.API_KEY"),
        url = in_url("vars.DATABASE_URL"),
        query = in_url("vars.HOOK"),
        plain = Value::String(plant.shown(
            "manifest vars.PLAIN",
            "a variable with a harmless name, as the documentation of Manifest says"
        )),
        data = secret("secrets[].data"),
        block = plant.plain("manifest secrets[].data (block)"),
        pair = secret("vars[].value"),
    );
    Manifest::parse(text).unwrap()
}

/// The same as it is sent in JSON, where the whole body is one secret place to the spec.
fn document(plant: &Plant) -> Manifest {
    let secret = Value::String(plant.wide("body.<manifest>"));
    let text = manifest(plant).as_str().to_owned();
    Manifest::parse(format!("{text}api_token: {secret}\n")).unwrap()
}

/// Handles and values that are never sent.
fn handles(walk: &mut Walk) {
    let plant = Plant::new("nexlayer builders");
    let builder = Client::builder().token(plant.ascii("authorization"));
    walk.debug("builder", &builder);
    let client = builder.build().unwrap();
    let session = client.session(plant.wide("session"));
    let login = RegistryLogin::new("r.example", "u", plant.wide("registry token"));
    let pod = Pod::new("web", "nginx:1").path("/").port(80);
    let pod = pod.var("A", plant.wide("variable"));
    walk.debug("login", &login);
    walk.debug("pod", &pod);
    let spec = AppSpec::new("my-app").pod(pod);
    walk.debug("manifest as values", &spec);
    walk.debug("manifest in code", &spec.manifest().unwrap());
    walk.debug("client", &client);
    walk.debug("session", &session);
    walk.debug("application", &session.application("a"));
    let list = || session.reservations().query("q", &plant.wide("query"));
    let stream = list().stream();
    walk.debug("stream", &stream);
    walk.debug("all", &list().all());
    walk.debug("pages", &list().pages());
    let query = plant.plain("site query");
    let site = format!("https://a.example/x?t={query}#{query}");
    let application = session.application("a").at(site);
    walk.debug("application at", &application);
    walk.debug("wait", &application.wait());
    walk.debug("readiness", &application.readiness());
    let user = plant.plain("site user");
    let refused = session
        .application("a")
        .at(format!("https://u:{user}@a.example"));
    walk.debug("application at (refused)", &refused);
    walk.look_at_error("site", &refused.readiness().preview().unwrap_err());
    let token = plant.plain("session in a site");
    let refused = client.session(token.as_str()).application("a");
    let refused = refused.at(format!("https://a.example/{token}"));
    walk.debug("application at its token", &refused);
    walk.look_at_error("token in site", &refused.readiness().preview().unwrap_err());
    walk.debug("manifest", &manifest(&plant));
    walk.debug("what the manifest says", &manifest(&plant).spec().unwrap());
    walk.debug("what is said about the manifest", &manifest(&plant).lint());
    walk.debug("token", session.token().unwrap());
    let refused = client.session(format!("{}\n", plant.plain("session (refused)")));
    walk.debug("refused session", &refused);
    walk.look_at_error("refused", &refused.token().unwrap_err());
    let error = Manifest::parse(format!(
        "token: [{}",
        plant.wide("manifest that is not YAML")
    ))
    .unwrap_err();
    walk.look_at_error("no YAML", &error);
    let error = Manifest::parse(format!(
        "application: {{name: [{}]}}",
        plant.plain("manifest without a name")
    ))
    .unwrap_err();
    walk.look_at_error("no name", &error);
}

/// A start without a session, and what comes of it.
async fn first_start(walk: &mut Walk) {
    let plant = Plant::new("nexlayer start_user_deployment (first)");
    let row = Row {
        connect: &connect,
        call: &|client: &Client, plant: &Plant| client.start(manifest(plant)),
        reply: started(&plant).to_string(),
        json: |started: &deploykit::nexlayer::Started| {
            let application = started.application();
            vec![format!("{application:?} {:#?}", started.session())]
        },
    };
    walk.run(&plant, row).await;
}
