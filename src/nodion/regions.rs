//! Regions.

use super::{Client, Page, Region};
use crate::call::Call;
use crate::raw::nodion::Op;

impl Client {
    /// Where applications can run: `GET /v1/regions`.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/>
    pub fn regions(&self) -> Call<Page<Region>> {
        self.call(Op::ListRegions, |raw| async move {
            Ok(Page::whole(raw.list_regions().await?.into_inner().regions))
        })
    }
}
