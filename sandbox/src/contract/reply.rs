//! What is wrong with a reply, and replies from nothing but the spec.

use serde_json::Value;

use super::load::Content;
use super::{Operation, Problem};
use crate::model::{Reply, media_type};

impl Operation {
    /// Where a reply of this operation breaks the spec: a status it does not list, another content type, a body that is
    /// not by its schema. Nothing for one that is as it should be.
    pub fn reply_problems(&self, reply: &Reply) -> Vec<Problem> {
        let mut problems = Vec::new();
        let Some(documented) = self.reply(reply.status) else {
            let what = format!("{} is not documented for {}", reply.status, self.id);
            return vec![Problem::new("status", what)];
        };
        let sent = reply.header("content-type").map(media_type);
        let mut contents = documented.contents.iter();
        match (
            contents.find(|body| Some(&body.media_type) == sent.as_ref()),
            documented.contents.first(),
        ) {
            (Some(body), _) => body.check(&reply.body, &mut problems),
            (None, Some(first)) => {
                let what = format!("must be {}", first.media_type);
                problems.push(Problem::new("header.content-type", what));
            }
            (None, None) if !reply.body.is_empty() => {
                problems.push(Problem::new("body", "must be empty"));
            }
            (None, None) => {}
        }
        problems
    }
}

impl Operation {
    /// A reply with that status from nothing but the spec: its first example, or the smallest body that the schema allows.
    /// Nothing for a status that the spec does not list.
    pub fn status_reply(&self, status: u16) -> Option<Reply> {
        let contents = &self.reply(status)?.contents;
        if let Some((content_type, body)) = contents.iter().find_map(Content::example) {
            return Some(Reply::bytes(status, content_type, body));
        }
        let Some(content) = contents.first() else {
            return Some(Reply::empty(status));
        };
        let body = match content.schema.smallest() {
            Value::String(text) if !content.is_json() => text,
            body => body.to_string(),
        };
        Some(Reply::text(status, &content.media_type, &body))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Contract;
    use super::*;
    use crate::model::Platform;

    fn found(id: &str, reply: &Reply) -> Vec<String> {
        let operation = Contract::of(Platform::Dployr).by_id(id).unwrap();
        let problems = operation.reply_problems(reply);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn status_label_and_body_are_checked() {
        let health =
            json!({ "status": "ok", "timestamp": "2026-01-05T00:00:00.000Z", "version": "1" });
        assert_eq!(found("get_health", &Reply::json(200, &health)), [""; 0]);
        assert_eq!(
            found("get_health", &Reply::json(418, &health)),
            ["status: 418 is not documented for get_health"]
        );
        assert_eq!(
            found("get_health", &Reply::text(200, "text/html", "ok")),
            ["header.content-type: must be application/json"]
        );
        assert_eq!(
            found("get_health", &Reply::json(200, &json!([]))),
            ["body: it is not of type \"object\""]
        );
        assert_eq!(
            found(
                "get_health",
                &Reply::text(404, "text/plain; charset=UTF-8", "404 Not Found")
            ),
            [""; 0]
        );
        assert_eq!(found("delete_deployment", &Reply::empty(204)), [""; 0]);
        let full = Reply::empty(204);
        let full = Reply {
            body: b"x".to_vec(),
            ..full
        };
        assert_eq!(found("delete_deployment", &full), ["body: must be empty"]);
    }

    #[test]
    fn every_status_has_a_reply_from_the_spec() {
        for platform in Platform::ALL {
            for operation in Contract::of(platform).operations() {
                for status in operation.statuses() {
                    let reply = operation.status_reply(status).unwrap();
                    let id = operation.id();
                    assert_eq!(
                        operation.reply_problems(&reply),
                        [],
                        "{platform} {id} {status}"
                    );
                }
            }
        }
        let deploy = Contract::of(Platform::Edgegap).by_id("create_deployment");
        assert_eq!(deploy.unwrap().status_reply(503), None);
    }

    #[test]
    fn streams_are_checked_line_by_line() {
        let line = json!({ "timestamp": 1, "source": "build", "level": "info", "message": "x" });
        let stream =
            |text: String| found("get_logs", &Reply::text(200, "application/x-ndjson", &text));
        assert_eq!(stream(format!("{line}\n{line}\n")), [""; 0]);
        assert_eq!(stream(format!("{line}\n{{\n")), ["body: is not valid JSON"]);
        assert_eq!(stream("{\n".repeat(5_000)).len(), 20);
    }
}
