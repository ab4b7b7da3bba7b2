//! dployr as its control plane has it, with a cluster.

use super::{World, expect_status};
use deploykit_sandbox::{Builder, Dialect, Platform, Sandbox};
use serde_json::{Value, json};

pub fn builder() -> Builder {
    Sandbox::builder().dployr_dialect(Dialect::ControlPlane)
}

pub struct Plane {
    pub world: World,
    pub cluster: String,
}

impl Plane {
    pub fn new() -> Self {
        Self::of(builder())
    }

    pub fn of(builder: Builder) -> Self {
        let world = World::new(Platform::Dployr, builder);
        let cluster = world.state.dployr().access("").cluster_id;
        Self { world, cluster }
    }

    pub fn scoped(&self, path: &str) -> String {
        format!("{path}?clusterId={}", self.cluster)
    }

    pub fn deploy(&mut self, body: &Value) -> Value {
        let target = self.scoped("/v1/deployments");
        expect_status(&self.world.post(&target, body), 202)["data"].clone()
    }

    pub fn items(&mut self, path: &str) -> Vec<Value> {
        let target = self.scoped(path);
        let body = expect_status(&self.world.get(&target), 200);
        body["data"]["items"].as_array().unwrap().clone()
    }

    /// A service that runs: its id.
    pub fn running(&mut self) -> String {
        self.deploy(&image("web-one"));
        self.world.wait(1_200);
        let services = self.items("/v1/services");
        let own = services.iter().find(|it| it["name"] == "web-one").unwrap();
        own["id"].as_str().unwrap().to_owned()
    }
}

pub fn image(name: &str) -> Value {
    json!({
        "name": name, "type": "web", "source": "image", "image": "node:20-alpine", "port": "3000",
        "env_vars": { "A": "1", "B": "two" },
    })
}
