//! Regions in which applications can run.

use super::{Client, Page, Region};
use crate::call::Call;
use crate::raw::nodion::Op;

/// The regions of the platform; returned by [`Client::regions`].
#[derive(Clone, Debug)]
pub struct Regions {
    client: Client,
}

impl Client {
    /// The regions in which applications can run. Does no I/O.
    pub fn regions(&self) -> Regions {
        Regions {
            client: self.clone(),
        }
    }
}

impl Regions {
    /// Lists all regions: `GET /v1/regions`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/>
    pub fn list(&self) -> Call<Page<Region>> {
        self.client.call(Op::ListRegions, |raw| async move {
            Ok(Page::whole(raw.list_regions().await?.into_inner().regions))
        })
    }
}
