//! The sandbox as a program.

#![forbid(unsafe_code)]

mod banner;
mod options;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use deploykit_sandbox::Sandbox;
use options::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deploykit-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Registered before the startup text is printed, because its reader may send a signal at once.
        let shutdown = shutdown_signal()?;
        let sandbox = options.builder().start().await?;
        let mut out = std::io::stdout();
        write!(out, "{}", banner::text(&sandbox, options))?;
        out.flush()?;
        if !options.bind.is_loopback() {
            eprintln!(
                "deploykit-sandbox: warning: anyone who can reach {} can use this sandbox",
                options.bind
            );
        }
        tokio::select! {
            result = shutdown => result,
            () = log_requests(&sandbox), if options.log => Ok(()),
        }
    })
}

/// Prints a line per request until stdout is closed.
async fn log_requests(sandbox: &Sandbox) {
    let mut last = 0;
    loop {
        let next = sandbox.wait_for_request(|request| request.number > last, Duration::MAX);
        let Some(request) = next.await else { continue };
        last = request.number;
        if writeln!(std::io::stdout(), "{}", request.log_line()).is_err() {
            return std::future::pending().await;
        }
    }
}

/// Waits for SIGINT or SIGTERM.
#[cfg(unix)]
fn shutdown_signal() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn shutdown_signal() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
