//! The list of injected faults, and their counters.

use super::{Fault, FaultError, Kind};
use crate::platform::Platform;
use crate::spec::{Operation, Spec};

/// An injected fault, with its counters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InjectedFault {
    /// The fault.
    pub fault: Fault,
    /// Number of matching requests since the injection.
    pub matched: u64,
    /// Number of requests that the fault was applied to.
    pub applied: u64,
}

impl InjectedFault {
    /// Whether the fault was applied less often than its [`times`](crate::FaultBuilder::times), or never if
    /// it has no limit.
    pub fn is_pending(&self) -> bool {
        self.applied < self.fault.when.times.unwrap_or(1)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct FaultList(Vec<InjectedFault>);

impl FaultList {
    pub(crate) fn inject(&mut self, fault: Fault) -> Result<(), FaultError> {
        check(&fault)?;
        self.0.push(InjectedFault {
            fault,
            matched: 0,
            applied: 0,
        });
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn all(&self) -> &[InjectedFault] {
        &self.0
    }

    /// Counts the request in all matching faults, and returns the first that applies.
    pub(crate) fn apply(&mut self, platform: Platform, operation: Option<&str>) -> Option<Fault> {
        self.apply_first(|fault| {
            !fault.is_for_webhooks() && fault.when.matches(platform, operation)
        })
    }

    /// Whether this webhook call is dropped.
    pub(crate) fn drops_webhook(&mut self, platform: Platform) -> bool {
        self.apply_first(|fault| fault.is_for_webhooks() && fault.when.matches(platform, None))
            .is_some()
    }

    fn apply_first(&mut self, matches: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut applied = None;
        for injected in self
            .0
            .iter_mut()
            .filter(|injected| matches(&injected.fault))
        {
            injected.matched = injected.matched.saturating_add(1);
            if applied.is_none() && injected.fault.when.applies_to(injected.matched) {
                injected.applied = injected.applied.saturating_add(1);
                applied = Some(injected.fault.clone());
            }
        }
        applied
    }
}

/// Rejects a fault that can never apply, because a test with it would pass without testing anything.
fn check(fault: &Fault) -> Result<(), FaultError> {
    let when = &fault.when;
    let is_text = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let reason = match &fault.kind {
        _ if when.first == 0 => "requests are counted from 1",
        _ if when.times == Some(0) => "it would apply 0 times",
        _ if fault.changes_reply() && !fault.processed => {
            "it changes the platform's reply, so it cannot have `before`"
        }
        Kind::Status { code, .. } if !(200..=599).contains(code) => "the status must be 200 to 599",
        Kind::Status {
            body: Some((content_type, _)),
            ..
        } if !is_text(content_type) => "the content type is invalid",
        Kind::Dribble { piece: 0, .. } => "a piece needs at least one byte",
        Kind::DropWebhook if when.operation.is_some() => {
            "drop-webhook cannot have an operation; use *"
        }
        _ => "",
    };
    let refuse = |reason: &str| Err(FaultError(format!("{fault}: {reason}")));
    if !reason.is_empty() {
        return refuse(reason);
    }
    let Some(operation) = &when.operation else {
        return Ok(());
    };
    let platforms = match &when.platform {
        Some(platform) => vec![*platform],
        None => Platform::ALL.to_vec(),
    };
    let known = platforms.into_iter().flat_map(|platform| {
        let operations = Spec::of(platform).operations().iter();
        operations.map(move |known| (platform, Operation::id(known)))
    });
    let nearest = known.min_by_key(|(_, id)| distance(operation, id));
    let nearest = match nearest {
        Some((_, id)) if id == operation => return Ok(()),
        Some((platform, id)) => format!("; did you mean {platform}.{id}?"),
        None => String::new(),
    };
    let subject = match when.platform {
        Some(platform) => format!("{platform} has no"),
        None => "no platform has the".to_owned(),
    };
    refuse(&format!("{subject} operation {operation}{nearest}"))
}

/// The Levenshtein distance, to suggest a similar operation.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut next = vec![at + 1];
        for ((other, above), diagonal) in right.iter().zip(row.iter().skip(1)).zip(&row) {
            let beside = next.last().copied().unwrap_or(0);
            let changed = diagonal + usize::from(*other != letter);
            next.push(changed.min(above + 1).min(beside + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn refusal(fault: Fault) -> String {
        let mut faults = FaultList::default();
        faults.inject(fault).unwrap_err().to_string()
    }

    #[test]
    fn faults_that_can_never_apply_are_refused() {
        assert_eq!(
            refusal(
                Fault::on("create_deploiment")
                    .platform(Platform::Edgegap)
                    .reset()
            ),
            "edgegap.create_deploiment=reset: edgegap has no operation create_deploiment; did you mean \
             edgegap.create_deployment?"
        );
        assert_eq!(
            refusal(Fault::on("list_region").reset()),
            "list_region=reset: no platform has the operation list_region; did you mean nodion.list_regions?"
        );
        let refused = refusal(Fault::on("list_regions").platform(Platform::Dployr).hang());
        let words = "dployr has no operation list_regions; did you mean dployr.";
        assert!(refused.contains(words), "{refused}");
        for (fault, words) in [
            (Fault::on_any().nth(0).reset(), "from 1"),
            (Fault::on_any().times(0).reset(), "0 times"),
            (Fault::on_any().status(99), "200 to 599"),
            (Fault::on_any().status(600), "200 to 599"),
            (Fault::on_any().truncate(1).before(), "cannot have `before`"),
            (
                Fault::on_any().delay(Duration::ZERO).before(),
                "cannot have `before`",
            ),
            (Fault::on_any().dribble(Duration::ZERO, 0), "one byte"),
            (
                Fault::on("list_regions").drop_webhook(),
                "cannot have an operation",
            ),
            (
                Fault::on_any().status_with(200, "a\r\nb: c", "x"),
                "content type",
            ),
        ] {
            let refused = refusal(fault);
            assert!(refused.contains(words), "{refused}");
        }
    }

    #[test]
    fn the_first_matching_fault_applies_and_all_matching_faults_count() {
        let mut faults = FaultList::default();
        let on = || Fault::on("create_deployment");
        for fault in [
            on().nth(1).reset(),
            on().times(2).status(503),
            on().nth(2).hang(),
        ] {
            faults.inject(fault).unwrap();
        }
        faults.inject(Fault::on_any().drop_webhook()).unwrap();
        let mut applied = |operation| {
            let fault = faults.apply(Platform::Nodion, Some(operation));
            fault.map(|fault| fault.to_string())
        };
        assert_eq!(applied("list_regions"), None);
        assert_eq!(
            applied("create_deployment").unwrap(),
            "create_deployment:1=reset"
        );
        assert_eq!(
            applied("create_deployment").unwrap(),
            "create_deployment:1-2=503"
        );
        assert_eq!(applied("create_deployment"), None);
        let uses: Vec<_> = faults
            .all()
            .iter()
            .map(|one| (one.matched, one.applied, one.is_pending()))
            .collect();
        assert_eq!(
            uses,
            [(3, 1, false), (3, 1, true), (3, 0, true), (0, 0, true)]
        );
        assert!(faults.drops_webhook(Platform::Edgegap));
        assert!(!faults.all().last().unwrap().is_pending());
    }
}
