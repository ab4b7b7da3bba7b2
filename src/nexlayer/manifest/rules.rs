//! Lint rules for manifests, and the warnings they give.

use std::fmt;

/// Limit of warnings about one manifest.
const MOST: usize = 1000;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, schema: $schema:literal, $message:literal;)*) => {
        /// What a [`Warning`] is about. The names are stable.
        ///
        /// The platform has several generations of servers, and those that run accept more than its
        /// schema does: so nothing of this stops a manifest from being sent.
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

            /// Whether a JSON Schema can say the same: of a manifest without a warning of this kind
            /// the canonical schema approves.
            pub fn is_in_schema(self) -> bool {
                match self {
                    $(Self::$rule => $schema,)*
                }
            }
        }
    };
}

rules! {
    /// cannot be read into an [`AppSpec`](super::AppSpec): a list where a text is expected, a port
    /// that is none, something without a name. The platform may still know what to do with it.
    Unreadable = "unreadable", schema: true, "it cannot be read";
    /// an older name or form of a field that has a newer one.
    OldSpelling = "old-spelling", schema: true, "an older name or form";
    /// a field of an older generation that has no successor.
    OldField = "old-field", schema: true, "a field of an older generation, without a successor";
    /// a field that no generation knows; the platform ignores it.
    UnknownField = "unknown-field", schema: true, "there is no such field; the platform ignores it";
    /// a field that the schema demands is not there.
    MissingField = "missing-field", schema: true, "a field is missing";
    /// a field is there and has no value.
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
    /// a pod's name is not 2 to 64 of `a-z 0-9 -`, with a letter first.
    PodName = "pod-name", schema: true, "a name is 2 to 64 of a-z, 0-9 and -, with a letter first";
    /// a volume's name is not as a pod's.
    VolumeName = "volume-name", schema: true,
        "a name is 2 to 64 of a-z, 0-9 and -, with a letter first";
    /// a secret's name is not as a pod's.
    SecretName = "secret-name", schema: true,
        "a name is 2 to 64 of a-z, 0-9 and -, with a letter first";
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
    /// a pod's path does not start with `/`.
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
    /// the path of a volume or secret does not start with `/`.
    MountPath = "mount-path", schema: true, "a path starts with /";
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
    /// a value such as `DATABASE_CONNECTION_STRING`, which the first generation replaced.
    OldConstant = "old-constant", schema: false,
        "nothing is put in for this today: use <% URL %> or {pod}.pod";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something in a manifest that may be wrong, and where.
///
/// It shows names of fields, and no value. `Display` is one line:
/// `7:13 application.pods[0].volumes[0].size: … (volume-size)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// What it is about.
    pub rule: Rule,
    /// What is wrong, and what would be right.
    pub message: String,
    /// The line in the file, from 1; 0 if that is not known.
    pub line: u64,
    /// The character in the line, from 1; 0 if that is not known.
    pub column: u64,
    /// The field: `application.pods[0].image`. The name of a field that is long or strange is `…`.
    pub path: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            message,
            line,
            column,
            path,
        } = self;
        write!(f, "{line}:{column} ")?;
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        write!(f, "{message} ({rule})")
    }
}

/// The warnings about one manifest.
#[derive(Default)]
pub(super) struct Warnings(Vec<Warning>);

impl Warnings {
    pub(super) fn add(
        &mut self,
        rule: Rule,
        at: serde_saphyr::Location,
        path: &str,
        message: impl Into<String>,
    ) {
        // A file that is wrong throughout needs no longer list.
        if self.0.len() < MOST || rule == Rule::Unreadable && self.0.len() < 2 * MOST {
            self.0.push(Warning {
                rule,
                message: message.into(),
                line: at.line(),
                column: at.column(),
                path: path.to_owned(),
            });
        }
    }

    /// From the top of the file to its end. What cannot be read is among them in any case.
    pub(super) fn sorted(mut self) -> Vec<Warning> {
        let first = |warning: &Warning| warning.rule != Rule::Unreadable;
        self.0
            .sort_by_key(|warning| (first(warning), warning.line, warning.column));
        self.0.truncate(MOST);
        self.0
            .sort_by_key(|warning| (warning.line, warning.column, warning.rule));
        self.0
    }
}
