//! Reads the variables of a pod, and what their values refer to.

use super::application::Deferred;
use super::cursor::Cursor;
use super::patterns::{OTHER, PLACEHOLDER, SHELL_VARIABLE};
use super::rules::Rule;
use super::tree::Node;
use crate::secret::Secret;
use std::collections::HashSet;

/// Variables with these names are built into what browsers load.
const BROWSER: [&str; 9] = [
    "NEXT_PUBLIC_",
    "NUXT_PUBLIC_",
    "EXPO_PUBLIC_",
    "REACT_APP_",
    "VUE_APP_",
    "NG_APP_",
    "GATSBY_",
    "VITE_",
    "PUBLIC_",
];
/// Values that the first generation replaced.
const CONSTANTS: [&str; 11] = [
    "PROXY_URL",
    "PROXY_DOMAIN",
    "DATABASE_HOST",
    "NEO4J_URI",
    "DATABASE_CONNECTION_STRING",
    "FRONTEND_CONNECTION_URL",
    "FRONTEND_CONNECTION_DOMAIN",
    "BACKEND_CONNECTION_URL",
    "BACKEND_CONNECTION_DOMAIN",
    "LLM_CONNECTION_URL",
    "LLM_CONNECTION_DOMAIN",
];
/// Limit of hosts that are checked in one value.
const MOST_HOSTS: usize = 16;

/// A variable: its name with its place, and its value if it has one.
type Variable<'n> = (String, Cursor<'n>, Option<Cursor<'n>>);

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
        }
        let text = match value {
            None => Some(String::new()),
            Some(value) => var(&name, &value, deferred),
        };
        vars.extend(text.map(|text| (name, text.into())));
    }
    vars
}

/// The variables in a map, or in a list of maps as older generations have it.
fn variables<'n>(vars: &Cursor<'n>) -> Vec<Variable<'n>> {
    match vars.node {
        Node::Map(_) => {
            let entries = vars.entries().into_iter().flatten();
            entries
                .map(|(key, value)| (key.to_owned(), value.at_key(), Some(value)))
                .collect()
        }
        Node::List(_) => {
            let message = "a map of variables is expected today";
            vars.warn_that(Rule::OldSpelling, message);
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
    let text = value.value("a single value")?;
    if value.is_ambiguous() {
        value.warn(Rule::UnquotedValue);
    }
    if CONSTANTS.contains(&text.as_str()) {
        value.warn(Rule::OldConstant);
    }
    placeholders(&text, value);
    shell_variables(&text, value);
    let has_hosts = pod_hosts(&text, value, deferred);
    if has_hosts && BROWSER.iter().any(|prefix| name.starts_with(prefix)) {
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

/// Notes the hosts of pods in a text, to be checked when all pods are known. Whether there is one.
pub(super) fn pod_hosts<'n>(text: &str, place: &Cursor<'n>, deferred: &mut Deferred<'n>) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let mut found = HashSet::new();
    for (at, suffix) in text.match_indices(".pod") {
        let (before, after) = (&text[..at], &text[at + suffix.len()..]);
        let name = before.rsplit(|c| !is_name(c)).next().unwrap_or_default();
        if !name.is_empty() && !after.starts_with(is_name) && found.len() < MOST_HOSTS {
            found.insert(name);
        }
    }
    let hosts = found.iter();
    let hosts = hosts.map(|name| ((*name).to_owned(), place.clone()));
    deferred.hosts.extend(hosts);
    !found.is_empty()
}
