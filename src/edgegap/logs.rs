//! Logs of a deployment.

use super::{ContainerLogs, DeploymentHandle};
use crate::call::Call;
use crate::logs::LogLine;
use crate::raw::edgegap::Op;

impl DeploymentHandle {
    /// Reads the log so far: `GET /v1/deployment/{deployment_id}/container-logs`.
    ///
    /// The log cannot be followed, because its lines have no timestamps. The platform deletes the log when
    /// the deployment stops, unless the application version stores it.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn logs(&self) -> Call<ContainerLogs> {
        self.call(Op::GetContainerLogs, |raw, id| async move {
            Ok(raw.get_container_logs(id.as_str()).await?.into_inner())
        })
    }
}

impl ContainerLogs {
    /// The lines of the log, without timestamps and levels.
    pub fn lines(&self) -> Vec<LogLine> {
        self.tail(usize::MAX)
    }

    /// The last `n` lines of the log.
    pub fn tail(&self, n: usize) -> Vec<LogLine> {
        last_lines(self.logs.as_deref(), n)
    }

    /// The lines of the log before the last crash; empty without a crash.
    pub fn crash_lines(&self) -> Vec<LogLine> {
        self.crash_tail(usize::MAX)
    }

    /// The last `n` lines of the log before the last crash; empty without a crash.
    pub fn crash_tail(&self, n: usize) -> Vec<LogLine> {
        last_lines(self.crash_logs.as_deref(), n)
    }
}

fn last_lines(text: Option<&str>, n: usize) -> Vec<LogLine> {
    let lines = text.unwrap_or_default().lines().rev().take(n);
    let mut lines: Vec<_> = lines.map(LogLine::new).collect();
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_tail_of_both_logs() {
        let logs = r#"{"logs": "one\ntwo\r\n\nfour\n", "crash_logs": "a\nb"}"#;
        let logs: ContainerLogs = serde_json::from_str(logs).unwrap();
        let text = |lines: Vec<LogLine>| -> Vec<String> {
            lines.iter().map(ToString::to_string).collect()
        };
        assert_eq!(text(logs.lines()), ["one", "two", "", "four"]);
        assert_eq!(text(logs.tail(2)), ["", "four"]);
        assert_eq!(text(logs.crash_lines()), ["a", "b"]);
        assert_eq!(text(logs.crash_tail(1)), ["b"]);
        assert!(text(logs.tail(0)).is_empty());
        let empty: ContainerLogs = serde_json::from_str("{}").unwrap();
        assert!(empty.lines().is_empty() && empty.crash_tail(9).is_empty());
    }
}
