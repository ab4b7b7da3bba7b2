//! What there is to choose from.

use super::{Client, InstanceType, Region};
use crate::call::Call;
use crate::raw::nodion::Op;

impl Client {
    /// Where applications can run: `GET /v1/regions`.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/>
    pub fn regions(&self) -> Call<Vec<Region>> {
        self.call(Op::ListRegions, |raw| async move {
            raw.list_regions(None).await
        })
        .map(|list| list.regions)
    }

    /// What instances there are, and what they cost: `GET /v1/instance_types`.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/>
    pub fn instance_types(&self) -> Call<Vec<InstanceType>> {
        self.call(Op::ListInstanceTypes, |raw| async move {
            raw.list_instance_types(None).await
        })
        .map(|list| list.instance_types)
    }
}
