//! A YAML parser that keeps the positions of keys and values.

use crate::error::Error;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error as Fault, Spanned};
use std::fmt;

#[path = "../../../build/yaml.rs"]
mod options;

/// A YAML value with the positions of its parts.
pub(super) enum Node {
    Scalar(Scalar),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

/// A YAML scalar.
pub(super) struct Scalar {
    /// The value. A number that JSON cannot represent is rounded.
    pub(super) value: Value,
    /// The parsed value as text; empty for null. A number may be written differently in the file.
    pub(super) text: String,
}

/// Parses a document. Ignores a byte order mark, also in positions.
///
/// `yes` and `0755` are parsed as strings, as in YAML 1.2, so that they are sent as written.
///
/// Errors have line and column. They drop the parser's message: it contains keys and values, which may be
/// secrets.
pub(in crate::nexlayer) fn parse<T: DeserializeOwned>(text: &str) -> crate::Result<T> {
    let text = without_byte_order_mark(text);
    serde_saphyr::from_str_with_options(text, options::options()).map_err(|fault| {
        let mut message = "the manifest is not valid YAML".to_owned();
        if let Some(at) = fault.location() {
            message += &format!(" at line {}, column {}", at.line(), at.column());
        }
        if let Some(reason) = reason(&fault) {
            message += &format!(": {reason}");
        }
        Error::invalid_request(message)
    })
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

/// The text without a byte order mark.
pub(super) fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl Node {
    /// The value of a field of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        let mut entries = entries.iter();
        entries.find_map(|(name, value)| (name.value == key).then_some(&value.value))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(scalar) if scalar.value.is_null())
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Scalar(scalar) => scalar.value.clone(),
            Self::List(items) => items.iter().map(|item| item.value.to_json()).collect(),
            Self::Map(entries) => {
                let json = |(key, value): &(Spanned<String>, Spanned<Self>)| {
                    (key.value.clone(), value.value.to_json())
                };
                Value::Object(entries.iter().map(json).collect())
            }
        }
    }
}

fn scalar<E>(value: impl Into<Value>, text: impl ToString) -> Result<Node, E> {
    Ok(Node::Scalar(Scalar {
        value: value.into(),
        text: text.to_string(),
    }))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any YAML")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                scalar(value, value)
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                scalar(value, value)
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                scalar(value, value)
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                scalar(value, value)
            }

            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                scalar(value, value)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                scalar(Value::Null, "")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = access.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
