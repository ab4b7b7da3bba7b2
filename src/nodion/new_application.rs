//! What an application is made of.

use super::checks;
use crate::error::Result;
use crate::raw::nodion::types;

/// A branch of a connected repository, by the ids that Nodion has for it. The dashboard knows them, and
/// an [`Application`](super::Application) may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    integration_id: String,
    repository_id: String,
    branch_id: String,
}

/// An application to create.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is created until it is given to a client"]
pub struct NewApplication {
    name: String,
    region_id: String,
    instance_type_id: String,
    instances: u32,
    branch: Branch,
}

impl Branch {
    /// The branch with this id, of a repository, of a connection to a host of repositories.
    pub fn new(
        integration_id: impl Into<String>,
        repository_id: impl Into<String>,
        branch_id: impl Into<String>,
    ) -> Self {
        Self {
            integration_id: integration_id.into(),
            repository_id: repository_id.into(),
            branch_id: branch_id.into(),
        }
    }

    fn check(&self) -> Result<()> {
        checks::text("id of the integration", &self.integration_id)?;
        checks::text("id of the repository", &self.repository_id)?;
        checks::text("id of the branch", &self.branch_id)
    }

    pub(super) fn into_body(self) -> Result<types::ApplicationUpdate> {
        self.check()?;
        Ok(types::ApplicationUpdate {
            integration_id: self.integration_id,
            repository_id: self.repository_id,
            branch_id: self.branch_id,
        })
    }
}

impl NewApplication {
    /// One instance of this type in this [region](super::Client::regions), from a branch.
    pub fn from_git(
        name: impl Into<String>,
        region_id: impl Into<String>,
        instance_type_id: impl Into<String>,
        branch: Branch,
    ) -> Self {
        Self {
            name: name.into(),
            region_id: region_id.into(),
            instance_type_id: instance_type_id.into(),
            instances: 1,
            branch,
        }
    }

    /// So many instances, from 1 to 16.
    pub fn instances(mut self, instances: u32) -> Self {
        self.instances = instances;
        self
    }

    pub(super) fn into_body(self) -> Result<types::ApplicationCreate> {
        checks::text("name of the application", &self.name)?;
        checks::text("id of the region", &self.region_id)?;
        checks::text("id of the instance type", &self.instance_type_id)?;
        self.branch.check()?;
        Ok(types::ApplicationCreate {
            instance_amount: checks::range("instances", self.instances, 1..=16)?,
            name: self.name,
            region_id: self.region_id,
            instance_type_id: self.instance_type_id,
            integration_id: self.branch.integration_id,
            repository_id: self.branch.repository_id,
            branch_id: self.branch.branch_id,
        })
    }
}
