//! dployr's control plane and its cluster.

use super::TestPlatform;
use deploykit_sandbox::{Dialect, Platform, SandboxBuilder};
use serde_json::{Value, json};

pub struct ControlPlane {
    pub api: TestPlatform,
    pub cluster: String,
}

impl ControlPlane {
    pub fn new(builder: SandboxBuilder) -> Self {
        let builder = builder.dployr_dialect(Dialect::ControlPlane);
        let api = TestPlatform::new(Platform::Dployr, builder);
        let cluster = api.state.dployr().access("").cluster_id;
        Self { api, cluster }
    }

    /// Adds the cluster to the query.
    pub fn scoped(&self, path: &str) -> String {
        format!("{path}?clusterId={}", self.cluster)
    }

    /// Deploys `web-one` from an image.
    pub fn deploy(&mut self) -> Value {
        let target = self.scoped("/v1/deployments");
        let body = json!({
            "name": "web-one", "type": "web", "source": "image", "image": "node:20-alpine", "port": "3000",
        });
        self.api.posted(&target, &body, 202)["data"].clone()
    }

    /// The items of the first page of a list.
    pub fn items(&mut self, path: &str) -> Vec<Value> {
        let target = self.scoped(path);
        let body = self.api.ok(&target);
        body["data"]["items"].as_array().unwrap().clone()
    }
}
