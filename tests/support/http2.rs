//! HTTP/2 servers with TLS that refuse a request or break it off.

#![allow(dead_code)] // Each test uses only a part.

use crate::support::{Exchange, Log, Server};
use h2::Reason;
use h2::server::Connection;
use http::{Request, Response};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, pki_types};
use tokio_rustls::server::TlsStream;

/// Accepts TLS connections for `localhost`. Also returns the certificate, as PEM.
pub fn acceptor(protocols: &[&str]) -> (TlsAcceptor, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(hosts).unwrap();
    let key = pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

/// The response to one request.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// The server's reply.
    Reply,
    /// RST_STREAM.
    Reset(Reason),
    /// GOAWAY with the id of an earlier stream. Only for the first request of a connection.
    GoAwayBefore(Reason),
    /// GOAWAY with the id of this stream, then the connection closes.
    GoAwayAfter(Reason),
    /// GOAWAY with an id above that of this stream, then the server's reply.
    GoAwayThenReply,
}

impl Answer {
    /// Whether the server shows that it has not processed the request.
    fn refuses(self) -> bool {
        matches!(
            self,
            Self::Reset(Reason::REFUSED_STREAM) | Self::GoAwayBefore(_)
        )
    }
}

/// A server that answers its requests in order; the last answer is repeated.
pub struct Http2 {
    pub server: Server,
    /// As PEM.
    pub certificate: String,
}

#[derive(Clone)]
struct Script {
    answers: Vec<Answer>,
    reply: Response<&'static str>,
    log: Arc<Mutex<Log>>,
}

impl Http2 {
    pub async fn start(answers: &[Answer], reply: Response<&'static str>) -> Self {
        let (acceptor, certificate) = acceptor(&["h2"]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut server = Server::at(format!("https://{}", listener.local_addr().unwrap()));
        let script = Script {
            answers: answers.to_vec(),
            reply,
            log: server.log.clone(),
        };
        server.task = Some(tokio::spawn(async move {
            // Dropping the set ends all connections.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                script.log.lock().unwrap().connections += 1;
                // Otherwise small frames wait for the client's acknowledgement, and a paused clock advances.
                stream.set_nodelay(true).unwrap();
                let (acceptor, script) = (acceptor.clone(), script.clone());
                connections.spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        script.serve(stream).await;
                    }
                });
            }
        }));
        Self {
            server,
            certificate,
        }
    }
}

impl Script {
    fn next_answer(&self) -> Answer {
        let number = self.log.lock().unwrap().exchanges.len();
        *self.answers.get(number).or(self.answers.last()).unwrap()
    }

    async fn serve(self, stream: TlsStream<TcpStream>) {
        if let Answer::GoAwayBefore(reason) = self.next_answer() {
            let mut frames = Frames::accept(stream).await;
            frames.read_request().await;
            self.record(Exchange {
                head_read: true,
                refused: true,
                ..Exchange::default()
            });
            frames.go_away(0, reason).await;
            let _ = frames.0.read_to_end(&mut Vec::new()).await;
            return;
        }
        let Ok(mut connection) = h2::server::handshake(stream).await else {
            return;
        };
        while let Some(Ok((request, mut stream))) = connection.accept().await {
            let answer = self.next_answer();
            let replies = matches!(answer, Answer::Reply | Answer::GoAwayThenReply);
            let bytes = read(request, &mut connection).await;
            self.record(Exchange {
                bytes,
                head_read: true,
                body_read: true,
                refused: answer.refuses(),
                status: replies.then_some(self.reply.status().as_u16()),
                sent: 0,
            });
            match answer {
                Answer::Reset(reason) => stream.send_reset(reason),
                Answer::GoAwayAfter(reason) => connection.abrupt_shutdown(reason),
                Answer::GoAwayThenReply => connection.graceful_shutdown(),
                Answer::Reply => {}
                Answer::GoAwayBefore(_) => panic!("not the first request of its connection"),
            }
            if replies {
                let (head, body) = self.reply.clone().into_parts();
                let head = Response::from_parts(head, ());
                let mut stream = stream.send_response(head, false).unwrap();
                stream.send_data(body.into(), true).unwrap();
            }
        }
    }

    fn record(&self, exchange: Exchange) {
        self.log.lock().unwrap().exchanges.push(exchange);
    }
}

/// Head and body of a request. Meanwhile, the connection accepts no other request.
async fn read(
    request: Request<h2::RecvStream>,
    connection: &mut Connection<TlsStream<TcpStream>, bytes::Bytes>,
) -> Vec<u8> {
    let (head, mut body) = request.into_parts();
    let mut bytes = format!("{head:?}\n").into_bytes();
    loop {
        tokio::select! {
            chunk = body.data() => match chunk {
                Some(chunk) => bytes.extend_from_slice(&chunk.unwrap()),
                None => return bytes,
            },
            _ = connection.accept() => return bytes,
        }
    }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The frames of a connection, for a GOAWAY below a stream that was received: h2 never sends one.
pub struct Frames(TlsStream<TcpStream>);

impl Frames {
    pub async fn accept(mut stream: TlsStream<TcpStream>) -> Self {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.unwrap();
        let mut frames = Self(stream);
        frames.send(SETTINGS, 0, 0, &[]).await;
        frames
    }

    /// Reads until a request is complete. Returns the id of its stream.
    pub async fn read_request(&mut self) -> u32 {
        loop {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.unwrap();
            let [a, b, c, kind, flags, id @ ..] = head;
            let length = u32::from_be_bytes([0, a, b, c]);
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload).await.unwrap();
            if [DATA, HEADERS].contains(&kind) && flags & END_STREAM != 0 {
                return u32::from_be_bytes(id);
            }
        }
    }

    pub async fn go_away(&mut self, last_stream: u32, reason: Reason) {
        let payload = [last_stream, reason.into()].map(u32::to_be_bytes);
        self.send(GOAWAY, 0, 0, payload.as_flattened()).await;
    }

    /// Replies with 202 and this body.
    pub async fn reply(&mut self, stream: u32, body: &str) {
        // `:status` is the eighth header of HPACK's table; its value has three bytes.
        let head = b"\x08\x03202";
        self.send(HEADERS, END_HEADERS, stream, head).await;
        self.send(DATA, END_STREAM, stream, body.as_bytes()).await;
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![a, b, c, kind, flags];
        frame.extend(stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).await.unwrap();
        self.0.flush().await.unwrap();
    }
}
