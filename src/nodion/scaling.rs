//! Scaling: the number and type of instances, processes, and scaling events.

use super::{
    ApplicationHandle, ChildHandle, InstanceTypeId, Page, Process, ProcessId, ScalingEvent,
    WorkerId,
};
use crate::call::{Call, Stop};
use crate::error::{Error, Result};
use crate::id::{CheckedId, checked};
use crate::raw::nodion::{Op, types};

/// The new number and type of instances, for [`ApplicationHandle::scale`].
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `ApplicationHandle::scale`"]
pub struct Scaling {
    instances: u32,
    instance_type: CheckedId<InstanceTypeId>,
    worker: Option<CheckedId<WorkerId>>,
}

/// The processes of an application; returned by [`ApplicationHandle::processes`].
#[derive(Clone, Debug)]
pub struct Processes {
    application: ApplicationHandle,
}

/// A handle on a process; returned by [`ApplicationHandle::process`].
pub type ProcessHandle = ChildHandle<ProcessId>;

/// The scaling events of an application; returned by [`ApplicationHandle::scaling_events`].
#[derive(Clone, Debug)]
pub struct ScalingEvents {
    application: ApplicationHandle,
}

impl Scaling {
    /// Scales to this number of instances (1 to 16) of this type. The platform requires both values.
    pub fn to(
        instances: u32,
        instance_type: impl TryInto<InstanceTypeId, Error: Into<Error>>,
    ) -> Self {
        Self {
            instances,
            instance_type: checked(instance_type),
            worker: None,
        }
    }

    /// Scales this worker instead of the application.
    pub fn worker(mut self, id: impl TryInto<WorkerId, Error: Into<Error>>) -> Self {
        self.worker = Some(checked(id));
        self
    }

    fn checked(self) -> Result<types::ScalingEventCreate, Stop> {
        check_instances(self.instances)?;
        let instance_type = self.instance_type?.into();
        Ok(types::ScalingEventCreate {
            worker_id: self.worker.transpose()?.map(Into::into),
            ..types::ScalingEventCreate::new(self.instances.into(), instance_type)
        })
    }
}

/// Rejects a number of instances that the platform does not allow.
pub(super) fn check_instances(instances: u32) -> Result<()> {
    if (1..=16).contains(&instances) {
        return Ok(());
    }
    let problem = format!("{instances} instances are not between 1 and 16");
    Err(Error::invalid_request(problem))
}

impl ApplicationHandle {
    /// The processes of the application. Does no I/O.
    pub fn processes(&self) -> Processes {
        Processes {
            application: self.clone(),
        }
    }

    /// A handle on a process, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn process(&self, id: impl TryInto<ProcessId, Error: Into<Error>>) -> ProcessHandle {
        ChildHandle::new(self, id)
    }

    /// The scaling events of the application. Does no I/O.
    pub fn scaling_events(&self) -> ScalingEvents {
        ScalingEvents {
            application: self.clone(),
        }
    }

    /// Scales the application or a worker, by number and type of instances:
    /// `POST /v1/applications/{id}/scaling_events`.
    ///
    /// Scaling starts immediately. The call counts towards
    /// [`max_creates`](crate::ClientBuilder::max_creates). Returns the scaling event, or `None` if the
    /// response, which is undocumented, does not contain it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder().in_process();
    /// # let application = sandbox.nodion()?.application(sandbox.nodion_access().application_id);
    /// use deploykit::nodion::Scaling;
    ///
    /// if let Some(same_type) = application.get().await?.instance_type_id {
    ///     application.scale(Scaling::to(3, same_type)).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for fewer than 1 or more than 16 instances.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-scaling/>
    pub fn scale(&self, scaling: Scaling) -> Call<Option<ScalingEvent>> {
        self.call(Op::CreateScalingEvent, |raw, id| async move {
            let body = scaling.checked()?;
            let reply = raw.create_scaling_event(id.as_str(), &body);
            Ok(reply.await?.into_inner().into_inner())
        })
    }
}

impl Processes {
    /// Lists all processes of the application, including the web process:
    /// `GET /v1/applications/{id}/processes`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-processes/>
    pub fn list(&self) -> Call<Page<Process>> {
        self.application
            .call(Op::ListProcesses, |raw, id| async move {
                let list = raw.list_processes(id.as_str()).await?.into_inner();
                Ok(Page::whole(list.processes))
            })
    }
}

impl ProcessHandle {
    /// Scales the process to this number of instances; 0 stops it:
    /// `PATCH /v1/applications/{id}/processes/{process_id}`.
    ///
    /// The call does not count towards [`max_creates`](crate::ClientBuilder::max_creates), so that the limit
    /// never prevents a stop. Returns the process, or `None` if the response, which is undocumented, does
    /// not contain it.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-processes/>
    pub fn scale(&self, instances: u32) -> Call<Option<Process>> {
        self.call(Op::ScaleProcess, move |raw, application, id| async move {
            let body = types::ProcessScale::new(instances.into());
            let reply = raw.scale_process(application.as_str(), id.as_str(), &body);
            Ok(reply.await?.into_inner().into_inner())
        })
    }

    /// Stops the process, as [`scale`](Self::scale) to 0 instances.
    pub fn stop(&self) -> Call<Option<Process>> {
        self.scale(0)
    }
}

impl ScalingEvents {
    /// Lists past and running changes of the number or type of instances:
    /// `GET /v1/applications/{id}/scaling_events`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-scaling/>
    pub fn list(&self) -> Call<Page<ScalingEvent>> {
        self.application
            .call(Op::ListScalingEvents, |raw, id| async move {
                let list = raw.list_scaling_events(id.as_str()).await?.into_inner();
                Ok(Page::whole(list.scaling_events))
            })
    }
}
