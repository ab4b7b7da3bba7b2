//! Sends every operation to the sandbox, in both dialects of dployr.
//!
//! At least one variant of each operation succeeds, and each request and reply conforms to its spec.

#[path = "support/operations/mod.rs"]
mod operations;

use deploykit::{ClientBuilder, Retry};
use deploykit_sandbox::spec::{Spec, Violation};
use deploykit_sandbox::{Dialect, InProcessSandbox, Platform, Sandbox};
use operations::{Clients, Setup, rows};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Uses credentials and ids of the sandbox, and ids from earlier replies.
struct OnSandbox {
    world: InProcessSandbox,
    platform: Platform,
    ids: Arc<Mutex<HashMap<&'static str, String>>>,
}

impl OnSandbox {
    fn known(&self, name: &str) -> Option<String> {
        self.ids.lock().unwrap().get(name).cloned()
    }

    /// The key and token with which the latest Edgegap deployment stops itself.
    fn self_stop(&self) -> (String, String) {
        let deployment = self.known("deployment").unwrap_or_default();
        let (url, token) = self.world.edgegap_access().self_stop(&deployment);
        let (_, key) = url.rsplit_once('/').unwrap();
        (key.to_owned(), token)
    }
}

impl Setup for OnSandbox {
    fn client<P: deploykit::Platform>(&self, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        let builder = self.world.connect(self.platform, builder);
        builder.retry(Retry::off())
    }

    fn secret(&self, place: &str) -> String {
        let dployr = self.world.dployr_access();
        match place {
            "authorization" => match self.platform {
                Platform::Nexlayer => "none".to_owned(),
                Platform::Dployr => dployr.token,
                Platform::Nodion => self.world.nodion_access().token,
                Platform::Edgegap => self.world.edgegap_access().token,
            },
            "authorization (container)" => self.self_stop().1,
            "path.stop_key" => self.self_stop().0,
            "body.code" => dployr.login_code,
            "body.email" => dployr.email,
            "body.password" => dployr.password,
            "body.token" => dployr.identity_token,
            "body.sessionID" | "body.sessionToken" | "query.sessionToken" => {
                self.known("session").unwrap_or_default()
            }
            place => self.known(place).unwrap_or_else(|| "secret".to_owned()),
        }
    }

    fn value(&self, name: &str, default: &str) -> String {
        let (dployr, nodion) = (self.world.dployr_access(), self.world.nodion_access());
        let edgegap = self.world.edgegap_access();
        match (self.platform, name) {
            (Platform::Nexlayer, "application") => "guestbook".to_owned(),
            (Platform::Dployr, "cluster") => dployr.cluster_id,
            (Platform::Dployr, "instance_tag") => dployr.instance_tag,
            // Only names under `.test` can be verified.
            (Platform::Dployr, "domain") => "app.test".to_owned(),
            (Platform::Nodion, "application") => nodion.application_id,
            (Platform::Nodion, "image_application") => nodion.image_application_id,
            (Platform::Nodion, "region") => nodion.region_id,
            (Platform::Nodion, "instance_type") => nodion.instance_type_id,
            (Platform::Edgegap, "application") => edgegap.application,
            (Platform::Edgegap, "version") => edgegap.version,
            (Platform::Edgegap, "host") => edgegap.private_host_id,
            // One row creates this tag, and a later one renames it.
            (Platform::Edgegap, "renamed_tag") => "ünïcode tag".to_owned(),
            (Platform::Edgegap, "deleted_tag") => "new".to_owned(),
            (_, name) => self.known(name).unwrap_or_else(|| default.to_owned()),
        }
    }
}

/// The operations without a successful variant, with the errors of their variants.
async fn failures(platform: Platform, dialect: Dialect) -> Vec<(&'static str, String)> {
    let builder = Sandbox::builder().dployr_dialect(dialect);
    let world = builder.rate_limits(false).in_process();
    let ids = Arc::default();
    let clients = Clients::new(OnSandbox {
        world: world.clone(),
        platform,
        ids: Arc::clone(&ids),
    });
    let mut failures = Vec::new();
    for row in rows() {
        if row.operation.api != platform.to_string() {
            continue;
        }
        let (mut successes, mut errors) = (0, String::new());
        for variant in &row.variants {
            // Long enough for deployments to finish and services to start.
            world.advance(Duration::from_secs(5));
            match variant.call(&clients).send().await {
                Ok(success) => {
                    successes += 1;
                    if successes == 1 {
                        ids.lock().unwrap().extend(row.id_in(&success));
                    }
                }
                Err(error) => errors.push_str(&format!("\n  {} {error}", variant.name)),
            }
        }
        if successes == 0 {
            failures.push((row.operation.id, errors));
        }
    }
    for request in world.requests() {
        // Enums are open: some variants send a value that is not in the spec.
        let is_unknown_value =
            |violation: &Violation| violation.message.starts_with("it is not one of");
        let mut problems = request.request_violations.iter();
        let problem = problems.find(|violation| !is_unknown_value(violation));
        assert_eq!(problem, None, "{request}");
        // The control plane stores unknown events of a webhook and returns them.
        let mut problems = request.reply_violations.iter();
        let problem = problems.find(|violation| {
            request.operation != Some("set_up_webhook") || !is_unknown_value(violation)
        });
        assert_eq!(problem, None, "{request}");
    }
    failures
}

#[tokio::test(start_paused = true)]
async fn nexlayer_answers_every_operation() {
    let failures = failures(Platform::Nexlayer, Dialect::Documented).await;
    assert_eq!(failures, [], "{failures:#?}");
}

#[tokio::test(start_paused = true)]
async fn nodion_answers_every_operation() {
    let failures = failures(Platform::Nodion, Dialect::Documented).await;
    assert_eq!(failures, [], "{failures:#?}");
}

#[tokio::test(start_paused = true)]
async fn edgegap_answers_every_operation() {
    let failures = failures(Platform::Edgegap, Dialect::Documented).await;
    assert_eq!(failures, [], "{failures:#?}");
}

#[tokio::test(start_paused = true)]
async fn dployr_answers_every_operation_of_each_dialect() {
    for dialect in [Dialect::Documented, Dialect::ControlPlane] {
        let mut failures = failures(Platform::Dployr, dialect).await;
        failures.retain(|(id, _)| {
            let operation = Spec::of(Platform::Dployr).operation(id).unwrap();
            operation.documented() == (dialect == Dialect::Documented)
        });
        assert_eq!(failures, [], "{dialect:?} {failures:#?}");
    }
}
