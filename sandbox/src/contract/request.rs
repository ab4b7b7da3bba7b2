//! What is wrong with a request.

use serde_json::Value;

use super::load::Content;
use super::schema::Schema;
use super::{MOST_PROBLEMS, Operation, Problem, route};
use crate::model::Request;

/// A parameter of the path, the query or the headers.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) within: Within,
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) schema: Schema,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    Path,
    Query,
    Header,
}

impl Operation {
    /// Where a request for this operation breaks the spec, credentials apart. Nothing for one that is as it should be.
    pub fn request_problems(&self, request: &Request) -> Vec<Problem> {
        let mut problems = Vec::new();
        for parameter in &self.parameters {
            parameter.check(self, request, &mut problems);
        }
        self.check_body(request, &mut problems);
        problems
    }

    /// Where a spec has no body, nothing is said of one that comes all the same.
    fn check_body(&self, request: &Request, problems: &mut Vec<Problem>) {
        let Some(first) = self.bodies.first() else {
            return;
        };
        if request.body.is_empty() {
            if self.body_required {
                problems.push(Problem::new("body", "is required"));
            }
            return;
        }
        let sent = request.media_type();
        let labelled = self
            .bodies
            .iter()
            .find(|body| sent.as_deref() == Some(&body.media_type));
        if labelled.is_none() {
            let what = format!("must be {}", first.media_type);
            problems.push(Problem::new("header.content-type", what));
        }
        // A wrong label does not hide what is wrong inside, for the platforms that do not look at labels.
        labelled.unwrap_or(first).check(&request.body, problems);
    }
}

impl Parameter {
    fn check(&self, operation: &Operation, request: &Request, problems: &mut Vec<Problem>) {
        let name = self.name.as_str();
        let (word, sent) = match self.within {
            Within::Path => {
                let mut values = route::values(&operation.segments, &request.path);
                let value = values.find(|(other, _)| *other == name);
                ("path", value.map(|(_, value)| value))
            }
            Within::Query => ("query", request.query_value(name).map(str::to_owned)),
            Within::Header => ("header", request.header(name).map(str::to_owned)),
        };
        match sent {
            Some(text) => {
                let value = coerced(text, self.schema.kind());
                self.schema
                    .check(&format!("{word}.{name}"), &value, problems);
            }
            None if self.required => {
                problems.push(Problem::new(format!("{word}.{name}"), "is required"));
            }
            None => {}
        }
    }
}

/// What a text stands for. One that does not stand for a value of that kind stays a text, which the schema refuses.
fn coerced(text: String, kind: Option<&str>) -> Value {
    let value = match kind {
        Some("integer") => text.parse::<i64>().ok().map(Value::from),
        Some("number") => text.parse::<f64>().ok().map(Value::from),
        Some("boolean") => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    value.unwrap_or(Value::String(text))
}

impl Content {
    /// Checks a body that claims to be this.
    pub(super) fn check(&self, body: &[u8], problems: &mut Vec<Problem>) {
        if let Some(schema) = &self.line {
            let lines = body.split(|byte| *byte == b'\n');
            for line in lines.filter(|line| !line.is_empty()) {
                if problems.len() >= MOST_PROBLEMS {
                    return;
                }
                check_json(schema, line, problems);
            }
        } else if self.is_json() {
            check_json(&self.schema, body, problems);
        } else {
            match std::str::from_utf8(body) {
                Ok(text) => self.schema.check("body", &Value::from(text), problems),
                Err(_) => problems.push(Problem::new("body", "is not UTF-8")),
            }
        }
    }
}

fn check_json(schema: &Schema, text: &[u8], problems: &mut Vec<Problem>) {
    match serde_json::from_slice(text) {
        Ok(value) => schema.check("body", &value, problems),
        Err(_) => problems.push(Problem::new("body", "is not valid JSON")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Contract;
    use super::*;
    use crate::model::Platform;

    fn found(platform: Platform, request: &Request) -> Vec<String> {
        let operation = Contract::of(platform).operation(&request.method, &request.path);
        let problems = operation.unwrap().request_problems(request);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn parameters_are_read_as_what_they_stand_for() {
        let get = |query: &str| {
            let request = Request::new("GET", &format!("/v1/deployments?{query}"));
            found(Platform::Dployr, &request)
        };
        assert_eq!(get("page=2&pageSize=100&clusterId=x&other=y"), [""; 0]);
        assert_eq!(
            get("page=two"),
            ["query.page: it is not of type \"integer\""]
        );
        let missing = Request::new("GET", "/getReservations");
        assert_eq!(
            found(Platform::Nexlayer, &missing),
            ["query.sessionToken: is required"]
        );
    }

    #[test]
    fn bodies_are_checked_whatever_their_label() {
        let login = Request::new("POST", "/v1/auth/login");
        assert_eq!(found(Platform::Dployr, &login), ["body: is required"]);
        let labelled = |label: &str, body: &Value| {
            let request = login.clone().with_body(label, body.to_string());
            found(Platform::Dployr, &request)
        };
        let body = json!({ "email": "a@example.com", "password": "hunter2" });
        assert_eq!(labelled("Application/JSON; charset=utf-8", &body), [""; 0]);
        assert_eq!(
            labelled("text/plain", &json!({ "email": "a@example.com" })),
            [
                "header.content-type: must be application/json",
                "body.password: is required"
            ]
        );
    }
}
