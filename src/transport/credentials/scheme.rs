//! The forms in which a credential travels.

use crate::error::{Error, Result};
use crate::secret::Secret;

/// The value of `Authorization` with exactly one prefix, whether or not the token came with one.
///
/// Dashboards hand tokens out both ways: Edgegap's contain `token `, and adding a second one is the
/// commonest set-up mistake there.
pub(crate) fn with_scheme(scheme: &str, token: &Secret) -> Result<Secret> {
    let mut bare = token.expose().trim();
    while let Some((first, rest)) = bare.split_once(char::is_whitespace) {
        if !first.eq_ignore_ascii_case(scheme) {
            break;
        }
        bare = rest.trim_start();
    }
    if bare.is_empty() || bare.eq_ignore_ascii_case(scheme) {
        return Err(Error::configuration("the token is empty"));
    }
    if bare.chars().any(|c| c.is_control() || c.is_whitespace()) || !bare.is_ascii() {
        return Err(Error::configuration(
            "the token contains a space, a line break or another character that cannot stand in a header",
        ));
    }
    Ok(Secret::new(format!("{scheme} {bare}")))
}

/// The value of `Cookie` with this one cookie, whether or not its name came with the value.
pub(crate) fn as_cookie(name: &str, value: &Secret) -> Result<Secret> {
    let value = value.expose().trim();
    let named = value.strip_prefix(name);
    let value = named
        .and_then(|rest| rest.strip_prefix('='))
        .unwrap_or(value);
    if value.is_empty() {
        return Err(Error::configuration(format!("the {name} is empty")));
    }
    // A semicolon would begin a second cookie.
    let breaks = |c: char| c.is_control() || c.is_whitespace() || c == ';';
    if value.chars().any(breaks) || !value.is_ascii() {
        return Err(Error::configuration(format!(
            "the {name} contains a space, a semicolon or another character that cannot stand in a cookie"
        )));
    }
    Ok(Secret::new(format!("{name}={value}")))
}

/// The whole value of `Authorization`, for a platform that gives it out so.
pub(crate) fn as_it_is(value: &Secret) -> Result<Secret> {
    let value = value.expose().trim();
    if value.is_empty() {
        return Err(Error::configuration("the token is empty"));
    }
    if value.chars().any(char::is_control) || !value.is_ascii() {
        return Err(Error::configuration(
            "the token contains a line break or another character that cannot stand in a header",
        ));
    }
    Ok(Secret::new(value))
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
            assert_eq!(value.expose(), "token abc", "{token:?}");
        }
        let other = with_scheme("Bearer", &Secret::new("tokenabc")).unwrap();
        assert_eq!(other.expose(), "Bearer tokenabc");
    }

    #[test]
    fn exactly_one_name_before_a_cookie() {
        for value in ["abc", "session=abc", " session=abc\n"] {
            let cookie = as_cookie("session", &Secret::new(value)).unwrap();
            assert_eq!(cookie.expose(), "session=abc", "{value:?}");
        }
        let other = as_cookie("session", &Secret::new("sessionabc")).unwrap();
        assert_eq!(other.expose(), "session=sessionabc");
        for value in ["", " ", "session=", "hush;a=b", "hush b", "hush\nb", "hüsh"] {
            let error = as_cookie("session", &Secret::new(value)).unwrap_err();
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
