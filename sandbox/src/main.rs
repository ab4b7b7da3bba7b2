//! The sandbox as a program, for people and for other languages.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use deploykit_sandbox::{Builder, Dialect, Sandbox};

const HELP: &str = "\
Plays Nexlayer, dployr, Nodion and Edgegap on four ports of 127.0.0.1 until Ctrl-C.

Usage: deploykit-sandbox [OPTIONS]

Options:
      --port <N>           the first of four consecutive ports [default: free ones]
      --dialect <DIALECT>  which dployr: documented or control-plane [default: documented]
  -h, --help               this text
";

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("deploykit-sandbox: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deploykit-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    port: u16,
    dialect: Dialect,
}

/// The options, or nothing when help is asked for.
fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        port: 0,
        dialect: Dialect::default(),
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let mut value = || {
            inline
                .clone()
                .or_else(|| arguments.next())
                .ok_or(format!("{name} needs a value"))
        };
        match name.as_str() {
            "-h" | "--help" => return Ok(None),
            "--port" => {
                let text = value()?;
                // Four ports have to fit.
                let port = text.parse().ok().filter(|port| (1..=65_532).contains(port));
                options.port =
                    port.ok_or(format!("--port {text}: a number from 1 to 65532 is needed"))?;
            }
            "--dialect" => {
                let text = value()?;
                options.dialect = match text.as_str() {
                    "documented" => Dialect::Documented,
                    "control-plane" => Dialect::ControlPlane,
                    _ => {
                        return Err(format!(
                            "--dialect {text}: documented or control-plane is needed"
                        ));
                    }
                };
            }
            _ => return Err(format!("unknown argument {name}")),
        }
    }
    Ok(Some(options))
}

fn serve(options: Options) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let builder: Builder = Sandbox::builder()
            .port(options.port)
            .dployr_dialect(options.dialect);
        let sandbox = builder.start().await?;
        print!("{}", greeting(&sandbox, options.dialect));
        tokio::signal::ctrl_c().await
    })
}

fn greeting(sandbox: &Sandbox, dialect: Dialect) -> String {
    let (nexlayer, dployr) = (sandbox.nexlayer(), sandbox.dployr());
    let (nodion, edgegap) = (sandbox.nodion(), sandbox.edgegap());
    let (login, cluster) = match dialect {
        Dialect::Documented => (
            format!(
                "\n  e-mail       {}\n  password     {}",
                dployr.email, dployr.password
            ),
            String::new(),
        ),
        Dialect::ControlPlane => (
            format!(
                "\n  e-mail       {}\n  login code   {}",
                dployr.email, dployr.login_code
            ),
            format!("?clusterId={}", dployr.cluster_id),
        ),
    };
    format!(
        "Nexlayer  {nexlayer_url}
  curl -d 'application: {{name: demo, pods: [{{name: web, path: /, image: \"nginx:1.27\", servicePorts: [80]}}]}}' \\
    -H 'Content-Type: text/x-yaml' {nexlayer_url}/startUserDeployment

dployr    {dployr_url}
  token        {dployr_token}
  cluster      {cluster_id}
  instance     {instance}{login}
  curl -d '{{\"name\": \"my-app\", \"type\": \"web\", \"source\": \"image\", \"image\": \"nginx:1.27\", \"port\": 3000}}' \\
    -H 'Content-Type: application/json' -H 'Authorization: Bearer {dployr_token}' \\
    '{dployr_url}/v1/deployments{cluster}'

Nodion    {nodion_url}
  token        {nodion_token}
  application  {application_id}
  curl -X POST -H 'Authorization: Bearer {nodion_token}' {nodion_url}/v1/applications/{application_id}/deployments

Edgegap   {edgegap_url}
  token        {edgegap_token}
  application  {application} {version}
  host         {host}
  curl -d '{{\"application\": \"{application}\", \"version\": \"{version}\", \"users\": [{{\"user_type\": \"ip_address\", \"user_data\": {{\"ip_address\": \"198.51.100.7\"}}}}]}}' \\
    -H 'Content-Type: application/json' -H 'Authorization: token {edgegap_token}' {edgegap_url}/v2/deployments

Ctrl-C ends it.
",
        nexlayer_url = nexlayer.base_url,
        dployr_url = dployr.base_url,
        dployr_token = dployr.token,
        cluster_id = dployr.cluster_id,
        instance = dployr.instance_tag,
        nodion_url = nodion.base_url,
        nodion_token = nodion.token,
        application_id = nodion.application_id,
        edgegap_url = edgegap.base_url,
        edgegap_token = edgegap.token,
        application = edgegap.application,
        version = edgegap.version,
        host = edgegap.private_host_id,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Options>, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments() {
        let options = |port, dialect| Ok(Some(Options { port, dialect }));
        assert_eq!(parsed(""), options(0, Dialect::Documented));
        assert_eq!(
            parsed("--port 4000 --dialect control-plane"),
            options(4_000, Dialect::ControlPlane)
        );
        assert_eq!(
            parsed("--port=4000 --dialect=documented"),
            options(4_000, Dialect::Documented)
        );
        assert_eq!(parsed("--port 4000 --help"), Ok(None));
        for wrong in [
            "--port",
            "--port x",
            "--port 0",
            "--port 65533",
            "--dialect other",
            "--nope",
            "extra",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
