//! A request that came, without what opens a platform.

use std::fmt;

use crate::contract::{Contract, Problem};
use crate::fault::Fault;
use crate::model::Recorded;
use crate::short::{for_a_line, short};
use crate::shown::masked_path;
use crate::time::rfc3339;

/// Letters of a line of the log.
const MOST_LETTERS: usize = 1_000;

impl Recorded {
    /// The path with `***` for every segment that opens something: what the spec of its operation calls a secret, and what
    /// was sent as a credential too. Where the platform has no operation for it, only the words are shown that paths of
    /// its spec have.
    pub fn open_path(&self) -> String {
        let credential = self.header("authorization").unwrap_or_default();
        let credential = credential.rsplit(' ').next().unwrap_or_default();
        let open = Contract::of(self.platform).open_segments(&self.method, &self.path);
        let mut open = open.into_iter();
        masked_path(&self.path, |segment| {
            open.next() == Some(true) && (segment.is_empty() || segment != credential)
        })
    }

    /// One line for a log: the time, the platform, the operation, the status, and what was wrong. Long texts are cut, and
    /// so is the line.
    ///
    /// ```
    /// # use deploykit_sandbox::{Platform, Request, Sandbox};
    /// # use std::time::Duration;
    /// let mut state = Sandbox::builder().state();
    /// let now = Duration::from_secs(1_795_487_040);
    /// state.handle(Platform::Edgegap, &Request::new("GET", "/v1/locations"), now);
    /// assert_eq!(state.requests()[0].log_line(), "2026-11-24T02:24:00Z edgegap list_locations 401");
    /// ```
    pub fn log_line(&self) -> String {
        let mut line = format!("{} {} ", rfc3339(self.at), self.platform);
        match self.operation {
            Some(operation) => line.push_str(operation),
            None => {
                let (method, path) = (for_a_line(&self.method), for_a_line(&self.open_path()));
                line.push_str(&format!("{method} {path}"));
            }
        }
        line.push_str(&format!(" {}", self.status));
        if let Some(fault) = &self.fault {
            line.push_str(&format!(" fault {}", for_a_line(&fault.to_string())));
        }
        for problem in &self.request_problems {
            line.push_str(&format!(" request {}", for_a_line(&problem.to_string())));
        }
        for problem in &self.reply_problems {
            line.push_str(&format!(" reply {}", for_a_line(&problem.to_string())));
        }
        short(&line, MOST_LETTERS).replace(char::is_control, "\u{fffd}")
    }

    /// The bytes that it takes, as far as a client or a fault can make them many.
    pub(crate) fn size(&self) -> usize {
        let pairs = self.query.iter().chain(&self.headers);
        let pairs =
            pairs.map(|(name, value)| size_of::<(String, String)>() + name.len() + value.len());
        let problems = self.request_problems.iter().chain(&self.reply_problems);
        let problems =
            problems.map(|problem| size_of::<Problem>() + problem.place.len() + problem.what.len());
        self.method.len()
            + self.path.len()
            + self.body.len()
            + self.fault.as_ref().map_or(0, Fault::size)
            + pairs.chain(problems).sum::<usize>()
    }

    /// The request in the types of the `http` crate, with everything that was sent: credentials included.
    ///
    /// # Errors
    /// When a part of it is none that HTTP allows. What came over a socket is never that.
    pub fn to_http(&self) -> http::Result<http::Request<Vec<u8>>> {
        let mut target = self.path.clone();
        for (at, (name, value)) in self.query.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            encode(name, &mut target);
            target.push('=');
            encode(value, &mut target);
        }
        let mut request = http::Request::builder()
            .method(self.method.as_str())
            .uri(target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(self.body.clone())
    }
}

fn encode(text: &str, out: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let digit = |index: u8| HEX.get(usize::from(index)).copied().unwrap_or('0');
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// `nodion GET /v1/regions 200`
impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recorded {
            platform,
            method,
            status,
            ..
        } = self;
        write!(f, "{platform} {method} {} {status}", self.open_path())
    }
}
