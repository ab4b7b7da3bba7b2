//! The forms in which a credential travels.

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

    /// The whole value of `Authorization`, for a platform that gives it out so.
    pub fn as_it_is(value: &Secret) -> Result<Self> {
        let value = header("token", "", value.expose().trim(), |_| false)?;
        Ok(Self::Header(AUTHORIZATION, value))
    }

    /// One cookie, whether or not its name came with the value.
    pub fn cookie(name: &str, value: &Secret) -> Result<Self> {
        let value = value.expose().trim();
        let named = value.strip_prefix(name);
        let value = named
            .and_then(|rest| rest.strip_prefix('='))
            .unwrap_or(value);
        // A semicolon would begin a second cookie.
        let breaks = |c: char| c.is_whitespace() || c == ';';
        let value = header(name, &format!("{name}="), value, breaks)?;
        Ok(Self::Header(COOKIE, value))
    }
}

/// The value of `Authorization` with exactly one prefix, whether or not the token came with one.
///
/// Dashboards hand tokens out both ways: Edgegap's contain `token `, and adding a second one is the
/// commonest set-up mistake there.
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

/// The value of a header, marked as sensitive. `breaks` tells which characters the credential must not
/// contain.
fn header(
    what: &str,
    prefix: &str,
    credential: &str,
    breaks: fn(char) -> bool,
) -> Result<HeaderValue> {
    let refused = |why: &str| Error::configuration(format!("the {what} {why}"));
    if credential.is_empty() {
        return Err(refused("is empty"));
    }
    let value = HeaderValue::from_str(&format!("{prefix}{credential}"));
    let value = value.ok().filter(|value| {
        // A header may hold other bytes, but no platform takes them.
        value.to_str().is_ok() && !credential.contains(breaks)
    });
    let mut value = value.ok_or_else(|| {
        refused("contains a space, a line break or another character that cannot stand in a header")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn exactly_one_prefix() {
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
    fn exactly_one_name_before_a_cookie() {
        let cookie = |value: &str| -> Result<HeaderValue> {
            match Auth::cookie("session", &Secret::new(value))? {
                Auth::Header(name, value) if name == COOKIE => Ok(value),
                _ => panic!("it is no cookie"),
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
    fn what_cannot_stand_in_a_header_is_refused_without_being_shown() {
        for token in ["", "  ", "token", "token ", "ab\ncd", "ab cd", "tökenhush"] {
            let error = with_scheme("token", &Secret::new(token)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{token:?}");
            assert!(!error.to_string().contains("hush"));
        }
    }
}
