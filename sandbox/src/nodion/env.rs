//! Environment variables: <https://www.nodion.com/en/docs/api/application-environment-variables>. The path is
//! `env_variables`, says dlyx-io/nodion-gateway:CLAUDE.md.

use std::time::Duration;

use serde_json::{Value, json};

use super::applications::Application;
use super::{Clock, body_of, deleted, errors, not_found};
use crate::ids::Ids;
use crate::model::{Reply, Request, text_field};
use crate::time::rfc3339_berlin;

#[derive(Clone, Debug)]
pub(super) struct Variable {
    id: String,
    key: String,
    value: String,
    buildtime: bool,
    created_at: Duration,
    updated_at: Duration,
}

impl Variable {
    fn describe(&self) -> Value {
        json!({
            "id": self.id,
            "env_key": self.key,
            "env_val": self.value,
            "buildtime": self.buildtime,
            "created_at": rfc3339_berlin(self.created_at),
            "updated_at": rfc3339_berlin(self.updated_at),
        })
    }

    fn reply(&self) -> Reply {
        Reply::json(200, &json!({ "env_variable": self.describe() }))
    }
}

impl Application {
    pub(super) fn env_route(
        &mut self,
        request: &Request,
        rest: &[&str],
        ids: &mut Ids,
        clock: Clock,
    ) -> Result<Reply, Reply> {
        match (request.method.as_str(), rest) {
            ("GET", []) => {
                let all: Vec<Value> = self.variables.iter().map(Variable::describe).collect();
                Ok(Reply::json(200, &json!({ "env_variables": all })))
            }
            (_, []) => {
                let new = Variable {
                    id: ids.uuid(),
                    key: String::new(),
                    value: String::new(),
                    buildtime: false,
                    created_at: clock.now,
                    updated_at: clock.now,
                };
                let body = body_of(request)?;
                // Both are required, says the page. The words are the framework's own and were not seen.
                for (name, words) in [("env_key", "Env key"), ("env_val", "Env val")] {
                    if !body.contains_key(name) {
                        return Err(errors(&format!("{words} can't be blank")));
                    }
                }
                let new = self.changed(new, request, clock)?;
                let reply = new.reply();
                self.variables.push(new);
                Ok(reply)
            }
            (method, [id]) => {
                let known = self.variables.iter().position(|one| one.id == *id);
                let index = known.ok_or_else(not_found)?;
                let old = self.variables.get(index).cloned().ok_or_else(not_found)?;
                match method {
                    "GET" => Ok(old.reply()),
                    "DELETE" => {
                        self.variables.remove(index);
                        Ok(deleted())
                    }
                    _ => {
                        let new = self.changed(old, request, clock)?;
                        let reply = new.reply();
                        if let Some(slot) = self.variables.get_mut(index) {
                            *slot = new;
                        }
                        Ok(reply)
                    }
                }
            }
            _ => Err(not_found()),
        }
    }

    fn changed(
        &self,
        mut variable: Variable,
        request: &Request,
        clock: Clock,
    ) -> Result<Variable, Reply> {
        let body = body_of(request)?;
        if body.contains_key("env_key") {
            let key = text_field(&body, "env_key")
                .map(str::trim)
                .unwrap_or_default();
            if key.is_empty() {
                return Err(errors("Env key can't be blank"));
            }
            variable.key = key.to_owned();
        }
        // Whether a second one of the same name is refused is not known; to keep both would hide the mistake.
        let taken = |one: &Variable| one.key == variable.key && one.id != variable.id;
        if self.variables.iter().any(taken) {
            return Err(errors("Env key has already been taken"));
        }
        match body.get("env_val") {
            None => {}
            Some(Value::String(value)) => variable.value.clone_from(value),
            Some(_) => return Err(errors("Env val must be a string")),
        }
        if let Some(buildtime) = body.get("buildtime").and_then(Value::as_bool) {
            variable.buildtime = buildtime;
        }
        variable.updated_at = clock.now;
        Ok(variable)
    }
}
