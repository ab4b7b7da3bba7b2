//! Metrics of a deployment.
//!
//! The format is from edgegap/openapi-specification:edgegap-v1-openapi.yaml; the contents are made up.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Edgegap, message};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::time::{naive_micros, parse_utc};

/// Default step: an assumption.
const STEP: Duration = Duration::from_secs(30);
/// Maximum number of points of a series: an assumption.
const MAX_POINTS: u64 = 1_000;

impl Edgegap {
    /// Times have no zone and count as UTC; `steps` is a number with `s` or `m`. Values that cannot be parsed
    /// get 422.
    ///
    /// The range "defaults to deployment start time" and "to deployment stopped time"
    /// (edgegap/openapi-specification:edgegap-v1-openapi.yaml). Assumptions: for a running deployment, the
    /// range ends now; a deployment that has not started has no points; above 1,000 points, the step is
    /// enlarged, because each value is a mean over one step.
    pub(super) fn metrics(&self, call: &Call) -> HandlerResult {
        let (deployment, request) = (self.known_deployment(call)?, call.request);
        let time = |name: &str, default: Duration| match request.query_value(name) {
            None => Some(default),
            Some(text) => parse_utc(text),
        };
        let step = match request.query_value("steps") {
            None => Some(STEP),
            Some(text) => step(text),
        };
        let stopped_at = call.now.min(deployment.stops_at(self.timing));
        let (Some(until), Some(step)) = (time("end_time", stopped_at), step) else {
            return Err(message(422, "end_time or steps cannot be read"));
        };
        let started_at = deployment.ready_at(self.timing, call.now);
        let Some(since) = time("start_time", started_at.unwrap_or(until)) else {
            return Err(message(422, "start_time cannot be read"));
        };
        let mut names = ["start_time", "end_time"].into_iter();
        let by_default = names.all(|name| request.query_value(name).is_none());
        // "Must be greater than start time."
        if since >= until && !by_default {
            return Err(message(422, "start_time must be before end_time"));
        }
        let span = until.saturating_sub(since).as_secs();
        let step = step.max(Duration::from_secs(span.div_ceil(MAX_POINTS - 1)));
        let count = span / step.as_secs().max(1);
        let points: Vec<Duration> = (0..=count)
            .filter(|_| since < until)
            .filter_map(|index| Some(since + step * u32::try_from(index).ok()?))
            .collect();
        let series = |value: &dyn Fn(f64) -> f64| series(&points, since, value);
        let total = |rate: f64| series(&|elapsed| elapsed * rate);
        let flat = |value: f64| series(&|_| value);
        let body = json!({
            "total": {
                "receive_total": total(34.0),
                "transmit_total": total(68.0),
                "disk_read_total": total(0.0),
                "disk_write_total": total(1.5),
            },
            "cpu": flat(0.25),
            "cpu_throttle_rate": flat(0.0),
            "cpu_throttle_total": flat(0.0),
            "mem": flat(104_857_600.0),
            "network": { "receive": flat(34.0), "transmit": flat(68.0) },
        });
        Ok(Reply::json(200, &body))
    }
}

fn step(text: &str) -> Option<Duration> {
    let (number, factor) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s')?, 1),
    };
    let seconds = number.parse::<u64>().ok()?.checked_mul(factor)?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn series(points: &[Duration], since: Duration, value: &dyn Fn(f64) -> f64) -> Value {
    // Three fractional digits, like `2021-07-14 14:17:37.711` in the document; other timestamps have six.
    let written = |at: &Duration| {
        let mut text = naive_micros(*at);
        text.truncate(23);
        text
    };
    let label = |text: String| text.get(11..19).unwrap_or_default().to_owned();
    json!({
        "labels": points.iter().map(written).map(label).collect::<Vec<_>>(),
        "datasets": points.iter().map(|at| value((*at - since).as_secs_f64())).collect::<Vec<_>>(),
        "timestamps": points.iter().map(written).collect::<Vec<_>>(),
    })
}
