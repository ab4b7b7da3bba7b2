//! Webhook requests of the platform about a deployment.

use super::{Deployment, DeploymentStatus};
use crate::error::Result;
use crate::webhook;
use serde_json::Value;

/// The body of a webhook request: a deployment, as [`get`](super::DeploymentHandle::get) returns it.
///
/// The platform sends a POST request to the URLs that were set with
/// [`webhook_on_ready`](super::NewDeployment::webhook_on_ready),
/// [`webhook_on_error`](super::NewDeployment::webhook_on_error) and
/// [`webhook_on_terminated`](super::NewDeployment::webhook_on_terminated). It does not sign the requests,
/// and does not retry them if your server takes longer than 10 s. Verify the
/// [`CallbackSecret`](crate::webhook::CallbackSecret) first, and get the deployment before you act on it:
///
/// ```no_run
/// # use deploykit::{edgegap, webhook::CallbackSecret};
/// # async fn called(uri: &str, body: &[u8], secret: &CallbackSecret, client: &edgegap::Client) -> deploykit::Result<()> {
/// secret.verify(uri)?;
/// let event = edgegap::WebhookEvent::from_bytes(body)?;
/// let deployment = client.deployment(&event.deployment.request_id).get().await?;
/// # Ok(()) }
/// ```
///
/// Source: <https://docs.edgegap.com/docs/deployment/arbitrium-deploy-webhook>
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// The deployment at the time of the request.
    ///
    /// Only `request_id` is always set. A missing status becomes
    /// [`Unknown`](DeploymentStatus::Unknown) with an empty string.
    pub deployment: Deployment,
}

/// Kind of a webhook request, by the status of its deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WebhookKind {
    /// Players can connect.
    Ready,
    /// The deployment failed.
    Error,
    /// The deployment is stopping or has stopped.
    Terminated,
    /// Any other status, including unknown ones; see
    /// [`current_status`](Deployment::current_status).
    Other,
}

impl WebhookEvent {
    /// Parses the body of a webhook request.
    ///
    /// Rejects bodies over 1 MiB ([`MAX_BODY_BYTES`](webhook::MAX_BODY_BYTES)). Set this limit in your HTTP
    /// server, too, because here the body is already in memory.
    ///
    /// # Errors
    /// [`Decode`](crate::ErrorKind::Decode) if the body is too long, not UTF-8, not JSON, nested
    /// too deeply, or not a deployment. The error does not quote the body.
    ///
    /// Source: <https://docs.edgegap.com/docs/deployment/arbitrium-deploy-webhook>
    pub fn from_bytes(body: &[u8]) -> Result<Self> {
        let Value::Object(mut fields) = webhook::json(body)? else {
            return Err(webhook::unreadable("is not a JSON object"));
        };
        // The id is enough to get the deployment, so the status is optional.
        let status = fields.entry("current_status").or_insert(Value::Null);
        if status.is_null() {
            *status = Value::from("");
        }
        let deployment: Deployment = webhook::decode(Value::Object(fields))?;
        if deployment.request_id.as_str().trim().is_empty() {
            return Err(webhook::unreadable("has no request_id"));
        }
        Ok(Self { deployment })
    }

    /// The kind, by the status and the fields `error` and `running` of the deployment.
    ///
    /// The body does not name the event. To distinguish the webhooks, use a different path for each URL.
    pub fn kind(&self) -> WebhookKind {
        let ends = [DeploymentStatus::Terminating, DeploymentStatus::Terminated];
        if ends.contains(&self.deployment.current_status) {
            WebhookKind::Terminated
        } else if self.deployment.has_failed() {
            WebhookKind::Error
        } else if self.deployment.is_ready() {
            WebhookKind::Ready
        } else {
            WebhookKind::Other
        }
    }
}
