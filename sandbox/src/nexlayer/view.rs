//! The applications, for a person to look at.

use std::time::Duration;

use super::Nexlayer;
use crate::deployed::Deployed;

impl Nexlayer {
    /// The newest first. Session tokens stay inside.
    pub(crate) fn deployed(&self, now: Duration) -> Vec<Deployed> {
        let sessions = self.sessions.iter().rev();
        let apps = sessions.flat_map(|session| session.applications.iter().rev());
        apps.filter(|app| app.reserved || now < app.gone_at)
            .map(|app| {
                let status = app.status(self.timing, now);
                let state = status.get("state").and_then(|state| state.as_str());
                Deployed {
                    kind: "application",
                    name: app.name.clone(),
                    deployment: None,
                    state: state.unwrap_or_default().to_owned(),
                    since: app.deployed_at,
                    address: Some(app.url(self.server.as_deref())),
                }
            })
            .collect()
    }
}
