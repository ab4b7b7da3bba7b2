//! Turns `specs/<api>.yaml` into a raw client.
//!
//! `generate` lists the passes in their order; each pass is one file. Most passes edit the spec as plain JSON;
//! [`document`] also parses it with [`openapiv3`]. Specs are edited by hand, so a mistake never panics: it is
//! an [`InvalidSpec`] with the file, the line, the JSON path, the problem and the remedy.
//!
//! | file | content |
//! |---|---|
//! | `document` | parses the YAML and checks the OpenAPI version |
//! | `shared_parts` | copies shared parameters, bodies and replies into the operations |
//! | `lint` | rejects specs that the generator would misread |
//! | `success_replies` | keeps one success reply per operation |
//! | `client_parameters` | removes parameters that the client sends from its settings |
//! | `constraints` | removes bounds and formats, because replies may violate them |
//! | `raw_client` | runs the generator (progenitor) and cleans up its output |
//! | `lenient_replies` | makes reply structs accept the forms that servers send |
//! | `optional_parameters` | moves the optional parameters of a method into a struct |
//! | `request_types` | gives request structs a constructor |
//! | `open_enums` | turns string enums into Rust enums that keep unknown values |
//! | `operations` | writes `enum Op` and the entries of `OPERATIONS` and `GENERAL_PACES` |
//! | `examples` | writes the example replies for the feature `testing` |
//! | `schemas` | looks up schemas, operations and references in a spec |
//! | `problems` | the error types |
//! | `lines` | finds the line of a JSON path |
//! | `yaml` | the options of every YAML reader |

pub mod client_parameters;
pub mod constraints;
pub mod document;
pub mod examples;
pub mod lenient_replies;
pub mod lines;
pub mod lint;
pub mod open_enums;
pub mod operations;
pub mod optional_parameters;
pub mod problems;
pub mod raw_client;
pub mod request_types;
pub mod schemas;
pub mod shared_parts;
pub mod success_replies;
pub mod yaml;

use problems::{InvalidSpec, Problems};

/// The generated code for one platform.
#[derive(Debug)]
pub struct Generated {
    /// The raw client, for `<api>.rs`.
    pub client: String,
    /// `enum Op`, for `<api>_op.rs`. Not formatted: the formatter would drop the comments that the compiler
    /// prints when an operation has no wrapper.
    pub op: String,
    /// The entries of `OPERATIONS`, comma separated.
    pub entries: String,
    /// The entry of `GENERAL_PACES`, with a comma; empty if the spec has no general rate.
    pub general_pace: String,
    /// The entries of the example table, comma separated.
    pub examples: String,
}

/// Runs all passes on the text of one spec.
pub fn run(api: &str, file: &str, text: &str) -> Result<Generated, InvalidSpec> {
    generate(api, text).map_err(|problems| InvalidSpec::new(file, text, problems))
}

fn generate(api: &str, text: &str) -> Result<Generated, Problems> {
    let mut json = document::read(text)?;
    let mut problems = Problems::default();
    lint::references(&json, &mut problems);
    // The other checks follow references.
    problems.check()?;
    shared_parts::apply(&mut json);
    let mut problems = Problems::default();
    lint::lint(&json, &mut problems);
    problems.check()?;
    let operations = operations::read(&document::parse(&json)?, &json);
    let examples = examples::render(api, text, &json)?;
    let enums = open_enums::collect(&json);
    client_parameters::apply(&mut json);
    success_replies::apply(&mut json);
    let reply_only = schemas::reply_only(&json);
    let bound = raw_client::bound_types(&mut json);
    let general_pace = operations::render_general_pace(api, &json);
    let either_spelling = json.get("x-either-spelling") == Some(&true.into());
    constraints::apply(&mut json);
    Ok(Generated {
        client: raw_client::generate(api, &json, &bound, &enums, &reply_only, either_spelling)?,
        op: operations::render_enum(api, &operations),
        entries: operations::render_entries(api, &operations),
        general_pace,
        examples,
    })
}
