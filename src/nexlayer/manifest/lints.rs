//! Lint rules for manifests, and the warnings they give.

use regex_lite::Regex;
use std::fmt;
use std::sync::OnceLock;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, schema: $schema:literal, $message:literal;)*) => {
        /// A lint rule for manifests. The names are stable.
        ///
        /// The platform accepts more than its own schema, so a warning never stops a manifest from
        /// being sent.
        ///
        /// Source: <https://nexlayer.com/docs/deployments/configuration>
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $(
                #[doc = concat!("`", $name, "`:")]
                $(#[$doc])*
                $rule,
            )*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];

            /// The name of the rule: `volume-size`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }

            /// The usual message of a warning.
            pub(super) fn message(self) -> &'static str {
                match self {
                    $(Self::$rule => $message,)*
                }
            }

            /// Whether the JSON Schema (feature `schemars`) contains the rule, too.
            pub fn is_in_schema(self) -> bool {
                match self {
                    $(Self::$rule => $schema,)*
                }
            }
        }
    };
}

rules! {
    /// a value that [`Manifest::spec`](super::Manifest::spec) cannot read: a list instead of a string,
    /// an invalid port, an item without a name.
    Unreadable = "unreadable", schema: true, "it cannot be read";
    /// an older name or form of a field.
    OldSpelling = "old-spelling", schema: true, "an older name or form";
    /// a field of an older format, which `spec` does not read.
    OldField = "old-field", schema: true, "a field of an older format";
    /// a field that no format has. The platform ignores it.
    UnknownField = "unknown-field", schema: true, "there is no such field; the platform ignores it";
    /// a required field is missing.
    MissingField = "missing-field", schema: true, "a field is missing";
    /// a field without a value.
    EmptyField = "empty-field", schema: true, "there is no value: leave the field out";
    /// a number or a `true` where a text is expected: quotes make it one.
    UnquotedText = "unquoted-text", schema: true, "a text is expected here: put it in quotes";
    /// a variable's value that programs read in different ways, such as `1.10`, `0755` and `yes`.
    UnquotedValue = "unquoted-value", schema: false,
        "programs read this in different ways: put it in quotes";
    /// the application's name is not 3 to 64 of `a-z 0-9 . -`, with a letter first. Capitals are
    /// known to be refused today; older servers took them, and spaces too.
    ApplicationName = "application-name", schema: true,
        "a name is 3 to 64 of a-z, 0-9, . and -, with a letter first";
    /// the name of a pod, volume or secret is not 2 to 64 of `a-z 0-9 -`, with a letter first.
    NameForm = "name-form", schema: true, "a name is 2 to 64 of a-z, 0-9 and -, with a letter first";
    /// two pods, or two volumes or secrets of a pod, have the same name.
    DuplicateName = "duplicate-name", schema: false, "another one in the list has the same name";
    /// a pod has a port twice.
    DuplicatePort = "duplicate-port", schema: false, "the pod has this port already";
    /// a pod has a variable twice.
    DuplicateVar = "duplicate-var", schema: false, "the pod has this variable already";
    /// a variable's name is empty, or has a space or `=` in it.
    VarName = "var-name", schema: false, "a variable's name has no spaces and no = in it";
    /// there is no pod.
    NoPods = "no-pods", schema: true, "there are no pods";
    /// no pod has a `path`: the application cannot be reached from outside.
    NoPath = "no-path", schema: true, "no pod has a path: it cannot be reached from outside";
    /// the path of a pod, volume or secret does not start with `/`.
    PathForm = "path-form", schema: true, "a path starts with /";
    /// an image is not `[registry/]repository:tag` or `<% REGISTRY %>/repository[:tag]`: a digest, or
    /// no tag.
    ImageForm = "image-form", schema: true,
        "[registry/]repository:tag or <% REGISTRY %>/repository:tag is expected, with a tag and without a digest";
    /// `<% REGISTRY %>` is used without a `registryLogin`.
    NoRegistryLogin = "no-registry-login", schema: false,
        "<% REGISTRY %> needs application.registryLogin";
    /// `latest` in the platform's own registry, which refuses it.
    LatestTag = "latest-tag", schema: false,
        "the platform's own registry refuses latest: name a version";
    /// a pod with no ports, or with more than 2768.
    ServicePorts = "service-ports", schema: true, "there are 1 to 2768 ports";
    /// two volumes or secrets of a pod have the same path.
    MountCollision = "mount-collision", schema: false, "something else has the same path";
    /// a volume's size is not a number of `Mi` or `Gi`. Known to be refused.
    VolumeSize = "volume-size", schema: true, "a number of Mi or Gi is expected, such as 2Gi";
    /// a secret's file name is empty or has a `/` in it.
    FileName = "file-name", schema: false, "the name of a file is expected, without a folder";
    /// `url` is not a bare domain such as `example.com`.
    UrlForm = "url-form", schema: true,
        "a bare domain such as example.com is expected, without a scheme";
    /// a pod's `subdomain` is not a part of a domain.
    SubdomainForm = "subdomain-form", schema: true, "a part of a domain is expected, such as api";
    /// a pod has a `subdomain`, and the application no `url`. Known to be refused.
    SubdomainWithoutUrl = "subdomain-without-url", schema: false,
        "a subdomain needs application.url";
    /// a field that is ignored unless the application's `version` is 2.0.
    NeedsVersion2 = "needs-version-2", schema: false,
        "it is ignored unless application.version is 2.0";
    /// `resourceType` is none of deployment, statefulset, daemonset and job.
    ResourceType = "resource-type", schema: true,
        "deployment, statefulset, daemonset or job is expected";
    /// fewer than one replica.
    Replicas = "replicas", schema: true, "there is at least one replica";
    /// an amount of CPU is not like `250m` or `0.5`.
    CpuQuantity = "cpu-quantity", schema: true, "250m or 0.5 is expected";
    /// an amount of memory is not like `512Mi`.
    MemoryQuantity = "memory-quantity", schema: true, "512Mi or 1Gi is expected";
    /// a limit is lower than the request.
    LimitBelowRequest = "limit-below-request", schema: false,
        "a limit is lower than what is requested";
    /// a variable that is built into a page for browsers names a `.pod` host, which only pods reach.
    /// Known to be refused.
    PodHostInBrowser = "pod-host-in-browser", schema: false,
        "browsers do not reach a .pod host: use <% URL %>";
    /// a `.pod` host of which there is no pod.
    UnknownPod = "unknown-pod", schema: false, "there is no pod of that name";
    /// `<% … %>` that the platform is not known to replace, or without its end.
    UnknownPlaceholder = "unknown-placeholder", schema: false,
        "the platform is not known to replace this placeholder";
    /// `${…}` in a variable or an image: the platform does not replace it.
    ClientPlaceholder = "client-placeholder", schema: false, "the platform does not replace ${…}";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A possible mistake in a manifest, with its place.
///
/// Contains names of fields and no values. `Display` is one line:
/// `7:13 application.pods[0].volumes[0].size: … (volume-size)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The violated rule.
    pub rule: Rule,
    /// What is wrong, and what is expected.
    pub message: String,
    /// Line in the file, from 1; 0 if unknown.
    pub line: u64,
    /// Character in the line, from 1; 0 if unknown.
    pub column: u64,
    /// The field: `application.pods[0].image`. Field names with unusual characters are shown as `…`.
    pub path: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{} ({})", self.message, self.rule)
    }
}

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
