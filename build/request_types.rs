//! Gives each struct of a request the constructor `new`, which takes the required fields.
//!
//! Optional fields start at their default, so a caller of `new` still compiles when the spec gets another
//! optional field, but not when it gets another required one. The arguments have the order of `required` in the
//! spec. The generator sorts fields by name instead, so a renamed field would silently change places.

use super::lenient_replies::{serde_argument, wire_name};
use super::schemas::{component, items};
use serde_json::Value;
use std::collections::BTreeSet;
use syn::{Field, FieldValue, Fields, Item, ItemImpl, ItemStruct, parse_quote};

/// Applies the pass to the structs of these components. Returns the names of those that have a constructor.
pub fn apply(code: &mut Vec<Item>, json: &Value, requests: &BTreeSet<String>) -> BTreeSet<String> {
    let mut done = BTreeSet::new();
    let mut constructors = Vec::new();
    for item in code.iter_mut() {
        match item {
            Item::Mod(module) => {
                if let Some((_, items)) = &mut module.content {
                    done.extend(apply(items, json, requests));
                }
            }
            Item::Struct(item) if requests.contains(&item.ident.to_string()) => {
                if let Some(constructor) = constructor(item, json) {
                    done.insert(item.ident.to_string());
                    item.attrs.push(parse_quote!(#[non_exhaustive]));
                    constructors.push(Item::Impl(constructor));
                }
            }
            _ => {}
        }
    }
    code.extend(constructors);
    done
}

/// The constructor; `None` for a struct without named fields, such as a map.
fn constructor(item: &ItemStruct, json: &Value) -> Option<ItemImpl> {
    let Fields::Named(fields) = &item.fields else {
        return None;
    };
    let name = &item.ident;
    let schema = component(json, &name.to_string())?;
    let order: Vec<&str> = items(schema, "required")
        .filter_map(Value::as_str)
        .collect();
    let (mut required, optional): (Vec<&Field>, Vec<&Field>) =
        fields.named.iter().partition(|field| is_required(field));
    required.sort_by_key(|field| {
        let wire_name = wire_name(field);
        order.iter().position(|name| *name == wire_name)
    });
    let names = required.iter().filter_map(|field| field.ident.as_ref());
    let values = names
        .clone()
        .map(|name| -> FieldValue { parse_quote!(#name) });
    let defaults = optional.iter().filter_map(|field| field.ident.as_ref());
    let defaults = defaults
        .map(|name| -> FieldValue { parse_quote!(#name: ::std::default::Default::default()) });
    let values = values.chain(defaults);
    let types = required.iter().map(|field| &field.ty);
    Some(parse_quote! {
        impl #name {
            #[doc = " With the required fields, in the order of the spec."]
            pub fn new(#(#names: #types),*) -> Self {
                Self { #(#values),* }
            }
        }
    })
}

/// Whether the field is always sent.
fn is_required(field: &Field) -> bool {
    serde_argument(field, "skip_serializing_if").is_none()
        && serde_argument(field, "default").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn applied(file: &str) -> (String, BTreeSet<String>) {
        let mut syntax = syn::parse_file(file).unwrap();
        let spec = json!({ "components": { "schemas": {
            "PodCreate": { "required": ["podName", "image"] },
            "PodLabels": {},
        } } });
        let requests = ["PodCreate", "PodLabels"].map(str::to_owned).into();
        let done = apply(&mut syntax.items, &spec, &requests);
        (prettyplease::unparse(&syntax), done)
    }

    #[test]
    fn required_fields_are_arguments_in_the_order_of_the_spec() {
        let optional = r#"#[serde(skip_serializing_if = "Option::is_none")]"#;
        let (code, done) = applied(&format!(
            "pub mod types {{ pub struct PodCreate {{ pub image: String, {optional} pub memory: Option<i64>, #[serde(rename = \"podName\")] pub pod_name: Option<String> }} }}"
        ));
        for expected in [
            "    #[non_exhaustive]\n    pub struct PodCreate {",
            "pub fn new(pod_name: Option<String>, image: String) -> Self {",
            "memory: ::std::default::Default::default(),",
        ] {
            assert!(code.contains(expected), "{expected}\nis not in\n{code}");
        }
        assert!(done.contains("PodCreate"));
    }

    #[test]
    fn maps_and_replies_stay() {
        for code in [
            "pub struct PodLabels(pub BTreeMap<String, String>);\n",
            "pub struct Pod {\n    pub id: String,\n}\n",
        ] {
            assert_eq!(applied(code), (code.to_owned(), BTreeSet::new()));
        }
    }
}
