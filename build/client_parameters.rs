//! Removes parameters with `x-client-setting: true`, which the client sends from its settings.
//!
//! Example: the header `X-Nodion-Project` is set once on the client, so the generated methods do not take it.

use super::schemas::operations_mut;
use serde_json::Value;

/// Applies the pass to every operation.
pub fn apply(json: &mut Value) {
    for operation in operations_mut(json) {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        if let Some(parameters) = parameters {
            parameters
                .retain(|parameter| parameter.get("x-client-setting") != Some(&Value::Bool(true)));
        }
    }
}
