//! Formats of names and values, shared by the lints and the JSON Schema.

use super::rules::Rule;
use regex_lite::Regex;
use std::sync::OnceLock;

/// Format of a text, and the rule that a text of another format breaks.
pub(super) struct Pattern {
    pub(super) regex: &'static str,
    pub(super) rule: Rule,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    const fn new(rule: Rule, regex: &'static str) -> Self {
        Self {
            regex,
            rule,
            compiled: OnceLock::new(),
        }
    }

    pub(super) fn compiled(&self) -> Option<&Regex> {
        let compile = || Regex::new(self.regex).ok();
        self.compiled.get_or_init(compile).as_ref()
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.compiled().is_some_and(|regex| regex.is_match(text))
    }
}

pub(super) static APPLICATION_NAME: Pattern =
    Pattern::new(Rule::ApplicationName, "^[a-z][a-z0-9.-]{2,63}$");
const NAME: &str = "^[a-z][a-z0-9-]{1,63}$";
static POD_NAME: Pattern = Pattern::new(Rule::PodName, NAME);
static VOLUME_NAME: Pattern = Pattern::new(Rule::VolumeName, NAME);
static SECRET_NAME: Pattern = Pattern::new(Rule::SecretName, NAME);
static POD_PATH: Pattern = Pattern::new(Rule::PathForm, "^/");
static MOUNT_PATH: Pattern = Pattern::new(Rule::MountPath, "^/");
static IMAGE: Pattern = Pattern::new(
    Rule::ImageForm,
    "^(?:[a-zA-Z0-9_.-]+(?:[/:][a-zA-Z0-9_.-]+)*:[a-zA-Z0-9][a-zA-Z0-9._-]*|<% *REGISTRY *%>/[a-zA-Z0-9_.-]+(?:[/:][a-zA-Z0-9_.-]+)*)$",
);
static VOLUME_SIZE: Pattern = Pattern::new(Rule::VolumeSize, "^[0-9]+(?:Mi|Gi)$");
static URL: Pattern = Pattern::new(
    Rule::UrlForm,
    "^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,6}$",
);
static SUBDOMAIN: Pattern = Pattern::new(
    Rule::SubdomainForm,
    "^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
);
static RESOURCE_TYPE: Pattern = Pattern::new(
    Rule::ResourceType,
    "^(?:deployment|statefulset|daemonset|job)$",
);
static CPU: Pattern = Pattern::new(Rule::CpuQuantity, "^(?:[0-9]+m|[0-9]+(?:\\.[0-9]+)?)$");
static MEMORY: Pattern = Pattern::new(
    Rule::MemoryQuantity,
    "^[0-9]+(?:\\.[0-9]+)?(?:Ei|Pi|Ti|Gi|Mi|Ki|E|P|T|G|M|K)?$",
);

/// A port that is written as a text.
pub(super) static PORT: Pattern = Pattern::new(
    Rule::Unreadable,
    "^(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$",
);
/// A text without quotes that some programs read as a boolean or a number.
pub(super) static AMBIGUOUS: Pattern = Pattern::new(
    Rule::UnquotedValue,
    "(?i)^(?:yes|no|on|off|y|n|0[0-9_]+|[0-9_]*_[0-9_]*)$",
);
/// The private registry at the start of an image.
pub(super) static REGISTRY: Pattern = Pattern::new(Rule::NoRegistryLogin, "^<% *REGISTRY *%>");
/// A placeholder that the platform is known to replace.
pub(super) static PLACEHOLDER: Pattern = Pattern::new(
    Rule::UnknownPlaceholder,
    r"<%\s*(?:URL|DOMAIN|REGISTRY|REGISTRY_TOKEN|SECRET_(?s:.*?))\s*%>",
);
pub(super) static SHELL_VARIABLE: Pattern =
    Pattern::new(Rule::ClientPlaceholder, r"\$\{[A-Za-z0-9_]+\}");

/// Fields of a map in today's format, beside those that need no check.
pub(super) struct Object {
    /// Name of the type in the JSON Schema.
    #[cfg_attr(not(feature = "schemars"), allow(dead_code))]
    pub(super) definition: &'static str,
    pub(super) required: &'static [&'static str],
    pub(super) patterns: &'static [(&'static str, &'static Pattern)],
    /// Older name, today's name.
    pub(super) older: &'static [(&'static str, &'static str)],
    /// Fields that are kept as they are.
    pub(super) untyped: &'static [&'static str],
    /// Fields of older generations without a successor.
    pub(super) outdated: &'static [&'static str],
}

impl Object {
    /// A map of an older generation, or one whose fields need no check.
    pub(super) const OTHER: Self = Self {
        definition: "",
        required: &[],
        patterns: &[],
        older: &[],
        untyped: &[],
        outdated: &[],
    };

    /// Older names of a field.
    pub(super) fn older_names(&'static self, key: &str) -> impl Iterator<Item = &'static str> {
        let names = self.older.iter();
        names.filter_map(move |(old, today)| (*today == key).then_some(*old))
    }
}

pub(super) static APPLICATION: Object = Object {
    definition: "AppSpec",
    required: &["name"],
    patterns: &[("name", &APPLICATION_NAME), ("url", &URL)],
    older: &[("domain", "url")],
    outdated: &["annotations", "entrypoint", "command"],
    ..Object::OTHER
};
pub(super) static REGISTRY_LOGIN: Object = Object {
    definition: "RegistryLogin",
    required: &["registry", "username", "personalAccessToken"],
    ..Object::OTHER
};
pub(super) static POD: Object = Object {
    definition: "Pod",
    required: &["name", "image"],
    patterns: &[
        ("name", &POD_NAME),
        ("image", &IMAGE),
        ("path", &POD_PATH),
        ("resourceType", &RESOURCE_TYPE),
        ("subdomain", &SUBDOMAIN),
    ],
    older: &[("tag", "image"), ("ports", "servicePorts"), ("env", "vars")],
    untyped: &["args", "annotations"],
    outdated: &["type", "exposeHttp", "privateTag", "envFile", "healthCheck"],
};
pub(super) static VOLUME: Object = Object {
    definition: "Volume",
    required: &["name", "size", "mountPath"],
    patterns: &[
        ("name", &VOLUME_NAME),
        ("size", &VOLUME_SIZE),
        ("mountPath", &MOUNT_PATH),
    ],
    older: &[("path", "mountPath")],
    outdated: &["type", "readOnly"],
    ..Object::OTHER
};
pub(super) static SECRET: Object = Object {
    definition: "SecretFile",
    required: &["name", "data", "fileName"],
    patterns: &[("name", &SECRET_NAME), ("mountPath", &MOUNT_PATH)],
    older: &[("path", "mountPath")],
    ..Object::OTHER
};
pub(super) static RESOURCES: Object = Object {
    definition: "Resources",
    ..Object::OTHER
};
pub(super) static QUANTITIES: Object = Object {
    definition: "Quantities",
    patterns: &[("cpu", &CPU), ("memory", &MEMORY)],
    ..Object::OTHER
};
pub(super) static TEMPLATE: Object = Object {
    outdated: &["deploymentName"],
    ..Object::OTHER
};
pub(super) static OTHER: Object = Object::OTHER;

/// A quantity without its unit, in thousandths of a core or bytes; `None` for another format.
pub(super) fn amount(text: &str) -> Option<f64> {
    const UNITS: [&str; 6] = ["K", "M", "G", "T", "P", "E"];
    let end = text.find(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let base = if unit.ends_with('i') { 1024.0 } else { 1000.0 };
    let power = match unit.trim_end_matches('i') {
        "" => 0,
        "m" => -1,
        prefix => 1 + UNITS.iter().position(|known| *known == prefix)? as i32,
    };
    Some(number.parse::<f64>().ok()? * f64::powi(base, power))
}
