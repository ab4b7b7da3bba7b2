//! Reads a manifest into an [`AppSpec`], and collects the warnings.
//!
//! Older forms that documentation and tools still use:
//!
//! | form | source |
//! |---|---|
//! | `pods` at the top level | nexlayer.com/docs/deployments/scaling |
//! | variables and ports as lists of maps, `path` for `mountPath` | nexlayer-cli |
//! | `domain` for `url` | the first schema of nexlayer-plugin |

use super::cursor::{Cursor, Source};
use super::lints::{APPLICATION, Object, REGISTRY_LOGIN, Rule, Warning};
use super::spec::{AppSpec, RegistryLogin};
use super::yaml;
use crate::error::Result;
use crate::secret::Secret;
use std::cell::RefCell;
use std::collections::HashSet;

/// What is known about the pods, and the rules that are checked after all pods are read.
#[derive(Default)]
pub(super) struct Deferred<'n> {
    pub(super) pod_names: HashSet<String>,
    /// Paths of the pods without a subdomain.
    pub(super) paths: HashSet<String>,
    /// A rule, the pod or ports that it is about, and the value to check.
    rules: Vec<(Rule, String, Cursor<'n>)>,
}

/// Reads a manifest. Skips unreadable values. Warnings are in file order.
pub(super) fn read(text: &str) -> Result<(AppSpec, Vec<Warning>)> {
    let root = yaml::parse(text)?;
    let source = Source {
        text: yaml::without_byte_order_mark(text),
        warnings: RefCell::default(),
    };
    let spec = file(&Cursor::root(&source, &root)).unwrap_or_default();
    let warnings = source.warnings.into_inner();
    let mut warnings: Vec<_> = warnings.into_values().flatten().collect();
    warnings.sort_by_key(|warning| (warning.line, warning.column, warning.rule));
    warnings.dedup();
    Ok((spec, warnings))
}

fn file(root: &Cursor<'_>) -> Option<AppSpec> {
    let mut fields = root.fields(&Object::NO_RULES)?;
    let application = fields.take("application");
    let pods = fields.older("pods", "application.pods");
    fields.others();
    self::application(&application?, pods)
}

fn application<'n>(value: &Cursor<'n>, top_level_pods: Option<Cursor<'n>>) -> Option<AppSpec> {
    let mut fields = value.fields(&APPLICATION)?;
    let mut spec = AppSpec {
        name: fields.string("name").unwrap_or_default(),
        // May be a number: `version: 2.0`.
        version: fields.get("version").and_then(|version| version.value()),
        url: fields.string("url"),
        registry_login: fields
            .get("registryLogin")
            .and_then(|login| registry_login(&login)),
        ..AppSpec::default()
    };
    let mut deferred = Deferred::default();
    let lists = [fields.get("pods"), top_level_pods];
    let pods = lists.iter().flatten().filter_map(Cursor::items).flatten();
    spec.pods = pods
        .filter_map(|pod| super::pods::pod(&pod, &mut deferred))
        .collect();
    if spec.pods.is_empty() {
        value.warn(Rule::NoPods);
    } else if spec.pods.iter().all(|pod| pod.path.is_none()) {
        value.warn(Rule::NoPath);
    }
    deferred.check(&spec);
    spec.others = fields.others();
    Some(spec)
}

fn registry_login(value: &Cursor<'_>) -> Option<RegistryLogin> {
    let mut fields = value.fields(&REGISTRY_LOGIN)?;
    Some(RegistryLogin {
        registry: fields.string("registry"),
        username: fields.string("username"),
        personal_access_token: fields.string("personalAccessToken").map(Secret::from),
        others: fields.others(),
    })
}

impl<'n> Deferred<'n> {
    /// Checks a rule after all pods are read.
    pub(super) fn rule(&mut self, rule: Rule, name: &str, value: &Cursor<'n>) {
        self.rules.push((rule, name.to_owned(), value.clone()));
    }

    fn check(&self, spec: &AppSpec) {
        let ports = spec.pods.iter().flat_map(|pod| &pod.service_ports);
        let ports: HashSet<_> = ports.map(u16::to_string).collect();
        let version = spec.version.as_deref().unwrap_or_default();
        let is_version_2 = matches!(version.trim().parse::<f64>(), Ok(2.0..));
        for (rule, name, value) in &self.rules {
            let is_violated = match rule {
                Rule::NeedsVersion2 => !is_version_2,
                Rule::SubdomainWithoutUrl => spec.url.is_none(),
                Rule::NoRegistryLogin => spec.registry_login.is_none(),
                Rule::Localhost => name.split(' ').any(|port| ports.contains(port)),
                _ => !self.pod_names.contains(name),
            };
            if is_violated {
                value.warn(*rule);
            }
        }
    }
}
