//! The `Authorization` header with its prefix (`Bearer `, `token `), and the session cookie.

use super::Auth;
use crate::error::{Error, Result};
use crate::secret::Secret;
use http::HeaderValue;
use http::header::{AUTHORIZATION, COOKIE};

impl Auth {
    /// A fixed token.
    pub fn token(scheme: &str, token: &Secret) -> Result<Self> {
        Ok(Self::Header(AUTHORIZATION, with_scheme(scheme, token)?))
    }

    /// An `Authorization` header without prefix.
    pub fn without_scheme(value: &Secret) -> Result<Self> {
        let value = header("token", "", value.expose().trim(), |_| false)?;
        Ok(Self::Header(AUTHORIZATION, value))
    }

    /// A cookie. The value may already begin with `name=`.
    pub fn cookie(name: &str, value: &Secret) -> Result<Self> {
        let value = value.expose().trim();
        let value = value.strip_prefix(&format!("{name}=")).unwrap_or(value);
        // A semicolon would start a second cookie.
        let is_forbidden = |c: char| c.is_whitespace() || c == ';';
        let value = header(name, &format!("{name}="), value, is_forbidden)?;
        Ok(Self::Header(COOKIE, value))
    }
}

/// The value of `Authorization`, with exactly one prefix.
///
/// The token may already include the prefix: Edgegap's dashboard shows tokens as `token …`.
pub(crate) fn with_scheme(scheme: &str, token: &Secret) -> Result<HeaderValue> {
    let mut bare = token.expose().trim();
    while let Some((first, rest)) = bare.split_once(char::is_whitespace) {
        if !first.eq_ignore_ascii_case(scheme) {
            break;
        }
        bare = rest.trim_start();
    }
    if bare.eq_ignore_ascii_case(scheme) {
        bare = "";
    }
    header("token", &format!("{scheme} "), bare, char::is_whitespace)
}

/// A header value, marked as sensitive. The credential must not contain a forbidden character.
fn header(
    name: &str,
    prefix: &str,
    credential: &str,
    is_forbidden: fn(char) -> bool,
) -> Result<HeaderValue> {
    let refused = |reason: &str| Error::configuration(format!("the {name} {reason}"));
    if credential.is_empty() {
        return Err(refused("is empty"));
    }
    let value = HeaderValue::from_str(&format!("{prefix}{credential}"));
    let value = value.ok().filter(|value| {
        // No platform accepts non-ASCII bytes.
        value.to_str().is_ok() && !credential.contains(is_forbidden)
    });
    let mut value = value.ok_or_else(|| {
        refused("contains a space, a line break or another character that is invalid in a header")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_token_gets_exactly_one_prefix() {
        for token in [
            "abc",
            "token abc",
            "Token abc",
            "token token abc",
            "  token  abc\n",
        ] {
            let value = with_scheme("token", &Secret::new(token)).unwrap();
            assert_eq!(value, "token abc", "{token:?}");
        }
        let other = with_scheme("Bearer", &Secret::new("tokenabc")).unwrap();
        assert_eq!(other, "Bearer tokenabc");
    }

    #[test]
    fn a_cookie_gets_exactly_one_name() {
        let cookie = |value: &str| -> Result<HeaderValue> {
            match Auth::cookie("session", &Secret::new(value))? {
                Auth::Header(name, value) if name == COOKIE => Ok(value),
                _ => panic!("not a cookie"),
            }
        };
        for value in ["abc", "session=abc", " session=abc\n"] {
            assert_eq!(cookie(value).unwrap(), "session=abc", "{value:?}");
        }
        assert_eq!(cookie("sessionabc").unwrap(), "session=sessionabc");
        for value in ["", " ", "session=", "hush;a=b", "hush b", "hush\nb", "hüsh"] {
            let error = cookie(value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{value:?}");
            assert!(!error.to_string().contains("sh"), "{error}");
        }
    }

    #[test]
    fn invalid_tokens_are_refused_and_not_shown() {
        for token in ["", "  ", "token", "token ", "ab\ncd", "ab cd", "tökenhush"] {
            let error = with_scheme("token", &Secret::new(token)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{token:?}");
            assert!(!error.to_string().contains("hush"));
        }
    }
}
