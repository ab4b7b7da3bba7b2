//! Reads a pod of any generation.

use super::fields::{At, Field, Fields, Reader};
use super::lint::{Path, Rule};
use super::pattern;
use super::read::Whole;
use super::spec::{HealthCheck, Pod, Quantities, ResourceType, Resources, ServicePort};
use super::tree::{Kind, Node};
use crate::secret::Secret;
use std::collections::HashSet;

/// The most ports of a pod.
const MOST_PORTS: usize = 2768;

impl Reader<'_> {
    pub(super) fn pod(&mut self, value: At<'_>, path: &Path<'_>, whole: &mut Whole) -> Option<Pod> {
        let mut fields = Fields::of(self, value, path)?;
        let name = fields.name(self, Rule::PodName);
        let mut pod = Pod::default();
        let named = name.is_some();
        if let Some((name, at)) = name {
            if !whole.names.insert(name.clone()) {
                let message = "another pod has the same name";
                let path = path.field("name");
                self.notes.add(Rule::DuplicateName, at, &path, message);
            }
            pod.name = name;
        }
        self.image(&mut fields, &mut pod, whole);
        let form = (&pattern::PATH, Rule::PathForm, "a path starts with /");
        let public = fields.formed(self, "path", &[], form);
        whole.has_path |= public.is_some();
        pod.path = public.map(|(path, _)| path);
        self.version_2(&mut fields, &mut pod, whole);
        self.ports(&mut fields, &mut pod);
        for field in fields.spelled(self, "vars", &["env"]) {
            self.vars(field, &path.field(field.key), &mut pod, whole);
        }
        let mut mounts = HashSet::new();
        if let Some(field) = fields.get(self, "volumes") {
            let path = path.field("volumes");
            let mut names = HashSet::new();
            for (index, item) in self.list_of(field, &path).into_iter().enumerate() {
                let volume = self.volume(item, &path.item(index), &mut names, &mut mounts);
                pod.volumes.extend(volume);
            }
        }
        if let Some(field) = fields.get(self, "secrets") {
            let path = path.field("secrets");
            let mut names = HashSet::new();
            for (index, item) in self.list_of(field, &path).into_iter().enumerate() {
                let secret = self.secret_file(item, &path.item(index), &mut names, &mut mounts);
                pod.secrets.extend(secret);
            }
        }
        for (key, command) in [
            ("entrypoint", &mut pod.entrypoint),
            ("command", &mut pod.command),
        ] {
            let at = fields.place(key);
            *command = self.command(&mut fields, key);
            if let Some((command, at)) = command.as_ref().zip(at) {
                self.hosts(command.expose(), at, &path.field(key), whole);
            }
        }
        if let Some(field) = fields.get(self, "useGPU") {
            pod.use_gpu = match field.value.node {
                Node::Scalar(scalar) => match scalar.kind {
                    Kind::Bool(value) => Some(value),
                    _ => None,
                },
                _ => None,
            };
            if pod.use_gpu.is_none() {
                self.unreadable(field.value, &path.field("useGPU"), "true or false");
            }
        }
        if let Some(field) = fields.get(self, "healthCheck") {
            pod.health_check = self.health_check(field, &path.field("healthCheck"));
        }
        let old = ["type", "exposeHttp", "privateTag", "envFile"];
        pod.others = fields.others(self, &["args", "annotations"], &old);
        named.then_some(pod)
    }

    fn image(&mut self, fields: &mut Fields<'_, '_>, pod: &mut Pod, whole: &mut Whole) {
        let there = fields.has("image") || fields.has("tag");
        let form = (
            &pattern::IMAGE,
            Rule::ImageForm,
            "[registry/]repository:tag or <% REGISTRY %>/repository:tag is expected, with a tag and \
             without a digest",
        );
        let Some((image, at)) = fields.formed(self, "image", &["tag"], form) else {
            if !there {
                fields.missing(self, "image");
            }
            return;
        };
        let path = fields.path.field("image");
        if pattern::behind_registry(&image).is_some() {
            whole.registry.push((at, path.to_string()));
        }
        if image.starts_with("registry.nexlayer.") && image.ends_with(":latest") {
            let message = "the platform's own registry refuses latest: name a version";
            self.notes.add(Rule::LatestTag, at, &path, message);
        }
        self.placeholders(&image, at, &path, true);
        pod.image = Some(image.into());
    }

    /// What only version 2.0 knows.
    fn version_2(&mut self, fields: &mut Fields<'_, '_>, pod: &mut Pod, whole: &mut Whole) {
        for key in ["resourceType", "replicas", "resources", "subdomain"] {
            if let Some(at) = fields.place(key) {
                let path = fields.path.field(key).to_string();
                whole.of_version_2.push((at, path));
            }
        }
        if let Some((text, at)) = fields.text(self, "resourceType", &[]) {
            let kind = ResourceType::from(text);
            if matches!(kind, ResourceType::Unknown(_)) {
                let path = fields.path.field("resourceType");
                let message = "deployment, statefulset, daemonset or job is expected";
                self.notes.add(Rule::ResourceType, at, &path, message);
            }
            pod.resource_type = Some(kind);
        }
        if let Some(field) = fields.get(self, "replicas") {
            let path = fields.path.field("replicas");
            pod.replicas = self.whole_of(field.value, &path);
            if pod.replicas == Some(0) {
                let message = "there is at least one replica";
                self.notes
                    .add(Rule::Replicas, field.value.at, &path, message);
            }
        }
        if let Some(field) = fields.get(self, "resources") {
            pod.resources = self.resources(field, &fields.path.field("resources"));
        }
        let form = (
            &pattern::SUBDOMAIN,
            Rule::SubdomainForm,
            "a part of a domain is expected, such as api",
        );
        if let Some((subdomain, at)) = fields.formed(self, "subdomain", &[], form) {
            let path = fields.path.field("subdomain").to_string();
            whole.subdomains.push((at, path));
            pod.subdomain = Some(subdomain);
        }
    }

    fn resources(&mut self, field: Field<'_>, path: &Path<'_>) -> Option<Resources> {
        let mut fields = Fields::of(self, field.value, path)?;
        let mut resources = Resources::default();
        if let Some(field) = fields.get(self, "requests") {
            resources.requests = self.quantities(field, &path.field("requests"));
        }
        if let Some(field) = fields.get(self, "limits") {
            resources.limits = self.quantities(field, &path.field("limits"));
        }
        // An older form says once what is meant for both.
        for key in ["cpu", "memory"] {
            let Some(field) = fields.older(self, key, "in requests and limits") else {
                continue;
            };
            let text = self.text_of(field.value, &path.field(key));
            for part in [&mut resources.requests, &mut resources.limits] {
                let place = match key {
                    "cpu" => &mut part.cpu,
                    _ => &mut part.memory,
                };
                *place = place.take().or_else(|| text.clone());
            }
        }
        let amount = |text: &Option<String>, read: fn(&str) -> Option<f64>| read(text.as_deref()?);
        let Resources {
            requests, limits, ..
        } = &resources;
        let is_less = |limit: Option<f64>, request: Option<f64>| {
            limit
                .zip(request)
                .is_some_and(|(limit, request)| limit < request)
        };
        if is_less(
            amount(&limits.cpu, pattern::cpu),
            amount(&requests.cpu, pattern::cpu),
        ) || is_less(
            amount(&limits.memory, pattern::memory),
            amount(&requests.memory, pattern::memory),
        ) {
            let message = "a limit is lower than what is requested";
            self.notes
                .add(Rule::LimitBelowRequest, fields.at, path, message);
        }
        resources.others = fields.others(self, &[], &[]);
        Some(resources)
    }

    fn quantities(&mut self, field: Field<'_>, path: &Path<'_>) -> Quantities {
        let Some(mut fields) = Fields::of(self, field.value, path) else {
            return Quantities::default();
        };
        let cpu = (&pattern::CPU, Rule::CpuQuantity, "250m or 0.5 is expected");
        let memory = (
            &pattern::MEMORY,
            Rule::MemoryQuantity,
            "512Mi or 1Gi is expected",
        );
        let cpu = fields.formed(self, "cpu", &[], cpu);
        let memory = fields.formed(self, "memory", &[], memory);
        Quantities {
            cpu: cpu.map(|(text, _)| text),
            memory: memory.map(|(text, _)| text),
            others: fields.others(self, &[], &[]),
        }
    }

    fn health_check(&mut self, field: Field<'_>, path: &Path<'_>) -> Option<HealthCheck> {
        let message = "a field of an older generation, without a successor";
        self.notes.add(Rule::OldField, field.key_at, path, message);
        let mut fields = Fields::of(self, field.value, path)?;
        let check = fields.text(self, "path", &[]);
        let port = fields.get(self, "port");
        let port = port.and_then(|field| self.port_of(field.value, &path.field("port")));
        let mut whole = |reader: &mut Self, key| {
            let field = fields.get(reader, key)?;
            reader.whole_of(field.value, &path.field(key))
        };
        Some(HealthCheck {
            path: check.map(|(path, _)| path),
            port,
            initial_delay_seconds: whole(self, "initialDelaySeconds"),
            period_seconds: whole(self, "periodSeconds"),
            timeout_seconds: whole(self, "timeoutSeconds"),
            failure_threshold: whole(self, "failureThreshold"),
            others: fields.others(self, &[], &[]),
        })
    }

    fn ports(&mut self, fields: &mut Fields<'_, '_>, pod: &mut Pod) {
        let there = fields.has("servicePorts") || fields.has("ports");
        if !there && pod.resource_type != Some(ResourceType::Job) {
            fields.missing(self, "servicePorts");
        }
        let mut seen = HashSet::new();
        for field in fields.spelled(self, "servicePorts", &["ports"]) {
            let path = fields.path.field(field.key);
            let items = self.list_of(field, &path);
            if matches!(field.value.node, Node::List(items) if items.is_empty())
                || items.len() > MOST_PORTS
            {
                let message = format!("there are 1 to {MOST_PORTS} ports");
                self.notes
                    .add(Rule::ServicePorts, field.value.at, &path, message);
            }
            for (index, item) in items.into_iter().enumerate() {
                let path = path.item(index);
                let Some(port) = self.service_port(item, &path) else {
                    continue;
                };
                if !seen.insert((port.port, port.protocol.clone())) {
                    let message = "the pod has this port already";
                    self.notes.add(Rule::DuplicatePort, item.at, &path, message);
                }
                pod.service_ports.push(port);
            }
        }
    }

    fn service_port(&mut self, value: At<'_>, path: &Path<'_>) -> Option<ServicePort> {
        if !matches!(value.node, Node::Map(_)) {
            let port = self.port_of(value, path)?;
            if matches!(value.node, Node::Scalar(scalar) if scalar.kind == Kind::Text) {
                let message = "a port is a number today: leave the quotes out";
                self.notes.add(Rule::OldSpelling, value.at, path, message);
            }
            return Some(ServicePort::new(port));
        }
        let message = "a port is a number alone today";
        self.notes.add(Rule::OldSpelling, value.at, path, message);
        let mut fields = Fields::of(self, value, path)?;
        let mut is_wrong = false;
        let mut number = |reader: &mut Self, fields: &mut Fields<'_, '_>, key| {
            let field = fields
                .take(key)
                .filter(|field| !field.value.node.is_null())?;
            let port = reader.port_of(field.value, &path.field(key));
            is_wrong |= port.is_none();
            port
        };
        let ports = ["port", "servicePort"].map(|key| number(self, &mut fields, key));
        let targets = ["targetPort", "containerPort"].map(|key| number(self, &mut fields, key));
        let target = targets.into_iter().flatten().next();
        let name = fields.text(self, "name", &[]);
        let protocol = fields.text(self, "protocol", &[]);
        let Some(port) = ports.into_iter().flatten().next().or(target) else {
            if !is_wrong {
                self.notes
                    .add(Rule::Unreadable, value.at, path, "it has no port");
            }
            return None;
        };
        Some(ServicePort {
            port,
            target_port: target.filter(|target| *target != port),
            name: name.map(|(name, _)| name),
            protocol: protocol.map(|(protocol, _)| protocol),
        })
    }

    /// A number from 1 to 65535, in quotes or not.
    fn port_of(&mut self, value: At<'_>, path: &Path<'_>) -> Option<u16> {
        let port = match value.node {
            Node::Scalar(scalar) => match scalar.kind {
                Kind::Whole(number) => u16::try_from(number).ok(),
                Kind::Decimal(number) if number.fract() == 0.0 => {
                    (1.0..=65535.0).contains(&number).then_some(number as u16)
                }
                Kind::Text => pattern::port(&scalar.text),
                _ => None,
            },
            _ => None,
        };
        let port = port.filter(|port| *port > 0);
        if port.is_none() {
            self.unreadable(value, path, "a port, 1 to 65535,");
        }
        port
    }

    /// A command: a text, or a list of words that a shell would have to put together.
    pub(super) fn command(&mut self, fields: &mut Fields<'_, '_>, key: &str) -> Option<Secret> {
        let field = fields.get(self, key)?;
        let path = fields.path.field(key);
        let Node::List(items) = field.value.node else {
            let text = self.text_of(field.value, &path)?;
            self.placeholders(&text, field.value.at, &path, false);
            return Some(text.into());
        };
        let message = "a single text is expected, as a shell would read it";
        self.notes
            .add(Rule::OldSpelling, field.value.at, &path, message);
        let mut line = String::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(word) = self.text_of(item.into(), &path.item(index)) {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&quoted(&word));
            }
        }
        Some(line.into())
    }
}

/// A word that a shell takes for one.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
