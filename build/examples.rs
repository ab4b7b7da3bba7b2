//! Writes the example table for the feature `testing`: query parameters and example replies per operation.

use super::problems::Problem;
use super::schemas::{items, text};
use super::yaml::options;
use openapiv3::{Components, MediaType, OpenAPI, ReferenceOr, Response, StatusCode};
use serde_json::Value;
use std::fmt::Write as _;

/// The entries of one platform, comma separated.
pub fn render(api: &str, spec: &str, json: &Value) -> Result<String, Problem> {
    // Parsed again, because `serde_json::Value` sorts the examples by name.
    let ordered: OpenAPI =
        serde_saphyr::from_str_with_options(spec, options()).map_err(|error| {
            let message = format!("the examples are invalid: {error}");
            Problem::new("$", message, "correct the examples in the YAML")
        })?;
    let mut out = String::new();
    let created = created_ids(&ordered);
    for (path, method, operation) in ordered.operations() {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let query = query_of(&json["paths"][path][method]);
        let ids = created_of(path, &created);
        let mut replies = String::new();
        for (status, response) in &operation.responses.responses {
            // In the order of the spec: the first reply is the default.
            let (StatusCode::Code(status), Some(response)) =
                (status, response_of(&ordered.components, response))
            else {
                continue;
            };
            if response.content.is_empty() {
                let _ = write!(
                    replies,
                    "{}, ",
                    example(*status, "", None, "", &Resource::default())
                );
            }
            for (media, content) in &response.content {
                for (name, value) in examples_of(&ordered.components, content) {
                    let resource = Resource::of(id, path, &value, &created);
                    let body = match &value {
                        Value::String(text) if media != "application/json" => text.clone(),
                        value => value.to_string(),
                    };
                    let _ = write!(
                        replies,
                        "{}, ",
                        example(*status, &name, Some(media.as_str()), &body, &resource)
                    );
                }
            }
        }
        let _ = writeln!(
            out,
            "crate::testing::examples::OperationExamples {{ api: {api:?}, operation: {id:?}, query: &{query:?}, \
             ids: &{ids:?}, replies: &[{replies}] }},",
        );
    }
    Ok(out)
}

/// An item of the table.
fn example(
    status: u16,
    name: &str,
    media: Option<&str>,
    body: &str,
    resource: &Resource,
) -> String {
    let Resource {
        id,
        list,
        item,
        created,
    } = resource;
    format!(
        "crate::testing::examples::Example {{ status: {status}, name: {name:?}, media: {media:?}, body: {body:?}, \
         id: {id:?}, list: {list:?}, item: {item:?}, created: {created:?} }}"
    )
}

/// The resource in a reply: see `Example` in `src/testing/examples.rs`.
#[derive(Default)]
struct Resource {
    id: String,
    list: String,
    item: String,
    created: String,
}

impl Resource {
    /// `creates` are the results of `created_ids`.
    fn of(operation: &str, path: &str, reply: &Value, creates: &[(String, String)]) -> Self {
        // `service` for `/v1/services/{id}/start`.
        let collection = path
            .rsplit_once("/{")
            .and_then(|(start, _)| start.rsplit('/').next());
        let kind = created_kind(operation).or(collection.map(|name| name.trim_end_matches('s')));
        let id = id_of(reply, kind).to_owned();
        if created_kind(operation).is_some() {
            return Self {
                created: id.clone(),
                id,
                ..Self::default()
            };
        }
        let kind = operation.strip_prefix("list_");
        let kind = kind.and_then(|kinds| kinds.strip_suffix('s'));
        let create = creates.iter().find(|(created, _)| Some(&**created) == kind);
        let in_list = create.and_then(|(_, created)| Some((created, list_of(reply, created)?)));
        match in_list {
            Some((created, (list, item))) => Self {
                id: id_of(item, None).to_owned(),
                list: list.to_string(),
                item: item.to_string(),
                created: created.clone(),
            },
            None => Self {
                id,
                ..Self::default()
            },
        }
    }
}

/// The kind of resource that an operation creates, such as `deployment`.
fn created_kind(operation: &str) -> Option<&str> {
    match operation {
        "start_user_deployment" => Some("user_deployment"),
        operation => operation.strip_prefix("create_"),
    }
}

/// The kinds of resources that can be created, with the ids in the examples of the replies.
fn created_ids(spec: &OpenAPI) -> Vec<(String, String)> {
    let mut ids = Vec::new();
    for (_, _, operation) in spec.operations() {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let Some(kind) = created_kind(id) else {
            continue;
        };
        let responses = operation.responses.responses.values();
        let responses = responses.filter_map(|response| response_of(&spec.components, response));
        let content = responses.flat_map(|response| response.content.values());
        let examples = content.flat_map(|content| examples_of(&spec.components, content));
        ids.extend(
            examples.map(|(_, value)| (kind.to_owned(), id_of(&value, Some(kind)).to_owned())),
        );
    }
    ids.retain(|(_, id)| !id.is_empty());
    ids
}

/// For each parameter in a path, the id in the example of the create of its kind of resource; empty if no
/// operation creates this kind. `creates` are the results of `created_ids`.
fn created_of(path: &str, creates: &[(String, String)]) -> Vec<String> {
    let mut collection = "";
    let mut found = Vec::new();
    for segment in path.split('/') {
        let Some(name) = segment.strip_prefix('{') else {
            collection = segment;
            continue;
        };
        // `deployment` for `/v1/deployments/{id}` and for `{deployment_id}`. Names and tags are no ids.
        let kind = match name.trim_end_matches('}') {
            "id" => Some(collection.trim_end_matches('s')),
            name => name.strip_suffix("_id"),
        };
        let create = kind.and_then(|kind| {
            let is_kind = |created: &str| created == kind;
            // dployr's path for `create_api_token` ends with `tokens`.
            let is_similar = |created: &str| created.ends_with(&format!("_{kind}"));
            let find = |fits: &dyn Fn(&str) -> bool| creates.iter().find(|(name, _)| fits(name));
            find(&is_kind).or_else(|| find(&is_similar))
        });
        found.push(create.map_or_else(String::new, |(_, id)| id.clone()));
    }
    found
}

/// The id in a reply: that of the outermost object with an id. If several objects of one level have ids, the
/// id of the object whose key is `kind`. Empty for a list, and if there is no id.
fn id_of<'a>(reply: &'a Value, kind: Option<&str>) -> &'a str {
    let mut level = vec![("", reply)];
    while !level.is_empty() {
        let ids = level.iter().filter_map(|(name, value)| {
            let keys = ["request_id", "id", "applicationName"];
            Some((*name, keys.iter().find_map(|key| text(value, key))?))
        });
        let ids: Vec<_> = ids.collect();
        let named = ids.iter().find(|(name, _)| Some(*name) == kind);
        match (ids.as_slice(), named) {
            ([(_, id)], _) | (_, Some((_, id))) => return id,
            ([], None) => {}
            ([(_, first), ..], None) => return if kind.is_none() { first } else { "" },
        }
        let objects = level.into_iter().filter_map(|(_, value)| value.as_object());
        let members = objects
            .flatten()
            .map(|(name, value)| (name.as_str(), value));
        level = members.collect();
    }
    ""
}

/// The list in a reply, and its item with this id, or its first item with any id.
fn list_of<'a>(reply: &'a Value, id: &str) -> Option<(&'a Value, &'a Value)> {
    match reply {
        Value::Array(items) => {
            let with_id = items.iter().find(|item| id_of(item, None) == id);
            let any = || items.iter().find(|item| !id_of(item, None).is_empty());
            Some((reply, with_id.or_else(any)?))
        }
        Value::Object(map) => map.values().find_map(|inner| list_of(inner, id)),
        _ => None,
    }
}

fn response_of<'a>(
    components: &'a Option<Components>,
    response: &'a ReferenceOr<Response>,
) -> Option<&'a Response> {
    match response {
        ReferenceOr::Item(response) => Some(response),
        ReferenceOr::Reference { reference } => {
            let name = reference.strip_prefix("#/components/responses/")?;
            components.as_ref()?.responses.get(name)?.as_item()
        }
    }
}

fn examples_of(components: &Option<Components>, content: &MediaType) -> Vec<(String, Value)> {
    let single = content.example.clone().map(|value| (String::new(), value));
    let named = content.examples.iter().filter_map(|(name, example)| {
        let example = match example {
            ReferenceOr::Item(example) => example,
            ReferenceOr::Reference { reference } => {
                let target = reference.strip_prefix("#/components/examples/")?;
                components.as_ref()?.examples.get(target)?.as_item()?
            }
        };
        Some((name.clone(), example.value.clone()?))
    });
    single.into_iter().chain(named).collect()
}

/// The names of the query parameters of an operation.
fn query_of(operation: &Value) -> Vec<String> {
    items(operation, "parameters")
        .filter(|parameter| text(parameter, "in") == Some("query"))
        .filter_map(|parameter| text(parameter, "name").map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::shared_parts;
    use super::*;

    #[test]
    fn path_parameters_are_matched_with_the_create_of_their_kind() {
        let creates = [("domain", "d-1"), ("api_token", "t-1"), ("a", "a-1")];
        let creates = creates.map(|(kind, id)| (kind.to_owned(), id.to_owned()));
        for (path, expected) in [
            (
                "/v1/as/{a_id}/domains/{domain_id}/verify",
                &["a-1", "d-1"][..],
            ),
            ("/v1/auth/tokens/{id}", &["t-1"]),
            ("/v1/domains/{domain}/x/{x_id}", &["", ""]),
            ("/v1/domains", &[]),
        ] {
            assert_eq!(created_of(path, &creates), expected, "{path}");
        }
    }

    #[test]
    fn examples_keep_the_order_of_the_document() {
        let text = "
openapi: 3.0.3
info: {title: x, version: '1'}
paths:
  /a:
    parameters: [{name: b, in: query, schema: {type: string}}]
    get:
      operationId: get_a
      responses:
        '202':
          description: x
          content:
            application/json:
              examples:
                second: {value: {t: x}}
                first: {$ref: '#/components/examples/First'}
        '404': {description: x}
components:
  examples:
    First: {value: 1}
";
        let mut json = serde_saphyr::from_str_with_options(text, options()).unwrap();
        shared_parts::apply(&mut json);
        let table = render("x", text, &json).unwrap();
        assert!(table.contains(r#"query: &["b"]"#), "{table}");
        let at = |piece: &str| table.find(piece).unwrap();
        assert!(at(r#"name: "second""#) < at(r#"name: "first""#), "{table}");
        assert!(table.contains("status: 404"), "{table}");
    }
}
