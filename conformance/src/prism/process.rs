//! A Prism process, killed on drop.

use crate::Result;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

/// Texts of log messages about violations of the spec, and about replies that Prism replaced by generated
/// ones.
const LOGGED_VIOLATIONS: [&str; 3] = ["Violation", "Remocking", "terminated with error"];

/// How much later than its replies Prism writes its log.
const LOG_DELAY: Duration = Duration::from_millis(10);

/// A running Prism.
pub struct Prism {
    pub base_url: String,
    violations: Arc<Mutex<Vec<String>>>,
    _child: Child,
}

impl Prism {
    /// Starts one Prism per platform.
    pub async fn start_each(
        start: impl AsyncFn(&'static str) -> Result<Self>,
    ) -> Result<[(&'static str, Self); 4]> {
        let [a, b, c, d] = ["nexlayer", "dployr", "nodion", "edgegap"];
        let (nexlayer, dployr, nodion, edgegap) =
            tokio::try_join!(start(a), start(b), start(c), start(d))?;
        Ok([(a, nexlayer), (b, dployr), (c, nodion), (d, edgegap)])
    }

    /// Starts a proxy that validates requests and replies.
    pub async fn proxy(cli: &Path, spec: &Path, upstream: &str) -> Result<Self> {
        let spec = spec.to_string_lossy();
        Self::start(cli, &["proxy", &spec, upstream]).await
    }

    /// Starts a mock server.
    pub async fn mock(cli: &Path, spec: &Path, dynamic: bool) -> Result<Self> {
        let spec = spec.to_string_lossy();
        let mut arguments = vec!["mock", spec.as_ref()];
        arguments.extend(dynamic.then_some("--dynamic"));
        Self::start(cli, &arguments).await
    }

    async fn start(cli: &Path, arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new("node")
            .arg(cli)
            .args(arguments)
            // Prism picks a free port and prints it.
            .args([
                "--port",
                "0",
                "--host",
                "127.0.0.1",
                "--multiprocess",
                "false",
            ])
            .env("NO_COLOR", "1")
            .env("FORCE_COLOR", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let violations = Arc::<Mutex<Vec<String>>>::default();
        let (address_sender, address) = oneshot::channel();
        let (out, err) = (child.stdout.take(), child.stderr.take());
        tokio::spawn(read_log(out, Arc::clone(&violations), Some(address_sender)));
        tokio::spawn(read_log(err, Arc::clone(&violations), None));
        let address = tokio::time::timeout(Duration::from_secs(60), address).await;
        let Ok(Ok(address)) = address else {
            return Err(
                format!("Prism exited, or printed no address within 60 s: {arguments:?}").into(),
            );
        };
        Ok(Self {
            base_url: format!("http://{address}"),
            violations,
            _child: child,
        })
    }

    /// Takes the violations that Prism logged since the last call.
    pub async fn take_violations(&self) -> Vec<String> {
        tokio::time::sleep(LOG_DELAY).await;
        std::mem::take(&mut *lock(&self.violations))
    }
}

fn lock(violations: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    violations.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read_log(
    from: Option<impl AsyncRead + Unpin>,
    violations: Arc<Mutex<Vec<String>>>,
    mut address_sender: Option<oneshot::Sender<String>>,
) {
    let Some(from) = from else { return };
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some((_, address)) = line.split_once("Prism is listening on http://") {
            if let Some(sender) = address_sender.take() {
                let _ = sender.send(address.trim().to_owned());
            }
        } else if LOGGED_VIOLATIONS
            .iter()
            .any(|violation| line.contains(violation))
        {
            lock(&violations).push(line);
        }
    }
}
