//! What there is to choose from.

use super::{Client, InstanceType, Page, Region};
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

    /// What instances there are, and what they cost: `GET /v1/instance_types`.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/>
    pub fn instance_types(&self) -> Call<Page<InstanceType>> {
        self.call(Op::ListInstanceTypes, |raw| async move {
            let list = raw.list_instance_types().await?.into_inner();
            Ok(Page::whole(list.instance_types))
        })
    }
}
