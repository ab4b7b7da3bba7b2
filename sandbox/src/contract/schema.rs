//! Schemas of OpenAPI 3.0, made into JSON Schema when they are first needed.

use std::sync::Arc;

use serde_json::{Map, Value};

/// The named schemas of a spec, as written there.
#[derive(Debug, Default)]
pub(super) struct Components(Map<String, Value>);

impl Components {
    pub(super) fn new(schemas: Option<&Value>) -> Arc<Self> {
        let schemas = schemas.and_then(Value::as_object);
        Arc::new(Self(schemas.cloned().unwrap_or_default()))
    }
}

/// One schema of a spec.
#[derive(Debug)]
pub(super) struct Schema {
    source: Value,
    components: Arc<Components>,
}

impl Schema {
    pub(super) fn new(source: Option<&Value>, components: &Arc<Components>) -> Self {
        Self {
            source: source.cloned().unwrap_or_default(),
            components: Arc::clone(components),
        }
    }
}
