//! Makes the generated client decode replies with `src/lenient.rs`, which accepts the forms that servers send.
//!
//! In a reply struct whose name ends in `List`, arrays become `lenient::List`, which skips and counts records
//! that cannot be read. In a spec with `x-either-spelling: true`, fields of reply structs are read in
//! `camelCase` and in `snake_case`.

use std::collections::BTreeSet;
use syn::{
    Attribute, Expr, ExprLit, Field, Fields, GenericArgument, Ident, Item, Lit, Meta,
    PathArguments, Type, TypePath, parse_quote,
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
                let is_list = item.ident.to_string().ends_with("List");
                if let Fields::Named(fields) = &mut item.fields {
                    for field in &mut fields.named {
                        if is_list {
                            skip_unreadable(field);
                        }
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

/// Replaces the decoder in the code of the generated client.
pub fn decoded(code: &str) -> String {
    code.replace(
        "ResponseValue::from_response(response)",
        "self.inner.decode(response, info.operation_id)",
    )
}

/// Whether a struct occurs only in replies: [`super::raw_client`] marks these as `#[non_exhaustive]`.
fn is_reply(attr: &Attribute) -> bool {
    attr.path().is_ident("non_exhaustive")
}

/// Makes an array of a reply a list that skips and counts records that cannot be read.
fn skip_unreadable(field: &mut Field) {
    let Some(vec) = vec_in(&mut field.ty) else {
        return;
    };
    let Some(last) = vec.path.segments.last() else {
        return;
    };
    let arguments = &last.arguments;
    vec.path = parse_quote!(crate::lenient::List #arguments);
    for attr in &mut field.attrs {
        // The attribute of an optional array names a function of `Vec`.
        if matches!(&attr.meta, Meta::List(list) if list.tokens.to_string().contains("Vec::is_empty"))
        {
            *attr = parse_quote!(#[serde(default)]);
        }
    }
}

/// The type `Vec<T>` itself, or within `Option`.
fn vec_in(ty: &mut Type) -> Option<&mut TypePath> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    match last.ident.to_string().as_str() {
        "Vec" => Some(path),
        "Option" => match &mut path.path.segments.last_mut()?.arguments {
            PathArguments::AngleBracketed(arguments) => match arguments.args.first_mut()? {
                GenericArgument::Type(ty) => vec_in(ty),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn read_either_spelling(field: &mut Field) {
    let name = wire_name(field);
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

/// The name of a field in JSON.
pub fn wire_name(field: &Field) -> String {
    match serde_argument(field, "rename") {
        Some(Some(Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }))) => name.value(),
        _ => field
            .ident
            .as_ref()
            .map(Ident::to_string)
            .unwrap_or_default(),
    }
}

/// Finds an argument in the serde attributes of a field. The inner option is its value: none for `default`.
pub fn serde_argument(field: &Field, name: &str) -> Option<Option<Expr>> {
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
    fn arrays_of_a_list_skip_records_that_cannot_be_read() {
        for (field, expected) in [
            ("::std::vec::Vec<Pod>", "crate::lenient::List<Pod>"),
            (
                "Option<::std::vec::Vec<Pod>>",
                "Option<crate::lenient::List<Pod>>",
            ),
            ("Option<i64>", "Option<i64>"),
        ] {
            let code = applied(&format!(
                "#[non_exhaustive] pub struct PodList {{ pub a: {field} }}"
            ));
            assert!(code.contains(&format!("pub a: {expected},")), "{code}");
        }
        let optional = r#"#[serde(default, skip_serializing_if = "::std::vec::Vec::is_empty")]"#;
        let code = applied(&format!(
            "#[non_exhaustive] pub struct PodList {{ {optional} pub a: Vec<Pod> }}"
        ));
        assert!(
            code.contains("#[serde(default)]\n    pub a: crate::lenient::List<Pod>,"),
            "{code}"
        );
        let record = "#[non_exhaustive]\npub struct Pod {\n    pub ports: Vec<Port>,\n}\n";
        assert_eq!(applied(record), record);
    }

    #[test]
    fn replies_are_decoded_by_the_crate() {
        let code = decoded("200..=299 => ResponseValue::from_response(response).await,");
        let expected = "200..=299 => self.inner.decode(response, info.operation_id).await,";
        assert_eq!(code, expected);
    }

    #[test]
    fn request_fields_stay_strict() {
        let request = "pub struct AList {\n    pub port: i64,\n    pub list: Vec<String>,\n}\n";
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
