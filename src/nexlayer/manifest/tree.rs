//! YAML with the places of its keys and values, read once and then looked at.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Location, Spanned};
use std::fmt;

/// A value in YAML.
pub(in crate::nexlayer) enum Node {
    Scalar(Scalar),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

/// Anything but lists and maps.
pub(in crate::nexlayer) struct Scalar {
    pub(in crate::nexlayer) kind: Kind,
    /// Of a number that is how a program would write it; empty for null.
    pub(in crate::nexlayer) text: String,
}

#[derive(Clone, Copy, PartialEq)]
pub(in crate::nexlayer) enum Kind {
    Null,
    Bool(bool),
    Whole(i128),
    Decimal(f64),
    Text,
}

/// Reads a document. Its places are counted behind a byte order mark, which must be gone.
///
/// `yes` and `0755` are texts here, as in YAML 1.2: programs that read them otherwise disagree with
/// each other, and nothing of the text is lost this way.
pub(in crate::nexlayer) fn parse(text: &str) -> Result<Spanned<Node>, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

/// A text without the mark that some editors put in front.
pub(in crate::nexlayer) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Where something stands in the text, in bytes.
pub(in crate::nexlayer) fn range(location: Location) -> Option<(usize, usize)> {
    let span = location.span();
    let from = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    (length > 0).then_some((from, from + length))
}

impl Node {
    pub(in crate::nexlayer) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(scalar) if scalar.kind == Kind::Null)
    }

    /// The same without places. Numbers that JSON cannot hold become the nearest one.
    pub(in crate::nexlayer) fn to_json(&self) -> Value {
        match self {
            Self::Scalar(scalar) => match scalar.kind {
                Kind::Null => Value::Null,
                Kind::Bool(value) => value.into(),
                Kind::Whole(value) => whole(value),
                Kind::Decimal(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
                Kind::Text => scalar.text.clone().into(),
            },
            Self::List(items) => items.iter().map(|item| item.value.to_json()).collect(),
            Self::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.value.clone(), value.value.to_json()))
                    .collect(),
            ),
        }
    }
}

fn whole(value: i128) -> Value {
    if let Ok(value) = u64::try_from(value) {
        return value.into();
    }
    if let Ok(value) = i64::try_from(value) {
        return value.into();
    }
    // No text of a file needs that many digits.
    Number::from_f64(value as f64).map_or(Value::Null, Value::Number)
}

fn scalar<E>(kind: Kind, text: impl ToString) -> Result<Node, E> {
    Ok(Node::Scalar(Scalar {
        kind,
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
                scalar(Kind::Bool(value), value)
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                scalar(Kind::Whole(value.into()), value)
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                scalar(Kind::Whole(value.into()), value)
            }

            fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
                scalar(Kind::Whole(value), value)
            }

            fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
                let kind = i128::try_from(value).map_or(Kind::Decimal(value as f64), Kind::Whole);
                scalar(kind, value)
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                scalar(Kind::Decimal(value), value)
            }

            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                scalar(Kind::Text, value)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                scalar(Kind::Null, "")
            }

            fn visit_none<E>(self) -> Result<Node, E> {
                scalar(Kind::Null, "")
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
                Node::deserialize(deserializer)
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
