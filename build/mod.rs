//! The passes that turn `specs/<api>.yaml` into a raw client.
//!
//! Each pass is one small file. They run in the order in which [`run`] reads, on plain JSON where
//! they look at what was written, and on [`openapiv3`] where they need to know what it means. Every
//! failure is a [`InvalidSpec`] that names the file, the JSON path and the remedy: a spec is edited by
//! hand, and whoever edits it must not meet a panic from inside the generator.

pub mod client_parameters;
pub mod constraints;
pub mod document;
pub mod examples;
pub mod lenient_replies;
pub mod lint;
pub mod open_enums;
pub mod operations;
pub mod problems;
pub mod raw_client;
pub mod schemas;
pub mod success_replies;

use problems::InvalidSpec;

/// What the build script writes to `OUT_DIR` for one API.
#[derive(Debug)]
pub struct Generated {
    /// The raw client, formatted: the file `<api>.rs`.
    pub client: String,
    /// `enum Op` of this API: the file `<api>_op.rs`. Not run through the formatter, because its
    /// comments are what the compiler prints when an operation has no wrapper.
    pub op: String,
    /// The entries of `OPERATIONS` for this API, comma separated.
    pub entries: String,
    /// The entries of the table of the feature `testing`, comma separated.
    pub examples: String,
}

/// Runs every pass over the text of one spec.
pub fn run(api: &str, file: &str, text: &str) -> Result<Generated, InvalidSpec> {
    let document = document::load(file, text)?;
    lint::lint(file, &document.json)?;
    let operations = operations::read(&document);
    let examples = examples::render(api, file, text, &document.json)?;
    let enums = open_enums::collect(&document.json);
    let mut json = document.json;
    client_parameters::apply(&mut json);
    success_replies::apply(&mut json);
    let replies = schemas::reply_only(&json);
    let bound = raw_client::bound_types(&mut json);
    let either = json.get("x-either-spelling") == Some(&true.into());
    constraints::apply(&mut json);
    Ok(Generated {
        client: raw_client::generate(api, file, &json, &bound, &enums, &replies, either)?,
        op: operations::render_enum(api, &operations),
        entries: operations::render_entries(api, &operations),
        examples,
    })
}
