//! Webhooks that your own server receives: who may call it, and what a body says.
//!
//! Edgegap calls the URLs given to [`NewDeployment`](crate::edgegap::NewDeployment); dployr's control
//! plane calls the one of its cluster. Their bodies are read by
//! [`edgegap::WebhookEvent`](crate::edgegap::WebhookEvent) and
//! [`dployr::WebhookEvent`](crate::dployr::WebhookEvent). The other two platforms call nobody.
//!
//! ```
//! use deploykit::webhook::CallbackSecret;
//! # fn example() -> deploykit::Result<()> {
//! // Once, and kept where other secrets are kept:
//! let secret = CallbackSecret::generate()?;
//! // When something is deployed:
//! let url = secret.attach("https://me.example/hooks/ready")?;
//! // When something calls, before the body is looked at:
//! # let uri = url.expose();
//! secret.verify(uri)?;
//! # Ok(()) }
//! # example().unwrap();
//! ```
//!
//! # What to trust
//!
//! Neither platform signs what it sends, and neither is known to try again when your server does not
//! answer. So:
//!
//! - Who knows the URL can call it. That is all a secret in the URL proves: that the caller knows it.
//!   It does not prove that the body is true, and a call that was seen once can be sent again.
//! - Take an event as a hint. Ask the platform before you act on it: the body names the deployment,
//!   and [`DeploymentHandle::status`](crate::edgegap::DeploymentHandle::status) says how it is.
//! - An event may be lost, come twice, or come late. Look from time to time all the same.
//! - Servers and proxies log URLs. Keep the query out of your own access log.
//! - Answer at once and work afterwards: Edgegap waits 10 seconds and then gives up for good.

use crate::error::{Effect, Error, ErrorKind, Result, start_of};
use crate::secret::{CallbackUrl, Secret};
use crate::transport::decode::without_value;
use crate::transport::http_client::is_loopback;
use secrecy::zeroize::Zeroizing;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use std::fmt::Write;
use subtle::{Choice, ConstantTimeEq};

/// The query parameter that carries a [`CallbackSecret`].
pub const PARAMETER: &str = "callback_secret";

/// Size limit of a body, in bytes: 1 MiB. Real bodies have one or two KiB.
pub const MAX_BYTES: usize = 1 << 20;

/// How many random bytes a secret has.
const RANDOM_BYTES: usize = 32;
/// The least that a secret of one's own may have: 128 random bits in base64.
const SHORTEST: usize = 22;
/// The most of a field's name in an error, in bytes.
const LONGEST_NAME: usize = 64;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A secret in a callback URL, by which your server tells the platform's calls from others.
///
/// It is not shown by `Debug`, has no `Display` and is not serialised: [`expose`](Self::expose) is the
/// only way to its text. See [what it proves](self#what-to-trust).
#[derive(Clone, Debug)]
pub struct CallbackSecret(Secret);

impl CallbackSecret {
    /// A new one that nobody can guess: 256 bits from the operating system, as 64 hexadecimal digits.
    ///
    /// Keep it where other secrets are kept, with [`expose`](Self::expose): a server that forgets it
    /// refuses the calls for what was deployed before.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the operating system has no random numbers to give.
    pub fn generate() -> Result<Self> {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        getrandom::fill(random.as_mut_slice()).map_err(|error| {
            Error::configuration("the operating system gives no random numbers").with_source(error)
        })?;
        // As long as it gets at once, so that no copy is left behind.
        let mut text = String::with_capacity(2 * RANDOM_BYTES);
        for byte in random.iter() {
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(Secret::new(text)))
    }

    /// One that was kept, or one of your own: 22 bytes or more, without spaces and control characters.
    /// It has to come from a good source of randomness, which cannot be checked here.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for one that is too short, or has a space or a control character in
    /// it.
    pub fn new(secret: impl Into<Secret>) -> Result<Self> {
        let secret: Secret = secret.into();
        let text = secret.expose();
        if text.len() < SHORTEST {
            return Err(Error::configuration(format!(
                "a secret for callbacks needs {SHORTEST} bytes or more"
            )));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Error::configuration(
                "a secret for callbacks has a space or a control character in it",
            ));
        }
        Ok(Self(secret))
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// This URL with the secret in its query, as [`PARAMETER`]. Nothing is sent.
    ///
    /// ```
    /// # use deploykit::webhook::CallbackSecret;
    /// let secret = CallbackSecret::new("0123456789abcdef0123456789abcdef").unwrap();
    /// let url = secret.attach("https://me.example/hook?of=game").unwrap();
    /// assert_eq!(url.to_string(), "https://me.example/hook?<redacted>");
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for what is no `https` URL (plain `http` only to this machine), has
    /// a user or a fragment, or carries such a parameter already.
    pub fn attach(&self, url: &str) -> Result<CallbackUrl> {
        // It is not repeated: people hide secrets anywhere in such an address.
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
                    "is plain http to another host, which shows the secret to everybody in between",
                ));
            }
            _ => return Err(refused("is neither http nor https")),
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refused("carries a user or a password"));
        }
        if parsed.fragment().is_some() {
            return Err(refused("has a fragment, which is never sent"));
        }
        if parsed.query_pairs().any(|(name, _)| name == PARAMETER) {
            return Err(refused("carries a callback_secret already"));
        }
        parsed
            .query_pairs_mut()
            .append_pair(PARAMETER, self.expose());
        Ok(CallbackUrl::from(String::from(parsed)))
    }

    /// Whether this is the secret that a request carries. `uri` is the request's URI, whole or from its
    /// path on.
    ///
    /// The comparison takes as long for a nearly right secret as for any other of its length. To change
    /// a secret without losing calls, [`verify`] takes the old one as well.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`], the same for a secret that is wrong, missing, or there twice.
    pub fn verify(&self, uri: &str) -> Result<()> {
        verify(uri, [self])
    }
}

/// Whether one of these secrets is the one that a request carries, as [`CallbackSecret::verify`]: while
/// a secret is being changed, the new and the old.
///
/// ```
/// # use deploykit::webhook::{CallbackSecret, verify};
/// # fn example() -> deploykit::Result<()> {
/// let (new, old) = (CallbackSecret::generate()?, CallbackSecret::generate()?);
/// let url = old.attach("https://me.example/hook")?;
/// verify(url.expose(), [&new, &old])?;
/// # Ok(()) }
/// # example().unwrap();
/// ```
///
/// # Errors
/// [`ErrorKind::Unauthenticated`], the same for a secret that is wrong, missing, or there twice.
pub fn verify<'a>(uri: &str, secrets: impl IntoIterator<Item = &'a CallbackSecret>) -> Result<()> {
    let uri = uri.split('#').next().unwrap_or_default();
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let mut carried = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == PARAMETER)
        .map(|(_, value)| value);
    let known = match (carried.next(), carried.next()) {
        (Some(carried), None) => is_one_of(&carried, secrets),
        _ => false,
    };
    if known {
        return Ok(());
    }
    let error = Error::new(
        ErrorKind::Unauthenticated,
        "the callback does not carry the secret that it has to",
    );
    Err(error.with_effect(Effect::None))
}

/// All are compared, however early one fits: which of them it is takes no less time than none.
fn is_one_of<'a>(carried: &str, secrets: impl IntoIterator<Item = &'a CallbackSecret>) -> bool {
    let mut found = Choice::from(0);
    for secret in secrets {
        found |= secret.expose().as_bytes().ct_eq(carried.as_bytes());
    }
    found.into()
}

/// Reads the JSON of a body.
pub(crate) fn json(bytes: &[u8]) -> Result<Value> {
    if bytes.len() > MAX_BYTES {
        return Err(unreadable(format!("is larger than {MAX_BYTES} bytes")));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if bytes.is_empty() {
        return Err(unreadable("is empty"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("is not UTF-8"))?;
    serde_json::from_str(text).map_err(|error| {
        // The only way to tell, and a limit that serde_json has in any case.
        let deep = error.to_string().starts_with("recursion limit");
        unreadable(if deep {
            "is nested too deeply".to_owned()
        } else {
            format!("is not JSON: {}", without_value(&error))
        })
    })
}

/// Reads a body that was found to be JSON.
pub(crate) fn decode<T: DeserializeOwned>(body: Value) -> Result<T> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let place = place(error.path().iter());
        let why = without_value(error.inner());
        unreadable(format!("does not fit at {place}: {why}"))
    })
}

/// The fields of the event itself have names that are known. Those further down may be anything that
/// whoever called has written there.
fn place<'a>(path: impl Iterator<Item = &'a Segment>) -> String {
    let mut place = "$".to_owned();
    for (depth, segment) in path.enumerate() {
        let _ = match segment {
            Segment::Map { key } if depth == 0 => {
                write!(place, ".{}", start_of(key, LONGEST_NAME))
            }
            Segment::Seq { index } => write!(place, "[{index}]"),
            _ => write!(place, ".*"),
        };
    }
    place
}

/// A body that says nothing. What it has in it is not repeated: whoever called has written it.
pub(crate) fn unreadable(why: impl AsRef<str>) -> Error {
    let message = format!("the webhook's body {}", why.as_ref());
    Error::new(ErrorKind::Decode, message).with_effect(Effect::None)
}
