//! The program: startup text, options, and shutdown.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploykit-sandbox");

/// A running program; dropping it kills the process.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    startup: Vec<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(arguments: &[&str]) -> Running {
    let mut command = Command::new(PROGRAM);
    let command = command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut startup = Vec::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        let last = line == "Ctrl-C stops the sandbox.";
        startup.push(line);
        if last {
            break;
        }
    }
    Running {
        child,
        lines,
        startup,
    }
}

fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert_eq!(stdout, b"", "errors do not go to stdout");
    (status.code(), String::from_utf8(stderr).unwrap())
}

impl Running {
    fn base_url(&self, platform: &str) -> &str {
        let line = self
            .startup
            .iter()
            .find(|line| line.starts_with(platform))
            .unwrap();
        line.split_whitespace().nth(1).unwrap()
    }

    /// The curl commands of the startup text.
    fn curls(&self) -> Vec<String> {
        let text = self.startup.join("\n");
        let sections = text.split("\n\n");
        sections
            .filter_map(|section| section.split_once("  curl "))
            .map(|(_, command)| format!("curl {command}"))
            .collect()
    }

    fn signal(&mut self, name: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

#[test]
fn every_curl_command_of_the_startup_text_succeeds() {
    for dialect in ["documented", "control-plane"] {
        let running = run(&["--dialect", dialect]);
        let curls = running.curls();
        assert_eq!(curls.len(), 4, "{:?}", running.startup);
        for curl in curls {
            let quiet = curl.replacen("curl ", "curl -sS --noproxy '*' -w '\\n%{http_code}' ", 1);
            let output = Command::new("sh").args(["-c", &quiet]).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            let status = text.lines().last().unwrap_or_default();
            assert!(
                matches!(status, "200" | "201" | "202"),
                "{curl}\n{text}{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let page = running
            .startup
            .iter()
            .find_map(|line| line.strip_prefix("Status page: "))
            .unwrap();
        let page = Command::new("curl")
            .args(["-sS", "--noproxy", "*", page])
            .output()
            .unwrap();
        let page = String::from_utf8(page.stdout).unwrap();
        assert!(
            page.starts_with("<!DOCTYPE html>") && page.contains("my-app"),
            "{page}"
        );
    }
}

#[test]
fn capacity_and_plan_refuse_requests_and_the_page_says_why() {
    let running = run(&["--edgegap-capacity", "0", "--nexlayer-plan", "free"]);
    let mut curls = running.curls();
    let sh = |command: &str| {
        let quiet = command.replacen("curl ", "curl -sS --noproxy '*' ", 1);
        let output = Command::new("sh").args(["-c", &quiet]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let no_capacity = sh(&curls.remove(3));
    let started: serde_json::Value = serde_json::from_str(&sh(&curls.remove(0))).unwrap();
    let body = serde_json::json!({
        "applicationName": started["applicationName"], "sessionToken": started["sessionToken"],
    });
    let url = running.base_url("Nexlayer");
    let no_plan = sh(&format!(
        "curl -H 'Content-Type: application/json' -d '{body}' {url}/addDeploymentReservation"
    ));
    let page = sh(&format!("curl '{url}/?format=json'"));
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    let [plan, start, capacity] = [0, 1, 2].map(|nth| &page["requests"][nth]["refusal"]);
    assert!(start.is_null());
    for (reason, reply, words) in [
        (plan, no_plan, "User is not on the Scale or Conquer plan."),
        (capacity, no_capacity, "Could not allocate an Edge Server"),
    ] {
        let reason = reason.as_str().unwrap();
        assert!(reason.starts_with(words), "{reason}");
        assert!(reply.contains(reason.trim_end_matches('…')), "{reply}");
    }
}

#[test]
fn log_prints_one_line_per_request() {
    let mut running = run(&[
        "--log",
        "--seed",
        "1",
        "--fault",
        "nodion.list_regions:2=503",
        "--no-rate-limits",
    ]);
    let address = running
        .base_url("Nodion")
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let mut ask = |target: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let request = format!(
            "GET {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer canary\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let line = running.lines.next().unwrap().unwrap();
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && time.len() == 20, "{line}");
        rest.to_owned()
    };
    assert_eq!(ask("/v1/regions?token=canary"), "nodion list_regions 401");
    assert_eq!(
        ask("/v1/regions"),
        "nodion list_regions 503 fault nodion.list_regions:2=503"
    );
    assert_eq!(
        ask("/v1/nope/canary?x=canary"),
        "nodion GET /v1/***/*** 404"
    );
}

#[test]
fn the_program_stops_on_sigint_and_sigterm() {
    for signal in ["INT", "TERM"] {
        assert_eq!(run(&[]).signal(signal), Some(0), "{signal}");
    }
}

#[test]
fn usage_errors_exit_with_2_and_start_errors_with_1() {
    let (code, stderr) = refused(&["--nope"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("unexpected argument '--nope' found"),
        "{stderr}"
    );
    let (code, stderr) = refused(&["--fault", "edgegap.create_deploymnt=reset"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("did you mean edgegap.create_deployment?"),
        "{stderr}"
    );
    let (code, stderr) = refused(&["--fault", "*=explode"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("drop-webhook"), "{stderr}");

    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().min(65_532).to_string();
    let (code, stderr) = refused(&["--port", &port]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{stderr}"
    );
    // No machine has this address (RFC 5737).
    let (code, stderr) = refused(&["--bind", "192.0.2.1"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("cannot listen on 192.0.2.1:0"), "{stderr}");
}

#[test]
fn the_port_option_sets_the_first_of_four_ports() {
    // Retries, because another process may take one of the ports.
    let running = (0..20).find_map(|_| {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let running = (port < 65_532).then(|| run(&["--port", &port.to_string()]))?;
        (running.startup.len() > 4).then_some((port, running))
    });
    let (port, running) = running.unwrap();
    for (offset, platform) in (0..).zip(["Nexlayer", "dployr", "Nodion", "Edgegap"]) {
        assert_eq!(
            running.base_url(platform),
            format!("http://127.0.0.1:{}", port + offset)
        );
    }
}

#[test]
fn a_non_loopback_address_prints_a_warning() {
    let mut running = run(&["--bind", "0.0.0.0"]);
    assert!(
        running.base_url("Nodion").starts_with("http://127.0.0.1:"),
        "the printed address is reachable"
    );
    running.signal("TERM");
    let mut stderr = String::new();
    running
        .child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert!(
        stderr.contains("anyone who can reach 0.0.0.0 can use this sandbox"),
        "{stderr}"
    );
    let mut loopback = run(&[]);
    loopback.signal("TERM");
    let mut stderr = String::new();
    let mut errors = loopback.child.stderr.take().unwrap();
    errors.read_to_string(&mut stderr).unwrap();
    assert_eq!(stderr, "");
}

#[test]
fn help_lists_every_option_in_80_columns() {
    let output = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for option in [
        "--port",
        "--bind",
        "--dialect",
        "--seed",
        "--fault",
        "--log",
        "--no-rate-limits",
        "--deployments-fail",
        "--edgegap-capacity",
        "--nexlayer-plan",
        "--ready-after",
        "--tick",
        "--help",
    ] {
        assert!(help.contains(option), "{option}");
    }
    assert!(
        help.lines().all(|line| line.chars().count() <= 80),
        "{help}"
    );
}
