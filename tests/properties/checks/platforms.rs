//! Every operation, called as a program would call it, with a secret in each place for one.

use super::{NUMBER, PASSWORD, QUERY, SESSION, TOKEN, USER, VALUE};
use deploykit::dployr::{self, DeploymentUpdate, NewProject, NewRoute, NewWebhook};
use deploykit::edgegap::{self, SelfStop, StopFilter, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::nodion::{
    self, Branch, EnvVariableUpdate, LogWindow, NewApplication, NewEnvVariable, Scaling,
};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Call, OPERATIONS, Operation, RequestPreview, Result};
use std::cell::RefCell;
use std::fmt::Debug;

/// Where nobody listens. To loopback, so that no client sets up what it needs for TLS.
pub const NOWHERE: &str = "http://127.0.0.1:9";
const MANIFEST: &str =
    "application:\n  name: a\n  registryLogin:\n    personalAccessToken: canary-value ü 77\n";
/// A recorder keeps all requests, so it is replaced from time to time.
const CALLS_OF_A_RECORDER: usize = 200;

/// A client of each platform, on one recorder.
pub struct Platforms {
    pub recorder: Recorder,
    pub dployr: dployr::Client,
    pub edgegap: edgegap::Client,
    pub nexlayer: nexlayer::Client,
    pub nodion: nodion::Client,
    calls: usize,
}

impl Platforms {
    fn new() -> Self {
        let recorder = Recorder::new();
        let dployr = dployr::Client::builder()
            .base_url(NOWHERE)
            .token(TOKEN)
            .cluster("c-1")
            .without_fallbacks();
        let edgegap = edgegap::Client::builder().base_url(NOWHERE).token(TOKEN);
        let nexlayer = nexlayer::Client::builder().base_url(NOWHERE).token(TOKEN);
        let nodion = nodion::Client::builder().base_url(NOWHERE).token(TOKEN);
        Self {
            dployr: dployr.recorder(&recorder).build().unwrap(),
            edgegap: edgegap.recorder(&recorder).build().unwrap(),
            nexlayer: nexlayer.recorder(&recorder).build().unwrap(),
            nodion: nodion.recorder(&recorder).build().unwrap(),
            recorder,
            calls: 0,
        }
    }

    /// Answers everything with this reply from now on.
    pub fn answer(&self, reply: CannedReply) {
        self.recorder.answer_with(move |_| reply.clone());
    }

    /// Calls an operation; its value as `Debug` shows it.
    pub async fn call(&self, operation: &Operation, id: &str, follow: bool) -> Result<String> {
        if follow && operation.id == "get_service_logs" {
            return follow_to_the_end(self.dployr.service(id).follow_logs()).await;
        }
        self.with(operation, id, Awaited).await
    }

    /// The request of an operation.
    pub fn preview(&self, operation: &Operation, id: &str) -> Result<RequestPreview> {
        super::block_on(self.with(operation, id, Previewed))
    }

    async fn with<U: Use>(&self, operation: &Operation, id: &str, to: U) -> Result<U::Output> {
        match operation.api {
            "dployr" => self.dployr(operation.id, id, to).await,
            "edgegap" => self.edgegap(operation.id, id, to).await,
            "nexlayer" => self.nexlayer(operation.id, id, to).await,
            "nodion" => self.nodion(operation.id, id, to).await,
            other => panic!("{other} is not called"),
        }
    }

    async fn nodion<U: Use>(&self, operation: &str, id: &str, to: U) -> Result<U::Output> {
        let client = &self.nodion;
        let application = client.application(id);
        let branch = Branch::new("i", "r", "b");
        match operation {
            "list_deployments" => to.run(application.deployments()).await,
            "create_deployment" => to.run(application.deploy()).await,
            "list_applications" => to.run(client.applications().list()).await,
            "create_application" => {
                let new = NewApplication::from_git("a", "r", "t", branch);
                to.run(client.applications().create(new)).await
            }
            "get_application" => to.run(application.get()).await,
            "update_application" => to.run(application.set_branch(branch)).await,
            "delete_application" => to.run(application.delete()).await,
            "list_instances" => to.run(application.instances()).await,
            "list_processes" => to.run(application.processes()).await,
            "scale_process" => to.run(application.process(id).scale(1)).await,
            "list_scaling_events" => to.run(application.scaling_events()).await,
            "create_scaling_event" => to.run(application.scale(Scaling::to(1, "t"))).await,
            "list_logs" => to.run(application.logs(LogWindow::new())).await,
            "list_env_variables" => to.run(application.env().list()).await,
            "create_env_variable" => {
                let new = NewEnvVariable::new("A", VALUE);
                to.run(application.env().add(new)).await
            }
            "get_env_variable" => to.run(application.env_variable(id).get()).await,
            "update_env_variable" => {
                let update = EnvVariableUpdate::new().value(VALUE);
                to.run(application.env_variable(id).update(update)).await
            }
            "delete_env_variable" => to.run(application.env_variable(id).delete()).await,
            "list_domains" => to.run(application.domains().list()).await,
            "create_domain" => to.run(application.domains().add("a.example")).await,
            "verify_domain" => to.run(application.domain(id).verify()).await,
            "connect_domain" => to.run(application.domain(id).connect()).await,
            "delete_domain" => to.run(application.domain(id).delete()).await,
            "list_regions" => to.run(client.regions()).await,
            "list_instance_types" => to.run(client.instance_types()).await,
            other => panic!("{other} is not called"),
        }
    }

    async fn nexlayer<U: Use>(&self, operation: &str, id: &str, to: U) -> Result<U::Output> {
        let session = self.nexlayer.session(SESSION);
        let application = session.application(id);
        let manifest = Manifest::parse(MANIFEST).unwrap();
        match operation {
            "start_user_deployment" => to.run(session.start(manifest)).await,
            "update_user_deployment" => to.run(session.update(manifest)).await,
            "extend_deployment" => to.run(application.extend()).await,
            "claim_deployment" => to.run(application.claim()).await,
            "get_reservations" => to.run(session.reservations()).await,
            "add_deployment_reservation" => to.run(application.reserve()).await,
            "remove_deployment_reservation" => to.run(application.unreserve()).await,
            "remove_reservations" => to.run(session.remove_reservations()).await,
            "get_pods_status" => to.run(application.pods()).await,
            "validate_manifest" => to.run(self.nexlayer.validate(&manifest)).await,
            "get_schema" => to.run(self.nexlayer.schema()).await,
            "send_feedback" => to.run(session.feedback("a")).await,
            other => panic!("{other} is not called"),
        }
    }

    async fn edgegap<U: Use>(&self, operation: &str, id: &str, to: U) -> Result<U::Output> {
        let server = self.edgegap.deployment(id);
        let new = edgegap::NewDeployment::new("a", "1", User::ip([75, 28, 35, 192].into()))
            .hidden_env("A", VALUE)
            .hidden_env("B", NUMBER)
            .webhook_on_ready(format!("https://a.example/?q={QUERY}"));
        match operation {
            "create_deployment" => to.run(self.edgegap.deploy(new)).await,
            "create_fleet_deployment" => {
                to.run(self.edgegap.deploy_to_fleet(new.on_host("h"))).await
            }
            "list_deployments" => {
                let list = self.edgegap.deployments().tagged("a").newest_first();
                to.run(list.list()).await
            }
            "get_deployment" => to.run(server.status()).await,
            "stop_deployment" => to.run(server.stop()).await,
            "get_container_logs" => to.run(server.logs()).await,
            "get_deployment_metrics" => to.run(server.metrics().get()).await,
            "stop_deployments" => {
                let filter = StopFilter::any_tag(["a"]);
                to.run(self.edgegap.stop_matching(filter)).await
            }
            "list_deployment_tags" => to.run(server.tags().list()).await,
            "add_deployment_tag" => to.run(server.tags().add("a")).await,
            "get_deployment_tag" => to.run(server.tags().get(id)).await,
            "rename_deployment_tag" => to.run(server.tags().rename(id, "a")).await,
            "delete_deployment_tag" => to.run(server.tags().delete(id)).await,
            "list_locations" => to.run(self.edgegap.locations().list()).await,
            "list_applications" => to.run(self.edgegap.applications().list()).await,
            "list_versions" => {
                let versions = self.edgegap.application(id).versions();
                to.run(versions.list()).await
            }
            "list_fleet_hosts" => to.run(self.edgegap.fleet(id).hosts()).await,
            "stop_own_deployment" => {
                let builder = edgegap::Client::builder().recorder(&self.recorder);
                let url = format!("{NOWHERE}/v1/self/stop/an-id/{SESSION}");
                let own = SelfStop::with_builder(builder, url, TOKEN).unwrap();
                to.run(own.stop()).await
            }
            other => panic!("{other} is not called"),
        }
    }

    async fn dployr<U: Use>(&self, operation: &str, id: &str, to: U) -> Result<U::Output> {
        let client = &self.dployr;
        let service = client.service(id);
        match operation {
            "login" => to.run(client.login("a@b.example", PASSWORD)).await,
            "create_deployment" => {
                let url = format!("https://{USER}@git.example/a.git");
                let new = dployr::NewDeployment::from_git("my-app", url)
                    .kind("web")
                    .env("A", VALUE)
                    .secret("B", NUMBER);
                to.run(client.deployments().create(new)).await
            }
            "list_deployments" => to.run(client.deployments().list()).await,
            "get_deployment" => to.run(client.deployment(id).get()).await,
            "update_deployment" => {
                let update = DeploymentUpdate::new().env("A", VALUE).env("B", NUMBER);
                to.run(client.deployment(id).update(update)).await
            }
            "delete_deployment" => to.run(client.deployment(id).delete()).await,
            "list_services" => to.run(client.services().list()).await,
            "get_service" => to.run(service.get()).await,
            "update_service" => {
                let url = format!("https://{USER}@git.example/a.git");
                let update = dployr::ServiceUpdate::new("node-1", "/health")
                    .env([("A", VALUE)])
                    .secrets([("B", NUMBER)], ["C"])
                    .remote_url(url);
                to.run(service.update(update)).await
            }
            "delete_service" => to.run(service.delete()).await,
            "get_service_envs" => to.run(service.env().map()).await,
            "list_service_secrets" => to.run(service.secrets()).await,
            "get_service_metrics" => to.run(client.services().metrics(id)).await,
            "get_logs" => to.run(client.logs(dployr::LogQuery::new())).await,
            "create_instance" => {
                let new = dployr::NewInstance::new([127, 0, 0, 77].into(), "node-2");
                to.run(client.instances().create(new)).await
            }
            "delete_instance" => to.run(client.instance(id).delete()).await,
            "ping_instance" => to.run(client.node(id).ping()).await,
            "reboot_instance" => to.run(client.node(id).reboot(true)).await,
            "restart_instance" => to.run(client.node(id).restart(true)).await,
            "get_service_status" => to.run(service.status()).await,
            "start_service" => to.run(service.start()).await,
            "stop_service" => to.run(service.stop()).await,
            "restart_service" => to.run(service.restart()).await,
            "get_service_logs" => to.run(service.logs(Some(3))).await,
            "list_service_env" => to.run(service.env().list()).await,
            "set_service_env" => to.run(service.env().set("A", VALUE)).await,
            "delete_service_env" => to.run(service.env().remove(id)).await,
            "list_instances" => to.run(client.instances().list()).await,
            "get_instance" => to.run(client.instance(id).get()).await,
            "get_instance_metrics" => to.run(client.instance(id).metrics()).await,
            "list_routes" => to.run(client.routes().list()).await,
            "create_route" => {
                let new = NewRoute::new("example.com", "s", 80);
                to.run(client.routes().create(new)).await
            }
            "delete_route" => to.run(client.route(id).delete()).await,
            "list_projects" => to.run(client.projects().list()).await,
            "create_project" => to.run(client.projects().create(NewProject::new("p"))).await,
            "delete_project" => to.run(client.project(id).delete()).await,
            "create_webhook" => {
                let url = format!("https://{USER}@a.example/?q={QUERY}");
                let new = NewWebhook::new(url, ["x"]).secret(VALUE);
                to.run(client.webhooks().create(new)).await
            }
            "list_webhooks" => to.run(client.webhooks().list()).await,
            other => self.dployr_account(other, id, to).await,
        }
    }
}

/// What is done with a call.
pub trait Use {
    type Output;
    async fn run<T: Debug + Send + 'static>(self, call: Call<T>) -> Result<Self::Output>;
}

struct Awaited;

impl Use for Awaited {
    type Output = String;

    async fn run<T: Debug + Send + 'static>(self, call: Call<T>) -> Result<String> {
        let response = call.with_response().await?;
        // Stopped already, or a manifest that is not valid: what was wanted.
        let success =
            (200..300).contains(&response.status) || [400, 410, 422].contains(&response.status);
        assert!(success, "{}", response.status);
        Ok(format!("{response:?}"))
    }
}

struct Previewed;

impl Use for Previewed {
    type Output = RequestPreview;

    async fn run<T: Debug + Send + 'static>(self, call: Call<T>) -> Result<RequestPreview> {
        call.preview()
    }
}

async fn follow_to_the_end(call: Call<dployr::LogStream>) -> Result<String> {
    let mut stream = call.await?;
    let mut text = String::new();
    while let Some(line) = stream.next().await {
        match line {
            Ok(line) => text.push_str(&format!("{line:?}")),
            Err(error) => return Err(error),
        }
    }
    Ok(text)
}

/// The secrets in the request of an operation, as it is called here.
pub fn secrets_of(operation: &Operation) -> &'static [&'static str] {
    match (operation.api, operation.id) {
        ("dployr", "login" | "verify_login_code") => &[PASSWORD],
        ("dployr", "exchange_identity_token") => &[VALUE],
        ("dployr", "request_login_code" | "get_health" | "list_versions" | "get_domain_status") => {
            &[]
        }
        ("dployr", "logout" | "create_api_token" | "list_api_tokens" | "delete_api_token") => {
            &[SESSION]
        }
        ("dployr", "set_up_webhook") => &[TOKEN, USER, QUERY],
        ("dployr", "create_deployment") => &[TOKEN, USER, VALUE, NUMBER],
        ("dployr", "update_deployment") => &[TOKEN, VALUE, NUMBER],
        ("dployr", "set_service_env") => &[TOKEN, VALUE],
        ("dployr", "create_webhook") => &[TOKEN, USER, QUERY, VALUE],
        ("nexlayer", "start_user_deployment" | "update_user_deployment") => {
            &[TOKEN, SESSION, VALUE]
        }
        ("nexlayer", "validate_manifest") => &[TOKEN, VALUE],
        ("nexlayer", "get_schema") => &[TOKEN],
        ("nexlayer", _) => &[TOKEN, SESSION],
        ("nodion", "create_env_variable" | "update_env_variable") => &[TOKEN, VALUE],
        ("edgegap", "create_deployment" | "create_fleet_deployment") => {
            &[TOKEN, VALUE, NUMBER, QUERY]
        }
        ("edgegap", "stop_own_deployment") => &[TOKEN, SESSION],
        _ => &[TOKEN],
    }
}

/// The operation with this number, whatever the number.
pub fn operation(number: u8) -> &'static Operation {
    &OPERATIONS[usize::from(number) % OPERATIONS.len()]
}

/// Runs something with the clients of this thread, which are expensive to make.
pub fn with<T>(run: impl FnOnce(&Platforms) -> T) -> T {
    thread_local! {
        static CLIENTS: RefCell<Option<Platforms>> = const { RefCell::new(None) };
    }
    CLIENTS.with_borrow_mut(|slot| {
        if slot
            .as_ref()
            .is_none_or(|platforms| platforms.calls >= CALLS_OF_A_RECORDER)
        {
            *slot = Some(Platforms::new());
        }
        let platforms = slot.as_mut().unwrap();
        platforms.calls += 1;
        run(platforms)
    })
}
