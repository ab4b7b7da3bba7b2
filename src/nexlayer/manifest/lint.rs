//! What may be wrong with a manifest: never a reason to refuse it.

use std::fmt;

/// The most warnings that are given.
const MOST: usize = 1000;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, schema: $schema:literal;)*) => {
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
    Unreadable = "unreadable", schema: true;
    /// an older name or form of a field that has a newer one.
    OldSpelling = "old-spelling", schema: true;
    /// a field of an older generation that has no successor.
    OldField = "old-field", schema: true;
    /// a field that no generation knows; the platform ignores it.
    UnknownField = "unknown-field", schema: true;
    /// a field that the schema demands is not there.
    MissingField = "missing-field", schema: true;
    /// a field is there and has no value.
    EmptyField = "empty-field", schema: true;
    /// a number or a `true` where a text is expected: quotes make it one.
    UnquotedText = "unquoted-text", schema: true;
    /// a variable's value that programs read in different ways, such as `1.10`, `0755` and `yes`.
    UnquotedValue = "unquoted-value", schema: false;
    /// the application's name is not 3 to 64 of `a-z 0-9 . -`, with a letter first. Capitals are
    /// known to be refused today; older servers took them, and spaces too.
    ApplicationName = "application-name", schema: true;
    /// a pod's name is not 2 to 64 of `a-z 0-9 -`, with a letter first.
    PodName = "pod-name", schema: true;
    /// a volume's name is not as a pod's.
    VolumeName = "volume-name", schema: true;
    /// a secret's name is not as a pod's.
    SecretName = "secret-name", schema: true;
    /// two pods, or two volumes or secrets of a pod, have the same name.
    DuplicateName = "duplicate-name", schema: false;
    /// a pod has a port twice.
    DuplicatePort = "duplicate-port", schema: false;
    /// a pod has a variable twice.
    DuplicateVar = "duplicate-var", schema: false;
    /// a variable's name is empty, or has a space or `=` in it.
    VarName = "var-name", schema: false;
    /// there is no pod.
    NoPods = "no-pods", schema: true;
    /// no pod has a `path`: the application cannot be reached from outside.
    NoPath = "no-path", schema: true;
    /// a pod's path does not start with `/`.
    PathForm = "path-form", schema: true;
    /// an image is not `[registry/]repository:tag` or `<% REGISTRY %>/repository[:tag]`: a digest, or
    /// no tag.
    ImageForm = "image-form", schema: true;
    /// `<% REGISTRY %>` is used without a `registryLogin`.
    NoRegistryLogin = "no-registry-login", schema: false;
    /// `latest` in the platform's own registry, which refuses it.
    LatestTag = "latest-tag", schema: false;
    /// a pod with no ports, or with more than 2768.
    ServicePorts = "service-ports", schema: true;
    /// the path of a volume or secret does not start with `/`.
    MountPath = "mount-path", schema: true;
    /// two volumes or secrets of a pod have the same path.
    MountCollision = "mount-collision", schema: false;
    /// a volume's size is not a number of `Mi` or `Gi`. Known to be refused.
    VolumeSize = "volume-size", schema: true;
    /// a secret's file name is empty or has a `/` in it.
    FileName = "file-name", schema: false;
    /// `url` is not a bare domain such as `example.com`.
    UrlForm = "url-form", schema: true;
    /// a pod's `subdomain` is not a part of a domain.
    SubdomainForm = "subdomain-form", schema: true;
    /// a pod has a `subdomain`, and the application no `url`. Known to be refused.
    SubdomainWithoutUrl = "subdomain-without-url", schema: false;
    /// a field that is ignored unless the application's `version` is 2.0.
    NeedsVersion2 = "needs-version-2", schema: false;
    /// `resourceType` is none of deployment, statefulset, daemonset and job.
    ResourceType = "resource-type", schema: true;
    /// fewer than one replica.
    Replicas = "replicas", schema: true;
    /// an amount of CPU is not like `250m` or `0.5`.
    CpuQuantity = "cpu-quantity", schema: true;
    /// an amount of memory is not like `512Mi`.
    MemoryQuantity = "memory-quantity", schema: true;
    /// a limit is lower than the request.
    LimitBelowRequest = "limit-below-request", schema: false;
    /// a variable that is built into a page for browsers names a `.pod` host, which only pods reach.
    /// Known to be refused.
    PodHostInBrowser = "pod-host-in-browser", schema: false;
    /// a `.pod` host of which there is no pod.
    UnknownPod = "unknown-pod", schema: false;
    /// `<% … %>` that the platform is not known to replace, or without its end.
    UnknownPlaceholder = "unknown-placeholder", schema: false;
    /// `${…}` in a variable or an image: the platform does not replace it.
    ClientPlaceholder = "client-placeholder", schema: false;
    /// a value such as `DATABASE_CONNECTION_STRING`, which the first generation replaced.
    OldConstant = "old-constant", schema: false;
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

/// Where a value stands in the tree.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    Field(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
    /// One that was shown before.
    Shown(&'p str),
}

impl<'p> Path<'p> {
    pub(super) fn field(&'p self, key: &'p str) -> Path<'p> {
        Path::Field(self, key)
    }

    pub(super) fn item(&'p self, index: usize) -> Path<'p> {
        Path::Item(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(parent, key) => {
                let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
                // What slipped out of a value by bad indentation is no name.
                let plain = key.len() <= 64 && !key.is_empty() && key.bytes().all(is_name);
                let key = if plain { key } else { "…" };
                match parent {
                    Self::Root => f.write_str(key),
                    parent => write!(f, "{parent}.{key}"),
                }
            }
            Self::Shown(path) => f.write_str(path),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The warnings about one manifest.
#[derive(Default)]
pub(super) struct Notes(Vec<Warning>);

impl Notes {
    pub(super) fn add(
        &mut self,
        rule: Rule,
        at: serde_saphyr::Location,
        path: &Path<'_>,
        message: impl Into<String>,
    ) {
        // A file that is wrong throughout needs no longer list.
        if self.0.len() < MOST || rule == Rule::Unreadable && self.0.len() < 2 * MOST {
            self.0.push(Warning {
                rule,
                message: message.into(),
                line: at.line(),
                column: at.column(),
                path: path.to_string(),
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
