//! Runs the generator (progenitor) and cleans up its output.

use super::document;
use super::lenient_replies;
use super::open_enums::{self, OpenEnum};
use super::optional_parameters;
use super::problems::Problem;
use super::request_types;
use super::schemas::{self, entries};
use progenitor::{
    GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl, TypePatch,
};
use serde_json::{Map, Value, json};
use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

/// The type of the state that each raw client holds: credentials, options and the outcome of a call.
const SCOPE: &str = "crate::transport::Scope";
const BTREE_MAP: &str = "::std::collections::BTreeMap";

/// The message of a panic.
fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref().cloned());
    text.unwrap_or_else(|| "it panicked".to_owned())
}

/// Generates the raw client of one API.
///
/// - `bound`: components with `x-rust-type`, as name and Rust type.
/// - `reply_only`: components that occur only in success replies.
/// - `either_spelling`: whether reply fields are read in both camel case and snake case.
pub fn generate(
    api: &str,
    json: &Value,
    bound: &[(String, String)],
    enums: &[OpenEnum],
    reply_only: &BTreeSet<String>,
    either_spelling: bool,
) -> Result<String, Problem> {
    let document = document::parse(json)?;
    let inner = SCOPE.parse().map_err(|error| {
        Problem::new(
            "$",
            format!("the type in SCOPE does not parse: {error}"),
            "correct SCOPE in build/raw_client.rs",
        )
    })?;
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_tag(TagStyle::Merged)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(inner)
        .with_derive("PartialEq")
        .with_map_type(BTREE_MAP);
    let no_impls = std::iter::empty::<TypeImpl>;
    let present = |name: &str| {
        document
            .components
            .as_ref()
            .is_some_and(|c| c.schemas.contains_key(name))
    };
    for (name, rust_type) in bound {
        settings.with_replacement(name, rust_type, no_impls());
    }
    for open in enums.iter().filter(|open| present(&open.name)) {
        settings.with_replacement(&open.name, open_enums::path(api, &open.name), no_impls());
    }
    for name in reply_only.iter().filter(|name| present(name)) {
        let mut patch = TypePatch::default();
        patch.with_attr("#[non_exhaustive]");
        settings.with_patch(name, &patch);
    }
    // The generator panics on constructs that it does not know.
    let run = || Generator::new(&settings).generate_tokens(&document);
    let result = std::panic::catch_unwind(AssertUnwindSafe(run)).map_err(message);
    let result = result.and_then(|tokens| tokens.map_err(|error| error.to_string()));
    let tokens = result.map_err(|error| {
        Problem::new(
            "$",
            format!("the generator does not support the spec: {error}"),
            "compare the last edit with the rules in specs/README.md, and add a check for this case to build/lint/mod.rs",
        )
    })?;
    let mut syntax: syn::File = syn::parse2(tokens).map_err(|error| {
        Problem::new(
            "$",
            format!("the generated code does not parse: {error}"),
            "undo the last edit of the spec, and report this bug of build/ together with that edit",
        )
    })?;
    tidy(&mut syntax.items);
    lenient_replies::apply(&mut syntax.items, either_spelling);
    let marked = lenient_replies::replies(&syntax.items);
    optional_parameters::apply(&mut syntax.items);
    let requests = schemas::in_requests(json);
    let constructed = request_types::apply(&mut syntax.items, json, &requests);
    let code = lenient_replies::decoded(&prettyplease::unparse(&syntax));
    let path_of = |open: &OpenEnum| (open.name.clone(), open_enums::path(api, &open.name));
    let enum_paths = enums.iter().filter(|open| present(&open.name)).map(path_of);
    // The generator silently ignores replacements and patches for types that it does not generate.
    for (name, rust_type) in bound.iter().cloned().chain(enum_paths) {
        let path = rust_type.split('<').next().unwrap_or(&rust_type);
        if !code.contains(path) {
            return Err(Problem::new(
                format!("$.components.schemas.{name}"),
                format!("the Rust type `{rust_type}` of this component is not used"),
                "refer to the component from a request or a success reply, or remove it; remove x-rust-type from an enum",
            ));
        }
    }
    let is_generated = |name: &String| {
        present(name)
            && !enums.iter().any(|open| open.name == *name)
            && !bound.iter().any(|(bound, _)| bound == name)
    };
    if let Some(name) = reply_only
        .iter()
        .find(|name| is_generated(name) && !marked.contains(*name))
    {
        return Err(Problem::new(
            format!("$.components.schemas.{name}"),
            "the generator made no Rust type of this name, so it would be decoded strictly",
            "name the component like a Rust type, with `type: object`",
        ));
    }
    let has_fields = |name: &String| {
        let schema = schemas::component(json, name);
        schema.is_some_and(|schema| entries(schema, "properties").next().is_some())
    };
    if let Some(name) = requests
        .iter()
        .find(|name| is_generated(name) && has_fields(name) && !constructed.contains(*name))
    {
        return Err(Problem::new(
            format!("$.components.schemas.{name}"),
            "the generator made no Rust struct of this name, so it has no constructor",
            "name the component like a Rust type, with `type: object`",
        ));
    }
    let declarations: String = enums
        .iter()
        .filter(|open| present(&open.name))
        .map(open_enums::render)
        .collect();
    Ok(format!(
        "{code}\n/// The open enums of `specs/{api}.yaml`.\npub mod enums {{\n{declarations}}}\n"
    ))
}

/// Returns the components with `x-rust-type`, as name and Rust type, and empties their schemas: the generator
/// needs only their names.
pub fn bound_types(json: &mut Value) -> Vec<(String, String)> {
    let schemas = json
        .get_mut("components")
        .and_then(|components| components.get_mut("schemas"))
        .and_then(Value::as_object_mut);
    let mut bound = Vec::new();
    for (name, schema) in schemas.into_iter().flat_map(Map::iter_mut) {
        let Some(rust_type) = schema.get("x-rust-type").and_then(Value::as_str) else {
            continue;
        };
        bound.push((name.clone(), rust_type.to_owned()));
        *schema = json!({ "type": "object" });
    }
    bound
}

/// Removes the JSON Schema from the documentation of each type, and the constructor `new`.
///
/// `new` creates its own HTTP client, panics if that fails, and sets a total timeout that cuts streams.
fn tidy(items: &mut Vec<syn::Item>) {
    for item in items {
        match item {
            syn::Item::Mod(module) => {
                if let Some((_, items)) = &mut module.content {
                    tidy(items);
                }
            }
            syn::Item::Impl(item) => item.items.retain(|item| !is_constructor(item)),
            syn::Item::Struct(item) => item.attrs.retain_mut(trim_doc),
            syn::Item::Enum(item) => item.attrs.retain_mut(trim_doc),
            syn::Item::Type(item) => item.attrs.retain_mut(trim_doc),
            _ => {}
        }
    }
}

fn is_constructor(item: &syn::ImplItem) -> bool {
    matches!(item, syn::ImplItem::Fn(function) if function.sig.ident == "new")
}

/// Removes the JSON Schema from a doc attribute. Returns false if the attribute is then empty.
fn trim_doc(attr: &mut syn::Attribute) -> bool {
    let syn::Meta::NameValue(pair) = &mut attr.meta else {
        return true;
    };
    let syn::Expr::Lit(literal) = &mut pair.value else {
        return true;
    };
    let syn::Lit::Str(text) = &literal.lit else {
        return true;
    };
    let span = text.span();
    let text = text.value();
    if !pair.path.is_ident("doc") || !text.contains("<details>") {
        return true;
    }
    let kept = text
        .split("<details>")
        .next()
        .unwrap_or("")
        .trim_end()
        .to_owned();
    literal.lit = syn::Lit::Str(syn::LitStr::new(&kept, span));
    !kept.trim().is_empty()
}
