//! Errors about a text that is not YAML, or exceeds the limits of the parser.
//!
//! The parser's own messages show keys and values, which may be secrets, so they are not passed on.

use super::rules::{Rule, Warning};
use crate::error::Error;
use serde_saphyr::Error as Fault;
use serde_saphyr::budget::BudgetBreach;

/// The error for a manifest.
pub(super) fn error(fault: &Fault) -> Error {
    let place = fault
        .location()
        .map(|at| format!(" at line {}, column {}", at.line(), at.column()))
        .unwrap_or_default();
    Error::invalid_request(match reason(fault) {
        None => format!("the manifest is not valid YAML{place}"),
        Some(reason) => format!("the manifest is not valid YAML{place}: {reason}"),
    })
}

/// The same as a warning.
pub(super) fn warning(fault: &Fault) -> Warning {
    let at = fault.location().unwrap_or(serde_saphyr::Location::UNKNOWN);
    Warning {
        rule: Rule::Unreadable,
        message: reason(fault).unwrap_or("this cannot be read").to_owned(),
        line: at.line(),
        column: at.column(),
        path: String::new(),
    }
}

/// Whether a list or a map is a key.
pub(super) fn is_odd_key(fault: &Fault) -> bool {
    match fault {
        Fault::AliasError { error, .. } | Fault::WithSnippet { error, .. } => is_odd_key(error),
        Fault::Unexpected { expected, .. } => *expected == "string scalar",
        _ => false,
    }
}

fn reason(fault: &Fault) -> Option<&'static str> {
    Some(match fault {
        Fault::AliasError { error, .. } | Fault::WithSnippet { error, .. } => return reason(error),
        Fault::DuplicateMappingKey { .. } => "a key is there twice",
        Fault::MultipleDocuments { .. } => {
            "a second document starts there, and a manifest is a single one"
        }
        Fault::UnknownAnchor { .. } => "an alias has no anchor",
        Fault::RecursiveReferencesRequireWeakTypes { .. } => "an anchor holds an alias of itself",
        Fault::AliasReplayLimitExceeded { .. }
        | Fault::AliasExpansionLimitExceeded { .. }
        | Fault::AliasReplayStackDepthExceeded { .. }
        | Fault::AliasReplayCounterOverflow { .. } => {
            "its aliases make it larger than a manifest may be"
        }
        Fault::MergeValueNotMapOrSeqOfMaps { .. } => "<< takes a map",
        fault if is_odd_key(fault) => "a key is expected to be a text",
        Fault::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => "it is nested deeper than a manifest may be",
            BudgetBreach::Aliases { .. }
            | BudgetBreach::Anchors { .. }
            | BudgetBreach::AliasAnchorRatio { .. } => {
                "it has more anchors and aliases than a manifest may have"
            }
            _ => "it holds more than a manifest may, with its aliases written out",
        },
        _ => return None,
    })
}
