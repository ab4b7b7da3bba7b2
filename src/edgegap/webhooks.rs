//! What the platform sends to the URLs of a deployment.

use super::{Deployment, DeploymentStatus};
use crate::error::Result;
use crate::webhook;
use serde_json::Value;

/// A call of the platform to one of the URLs given with
/// [`webhook_on_ready`](super::NewDeployment::webhook_on_ready),
/// [`webhook_on_error`](super::NewDeployment::webhook_on_error) and
/// [`webhook_on_terminated`](super::NewDeployment::webhook_on_terminated): a POST with the deployment
/// as JSON, the same as [`get`](super::DeploymentHandle::get) gives.
///
/// It is not signed, and not sent again when your server does not answer within 10 seconds. Check its
/// [`CallbackSecret`](crate::webhook::CallbackSecret) first, and ask the platform before you act on it:
///
/// ```no_run
/// # use deploykit::{edgegap, webhook::CallbackSecret};
/// # async fn called(uri: &str, body: &[u8], secret: &CallbackSecret, client: &edgegap::Client) -> deploykit::Result<()> {
/// secret.verify(uri)?;
/// let event = edgegap::WebhookEvent::from_bytes(body)?;
/// let now = client.deployment(&event.deployment.request_id).get().await?;
/// # Ok(()) }
/// ```
///
/// Source: <https://docs.edgegap.com/docs/deployment/arbitrium-deploy-webhook>
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// The deployment as it was when the platform called. Only its `request_id` is certain to be there;
    /// a status that is missing is [`Unknown`](DeploymentStatus::Unknown) and empty.
    pub deployment: Deployment,
}

/// What happened, as far as the body tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WebhookKind {
    /// Players can connect.
    Ready,
    /// Something went wrong.
    Error,
    /// It stops, or it has stopped.
    Terminated,
    /// Something else, or a status that this version does not know: see
    /// [`current_status`](Deployment::current_status).
    Other,
}

impl WebhookEvent {
    /// Reads the body of a call, of at most 1 MiB ([`MAX_BODY_BYTES`](webhook::MAX_BODY_BYTES)). Set a body limit
    /// in your HTTP server, too: the body is already in memory here.
    ///
    /// # Errors
    /// [`Decode`](crate::ErrorKind::Decode) for what is too long, no UTF-8, no JSON, nested too deeply, or no
    /// deployment. It repeats nothing of the body.
    ///
    /// Source: <https://docs.edgegap.com/docs/deployment/arbitrium-deploy-webhook>
    pub fn from_bytes(body: &[u8]) -> Result<Self> {
        let Value::Object(mut fields) = webhook::json(body)? else {
            return Err(webhook::unreadable("is not a JSON object"));
        };
        // The id of a deployment is enough to ask for the rest of it.
        let status = fields.entry("current_status").or_insert(Value::Null);
        if status.is_null() {
            *status = Value::from("");
        }
        let deployment: Deployment = webhook::decode(Value::Object(fields))?;
        // What a caller does next is to ask for it.
        if deployment.request_id.trim().is_empty() {
            return Err(webhook::unreadable("names no deployment"));
        }
        Ok(Self { deployment })
    }

    /// What happened, by the status and the flags of the deployment. The body does not say which of the
    /// URLs was called; the path of the request does, when each has its own.
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
