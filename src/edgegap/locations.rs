//! Locations where servers can run.

use super::{Client, Location, Page};
use crate::call::Call;
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::Op;

/// The locations where servers can run; returned by [`Client::locations`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
/// let locations = edgegap.locations().of_version("my-app", "25.05.30-16.45.19-04");
/// for location in locations.list().all().await? {
///     println!("{:?}", location.city);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `list` is awaited"]
pub struct Locations {
    client: Client,
    /// The names of an application and of its version.
    version: Option<(String, String)>,
    page_request: PageRequest,
}

impl Client {
    /// The locations where servers can run. Does no I/O.
    pub fn locations(&self) -> Locations {
        Locations {
            client: self.clone(),
            version: None,
            page_request: PageRequest::default(),
        }
    }
}

impl Locations {
    /// Lists only locations where this version of this application can run.
    pub fn of_version(
        mut self,
        application: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        self.version = Some((application.into(), version.into()));
        self
    }

    paged!("locations");

    /// Lists one page of the locations: `GET /v1/locations`.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) for an unknown application or version.
    ///
    /// Source: <https://docs.edgegap.com/docs/api>
    pub fn list(&self) -> Call<Page<Location>> {
        let (application, version) = self.version.clone().unzip();
        self.client.list(
            Op::ListLocations,
            self.page_request,
            |raw, page, limit| async move {
                let list = raw.list_locations_with(|options| {
                    (options.page, options.limit) = (page, limit);
                    options.app = application.as_deref();
                    options.version = version.as_deref();
                });
                let list = list.await?.into_inner();
                Ok((list.locations, list.total_count, list.pagination))
            },
        )
    }
}
