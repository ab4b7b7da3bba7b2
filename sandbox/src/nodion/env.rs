//! Environment variables: <https://www.nodion.com/en/docs/api/application-environment-variables>.
//!
//! The path segment `env_variables` is from dlyx-io/nodion-gateway:CLAUDE.md.

use std::time::Duration;

use serde_json::{Value, json};

use super::applications::Application;
use super::{Now, bad_request, body_of, deleted, envelope, list, not_found};
use crate::ids::Ids;
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
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

    fn reply(&self) -> HandlerResult {
        envelope("env_variable", self.describe())
    }
}

impl Application {
    pub(super) fn list_variables(&self) -> HandlerResult {
        list(
            "env_variables",
            self.variables.iter().map(Variable::describe),
        )
    }

    pub(super) fn create_variable(
        &mut self,
        call: &Call,
        ids: &mut Ids,
        clock: Now,
    ) -> HandlerResult {
        let new = Variable {
            id: ids.uuid(),
            key: String::new(),
            value: String::new(),
            buildtime: false,
            created_at: clock.now,
            updated_at: clock.now,
        };
        let body = body_of(call)?;
        // The reference requires both. The message is the one of Rails; it was not observed.
        for (name, words) in [("env_key", "Env key"), ("env_val", "Env val")] {
            if !body.contains_key(name) {
                return Err(bad_request(&format!("{words} can't be blank")));
            }
        }
        let new = self.with_changes(new, call, clock)?;
        let reply = new.reply();
        self.variables.push(new);
        reply
    }

    pub(super) fn get_variable(&self, call: &Call) -> HandlerResult {
        self.variable(call)?.1.reply()
    }

    pub(super) fn update_variable(&mut self, call: &Call, clock: Now) -> HandlerResult {
        let (at, old) = self.variable(call)?;
        let new = self.with_changes(old.clone(), call, clock)?;
        let reply = new.reply();
        self.variables.splice(at..=at, [new]);
        reply
    }

    pub(super) fn delete_variable(&mut self, call: &Call) -> HandlerResult {
        let (at, _) = self.variable(call)?;
        self.variables.remove(at);
        deleted()
    }

    fn variable(&self, call: &Call) -> Result<(usize, &Variable), Reply> {
        let id = call.path("env_variable_id");
        let mut all = self.variables.iter().enumerate();
        all.find(|(_, one)| one.id == id).ok_or_else(not_found)
    }

    fn with_changes(
        &self,
        mut variable: Variable,
        call: &Call,
        clock: Now,
    ) -> Result<Variable, Reply> {
        let body = body_of(call)?;
        if body.contains_key("env_key") {
            let key = text_field(&body, "env_key")
                .map(str::trim)
                .unwrap_or_default();
            if key.is_empty() {
                return Err(bad_request("Env key can't be blank"));
            }
            variable.key = key.to_owned();
        }
        // The real reply to a duplicate name is unknown. It is rejected, because accepting it would hide a
        // mistake.
        let taken = |one: &Variable| one.key == variable.key && one.id != variable.id;
        if self.variables.iter().any(taken) {
            return Err(bad_request("Env key has already been taken"));
        }
        match body.get("env_val") {
            None => {}
            Some(Value::String(value)) => variable.value.clone_from(value),
            Some(_) => return Err(bad_request("Env val must be a string")),
        }
        if let Some(buildtime) = body.get("buildtime").and_then(Value::as_bool) {
            variable.buildtime = buildtime;
        }
        variable.updated_at = clock.now;
        Ok(variable)
    }
}
