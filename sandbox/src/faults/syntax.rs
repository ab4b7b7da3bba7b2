//! Text form of a fault: `[PLATFORM.]OPERATION[:CALLS]=KIND[,OPTION]...`

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use super::{Fault, FaultBuilder, FaultError, Kind};
use crate::platform::Platform;

const KINDS: &str = "a status such as 503, delay:TIME, reset, truncate:BYTES, garbage, dribble:TIME/BYTES, hang or \
                     drop-webhook";

/// Parses `[PLATFORM.]OPERATION[:CALLS]=KIND[,OPTION]...`.
///
/// Example: `edgegap.create_deployment:2=503,retry-after:1`
///
/// - `OPERATION`: an `operationId` of the spec, or `*`.
/// - `CALLS`: `2`, `1-3` or `2-`; all by default.
/// - `KIND`: a status, `delay:500ms`, `reset`, `truncate:20`, `garbage`, `dribble:10ms/8`, `hang` or
///   `drop-webhook`.
/// - `OPTION`: `before` or `after` (the platform processes the request); with a status also
///   `retry-after:SECONDS`, `type:CONTENT-TYPE` and, as the last one, `body:TEXT`.
impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let error = |message: String| FaultError(format!("{text}: {message}"));
        let (requests, rest) = text
            .split_once('=')
            .ok_or_else(|| error(format!("missing =KIND; expected {KINDS}")))?;
        let when = selector(requests).map_err(error)?;
        // The body may contain commas.
        let (rest, body) = match rest.split_once(",body:") {
            Some((rest, body)) => (rest, Some(body)),
            None => (rest, None),
        };
        let mut parts = rest.split(',');
        let mut fault = kind(when, parts.next().unwrap_or_default()).map_err(error)?;
        let mut content_type = None;
        for option in parts {
            let is_status = matches!(fault.kind, Kind::Status { .. });
            fault = match option.split_once(':') {
                None if option == "before" => fault.before(),
                None if option == "after" => fault.after(),
                Some(("retry-after", seconds)) if is_status => {
                    fault.retry_after(retry_after_seconds(seconds).map_err(error)?)
                }
                Some(("type", value)) if is_status && body.is_some() => {
                    content_type = Some(value.to_owned());
                    fault
                }
                _ => {
                    return Err(error(format!(
                        "unexpected option {option}; expected before or after, with a status also \
                         retry-after:SECONDS, body:TEXT, and type:CONTENT-TYPE before body:TEXT"
                    )));
                }
            };
        }
        if let Some(text) = body {
            let Kind::Status { body, .. } = &mut fault.kind else {
                return Err(error("body:TEXT needs a status".to_owned()));
            };
            let content_type = content_type.unwrap_or_else(|| "text/plain".to_owned());
            *body = Some((content_type, text.as_bytes().to_vec()));
        }
        Ok(fault)
    }
}

/// Parses `[PLATFORM.]OPERATION[:CALLS]`.
fn selector(text: &str) -> Result<FaultBuilder, String> {
    let (name, calls) = match text.split_once(':') {
        Some((name, calls)) => (name, Some(calls)),
        None => (text, None),
    };
    let (platform, operation) = match name.split_once('.') {
        Some((platform, operation)) => (Some(platform), operation),
        None => (None, name),
    };
    let mut when = match operation {
        "" => return Err("missing operation; use * for every request".to_owned()),
        "*" => Fault::on_any(),
        operation => Fault::on(operation),
    };
    if let Some(name) = platform {
        let known = Platform::ALL
            .into_iter()
            .find(|known| known.to_string() == name);
        let platform = known.ok_or_else(|| {
            format!("unknown platform {name}; expected nexlayer, dployr, nodion or edgegap")
        })?;
        when = when.platform(platform);
    }
    let Some(calls) = calls else { return Ok(when) };
    let number = |text: &str| {
        text.parse::<u64>()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("invalid calls {calls}; expected 2, 1-3 or 2-, counted from 1"))
    };
    match calls.split_once('-') {
        None => Ok(when.nth(number(calls)?)),
        Some((first, "")) => Ok(when.from(number(first)?)),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            let times = last.checked_sub(first).map(|more| more.saturating_add(1));
            let times = times
                .ok_or_else(|| format!("invalid calls {calls}: the last is before the first"))?;
            Ok(when.from(first).times(times))
        }
    }
}

/// Parses `KIND`.
fn kind(when: FaultBuilder, text: &str) -> Result<Fault, String> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let bytes = |text: &str| {
        text.parse::<usize>()
            .map_err(|_| format!("invalid number of bytes {text}"))
    };
    match (name, value) {
        ("reset", None) => Ok(when.reset()),
        ("garbage", None) => Ok(when.garbage()),
        ("hang", None) => Ok(when.hang()),
        ("drop-webhook", None) => Ok(when.drop_webhook()),
        ("delay", Some(delay)) => Ok(when.delay(time(delay)?)),
        ("truncate", Some(value)) => Ok(when.truncate(bytes(value)?)),
        ("dribble", Some(value)) => {
            let (interval, piece) = value.split_once('/').ok_or_else(|| {
                format!("invalid {text}; expected dribble:TIME/BYTES, such as dribble:10ms/8")
            })?;
            Ok(when.dribble(time(interval)?, bytes(piece)?))
        }
        (code, None) if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) => {
            let code = code.parse().map_err(|_| format!("invalid status {code}"))?;
            Ok(when.status(code))
        }
        _ => Err(format!("unknown kind {text}; expected {KINDS}")),
    }
}

fn retry_after_seconds(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("invalid retry-after:{text}; expected whole seconds"))
}

/// Parses a duration such as `500ms`, `2s` or `3m`.
fn time(text: &str) -> Result<Duration, String> {
    let time = text.parse::<SignedDuration>().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok());
    time.ok_or_else(|| format!("invalid time {text}; expected a form like 500ms, 2s or 3m"))
}

impl fmt::Display for Fault {
    /// Writes the text form. It can be parsed again, unless the body is not UTF-8.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault {
            when,
            kind,
            processed,
        } = self;
        write!(f, "{when}={kind}")?;
        let after_by_default = self.changes_reply() || self.is_for_webhooks();
        match (after_by_default, processed) {
            (false, true) => f.write_str(",after")?,
            (true, false) => f.write_str(",before")?,
            _ => {}
        }
        let Kind::Status {
            body, retry_after, ..
        } = kind
        else {
            return Ok(());
        };
        if let Some(seconds) = retry_after {
            write!(f, ",retry-after:{seconds}")?;
        }
        if let Some((content_type, body)) = body {
            write!(
                f,
                ",type:{content_type},body:{}",
                String::from_utf8_lossy(body)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for FaultBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(platform) = self.platform {
            write!(f, "{platform}.")?;
        }
        f.write_str(self.operation.as_deref().unwrap_or("*"))?;
        match (self.first, self.last()) {
            (1, None) => Ok(()),
            (first, None) => write!(f, ":{first}-"),
            (first, Some(last)) if last <= first => write!(f, ":{first}"),
            (first, Some(last)) => write!(f, ":{first}-{last}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Status { code, .. } => write!(f, "{code}"),
            Kind::Delay(delay) => write!(f, "delay:{}", format_time(*delay)),
            Kind::Reset => f.write_str("reset"),
            Kind::Truncate(bytes) => write!(f, "truncate:{bytes}"),
            Kind::Garbage => f.write_str("garbage"),
            Kind::Dribble { interval, piece } => {
                write!(f, "dribble:{}/{piece}", format_time(*interval))
            }
            Kind::Hang => f.write_str("hang"),
            Kind::DropWebhook => f.write_str("drop-webhook"),
        }
    }
}

/// Formats a duration so that [`time`] can parse it.
fn format_time(time: Duration) -> String {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    format!("{time:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_round_trips_through_its_text_form() {
        let edgegap = || Fault::on("create_deployment").platform(Platform::Edgegap);
        let nodion = || Fault::on_any().platform(Platform::Nodion);
        for (text, fault) in [
            (
                "edgegap.create_deployment:2=503",
                edgegap().nth(2).status(503),
            ),
            (
                "nodion.*=delay:500ms",
                nodion().delay(Duration::from_millis(500)),
            ),
            (
                "dployr.get_service:1-3=reset",
                Fault::on("get_service")
                    .platform(Platform::Dployr)
                    .times(3)
                    .reset(),
            ),
            (
                "edgegap.create_deployment=reset,after",
                edgegap().reset().after(),
            ),
            (
                "create_deployment:4-=hang",
                Fault::on("create_deployment").from(4).hang(),
            ),
            ("*=garbage", Fault::on_any().garbage()),
            ("*=garbage,after", Fault::on_any().garbage().after()),
            (
                "nodion.*:2-3=truncate:20",
                nodion().from(2).times(2).truncate(20),
            ),
            (
                "nodion.*=dribble:2s/5",
                nodion().dribble(Duration::from_secs(2), 5),
            ),
            (
                "edgegap.*:1=drop-webhook",
                Fault::on_any()
                    .platform(Platform::Edgegap)
                    .nth(1)
                    .drop_webhook(),
            ),
            (
                "*=429,retry-after:30",
                Fault::on_any().status(429).retry_after(30),
            ),
            (
                "*=503,after,retry-after:0",
                Fault::on_any().status(503).after().retry_after(0),
            ),
            (
                "*=502,type:text/html,body:<p>a, b=c</p>",
                Fault::on_any().status_with(502, "text/html", "<p>a, b=c</p>"),
            ),
        ] {
            assert_eq!(text.parse::<Fault>().as_ref(), Ok(&fault), "{text}");
            assert_eq!(fault.to_string(), text);
        }
        for (text, fault) in [
            (
                "*=500,body:",
                Fault::on_any().status_with(500, "text/plain", ""),
            ),
            ("*=reset,before", Fault::on_any().reset()),
            (
                "*:3-3=delay:1m",
                Fault::on_any().nth(3).delay(Duration::from_secs(60)),
            ),
        ] {
            assert_eq!(text.parse::<Fault>(), Ok(fault), "{text}");
        }
    }

    #[test]
    fn parse_errors_name_the_invalid_part() {
        for (text, words) in [
            ("", "missing =KIND"),
            ("edgegap.create_deployment", "missing =KIND"),
            ("=reset", "missing operation"),
            ("edgegap.=reset", "missing operation"),
            ("heroku.*=reset", "unknown platform heroku"),
            ("*:0=reset", "counted from 1"),
            ("*:x=reset", "2, 1-3 or 2-"),
            ("*:3-1=reset", "the last is before the first"),
            ("*=", "dribble:TIME/BYTES, hang or drop-webhook"),
            (
                "*=explode",
                "unknown kind explode; expected a status such as 503",
            ),
            ("*=5033", "unknown kind"),
            ("*=reset:1", "unknown kind"),
            ("*=delay", "unknown kind"),
            ("*=delay:5", "invalid time 5"),
            ("*=delay:-1s", "invalid time -1s"),
            ("*=truncate:-1", "invalid number of bytes"),
            ("*=dribble:10ms", "expected dribble:TIME/BYTES"),
            ("*=reset,soon", "unexpected option soon"),
            ("*=reset,retry-after:1", "unexpected option"),
            ("*=503,retry-after:soon", "whole seconds"),
            ("*=503,type:text/html", "unexpected option"),
            ("*=reset,body:x", "needs a status"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text}: ")), "{error}");
            assert!(error.contains(words), "{error}");
        }
    }
}
