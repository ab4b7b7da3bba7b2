//! Processes of an application, and how many instances it has.

use super::{ApplicationHandle, Page, Process, ProcessId, ScalingEvent};
use crate::call::Call;
use crate::check;
use crate::error::{Error, Result};
use crate::id::{CheckedId, checked};
use crate::raw::nodion::{Op, types};

/// How many instances of which type are to run.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `ApplicationHandle::scale`"]
pub struct Scaling {
    body: types::ScalingEventCreate,
}

impl Scaling {
    /// So many instances, from 1 to 16, of this type. The platform wants both, also when only one is to
    /// change.
    pub fn to(instances: u32, instance_type_id: impl Into<String>) -> Self {
        Self {
            body: types::ScalingEventCreate {
                instance_amount: instances.into(),
                instance_type_id: instance_type_id.into(),
                worker_id: None,
            },
        }
    }

    /// Of this worker instead of the application itself.
    pub fn worker(mut self, worker_id: impl Into<String>) -> Self {
        self.body.worker_id = Some(worker_id.into());
        self
    }

    fn checked(self) -> Result<types::ScalingEventCreate> {
        check::text("id of the instance type", &self.body.instance_type_id)?;
        if let Some(worker) = &self.body.worker_id {
            check::text("id of the worker", worker)?;
        }
        check_instances(self.body.instance_amount)?;
        Ok(self.body)
    }
}

/// Refuses a number of instances that the platform refuses.
pub(super) fn check_instances(instances: i64) -> Result<()> {
    if (1..=16).contains(&instances) {
        return Ok(());
    }
    let problem = format!("{instances} instances are not between 1 and 16");
    Err(Error::invalid_request(problem))
}

impl ApplicationHandle {
    /// The processes that the application is made of: `GET /v1/applications/{id}/processes`.
    ///
    /// # Errors
    /// As [`instances`](Self::instances).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-processes/>
    pub fn processes(&self) -> Call<Page<Process>> {
        let id = self.id.clone();
        self.client.call(Op::ListProcesses, move |raw| async move {
            let list = raw.list_processes(id?.as_str()).await?.into_inner();
            Ok(Page::whole(list.processes))
        })
    }

    /// A handle on a process: scale and stop it. It does no I/O.
    pub fn process<I>(&self, id: I) -> ProcessHandle
    where
        I: TryInto<ProcessId>,
        I::Error: Into<Error>,
    {
        ProcessHandle {
            application: self.clone(),
            id: checked(id),
        }
    }

    /// How the application was scaled so far: `GET /v1/applications/{id}/scaling_events`.
    ///
    /// # Errors
    /// As [`instances`](Self::instances).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-scaling/>
    pub fn scaling_events(&self) -> Call<Page<ScalingEvent>> {
        let id = self.id.clone();
        self.client
            .call(Op::ListScalingEvents, move |raw| async move {
                let list = raw.list_scaling_events(id?.as_str()).await?.into_inner();
                Ok(Page::whole(list.scaling_events))
            })
    }

    /// Changes number and type of the instances of the application or of a worker:
    /// `POST /v1/applications/{id}/scaling_events`. It begins at once, and is counted by
    /// [`max_creates`](crate::ClientBuilder::max_creates).
    ///
    /// The answer is the event that was begun. Its form is not documented as far as is known: `None` if
    /// there is no event in it.
    ///
    /// ```no_run
    /// # async fn example(application: deploykit::nodion::ApplicationHandle) -> deploykit::Result<()> {
    /// use deploykit::nodion::Scaling;
    ///
    /// if let Some(same_type) = application.get().await?.instance_type_id {
    ///     application.scale(Scaling::to(3, same_type)).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for less than 1 or more than 16 instances
    /// and for an empty id,
    /// [`Rejected`](crate::ErrorKind::Rejected) with the platform's reasons for a 400, and as
    /// [`instances`](Self::instances).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-scaling/>
    pub fn scale(&self, scaling: Scaling) -> Call<Option<ScalingEvent>> {
        let id = self.id.clone();
        self.client.call(Op::CreateScalingEvent, |raw| async move {
            let (id, body) = (id?, scaling.checked()?);
            let answer = raw.create_scaling_event(id.as_str(), &body);
            Ok(answer.await?.into_inner().into_inner())
        })
    }
}

/// A handle on a process; made by [`ApplicationHandle::process`].
#[derive(Clone, Debug)]
pub struct ProcessHandle {
    application: ApplicationHandle,
    id: CheckedId<ProcessId>,
}

impl ProcessHandle {
    /// Lets so many instances of the process run; 0 stops it:
    /// `PATCH /v1/applications/{id}/processes/{process_id}`.
    ///
    /// The answer is the process. Its form is not documented as far as is known: `None` if there is no
    /// process in it.
    ///
    /// This is not counted by [`max_creates`](crate::ClientBuilder::max_creates), for no limit may come
    /// before a stop.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) with the platform's reasons for a 400,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application or process,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-processes/>
    pub fn scale(&self, instances: u32) -> Call<Option<Process>> {
        let (application, id) = (self.application.id.clone(), self.id.clone());
        let body = types::ProcessScale {
            instance_amount: i64::from(instances),
        };
        let client = &self.application.client;
        client.call(Op::ScaleProcess, move |raw| async move {
            let (application, id) = (application?, id?);
            let answer = raw.scale_process(application.as_str(), id.as_str(), &body);
            Ok(answer.await?.into_inner().into_inner())
        })
    }

    /// Stops the process: [`scale`](Self::scale) to 0.
    ///
    /// # Errors
    /// As [`scale`](Self::scale).
    pub fn stop(&self) -> Call<Option<Process>> {
        self.scale(0)
    }
}
