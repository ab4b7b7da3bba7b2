//! The handle on one resource, for all resources with an id.

use super::Client;
use crate::call::{Call, Stop};
use crate::error::Error;
use crate::id::{CheckedId, Id, checked};
use crate::raw::dployr::{self as raw, Op};

/// A handle on one resource, by its id.
///
/// Creating a handle sends nothing. Its calls reject an invalid id.
#[derive(Clone, Debug)]
pub struct Handle<I> {
    pub(super) client: Client,
    pub(super) id: CheckedId<I>,
}

impl<I: Clone + Send + 'static> Handle<I> {
    pub(super) fn new(client: &Client, id: impl TryInto<I, Error: Into<Error>>) -> Self
    where
        I: Id,
    {
        Self {
            client: client.clone(),
            id: checked(id),
        }
    }

    /// A call of one operation, with the checked id.
    pub(super) fn call<T, F, R>(&self, op: Op, run: F) -> Call<T>
    where
        T: Send + 'static,
        F: FnOnce(raw::Client, I) -> R + Send + 'static,
        R: Future<Output = Result<T, Stop>> + Send + 'static,
    {
        let id = self.id.clone();
        self.client
            .call(op, |raw| async move { run(raw, id?).await })
    }
}
