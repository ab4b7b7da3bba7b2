//! Errors about text that is not YAML, or exceeds the limits of the parser.
//!
//! The parser's own messages contain keys and values, which may be secrets, so they are not passed on.

use crate::error::Error;
use serde_saphyr::Error as Fault;
use serde_saphyr::budget::BudgetBreach;

/// The error for a manifest, with line and column.
pub(in crate::nexlayer) fn error(fault: &Fault) -> Error {
    let mut message = "the manifest is not valid YAML".to_owned();
    if let Some(at) = fault.location() {
        message += &format!(" at line {}, column {}", at.line(), at.column());
    }
    if let Some(reason) = reason(fault) {
        message += &format!(": {reason}");
    }
    Error::invalid_request(message)
}

fn reason(fault: &Fault) -> Option<&'static str> {
    Some(match fault {
        Fault::AliasError { error, .. } | Fault::WithSnippet { error, .. } => return reason(error),
        Fault::DuplicateMappingKey { .. } => "duplicate key",
        Fault::MultipleDocuments { .. } => "a second document starts here; only one is allowed",
        Fault::UnknownAnchor { .. } => "the alias has no anchor",
        Fault::RecursiveReferencesRequireWeakTypes { .. } => "the anchor contains its own alias",
        Fault::MergeValueNotMapOrSeqOfMaps { .. } => "<< requires a map",
        Fault::Unexpected { expected, .. } if *expected == "string scalar" => {
            "a key must be a string"
        }
        Fault::AliasReplayLimitExceeded { .. }
        | Fault::AliasExpansionLimitExceeded { .. }
        | Fault::AliasReplayStackDepthExceeded { .. }
        | Fault::AliasReplayCounterOverflow { .. } => "it is too large with all aliases expanded",
        Fault::Budget {
            breach: BudgetBreach::Depth { .. },
            ..
        } => "it is nested too deeply",
        Fault::Budget { .. } => "it is too large with all aliases expanded",
        _ => return None,
    })
}
