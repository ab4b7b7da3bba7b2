//! The surface of a generated client as text: its methods, structs and enums, one line each.
//!
//! A snapshot of it shows in a review what the edit of a spec did.

use quote::ToTokens;
use std::collections::BTreeMap;
use syn::{Attribute, Fields, FnArg, ImplItem, Item, ReturnType};

/// The methods of the client, and the types with their fields, sorted.
pub fn of(client: &str) -> syn::Result<String> {
    let mut lines = Vec::new();
    let items = syn::parse_file(client)?.items;
    collect(&items, &constructors(&items), &mut lines);
    lines.sort();
    Ok(lines.join("\n") + "\n")
}

/// The request structs, with the arguments of their constructor.
fn constructors(items: &[Item]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for item in items {
        match item {
            Item::Mod(module) => {
                let items = module.content.as_ref().map_or(&[][..], |(_, items)| items);
                found.extend(constructors(items));
            }
            Item::Impl(item) => {
                for inner in &item.items {
                    if let ImplItem::Fn(function) = inner
                        && function.sig.ident == "new"
                    {
                        found.insert(name(&item.self_ty), arguments(&function.sig));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn collect(items: &[Item], requests: &BTreeMap<String, String>, lines: &mut Vec<String>) {
    for item in items {
        match item {
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    collect(items, requests, lines);
                }
            }
            Item::Impl(item) if item.trait_.is_none() && name(&item.self_ty) == "Client" => {
                for item in &item.items {
                    if let ImplItem::Fn(function) = item {
                        lines.push(method(&function.sig));
                    }
                }
            }
            Item::Struct(item) => {
                let is_reply = |attr: &Attribute| attr.path().is_ident("non_exhaustive");
                let kind = match requests.get(&item.ident.to_string()) {
                    Some(arguments) => {
                        lines.push(format!("request {}::new({arguments})", item.ident));
                        "request"
                    }
                    None if item.attrs.iter().any(is_reply) => "reply",
                    None => "struct",
                };
                match &item.fields {
                    Fields::Named(fields) => lines.extend(fields.named.iter().map(|field| {
                        let field_name = field
                            .ident
                            .as_ref()
                            .map(ToString::to_string)
                            .unwrap_or_default();
                        format!("{kind} {}.{field_name}: {}", item.ident, name(&field.ty))
                    })),
                    Fields::Unnamed(fields) => {
                        let types = fields.unnamed.iter().map(|field| name(&field.ty));
                        lines.push(format!(
                            "{kind} {}({})",
                            item.ident,
                            types.collect::<Vec<_>>().join(", ")
                        ));
                    }
                    Fields::Unit => lines.push(format!("{kind} {}", item.ident)),
                }
            }
            Item::Enum(item) => {
                let variants = item.variants.iter().map(name);
                lines.extend(variants.map(|variant| format!("enum {}::{variant}", item.ident)));
            }
            Item::Type(item) => lines.push(format!("type {} = {}", item.ident, name(&item.ty))),
            // `open_enum! { #[doc = ".."] Name { Variant = "value", } }`
            Item::Macro(item)
                if item
                    .mac
                    .path
                    .segments
                    .last()
                    .is_some_and(|last| last.ident == "open_enum") =>
            {
                let text = item.mac.tokens.to_string();
                let (head, body) = text.rsplit_once('{').unwrap_or((&text, ""));
                let enum_name = head.split_whitespace().last().unwrap_or_default();
                let variants = body.trim_end_matches(['}', ' ']).split(',').map(str::trim);
                let variants = variants.filter(|variant| !variant.is_empty());
                lines.extend(variants.map(|variant| format!("enum {enum_name}::{variant}")));
            }
            _ => {}
        }
    }
}

/// `list_things(page: Option<i64>) -> ThingList`
fn method(signature: &syn::Signature) -> String {
    let arguments = arguments(signature);
    let result = match &signature.output {
        ReturnType::Default => String::new(),
        ReturnType::Type(_, ty) => name(ty),
    };
    let result = result.trim_start_matches("Result<ResponseValue<");
    let result = result
        .trim_end_matches(">,Error<()>,>")
        .trim_end_matches(">,Error<()>>")
        .trim_end_matches(',');
    format!("fn {}({arguments}) -> {result}", signature.ident)
}

fn arguments(signature: &syn::Signature) -> String {
    let arguments = signature
        .inputs
        .iter()
        .filter_map(|argument| match argument {
            FnArg::Typed(argument) => {
                Some(format!("{}: {}", name(&argument.pat), name(&argument.ty)))
            }
            FnArg::Receiver(_) => None,
        });
    arguments.collect::<Vec<_>>().join(", ")
}

/// The tokens without spaces, module paths of the standard library, and lifetimes.
fn name(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string().replace(' ', "");
    [
        "::std::option::",
        "::std::string::",
        "::std::vec::",
        "::std::boxed::",
        "::std::collections::",
        "'a",
        "types::",
    ]
    .iter()
    .fold(text, |text, part| text.replace(part, ""))
    .replace("<>", "")
    .replace("implFnOnce(&mut", "impl FnOnce(&mut ")
}
