//! What Nexlayer keeps at most.

use super::Nexlayer;
use crate::bounds::{MOST_OF_ONE, cut};

impl Nexlayer {
    pub(crate) fn bound(&mut self, most: usize) {
        for session in &mut self.sessions {
            cut(&mut session.applications, MOST_OF_ONE, |app| !app.reserved);
        }
        let applications = |sessions: &[super::Session]| {
            let each = sessions.iter().map(|session| session.applications.len());
            each.sum::<usize>()
        };
        while applications(&self.sessions) > most {
            let without =
                |session: &super::Session| session.applications.iter().all(|app| !app.reserved);
            let fewer = self.sessions.len().saturating_sub(1);
            cut(&mut self.sessions, fewer, without);
        }
    }
}
