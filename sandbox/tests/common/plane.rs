//! dployr as its control plane has it, with a cluster.

use super::World;
use deploykit_sandbox::{Builder, Dialect, Platform, Sandbox};
use serde_json::{Value, json};

pub fn builder() -> Builder {
    Sandbox::builder().dployr_dialect(Dialect::ControlPlane)
}

pub struct Plane {
    pub world: World,
    pub cluster: String,
    /// Of the connected instance.
    pub tag: String,
}

impl Plane {
    pub fn new() -> Self {
        Self::of(builder())
    }

    pub fn of(builder: Builder) -> Self {
        let world = World::new(Platform::Dployr, builder);
        let access = world.state.dployr().access("");
        Self {
            world,
            cluster: access.cluster_id,
            tag: access.instance_tag,
        }
    }

    pub fn scoped(&self, path: &str) -> String {
        format!("{path}?clusterId={}", self.cluster)
    }

    pub fn deploy(&mut self, body: &Value) -> Value {
        let target = self.scoped("/v1/deployments");
        self.world.posted(&target, body, 202)["data"].clone()
    }

    pub fn items(&mut self, path: &str) -> Vec<Value> {
        let target = self.scoped(path);
        let body = self.world.ok(&target);
        body["data"]["items"].as_array().unwrap().clone()
    }

    /// A service that runs: its id.
    pub fn running(&mut self) -> String {
        self.running_with(&image("web-one"))
    }

    /// The service of this deployment, which is called web-one.
    pub fn running_with(&mut self, body: &Value) -> String {
        self.deploy(body);
        self.world.wait(1_200);
        let services = self.items("/v1/services");
        let own = services.iter().find(|it| it["name"] == "web-one").unwrap();
        own["id"].as_str().unwrap().to_owned()
    }
}

/// How handlers refuse.
pub fn failure(message: &str, code: &str) -> Value {
    json!({ "success": false, "error": { "message": message, "code": code } })
}

pub fn image(name: &str) -> Value {
    json!({
        "name": name, "type": "web", "source": "image", "image": "node:20-alpine", "port": "3000",
        "env_vars": { "A": "1", "B": "two" },
    })
}
