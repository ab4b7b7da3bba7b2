//! Parses a spec: YAML, then OpenAPI 3.0.

use super::problems::Problem;
use super::schemas::{components, operations};
use super::yaml::options;
use openapiv3::OpenAPI;
use serde_json::Value;

/// Reads the text of a spec.
pub fn read(text: &str) -> Result<Value, Problem> {
    let json: Value = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let message = error.to_string();
        let first = message.lines().find(|line| !line.trim().is_empty());
        let first = first.unwrap_or("no details");
        Problem::new(
            "$",
            format!("the file is not valid YAML: {first}"),
            "correct the YAML at the line in the message",
        )
    })?;
    // Checked before parsing: a 3.1 document parses without an error into wrong types.
    let version = json.get("openapi").unwrap_or(&Value::Null);
    match version
        .as_str()
        .is_some_and(|version| version.starts_with("3.0."))
    {
        true => Ok(json),
        false => Err(Problem::new(
            "$.openapi",
            format!("the OpenAPI version is {version}, not 3.0"),
            "convert the spec to OpenAPI 3.0.3, the newest version that the generator supports",
        )),
    }
}

/// Parses JSON into the typed document.
pub fn parse(json: &Value) -> Result<OpenAPI, Problem> {
    serde_json::from_value(json.clone()).map_err(|error| {
        Problem::new(
            invalid_path(json),
            format!("the object at this path is not valid OpenAPI 3.0: {error}"),
            "compare the object with the OpenAPI 3.0.3 specification",
        )
    })
}

/// The path of the operation or component that does not parse: errors of serde contain no path.
fn invalid_path(json: &Value) -> String {
    for (path, method, operation) in operations(json) {
        if serde_json::from_value::<openapiv3::Operation>(operation.clone()).is_err() {
            return format!("$.paths.{path}.{method}");
        }
    }
    for (name, schema) in components(json) {
        type Item = openapiv3::ReferenceOr<openapiv3::Schema>;
        if serde_json::from_value::<Item>(schema.clone()).is_err() {
            return format!("$.components.schemas.{name}");
        }
    }
    "$".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Problem {
        let parsed = read(text).and_then(|json| parse(&json));
        parsed.expect_err("the spec was accepted")
    }

    #[test]
    fn invalid_yaml_is_an_error_with_its_line() {
        let problem = error("openapi: 3.0.3\ninfo: {title: [\n");
        assert_eq!(problem.path, "$");
        assert!(problem.message.contains("line"), "{}", problem.message);
    }

    #[test]
    fn openapi_3_1_is_refused() {
        assert_eq!(error("openapi: 3.1.0").path, "$.openapi");
        assert_eq!(error("{}").path, "$.openapi");
    }

    #[test]
    fn the_error_contains_the_path_of_an_invalid_object() {
        let problem = error(
            "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n  /a:\n    get:\n      responses: 7\n",
        );
        assert_eq!(problem.path, "$.paths./a.get");
        let problem = error(
            "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: {}\ncomponents:\n  schemas:\n    A: {type: [string, 'null']}\n",
        );
        assert_eq!(problem.path, "$.components.schemas.A");
    }
}
