//! The stub server with a replaceable answer.

use crate::support;
use std::sync::{Arc, Mutex};

/// Returns the bytes of the reply to a request. Without bytes, the connection is closed.
pub type Answer = Arc<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

pub struct Server {
    pub base_url: String,
    answer: Arc<Mutex<Answer>>,
    stub: support::Server,
    taken: usize,
}

impl Server {
    pub async fn start() -> Self {
        let answer: Answer = Arc::new(|_| Vec::new());
        let answer = Arc::new(Mutex::new(answer));
        let current = answer.clone();
        let stub = support::Server::answers(move |request| {
            let answer = current.lock().unwrap().clone();
            answer(request)
        });
        let stub = stub.await;
        Self {
            base_url: stub.base_url.clone(),
            answer,
            stub,
            taken: 0,
        }
    }

    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Takes the requests since the last call.
    pub fn take_requests(&mut self) -> Vec<String> {
        let requests = self.stub.requests().split_off(self.taken);
        self.taken += requests.len();
        requests
    }
}
