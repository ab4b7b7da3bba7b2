//! What an application is made of.

use super::checks;
use crate::error::Result;
use crate::raw::nodion::types;

/// A branch of a connected repository, by the ids that Nodion has for it. The dashboard knows them, and
/// an [`Application`](super::Application) may.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    body: types::ApplicationUpdate,
}

/// An application to create.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Applications::create`"]
pub struct NewApplication {
    body: types::ApplicationCreate,
}

impl Branch {
    /// The branch with this id, of a repository, of a connection to a host of repositories.
    pub fn new(
        integration_id: impl Into<String>,
        repository_id: impl Into<String>,
        branch_id: impl Into<String>,
    ) -> Self {
        Self {
            body: types::ApplicationUpdate {
                integration_id: integration_id.into(),
                repository_id: repository_id.into(),
                branch_id: branch_id.into(),
            },
        }
    }

    pub(super) fn checked(self) -> Result<types::ApplicationUpdate> {
        let body = self.body;
        check_branch(&body.integration_id, &body.repository_id, &body.branch_id)?;
        Ok(body)
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
        let branch = branch.body;
        Self {
            body: types::ApplicationCreate {
                name: name.into(),
                region_id: region_id.into(),
                instance_type_id: instance_type_id.into(),
                instance_amount: 1,
                integration_id: branch.integration_id,
                repository_id: branch.repository_id,
                branch_id: branch.branch_id,
            },
        }
    }

    /// So many instances, from 1 to 16.
    pub fn instances(mut self, instances: u32) -> Self {
        self.body.instance_amount = instances.into();
        self
    }

    pub(super) fn checked(self) -> Result<types::ApplicationCreate> {
        let body = self.body;
        checks::text("name of the application", &body.name)?;
        checks::text("id of the region", &body.region_id)?;
        checks::text("id of the instance type", &body.instance_type_id)?;
        checks::range("instances", body.instance_amount, 1..=16)?;
        check_branch(&body.integration_id, &body.repository_id, &body.branch_id)?;
        Ok(body)
    }
}

fn check_branch(integration: &str, repository: &str, branch: &str) -> Result<()> {
    checks::text("id of the integration", integration)?;
    checks::text("id of the repository", repository)?;
    checks::text("id of the branch", branch)
}
