//! Turns string enums into open Rust enums, which keep unknown values.

use super::schemas::{components, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// A string enum in the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenEnum {
    pub name: String,
    pub description: String,
    /// Rust variant and wire value, in the order of the spec.
    pub values: Vec<(String, String)>,
    /// The length of the common prefix of all values: 7 for `Status.READY`.
    pub prefix: usize,
}

/// All components that are string enums.
pub fn collect(json: &Value) -> Vec<OpenEnum> {
    components(json)
        .filter_map(|(name, schema)| {
            let values = schema.get("enum")?.as_array()?;
            let words = text(schema, "description").unwrap_or_default();
            Some(OpenEnum {
                name: name.clone(),
                description: words.split_whitespace().collect::<Vec<_>>().join(" "),
                values: variants(values),
                prefix: common_prefix(values),
            })
        })
        .collect()
}

/// The Rust variant and the wire value of each text in the list.
pub fn variants(values: &[Value]) -> Vec<(String, String)> {
    let prefix = common_prefix(values);
    values
        .iter()
        .filter_map(Value::as_str)
        .map(|value| (variant(&value[prefix..]), value.to_owned()))
        .collect()
}

/// The macro call that declares one enum.
pub fn render(open: &OpenEnum) -> String {
    let variants: String = open
        .values
        .iter()
        .map(|(variant, value)| match &value[open.prefix..] {
            // A value with a prefix is also read without it.
            bare if open.prefix > 0 => format!("    {variant} = {value:?} | {bare:?},\n"),
            _ => format!("    {variant} = {value:?},\n"),
        })
        .collect();
    format!(
        "crate::open_enum! {{\n    #[doc = {:?}]\n    {} {{\n{variants}    }}\n}}\n",
        open.description, open.name
    )
}

/// The path of the generated type.
pub fn path(api: &str, name: &str) -> String {
    format!("crate::raw::{api}::enums::{name}")
}

/// The length of the prefix that all values share up to a dot, as in `Status.READY`; 0 if they share none.
fn common_prefix(values: &[Value]) -> usize {
    let mut prefixes = values
        .iter()
        .filter_map(Value::as_str)
        .map(|value| value.find('.').map_or("", |dot| &value[..=dot]));
    match prefixes.next() {
        Some(first) if prefixes.all(|other| other == first) => first.len(),
        _ => 0,
    }
}

/// Converts `ip_address` to `IpAddress`, and `READY` to `Ready`.
pub fn variant(value: &str) -> String {
    let all_upper = !value.chars().any(char::is_lowercase);
    let name: String = value
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let mut chars = word.chars();
            let first = chars.next().into_iter().flat_map(char::to_uppercase);
            let rest: String = chars.collect();
            first
                .chain(if all_upper { rest.to_lowercase() } else { rest }.chars())
                .collect::<String>()
        })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        format!("V{name}")
    } else {
        name
    }
}

/// The first variant name that two values share, or that a value shares with `Unknown`.
pub fn collision(values: &[Value]) -> Option<String> {
    // Every open enum has the variant `Unknown`.
    let mut seen = BTreeSet::from(["Unknown".to_owned()]);
    let mut names = variants(values).into_iter().map(|(variant, _)| variant);
    names.find(|name| !seen.insert(name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variants_are_camel_case() {
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
    fn a_common_prefix_is_found() {
        assert_eq!(common_prefix(&[json!("Status.A"), json!("Status.B")]), 7);
        assert_eq!(common_prefix(&[json!("a.x"), json!("b.x")]), 0);
        assert_eq!(common_prefix(&[json!("a"), json!("b")]), 0);
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
    fn a_prefixed_value_is_also_read_without_its_prefix() {
        let json = json!({ "components": { "schemas": {
            "State": { "type": "string", "enum": ["State.UP", "State.DOWN"] },
        } } });
        let text = render(&collect(&json)[0]);
        assert!(text.contains("Up = \"State.UP\" | \"UP\","), "{text}");
    }
}
