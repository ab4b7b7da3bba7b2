//! What the control plane alone keeps at most.

use super::Own;
use crate::bounds::{MOST, cut};

impl Own {
    pub(in crate::dployr) fn bound(&mut self) {
        self.access.bound();
        self.account.bound();
        cut(&mut self.domains, MOST, |domain| !domain.is_active());
    }
}
