//! Removes parameters that the client sends from its settings.
//!
//! `X-Nodion-Project` is a header of every Nodion operation. It is set once, on the client, so no generated
//! method has to take it. The mark is `x-client-setting: true` on the parameter.

use super::schemas::{operations_mut, resolve};
use serde_json::Value;

/// Applies the pass to every operation. Without the mark the generated methods have one parameter more,
/// and the wrappers do not compile.
pub fn apply(json: &mut Value) {
    let whole = json.clone();
    for operation in operations_mut(json) {
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        if let Some(parameters) = parameters {
            parameters.retain(|parameter| {
                resolve(&whole, parameter).get("x-client-setting") != Some(&Value::Bool(true))
            });
        }
    }
}
