//! Lets replies have their numbers and lists in the forms that servers have for them.
//!
//! Only what users never build: the structs that a request reaches are read as strictly as they are
//! written. How each form is read stands in `src/lenient.rs`.

use syn::{
    Attribute, Field, Fields, GenericArgument, Item, Meta, PathArguments, Type, parse_quote,
};

/// Applies the pass to all generated code.
pub fn apply(items: &mut [Item]) {
    for item in items {
        match item {
            Item::Mod(module) => {
                if let Some((_, items)) = &mut module.content {
                    apply(items);
                }
            }
            Item::Struct(item) if item.attrs.iter().any(is_reply) => {
                if let Fields::Named(fields) = &mut item.fields {
                    fields.named.iter_mut().for_each(read_leniently);
                }
            }
            _ => {}
        }
    }
}

/// The mark that [`super::generate`] puts on what only replies reach.
fn is_reply(attr: &Attribute) -> bool {
    attr.path().is_ident("non_exhaustive")
}

fn read_leniently(field: &mut Field) {
    let optional = inner(&field.ty, "Option");
    let Some(reader) = reader(optional.unwrap_or(&field.ty), optional.is_some()) else {
        return;
    };
    // With a reader of its own, a field that may be absent has to say so.
    if optional.is_some() && !has_default(field) {
        field.attrs.push(parse_quote!(#[serde(default)]));
    }
    let path = format!("crate::lenient::{reader}");
    field
        .attrs
        .push(parse_quote!(#[serde(deserialize_with = #path)]));
}

/// The function that reads this type; a list that may be null needs none.
fn reader(ty: &Type, optional: bool) -> Option<&'static str> {
    let reader = match (name(ty)?.as_str(), optional) {
        ("i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64", false) => "whole",
        ("i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64", true) => "whole_or_null",
        ("f64", false) => "decimal",
        ("f64", true) => "decimal_or_null",
        ("Vec" | "BTreeMap", false) => "empty_if_null",
        _ => return None,
    };
    Some(reader)
}

/// The last word of a path: `Vec` of `::std::vec::Vec<T>`.
fn name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

/// `T` of `outer<T>`.
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

fn has_default(field: &Field) -> bool {
    field.attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("serde") => {
            let options = list.tokens.to_string();
            let mut options = options.split(',');
            options.any(|option| option.split('=').next().unwrap_or_default().trim() == "default")
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(file: &str) -> String {
        let mut syntax = syn::parse_file(file).unwrap();
        apply(&mut syntax.items);
        prettyplease::unparse(&syntax)
    }

    #[test]
    fn fields_of_replies_get_a_reader() {
        for (field, reader) in [
            ("i64", "whole"),
            ("u16", "whole"),
            ("f64", "decimal"),
            ("::std::option::Option<i64>", "whole_or_null"),
            ("::std::option::Option<f64>", "decimal_or_null"),
            ("::std::vec::Vec<Pod>", "empty_if_null"),
            (
                "::std::collections::BTreeMap<String, Port>",
                "empty_if_null",
            ),
            ("::std::option::Option<::std::vec::Vec<Pod>>", ""),
            ("::std::option::Option<String>", ""),
            ("String", ""),
        ] {
            let code = applied(&format!(
                "#[non_exhaustive] pub struct A {{ pub field: {field} }}"
            ));
            let found = code.split_once("crate::lenient::");
            let found = found.and_then(|(_, rest)| rest.split('"').next());
            assert_eq!(found.unwrap_or_default(), reader, "{code}");
            let absent = code.contains("#[serde(default)]");
            assert_eq!(absent, reader.ends_with("or_null"), "{code}");
        }
    }

    #[test]
    fn a_default_is_kept_and_not_given_twice() {
        for attribute in [
            "#[serde(default, skip_serializing_if = \"Option::is_none\")]",
            "#[serde(rename = \"a\", default)]",
        ] {
            let code = applied(&format!(
                "#[non_exhaustive] pub struct A {{ {attribute} pub field: Option<i64> }}"
            ));
            assert_eq!(code.matches("default").count(), 1, "{code}");
            assert!(code.contains("whole_or_null"), "{code}");
        }
    }

    #[test]
    fn requests_stay_strict() {
        let request = "pub struct A {\n    pub port: i64,\n    pub list: Vec<String>,\n}\n";
        assert_eq!(applied(request), request);
    }
}
