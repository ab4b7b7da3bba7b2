//! Reads a pod: image, ports, variables, volumes and secrets.

use super::cursor::{Cursor, Fields};
use super::lints::{
    BROWSER_VARIABLE, LOCALHOST, Object, PLACEHOLDER, POD, POD_HOST, QUANTITIES, REGISTRY, Rule,
    SCHEME_PORTS, SECRET, SHELL_VARIABLE, VOLUME, amount,
};
use super::reader::Deferred;
use super::spec::{Pod, Quantities, ResourceType, Resources, SecretFile, Volume};
use super::yaml::Node;
use crate::secret::Secret;
use serde_json::Value;
use std::collections::HashSet;

/// Maximum number of ports per pod.
pub(super) const MAX_PORTS: usize = 2768;

/// Maximum number of hosts that are checked per value.
const MAX_HOSTS: usize = 16;

/// Name of a variable, the position of the name, and the value.
type Variable<'n> = (String, Cursor<'n>, Option<Cursor<'n>>);

pub(super) fn pod<'n>(value: &Cursor<'n>, deferred: &mut Deferred<'n>) -> Option<Pod> {
    let mut fields = value.fields(&POD)?;
    let version_2 = ["resourceType", "replicas", "resources", "subdomain"];
    for field in version_2.into_iter().filter_map(|key| fields.peek(key)) {
        deferred.rule(Rule::NeedsVersion2, "", &field.at_key());
    }
    let resource_type = fields.string("resourceType").map(ResourceType::from);
    if resource_type != Some(ResourceType::Job) && !fields.has("servicePorts") {
        fields.missing("servicePorts");
    }
    let path = fields.text("path");
    if let Some((path, value)) = &path
        && !fields.has("subdomain")
        && !deferred.paths.insert(path.trim_end_matches('/').to_owned())
    {
        value.warn(Rule::DuplicatePath);
    }
    let service_ports = service_ports(fields.all_spellings("servicePorts"));
    let vars = vars(fields.all_spellings("vars"), &service_ports, deferred);
    let (list, mut mounts) = (fields.peek("volumes"), HashSet::new());
    let volumes = volumes(&mut fields, &mut mounts);
    let data = vars.iter().find(|(name, _)| name == "PGDATA");
    // The default of PostgreSQL's images.
    let data = data.map_or("/var/lib/postgresql/data", |(_, value)| value.expose());
    if let Some(list) = list.filter(|_| mounts.contains(data.trim_end_matches('/'))) {
        list.warn(Rule::PostgresData);
    }
    Some(Pod {
        name: fields.name(&mut deferred.pod_names),
        image: image(&mut fields, deferred),
        path: path.map(|(path, _)| path),
        service_ports,
        vars,
        volumes,
        secrets: secrets(&mut fields, &mut mounts),
        entrypoint: command(&mut fields, "entrypoint", deferred),
        command: command(&mut fields, "command", deferred),
        use_gpu: fields.get("useGPU").and_then(|value| value.boolean()),
        resource_type,
        replicas: replicas(&mut fields),
        resources: fields.get("resources").and_then(|value| resources(&value)),
        subdomain: fields.text("subdomain").map(|(subdomain, value)| {
            deferred.rule(Rule::SubdomainWithoutUrl, "", &value);
            subdomain
        }),
        others: fields.others(),
    })
}

fn image<'n>(fields: &mut Fields<'n>, deferred: &mut Deferred<'n>) -> Option<String> {
    let (image, value) = fields.text("image")?;
    if image.starts_with("registry.nexlayer.") && image.ends_with(":latest") {
        value.warn(Rule::LatestTag);
    }
    check_placeholders(&image, &value);
    if SHELL_VARIABLE.is_match(&image) {
        value.warn(SHELL_VARIABLE.rule);
    }
    if REGISTRY.is_match(&image) {
        deferred.rule(REGISTRY.rule, "", &value);
    }
    Some(image)
}

fn command<'n>(fields: &mut Fields<'n>, key: &str, deferred: &mut Deferred<'n>) -> Option<Secret> {
    let (command, value) = fields.text(key)?;
    // `${…}` is allowed: the shell in the pod expands it.
    check_placeholders(&command, &value);
    collect_pod_hosts(&command, &value, deferred);
    Some(command.into())
}

fn replicas(fields: &mut Fields<'_>) -> Option<u32> {
    let value = fields.get("replicas")?;
    let replicas = value.whole_number();
    if replicas == Some(0) {
        value.warn(Rule::Replicas);
    }
    replicas
}

fn resources(value: &Cursor<'_>) -> Option<Resources> {
    let mut fields = value.fields(&Object::NO_RULES)?;
    let [requests, limits] =
        ["requests", "limits"].map(|key| fields.get(key).and_then(|part| quantities(&part)));
    // Older form: one value for both requests and limits.
    let [cpu, memory] = ["cpu", "memory"].map(|key| {
        let value = fields.older(key, "requests and limits with this value");
        value.and_then(|value| value.text())
    });
    let both = Quantities {
        cpu,
        memory,
        ..Quantities::default()
    };
    let requests = requests.unwrap_or_else(|| both.clone());
    let limits = limits.unwrap_or(both);
    let is_less = |limit: &Option<String>, request: &Option<String>| {
        let amount = |text: &Option<String>| text.as_deref().and_then(amount);
        amount(limit)
            .zip(amount(request))
            .is_some_and(|(limit, request)| limit < request)
    };
    if is_less(&limits.cpu, &requests.cpu) || is_less(&limits.memory, &requests.memory) {
        value.warn(Rule::LimitBelowRequest);
    }
    Some(Resources {
        requests,
        limits,
        others: fields.others(),
    })
}

fn quantities(value: &Cursor<'_>) -> Option<Quantities> {
    let mut fields = value.fields(&QUANTITIES)?;
    Some(Quantities {
        cpu: fields.string("cpu"),
        memory: fields.string("memory"),
        others: fields.others(),
    })
}

fn service_ports(lists: Vec<Cursor<'_>>) -> Vec<u16> {
    let mut ports = Vec::new();
    let mut seen = HashSet::new();
    for list in lists {
        let Some(items) = list.items() else { continue };
        if items.is_empty() || items.len() > MAX_PORTS {
            list.warn(Rule::ServicePorts);
        }
        for item in items {
            let Some(port) = service_port(&item) else {
                continue;
            };
            if !seen.insert(port) {
                item.warn(Rule::DuplicatePort);
            }
            ports.push(port);
        }
    }
    ports
}

fn service_port(value: &Cursor<'_>) -> Option<u16> {
    if let Node::Scalar(scalar) = value.node {
        let port = value.port()?;
        if let Value::String(_) = scalar.value {
            value.warn_with(Rule::OldSpelling, "write the port without quotes");
        }
        return Some(port);
    }
    // The form of nexlayer-cli. The platform ignores name, target and protocol.
    let mut fields = value.fields(&Object::NO_RULES)?;
    let message = "write only the port number: name, target and protocol have no effect";
    value.warn_with(Rule::OldSpelling, message);
    let keys = ["port", "servicePort", "targetPort", "containerPort"];
    let found = keys.into_iter().find_map(|key| fields.get(key));
    if found.is_none() {
        value.warn_with(Rule::Unreadable, "the port is missing");
    }
    found?.port()
}

fn volumes(pod: &mut Fields<'_>, mounts: &mut HashSet<String>) -> Vec<Volume> {
    let mut names = HashSet::new();
    let list = pod.get("volumes").and_then(|list| list.items());
    let volume = |item: Cursor<'_>| {
        let mut fields = item.fields(&VOLUME)?;
        Some(Volume {
            name: fields.name(&mut names),
            size: fields.string("size"),
            mount_path: mount_path(&mut fields, mounts),
            others: fields.others(),
        })
    };
    list.into_iter().flatten().filter_map(volume).collect()
}

fn secrets(pod: &mut Fields<'_>, mounts: &mut HashSet<String>) -> Vec<SecretFile> {
    let mut names = HashSet::new();
    let list = pod.get("secrets").and_then(|list| list.items());
    let secret = |item: Cursor<'_>| {
        let mut fields = item.fields(&SECRET)?;
        let name = fields.name(&mut names);
        let mount_path = mount_path(&mut fields, mounts);
        if mount_path.is_none() && !mounts.insert(format!("/var/secrets/{name}")) {
            item.warn(Rule::MountCollision);
        }
        Some(SecretFile {
            name,
            data: fields.string("data").map(Secret::from),
            file_name: file_name(&mut fields),
            mount_path,
            others: fields.others(),
        })
    };
    list.into_iter().flatten().filter_map(secret).collect()
}

fn file_name(fields: &mut Fields<'_>) -> Option<String> {
    let (file_name, value) = fields.text("fileName")?;
    if file_name.is_empty() || file_name.contains('/') {
        value.warn(Rule::FileName);
    }
    Some(file_name)
}

fn mount_path(fields: &mut Fields<'_>, mounts: &mut HashSet<String>) -> Option<String> {
    let (path, value) = fields.text("mountPath")?;
    if !mounts.insert(path.trim_end_matches('/').to_owned()) {
        value.warn(Rule::MountCollision);
    }
    Some(path)
}

/// Reads the variables of a pod with these ports. If several have the same name, keeps the first.
fn vars<'n>(
    found: Vec<Cursor<'n>>,
    ports: &[u16],
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
            Some(value) => var(&name, &value, ports, deferred),
        };
        vars.extend(text.map(|text| (name, text.into())));
    }
    vars
}

/// The variables in a map or, in an older form, a list of maps.
fn variables<'n>(vars: &Cursor<'n>) -> Vec<Variable<'n>> {
    match vars.node {
        Node::Map(_) => {
            let entries = vars.entries().into_iter().flatten();
            entries
                .map(|(key, value)| (key.to_owned(), value.at_key(), Some(value)))
                .collect()
        }
        Node::List(_) => {
            let message = "write a map instead: startUserDeployment documents no lists, only the platform's newer pipeline does";
            vars.warn_with(Rule::OldSpelling, message);
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
    let mut fields = item.fields(&Object::NO_RULES)?;
    let names = ["key", "name"].map(|key| fields.take(key));
    let name = names.into_iter().flatten().find(|name| !name.is_null());
    if name.is_none() {
        item.warn_with(Rule::Unreadable, "the name is missing");
    }
    let key = name?;
    Some((key.text()?, key, fields.take("value")))
}

fn var<'n>(
    name: &str,
    value: &Cursor<'n>,
    ports: &[u16],
    deferred: &mut Deferred<'n>,
) -> Option<String> {
    let text = value.value()?;
    let mut local = local_ports(&text);
    local.retain(|port| !ports.iter().any(|own| own.to_string() == *port));
    if !local.is_empty() {
        deferred.rule(LOCALHOST.rule, &local.join(" "), value);
    }
    if value.is_ambiguous() {
        value.warn(Rule::UnquotedValue);
    }
    check_placeholders(&text, value);
    if SHELL_VARIABLE.is_match(&text) {
        value.warn(SHELL_VARIABLE.rule);
    }
    if collect_pod_hosts(&text, value, deferred) && BROWSER_VARIABLE.is_match(name) {
        value.warn(Rule::PodHostInBrowser);
    }
    Some(text)
}

/// The ports of `localhost` in a text: those written, and those of the schemes of URLs.
fn local_ports(text: &str) -> Vec<&str> {
    let local = LOCALHOST.compiled().into_iter();
    let local = local.flat_map(|local| local.captures_iter(text));
    let local = local.filter_map(|local| Some(local.get(2).or(local.get(1))?.as_str()));
    let of_scheme = |scheme: &str| {
        let mut known = SCHEME_PORTS.split(' ');
        known.find_map(|known| known.strip_prefix(scheme)?.strip_prefix(':'))
    };
    local
        .map(|found| of_scheme(found).unwrap_or(found))
        .collect()
}

/// Warns about unknown or unterminated placeholders `<% … %>`.
fn check_placeholders(text: &str, value: &Cursor<'_>) {
    let is_open = |text: &str| text.contains("<%");
    if let Some(known) = PLACEHOLDER.compiled()
        && is_open(text)
        && is_open(&known.replace_all(text, " "))
    {
        value.warn(PLACEHOLDER.rule);
    }
}

/// Collects the hosts `{name}.pod` in a text, to check them after all pods are read.
///
/// Returns whether the text contains such a host.
fn collect_pod_hosts<'n>(text: &str, value: &Cursor<'n>, deferred: &mut Deferred<'n>) -> bool {
    let found = POD_HOST.compiled().into_iter();
    let found = found.flat_map(|host| host.captures_iter(text));
    for host in found.take(MAX_HOSTS) {
        let name = host.get(1).or(host.get(2));
        deferred.rule(POD_HOST.rule, name.map_or("", |name| name.as_str()), value);
    }
    POD_HOST.is_match(text)
}
