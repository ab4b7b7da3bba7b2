//! Makes reply structs accept numbers and lists in the forms that servers send: `"7"`, `7.0`, `null`.
//!
//! Adds `deserialize_with` attributes with functions from `src/lenient.rs`. Structs that occur in requests
//! stay strict. In a spec with `x-either-spelling: true`, fields are read in `camelCase` and in `snake_case`.

use std::collections::BTreeSet;
use syn::{
    Attribute, Expr, ExprLit, Field, Fields, GenericArgument, Ident, Item, Lit, PathArguments,
    Type, parse_quote,
};

/// Applies the pass to the generated code.
pub fn apply(items: &mut [Item], either_spelling: bool) {
    for item in items {
        match item {
            Item::Mod(module) => {
                if let Some((_, items)) = &mut module.content {
                    apply(items, either_spelling);
                }
            }
            Item::Struct(item) if item.attrs.iter().any(is_reply) => {
                if let Fields::Named(fields) = &mut item.fields {
                    for field in &mut fields.named {
                        read_leniently(field);
                        if either_spelling {
                            read_either_spelling(field);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// The names of the types that occur only in replies.
pub fn replies(items: &[Item]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in items {
        match item {
            Item::Mod(module) => {
                let items = module.content.as_ref().map_or(&[][..], |(_, items)| items);
                names.extend(replies(items));
            }
            Item::Struct(item) if item.attrs.iter().any(is_reply) => {
                names.insert(item.ident.to_string());
            }
            _ => {}
        }
    }
    names
}

/// Whether a struct occurs only in replies: [`super::raw_client`] marks these as `#[non_exhaustive]`.
fn is_reply(attr: &Attribute) -> bool {
    attr.path().is_ident("non_exhaustive")
}

fn read_leniently(field: &mut Field) {
    let optional = inner(&field.ty, "Option");
    let Some(reader) = reader(optional.unwrap_or(&field.ty), optional.is_some()) else {
        return;
    };
    // serde treats a missing `Option` field as `None` only without `deserialize_with`.
    if optional.is_some() && serde_argument(field, "default").is_none() {
        field.attrs.push(parse_quote!(#[serde(default)]));
    }
    let path = format!("crate::lenient::{reader}");
    field
        .attrs
        .push(parse_quote!(#[serde(deserialize_with = #path)]));
}

fn read_either_spelling(field: &mut Field) {
    let name = match serde_argument(field, "rename") {
        Some(Some(Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }))) => name.value(),
        _ => field
            .ident
            .as_ref()
            .map(Ident::to_string)
            .unwrap_or_default(),
    };
    let other = other_spelling(&name);
    if other != name {
        field.attrs.push(parse_quote!(#[serde(alias = #other)]));
    }
}

/// Converts `createdAt` to `created_at`, and the reverse.
fn other_spelling(name: &str) -> String {
    let mut other = String::new();
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                other.extend(c.to_uppercase());
                upper = false;
            }
            c if c.is_uppercase() => {
                other.push('_');
                other.extend(c.to_lowercase());
            }
            c => other.push(c),
        }
    }
    other
}

/// The function in `src/lenient.rs` that reads this type, if it needs one.
fn reader(ty: &Type, optional: bool) -> Option<&'static str> {
    let reader = match (name(ty)?.as_str(), optional) {
        ("i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64", false) => "integer",
        ("i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64", true) => "optional_integer",
        ("f64", false) => "float",
        ("f64", true) => "optional_float",
        ("Vec" | "BTreeMap", false) => "null_as_empty",
        _ => return None,
    };
    Some(reader)
}

/// The last segment of a type path: `Vec` for `::std::vec::Vec<T>`.
fn name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

/// The argument `T` of a type `outer<T>`.
fn inner<'a>(ty: &'a Type, outer: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == outer => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
        }
        _ => None,
    }
}

/// Finds an argument in the serde attributes of a field. The inner option is its value: none for `default`.
fn serde_argument(field: &Field, name: &str) -> Option<Option<Expr>> {
    let mut found = None;
    for attr in field
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("serde"))
    {
        // Ignore the error: the arguments that this pass looks up always parse.
        let _ = attr.parse_nested_meta(|meta| {
            let value = match meta.input.peek(syn::Token![=]) {
                true => Some(meta.value()?.parse()?),
                false => None,
            };
            if meta.path.is_ident(name) {
                found = Some(value);
            }
            Ok(())
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(file: &str) -> String {
        applied_with(file, false)
    }

    fn applied_with(file: &str, either_spelling: bool) -> String {
        let mut syntax = syn::parse_file(file).unwrap();
        apply(&mut syntax.items, either_spelling);
        prettyplease::unparse(&syntax)
    }

    #[test]
    fn reply_fields_get_a_lenient_deserializer() {
        for (field, attributes) in [
            (
                "i64",
                "#[serde(deserialize_with = \"crate::lenient::integer\")]",
            ),
            (
                "u16",
                "#[serde(deserialize_with = \"crate::lenient::integer\")]",
            ),
            (
                "f64",
                "#[serde(deserialize_with = \"crate::lenient::float\")]",
            ),
            (
                "::std::option::Option<i64>",
                "#[serde(default)] #[serde(deserialize_with = \"crate::lenient::optional_integer\")]",
            ),
            (
                "::std::option::Option<f64>",
                "#[serde(default)] #[serde(deserialize_with = \"crate::lenient::optional_float\")]",
            ),
            (
                "::std::vec::Vec<Pod>",
                "#[serde(deserialize_with = \"crate::lenient::null_as_empty\")]",
            ),
            (
                "::std::collections::BTreeMap<String, Port>",
                "#[serde(deserialize_with = \"crate::lenient::null_as_empty\")]",
            ),
            ("::std::option::Option<::std::vec::Vec<Pod>>", ""),
            ("::std::option::Option<String>", ""),
            ("String", ""),
            ("bool", ""),
        ] {
            let code = applied(&format!(
                "pub mod types {{ #[non_exhaustive] pub struct A {{ pub field: {field} }} }}"
            ));
            let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
            let expected = format!("{attributes} pub field: {field}");
            assert!(
                code.contains(expected.trim()),
                "{expected} is not in {code}"
            );
            assert_eq!(
                code.matches("#[serde").count(),
                attributes.matches("#[serde").count()
            );
        }
    }

    #[test]
    fn an_existing_default_is_not_duplicated() {
        for attribute in [
            "#[serde(default, skip_serializing_if = \"Option::is_none\")]",
            "#[serde(rename = \"a\", default)]",
        ] {
            let code = applied(&format!(
                "#[non_exhaustive] pub struct A {{ {attribute} pub field: Option<i64> }}"
            ));
            assert_eq!(code.matches("default").count(), 1, "{code}");
            assert!(code.contains("optional_integer"), "{code}");
        }
    }

    #[test]
    fn request_fields_stay_strict() {
        let request = "pub struct A {\n    pub port: i64,\n    pub list: Vec<String>,\n}\n";
        assert_eq!(applied(request), request);
    }

    #[test]
    fn reply_fields_are_read_in_either_spelling() {
        for (field, alias) in [
            (
                "#[serde(rename = \"createdAt\")] created_at: String",
                "created_at",
            ),
            (
                "#[serde(rename = \"remoteCommitHash\", default)] hash: String",
                "remote_commit_hash",
            ),
            ("user_percent: String", "userPercent"),
            ("id: String", ""),
            ("#[serde(rename = \"type\")] type_: String", ""),
        ] {
            let code = applied_with(
                &format!("#[non_exhaustive] pub struct A {{ {field} }}"),
                true,
            );
            let expected = format!("#[serde(alias = \"{alias}\")]");
            assert_eq!(code.contains(&expected), !alias.is_empty(), "{code}");
            assert_eq!(code.contains("alias"), !alias.is_empty(), "{code}");
        }
        let request = "pub struct A {\n    pub created_at: String,\n}\n";
        assert_eq!(applied_with(request, true), request);
    }
}
