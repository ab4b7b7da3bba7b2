//! Decodes documented, recorded and unusual replies.
//!
//! `examples` decodes all examples of the specs, `dployr::recorded` all captured exchanges. The other files
//! test further replies.

mod dployr;
#[path = "../support/drift_log.rs"]
mod drift_log;
mod edgegap;
mod examples;
mod lenient;
mod nexlayer;
mod nodion;
#[path = "../support/operations/mod.rs"]
mod operations;
#[path = "../support/examples.rs"]
mod specs;
#[path = "../support/mod.rs"]
mod support;

use deploykit::testing::{CannedReply, Recorder};
use deploykit::{ClientBuilder, Effect, Error, ErrorKind, Platform, Result, operation::Operation};
use operations::{Clients, Row, Setup, Success, rows};
use std::sync::{Arc, Mutex};

/// Calls operations and answers them with given replies.
pub struct Replay {
    pub recorder: Recorder,
    rows: Vec<Row>,
    clients: Clients,
    arguments: Arc<Mutex<Arguments>>,
}

/// Arguments of the next call, instead of the defaults.
#[derive(Default)]
struct Arguments {
    ids: Vec<String>,
    cluster: Option<String>,
}

/// Clients that share the recorder.
struct Recorded {
    recorder: Recorder,
    arguments: Arc<Mutex<Arguments>>,
}

impl Setup for Recorded {
    fn client<P: Platform>(&self, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        // A loopback URL avoids loading the system's certificates.
        builder
            .base_url("http://127.0.0.1:9")
            .recorder(&self.recorder)
    }

    fn secret(&self, place: &str) -> String {
        match place {
            // Must differ from the ids in the examples, because texts equal to a secret are redacted.
            "path.stop_key" => "k3y-660".to_owned(),
            _ => "used-4Qz7".to_owned(),
        }
    }

    fn id(&self, name: &str, default: &str) -> String {
        let ids = &self.arguments.lock().unwrap().ids;
        let id = if name == "key" {
            ids.get(1)
        } else {
            ids.first()
        };
        id.cloned().unwrap_or_else(|| default.to_owned())
    }

    fn value(&self, name: &str, default: &str) -> String {
        let arguments = self.arguments.lock().unwrap();
        let cluster = arguments.cluster.clone().filter(|_| name == "cluster");
        cluster.unwrap_or_else(|| default.to_owned())
    }
}

impl Default for Replay {
    fn default() -> Self {
        let recorder = Recorder::new();
        let arguments = Arc::<Mutex<Arguments>>::default();
        let clients = Clients::new(Recorded {
            recorder: recorder.clone(),
            arguments: arguments.clone(),
        });
        Self {
            recorder,
            rows: rows(),
            clients,
            arguments,
        }
    }
}

impl Replay {
    pub fn set_arguments(&self, ids: Vec<String>, cluster: Option<String>) {
        *self.arguments.lock().unwrap() = Arguments { ids, cluster };
    }

    /// Calls a variant of an operation and answers it with this reply.
    pub async fn send(
        &self,
        operation: &Operation,
        variant: &str,
        reply: CannedReply,
    ) -> Result<Success> {
        let row = self.rows.iter().find(|row| row.operation == operation);
        let mut variants = row.unwrap().variants.iter();
        let variant = variants.find(|one| one.name == variant).unwrap();
        self.recorder.reply(operation.id, reply);
        let mut success = variant.call(&self.clients).send().await?;
        match success.failures.pop() {
            Some(failure) => Err(failure),
            None => Ok(success),
        }
    }

    /// Whether an operation has this variant.
    pub fn has(&self, operation: &Operation, variant: &str) -> bool {
        let row = self.rows.iter().find(|row| row.operation == operation);
        row.unwrap().variants.iter().any(|one| one.name == variant)
    }

    /// Calls the first variant of the operation with this platform and id.
    pub async fn call(&self, api: &str, id: &str, reply: CannedReply) -> Result<Success> {
        let mut operations = deploykit::operation::OPERATIONS.iter();
        let operation = operations.find(|one| one.api == api && one.id == id);
        self.send(operation.unwrap(), "", reply).await
    }
}

#[track_caller]
pub fn assert_failure(error: &Error, kind: ErrorKind, effect: Effect) {
    assert_eq!((error.kind(), error.effect()), (kind, effect), "{error}");
}

/// A canned reply with a JSON body.
pub fn json_reply(status: u16, body: impl ToString) -> CannedReply {
    CannedReply::json(status, body.to_string())
}
