//! Writes `enum Op`, the entries of `OPERATIONS` with the metadata and behaviour of each operation, and the entry
//! of `GENERAL_PACES`.

use super::lint::extensions::pace_of;
use super::open_enums::variant;
use super::schemas::{items, text};
use super::success_replies::request_content_type;
use openapiv3::OpenAPI;
use serde_json::Value;
use std::fmt::Write as _;

/// An operation of the spec.
#[derive(Clone, Debug)]
pub struct Operation {
    pub id: String,
    pub variant: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub content_type: Option<String>,
    extensions: Value,
}

/// Reads all operations, in the order of the document.
///
/// A missing text becomes an empty string, because [`super::lint`] reports it.
pub fn read(api: &OpenAPI, json: &Value) -> Vec<Operation> {
    api.operations()
        .map(|(path, method, operation)| {
            let id = operation.operation_id.clone().unwrap_or_default();
            let json = json["paths"][path][method].clone();
            Operation {
                variant: variant(&id),
                id,
                method: method.to_uppercase(),
                path: path.to_owned(),
                summary: operation.summary.clone().unwrap_or_default(),
                content_type: request_content_type(&json),
                extensions: json,
            }
        })
        .collect()
}

/// `enum Op` with `Op::info`. If `src/<api>/operations.rs` has no arm for a variant, the compiler prints the
/// first line of the enum and the line of the variant, cut at the width of the terminal.
pub fn render_enum(api: &str, operations: &[Operation]) -> String {
    let mut out = format!(
        "/// The operations of `specs/{api}.yaml`.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\n\
         pub enum Op {{ // write a method, name it in src/{api}/operations.rs\n"
    );
    for operation in operations {
        let Operation {
            method,
            path,
            variant,
            ..
        } = operation;
        let _ = writeln!(out, "    #[doc = \"`{method} {path}`\"]");
        let _ = writeln!(out, "    {variant}, // has no method: {method} {path}");
    }
    let _ = write!(
        out,
        "}}\n\n\
         impl Op {{\n\
         \x20   /// The entry of this operation in `OPERATIONS`.\n\
         \x20   pub fn info(self) -> &'static crate::operation::Operation {{\n\
         \x20       // `OPERATIONS` has this platform's entries in the order of this enum.\n\
         \x20       static FIRST: std::sync::LazyLock<usize> = std::sync::LazyLock::new(|| {{\n\
         \x20           let is_first = |operation: &crate::operation::Operation| operation.api == {api:?};\n\
         \x20           crate::operation::OPERATIONS.iter().position(is_first).unwrap_or(0)\n\
         \x20       }});\n\
         \x20       &crate::operation::OPERATIONS[*FIRST + self as usize]\n\
         \x20   }}\n\
         }}\n"
    );
    out
}

/// The entries of `OPERATIONS`, each a struct literal.
pub fn render_entries(api: &str, operations: &[Operation]) -> String {
    let mut out = String::new();
    for operation in operations {
        let _ = writeln!(out, "{},", entry(api, operation));
    }
    out
}

/// The entry of `GENERAL_PACES`: the platform and its rate for requests without a method.
pub fn render_general_pace(api: &str, json: &Value) -> String {
    let pace = pace(text(json, "x-general-pace").unwrap_or_default());
    pace.map_or_else(String::new, |pace| format!("({api:?}, {pace}),\n"))
}

/// A struct literal of `Pace`.
fn pace(words: &str) -> Option<String> {
    let (bucket, count, seconds) = pace_of(words)?;
    Some(format!(
        "crate::operation::Pace {{ bucket: {bucket:?}, count: {count}, seconds: {seconds} }}"
    ))
}

fn entry(api: &str, operation: &Operation) -> String {
    let extension = |key: &str| operation.extensions.get(key);
    let behaviour = extension("x-behaviour").cloned().unwrap_or_default();
    let words = |key: &str| {
        let words = text(&behaviour, key).unwrap_or_default();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let list = |key: &str| {
        let items = items(&behaviour, key).map(Value::to_string);
        items.collect::<Vec<_>>().join(", ")
    };
    let flag = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or(false);
    let pace = match pace(&words("pace")) {
        Some(pace) => format!("Some({pace})"),
        None => "None".to_owned(),
    };
    let side_effects = match words("side-effects").as_str() {
        "none" => "None".to_owned(),
        effects => format!("Some({effects:?})"),
    };
    let evidence = text(&operation.extensions, "x-evidence").unwrap_or_default();
    let source = text(&operation.extensions, "x-source").unwrap_or_default();
    format!(
        "crate::operation::Operation {{ api: {api:?}, id: {id:?}, method: {method:?}, path: {path:?}, \
         summary: {summary:?}, documented: {documented}, \
         evidence: crate::operation::Evidence::{evidence}, source: {source:?}, \
         wrapper: crate::{api}::operations::wrapper(crate::raw::{api}::Op::{variant}), \
         content_type: {content_type:?}, \
         behaviour: crate::operation::Behaviour {{ idempotent: {idempotent}, why: {why:?}, \
         spends: {spends}, applied_on: &[{applied_on}], final_on: &[{final_on}], pace: {pace}, time: crate::operation::TimeClass::{time}, \
         secrets: &[{secrets}], side_effects: {side_effects} }} }}",
        id = operation.id,
        method = operation.method,
        path = operation.path,
        summary = operation.summary,
        documented = flag(extension("x-documented")),
        evidence = variant(evidence),
        variant = operation.variant,
        content_type = operation.content_type,
        idempotent = flag(behaviour.get("idempotent")),
        why = words("why"),
        spends = flag(behaviour.get("spends")),
        applied_on = list("applied-on"),
        final_on = list("final-on"),
        time = variant(&words("time")),
        secrets = list("secrets"),
    )
}
