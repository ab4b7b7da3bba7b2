//! Reads a pod of any generation.

use super::application::Deferred;
use super::cursor::{Cursor, Fields};
use super::patterns::{OTHER, POD, QUANTITIES, REGISTRY, RESOURCES, amount};
use super::rules::Rule;
use super::spec::{HealthCheck, Pod, Quantities, ResourceType, Resources, ServicePort};
use super::tree::Node;
use super::{vars, volumes};
use crate::secret::Secret;
use serde_json::Value;
use std::collections::HashSet;

/// The most ports of a pod.
pub(super) const MOST_PORTS: usize = 2768;

pub(super) fn pod<'n>(value: &Cursor<'n>, deferred: &mut Deferred<'n>) -> Option<Pod> {
    let mut fields = value.fields(&POD)?;
    let name = fields.name(&mut deferred.pod_names);
    for key in ["resourceType", "replicas", "resources", "subdomain"] {
        let field = fields.peek(key).map(|field| field.at_key());
        deferred.version_2.extend(field);
    }
    let resource_type = fields.string("resourceType").map(ResourceType::from);
    if resource_type != Some(ResourceType::Job) && !fields.has("servicePorts") {
        fields.missing("servicePorts");
    }
    let subdomain = fields.text("subdomain").map(|(subdomain, place)| {
        deferred.subdomains.push(place);
        subdomain
    });
    let mut mounts = HashSet::new();
    let volumes = volumes::volumes(&mut fields, &mut mounts);
    let secrets = volumes::secrets(&mut fields, &mut mounts);
    let mut command = |key| {
        let place = fields.peek(key)?.at_key();
        let command = fields.command(key)?;
        vars::pod_hosts(command.expose(), &place, deferred);
        Some(command)
    };
    let (entrypoint, command) = (command("entrypoint"), command("command"));
    let pod = Pod {
        name: String::new(),
        image: image(&mut fields, deferred),
        path: fields.string("path"),
        service_ports: service_ports(fields.spelled("servicePorts")),
        vars: vars::vars(fields.spelled("vars"), deferred),
        volumes,
        secrets,
        entrypoint,
        command,
        use_gpu: fields.get("useGPU").and_then(|value| value.flag()),
        resource_type,
        replicas: replicas(&mut fields),
        resources: fields.get("resources").and_then(|value| resources(&value)),
        subdomain,
        health_check: fields
            .get("healthCheck")
            .and_then(|value| health_check(&value)),
        others: fields.others(),
    };
    let (name, _) = name?;
    Some(Pod { name, ..pod })
}

fn image<'n>(fields: &mut Fields<'n>, deferred: &mut Deferred<'n>) -> Option<String> {
    let (image, place) = fields.text("image")?;
    if image.starts_with("registry.nexlayer.") && image.ends_with(":latest") {
        place.warn(Rule::LatestTag);
    }
    vars::placeholders(&image, &place);
    vars::shell_variables(&image, &place);
    if REGISTRY.is_match(&image) {
        deferred.registry.push(place);
    }
    Some(image)
}

fn replicas(fields: &mut Fields<'_>) -> Option<u32> {
    let value = fields.get("replicas")?;
    let replicas = value.whole();
    if replicas == Some(0) {
        value.warn(Rule::Replicas);
    }
    replicas
}

fn resources(value: &Cursor<'_>) -> Option<Resources> {
    let mut fields = value.fields(&RESOURCES)?;
    let mut part = |key| {
        let part = fields.get(key);
        part.and_then(|part| quantities(&part)).unwrap_or_default()
    };
    let (mut requests, mut limits) = (part("requests"), part("limits"));
    // An older form says once what holds for both.
    for key in ["cpu", "memory"] {
        let text = fields.older(key, "in requests and limits");
        let text = text.and_then(|value| value.text());
        for part in [&mut requests, &mut limits] {
            let place = match key {
                "cpu" => &mut part.cpu,
                _ => &mut part.memory,
            };
            *place = place.take().or_else(|| text.clone());
        }
    }
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

fn health_check(value: &Cursor<'_>) -> Option<HealthCheck> {
    let mut fields = value.fields(&OTHER)?;
    let mut whole = |key| fields.get(key).and_then(|value| value.whole());
    Some(HealthCheck {
        initial_delay_seconds: whole("initialDelaySeconds"),
        period_seconds: whole("periodSeconds"),
        timeout_seconds: whole("timeoutSeconds"),
        failure_threshold: whole("failureThreshold"),
        path: fields.string("path"),
        port: fields.get("port").and_then(|value| value.port()),
        others: fields.others(),
    })
}

fn service_ports(lists: Vec<Cursor<'_>>) -> Vec<ServicePort> {
    let mut ports = Vec::new();
    let mut seen = HashSet::new();
    for list in lists {
        let Some(items) = list.items() else { continue };
        if items.is_empty() || items.len() > MOST_PORTS {
            list.warn(Rule::ServicePorts);
        }
        for item in items {
            let Some(port) = service_port(&item) else {
                continue;
            };
            if !seen.insert((port.port, port.protocol.clone())) {
                item.warn(Rule::DuplicatePort);
            }
            ports.push(port);
        }
    }
    ports
}

fn service_port(value: &Cursor<'_>) -> Option<ServicePort> {
    if let Node::Scalar(scalar) = value.node {
        let port = value.port()?;
        if let Value::String(_) = scalar.value {
            let message = "a port is a number today: leave the quotes out";
            value.warn_that(Rule::OldSpelling, message);
        }
        return Some(ServicePort::new(port));
    }
    let Node::Map(_) = value.node else {
        value.port();
        return None;
    };
    let message = "a port is a number alone today";
    value.warn_that(Rule::OldSpelling, message);
    let mut fields = value.fields(&OTHER)?;
    let keys = ["port", "servicePort", "targetPort", "containerPort"];
    let found = keys.map(|key| fields.get(key).map(|value| value.port()));
    let [port, service, target, container] = found.map(Option::flatten);
    let target = target.or(container);
    let (name, protocol) = (fields.string("name"), fields.string("protocol"));
    let port = port.or(service).or(target);
    if port.is_none() && !found.contains(&Some(None)) {
        value.warn_that(Rule::Unreadable, "it has no port");
    }
    let port = port?;
    Some(ServicePort {
        port,
        target_port: target.filter(|target| *target != port),
        name,
        protocol,
    })
}

impl Fields<'_> {
    /// A command: a text, or a list of words that a shell has to join.
    pub(super) fn command(&mut self, key: &str) -> Option<Secret> {
        let value = self.get(key)?;
        let Node::List(_) = value.node else {
            let command = value.text()?;
            // `${…}` is for the shell.
            vars::placeholders(&command, &value);
            return Some(command.into());
        };
        let message = "a single text is expected, as a shell would read it";
        value.warn_that(Rule::OldSpelling, message);
        let words = value.items()?.into_iter().filter_map(|word| word.text());
        let words: Vec<_> = words.map(quoted).collect();
        Some(words.join(" ").into())
    }
}

/// A word in quotes where a shell needs them.
fn quoted(word: String) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
