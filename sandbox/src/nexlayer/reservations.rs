//! Reservations of applications; they need a paid plan.

use std::time::Duration;

use serde_json::{Value, json};

use super::applications::Application;
use super::{
    Nexlayer, NexlayerPlan, body_of, failure, html_text, message, required, required_token,
};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::time::rfc3339;

impl Nexlayer {
    pub(super) fn reservations(&mut self, call: &Call) -> HandlerResult {
        let (timing, server) = (self.timing, self.server.clone());
        let apps = self.session(required_token(call)?)?.applications.iter();
        let items = apps.filter(|app| app.reserved).map(|app| {
            json!({
                "applicationName": app.name,
                "environment": app.environment,
                "url": app.url(server.as_deref()),
                "status": app.status(timing, call.now),
                "createdAt": rfc3339(app.created_at),
                "expiresAt": rfc3339(app.expires_at),
            })
        });
        let items: Vec<Value> = items.collect();
        Ok(Reply::json(200, &json!({ "reservedDeployments": items })))
    }

    /// Removes all reservations.
    ///
    /// The success message is from Nexlayer/docs:data/openapi.json. The 400 has no body there, so its message
    /// is made up.
    pub(super) fn remove_reservations(&mut self, call: &Call) -> HandlerResult {
        let body = body_of(call)?;
        let session = self.session(required(&body, "sessionToken")?)?;
        for app in session.applications.iter_mut().filter(|app| app.reserved) {
            app.release(call.now);
        }
        Ok(html_text(
            "Application reservations have been removed. If deployments have reached their time limits, application \
             sites will be removed within 10 minutes.",
        ))
    }
}

pub(super) fn reserve(app: &mut Application, plan: NexlayerPlan) -> HandlerResult {
    if plan == NexlayerPlan::Free {
        // The vendor documents a 500 for a missing plan.
        return Err(failure(
            500,
            "User is not on the Scale or Conquer plan. Please upgrade your plan to add a reservation.",
        ));
    }
    // The vendor's message. Undocumented: a repeated reservation gets the same reply.
    app.reserved = true;
    let name = &app.name;
    Ok(message(&format!(
        "Application {name} reservation has been added."
    )))
}

pub(super) fn remove_reservation(app: &mut Application, now: Duration) -> HandlerResult {
    if !app.reserved {
        // Nexlayer/docs:data/openapi.json documents a 500.
        let name = &app.name;
        let text = format!("Application {name} reservation has already been removed.");
        return Err(failure(500, &text));
    }
    app.release(now);
    Ok(message(&format!(
        "Application {} reservation has been removed. Application site will be removed within the next 10 minutes.",
        app.name,
    )))
}
