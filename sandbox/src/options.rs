//! The options of the program.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use deploykit_sandbox::{Dialect, Fault, Sandbox, SandboxBuilder};

const FAULTS: &str = "\
Faults: [PLATFORM.]OPERATION[:CALLS]=KIND[,OPTION]...
  PLATFORM   nexlayer, dployr, nodion or edgegap [default: whichever has the operation]
  OPERATION  an operationId of the spec, or * for any request
  CALLS      2 (the second only), 1-3 or 2- (from the second on) [default: all]
  KIND       503                  this status, with the body that the spec shows for it
             delay:500ms          the platform's own answer comes late (ms, s or m)
             reset                the connection is reset before any byte of an answer
             truncate:20          Content-Length promises more than these bytes of the body
             garbage              200 with an HTML page
             dribble:10ms/8       the body comes in pieces of 8 bytes, one every 10 ms
             hang                 no answer at all
             drop-webhook         the platform does not call; takes * as OPERATION
  OPTION     before, after        whether the platform acts before it goes wrong. A status, reset,
                                  garbage and hang come before, unless told otherwise
             retry-after:30       with a status: the header, in seconds
             type:text/html       with a status and a body: its content type [default: text/plain]
             body:TEXT            with a status: this body; the last option, to the end of FAULT

  --fault 'edgegap.create_deployment:2=503,retry-after:1'
  --fault 'edgegap.create_deployment:1=reset,after'     it is created, and the answer is lost
  --fault 'nodion.*=delay:500ms' --fault 'edgegap.*:1=drop-webhook'

The page at / of each port shows what is deployed, which faults there are, and the last requests.";

/// Plays Nexlayer, dployr, Nodion and Edgegap on four ports of this machine until Ctrl-C.
#[derive(Clone, Debug, Parser)]
#[command(name = "deploykit-sandbox", after_help = FAULTS)]
pub(crate) struct Options {
    /// The first of four consecutive ports [default: free ones]
    // Four ports have to fit.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=65_532))]
    port: Option<u16>,
    /// Address to listen on; whoever reaches it can use it
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    pub(crate) bind: IpAddr,
    /// Which dployr: documented or control-plane
    #[arg(
        long,
        value_enum,
        value_name = "DIALECT",
        default_value_t = Which::Documented,
        hide_possible_values = true
    )]
    dialect: Which,
    /// Where ids, names and credentials come from [default: a fixed one]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Something that goes wrong, see below; may be given several times
    #[arg(long, value_name = "FAULT", value_parser = fault)]
    fault: Vec<Fault>,
    /// Print a line for each request: time, platform, operation, status
    #[arg(long)]
    pub(crate) log: bool,
    /// Let every platform be asked without end
    #[arg(long)]
    no_rate_limits: bool,
    /// Milliseconds that a deployment takes [default: 1200]
    #[arg(long, value_name = "MS", value_parser = millis)]
    ready_after: Option<Duration>,
    /// A clock that moves by this with each request only [default: real time]
    #[arg(long, value_name = "MS", value_parser = millis)]
    tick: Option<Duration>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    Documented,
    ControlPlane,
}

impl Options {
    pub(crate) fn dialect(&self) -> Dialect {
        match self.dialect {
            Which::Documented => Dialect::Documented,
            Which::ControlPlane => Dialect::ControlPlane,
        }
    }

    pub(crate) fn builder(&self) -> SandboxBuilder {
        let mut builder = Sandbox::builder()
            .bind(self.bind)
            .dployr_dialect(self.dialect())
            .rate_limits(!self.no_rate_limits);
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

/// The value of an option that is a time.
fn millis(text: &str) -> Result<Duration, String> {
    let millis = text.parse().ok().filter(|millis| *millis <= 86_400_000);
    let millis = millis.ok_or("milliseconds are needed, a day at most")?;
    Ok(Duration::from_millis(millis))
}

/// Checked here, so that a name that does not exist is a mistake of the caller's.
fn fault(text: &str) -> Result<Fault, String> {
    let fault: Fault = text
        .parse()
        .map_err(|why: deploykit_sandbox::FaultError| why.to_string())?;
    let known = Sandbox::builder().state().inject(fault.clone());
    known.map_err(|why| why.to_string())?;
    Ok(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        let words = std::iter::once("deploykit-sandbox").chain(line.split_whitespace());
        Options::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments() {
        for line in [
            "",
            "--port 4000 --dialect control-plane",
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
    fn mistakes() {
        for (line, words) in [
            ("--port", "--port <N>"),
            ("--port x", "--port <N>"),
            ("--port 0", "1..=65532"),
            ("--port 65533", "1..=65532"),
            ("--bind localhost", "invalid IP address"),
            ("--dialect other", "invalid value 'other'"),
            ("--seed -1", "-1"),
            ("--ready-after soon", "milliseconds"),
            ("--ready-after 86400001", "a day at most"),
            ("--tick", "--tick <MS>"),
            ("--tick=-5", "milliseconds"),
            ("--log=yes", "--log"),
            ("--fault nope", "=KIND is missing"),
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
