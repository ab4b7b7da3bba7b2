//! dployr: deployments to the user's own servers, in two dialects.
//!
//! The published reference (dployr-io/dployr-docs:docs/api.md) and the open-source control plane
//! (dployr-io/dployr-base) differ in paths, field names, statuses and error bodies. [`Dialect`] selects one;
//! both share the state in this file.

mod control_plane;
mod deployment_body;
mod documented;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::builder::SandboxBuilder;
use crate::credentials::DployrAccess;
use crate::ids::Ids;
use crate::platform::{Call, Platform, PlatformState, ResourceSummary};
use crate::rate_limit::{RateLimit, RateLimitOutcome};
use crate::reply::Reply;
use crate::spec::Violation;
use crate::time::{Stage, Timing, millis};
use crate::webhooks::Webhook;

/// The two versions of dployr's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The published reference: login by password, no envelopes, snake case.
    #[default]
    Documented,
    /// The observed open-source control plane: envelopes, pages, clusters, camel case.
    ControlPlane,
}

/// The state of dployr.
#[derive(Clone)]
pub struct Dployr {
    dialect: Dialect,
    timing: Timing,
    build_node: bool,
    /// Whether the instance is connected to the control plane.
    node_connected: bool,
    /// Whether another client deletes the record of a deployment during each update of its service.
    deletes_record_during_update: bool,
    ids: Ids,
    counter: u64,
    token: String,
    email: String,
    password: String,
    user_id: String,
    cluster_id: String,
    instance: Instance,
    /// Instances that clients registered. They never connect.
    registered: Vec<Instance>,
    /// Access tokens from logins, with their expiry.
    logins: Vec<(String, Duration)>,
    deployments: Vec<Deployment>,
    services: Vec<Service>,
    /// Variables and logs by name; a deployment and its service share the name.
    env: BTreeMap<String, Variables>,
    secrets: BTreeMap<String, Vec<SecretVariable>>,
    /// The latest task of each service of the control plane.
    tasks: BTreeMap<String, NodeTask>,
    logs: BTreeMap<String, Vec<LogLine>>,
    routes: Vec<Value>,
    projects: Vec<Value>,
    webhooks: Vec<Value>,
    cluster_webhook: Option<Value>,
    /// State of the control plane only.
    control_plane: control_plane::State,
    /// Webhook calls to send, with their due time.
    pending_webhooks: Vec<(Duration, Webhook)>,
    user_window: RateLimit,
    anonymous_window: RateLimit,
}

type Variables = BTreeMap<String, String>;

#[derive(Clone, Debug)]
struct Instance {
    id: String,
    tag: String,
    address: String,
    region: Option<String>,
    role: String,
    managed: bool,
    created_at: Duration,
}

/// A secret variable; its value is not kept.
#[derive(Clone, Debug)]
struct SecretVariable {
    id: String,
    key: String,
    /// True if it was set on the service, false if on the deployment before the service existed.
    of_service: bool,
    created_at: Duration,
    updated_at: Duration,
}

/// What a task tells the node about a service, as far as no reply of the control plane shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeTask {
    /// Names of the secret variables.
    pub secrets: BTreeSet<String>,
    /// Path of the health check.
    pub health_check: Option<String>,
    /// Domain.
    pub domain: Option<String>,
}

impl NodeTask {
    fn new(settings: &Settings, secrets: impl Iterator<Item = String>) -> Self {
        Self {
            secrets: secrets.collect(),
            health_check: settings.text("healthCheck").map(str::to_owned),
            domain: settings.text("domain").map(str::to_owned),
        }
    }
}

/// 2026-01-05: creation time of the user, the cluster and the instance.
const SET_UP_AT: Duration = Duration::from_secs(1_767_600_000);

/// Settings of a deployment. Keys are the field names of the control plane.
#[derive(Clone, Debug, Default)]
struct Settings {
    texts: BTreeMap<&'static str, String>,
    port: Option<u64>,
}

#[derive(Clone, Debug)]
struct Deployment {
    id: String,
    name: String,
    settings: Settings,
    created_at: Duration,
    deployed_at: Duration,
    /// Whether `process_finished` has handled its outcome.
    is_processed: bool,
}

#[derive(Clone, Debug)]
struct Service {
    id: String,
    name: String,
    kind: String,
    deployment_id: String,
    created_at: Duration,
    updated_at: Duration,
    run_state: RunState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    Running,
    Stopped,
    /// Started at that time; running after `ready_after`.
    Starting(Duration),
}

#[derive(Clone, Debug)]
struct LogLine {
    at: Duration,
    source: &'static str,
    level: &'static str,
    message: String,
}

impl Dployr {
    pub(crate) fn new(settings: &SandboxBuilder, timing: Timing, seed: u64) -> Self {
        let mut ids = Ids::new(seed);
        let dialect = settings.dialect;
        let token = match dialect {
            Dialect::Documented => ids.alphanumeric(48),
            // Prefix and 64 hexadecimal digits (dployr-io/dployr-base:src/middleware/auth.ts).
            Dialect::ControlPlane => format!("dpat_{}", ids.hex(64)),
        };
        let password = ids.alphanumeric(16);
        let instance_id = match dialect {
            Dialect::Documented => "instance-1".to_owned(),
            Dialect::ControlPlane => ids.ulid(SET_UP_AT),
        };
        Self {
            dialect,
            timing,
            build_node: settings.build_node,
            node_connected: true,
            deletes_record_during_update: settings.deletes_record,
            token,
            email: "owner@example.com".to_owned(),
            password,
            user_id: ids.ulid(SET_UP_AT),
            cluster_id: ids.ulid(SET_UP_AT),
            instance: Instance {
                id: instance_id,
                tag: "sandbox-node-1".to_owned(),
                // 203.0.113.0/24 is reserved for documentation (RFC 5737).
                address: "203.0.113.10".to_owned(),
                region: Some("eu-west".to_owned()),
                role: "instance".to_owned(),
                managed: true,
                created_at: SET_UP_AT,
            },
            registered: Vec::new(),
            ids,
            counter: 0,
            logins: Vec::new(),
            deployments: Vec::new(),
            services: Vec::new(),
            env: BTreeMap::new(),
            secrets: BTreeMap::new(),
            tasks: BTreeMap::new(),
            logs: BTreeMap::new(),
            routes: Vec::new(),
            projects: Vec::new(),
            webhooks: Vec::new(),
            cluster_webhook: None,
            control_plane: control_plane::State::default(),
            pending_webhooks: Vec::new(),
            user_window: RateLimit::new(settings.limits),
            anonymous_window: RateLimit::new(settings.limits),
        }
    }

    pub(crate) fn connect_node(&mut self, connected: bool) {
        self.node_connected = connected;
    }

    /// The latest task that the control plane sent to the node for the service of this name.
    pub fn task(&self, service: &str) -> Option<&NodeTask> {
        self.tasks.get(service)
    }

    /// The selected dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Credentials, for a server at `base_url`.
    pub fn access(&self, base_url: &str) -> DployrAccess {
        DployrAccess {
            base_url: base_url.to_owned(),
            token: self.token.clone(),
            cluster_id: self.cluster_id.clone(),
            email: self.email.clone(),
            password: self.password.clone(),
            login_code: control_plane::sessions::CODE.to_owned(),
            identity_token: control_plane::sessions::IDENTITY_TOKEN.to_owned(),
            instance_tag: self.instance.tag.clone(),
        }
    }

    /// Whether the request has valid credentials.
    ///
    /// The prefix is exactly `Bearer `: a running control plane rejects the lower-case scheme.
    fn is_authenticated(&self, call: &Call) -> bool {
        if self.control_plane.credentials.has_session_cookie(call) {
            return true;
        }
        let header = call.request.header("authorization");
        let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
            return false;
        };
        let mut logins = self.logins.iter();
        token == self.token
            || self
                .control_plane
                .credentials
                .has_api_token(token, call.now)
            || logins.any(|(login, ends)| login == token && call.now < *ends)
    }

    fn deployment(&self, id: &str) -> Option<&Deployment> {
        self.deployments
            .iter()
            .find(|deployment| deployment.id == id)
    }

    fn charge(
        &mut self,
        authenticated: bool,
        now: Duration,
        seconds: u64,
        limit: u64,
    ) -> RateLimitOutcome {
        let window = if authenticated {
            &mut self.user_window
        } else {
            &mut self.anonymous_window
        };
        window.take(now, seconds, limit)
    }

    /// A new id: a ULID on the control plane, else like `service-123` in the reference.
    fn id(&mut self, kind: &str, now: Duration) -> String {
        match self.dialect {
            Dialect::Documented => {
                self.counter += 1;
                format!("{kind}-{}", self.counter)
            }
            Dialect::ControlPlane => self.ids.ulid(now),
        }
    }

    fn will_succeed(&self, settings: &Settings) -> bool {
        !self.timing.fails && settings.source_exists()
    }

    fn stage(&self, deployment: &Deployment, now: Duration) -> Stage {
        let fails = !self.will_succeed(&deployment.settings);
        Timing {
            fails,
            ..self.timing
        }
        .stage(deployment.deployed_at, now)
    }

    /// The status of a deployment. The words were observed on a control plane; the reference lists none.
    fn status(&self, deployment: &Deployment, now: Duration) -> &'static str {
        match self.stage(deployment, now) {
            Stage::Queued => "pending",
            Stage::Working => "running",
            Stage::Done => "success",
            Stage::Failed => "failed",
        }
    }

    /// When the status last changed.
    fn updated_at(&self, deployment: &Deployment, now: Duration) -> Duration {
        let after = match self.stage(deployment, now) {
            Stage::Queued => Duration::ZERO,
            Stage::Working => self.timing.queue_time(),
            Stage::Done | Stage::Failed => self.timing.ready_after,
        };
        deployment.deployed_at + after
    }

    fn finished_at(&self, deployment: &Deployment, now: Duration) -> Option<Duration> {
        let is_finished = matches!(self.stage(deployment, now), Stage::Done | Stage::Failed);
        is_finished.then(|| deployment.deployed_at + self.timing.ready_after)
    }

    /// Handles the deployments that ended: reports their end, and creates or updates the service of a
    /// successful one.
    ///
    /// A service has the name of its deployment.
    fn process_finished(&mut self, now: Duration) {
        for at in 0..self.deployments.len() {
            let unprocessed = self.deployments.get(at).filter(|it| !it.is_processed);
            let Some(deployment) = unprocessed.cloned() else {
                continue;
            };
            let Some(finished_at) = self.finished_at(&deployment, now) else {
                continue;
            };
            if let Some(deployment) = self.deployments.get_mut(at) {
                deployment.is_processed = true;
            }
            self.emit_finished(&deployment.id, &deployment.name, finished_at);
            if self.stage(&deployment, now) != Stage::Done {
                continue;
            }
            let kind = deployment.settings.text("type").unwrap_or("web").to_owned();
            let mut services = self.services.iter_mut();
            match services.find(|service| service.name == deployment.name) {
                Some(service) => {
                    service.kind = kind;
                    service.updated_at = finished_at;
                    service.run_state = RunState::Running;
                }
                None => {
                    let id = self.id("service", finished_at);
                    self.services.push(Service {
                        id,
                        name: deployment.name,
                        kind,
                        deployment_id: deployment.id,
                        created_at: finished_at,
                        updated_at: finished_at,
                        run_state: RunState::Running,
                    });
                }
            }
        }
    }

    /// Deploys `name` and returns the record of the deployment.
    ///
    /// Observed: a redeploy keeps the position and the id of the record. A new record gets `fresh_id`.
    fn deploy(
        &mut self,
        name: &str,
        settings: Settings,
        fresh_id: String,
        now: Duration,
    ) -> Deployment {
        self.write_deploy_logs(name, &settings, now);
        let known = self.deployments.iter().position(|it| it.name == name);
        let at = known.unwrap_or(self.deployments.len());
        let (id, created_at) = match self.deployments.get(at) {
            Some(record) => (record.id.clone(), record.created_at),
            None => (fresh_id, now),
        };
        let record = Deployment {
            id,
            name: name.to_owned(),
            settings,
            created_at,
            deployed_at: now,
            is_processed: false,
        };
        let end = self.deployments.len().min(at + 1);
        self.deployments.splice(at..end, [record.clone()]);
        record
    }

    /// Writes all log lines of a deployment in advance. Each becomes visible at its time.
    fn write_deploy_logs(&mut self, name: &str, settings: &Settings, now: Duration) {
        let (working, finished) = (
            now + self.timing.queue_time(),
            now + self.timing.ready_after,
        );
        let fetch = match settings.text("source") {
            Some("image" | "docker") if settings.text("image").is_some() => "pulling image",
            Some("local") => "copying files",
            _ => "cloning repository",
        };
        let succeeds = self.will_succeed(settings);
        let log = self.logs.entry(name.to_owned()).or_default();
        // Removes lines of an earlier run that are not visible yet.
        log.retain(|line| line.at <= now);
        let mut line = |at, source, level, message: String| {
            log.push(LogLine {
                at,
                source,
                level,
                message,
            })
        };
        line(now, "build", "info", fetch.to_owned());
        line(working, "build", "info", "build started".to_owned());
        if succeeds {
            line(finished, "build", "info", "build finished".to_owned());
            line(finished, "deploy", "info", format!("starting {name}"));
            let started = settings.port.map_or("ready".to_owned(), |port| {
                format!("listening on port {port}")
            });
            line(finished, "runtime", "info", started);
        } else {
            line(finished, "build", "error", "build failed".to_owned());
        }
    }

    fn write_log(&mut self, name: &str, at: Duration, message: &str) {
        let line = LogLine {
            at,
            source: "runtime",
            level: "info",
            message: message.to_owned(),
        };
        self.logs.entry(name.to_owned()).or_default().push(line);
    }

    /// The visible log lines of `name`, oldest first.
    fn lines(&self, name: &str, now: Duration) -> impl Iterator<Item = &LogLine> {
        let lines = self.logs.get(name).into_iter().flatten();
        lines.filter(move |line| line.at <= now)
    }

    fn run_state(&self, service: &Service, now: Duration) -> RunState {
        match service.run_state {
            RunState::Starting(since) if now.saturating_sub(since) >= self.timing.ready_after => {
                RunState::Running
            }
            state => state,
        }
    }

    /// Changes the state of a service and logs it.
    fn switch(&mut self, id: &str, run_state: RunState, message: &str, now: Duration) {
        if let Some(service) = self.services.iter_mut().find(|service| service.id == id) {
            service.run_state = run_state;
            let name = service.name.clone();
            self.write_log(&name, now, message);
        }
    }
}

impl PlatformState for Dployr {
    const PLATFORM: Platform = Platform::Dployr;

    fn dialect(&self) -> Option<Dialect> {
        Some(self.dialect)
    }

    fn handle(&mut self, call: &Call) -> Reply {
        self.process_finished(call.now);
        match self.dialect {
            Dialect::Documented => documented::handle(self, call),
            Dialect::ControlPlane => control_plane::handle(self, call),
        }
    }

    fn violation_reply(&self, violation: &Violation) -> Reply {
        match self.dialect {
            Dialect::Documented => documented::violation_reply(violation),
            Dialect::ControlPlane => control_plane::violation_reply(violation),
        }
    }

    /// All deployments, then all services, each newest first.
    fn resources(&self, now: Duration) -> Vec<ResourceSummary> {
        let deployments = self
            .deployments
            .iter()
            .rev()
            .map(|deployment| ResourceSummary {
                kind: "deployment",
                name: deployment.name.clone(),
                deployment: None,
                state: self.status(deployment, now).to_owned(),
                since: deployment.deployed_at,
                address: None,
            });
        let services = self.services.iter().rev().map(|service| ResourceSummary {
            kind: "service",
            name: service.name.clone(),
            deployment: None,
            state: self.run_state(service, now).as_str().to_owned(),
            since: match self.run_state(service, now) {
                RunState::Starting(since) => since,
                _ => service.updated_at,
            },
            address: Some(self.instance.address.clone()),
        });
        deployments.chain(services).collect()
    }
}

/// Shows counts only.
impl fmt::Debug for Dployr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dployr")
            .field("dialect", &self.dialect)
            .field("deployments", &self.deployments.len())
            .field("services", &self.services.len())
            .finish_non_exhaustive()
    }
}

impl RunState {
    /// The state on the wire: the words of dployr-io/dployr:pkg/core/service/service.go, plus the control
    /// plane's `starting`.
    fn as_str(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Stopped => "stopped",
            RunState::Starting(_) => "starting",
        }
    }
}

impl Settings {
    fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// Whether the source exists. Hosts below `.invalid` never exist (RFC 2606), so a test can let a
    /// deployment fail.
    ///
    /// Assumptions: `local` needs no source, and `docker` prefers an image over a repository.
    fn source_exists(&self) -> bool {
        let location = match self.text("source") {
            Some("local") => return true,
            Some("image") => self.text("image"),
            Some("docker") => self.text("image").or(self.text("remoteUrl")),
            _ => self.text("remoteUrl"),
        };
        let Some(location) = location else {
            return false;
        };
        let rest = location
            .split_once("://")
            .map_or(location, |(_, rest)| rest);
        let host = rest.split(['/', ':']).next().unwrap_or(rest);
        !host.ends_with(".invalid")
    }
}

impl LogLine {
    /// The JSON of a log line, as observed on a control plane. The reference shows none.
    fn json(&self, dialect: Dialect) -> Value {
        let source = match (dialect, self.source) {
            // `dployrd` is the agent on the instance.
            (Dialect::ControlPlane, "runtime") => "dployrd",
            (_, source) => source,
        };
        json!({ "timestamp": millis(self.at), "source": source, "level": self.level, "message": self.message })
    }
}

/// A JSON array, or NDJSON when following, as observed on a control plane.
///
/// The sandbox ends the stream after the current lines; the real server keeps it open. Without a line, it sends
/// no head either: the head is sent with the first line (observed; `stream` in
/// dployr-io/dployr-base:src/routes/logs.ts writes nothing else). See [`Reply::is_silent_stream`].
fn lines_reply(lines: Vec<Value>, follow: bool) -> Reply {
    if !follow {
        return Reply::json(200, &Value::Array(lines));
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Reply::new(200, "application/x-ndjson", text)
}

/// Adds the rate-limit headers.
fn with_rate_limit_headers(reply: Reply, limit: u64, taken: RateLimitOutcome) -> Reply {
    reply
        .with_header("x-ratelimit-limit", limit)
        .with_header("x-ratelimit-remaining", taken.remaining)
        .with_header("x-ratelimit-reset", taken.reset)
}
