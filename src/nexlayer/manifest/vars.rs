//! Reads the variables of a pod, and checks what their values refer to.

use super::application::Deferred;
use super::cursor::Cursor;
use super::patterns::{BROWSER_VARIABLE, OTHER, PLACEHOLDER, POD_HOST, SHELL_VARIABLE};
use super::rules::Rule;
use super::tree::Node;
use crate::secret::Secret;
use std::collections::HashSet;

/// Limit of hosts that are checked in one value.
const MOST_HOSTS: usize = 16;

/// A variable: its name with its place, and its value if it has one.
type Variable<'n> = (String, Cursor<'n>, Option<Cursor<'n>>);

/// Of variables with the same name, the first one counts.
pub(super) fn vars<'n>(
    found: Vec<Cursor<'n>>,
    deferred: &mut Deferred<'n>,
) -> Vec<(String, Secret)> {
    let mut vars = Vec::new();
    let mut seen = HashSet::new();
    for (name, key, value) in found.iter().flat_map(variables) {
        if name.is_empty() || name.contains(|c: char| c == '=' || c.is_whitespace()) {
            key.warn(Rule::VarName);
        }
        if !seen.insert(name.clone()) {
            key.warn(Rule::DuplicateVar);
            continue;
        }
        let text = match value {
            None => Some(String::new()),
            Some(value) => var(&name, &value, deferred),
        };
        vars.extend(text.map(|text| (name, text.into())));
    }
    vars
}

/// The variables in a map, or in a list of maps, an older form.
fn variables<'n>(vars: &Cursor<'n>) -> Vec<Variable<'n>> {
    match vars.node {
        Node::Map(_) => {
            let entries = vars.entries().into_iter().flatten();
            entries
                .map(|(key, value)| (key.to_owned(), value.at_key(), Some(value)))
                .collect()
        }
        Node::List(_) => {
            vars.warn_that(Rule::OldSpelling, "write a map of variables instead");
            let items = vars.items().into_iter().flatten();
            items.filter_map(|item| variable(&item)).collect()
        }
        Node::Scalar(_) => {
            vars.unreadable("a map of variables");
            Vec::new()
        }
    }
}

fn variable<'n>(item: &Cursor<'n>) -> Option<Variable<'n>> {
    let mut fields = item.fields(&OTHER)?;
    let names = ["key", "name"].map(|key| fields.take(key));
    let name = names.into_iter().flatten().find(|name| !name.is_null());
    if name.is_none() {
        item.warn_that(Rule::Unreadable, "it has no name");
    }
    let key = name?;
    Some((key.text()?, key, fields.take("value")))
}

fn var<'n>(name: &str, value: &Cursor<'n>, deferred: &mut Deferred<'n>) -> Option<String> {
    let text = value.value()?;
    if value.is_ambiguous() {
        value.warn(Rule::UnquotedValue);
    }
    placeholders(&text, value);
    shell_variables(&text, value);
    if pod_hosts(&text, value, deferred) && BROWSER_VARIABLE.is_match(name) {
        value.warn(Rule::PodHostInBrowser);
    }
    Some(text)
}

/// Warns about `<% … %>` that the platform is not known to replace, or without its end.
pub(super) fn placeholders(text: &str, place: &Cursor<'_>) {
    let is_open = |text: &str| text.contains("<%");
    if let Some(known) = PLACEHOLDER.compiled()
        && is_open(text)
        && is_open(&known.replace_all(text, " "))
    {
        place.warn(PLACEHOLDER.rule);
    }
}

/// Warns about `${NAME}`.
pub(super) fn shell_variables(text: &str, place: &Cursor<'_>) {
    if SHELL_VARIABLE.is_match(text) {
        place.warn(SHELL_VARIABLE.rule);
    }
}

/// Collects the pod hosts in a text, to be checked when all pods are known. Returns whether there are
/// any.
pub(super) fn pod_hosts<'n>(text: &str, place: &Cursor<'n>, deferred: &mut Deferred<'n>) -> bool {
    let found = POD_HOST.compiled().into_iter();
    let found = found
        .flat_map(|host| host.captures_iter(text))
        .take(MOST_HOSTS);
    let before = deferred.hosts.len();
    let hosts = found.map(|host| (host[1].to_owned(), place.clone()));
    deferred.hosts.extend(hosts);
    deferred.hosts.len() > before
}
