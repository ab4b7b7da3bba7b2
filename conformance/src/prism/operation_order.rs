//! Every operation of a platform, in an order in which each can succeed on the sandbox.

use super::operations::{Clients, Row, Setup, rows};
use deploykit::dployr;
use deploykit::{ClientBuilder, Platform, Retry, pacing::Pacing};
use deploykit_sandbox::{EdgegapAccess, Sandbox};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longer than a deployment takes in the sandbox.
const READY: Duration = Duration::from_millis(1_400);

/// The rows of a platform, and clients for them.
pub struct OperationRun {
    pub rows: Vec<Row>,
    pub clients: Clients,
    arguments: Arguments,
}

impl OperationRun {
    /// Rows and clients for a server, with the sandbox's credentials.
    pub fn new(api: &str, base_url: &str, sandbox: &Sandbox) -> Self {
        let arguments = Arguments::new(api, base_url, sandbox);
        let mut rows = rows();
        rows.retain(|row| row.operation.api == api);
        Self {
            rows,
            clients: Clients::new(arguments.clone()),
            arguments,
        }
    }

    /// Stores an id from a reply for later rows.
    pub fn store_id(&self, id: Option<(&'static str, String)>) {
        let values = self.arguments.values.lock();
        let mut values = values.unwrap_or_else(PoisonError::into_inner);
        values.extend(id.map(|(name, id)| (name.to_owned(), id)));
    }

    /// Waits until the deployment that the row started is ready.
    pub async fn wait_until_ready(&self, row: &Row) {
        if row.operation.behaviour.spends {
            tokio::time::sleep(READY).await;
        }
    }
}

/// Arguments of the calls, by name.
#[derive(Clone)]
struct Arguments {
    base_url: String,
    edgegap: EdgegapAccess,
    values: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Arguments {
    fn new(api: &str, base_url: &str, sandbox: &Sandbox) -> Self {
        let (dployr, nodion, edgegap) = (sandbox.dployr(), sandbox.nodion(), sandbox.edgegap());
        let (token, application) = match api {
            "nodion" => (&nodion.token, nodion.application_id.as_str()),
            "edgegap" => (&edgegap.token, edgegap.application.as_str()),
            _ => (&dployr.token, "guestbook"),
        };
        let values = [
            ("authorization", token.as_str()),
            ("cluster", &dployr.cluster_id),
            ("body.email", &dployr.email),
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
            ("application", application),
            // Prism rejects events that are not in the spec.
            ("event", "deployment.deleted"),
            // In the sandbox, only domains below `.test` have a TXT record.
            ("domain", "app.walk.test"),
            // Tag names that earlier rows assign.
            ("renamed_tag", "ünïcode tag"),
            ("deleted_tag", "new"),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            base_url: base_url.to_owned(),
            edgegap: edgegap.clone(),
            values: Arc::new(Mutex::new(values.into())),
        }
    }
}

impl Setup for Arguments {
    /// Builds clients without retries and without pacing.
    fn client<P: Platform>(&self, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        builder
            .base_url(&self.base_url)
            .retry(Retry::off())
            .pacing(Pacing::off())
            .timeout(Duration::from_secs(20))
            .deadline(Duration::from_secs(30))
    }

    fn dployr(&self, builder: dployr::ClientBuilder) -> dployr::ClientBuilder {
        let cluster = self.value("cluster", "");
        builder.cluster(cluster)
    }

    fn secret(&self, place: &str) -> String {
        let deployment = self.value("deployment", "a69f8e3e0555");
        let (url, token) = self.edgegap.self_stop(&deployment);
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
        if name == "self_stop_url" {
            return self.base_url.clone();
        }
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(name).map_or(default, String::as_str).to_owned()
    }
}
