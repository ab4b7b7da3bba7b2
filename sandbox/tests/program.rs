//! The program: what it says, what it refuses, and how it ends.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploykit-sandbox");

/// Ends with the test, however that ends.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    greeting: Vec<String>,
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
    let mut greeting = Vec::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        let last = line == "Ctrl-C ends it.";
        greeting.push(line);
        if last {
            break;
        }
    }
    Running {
        child,
        lines,
        greeting,
    }
}

fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert_eq!(stdout, b"", "what is wrong is no output");
    (status.code(), String::from_utf8(stderr).unwrap())
}

impl Running {
    fn base_url(&self, platform: &str) -> &str {
        let line = self
            .greeting
            .iter()
            .find(|line| line.starts_with(platform))
            .unwrap();
        line.split_whitespace().nth(1).unwrap()
    }

    /// The curl lines, each in one.
    fn curls(&self) -> Vec<String> {
        let text = self.greeting.join("\n").replace("\\\n", " ");
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| line.starts_with("curl "))
            .map(str::to_owned)
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
fn every_curl_line_works() {
    for dialect in ["documented", "control-plane"] {
        let running = run(&["--dialect", dialect]);
        let curls = running.curls();
        assert_eq!(curls.len(), 4, "{:?}", running.greeting);
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
            .greeting
            .iter()
            .find_map(|line| line.strip_prefix("What is deployed: "))
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
fn a_line_for_each_request() {
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
fn it_ends_when_it_is_told() {
    for signal in ["INT", "TERM"] {
        assert_eq!(run(&[]).signal(signal), Some(0), "{signal}");
    }
}

#[test]
fn what_is_wrong_is_said_with_a_code() {
    let (code, said) = refused(&["--nope"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("unexpected argument '--nope' found"),
        "{said}"
    );
    let (code, said) = refused(&["--fault", "edgegap.create_deploymnt=reset"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("did you mean edgegap.create_deployment?"),
        "{said}"
    );
    let (code, said) = refused(&["--fault", "*=explode"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("drop-webhook"), "{said}");

    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().min(65_532).to_string();
    let (code, said) = refused(&["--port", &port]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{said}"
    );
    // An address of no machine (RFC 5737).
    let (code, said) = refused(&["--bind", "192.0.2.1"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("cannot listen on 192.0.2.1:0"), "{said}");
}

#[test]
fn four_ports_in_a_row() {
    // Somebody else may take one of them in between.
    let running = (0..20).find_map(|_| {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let running = (port < 65_532).then(|| run(&["--port", &port.to_string()]))?;
        (running.greeting.len() > 4).then_some((port, running))
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
fn who_opens_it_to_all_is_warned() {
    let mut running = run(&["--bind", "0.0.0.0"]);
    assert!(
        running.base_url("Nodion").starts_with("http://127.0.0.1:"),
        "an address that can be called"
    );
    running.signal("TERM");
    let mut said = String::new();
    running
        .child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(
        said.contains("everyone who can reach 0.0.0.0 can use it"),
        "{said}"
    );
    let mut closed = run(&[]);
    closed.signal("TERM");
    let mut said = String::new();
    let mut errors = closed.child.stderr.take().unwrap();
    errors.read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

#[test]
fn help_names_every_option() {
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
        "--ready-after",
        "--tick",
        "--help",
    ] {
        assert!(help.contains(option), "{option}");
    }
    assert!(
        help.lines().all(|line| line.chars().count() <= 100),
        "{help}"
    );
}
