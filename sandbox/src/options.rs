//! The arguments of the program.

use std::net::IpAddr;
use std::time::Duration;

use deploykit_sandbox::{Builder, Dialect, Fault, Sandbox};

pub(crate) const HELP: &str = "\
Plays Nexlayer, dployr, Nodion and Edgegap on four ports of this machine until Ctrl-C.

Usage: deploykit-sandbox [OPTIONS]

Options:
      --port <N>           the first of four consecutive ports [default: free ones]
      --bind <ADDRESS>     the address to listen on; any but a loopback address opens the sandbox to
                           everyone who can reach it [default: 127.0.0.1]
      --dialect <DIALECT>  which dployr: documented or control-plane [default: documented]
      --seed <N>           where ids, names and credentials come from; one seed makes the same ones
                           each time [default: a fixed one]
      --fault <FAULT>      something that goes wrong, see below; may be given several times
      --log                print a line for each request: time, platform, operation, status
      --no-rate-limits     let every platform be asked without end
      --ready-after <MS>   milliseconds that a deployment takes [default: 1200]
      --tick <MS>          a clock that stands still and goes on by so many milliseconds with each
                           request: the same requests get the same replies [default: real time]
  -h, --help               this text

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

The page at / of each port shows what is deployed, which faults there are, and the last requests.
";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) builder: Builder,
    pub(crate) bind: IpAddr,
    pub(crate) dialect: Dialect,
    pub(crate) log: bool,
}

/// The options, or nothing when help is asked for.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut builder = Sandbox::builder();
    let mut bind = IpAddr::from([127, 0, 0, 1]);
    let mut dialect = Dialect::default();
    let mut log = false;
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (argument.as_str(), None),
        };
        if let ("--log" | "--no-rate-limits" | "--help" | "-h", Some(value)) = (name, inline) {
            return Err(format!("{name} takes no value, and {value} was given"));
        }
        let mut value = || {
            let inline = inline.map(str::to_owned);
            let value = inline.or_else(|| arguments.next());
            value.ok_or(format!("{name} needs a value"))
        };
        match name {
            "-h" | "--help" => return Ok(None),
            "--port" => {
                let text = value()?;
                // Four ports have to fit.
                let port = text.parse().ok().filter(|port| (1..=65_532).contains(port));
                let port =
                    port.ok_or(format!("--port {text}: a number from 1 to 65532 is needed"))?;
                builder = builder.port(port);
            }
            "--bind" => {
                let text = value()?;
                let address = text.parse();
                bind = address.map_err(|_| format!("--bind {text}: an IP address is needed"))?;
                builder = builder.bind(bind);
            }
            "--dialect" => {
                let text = value()?;
                dialect = match text.as_str() {
                    "documented" => Dialect::Documented,
                    "control-plane" => Dialect::ControlPlane,
                    _ => {
                        return Err(format!(
                            "--dialect {text}: documented or control-plane is needed"
                        ));
                    }
                };
                builder = builder.dployr_dialect(dialect);
            }
            "--seed" => {
                let text = value()?;
                let seed = text.parse();
                builder = builder
                    .seed(seed.map_err(|_| format!("--seed {text}: a whole number is needed"))?);
            }
            "--ready-after" => {
                builder = builder.ready_after(millis(name, &value()?)?);
            }
            "--tick" => {
                builder = builder.ticking_clock(millis(name, &value()?)?);
            }
            "--fault" => {
                let text = value()?;
                let fault: Fault = text.parse().map_err(|why| format!("--fault {why}"))?;
                // Here, so that a name that does not exist is a mistake of the caller's.
                let known = Sandbox::builder().state().inject(fault.clone());
                known.map_err(|why| format!("--fault {why}"))?;
                builder = builder.fault(fault);
            }
            "--log" => log = true,
            "--no-rate-limits" => builder = builder.rate_limits(false),
            _ => return Err(format!("unknown argument {argument}")),
        }
    }
    Ok(Some(Options {
        builder,
        bind,
        dialect,
        log,
    }))
}

/// The value of an option that is a time.
fn millis(name: &str, text: &str) -> Result<Duration, String> {
    let millis = text.parse().ok().filter(|millis| *millis <= 86_400_000);
    let millis = millis.ok_or(format!(
        "{name} {text}: milliseconds are needed, a day at most"
    ))?;
    Ok(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Options>, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments() {
        for line in [
            "",
            "--port 4000 --dialect control-plane",
            "--port=4000 --dialect=documented --bind=::1 --seed 7 --ready-after 0 --tick 10",
            "--fault nodion.*=delay:500ms --fault=edgegap.create_deployment:2=503 --log --no-rate-limits",
        ] {
            assert!(matches!(parsed(line), Ok(Some(_))), "{line}");
        }
        assert!(matches!(parsed("--port 4000 --help"), Ok(None)));
        let options = parsed("--bind 0.0.0.0 --dialect control-plane --log")
            .unwrap()
            .unwrap();
        assert_eq!(options.bind.to_string(), "0.0.0.0");
        assert_eq!(
            (options.dialect, options.log),
            (Dialect::ControlPlane, true)
        );
    }

    #[test]
    fn mistakes() {
        for (line, words) in [
            ("--port", "--port needs a value"),
            ("--port x", "1 to 65532"),
            ("--port 0", "1 to 65532"),
            ("--port 65533", "1 to 65532"),
            ("--bind localhost", "an IP address is needed"),
            ("--dialect other", "documented or control-plane"),
            ("--seed -1", "a whole number"),
            ("--ready-after soon", "milliseconds"),
            ("--ready-after 86400001", "a day at most"),
            ("--tick", "--tick needs a value"),
            ("--tick -5", "milliseconds"),
            ("--tick 86400001", "a day at most"),
            ("--log=yes", "takes no value"),
            ("--fault", "--fault needs a value"),
            ("--fault nope", "=KIND is missing"),
            (
                "--fault edgegap.create_deploy=reset",
                "did you mean edgegap.create_deployment?",
            ),
            ("--nope", "unknown argument --nope"),
            ("extra", "unknown argument extra"),
        ] {
            let problem = parsed(line).unwrap_err();
            assert!(problem.contains(words), "{line}: {problem}");
        }
    }
}
