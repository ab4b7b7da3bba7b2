//! Applications: <https://www.nodion.com/en/docs/api/applications>.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::deployments::Deployment;
use super::domains::Domain;
use super::env::Variable;
use super::scaling::{Process, ScalingEvent};
use super::{CONNECTED_AT, Now, bad_request, body_of, envelope, insert_field, list, not_found};
use crate::ids::Ids;
use crate::platform::{Call, ResourceSummary};
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
use crate::time::rfc3339_berlin;

pub(super) struct Region {
    pub(super) id: &'static str,
    name: &'static str,
    slug: &'static str,
}

pub(super) struct InstanceType {
    pub(super) id: &'static str,
    name: &'static str,
    slug: &'static str,
    category: &'static str,
    cpu: f64,
    mem: f64,
    price_month: &'static str,
    price_second: &'static str,
}

/// The only region, from the example of the reference.
pub(super) const REGIONS: [Region; 1] = [Region {
    id: "428d037e-9ba6-4dab-92bd-8d816c523126",
    name: "Frankfurt, DE",
    slug: "fra",
}];

/// The instance types, from the examples of <https://www.nodion.com/en/docs/api/application-processes> and
/// <https://www.nodion.com/en/docs/api/application-instances>.
pub(super) const TYPES: [InstanceType; 2] = [
    InstanceType {
        id: "c047eab3-7574-44f5-b25a-5ae9b490500c",
        name: "SB-G1-512MB",
        slug: "sb-g1-512mb",
        category: "sb",
        cpu: 0.125,
        mem: 0.5,
        price_month: "4.0",
        price_second: "0.000001522070015",
    },
    InstanceType {
        id: "b2c3d4e5-f6a7-8901-bcde-f12345678901",
        name: "GP-G2-4GB1C",
        slug: "gp-g2-4gb1c",
        category: "gp",
        cpu: 1.0,
        mem: 4.0,
        price_month: "16.0",
        price_second: "0.000006088280061",
    },
];

#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) id: String,
    pub(super) name: String,
    /// The image without its tag, for pre-built image applications.
    pub(super) image: Option<&'static str>,
    pub(super) git_sha: String,
    /// Ids of integration, repository and branch; `None` for an image.
    branch: Option<[String; 3]>,
    created_at: Duration,
    /// Seed from which the ids of instances are derived.
    pub(super) seed: u64,
    pub(super) deployments: Vec<Deployment>,
    /// The first one is the application's web process, the others are workers.
    pub(super) processes: Vec<Process>,
    pub(super) events: Vec<ScalingEvent>,
    pub(super) variables: Vec<Variable>,
    pub(super) domains: Vec<Domain>,
}

const BRANCH: [&str; 3] = ["integration_id", "repository_id", "branch_id"];

impl Application {
    /// An initial application, connected and deployed at [`CONNECTED_AT`].
    pub(super) fn connected(ids: &mut Ids, name: &str, image: Option<&'static str>) -> Self {
        let (id, git_sha) = (ids.uuid(), ids.hex(40));
        let deployment = Deployment::new(ids.uuid(), 1, "latest", CONNECTED_AT);
        let branch = image
            .is_none()
            .then(|| [ids.uuid(), ids.uuid(), ids.uuid()]);
        let mut application = Self::new(ids, id, git_sha, name, branch, CONNECTED_AT);
        application.image = image;
        application.deployments.push(deployment);
        if image.is_none() {
            let worker = Process::new(ids.uuid(), "Worker", 1, 0);
            application.processes.push(worker);
        }
        application
    }

    fn new(
        ids: &mut Ids,
        id: String,
        git_sha: String,
        name: &str,
        branch: Option<[String; 3]>,
        created_at: Duration,
    ) -> Self {
        Self {
            id,
            git_sha,
            name: name.to_owned(),
            image: None,
            branch,
            created_at,
            seed: u64::try_from(ids.below(1 << 30)).unwrap_or(0),
            deployments: Vec::new(),
            processes: vec![Process::new(ids.uuid(), "Web", 1, 0)],
            events: Vec::new(),
            variables: Vec::new(),
            domains: vec![Domain::default_for(ids, name, created_at)],
        }
    }

    /// Creates an application from git, without deploying it.
    ///
    /// dlyx-io/nodion-gateway:frontend/src/pages/AppDetail.svelte deploys separately after the creation.
    pub(super) fn create(
        ids: &mut Ids,
        body: &Map<String, Value>,
        clock: Now,
    ) -> Result<Self, Reply> {
        let name = text_field(body, "name").unwrap_or_default();
        // Both messages are from nrdcg/nodion:fixtures, where they are about a DNS zone.
        if name.trim().is_empty() {
            return Err(bad_request("Name can't be blank"));
        }
        if name.chars().count() > 255 {
            return Err(bad_request(
                "Name must be between 1 and 255 characters long",
            ));
        }
        // The messages below were not observed: Rails has them for a missing record.
        let region = text_field(body, "region_id");
        if !REGIONS.iter().any(|known| Some(known.id) == region) {
            return Err(bad_request("Region must exist"));
        }
        let amount = read_amount(body, 1)?;
        let instance_type = read_instance_type(body)?;
        let branch = read_branch(body)?;
        let (id, git_sha) = (ids.uuid(), ids.hex(40));
        let mut application = Self::new(ids, id, git_sha, name, Some(branch), clock.now);
        if let Some(web) = application.processes.first_mut() {
            (web.amount, web.instance_type) = (amount, instance_type);
        }
        Ok(application)
    }

    /// Responds to a request below this application.
    pub(super) fn answer(&mut self, call: &Call, ids: &mut Ids, clock: Now) -> HandlerResult {
        match call.id() {
            "get_application" => {}
            // The real reply is unknown; assumed to be the reply of `get_application`.
            "update_application" => self.branch = Some(read_branch(&body_of(call)?)?),
            "list_deployments" => return self.list_deployments(clock),
            "create_deployment" => return self.create_deployment(call, ids, clock),
            "list_instances" => return self.list_instances(clock),
            "list_processes" => return self.list_processes(),
            "scale_process" => return self.scale_process(call),
            "list_scaling_events" => return self.list_events(clock),
            "create_scaling_event" => return self.create_event(call, ids, clock),
            "list_logs" => return self.list_logs(call, clock),
            "list_env_variables" => return self.list_variables(),
            "create_env_variable" => return self.create_variable(call, ids, clock),
            "get_env_variable" => return self.get_variable(call),
            "update_env_variable" => return self.update_variable(call, clock),
            "delete_env_variable" => return self.delete_variable(call),
            "list_domains" => return self.list_domains(clock),
            "create_domain" => return self.create_domain(call, ids, clock),
            "delete_domain" => return self.delete_domain(call),
            "verify_domain" | "connect_domain" => {
                return self.verify_or_connect_domain(call, clock);
            }
            _ => return call.example().ok_or_else(not_found),
        }
        envelope("application", self.describe(clock))
    }

    /// The status of the application.
    ///
    /// The reference shows `online`. The others are from
    /// dlyx-io/nodion-gateway:frontend/src/pages/AppDetail.svelte, which selects a colour by the status.
    fn status(&self, clock: Now) -> &'static str {
        if self.live(clock).is_some() {
            return "online";
        }
        match self.deployments.last().map(|last| last.status(clock)) {
            None => "created",
            Some("failed") => "failed",
            Some(_) => "deploying",
        }
    }

    pub(super) fn summary(&self, clock: Now) -> ResourceSummary {
        let latest = self.deployments.last();
        ResourceSummary {
            kind: "application",
            name: self.name.clone(),
            deployment: latest.map(|latest| latest.number),
            state: latest
                .map_or("not deployed", |latest| latest.status(clock))
                .to_owned(),
            since: latest.map_or(self.created_at, |latest| latest.created_at),
            address: self.domains.first().map(Domain::address),
        }
    }

    pub(super) fn describe(&self, clock: Now) -> Value {
        let strategy = match self.image {
            Some(_) => "prebuilt_image",
            None => "dockerfile",
        };
        let mut body = json!({
            "id": self.id,
            "status": self.status(clock),
            "state": "default",
            "name": self.name,
            "deployment_strategy": strategy,
            "container_registry_id": null,
            "image_name": self.image,
            "image_tag": self.image.map(|_| "latest"),
            "region": region(&REGIONS[0]),
            "created_at": rfc3339_berlin(self.created_at),
        });
        let mut processes = self.processes.iter();
        if let Some(web) = processes.next() {
            insert_field(&mut body, "instance_amount", json!(web.amount));
            insert_field(&mut body, "instance_type_id", json!(web.type_id()));
        }
        let workers = processes.map(Process::as_worker).collect();
        insert_field(&mut body, "workers", workers);
        if let Some(branch) = &self.branch {
            for (name, id) in BRANCH.iter().zip(branch) {
                insert_field(&mut body, name, json!(id));
            }
        }
        body
    }
}

fn region(region: &Region) -> Value {
    json!({ "id": region.id, "name": region.name, "slug": region.slug })
}

pub(super) fn describe_type(index: usize) -> Value {
    let Some(known) = TYPES.get(index) else {
        return Value::Null;
    };
    json!({
        "id": known.id,
        "name": known.name,
        "slug": known.slug,
        "category": known.category,
        "cpu": known.cpu,
        "mem": known.mem,
        "price_month": known.price_month,
        "price_second": known.price_second,
    })
}

pub(super) fn regions() -> HandlerResult {
    list("regions", REGIONS.iter().map(region))
}

pub(super) fn instance_types() -> HandlerResult {
    list("instance_types", (0..TYPES.len()).map(describe_type))
}

/// Reads `instance_amount`.
///
/// `minimum` is 1 for an application, which the reference limits to 1 to 16. It is 0 for a process, which 0
/// stops.
pub(super) fn read_amount(body: &Map<String, Value>, minimum: u64) -> Result<u64, Reply> {
    let amount = body.get("instance_amount").and_then(Value::as_u64);
    amount
        .filter(|amount| (minimum..=16).contains(amount))
        .ok_or_else(|| bad_request(&format!("Instance amount must be between {minimum} and 16")))
}

pub(super) fn read_instance_type(body: &Map<String, Value>) -> Result<usize, Reply> {
    let id = text_field(body, "instance_type_id");
    TYPES
        .iter()
        .position(|known| Some(known.id) == id)
        .ok_or_else(|| bad_request("Instance type must exist"))
}

/// Reads the ids of integration, repository and branch. Any ids are accepted, because no operation lists
/// them.
fn read_branch(body: &Map<String, Value>) -> Result<[String; 3], Reply> {
    let [integration, repository, branch] = BRANCH.map(|name| text_field(body, name));
    match (integration, repository, branch) {
        (Some(integration), Some(repository), Some(branch)) => {
            Ok([integration, repository, branch].map(str::to_owned))
        }
        (None, _, _) => Err(bad_request("Integration must exist")),
        (_, None, _) => Err(bad_request("Repository must exist")),
        (_, _, None) => Err(bad_request("Branch must exist")),
    }
}
