//! How things are printed in a test that fails: without what opens a platform, and without what somebody sent or got.

use std::fmt;

use crate::access::{DployrAccess, EdgegapAccess, NodionAccess};
use crate::contract::Contract;
use crate::model::{Platform, Recorded, Reply, Request, decode_segment};
use crate::state::State;
use crate::webhook::Webhook;

/// Headers whose values say nothing that is secret. Every other one shows its name alone.
const OPEN_HEADERS: [&str; 7] = [
    "accept",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "retry-after",
    "user-agent",
];
const HIDDEN: &str = "***";

/// A path as sent, with stars for every segment that is not open. What is asked about is decoded.
pub(crate) fn masked_path(path: &str, mut is_open: impl FnMut(&str) -> bool) -> String {
    let (slash, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let segments = rest.split('/').map(|segment| {
        if is_open(&decode_segment(segment)) {
            segment
        } else {
            HIDDEN
        }
    });
    format!("{slash}{}", segments.collect::<Vec<_>>().join("/"))
}

fn names(query: &[(String, String)]) -> Vec<&str> {
    query.iter().map(|(name, _)| name.as_str()).collect()
}

fn headers(all: &[(String, String)]) -> Vec<(&str, &str)> {
    let is_open = |name: &str| {
        let mut open = OPEN_HEADERS.iter();
        open.any(|open| name.eq_ignore_ascii_case(open))
    };
    all.iter()
        .map(|(name, value)| (name.as_str(), if is_open(name) { value } else { HIDDEN }))
        .collect()
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("number", &self.number)
            .field("at", &self.at)
            .field("platform", &self.platform)
            .field("method", &self.method)
            .field("path", &self.open_path())
            .field("query", &names(&self.query))
            .field("headers", &headers(&self.headers))
            .field("body_bytes", &self.body.len())
            .field("status", &self.status)
            .field("operation", &self.operation)
            .field("request_problems", &self.request_problems)
            .field("reply_problems", &self.reply_problems)
            .field("fault", &self.fault.as_ref().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

/// Of the path the words that any platform has. For which of them it is, it does not know.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let specs = Platform::ALL.map(Contract::of);
        let path = masked_path(&self.path, |segment| {
            specs.iter().any(|spec| spec.knows_segment(segment))
        });
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &path)
            .field("query", &names(&self.query))
            .field("headers", &headers(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &headers(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// An address of the user's may have a password or a token in it, so that none of it is shown.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("platform", &self.platform)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("nexlayer", self.nexlayer())
            .field("dployr", self.dployr())
            .field("nodion", self.nodion())
            .field("edgegap", self.edgegap())
            .field("requests", &self.recorded().len())
            .field("faults", &self.faults().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DployrAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DployrAccess")
            .field("base_url", &self.base_url)
            .field("token", &HIDDEN)
            .field("cluster_id", &self.cluster_id)
            .field("email", &self.email)
            .field("password", &HIDDEN)
            .field("login_code", &HIDDEN)
            .field("identity_token", &HIDDEN)
            .field("instance_tag", &self.instance_tag)
            .finish()
    }
}

impl fmt::Debug for NodionAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodionAccess")
            .field("base_url", &self.base_url)
            .field("token", &HIDDEN)
            .field("application_id", &self.application_id)
            .field("image_application_id", &self.image_application_id)
            .field("region_id", &self.region_id)
            .field("instance_type_id", &self.instance_type_id)
            .finish()
    }
}

impl fmt::Debug for EdgegapAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgegapAccess")
            .field("base_url", &self.base_url)
            .field("token", &HIDDEN)
            .field("application", &self.application)
            .field("version", &self.version)
            .field("private_host_id", &self.private_host_id)
            .field("fleet", &self.fleet)
            .finish()
    }
}
