//! A Redis server for one test, and a stub platform that records when requests arrive.

use super::support::{Server, reply};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Environment variable with the path of `redis-server`. Default: looked up in `PATH`.
const BINARY_VARIABLE: &str = "REDIS_SERVER";

/// A Redis server. Killed on drop.
pub struct Redis {
    pub port: u16,
    password: Option<&'static str>,
    directory: PathBuf,
    process: Option<Child>,
}

/// What became of the process of a server.
enum Started {
    Ready,
    PortTaken,
    NotInstalled,
}

impl Redis {
    /// Starts a server. `None` if `redis-server` is neither installed nor required.
    pub fn start(password: Option<&'static str>) -> Option<Self> {
        loop {
            let port = free_port();
            let directory = std::env::temp_dir().join(format!("deploykit-redis-{port}"));
            // The directory exists if the server of another test has the port, or is about to.
            if std::fs::create_dir(&directory).is_err() {
                continue;
            }
            let mut redis = Self {
                port,
                password,
                directory,
                process: None,
            };
            match redis.run() {
                Started::Ready => return Some(redis),
                Started::PortTaken => {}
                Started::NotInstalled => return None,
            }
        }
    }

    fn run(&mut self) -> Started {
        let binary = std::env::var(BINARY_VARIABLE).unwrap_or_else(|_| "redis-server".into());
        let mut command = Command::new(&binary);
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--port")
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(&self.directory)
            .stdout(Stdio::null());
        if let Some(password) = self.password {
            command.args(["--requirepass", password]);
        }
        match command.spawn() {
            Ok(process) => self.process = Some(process),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let required = ["CI", "DEPLOYKIT_REQUIRE_REDIS"];
                assert!(
                    required.iter().all(|name| std::env::var_os(name).is_none()),
                    "{binary} is not installed (Debian: redis-server), and this test needs it"
                );
                // Not `eprintln!`, whose output the test harness captures.
                let text = format!("\nSKIPPED: {binary} is not installed; nothing was tested\n");
                std::io::stderr().write_all(text.as_bytes()).unwrap();
                return Started::NotInstalled;
            }
            Err(error) => panic!("{binary}: {error}"),
        }
        let started = Instant::now();
        loop {
            if self.responds() {
                return Started::Ready;
            }
            // A server exits if something else listens.
            if self.process.as_mut().unwrap().try_wait().unwrap().is_some() {
                return Started::PortTaken;
            }
            assert!(started.elapsed() < Duration::from_secs(5), "{binary}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether this server listens on the port, and not one of another test.
    fn responds(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        let login = self.password.map(|password| format!("AUTH {password}\r\n"));
        let request = format!("{}INFO server\r\nQUIT\r\n", login.unwrap_or_default());
        let mut answer = String::new();
        let sent = stream.write_all(request.as_bytes());
        let read = sent.and_then(|()| stream.read_to_string(&mut answer));
        let process = self.process.as_ref().unwrap().id();
        read.is_ok() && answer.contains(&format!("process_id:{process}\r\n"))
    }

    pub fn url(&self) -> String {
        let login = self.password.map(|password| format!(":{password}@"));
        format!(
            "redis://{}127.0.0.1:{}",
            login.unwrap_or_default(),
            self.port
        )
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Starts an empty server on the same port.
    pub fn restart(&mut self) {
        self.kill();
        assert!(matches!(self.run(), Started::Ready));
    }

    /// Sends a signal: `STOP` suspends the server, `CONT` resumes it.
    pub fn signal(&self, name: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args(["-s", name, &process]).status();
        assert!(status.unwrap().success());
    }

    /// Sends an inline command, and returns the raw reply.
    pub fn command(&self, line: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "{line}\r\n").unwrap();
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).trim().to_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Time of a request, and the worker that sent it.
pub type Arrival = (Instant, String);

/// A stub of Edgegap that accepts every deployment and records its arrival.
pub struct Platform {
    pub server: Server,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

impl Platform {
    pub async fn start() -> Self {
        let arrivals = Arc::<Mutex<Vec<Arrival>>>::default();
        let recorded = arrivals.clone();
        let server = Server::answers(move |request| {
            if request.starts_with("POST ") {
                let mut lines = request.lines();
                let worker = lines.find_map(|line| line.strip_prefix("x-worker: "));
                let arrival = (Instant::now(), worker.unwrap_or_default().to_owned());
                recorded.lock().unwrap().push(arrival);
            }
            let body = r#"{"request_id":"a69f8e3e0555"}"#;
            reply("202 Accepted", &["content-type: application/json"], body)
        });
        let server = server.await;
        Self { server, arrivals }
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }
}
