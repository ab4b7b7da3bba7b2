//! The stub server: a child process with one fixed response per path.

use crate::Result;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// Command-line argument that starts the stub server.
pub const SERVE: &str = "--serve";
/// Id of the existing deployment.
pub const FOUND: &str = "c0653765de3b";
/// Id of an unknown deployment, which gets 404.
pub const MISSING: &str = "c0653765de3c";
/// Records in a list.
const RECORDS: usize = 1_000;
/// Lines of a followed log.
pub const LOG_LINES: usize = 5_000;

const DEPLOYMENT: &str = r#"{"request_id":"c0653765de3b","fqdn":"c0653765de3b.pr.edgegap.net","app_name":"my-app","app_version":"25.05.30-16.45.19-04","public_ip":"192.53.120.48","current_status":"Status.READY","last_status":"Status.DEPLOYING","running":true,"start_time":"2026-04-22 12:00:46.444265","elapsed_time":34,"max_duration":1440,"error":false,"error_detail":null,"ports":{"gameport":{"name":"gameport","link":"c0653765de3b.pr.edgegap.net:30345","internal":7777,"external":30345,"protocol":"UDP","tls_upgrade":false},"8080":{"name":"8080","link":"https://c0653765de3b.pr.edgegap.net:31001","internal":8080,"external":31001,"protocol":"http","tls_upgrade":true}},"tags":["match-7"],"command":null,"arguments":null}"#;

pub fn expect_records(count: usize) -> Result<()> {
    if count == RECORDS {
        Ok(())
    } else {
        Err(format!("{count} records, expected {RECORDS}").into())
    }
}

pub fn expect_lines(count: usize) -> Result<()> {
    if count == LOG_LINES {
        Ok(())
    } else {
        Err(format!("{count} lines, expected {LOG_LINES}").into())
    }
}

/// The running child process. Killed on drop.
pub struct Process {
    child: Child,
    pub base_url: String,
}

impl Process {
    pub fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut base_url = String::new();
        let stdout = child.stdout.take().ok_or("no standard output")?;
        BufReader::new(stdout).read_line(&mut base_url)?;
        Ok(Self {
            child,
            base_url: base_url.trim().to_owned(),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints the base URL and serves until the process is killed.
pub fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let responses: &'static Responses = Box::leak(Box::new(Responses::new()));
    for stream in listener.incoming() {
        let stream = stream?;
        // An I/O error ends only this thread.
        std::thread::spawn(move || {
            let _ = serve_connection(stream, responses);
        });
    }
    Ok(())
}

fn serve_connection(mut stream: TcpStream, responses: &Responses) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut request_line = String::new();
        if reader.read_line(&mut request_line)? == 0 {
            return Ok(());
        }
        let mut body_length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let header = header.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(length) = header.strip_prefix("content-length: ") {
                body_length = length.parse().unwrap_or(0);
            }
        }
        reader.read_exact(&mut vec![0; body_length])?;
        let target = request_line.split(' ').nth(1).unwrap_or_default();
        stream.write_all(responses.find(target))?;
    }
}

/// Complete responses, built before the first request.
struct Responses {
    found: Vec<u8>,
    not_found: Vec<u8>,
    created: Vec<u8>,
    list: Vec<u8>,
    nodion_list: Vec<u8>,
    log: Vec<u8>,
}

impl Responses {
    fn new() -> Self {
        Self {
            found: json("200 OK", DEPLOYMENT),
            not_found: json("404 Not Found", r#"{"message":"Deployment not found"}"#),
            created: json("202 Accepted", r#"{"request_id":"a69f8e3e0555"}"#),
            list: json("200 OK", &edgegap_list()),
            nodion_list: json("200 OK", &nodion_list()),
            log: response("200 OK", "application/x-ndjson", &log()),
        }
    }

    fn find(&self, target: &str) -> &[u8] {
        let path = target.split('?').next().unwrap_or_default();
        match path {
            "/v2/deployments" => &self.created,
            "/v1/deployments" => &self.list,
            "/v1/applications/a-1/deployments" => &self.nodion_list,
            path if path.ends_with("/logs") => &self.log,
            path if path.ends_with(FOUND) => &self.found,
            _ => &self.not_found,
        }
    }
}

fn json(status: &str, body: &str) -> Vec<u8> {
    response(status, "application/json", body)
}

fn response(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn edgegap_list() -> String {
    let record = |number: usize| {
        format!(
            r#"{{"request_id":"{number:012x}","fqdn":"{number:012x}.pr.edgegap.net","public_ip":"100.10.0.85","ready":true,"start_time":"2026-04-22 12:00:46.444265","tags":["match-{number}"],"ports":{{"gameport":{{"name":"gameport","link":"{number:012x}.pr.edgegap.net:31504","internal":7777,"external":31504,"protocol":"UDP","tls_upgrade":false}}}}}}"#
        )
    };
    let records: Vec<String> = (0..RECORDS).map(record).collect();
    format!(
        r#"{{"data":[{}],"total_count":{RECORDS},"pagination":{{"number":1,"next_page_number":null,"previous_page_number":null,"paginator":{{"num_pages":1}},"has_next":false,"has_previous":false}}}}"#,
        records.join(",")
    )
}

fn nodion_list() -> String {
    let record = |number: usize| {
        format!(
            r#"{{"id":"92955d4f-2e44-4e48-8cb6-{number:012x}","status":"available","deploy_number":{number},"git_sha":"d77ead8cbbdc37d04aa8c3466c6e35b7c55a508e","commit_message":"test","committer_name":"John Doe","committer_email":"info@nodion.com","committer_username":"nodion","commit_timestamp":"2022-09-17T18:12:37.000+02:00","created_at":"2023-04-18T18:32:25.018+02:00"}}"#
        )
    };
    let records: Vec<String> = (0..RECORDS).map(record).collect();
    format!(r#"{{"deployments":[{}]}}"#, records.join(","))
}

fn log() -> String {
    let line = |number: usize| {
        let timestamp = 1_795_487_020_000 + number;
        format!(
            r#"{{"timestamp":{timestamp},"level":"info","message":"{number} GET /health 200 in 4 ms"}}"#
        ) + "\n"
    };
    (0..LOG_LINES).map(line).collect()
}
