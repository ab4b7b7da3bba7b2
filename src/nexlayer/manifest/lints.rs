//! Lints: rules, warnings, and the formats that lints and JSON Schema check.

use regex_lite::Regex;
use std::fmt;
use std::sync::OnceLock;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, schema: $schema:literal, $message:literal;)*) => {
        /// A lint rule for manifests. Names are stable.
        ///
        /// A manifest with warnings can still be sent: the lints are stricter than the platform.
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

            /// The default message of a warning.
            pub(super) fn message(self) -> &'static str {
                match self {
                    $(Self::$rule => $message,)*
                }
            }

            /// Whether the JSON Schema (feature `schemars`) also contains the rule.
            pub fn is_in_schema(self) -> bool {
                match self {
                    $(Self::$rule => $schema,)*
                }
            }
        }
    };
}

rules! {
    /// a value that [`Manifest::spec`](super::Manifest::spec) cannot parse: a list instead of a string,
    /// an invalid port, an item without a name.
    Unreadable = "unreadable", schema: true, "the value cannot be parsed";
    /// an older name or form of a field.
    OldSpelling = "old-spelling", schema: true, "an older name or form";
    /// a field of an older format, which `spec` ignores.
    OldField = "old-field", schema: true, "a field of an older format";
    /// an unknown field. The platform ignores it.
    UnknownField = "unknown-field", schema: true, "unknown field; the platform ignores it";
    /// a required field is missing.
    MissingField = "missing-field", schema: true, "a field is missing";
    /// a field has no value. It is dropped.
    EmptyField = "empty-field", schema: true, "the field has no value, so it is dropped: set or remove it";
    /// a number or boolean where a string is expected.
    UnquotedText = "unquoted-text", schema: true, "a string is expected here: add quotes";
    /// a variable has a value that YAML parsers disagree about: `1.10`, `0755`, `yes`, `2026-12-01`, `12:30`.
    UnquotedValue = "unquoted-value", schema: false,
        "YAML parsers disagree about this value: add quotes";
    /// the application's name does not have 3 to 64 characters of `a-z 0-9 . -`, or does not start with a
    /// letter. The platform rejects capitals; older servers accepted capitals and spaces.
    ApplicationName = "application-name", schema: true,
        "a name has 3 to 64 characters (a-z, 0-9, . and -) and starts with a letter";
    /// the name of a pod, volume or secret does not have 2 to 64 characters of `a-z 0-9 -`, or does not
    /// start with a letter.
    NameForm = "name-form", schema: true,
        "a name has 2 to 64 characters (a-z, 0-9 and -) and starts with a letter";
    /// two pods, or two volumes or secrets of a pod, have the same name.
    DuplicateName = "duplicate-name", schema: false, "another item of the list has the same name";
    /// a pod has the same port twice.
    DuplicatePort = "duplicate-port", schema: false, "the pod already has this port";
    /// a pod has the same variable twice.
    DuplicateVar = "duplicate-var", schema: false, "the pod already has this variable";
    /// a variable's name is empty, or contains a space or `=`.
    VarName = "var-name", schema: false, "a variable's name cannot contain spaces or =";
    /// the application has no pods.
    NoPods = "no-pods", schema: true, "there are no pods";
    /// no pod has a `path`: the application is not reachable from outside.
    NoPath = "no-path", schema: true,
        "no pod has a path: the application is not reachable from outside";
    /// two pods without a `subdomain` have the same `path`. The platform answers 500.
    DuplicatePath = "duplicate-path", schema: false,
        "another pod has the same path: the platform answers 500";
    /// the path of a pod, volume or secret does not start with `/`.
    PathForm = "path-form", schema: true, "a path starts with /";
    /// an image is not `[registry/]repository:tag` or `<% REGISTRY %>/repository[:tag]`. The tag is
    /// missing, or a digest is used.
    ImageForm = "image-form", schema: true,
        "[registry/]repository:tag or <% REGISTRY %>/repository:tag is expected, with a tag and without a digest";
    /// `<% REGISTRY %>` is used without a `registryLogin`.
    NoRegistryLogin = "no-registry-login", schema: false,
        "<% REGISTRY %> requires application.registryLogin";
    /// an image in the platform's registry has the tag `latest`, which the registry rejects.
    LatestTag = "latest-tag", schema: false,
        "the platform's registry rejects the tag latest: use a version";
    /// a pod has no ports, or more than 2768.
    ServicePorts = "service-ports", schema: true, "1 to 2768 ports are expected";
    /// two volumes or secrets of a pod have the same path.
    MountCollision = "mount-collision", schema: false,
        "another volume or secret of the pod has the same path";
    /// a volume's size is not a number with `Mi` or `Gi`. The platform rejects it.
    VolumeSize = "volume-size", schema: true, "a number with Mi or Gi is expected, such as 2Gi";
    /// the data directory of PostgreSQL is the root of a volume, which contains `lost+found`.
    PostgresData = "postgres-data", schema: false,
        "initdb fails on lost+found in the volume: set PGDATA to a directory below mountPath";
    /// a secret's file name is empty or contains `/`.
    FileName = "file-name", schema: false, "a file name without a directory is expected";
    /// `url` is not a domain without a scheme, such as `example.com`.
    UrlForm = "url-form", schema: true,
        "a domain without a scheme is expected, such as example.com";
    /// a pod's `subdomain` is not part of a domain name.
    SubdomainForm = "subdomain-form", schema: true,
        "a part of a domain name is expected, such as api";
    /// a pod has a `subdomain`, but the application has no `url`. The platform rejects it.
    SubdomainWithoutUrl = "subdomain-without-url", schema: false,
        "a subdomain requires application.url";
    /// a field is set that the platform ignores unless the application's `version` is 2.0.
    NeedsVersion2 = "needs-version-2", schema: false,
        "ignored unless application.version is 2.0";
    /// `resourceType` is not deployment, statefulset, daemonset or job.
    ResourceType = "resource-type", schema: true,
        "deployment, statefulset, daemonset or job is expected";
    /// fewer than one replica.
    Replicas = "replicas", schema: true, "at least one replica is expected";
    /// an amount of CPU does not have a form such as `250m` or `0.5`.
    CpuQuantity = "cpu-quantity", schema: true,
        "an amount of CPU is expected, such as 250m or 0.5";
    /// an amount of memory does not have a form such as `512Mi`.
    MemoryQuantity = "memory-quantity", schema: true,
        "an amount of memory is expected, such as 512Mi or 1Gi";
    /// a limit is lower than the request.
    LimitBelowRequest = "limit-below-request", schema: false, "a limit is lower than its request";
    /// a variable that build tools compile into web pages contains a `.pod` host, which browsers cannot
    /// reach. The platform rejects it.
    PodHostInBrowser = "pod-host-in-browser", schema: false,
        "browsers cannot reach a .pod host: use <% URL %>";
    /// a variable contains `localhost` with a port of another pod. In a URL without a port, that of its scheme
    /// counts. Outside of a URL, a port is required: `localhost` alone may be an address to listen on.
    Localhost = "localhost", schema: false,
        "localhost is this pod, but another pod has the port: use its host, {name}.pod";
    /// a `.pod` host, or `${pod:port}`, names a pod that does not exist.
    UnknownPod = "unknown-pod", schema: false, "there is no pod with this name";
    /// a placeholder `<% … %>` is unknown or unterminated.
    UnknownPlaceholder = "unknown-placeholder", schema: false,
        "unknown or unterminated placeholder";
    /// a variable or an image contains `${…}`, which only the platform's newer pipeline replaces. The
    /// calls of this crate, `startUserDeployment` and `updateUserDeployment`, do not.
    ClientPlaceholder = "client-placeholder", schema: false,
        "startUserDeployment does not replace ${…}: only the platform's newer pipeline does";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A possible mistake in a manifest, with its position.
///
/// Contains field names, but no values. `Display` is one line:
/// `7:13 application.pods[0].volumes[0].size: … (volume-size)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The violated rule.
    pub rule: Rule,
    /// The mistake, and the expected value.
    pub message: String,
    /// Line in the file, from 1; 0 if unknown.
    pub line: u64,
    /// Character in the line, from 1; 0 if unknown.
    pub column: u64,
    /// The path of the field: `application.pods[0].image`.
    ///
    /// Unusual field names are shown as `…`: they may be misplaced values.
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

/// A format, and the rule that checks it.
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

/// An unquoted string that some YAML parsers read as a boolean, a number, a date or, with colons, as a number
/// with base 60.
pub(super) static AMBIGUOUS: Pattern = Pattern::new(
    Rule::UnquotedValue,
    "(?i)^(?:yes|no|on|off|y|n|0[0-9_]+|[0-9_]*_[0-9_]*|[1-9][0-9]*(?::[0-5]?[0-9])+|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:t| +)[0-9]{1,2}:[0-9]{2}:[0-9]{2}[0-9.: z+-]*)?)$",
);
/// An image in the private registry.
pub(super) static REGISTRY: Pattern = Pattern::new(Rule::NoRegistryLogin, "^<% *REGISTRY *%>");
/// A placeholder that the platform replaces.
pub(super) static PLACEHOLDER: Pattern = Pattern::new(
    Rule::UnknownPlaceholder,
    r"<%\s*(?:URL|DOMAIN|REGISTRY|REGISTRY_TOKEN|SECRET_(?s:.*?))\s*%>",
);
pub(super) static SHELL_VARIABLE: Pattern =
    Pattern::new(Rule::ClientPlaceholder, r"\$\{[A-Za-z0-9_]+\}");
/// A host `{name}.pod`, or a reference `${name:port}`.
pub(super) static POD_HOST: Pattern = Pattern::new(
    Rule::UnknownPod,
    r"([A-Za-z0-9_-]+)\.pod(?:[^A-Za-z0-9_-]|$)|\$\{([a-z][a-z0-9-]*):[A-Za-z0-9]{2,}\}",
);
pub(super) static LOCALHOST: Pattern = Pattern::new(
    Rule::Localhost,
    r"(?:([a-z]+)(?:\+[a-z0-9]+)?://(?:[^/@\s]*@)?|^|[^A-Za-z0-9.-])(?:localhost|127\.0\.0\.1)(?::([0-9]*)|[/?#\s]|$)",
);
/// The default ports of URL schemes.
pub(super) const SCHEME_PORTS: &str = "http:80 https:443 amqp:5672 mongodb:27017 mysql:3306 \
    postgres:5432 postgresql:5432 redis:6379";
/// A variable that build tools compile into web pages.
pub(super) static BROWSER_VARIABLE: Pattern = Pattern::new(
    Rule::PodHostInBrowser,
    "^(?:NEXT_PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|REACT_APP|VUE_APP|NG_APP|GATSBY|VITE|PUBLIC)_",
);

/// The rules for the fields of a map.
pub(super) struct Object {
    pub(super) required: &'static [&'static str],
    pub(super) patterns: &'static [(&'static str, &'static Pattern)],
    /// Pairs of older name and current name.
    pub(super) older: &'static [(&'static str, &'static str)],
    /// Known fields that are not typed.
    pub(super) untyped: &'static [&'static str],
    /// Fields of older formats, which `spec` ignores.
    pub(super) outdated: &'static [&'static str],
}

impl Object {
    /// A map without rules.
    pub(super) const NO_RULES: Self = Self {
        required: &[],
        patterns: &[],
        older: &[],
        untyped: &[],
        outdated: &[],
    };

    /// Older names of a field.
    pub(super) fn older_names(&'static self, key: &str) -> impl Iterator<Item = &'static str> {
        let names = self.older.iter();
        names.filter_map(move |(old, current)| (*current == key).then_some(*old))
    }
}

pub(super) static APPLICATION: Object = Object {
    required: &["name"],
    patterns: &[("name", &APPLICATION_NAME), ("url", &URL)],
    older: &[("domain", "url")],
    outdated: &[
        "annotations",
        "command",
        "entrypoint",
        "environment",
        "imagePullSecrets",
    ],
    ..Object::NO_RULES
};
pub(super) static REGISTRY_LOGIN: Object = Object {
    required: &["registry", "username", "personalAccessToken"],
    ..Object::NO_RULES
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
    outdated: &["envFile", "exposeHttp", "healthCheck", "privateTag", "type"],
};
pub(super) static VOLUME: Object = Object {
    required: &["name", "size", "mountPath"],
    patterns: &[
        ("name", &NAME),
        ("size", &VOLUME_SIZE),
        ("mountPath", &PATH),
    ],
    older: &[("path", "mountPath")],
    outdated: &["readOnly", "type"],
    ..Object::NO_RULES
};
pub(super) static SECRET: Object = Object {
    required: &["name", "data", "fileName"],
    patterns: &[("name", &NAME), ("mountPath", &PATH)],
    older: &[("path", "mountPath")],
    ..Object::NO_RULES
};
pub(super) static QUANTITIES: Object = Object {
    patterns: &[("cpu", &CPU), ("memory", &MEMORY)],
    ..Object::NO_RULES
};

/// A quantity in cores or bytes; `None` for another format.
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
