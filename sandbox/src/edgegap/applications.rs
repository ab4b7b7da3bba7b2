//! Applications and their versions.
//!
//! Fields, bounds and statuses are from edgegap/openapi-specification:edgegap-v1-openapi.yaml. The sandbox
//! sets no quota for applications and versions: it depends on the plan, and its status is not documented.

use serde_json::{Map, Value, json};

use super::deployments::MAX_MINUTES;
use super::{Edgegap, body_of, message, page, violation_reply};
use crate::platform::{Call, unaccepted_violation};
use crate::reply::{HandlerResult, Reply};
use crate::request::{object, text_field};
use crate::time::naive_micros;

const CREATED: &str = "2026-04-22 12:00:46.444265";

/// Fields of a version that an update must not contain.
///
/// The document omits them, and two clients report that the platform rejects them
/// (RJ/edgegap-arbctl:src/cli/cmds/application/patch_version.rs and
/// edgegap/edgegap-unity-plugin:Editor/Api/Models/Requests/UpdateAppVersionRequest.cs).
const FIXED: [&str; 3] = ["req_cpu", "req_memory", "req_video"];

#[derive(Clone)]
pub(super) struct Application {
    /// The fields of the reply.
    fields: Map<String, Value>,
    versions: Vec<Version>,
}

/// The fields of a version, as in the request.
#[derive(Clone)]
pub(super) struct Version(Map<String, Value>);

impl Application {
    /// The application that exists at the start, with one version.
    pub(super) fn first(name: &str, version: &str) -> Self {
        let version = json!({
            "name": version,
            "create_time": CREATED,
            "last_updated": CREATED,
            "is_active": true,
            "req_cpu": 256,
            "req_memory": 512,
            "docker_repository": "registry.edgegap.com",
            "docker_image": "my-org/my-game-server",
            "docker_tag": version,
            "force_cache": false,
            "max_duration": MAX_MINUTES,
            "ports": [{ "name": "gameport", "port": 7777, "protocol": "UDP", "to_check": true, "tls_upgrade": false }],
        });
        let application = json!({
            "name": name,
            "is_active": true,
            "image": "iVBORw0KGgo=",
            "create_time": CREATED,
            "last_updated": CREATED,
        });
        Self {
            fields: object(application),
            versions: vec![Version(object(version))],
        }
    }

    pub(super) fn name(&self) -> &str {
        text_field(&self.fields, "name").unwrap_or_default()
    }

    pub(super) fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name() == name)
    }

    pub(super) fn is_active(&self) -> bool {
        is_active(&self.fields)
    }
}

impl Version {
    fn name(&self) -> &str {
        text_field(&self.0, "name").unwrap_or_default()
    }

    pub(super) fn is_active(&self) -> bool {
        is_active(&self.0)
    }

    pub(super) fn ports(&self) -> &[Value] {
        let ports = self.0.get("ports").and_then(Value::as_array);
        ports.map_or(&[], Vec::as_slice)
    }

    /// The version as in replies.
    ///
    /// The password for the registry is returned in clear. `WS` is returned as `Websocket`
    /// (edgegap/edgegap-mcp:src/tools.ts). Assumption: hidden variables have no value.
    fn describe(&self) -> Value {
        let mut fields = self.0.clone();
        let cached = fields.get("force_cache") == Some(&Value::Bool(true));
        for (name, default) in [
            ("is_active", json!(true)),
            ("max_duration", json!(MAX_MINUTES)),
            ("restart_policy", json!("always")),
            ("ports", json!([])),
            ("envs", json!([])),
            ("caching_percent", json!(if cached { 1.0 } else { 0.0 })),
        ] {
            fields.entry(name).or_insert(default);
        }
        for port in items(&mut fields, "ports") {
            if port["protocol"] == "WS" {
                port["protocol"] = json!("Websocket");
            }
        }
        for variable in items(&mut fields, "envs") {
            if variable["is_hidden"] == true {
                super::remove(variable, "value");
            }
        }
        fields.into()
    }
}

impl Edgegap {
    pub(super) fn applications(&self, call: &Call) -> HandlerResult {
        let all = self.applications.iter().collect();
        let describe = |one: &Application| one.fields.clone().into();
        let body = page(call.request, "applications", all, describe)?;
        Ok(Reply::json(200, &body.into()))
    }

    pub(super) fn create_application(&mut self, call: &Call) -> HandlerResult {
        let mut fields = self.valid_body(call)?;
        self.check_application_name(&fields)?;
        set_times(&mut fields, call);
        let reply = Reply::json(200, &fields.clone().into());
        self.applications.push(Application {
            fields,
            versions: Vec::new(),
        });
        Ok(reply)
    }

    pub(super) fn get_application(&self, call: &Call) -> HandlerResult {
        let fields = self.application_of(call)?.fields.clone();
        Ok(Reply::json(200, &fields.into()))
    }

    pub(super) fn update_application(&mut self, call: &Call) -> HandlerResult {
        let name = self.application_of(call)?.name();
        let changes = self.valid_body(call)?;
        if text_field(&changes, "name") != Some(name) {
            self.check_application_name(&changes)?;
        }
        let fields = &mut self.application_mut(call)?.fields;
        fields.extend(changes);
        fields.insert("last_updated".to_owned(), now(call));
        Ok(Reply::json(200, &fields.clone().into()))
    }

    /// Deletes the application and its versions.
    ///
    /// Assumption: its deployments continue. The document says nothing about them.
    pub(super) fn delete_application(&mut self, call: &Call) -> HandlerResult {
        let name = self.application_of(call)?.name().to_owned();
        self.applications.retain(|one| one.name() != name);
        Ok(Reply::empty(200))
    }

    pub(super) fn versions(&self, call: &Call) -> HandlerResult {
        let all = self.application_of(call)?.versions.iter().collect();
        let body = page(call.request, "versions", all, Version::describe)?;
        Ok(Reply::json(200, &body.into()))
    }

    pub(super) fn create_version(&mut self, call: &Call) -> HandlerResult {
        let application = self.application_of(call)?;
        let mut fields = self.valid_body(call)?;
        let number = |name: &str| fields.get(name).and_then(Value::as_i64).unwrap_or_default();
        // The rule of the deployments (edgegap/edgegap-mcp:src/serverconfig.ts).
        if number("req_memory") > number("req_cpu").saturating_mul(2) {
            return Err(message(400, "req_memory may be at most twice req_cpu"));
        }
        let name = text_field(&fields, "name").unwrap_or_default();
        if application.version(name).is_some() {
            return Err(message(409, "Version already exists"));
        }
        self.check_image(&fields)?;
        set_times(&mut fields, call);
        let version = Version(fields);
        let reply = version_reply(&version);
        self.application_mut(call)?.versions.push(version);
        Ok(reply)
    }

    pub(super) fn get_version(&self, call: &Call) -> HandlerResult {
        let (_, version) = self.version_of(call)?;
        Ok(Reply::json(200, &version.describe()))
    }

    /// Assumptions: lists are replaced, and a taken name is rejected with 400, because no 409 is documented.
    pub(super) fn update_version(&mut self, call: &Call) -> HandlerResult {
        let (application, version) = self.version_of(call)?;
        let changes = self.valid_body(call)?;
        if let Some(name) = FIXED.iter().find(|name| changes.contains_key(**name)) {
            return Err(message(400, &format!("Unknown argument {name}")));
        }
        let name = text_field(&changes, "name").filter(|name| *name != version.name());
        if name.is_some_and(|name| application.version(name).is_some()) {
            return Err(message(400, "Version already exists"));
        }
        let mut fields = version.0.clone();
        fields.extend(changes);
        self.check_image(&fields)?;
        fields.insert("last_updated".to_owned(), now(call));
        let version = Version(fields);
        let reply = version_reply(&version);
        let name = call.path("version_name");
        let versions = &mut self.application_mut(call)?.versions;
        for old in versions.iter_mut().filter(|old| old.name() == name) {
            *old = version.clone();
        }
        Ok(reply)
    }

    /// Assumption: deployments of the version continue.
    pub(super) fn delete_version(&mut self, call: &Call) -> HandlerResult {
        let name = self.version_of(call)?.1.name().to_owned();
        let versions = &mut self.application_mut(call)?.versions;
        versions.retain(|version| version.name() != name);
        let body = json!({ "success": true, "message": "Version deleted" });
        Ok(Reply::json(200, &body))
    }

    pub(super) fn application(&self, name: &str) -> Option<&Application> {
        self.applications.iter().find(|one| one.name() == name)
    }

    /// The application in the path.
    fn application_of(&self, call: &Call) -> Result<&Application, Reply> {
        let found = self.application(call.path("app_name"));
        found.ok_or_else(|| message(404, "Application not found"))
    }

    fn application_mut(&mut self, call: &Call) -> Result<&mut Application, Reply> {
        let name = call.path("app_name");
        let found = self.applications.iter_mut().find(|one| one.name() == name);
        found.ok_or_else(|| message(404, "Application not found"))
    }

    /// The application and the version in the path.
    fn version_of(&self, call: &Call) -> Result<(&Application, &Version), Reply> {
        let application = self.application_of(call)?;
        let version = application.version(call.path("version_name"));
        let version = version.ok_or_else(|| message(404, "Version not found"))?;
        Ok((application, version))
    }

    fn valid_body(&self, call: &Call) -> Result<Map<String, Value>, Reply> {
        let body = body_of(call)?;
        match unaccepted_violation(self, call) {
            Some(violation) => Err(violation_reply(violation)),
            None => Ok(body),
        }
    }

    fn check_application_name(&self, fields: &Map<String, Value>) -> Result<(), Reply> {
        let name = text_field(fields, "name");
        match name.and_then(|name| self.application(name)) {
            Some(_) => Err(message(409, "Application already exists")),
            None => Ok(()),
        }
    }

    /// With `verify_image`, checks that the image can be pulled.
    ///
    /// The platform's own registry requires a login, too: a rejected one gets 400, not 424
    /// (edgegap/edgegap-mcp:src/tools.ts). Other registries are assumed to have every image.
    fn check_image(&self, fields: &Map<String, Value>) -> Result<(), Reply> {
        let text = |name: &str| text_field(fields, name).unwrap_or_default();
        let own = text("docker_repository") == "registry.edgegap.com";
        if !own || fields.get("verify_image") != Some(&Value::Bool(true)) {
            return Ok(());
        }
        if text("private_token").is_empty() {
            return Err(message(400, "Unable to login with the given credentials"));
        }
        let (_, image) = text("docker_image").rsplit_once('/').unwrap_or_default();
        if self.registry.has(image, text("docker_tag")) {
            return Ok(());
        }
        Err(message(424, "Image not found"))
    }
}

/// The objects in a list.
fn items<'a>(
    fields: &'a mut Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a mut Value> {
    let list = fields.get_mut(name).and_then(Value::as_array_mut);
    list.into_iter().flatten()
}

fn is_active(fields: &Map<String, Value>) -> bool {
    fields.get("is_active") != Some(&Value::Bool(false))
}

fn now(call: &Call) -> Value {
    naive_micros(call.now).into()
}

fn set_times(fields: &mut Map<String, Value>, call: &Call) {
    fields.insert("create_time".to_owned(), now(call));
    fields.insert("last_updated".to_owned(), now(call));
}

fn version_reply(version: &Version) -> Reply {
    let body = json!({ "success": true, "version": version.describe() });
    Reply::json(200, &body)
}
