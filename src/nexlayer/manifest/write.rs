//! Writes the canonical form: the names and forms that the platform documents today.

use super::spec::{
    AppSpec, HealthCheck, Others, Pod, Quantities, RegistryLogin, Resources, SecretFile,
    ServicePort, Volume,
};
use crate::secret::Secret;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use std::collections::HashSet;

/// A value in YAML whose fields stay in order.
enum Out<'s> {
    Text(&'s str),
    Whole(u32),
    Bool(bool),
    List(Vec<Out<'s>>),
    Map(Vec<(&'s str, Out<'s>)>),
    Json(&'s Value),
}

impl Serialize for Out<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Whole(number) => serializer.serialize_u32(*number),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::List(items) => items.serialize(serializer),
            Self::Map(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Json(value) => value.serialize(serializer),
        }
    }
}

/// The YAML of an application.
pub(super) fn yaml(spec: &AppSpec) -> String {
    let mut root = vec![("application", application(spec))];
    others(&mut root, &spec.beside);
    // Nothing but texts, numbers, lists and maps with texts as keys: there is nothing to fail.
    serde_saphyr::to_string(&Out::Map(root)).unwrap_or_default()
}

fn application(spec: &AppSpec) -> Out<'_> {
    let mut fields = vec![("name", Out::Text(&spec.name))];
    text(&mut fields, "version", spec.version.as_deref());
    text(&mut fields, "url", spec.url.as_deref());
    if let Some(login) = &spec.registry_login {
        fields.push(("registryLogin", registry_login(login)));
    }
    secret(&mut fields, "entrypoint", spec.entrypoint.as_ref());
    secret(&mut fields, "command", spec.command.as_ref());
    fields.push(("pods", list(&spec.pods, pod)));
    others(&mut fields, &spec.others);
    Out::Map(fields)
}

fn registry_login(login: &RegistryLogin) -> Out<'_> {
    let mut fields = Vec::new();
    text(&mut fields, "registry", login.registry.as_deref());
    text(&mut fields, "username", login.username.as_deref());
    secret(
        &mut fields,
        "personalAccessToken",
        login.personal_access_token.as_ref(),
    );
    others(&mut fields, &login.others);
    Out::Map(fields)
}

fn pod(pod: &Pod) -> Out<'_> {
    let mut fields = vec![("name", Out::Text(&pod.name))];
    text(&mut fields, "path", pod.path.as_deref());
    text(
        &mut fields,
        "image",
        pod.image.as_ref().map(|image| image.as_str()),
    );
    let kind = pod.resource_type.as_ref().map(|kind| kind.as_str());
    text(&mut fields, "resourceType", kind);
    if let Some(replicas) = pod.replicas {
        fields.push(("replicas", Out::Whole(replicas)));
    }
    if let Some(resources) = &pod.resources {
        fields.push(("resources", self::resources(resources)));
    }
    text(&mut fields, "subdomain", pod.subdomain.as_deref());
    if let Some(use_gpu) = pod.use_gpu {
        fields.push(("useGPU", Out::Bool(use_gpu)));
    }
    if !pod.service_ports.is_empty() {
        fields.push(("servicePorts", list(&pod.service_ports, port)));
    }
    secret(&mut fields, "entrypoint", pod.entrypoint.as_ref());
    secret(&mut fields, "command", pod.command.as_ref());
    vars(&mut fields, &pod.vars);
    if !pod.volumes.is_empty() {
        fields.push(("volumes", list(&pod.volumes, volume)));
    }
    if !pod.secrets.is_empty() {
        fields.push(("secrets", list(&pod.secrets, secret_file)));
    }
    if let Some(check) = &pod.health_check {
        fields.push(("healthCheck", health_check(check)));
    }
    others(&mut fields, &pod.others);
    Out::Map(fields)
}

/// Variables as a map, unless one of them is there twice, which only a list can hold.
fn vars<'s>(fields: &mut Vec<(&'s str, Out<'s>)>, vars: &'s [(String, Secret)]) {
    if vars.is_empty() {
        return;
    }
    let mut seen = HashSet::new();
    let value = match vars.iter().all(|(key, _)| seen.insert(key)) {
        true => Out::Map(pairs(vars)),
        false => list(vars, |(key, value)| {
            Out::Map(vec![
                ("key", Out::Text(key)),
                ("value", Out::Text(value.expose())),
            ])
        }),
    };
    fields.push(("vars", value));
}

/// A number, unless the older forms say more than that.
fn port(port: &ServicePort) -> Out<'_> {
    let is_tcp = |name: &str| name.eq_ignore_ascii_case("tcp");
    let protocol = port.protocol.as_deref().filter(|name| !is_tcp(name));
    if port.target_port.is_none() && protocol.is_none() {
        return Out::Whole(port.port.into());
    }
    let mut fields = Vec::new();
    text(&mut fields, "name", port.name.as_deref());
    fields.push(("port", Out::Whole(port.port.into())));
    let target = port.target_port.unwrap_or(port.port);
    fields.push(("targetPort", Out::Whole(target.into())));
    text(&mut fields, "protocol", protocol);
    Out::Map(fields)
}

fn volume(volume: &Volume) -> Out<'_> {
    let mut fields = vec![("name", Out::Text(&volume.name))];
    text(
        &mut fields,
        "size",
        volume.size.as_ref().map(|size| size.as_str()),
    );
    text(&mut fields, "mountPath", volume.mount_path.as_deref());
    others(&mut fields, &volume.others);
    Out::Map(fields)
}

fn secret_file(file: &SecretFile) -> Out<'_> {
    let mut fields = vec![("name", Out::Text(&file.name))];
    match file.files.as_slice() {
        [] => secret(&mut fields, "data", file.data.as_ref()),
        files => fields.push(("data", Out::Map(pairs(files)))),
    }
    text(&mut fields, "fileName", file.file_name.as_deref());
    text(&mut fields, "mountPath", file.mount_path.as_deref());
    others(&mut fields, &file.others);
    Out::Map(fields)
}

fn resources(resources: &Resources) -> Out<'_> {
    let mut fields = Vec::new();
    for (key, part) in [
        ("requests", &resources.requests),
        ("limits", &resources.limits),
    ] {
        if *part != Quantities::default() {
            fields.push((key, quantities(part)));
        }
    }
    others(&mut fields, &resources.others);
    Out::Map(fields)
}

fn quantities(part: &Quantities) -> Out<'_> {
    let mut fields = Vec::new();
    text(&mut fields, "cpu", part.cpu.as_deref());
    text(&mut fields, "memory", part.memory.as_deref());
    others(&mut fields, &part.others);
    Out::Map(fields)
}

fn health_check(check: &HealthCheck) -> Out<'_> {
    let mut fields = Vec::new();
    text(&mut fields, "path", check.path.as_deref());
    for (key, number) in [
        ("port", check.port.map(u32::from)),
        ("initialDelaySeconds", check.initial_delay_seconds),
        ("periodSeconds", check.period_seconds),
        ("timeoutSeconds", check.timeout_seconds),
        ("failureThreshold", check.failure_threshold),
    ] {
        fields.extend(number.map(|number| (key, Out::Whole(number))));
    }
    others(&mut fields, &check.others);
    Out::Map(fields)
}

fn text<'s>(fields: &mut Vec<(&'s str, Out<'s>)>, key: &'s str, text: Option<&'s str>) {
    fields.extend(text.map(|text| (key, Out::Text(text))));
}

fn secret<'s>(fields: &mut Vec<(&'s str, Out<'s>)>, key: &'s str, secret: Option<&'s Secret>) {
    text(fields, key, secret.map(Secret::expose));
}

fn pairs(pairs: &[(String, Secret)]) -> Vec<(&str, Out<'_>)> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| (key.as_str(), Out::Text(value.expose())))
        .collect()
}

fn list<'s, T>(items: &'s [T], one: impl Fn(&'s T) -> Out<'s>) -> Out<'s> {
    Out::List(items.iter().map(one).collect())
}

fn others<'s>(fields: &mut Vec<(&'s str, Out<'s>)>, others: &'s Others) {
    // A name that is taken by now would make the file unreadable.
    let mut taken: HashSet<&str> = fields.iter().map(|(key, _)| *key).collect();
    for (key, value) in &others.0 {
        if taken.insert(key) {
            fields.push((key, Out::Json(value)));
        }
    }
}
