//! Every operation of a platform, in an order in which the sandbox can answer.

use crate::operations::{Clients, Row, Setup, rows};
use deploykit::dployr;
use deploykit::{ClientBuilder, Pacing, Platform, Retry};
use deploykit_sandbox::{EdgegapAccess, Sandbox};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a deployment of the sandbox takes to be ready.
const READY: Duration = Duration::from_millis(1_400);

/// The rows of a platform and the clients to call them with.
pub struct Walk {
    pub rows: Vec<Row>,
    pub clients: Clients,
    arguments: Arc<Arguments>,
}

impl Walk {
    /// A walk to a server at this address, with what the sandbox accepts.
    pub fn new(api: &str, base_url: &str, sandbox: &Sandbox) -> Self {
        let arguments = Arc::new(Arguments::new(api, base_url, sandbox));
        Self {
            rows: rows()
                .into_iter()
                .filter(|row| row.operation.api == api)
                .collect(),
            clients: Clients::new(Shared(Arc::clone(&arguments))),
            arguments,
        }
    }

    /// Keeps the id of what was created or found, for later rows.
    pub fn keep(&self, id: Option<(&'static str, String)>) {
        if let Some((name, id)) = id {
            self.arguments.set(name, &id);
        }
    }

    /// Waits after a row until its deployment is ready.
    pub async fn settle(&self, row: &Row) {
        if row.operation.behaviour.spends {
            tokio::time::sleep(READY).await;
        }
    }
}

/// The arguments of the calls, by name.
struct Arguments {
    base_url: String,
    edgegap: EdgegapAccess,
    values: Mutex<BTreeMap<String, String>>,
}

impl Arguments {
    fn new(api: &str, base_url: &str, sandbox: &Sandbox) -> Self {
        let (dployr, nodion, edgegap) = (sandbox.dployr(), sandbox.nodion(), sandbox.edgegap());
        let token = match api {
            "nodion" => &nodion.token,
            "edgegap" => &edgegap.token,
            _ => &dployr.token,
        };
        let mut values = vec![
            ("authorization", token),
            ("cluster", &dployr.cluster_id),
            ("email", &dployr.email),
            ("body.password", &dployr.password),
            ("body.code", &dployr.login_code),
            ("body.token", &dployr.identity_token),
            ("instance_tag", &dployr.instance_tag),
            ("version", &edgegap.version),
            ("host", &edgegap.private_host_id),
            ("fleet", &edgegap.fleet),
            ("region", &nodion.region_id),
            ("instance_type", &nodion.instance_type_id),
            ("image_application", &nodion.image_application_id),
        ];
        let guestbook = "guestbook".to_owned();
        values.push(match api {
            "nodion" => ("application", &nodion.application_id),
            "edgegap" => ("application", &edgegap.application),
            _ => ("application", &guestbook),
        });
        let values = values.into_iter();
        let values = values.map(|(name, value)| (name.to_owned(), value.clone()));
        Self {
            base_url: base_url.to_owned(),
            edgegap: edgegap.clone(),
            values: Mutex::new(values.collect()),
        }
    }

    fn set(&self, name: &str, value: &str) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.insert(name.to_owned(), value.to_owned());
    }

    fn get(&self, name: &str) -> Option<String> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(name).cloned()
    }
}

struct Shared(Arc<Arguments>);

impl Setup for Shared {
    /// Sends every call once and keeps no call waiting.
    fn client<P: Platform>(&self, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        builder
            .base_url(&self.0.base_url)
            .retry(Retry::off())
            .pacing(Pacing::off())
            .timeout(Duration::from_secs(20))
            .deadline(Duration::from_secs(30))
    }

    fn dployr(&self, builder: dployr::ClientBuilder) -> dployr::ClientBuilder {
        let cluster = self.value("cluster", "");
        builder.cluster(cluster).without_fallbacks()
    }

    fn secret(&self, place: &str) -> String {
        let deployment = self.value("deployment", "a69f8e3e0555");
        let (url, token) = self.0.edgegap.self_stop(&deployment);
        match place {
            "path.stop_key" => url.rsplit('/').next().unwrap_or_default().to_owned(),
            "authorization (container)" => token,
            "query.sessionToken" | "body.sessionToken" | "body.sessionID" => {
                self.value("session", "4ae6d1c2-5b7c-4a8e-9d0b-2f3c6a1e8b90")
            }
            place => self.value(place, "not-a-real-one"),
        }
    }

    fn value(&self, name: &str, default: &str) -> String {
        match name {
            "self_stop_url" => self.0.base_url.clone(),
            _ => self.0.get(name).unwrap_or_else(|| default.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deploykit_sandbox::Dialect;
    use std::collections::BTreeSet;

    #[tokio::test]
    async fn every_operation_succeeds_in_some_dialect_of_the_sandbox() {
        let mut failed = BTreeMap::new();
        let mut succeeded = BTreeSet::new();
        for dialect in [Dialect::ControlPlane, Dialect::Documented] {
            let sandbox = Sandbox::builder().dployr_dialect(dialect);
            let sandbox = sandbox.start().await.unwrap();
            for (api, url) in [
                ("nexlayer", &sandbox.nexlayer().base_url),
                ("dployr", &sandbox.dployr().base_url),
                ("nodion", &sandbox.nodion().base_url),
                ("edgegap", &sandbox.edgegap().base_url),
            ] {
                let walk = Walk::new(api, url, &sandbox);
                for row in &walk.rows {
                    for variant in &row.variants {
                        match variant.call(&walk.clients).send().await {
                            Ok(success) => {
                                walk.keep(row.id_in(&success));
                                succeeded.insert(row.operation.to_string());
                            }
                            Err(error) => {
                                failed.insert(row.operation.to_string(), error.to_string());
                            }
                        }
                    }
                    walk.settle(row).await;
                }
            }
        }
        failed.retain(|operation, _| !succeeded.contains(operation));
        assert!(failed.is_empty(), "{failed:#?}");
        assert_eq!(succeeded.len(), deploykit::OPERATIONS.len());
    }
}
