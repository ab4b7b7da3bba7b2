//! String enums become open Rust enums: a new value on the wire is kept, a new value in the spec is
//! one line.

use super::schemas::{components, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// A string enum of the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenEnum {
    pub name: String,
    pub description: String,
    /// Rust variant and wire value, in the spec's order.
    pub values: Vec<(String, String)>,
    /// The length of the prefix that all values share, as in `Status.READY`.
    pub prefix: usize,
}

/// Every component that is a string enum.
pub fn collect(json: &Value) -> Vec<OpenEnum> {
    components(json)
        .filter_map(|(name, schema)| {
            let values = schema.get("enum")?.as_array()?;
            let prefix = shared_prefix(values);
            let words = text(schema, "description").unwrap_or_default();
            Some(OpenEnum {
                name: name.clone(),
                description: words.split_whitespace().collect::<Vec<_>>().join(" "),
                values: values
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|value| (variant(&value[prefix..]), value.to_owned()))
                    .collect(),
                prefix,
            })
        })
        .collect()
}

/// The macro call that declares one enum.
pub fn render(open: &OpenEnum) -> String {
    let variants: String = open
        .values
        .iter()
        .map(|(variant, value)| match &value[open.prefix..] {
            // A value with a prefix is read without it as well.
            bare if open.prefix > 0 => format!("    {variant} = {value:?} | {bare:?},\n"),
            _ => format!("    {variant} = {value:?},\n"),
        })
        .collect();
    format!(
        "crate::open_enum! {{\n    #[doc = {:?}]\n    {} {{\n{variants}    }}\n}}\n",
        open.description, open.name
    )
}

/// Where the type stands, for `with_replacement`.
pub fn path(api: &str, name: &str) -> String {
    format!("crate::raw::{api}::enums::{name}")
}

/// The length of the word and dot that all values begin with, as in `Status.READY`; else 0.
fn shared_prefix(values: &[Value]) -> usize {
    let mut prefixes = values
        .iter()
        .filter_map(Value::as_str)
        .map(|value| value.find('.').map_or("", |dot| &value[..=dot]));
    match prefixes.next() {
        Some(first) if prefixes.all(|other| other == first) => first.len(),
        _ => 0,
    }
}

/// `ip_address` to `IpAddress`, `READY` to `Ready`.
pub fn variant(value: &str) -> String {
    let shouting = !value.chars().any(char::is_lowercase);
    let name: String = value
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let mut chars = word.chars();
            let first = chars.next().into_iter().flat_map(char::to_uppercase);
            let rest: String = chars.collect();
            first
                .chain(if shouting { rest.to_lowercase() } else { rest }.chars())
                .collect::<String>()
        })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        format!("V{name}")
    } else {
        name
    }
}

/// Two values of one enum that would become the same variant, if any.
pub fn collision(values: &[Value]) -> Option<String> {
    // `Unknown` is the case that every open enum has for values it does not know.
    let mut seen = BTreeSet::from(["Unknown".to_owned()]);
    let prefix = shared_prefix(values);
    let texts = values.iter().filter_map(Value::as_str);
    let mut names = texts.map(|value| variant(&value[prefix..]));
    names.find(|name| !seen.insert(name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variants_read_like_rust() {
        for (value, name) in [
            ("ip_address", "IpAddress"),
            ("READY", "Ready"),
            ("us-east", "UsEast"),
            ("nodejs", "Nodejs"),
            ("deployment.created", "DeploymentCreated"),
            ("2xl", "V2xl"),
            ("inProgress", "InProgress"),
        ] {
            assert_eq!(variant(value), name);
        }
    }

    #[test]
    fn a_prefix_that_all_values_share_is_left_out() {
        assert_eq!(shared_prefix(&[json!("Status.A"), json!("Status.B")]), 7);
        assert_eq!(shared_prefix(&[json!("a.x"), json!("b.x")]), 0);
        assert_eq!(shared_prefix(&[json!("a"), json!("b")]), 0);
    }

    #[test]
    fn colliding_values_are_found() {
        assert_eq!(
            collision(&[json!("a-b"), json!("a_b")]).as_deref(),
            Some("AB")
        );
        assert_eq!(collision(&[json!("a"), json!("b")]), None);
        assert_eq!(collision(&[json!("a.done"), json!("b.done")]), None);
        assert_eq!(collision(&[json!("unknown")]).as_deref(), Some("Unknown"));
    }

    #[test]
    fn a_value_with_a_prefix_is_rendered_without_it_too() {
        let json = json!({ "components": { "schemas": {
            "State": { "type": "string", "enum": ["State.UP", "State.DOWN"] },
        } } });
        let text = render(&collect(&json)[0]);
        assert!(text.contains("Up = \"State.UP\" | \"UP\","), "{text}");
    }
}
