//! The applications, for a person to look at.

use std::fmt;
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

/// How much there is.
impl fmt::Debug for Nexlayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nexlayer")
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}
