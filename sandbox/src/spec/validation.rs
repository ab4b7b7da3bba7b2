//! Validates requests and replies against the spec.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::parser::{Content, Parameter, ParameterLocation};
use super::schema::Schema;
use super::{MAX_VIOLATIONS, Operation, Violation};
use crate::reply::Reply;
use crate::request::{Request, media_type};

impl Operation {
    /// Violations of the spec in a request for this operation, except in its credentials.
    pub(crate) fn request_violations(
        &self,
        request: &Request,
        path: &[(String, String)],
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        for parameter in &self.parameters {
            parameter.check(request, path, &mut violations);
        }
        self.check_body(request, &mut violations);
        violations
    }

    /// Validates the body. Without a body in the spec, any body is accepted.
    fn check_body(&self, request: &Request, violations: &mut Vec<Violation>) {
        let Some(first) = self.bodies.first() else {
            return;
        };
        if request.body.is_empty() {
            if self.body_required {
                violations.push(Violation::new("body", "is required"));
            }
            return;
        }
        let sent = request.media_type();
        let matching = self
            .bodies
            .iter()
            .find(|body| sent.as_deref() == Some(&body.media_type));
        if matching.is_none() {
            let message = format!("must be {}", first.media_type);
            violations.push(Violation::new("header.content-type", message));
        }
        // Also validates a body with a wrong content type: some platforms ignore the type.
        matching.unwrap_or(first).check(&request.body, violations);
    }

    /// Violations of the spec in a reply: its status, content type or body.
    pub fn reply_violations(&self, reply: &Reply) -> Vec<Violation> {
        let mut violations = Vec::new();
        let Some(documented) = self.reply(reply.status.as_u16()) else {
            let message = format!(
                "{} is not documented for {}",
                reply.status.as_u16(),
                self.id
            );
            return vec![Violation::new("status", message)];
        };
        let sent = reply.header(CONTENT_TYPE.as_str()).map(media_type);
        let mut contents = documented.contents.iter();
        match (
            contents.find(|body| Some(&body.media_type) == sent.as_ref()),
            documented.contents.first(),
        ) {
            (Some(body), _) => body.check(&reply.body, &mut violations),
            (None, Some(first)) => {
                let message = format!("must be {}", first.media_type);
                violations.push(Violation::new("header.content-type", message));
            }
            (None, None) if !reply.body.is_empty() => {
                violations.push(Violation::new("body", "must be empty"));
            }
            (None, None) => {}
        }
        violations
    }
}

impl Parameter {
    fn check(&self, request: &Request, path: &[(String, String)], violations: &mut Vec<Violation>) {
        let name = self.name.as_str();
        let (location, sent) = match self.location {
            ParameterLocation::Path => {
                let value = path.iter().find(|(other, _)| other == name);
                ("path", value.map(|(_, value)| value.clone()))
            }
            ParameterLocation::Query => ("query", request.query_value(name).map(str::to_owned)),
            ParameterLocation::Header => ("header", request.header(name).map(str::to_owned)),
        };
        match sent {
            Some(text) => {
                let value = scalar(text, &self.schema);
                self.schema
                    .check(&format!("{location}.{name}"), &value, violations);
            }
            None if self.required => {
                violations.push(Violation::new(format!("{location}.{name}"), "is required"));
            }
            None => {}
        }
    }
}

/// The value of a parameter as number or boolean if its schema allows one, else as string.
fn scalar(text: String, schema: &Schema) -> Value {
    match serde_json::from_str(&text) {
        // An integer of more than 64 bits stays a string: as a number, it would be rounded.
        Ok(Value::Number(number)) if number.is_f64() && !text.contains(['.', 'e', 'E']) => {
            Value::String(text)
        }
        Ok(value @ (Value::Number(_) | Value::Bool(_))) if schema.allows(&value) => value,
        _ => Value::String(text),
    }
}

impl Content {
    /// Validates a body of this media type.
    pub(super) fn check(&self, body: &[u8], violations: &mut Vec<Violation>) {
        if let Some(schema) = &self.line {
            let lines = body.split(|byte| *byte == b'\n');
            for line in lines.filter(|line| !line.is_empty()) {
                if violations.len() >= MAX_VIOLATIONS {
                    return;
                }
                check_json(schema, line, violations);
            }
        } else if self.is_json() {
            check_json(&self.schema, body, violations);
        } else {
            match std::str::from_utf8(body) {
                Ok(text) => self.schema.check("body", &Value::from(text), violations),
                Err(_) => violations.push(Violation::new("body", "is not UTF-8")),
            }
        }
    }
}

fn check_json(schema: &Schema, text: &[u8], violations: &mut Vec<Violation>) {
    match serde_json::from_slice(text) {
        Ok(value) => schema.check("body", &value, violations),
        Err(_) => violations.push(Violation::new("body", "is not valid JSON")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Spec;
    use super::*;
    use crate::platform::Platform;

    fn words(violations: &[Violation]) -> Vec<String> {
        violations.iter().map(Violation::to_string).collect()
    }

    fn of_request(platform: Platform, request: &Request) -> Vec<String> {
        let found = Spec::of(platform).route(&request.method, &request.path);
        let (operation, path) = found.unwrap();
        words(&operation.request_violations(request, &path))
    }

    fn of_reply(id: &str, reply: &Reply) -> Vec<String> {
        let operation = Spec::of(Platform::Dployr).operation(id).unwrap();
        words(&operation.reply_violations(reply))
    }

    #[test]
    fn parameters_are_parsed_by_their_schema() {
        let get = |target: &str| of_request(Platform::Dployr, &Request::new("GET", target));
        let list = get("/v1/deployments?page=2&pageSize=100&clusterId=x&other=y");
        assert_eq!(list, [""; 0]);
        let wrong = ["query.page: it is not of type \"integer\""];
        assert_eq!(get("/v1/deployments?page=two"), wrong);
        let logs = "/v1/services/web/logs?since=-9223372036854775809";
        let long = ["query.since: it is not of type \"integer\""];
        assert_eq!(get(logs), long);
        let missing = Request::new("GET", "/getReservations");
        let required = ["query.sessionToken: is required"];
        assert_eq!(of_request(Platform::Nexlayer, &missing), required);
    }

    #[test]
    fn bodies_are_validated_despite_a_wrong_content_type() {
        let login = Request::new("POST", "/v1/auth/login");
        assert_eq!(of_request(Platform::Dployr, &login), ["body: is required"]);
        let violations = |content_type: &str, body: &Value| {
            let request = login.clone().with_body(content_type, body.to_string());
            of_request(Platform::Dployr, &request)
        };
        let body = json!({ "email": "a@example.com", "password": "hunter2" });
        assert_eq!(
            violations("Application/JSON; charset=utf-8", &body),
            [""; 0]
        );
        let wrong_type = "header.content-type: must be application/json";
        assert_eq!(
            violations("text/plain", &json!({ "email": "a@example.com" })),
            [wrong_type, "body.password: is required"]
        );
    }

    #[test]
    fn status_content_type_and_body_of_a_reply_are_validated() {
        let health =
            json!({ "status": "ok", "timestamp": "2026-01-05T00:00:00.000Z", "version": "1" });
        let text = |status, content_type, body: &str| Reply::new(status, content_type, body);
        let mut with_body = Reply::empty(204);
        with_body.body = b"x".to_vec();
        for (id, reply, problem) in [
            ("get_health", Reply::json(200, &health), ""),
            (
                "get_health",
                text(404, "text/plain; charset=UTF-8", "404 Not Found"),
                "",
            ),
            ("delete_deployment", Reply::empty(204), ""),
            (
                "get_health",
                Reply::json(418, &health),
                "status: 418 is not documented for get_health",
            ),
            (
                "get_health",
                text(200, "text/html", "ok"),
                "header.content-type: must be application/json",
            ),
            (
                "get_health",
                Reply::json(200, &json!([])),
                "body: it is not of type \"object\"",
            ),
            ("delete_deployment", with_body, "body: must be empty"),
        ] {
            assert_eq!(of_reply(id, &reply).concat(), problem);
        }
    }

    #[test]
    fn streams_are_validated_line_by_line() {
        let line = json!({ "timestamp": 1, "source": "build", "level": "info", "message": "x" });
        let stream =
            |text: String| of_reply("get_logs", &Reply::new(200, "application/x-ndjson", text));
        assert_eq!(stream(format!("{line}\n{line}\n")), [""; 0]);
        assert_eq!(stream(format!("{line}\n{{\n")), ["body: is not valid JSON"]);
        assert_eq!(stream("{\n".repeat(5_000)).len(), MAX_VIOLATIONS);
    }
}
