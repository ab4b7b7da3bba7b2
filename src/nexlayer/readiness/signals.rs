//! The state of an application according to each signal.

use super::Signal;
use crate::nexlayer::{ApplicationState, PodStatus};
use crate::phase::Phase;

/// The state of an application according to one signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignalState {
    pub phase: Phase,
    pub signal: Signal,
    /// The platform's status.
    pub raw_status: String,
    pub reason: Option<String>,
}

impl SignalState {
    fn new(signal: Signal, phase: Phase, raw_status: &str) -> Self {
        Self {
            phase,
            signal,
            raw_status: raw_status.to_owned(),
            reason: None,
        }
    }

    fn with_reason(mut self, reason: String) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The state in a reservation.
    ///
    /// The vendor's command line waits for `running`, `completed` or `failed`.
    pub fn of_reservation(state: &ApplicationState) -> Self {
        let phase = match state {
            ApplicationState::Pending => Phase::Queued,
            ApplicationState::Deploying => Phase::InProgress,
            ApplicationState::Running | ApplicationState::Completed => Phase::Ready,
            ApplicationState::Failed => Phase::Failed,
            _ => Phase::Unknown,
        };
        Self::new(Signal::Reservation, phase, state.as_str())
    }

    /// The state according to the site's status code: ready below 500.
    pub fn of_site(status: Option<u16>) -> Self {
        let state = |phase| Self::new(Signal::Site, phase, "");
        match status {
            Some(..500) => state(Phase::Ready),
            Some(status) => {
                state(Phase::InProgress).with_reason(format!("the site answers {status}"))
            }
            None => state(Phase::InProgress).with_reason("the site does not answer".to_owned()),
        }
    }

    /// The state according to the pods; `None` without pods.
    ///
    /// Pods have statuses and reasons of Kubernetes, in upper or lower case. Kubernetes retries after
    /// `CrashLoopBackOff` and `ImagePullBackOff`, so these are not failures.
    pub fn of_pods(pods: &[PodStatus]) -> Option<Self> {
        let worst = pods.iter().max_by_key(|pod| rank(phase_of_pod(pod)))?;
        let up = pods.iter().filter(|pod| phase_of_pod(pod) == Phase::Ready);
        let (up, all) = (up.count(), pods.len());
        let status = worst.status.as_deref().unwrap_or_default();
        let phase = match phase_of_pod(worst) {
            // If another pod runs, the deploy has started.
            Phase::Queued if up > 0 => Phase::InProgress,
            phase => phase,
        };
        let state = Self::new(Signal::Pods, phase, status);
        if phase == Phase::Ready {
            return Some(state);
        }
        let name = worst.name.as_deref().unwrap_or("a pod");
        let status = if status.is_empty() {
            "without a status"
        } else {
            status
        };
        Some(state.with_reason(format!("{up} of {all} pods run, {name} is {status}")))
    }

    /// Merges a less reliable signal: uses its status if the first one is empty, and appends its reason.
    pub fn merge(state: Option<Self>, next: Self) -> Self {
        let Some(mut state) = state else {
            return next;
        };
        if state.raw_status.is_empty() {
            state.raw_status = next.raw_status;
        }
        state.reason = match (state.reason, next.reason) {
            (Some(first), Some(second)) => Some(format!("{first}; {second}")),
            (first, second) => first.or(second),
        };
        state
    }
}

fn phase_of_pod(pod: &PodStatus) -> Phase {
    let status = pod.status.as_deref().unwrap_or_default().to_lowercase();
    match status.as_str() {
        "running" | "succeeded" | "completed" => Phase::Ready,
        "pending" => Phase::Queued,
        "containercreating" | "podinitializing" | "error" | "crashloopbackoff"
        | "imagepullbackoff" | "errimagepull" | "oomkilled" => Phase::InProgress,
        "failed" => Phase::Failed,
        _ => Phase::Unknown,
    }
}

/// Rank of a phase: the pod with the highest rank determines the phase of the application.
fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Failed => 4,
        Phase::InProgress => 3,
        Phase::Queued => 2,
        Phase::Ready => 0,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_of_a_reservation_maps_to_a_phase() {
        for (state, phase) in [
            ("pending", Phase::Queued),
            ("deploying", Phase::InProgress),
            ("running", Phase::Ready),
            ("completed", Phase::Ready),
            ("failed", Phase::Failed),
            ("Hibernating", Phase::Unknown),
        ] {
            let found = SignalState::of_reservation(&ApplicationState::from(state));
            assert_eq!((found.phase, found.raw_status.as_str()), (phase, state));
        }
    }

    #[test]
    fn site_is_ready_if_its_status_is_below_500() {
        for status in [200, 204, 301, 308, 401, 403, 404, 429, 499] {
            assert_eq!(
                SignalState::of_site(Some(status)).phase,
                Phase::Ready,
                "{status}"
            );
        }
        for status in [500, 502, 503, 504, 521, 599] {
            let found = SignalState::of_site(Some(status));
            assert_eq!(found.phase, Phase::InProgress, "{status}");
            assert_eq!(found.reason, Some(format!("the site answers {status}")));
        }
        let found = SignalState::of_site(None);
        assert_eq!(found.phase, Phase::InProgress);
        assert_eq!(found.reason.as_deref(), Some("the site does not answer"));
    }

    #[test]
    fn worst_pod_determines_the_phase() {
        const ROWS: &str = "
Running => ready Running
running Succeeded => ready Succeeded
Pending Pending => queued Pending: 0 of 2 pods run, p1 is Pending
Running Pending => in_progress Pending: 1 of 2 pods run, p1 is Pending
Running ImagePullBackOff Pending => in_progress ImagePullBackOff: 1 of 3 pods run, p1 is ImagePullBackOff
Failed ImagePullBackOff Running => failed Failed: 1 of 3 pods run, p0 is Failed
Running Dreaming => unknown Dreaming: 1 of 2 pods run, p1 is Dreaming
Running - => unknown : 1 of 2 pods run, p1 is without a status
";
        for row in ROWS.trim().lines() {
            let (states, expected) = row.split_once(" => ").unwrap();
            let pods = states.split(' ').enumerate().map(|(n, state)| {
                let pod = serde_json::json!({ "name": format!("p{n}"), "status": state.trim_matches('-') });
                serde_json::from_value(pod).unwrap()
            });
            let found = SignalState::of_pods(&pods.collect::<Vec<_>>()).unwrap();
            let reason = found.reason.map(|reason| format!(": {reason}"));
            let reason = reason.unwrap_or_default();
            assert_eq!(
                format!("{} {}{reason}", found.phase, found.raw_status),
                expected
            );
        }
        assert_eq!(SignalState::of_pods(&[]), None);
    }
}
