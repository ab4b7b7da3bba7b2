//! A call under way, as far as its secrets are concerned.

use super::exposed;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future whose first poll may serialise secrets: the generated client writes its request in that
/// poll, and nothing after it.
pub struct Exposed<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    polled: bool,
}

impl<'a, T> Exposed<'a, T> {
    pub(crate) fn new(future: Pin<Box<dyn Future<Output = T> + Send + 'a>>) -> Self {
        Self {
            future,
            polled: false,
        }
    }
}

impl<T> Future for Exposed<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if std::mem::replace(&mut self.polled, true) {
            return self.future.as_mut().poll(context);
        }
        exposed(|| self.future.as_mut().poll(context))
    }
}
