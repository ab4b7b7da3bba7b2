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

static APPLICATION_NAME: Pattern = Pattern::new(Rule::ApplicationName, "^[a-z][a-z0-9.-]{2,63}$");
static NAME: Pattern = Pattern::new(Rule::NameForm, "^[a-z][a-z0-9-]{1,63}$");
static PATH: Pattern = Pattern::new(Rule::PathForm, "^/");
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

/// An unquoted string that some parsers read as a boolean or a number.
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
/// A host `{name}.pod`.
pub(super) static POD_HOST: Pattern = Pattern::new(
    Rule::UnknownPod,
    r"([A-Za-z0-9_-]+)\.pod(?:[^A-Za-z0-9_-]|$)",
);
/// A variable that build tools compile into pages for browsers.
pub(super) static BROWSER_VARIABLE: Pattern = Pattern::new(
    Rule::PodHostInBrowser,
    "^(?:NEXT_PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|REACT_APP|VUE_APP|NG_APP|GATSBY|VITE|PUBLIC)_",
);

/// Rules for the fields of a map.
pub(super) struct Object {
    pub(super) required: &'static [&'static str],
    pub(super) patterns: &'static [(&'static str, &'static Pattern)],
    /// Older name, current name.
    pub(super) older: &'static [(&'static str, &'static str)],
    /// Fields without a type.
    pub(super) untyped: &'static [&'static str],
    /// Fields of older formats, which are not read.
    pub(super) outdated: &'static [&'static str],
}

impl Object {
    /// No rules.
    pub(super) const OTHER: Self = Self {
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
    required: &["name"],
    patterns: &[("name", &APPLICATION_NAME), ("url", &URL)],
    older: &[("domain", "url")],
    outdated: &["annotations", "entrypoint", "command", "imagePullSecrets"],
    ..Object::OTHER
};
pub(super) static REGISTRY_LOGIN: Object = Object {
    required: &["registry", "username", "personalAccessToken"],
    ..Object::OTHER
};
pub(super) static POD: Object = Object {
    required: &["name", "image"],
    patterns: &[
        ("name", &NAME),
        ("image", &IMAGE),
        ("path", &PATH),
        ("resourceType", &RESOURCE_TYPE),
        ("subdomain", &SUBDOMAIN),
    ],
    older: &[("tag", "image"), ("ports", "servicePorts"), ("env", "vars")],
    untyped: &["args", "annotations"],
    outdated: &["type", "exposeHttp", "privateTag", "envFile", "healthCheck"],
};
pub(super) static VOLUME: Object = Object {
    required: &["name", "size", "mountPath"],
    patterns: &[
        ("name", &NAME),
        ("size", &VOLUME_SIZE),
        ("mountPath", &PATH),
    ],
    older: &[("path", "mountPath")],
    outdated: &["type", "readOnly"],
    ..Object::OTHER
};
pub(super) static SECRET: Object = Object {
    required: &["name", "data", "fileName"],
    patterns: &[("name", &NAME), ("mountPath", &PATH)],
    older: &[("path", "mountPath")],
    ..Object::OTHER
};
pub(super) static QUANTITIES: Object = Object {
    patterns: &[("cpu", &CPU), ("memory", &MEMORY)],
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
