//! Receiving webhooks on your own server: authentication and event bodies.
//!
//! Edgegap calls the webhook URLs of a [`NewDeployment`](crate::edgegap::NewDeployment); dployr's control
//! plane calls the webhook of its cluster. [`edgegap::WebhookEvent`](crate::edgegap::WebhookEvent) and
//! [`dployr::WebhookEvent`](crate::dployr::WebhookEvent) parse the bodies. Nexlayer and Nodion send no
//! webhooks.
//!
//! ```
//! use deploykit::webhook::CallbackSecret;
//! # fn example() -> deploykit::Result<()> {
//! // Once; store it with your other secrets:
//! let secret = CallbackSecret::generate()?;
//! // For each deployment:
//! let url = secret.attach("https://me.example/hooks/ready")?;
//! // For each received request, before you read the body:
//! # let uri = url.expose();
//! secret.verify(uri)?;
//! # Ok(()) }
//! # example().unwrap();
//! ```
//!
//! # What to trust
//!
//! The platforms do not sign their webhooks, and no retries are documented. Therefore:
//!
//! - The secret in the URL proves only that the caller knows the URL. It does not prove that the body is
//!   true, and it does not prevent replays.
//! - Treat an event as a hint. Before you act, read the deployment named in the body:
//!   [`DeploymentHandle::get`](crate::edgegap::DeploymentHandle::get).
//! - Events can be lost, duplicated or late. Poll from time to time as well.
//! - Servers and proxies log URLs. Remove the query from your access logs.
//! - Respond immediately and process the event afterwards: Edgegap gives up after 10 seconds.

use crate::error::{Effect, Error, ErrorKind, Result, start_of};
use crate::lenient::{Lenient, reason_without_value};
use crate::secret::{CallbackUrl, Secret};
use crate::transport::http_client::is_loopback;
use secrecy::zeroize::Zeroizing;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use std::fmt::Write;
use subtle::{Choice, ConstantTimeEq};

/// Name of the query parameter that contains a [`CallbackSecret`].
pub const SECRET_PARAMETER: &str = "callback_secret";

/// Size limit of a body: 1 MiB. Typical bodies have one or two KiB.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// Size of a generated secret, before hexadecimal encoding.
const RANDOM_BYTES: usize = 32;
/// Minimum length in bytes: 128 random bits in base64.
const MIN_LENGTH: usize = 22;
/// Size limit of a field name in an error, in bytes.
const MAX_FIELD_NAME: usize = 64;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A secret in a webhook URL that authenticates requests to your server.
///
/// `Debug` redacts it; it implements neither `Display` nor `Serialize`. [`expose`](Self::expose) returns
/// the text. See [what to trust](self#what-to-trust).
#[derive(Clone, Debug)]
pub struct CallbackSecret(Secret);

impl CallbackSecret {
    /// Generates a secret of 256 random bits, as 64 hexadecimal digits.
    ///
    /// Store it with [`expose`](Self::expose): without it, your server rejects webhooks of existing
    /// deployments.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if the operating system provides no random numbers.
    pub fn generate() -> Result<Self> {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        getrandom::fill(random.as_mut_slice()).map_err(|error| {
            Error::configuration("the operating system provides no random numbers")
                .with_source(error)
        })?;
        // With full capacity, since growing would leave copies in memory.
        let mut text = String::with_capacity(2 * RANDOM_BYTES);
        for byte in random.iter() {
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(Secret::new(text)))
    }

    /// Wraps a stored or self-made secret.
    ///
    /// It must have 22 bytes or more, without whitespace or control characters. It must be random, which
    /// is not checked.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if it is too short or contains whitespace or a control
    /// character.
    pub fn new(secret: impl Into<Secret>) -> Result<Self> {
        let secret: Secret = secret.into();
        let text = secret.expose();
        if text.len() < MIN_LENGTH {
            return Err(Error::configuration(format!(
                "the callback secret is too short: it needs at least {MIN_LENGTH} bytes"
            )));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Error::configuration(
                "the callback secret contains whitespace or a control character",
            ));
        }
        Ok(Self(secret))
    }

    /// The text of the secret.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Adds the secret to the query of a URL, as [`SECRET_PARAMETER`].
    ///
    /// ```
    /// # use deploykit::webhook::CallbackSecret;
    /// let secret = CallbackSecret::new("0123456789abcdef0123456789abcdef").unwrap();
    /// let url = secret.attach("https://me.example/hook?of=game").unwrap();
    /// assert_eq!(url.to_string(), "https://me.example/hook?<redacted>");
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) if the URL is not `https` (plain `http` is allowed
    /// for loopback), has user info or a fragment, or already contains the parameter.
    pub fn attach(&self, url: &str) -> Result<CallbackUrl> {
        // Without the URL, which may contain other secrets.
        let refused = |why: &str| Error::invalid_request(format!("the callback URL {why}"));
        let mut parsed = reqwest::Url::parse(url.trim())
            .map_err(|error| refused("is not a URL").with_source(error))?;
        let Some(host) = parsed.host_str().filter(|host| !host.is_empty()) else {
            return Err(refused("has no host"));
        };
        match parsed.scheme() {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => {
                return Err(refused(
                    "uses plain http to another host, which would expose the secret: use https",
                ));
            }
            _ => return Err(refused("does not use https")),
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refused("contains a user name or a password"));
        }
        if parsed.fragment().is_some() {
            return Err(refused("has a fragment, which is never sent"));
        }
        if parsed
            .query_pairs()
            .any(|(name, _)| name == SECRET_PARAMETER)
        {
            return Err(refused("already contains the parameter callback_secret"));
        }
        parsed
            .query_pairs_mut()
            .append_pair(SECRET_PARAMETER, self.expose());
        Ok(CallbackUrl::from(String::from(parsed)))
    }

    /// Checks that a received request contains this secret.
    ///
    /// `uri` is the request target: a path with a query, or an absolute URI. The comparison takes
    /// constant time. To rotate a secret, use [`verify_any`].
    ///
    /// # Errors
    /// [`Unauthenticated`](ErrorKind::Unauthenticated) if the secret is wrong, missing or duplicated.
    pub fn verify(&self, uri: &str) -> Result<()> {
        verify_any(uri, [self])
    }
}

/// Checks that a received request contains one of these secrets.
///
/// Like [`CallbackSecret::verify`]. Use it to rotate a secret: accept the new one and the old one.
///
/// ```
/// # use deploykit::webhook::{CallbackSecret, verify_any};
/// # fn example() -> deploykit::Result<()> {
/// let (new, old) = (CallbackSecret::generate()?, CallbackSecret::generate()?);
/// let url = old.attach("https://me.example/hook")?;
/// verify_any(url.expose(), [&new, &old])?;
/// # Ok(()) }
/// # example().unwrap();
/// ```
///
/// # Errors
/// [`Unauthenticated`](ErrorKind::Unauthenticated) if the secret is wrong, missing or duplicated.
pub fn verify_any<'a>(
    uri: &str,
    secrets: impl IntoIterator<Item = &'a CallbackSecret>,
) -> Result<()> {
    let uri = uri.split('#').next().unwrap_or_default();
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let mut received = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == SECRET_PARAMETER)
        .map(|(_, value)| value);
    let valid = match (received.next(), received.next()) {
        (Some(received), None) => is_one_of(&received, secrets),
        _ => false,
    };
    if valid {
        return Ok(());
    }
    let error = Error::new(
        ErrorKind::Unauthenticated,
        "the request does not contain the callback secret",
    );
    Err(error.with_effect(Effect::None))
}

/// Compares all secrets in constant time, without an early return.
fn is_one_of<'a>(received: &str, secrets: impl IntoIterator<Item = &'a CallbackSecret>) -> bool {
    let mut found = Choice::from(0);
    for secret in secrets {
        found |= secret.expose().as_bytes().ct_eq(received.as_bytes());
    }
    found.into()
}

/// Parses the JSON of a body.
pub(crate) fn json(bytes: &[u8]) -> Result<Value> {
    if bytes.len() > MAX_BODY_BYTES {
        return Err(unreadable(format!("is larger than {MAX_BODY_BYTES} bytes")));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.is_empty() {
        return Err(unreadable("is empty"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("is not UTF-8"))?;
    serde_json::from_str(text).map_err(|error| {
        // serde_json reports its recursion limit only in the message.
        let deep = error.to_string().starts_with("recursion limit");
        unreadable(if deep {
            "is nested too deeply".to_owned()
        } else {
            format!("is not JSON: {}", reason_without_value(&error))
        })
    })
}

/// Decodes the JSON of a body.
pub(crate) fn decode<T: DeserializeOwned>(body: Value) -> Result<T> {
    serde_path_to_error::deserialize(Lenient(&body)).map_err(|error| {
        let path = json_path(error.path().iter());
        let reason = reason_without_value(error.inner());
        unreadable(format!("cannot be decoded at {path}: {reason}"))
    })
}

/// The JSON path of a failure. Field names below the top level are replaced with `*`, because the
/// caller controls them.
fn json_path<'a>(segments: impl Iterator<Item = &'a Segment>) -> String {
    let mut path = "$".to_owned();
    for (depth, segment) in segments.enumerate() {
        let _ = match segment {
            Segment::Map { key } if depth == 0 => {
                write!(path, ".{}", start_of(key, MAX_FIELD_NAME))
            }
            Segment::Seq { index } => write!(path, "[{index}]"),
            _ => write!(path, ".*"),
        };
    }
    path
}

/// The error for an unreadable body, without its content, which the caller controls.
pub(crate) fn unreadable(why: impl AsRef<str>) -> Error {
    let message = format!("the webhook body {}", why.as_ref());
    Error::new(ErrorKind::Decode, message).with_effect(Effect::None)
}
