//! Reading a reply: bounded bodies, failures, decoding.

use super::execute::effect_of_broken_success;
use super::limits::{ERROR_BYTES, ERROR_WAIT, EXCERPT_BYTES};
use super::profile::{Failure, reads_only};
use super::{Scope, hints, redact};
use crate::error::{Effect, Error, ErrorKind, Result, start_of};
use crate::operation::Operation;
use crate::secret::Secret;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use progenitor_client::{ByteStream, ResponseValue};
use reqwest::Response;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

type RawResult<T> = std::result::Result<ResponseValue<T>, progenitor_client::Error<()>>;

/// The most that counts as the id of a request, in bytes.
const LONGEST_REQUEST_ID: usize = 200;

/// The body of a success.
pub(crate) enum Body {
    Json(Vec<u8>),
    Text(String),
    Empty,
}

impl Body {
    /// Tells JSON from text by looking: Nexlayer sends bare text where its page shows a JSON string,
    /// and a proxy sends HTML where anything else was expected.
    pub fn read(bytes: Vec<u8>, headers: &HeaderMap) -> Self {
        let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => rest.to_vec(),
            None => bytes,
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        let declared = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("json"));
        if declared || serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok() {
            return Self::Json(bytes);
        }
        Self::Text(String::from_utf8_lossy(&bytes).trim().to_owned())
    }
}

/// Reads a body whole; more than `limit` bytes are an error.
pub(crate) async fn read_all(mut response: Response, limit: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                return Err(Error::new(
                    ErrorKind::Decode,
                    format!("the reply is larger than {limit} bytes"),
                )
                .with_advice("raise max_reply_bytes if that is expected"));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(broken_body(error)),
        }
    }
}

/// Reads the beginning of a failure's body. What cannot be read, or does not come, is left out: the
/// status says more.
pub(crate) async fn read_start(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let until = Instant::now() + ERROR_WAIT;
    while body.len() < ERROR_BYTES {
        match timeout_at(until, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            Ok(Ok(None) | Err(_)) | Err(_) => break,
        }
    }
    body.truncate(ERROR_BYTES);
    body
}

fn broken_body(error: reqwest::Error) -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the connection broke within the reply",
    )
    .with_source(error.without_url())
}

/// What a failure of the network means for this call.
pub(crate) fn network_error(
    error: reqwest::Error,
    operation: Option<&Operation>,
    method: &Method,
) -> Error {
    // The URL may hold a session token.
    let error = error.without_url();
    let (kind, message, effect) = if error.is_builder() {
        (
            ErrorKind::InvalidRequest,
            "the request could not be built",
            Effect::None,
        )
    } else if error.is_connect() {
        (
            ErrorKind::Connect,
            "no connection could be made",
            Effect::None,
        )
    } else if error.is_timeout() {
        (
            ErrorKind::Timeout,
            "no answer in time",
            effect_of_broken_success(operation, method),
        )
    } else {
        (
            ErrorKind::Interrupted,
            "the connection broke before there was a reply",
            effect_of_broken_success(operation, method),
        )
    };
    let message = match root_cause(&error) {
        Some(cause) => format!("{message}: {cause}"),
        None => message.to_owned(),
    };
    let lasting = is_tls(&error);
    let error = Error::new(kind, message)
        .with_effect(effect)
        .with_source(error);
    if lasting { error.lasting() } else { error }
}

/// Whether the two ends cannot agree on encryption: a certificate that does not fit will not fit a
/// second later.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    #[cfg(feature = "rustls")]
    if error.is::<rustls::Error>() {
        return true;
    }
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        // Its source is the source of what it wraps, and what it wraps is what is looked for.
        let wrapped = io
            .get_ref()
            .map(|wrapped| wrapped as &(dyn std::error::Error + 'static));
        return wrapped.is_some_and(is_tls);
    }
    error.source().is_some_and(is_tls)
}

/// Scheme and host of where a redirect leads: path and query may hold a token.
fn redirect_origin(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(http::header::LOCATION)?.to_str().ok()?;
    let url = reqwest::Url::parse(location).ok()?;
    Some(url.origin().ascii_serialization())
}

/// What the system says at the bottom of it: `Connection refused (os error 111)`.
fn root_cause(error: &dyn std::error::Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Some(cause.to_string())
}

impl Scope {
    /// The error for a reply that is not a success.
    pub(crate) fn failure(
        &self,
        operation: Option<&'static Operation>,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        effect: Effect,
    ) -> Error {
        let secrets = self.secrets();
        let text = redact::mask(&String::from_utf8_lossy(body), &secrets);
        let mut json: Option<Value> = serde_json::from_slice(body).ok();
        if let Some(json) = &mut json {
            redact::mask_json(json, &secrets);
        }
        // JSON written anew: in the text as it came a secret may stand escaped.
        let text = json.as_ref().map_or(text, Value::to_string);
        let failure = Failure {
            operation,
            status,
            headers,
            text: &text,
            json: json.as_ref(),
        };
        let mut classified = (self.transport().profile.classify)(&failure);
        if classified.kind == ErrorKind::Redirected {
            if let Some(origin) = redirect_origin(headers) {
                classified = classified.message(format!("redirected to {origin}"));
            }
            classified = classified.advice(
                "redirects are not followed; set the base URL to where the platform is now",
            );
        }
        classified
            .into_error(effect)
            .with_status(status)
            .with_retry_after(hints::retry_after(status, headers))
            .with_request_id(request_id(headers))
            .with_body(start_of(&text, EXCERPT_BYTES).to_owned())
    }

    pub(crate) fn take_error(&self) -> Option<Error> {
        let error = self.trace().error.take()?;
        Some(error.masked(&self.secrets(), EXCERPT_BYTES))
    }
}

/// The value of a call, or what went wrong with it.
pub(crate) fn finish<T: DeserializeOwned>(scope: &Scope, result: RawResult<T>) -> Result<T> {
    if let Some(error) = scope.take_error() {
        return Err(error);
    }
    let operation = scope.operation();
    let method = method_of(operation);
    let result = match result {
        Ok(value) => return Ok(value.into_inner()),
        // Decoded once more, this time with the path to what does not fit.
        Err(progenitor_client::Error::InvalidResponsePayload(bytes, _)) => decode(
            &bytes,
            operation,
            &method,
            scope.outcome().unwrap_or_default().status,
            &scope.secrets(),
        ),
        Err(error) => Err(unsent(error)),
    };
    result.map_err(|error: Error| complete(error, scope))
}

/// The byte stream of a call, or what went wrong with it.
pub(crate) fn finish_stream(scope: &Scope, result: RawResult<ByteStream>) -> Result<ByteStream> {
    if let Some(error) = scope.take_error() {
        return Err(error);
    }
    result
        .map(ResponseValue::into_inner)
        .map_err(|error| complete(unsent(error), scope))
}

/// Adds what is known of the call, and leaves out what the reply repeated of its secrets.
pub(crate) fn complete(error: Error, scope: &Scope) -> Error {
    let error = error.masked(&scope.secrets(), EXCERPT_BYTES);
    let outcome = scope.outcome().unwrap_or_default();
    let error = match outcome.status {
        0 => error,
        status => error.with_status(status),
    };
    // An earlier attempt may have done more than the one whose reply this is.
    let effect = error.effect().max(scope.progress().effect);
    error
        .with_effect(effect)
        .with_attempts(outcome.attempts, outcome.elapsed)
        .with_operation(scope.operation())
}

/// A failure inside of the generated client, before anything was sent.
fn unsent(error: progenitor_client::Error<()>) -> Error {
    use progenitor_client::Error as Raw;
    match error {
        Raw::CommunicationError(error) => network_error(error, None, &Method::POST),
        Raw::InvalidRequest(why) => Error::invalid_request(why),
        // `prepare` stopped it. A preview is taken from the scope before anybody sees this.
        Raw::Custom(_) => Error::invalid_request("the request was not sent"),
        // Our own replies are read whole and have a status that the client accepts or an error that
        // was taken above.
        _ => Error::new(ErrorKind::Decode, "the reply was not expected"),
    }
}

fn method_of(operation: Option<&Operation>) -> Method {
    operation
        .and_then(|operation| operation.method.parse().ok())
        .unwrap_or(Method::POST)
}

/// Decodes a success body; an error names the path to what does not fit and shows the form of the
/// reply, never its contents.
pub(crate) fn decode<T: DeserializeOwned>(
    bytes: &[u8],
    operation: Option<&'static Operation>,
    method: &Method,
    status: u16,
    secrets: &[Secret],
) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let error = match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(value) => match deserializer.end() {
            Ok(()) => return Ok(value),
            Err(error) => ("$".to_owned(), error),
        },
        Err(error) => (path_of(&error.path().to_string()), error.into_inner()),
    };
    let (path, error) = error;
    let (path, why) = match without_value(&error) {
        why if why.starts_with(WITHIN) => place_in(&why),
        why => (path, why),
    };
    let json: Option<Value> = serde_json::from_slice(bytes).ok();
    // A platform that says "created" or "accepted" in JSON did act; of anything else, or from
    // anything in between, nobody can tell.
    let effect = match &json {
        _ if reads_only(operation, method) => Effect::None,
        Some(Value::Object(_) | Value::Array(_)) if matches!(status, 201 | 202) => Effect::Applied,
        _ => Effect::Unknown,
    };
    let excerpt = match json {
        // A page of something in between says what it is; any other text may be a token.
        Some(Value::String(text)) if text.trim_start().starts_with('<') => {
            start_of(&redact::mask(&text, secrets), EXCERPT_BYTES).to_owned()
        }
        Some(Value::String(text)) => format!("a text of {} bytes", text.len()),
        Some(mut json) => {
            redact::mask_json(&mut json, secrets);
            start_of(&redact::shape(&json, EXCERPT_BYTES), EXCERPT_BYTES).to_owned()
        }
        None => format!("{} bytes that are not JSON", bytes.len()),
    };
    Err(Error::new(
        ErrorKind::Decode,
        format!("the reply does not fit at {path}: {why}"),
    )
    .with_body(excerpt)
    .with_effect(effect))
}

fn path_of(path: &str) -> String {
    match path {
        "." | "" => "$".to_owned(),
        path if path.starts_with('.') || path.starts_with('[') => {
            format!("${}", path.trim_start_matches('.'))
        }
        path => format!("$.{path}"),
    }
}

/// How the message of a handwritten decoder begins that knows the place itself.
const WITHIN: &str = "within ";

/// The message of a handwritten decoder that looked into its part of the reply: `words` must not
/// quote a value.
pub(crate) fn within(place: &str, words: &str) -> String {
    format!("{WITHIN}{place}: {words}")
}

fn place_in(message: &str) -> (String, String) {
    let rest = message.strip_prefix(WITHIN).unwrap_or(message);
    let (place, why) = rest.split_once(": ").unwrap_or(("", rest));
    (path_of(place), why.to_owned())
}

/// serde's message without the value it quotes, which may be a token.
pub(crate) fn without_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // The last one: the value that is quoted may hold these words, too.
    let text = match text.rsplit_once(" at line ") {
        Some((text, _)) if error.line() > 0 => text,
        _ => &text,
    };
    let quoted = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix));
    match quoted {
        Some(rest) => {
            let found = rest.split([' ', '`', ',']).next().unwrap_or("a value");
            let expected = rest
                .rsplit_once(", expected ")
                .map_or("another", |(_, e)| e);
            format!("found {found}, expected {expected}")
        }
        None if text.starts_with("missing field")
            || text.starts_with(WITHIN)
            || error.is_syntax()
            || error.is_eof() =>
        {
            text.to_owned()
        }
        None => "it has an unexpected value".to_owned(),
    }
}

/// The id that a server gave to this HTTP request. What is too long for one is left out, not cut: a
/// piece of a secret would not be recognised as one.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "request-id", "cf-ray"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
        .filter(|id| id.len() <= LONGEST_REQUEST_ID)
        .map(str::to_owned)
}
