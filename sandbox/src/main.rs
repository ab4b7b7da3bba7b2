//! The sandbox as a program, for people and for other languages.

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
        // Before the greeting, after which anybody may want to end it.
        let end = end()?;
        let sandbox = options.builder().start().await?;
        let mut out = std::io::stdout();
        write!(out, "{}", banner::text(&sandbox, options))?;
        out.flush()?;
        if !options.bind.is_loopback() {
            eprintln!(
                "deploykit-sandbox: everyone who can reach {} can use it, with the credentials above or without",
                options.bind
            );
        }
        tokio::select! {
            ended = end => ended,
            () = log(&sandbox), if options.log => Ok(()),
        }
    })
}

/// A line for each request, as long as somebody reads them.
async fn log(sandbox: &Sandbox) {
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

/// Ctrl-C, or what ends a service.
#[cfg(unix)]
fn end() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
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

/// Ctrl-C.
#[cfg(not(unix))]
fn end() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
