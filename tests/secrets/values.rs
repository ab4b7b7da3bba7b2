//! Secrets outside the table of operations: values that are not sent, refused calls, and replies whose
//! types redact more than the spec requires.

use crate::canaries::Plant;
use crate::replies;
use crate::search::LeakSearch;
use crate::spec_replies::Success;
use deploykit::dployr::{
    self, DeploymentUpdate, NewDeployment, NewWebhook, ServiceUpdate, WebhookSetup,
};
use deploykit::edgegap::{self, SelfStop, User};
use deploykit::http::Method;
use deploykit::nexlayer::manifest::{AppSpec, Pod, RegistryLogin, SecretFile};
use deploykit::nexlayer::{self, Manifest};
use deploykit::nodion::{self, EnvVariableUpdate, NewEnvVariable};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::webhook::CallbackSecret;
use deploykit::{
    Call, Retry,
    pacing::{Pacing, RedisBudget},
};
use serde_json::json;
use std::fmt::Debug;
use std::time::Duration;

pub async fn search(search: &mut LeakSearch) {
    dployr_values(search).await;
    edgegap_values(search);
    edgegap_deploy_once(search).await;
    nexlayer_values(search).await;
    nodion_values(search);
    webhook_and_budget_values(search);
    request_without_spec(search).await;
    search.search_log();
}

impl LeakSearch {
    /// Searches the `Debug` output of all values.
    fn search_all_debug(&mut self, values: &[&dyn Debug]) {
        for value in values {
            self.search_debug("value", value);
        }
    }

    /// Searches a call that is refused before anything is sent, and its error.
    fn search_refused_call<T: Send + 'static>(&mut self, call: Call<T>) {
        self.search_debug("refused call", &call);
        self.search_error("refused", &call.preview().map(|_| ()).unwrap_err());
    }
}

/// A URL with a secret in user, password and query.
fn secret_url(plant: &Plant) -> String {
    let [user, password, query] = ["user", "password", "query"].map(|part| plant.plain(part));
    format!("https://{user}:{password}@git.example/a.git?t={query}")
}

async fn dployr_values(search: &mut LeakSearch) {
    let plant = Plant::new("dployr values");
    let url = secret_url(&plant);
    let token = plant.ascii("authorization");
    let builder = dployr::Client::builder().token(token.as_str());
    search.search_debug("builder", &builder);
    let builder = builder.base_url(&url);
    search.search_debug("builder", &builder);
    search.search_error("build", &builder.build().unwrap_err());
    for bad in ["a b", "a\nb", "ü"] {
        let token = format!("{}{bad}", plant.plain("refused token"));
        let refused = dployr::Client::new("https://a.example", token);
        search.search_error("build", &refused.unwrap_err());
    }
    let client = dployr::Client::new("https://a.example", token).unwrap();
    let other = client.with_token(plant.ascii("other token")).unwrap();
    let signed_in = client.with_session(plant.ascii("cookie")).unwrap();
    let new = NewDeployment::from_git("my-app", url.as_str())
        .env("A", plant.wide("variable"))
        .secret("B", plant.wide("secret"));
    let update = ServiceUpdate::new("loop-node-1")
        .replace_env([("A", plant.wide("variable"))])
        .replace_secrets([("B", plant.wide("secret"))], [])
        .git_url(url.as_str());
    let webhook = NewWebhook::new(url.as_str(), ["x"]).secret(plant.wide("secret"));
    search.search_all_debug(&[
        &client,
        &other,
        &signed_in,
        &other.service("s").env_variables(),
        &other.deployment("d"),
        &signed_in.api_tokens(),
        &new,
        &DeploymentUpdate::new().env("A", plant.wide("variable")),
        &update,
        &webhook,
        &WebhookSetup::new(url.as_str(), ["x"]),
    ]);
    let bad_cookie = format!("{};x", plant.plain("refused cookie"));
    search.search_error("refused", &client.with_session(bad_cookie).unwrap_err());
    search.search_refused_call(client.deploy(new.port(0)));
    let no_url = format!("no url {}", plant.plain("text that is not a URL"));
    let webhook = NewWebhook::new(no_url.as_str(), ["x"]);
    search.search_refused_call(client.webhooks().create(webhook));
    let setup = WebhookSetup::new(no_url, ["x"]);
    search.search_refused_call(signed_in.webhooks().set_up(setup));
    // A login by e-mail: the address and the code are secret.
    let recorder = Recorder::new();
    recorder.answer_with(|_| CannedReply::json(200, "{}"));
    let builder = dployr::Client::builder().base_url("https://a.example");
    let client = builder.recorder(&recorder).build().unwrap();
    let sent = client.login_by_email(plant.email("email")).await.unwrap();
    let verify = || sent.verify(plant.wide("code"));
    search.search_all_debug(&[&sent, &verify()]);
    search.search_preview("preview", &verify().preview().unwrap());
    search.search_error("no cookie", &verify().await.unwrap_err());
    // A session cookie in a reply.
    let cookie = format!("session={}; path=/", plant.plain("reply cookie"));
    recorder
        .answer_with(move |_| CannedReply::json(200, "{}").header("set-cookie", cookie.clone()));
    let response = sent
        .verify(plant.wide("code"))
        .with_response()
        .await
        .unwrap();
    search.search_all_debug(&[&response, &response.headers.as_map()]);
}

fn edgegap_values(search: &mut LeakSearch) {
    let plant = Plant::new("edgegap values");
    let token = plant.ascii("authorization");
    let builder = edgegap::Client::builder().token(token.as_str());
    let client = edgegap::Client::new(token.as_str()).unwrap();
    let new = edgegap::NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into()))
        .hidden_env("A", plant.wide("variable"))
        .webhook_on_ready(secret_url(&plant))
        .webhook_on_error(secret_url(&plant))
        .webhook_on_terminated(secret_url(&plant));
    search.search_all_debug(&[&builder, &client, &new, &new.clone().on_host("h-1")]);
    let no_url = format!("no url {}", plant.plain("text that is not a URL"));
    search.search_refused_call(client.deploy(new.webhook_on_error(no_url)));
    let key = plant.plain("key of a container");
    let url = format!("https://a.example/v1/self/stop/9f511e17/{key}");
    let own = SelfStop::new(url.as_str(), token.as_str()).unwrap();
    search.search_all_debug(&[&own, &own.stop()]);
    let refused = SelfStop::new(format!("{url}/more"), token);
    search.search_error("refused", &refused.unwrap_err());
}

/// A call with a lookup before its create.
async fn edgegap_deploy_once(search: &mut LeakSearch) {
    let plant = Plant::new("edgegap deploy_once");
    let recorder = Recorder::new();
    let builder = edgegap::Client::builder().token(plant.ascii("authorization"));
    let client = builder.recorder(&recorder).build().unwrap();
    let call = || {
        let new = edgegap::NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into()))
            .hidden_env("A", plant.wide("variable"))
            .webhook_on_ready(secret_url(&plant));
        let call = client.deploy_once("match-1", new);
        let call = call.body_field(
            "added",
            json!({ "list": [plant.wide("body.added.list[]")] }),
        );
        // Too short for a second lookup.
        call.deadline(Duration::from_secs(1))
    };
    search.search_debug("deploy_once", &call());
    search.search_preview("deploy_once", &call().preview().unwrap());
    for status in [200, 400, 401, 422, 429, 500] {
        let failure = CannedReply::json(status, replies::in_json(&plant.sent()));
        recorder.answer_with(move |request| match request.method.as_str() {
            "POST" => failure.clone(),
            _ => CannedReply::json(200, r#"{"data":[]}"#),
        });
        let created = call().await;
        match &created {
            Ok(deployed) => assert_eq!(status, 200, "{deployed:?}"),
            Err(error) => search.search_error(&format!("deploy_once {status}"), error),
        }
    }
    search.search_debug("recorder", &recorder);
    search.findings.search("recorder", &recorder.to_string());
    let requests = recorder.requests();
    let creates = requests.iter().filter(|request| request.method == "POST");
    assert_eq!(creates.count(), 6);
    for request in &requests {
        search.search_preview("deploy_once", request);
    }
}

async fn nexlayer_values(search: &mut LeakSearch) {
    let plant = Plant::new("nexlayer values");
    let builder = nexlayer::Client::builder().token(plant.ascii("authorization"));
    search.search_debug("builder", &builder);
    let client = builder.build().unwrap();
    let session = client.session(plant.wide("session"));
    let login = RegistryLogin::new("r.example", "u", plant.wide("registry token"));
    let pod = Pod::new("web", "nginx:1").path("/").port(80);
    let file = SecretFile::new("key", "key.pem", plant.wide("secret file"));
    let file = file.mount_path("/var/secrets/key");
    let pod = pod
        .var("A", plant.wide("variable"))
        .entrypoint(plant.wide("entrypoint"))
        .command(plant.wide("command"))
        .secret(file.clone());
    search.search_all_debug(&[&login, &file, &pod]);
    let spec = AppSpec::new("my-app").pod(pod);
    let manifest = spec.manifest().unwrap();
    search.search_all_debug(&[
        &spec,
        &manifest,
        &manifest.spec().unwrap(),
        &manifest.lint(),
    ]);
    search.search_all_debug(&[
        &client,
        &session,
        &session.application("a"),
        session.token().unwrap(),
    ]);
    let list = || {
        session
            .reservations()
            .list()
            .query("q", &plant.wide("query"))
    };
    search.search_all_debug(&[&list().stream()]);
    let query = plant.plain("query of a site");
    let site = format!("https://a.example/x?t={query}#{query}");
    let application = session.application("a").site_url(site);
    search.search_all_debug(&[
        &application,
        &application.wait(),
        &application.check_readiness(),
    ]);
    let user = plant.plain("user of a site");
    let refused = session
        .application("a")
        .site_url(format!("https://u:{user}@a.example"));
    search.search_refused_call(refused.check_readiness());
    let token = plant.plain("session in a site");
    let refused = client.session(token.as_str()).application("a");
    search.search_refused_call(
        refused
            .site_url(format!("https://a.example/{token}"))
            .check_readiness(),
    );
    let refused = client.session(format!("{}\n", plant.plain("refused session")));
    search.search_debug("refused session", &refused);
    search.search_error("refused", &refused.token().unwrap_err());
    for text in [
        format!("token: [{}", plant.wide("text that is not YAML")),
        format!(
            "application: {{name: [{}]}}",
            plant.plain("manifest without a name")
        ),
    ] {
        search.search_error("refused", &Manifest::parse(text).unwrap_err());
    }

    // Messages for people that contain a token.
    let wide = |place: &str| plant.wide(&format!("reply.{place}"));
    let started = json!({
        "message": format!("Your token is {}", wide("message")),
        "info": format!("curl -d {}", wide("info")),
        "url": "https://jolly-tapir-a.alpha.nexlayer.ai",
        "sessionToken": wide("sessionToken"),
        "applicationName": "a",
        "status": { "state": "deploying", "progress": 0 },
        "extend": { "available": true, "message": format!("curl -d {}", wide("extend")) },
        "claim": { "claimed": false, "claimToken": wide("claimToken"), "message": format!("curl -d {}", wide("claim")) },
    });
    let url = format!(
        "https://app.nexlayer.io/claim/{}",
        plant.plain("reply.claimUrl")
    );
    let claim = json!({ "claimUrl": url, "claimToken": wide("claimToken"), "message": format!("Visit {url}") });
    let recorder = Recorder::new();
    let builder = nexlayer::Client::builder().recorder(&recorder);
    let client = builder.build().unwrap();
    recorder.answer_with(move |_| CannedReply::json(200, started.to_string()));
    let deployed = client.deploy(manifest).await.unwrap();
    search.search_all_debug(&[&deployed, &deployed.session(), &deployed.application()]);
    recorder.answer_with(move |_| CannedReply::json(200, claim.to_string()));
    let claim = deployed.application().claim().await.unwrap();
    search.search_debug("claim", &claim);
}

fn nodion_values(search: &mut LeakSearch) {
    let plant = Plant::new("nodion values");
    let token = plant.ascii("authorization");
    let client = nodion::Client::new(token.as_str()).unwrap();
    let new = NewEnvVariable::new("K", plant.wide("variable"));
    let update = EnvVariableUpdate::new().value(plant.wide("variable"));
    let builder = nodion::Client::builder().token(token);
    search.search_all_debug(&[
        &builder,
        &client,
        &client.application("a-1").env_variables(),
        &new,
        &update,
    ]);
    let wrong = NewEnvVariable::new("A=B", plant.wide("variable"));
    search.search_refused_call(client.application("a-1").env_variables().create(wrong));
}

fn webhook_and_budget_values(search: &mut LeakSearch) {
    let plant = Plant::new("webhook and budget values");
    let secret = CallbackSecret::new(plant.ascii("callback secret")).unwrap();
    let url = secret.attach("https://a.example/hook").unwrap();
    search.search_all_debug(&[&secret, &url]);
    search
        .findings
        .search("callback URL (Display)", &url.to_string());
    search.search_error("wrong", &secret.verify("/hook").unwrap_err());
    for refused in [
        plant.plain("short secret"),
        plant.wide("secret with a space"),
    ] {
        search.search_error("refused", &CallbackSecret::new(refused).unwrap_err());
    }
    let attached = secret.attach(&secret_url(&plant));
    search.search_error("refused", &attached.unwrap_err());
    let [user, password] = ["redis user", "redis password"].map(|part| plant.plain(part));
    let url = format!("redis://{user}:{password}@127.0.0.1:1/0");
    search.search_debug("budget", &RedisBudget::new(url.as_str(), "a").unwrap());
    for (url, account) in [(url.as_str(), ""), (&url.replace("redis", "http"), "a")] {
        search.search_error("refused", &RedisBudget::new(url, account).unwrap_err());
    }
}

/// An endpoint that is not in the spec: every value is secret.
async fn request_without_spec(search: &mut LeakSearch) {
    let plant = Plant::new("dployr without a spec entry");
    let builder = dployr::Client::builder().base_url(&search.server.base_url);
    let builder = builder.retry(Retry::off()).pacing(Pacing::off());
    let client = builder.token(plant.ascii("authorization")).build().unwrap();
    let call = || {
        let request = client.request(Method::POST, "/v1/other").json(&json!({
            "name": plant.wide("body.name"),
            "nested": { "list": [{ "a": plant.wide("body.nested.list[].a") }, plant.wide("body.nested.list[]")] },
        }));
        let request = request.body_field("added", json!({ "a": plant.wide("body.added.a") }));
        request.query("q", &plant.wide("query.q"))
    };
    search.search_preview("preview", &call().preview().unwrap());
    for reply in replies::all(&[Success::json("{}")], &plant.sent()) {
        search.server.answer(reply.answer);
        if let Err(error) = call().await {
            search.search_error(&reply.name, &error);
        }
    }
    search.take_requests(&plant);
}
