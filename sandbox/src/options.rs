//! Command-line options.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use deploykit_sandbox::{Dialect, Fault, NexlayerPlan, Sandbox, SandboxBuilder};

const FAULTS: &str = "\
Faults: [PLATFORM.]OPERATION[:CALLS]=KIND[,OPTION]...
  PLATFORM   nexlayer, dployr, nodion or edgegap
             [default: every platform that has the operation]
  OPERATION  an operationId of the spec, or * for every request
  CALLS      2 (only the second), 1-3, or 2- (from the second) [default: all]
  KIND       503             send this status with the spec's example body
             delay:500ms     delay the platform's reply (ms, s or m)
             reset           reset the connection before the reply
             truncate:20     close the connection after 20 bytes of the body
             garbage         send 200 with an HTML page
             dribble:10ms/8  send the body 8 bytes at a time, every 10 ms
             hang            never respond
             drop-webhook    do not send the webhook (OPERATION must be *)
  OPTION     before          the platform does not process the request
                             [default for a status, reset, garbage and hang]
             after           the platform processes the request
             retry-after:30  with a status: add this header, in seconds
             type:text/html  with body: its content type [default: text/plain]
             body:TEXT       with a status: this body (must be the last option)

Examples:
  --fault 'edgegap.create_deployment:2=503,retry-after:1'
  --fault 'edgegap.create_deployment:1=reset,after'
  --fault 'nodion.*=delay:500ms' --fault 'edgegap.*:1=drop-webhook'

Each port has a status page at / with resources, faults and recent requests.";

/// Local server for Nexlayer, dployr, Nodion and Edgegap, one port each
#[derive(Clone, Debug, Parser)]
#[command(name = "deploykit-sandbox", after_help = FAULTS)]
pub(crate) struct Options {
    /// First of four ports [default: free ports]
    // The fourth port is PORT + 3.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=65_532))]
    port: Option<u16>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    pub(crate) bind: IpAddr,
    /// dployr API: control-plane or documented (default)
    #[arg(
        long,
        value_enum,
        value_name = "DIALECT",
        default_value_t = DialectName::Documented,
        hide_default_value = true,
        hide_possible_values = true
    )]
    dialect: DialectName,
    /// Seed of ids and credentials [default: fixed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Inject a fault, see below (repeatable)
    #[arg(long, value_name = "FAULT", value_parser = fault)]
    fault: Vec<Fault>,
    /// Print one line per request
    #[arg(long)]
    pub(crate) log: bool,
    /// Do not enforce rate limits
    #[arg(long)]
    no_rate_limits: bool,
    /// Let every deployment fail
    #[arg(long)]
    deployments_fail: bool,
    /// Edgegap deployments at a time [default: no limit]
    #[arg(long, value_name = "N")]
    edgegap_capacity: Option<usize>,
    /// Nexlayer plan: free, scale (default) or conquer
    #[arg(
        long,
        value_enum,
        value_name = "PLAN",
        default_value_t = PlanName::Scale,
        hide_default_value = true,
        hide_possible_values = true
    )]
    nexlayer_plan: PlanName,
    /// Deployment time in milliseconds [default: 1200]
    #[arg(long, value_name = "MS", value_parser = millis)]
    ready_after: Option<Duration>,
    /// Freeze the clock and move it by MS per request
    #[arg(long, value_name = "MS", value_parser = millis)]
    tick: Option<Duration>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DialectName {
    Documented,
    ControlPlane,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlanName {
    Free,
    Scale,
    Conquer,
}

impl Options {
    pub(crate) fn dialect(&self) -> Dialect {
        match self.dialect {
            DialectName::Documented => Dialect::Documented,
            DialectName::ControlPlane => Dialect::ControlPlane,
        }
    }

    pub(crate) fn builder(&self) -> SandboxBuilder {
        let mut builder = Sandbox::builder()
            .bind(self.bind)
            .dployr_dialect(self.dialect())
            .rate_limits(!self.no_rate_limits)
            .deployments_fail(self.deployments_fail)
            .nexlayer_plan(match self.nexlayer_plan {
                PlanName::Free => NexlayerPlan::Free,
                PlanName::Scale => NexlayerPlan::Scale,
                PlanName::Conquer => NexlayerPlan::Conquer,
            });
        if let Some(deployments) = self.edgegap_capacity {
            builder = builder.edgegap_capacity(deployments);
        }
        if let Some(port) = self.port {
            builder = builder.port(port);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        if let Some(time) = self.ready_after {
            builder = builder.ready_after(time);
        }
        if let Some(tick) = self.tick {
            builder = builder.ticking_clock(tick);
        }
        self.fault
            .iter()
            .cloned()
            .fold(builder, SandboxBuilder::fault)
    }
}

/// Parses a duration in milliseconds.
fn millis(text: &str) -> Result<Duration, String> {
    let millis = text.parse().ok().filter(|millis| *millis <= 86_400_000);
    let millis = millis.ok_or("expected milliseconds, at most 86400000 (one day)")?;
    Ok(Duration::from_millis(millis))
}

/// Parses and checks a fault, so that an unknown operation is a usage error.
fn fault(text: &str) -> Result<Fault, String> {
    let fault: Fault = text
        .parse()
        .map_err(|error: deploykit_sandbox::FaultError| error.to_string())?;
    let injected = Sandbox::builder().state().inject(fault.clone());
    injected.map_err(|error| error.to_string())?;
    Ok(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use deploykit_sandbox::{Platform, Request};

    fn parsed(line: &str) -> Result<Options, String> {
        let words = std::iter::once("deploykit-sandbox").chain(line.split_whitespace());
        Options::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_parsed() {
        for line in [
            "",
            "--port 4000 --dialect control-plane",
            "--deployments-fail --edgegap-capacity 0 --nexlayer-plan conquer",
            "--port=4000 --dialect=documented --bind=::1 --seed 7 --ready-after 0 --tick 10",
            "--fault nodion.*=delay:500ms --fault=edgegap.create_deployment:2=503 --log --no-rate-limits",
        ] {
            parsed(line).unwrap();
        }
        let options = parsed("--bind 0.0.0.0 --dialect control-plane --log").unwrap();
        assert_eq!(options.bind.to_string(), "0.0.0.0");
        assert_eq!(
            (options.dialect(), options.log),
            (Dialect::ControlPlane, true)
        );
    }

    #[test]
    fn deployments_fail_only_with_the_option() {
        let now = Duration::from_secs(1_800_000_000);
        for (line, status) in [("", "available"), ("--deployments-fail", "failed")] {
            let mut state = parsed(line).unwrap().builder().state();
            let access = state.nodion().access("");
            let path = format!("/v1/applications/{}/deployments", access.application_id);
            let mut send = |method, now| {
                let bearer = format!("Bearer {}", access.token);
                let request = Request::new(method, &path).with_header("authorization", &bearer);
                state.handle(Platform::Nodion, &request, now).json_body()
            };
            send("POST", now);
            let listed = send("GET", now + Duration::from_secs(60));
            assert_eq!(listed["deployments"][0]["status"], status, "{line}");
        }
    }

    #[test]
    fn invalid_options_are_refused() {
        for (line, words) in [
            ("--port", "--port <PORT>"),
            ("--port x", "--port <PORT>"),
            ("--port 0", "1..=65532"),
            ("--port 65533", "1..=65532"),
            ("--bind localhost", "invalid IP address"),
            ("--dialect other", "invalid value 'other'"),
            ("--seed -1", "-1"),
            ("--ready-after soon", "milliseconds"),
            ("--ready-after 86400001", "at most 86400000"),
            ("--tick", "--tick <MS>"),
            ("--tick=-5", "milliseconds"),
            ("--log=yes", "--log"),
            ("--edgegap-capacity few", "--edgegap-capacity <N>"),
            (
                "--nexlayer-plan paid",
                "[possible values: free, scale, conquer]",
            ),
            ("--fault nope", "missing =KIND"),
            (
                "--fault edgegap.create_deploy=reset",
                "did you mean edgegap.create_deployment?",
            ),
            ("--nope", "unexpected argument '--nope'"),
            ("extra", "unexpected argument 'extra'"),
        ] {
            let problem = parsed(line).unwrap_err();
            assert!(problem.contains(words), "{line}: {problem}");
        }
    }
}
