//! Services as the control plane keeps them: reading, changing, deleting them, their secrets and
//! their traffic.

use super::env::EnvListing;
use super::shapes::{Ack, Listing, Single};
use super::{
    Page, Service, ServiceEnv, ServiceHandle, ServiceMetrics, ServiceSecret, ServiceUpdate,
    ServiceUpdated, Services,
};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::raw::dployr::Op;
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

impl ServiceHandle {
    /// The service: `GET /v1/services/{id}`. It is found by its id, not by its name, and what it is
    /// doing is not part of it.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) for one
    /// of others, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn get(&self) -> Call<Service> {
        let op = Op::GetService;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(
                    op,
                    move |raw| async move { raw.get_service(id.as_str()).await },
                )
                .map(Single::into_inner)
        })
    }

    /// Changes the service and deploys it anew: `PATCH /v1/services/{id}`.
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// use deploykit::dployr::ServiceUpdate;
    /// let service = dployr.service("01M85NWYM50C3XD23R6MCKYEYQ");
    /// let name = service.get().await?.name;
    /// let deployment = dployr.deployment(&name).get().await?;
    /// // The health check is sent again, or it would be reset.
    /// let update = ServiceUpdate::new("loop-node-1", &*deployment).port(4000);
    /// println!("{:?}", service.update(update).await?.task_id);
    /// # Ok(()) }
    /// ```
    ///
    /// The control plane saves variables, secrets and settings before it looks for a node, so they
    /// are changed even if none is there, and go out with the next deployment. The reply's deployment
    /// has no `updated_at`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: an empty tag, a
    /// name that no variable can have, a port that is none, a secret both set and kept. Of the server:
    /// [`NotFound`](crate::ErrorKind::NotFound) for the service and for the instance,
    /// [`Rejected`](crate::ErrorKind::Rejected), [`Forbidden`](crate::ErrorKind::Forbidden) without
    /// the role, [`Unavailable`](crate::ErrorKind::Unavailable) with
    /// [`Effect::Applied`](crate::Effect::Applied) when no node could deploy it, and those of every
    /// call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn update(&self, update: ServiceUpdate) -> Call<ServiceUpdated> {
        let op = Op::UpdateService;
        self.client
            .with(op, &self.id, |id| match update.into_raw() {
                Err(error) => self.client.refused(op, error),
                Ok(body) => self
                    .client
                    .call(op, move |raw| async move {
                        raw.update_service(id.as_str(), &body).await
                    })
                    .map(Single::into_inner),
            })
    }

    /// Deletes the service and the record of its deployment: `DELETE /v1/services/{id}`.
    ///
    /// A node is told to remove it, and not waited for: one that is away keeps it running.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), the second time too;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role; and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn delete(&self) -> Call<()> {
        let op = Op::DeleteService;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.delete_service(id.as_str()).await
                })
                .map(|_: Ack| ())
        })
    }

    /// The names of the secret variables, without their values:
    /// `GET /v1/services/{id}/secrets`. The server sends them on one page.
    ///
    /// A name may come twice: once as it was first deployed, without a `service_id`, and once as it
    /// was set later.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without
    /// the role of a developer, [`Unavailable`](crate::ErrorKind::Unavailable) from a server that was
    /// set up without a key for secrets, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn secrets(&self) -> Call<Page<ServiceSecret>> {
        let (client, id) = (self.client.clone(), self.id.clone());
        Call::one_page(move || {
            let op = Op::ListServiceSecrets;
            client.with(op, &id, |id| {
                client
                    .call(op, move |raw| async move {
                        raw.list_service_secrets(id.as_str()).await
                    })
                    .map(Listing::into_page)
            })
        })
    }
}

impl ServiceEnv {
    /// The variables as the control plane has them: `GET /v1/services/{id}/envs`. Secret variables
    /// are not among them.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden),
    /// [`Decode`](crate::ErrorKind::Decode) for a variable without a value, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn map(&self) -> Call<BTreeMap<String, Secret>> {
        let op = Op::GetServiceEnvs;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.get_service_envs(id.as_str()).await
                })
                .and_then(values)
        })
    }
}

/// The values by name. What has none must not be taken for empty: whoever writes the map back would
/// clear it.
fn values(list: EnvListing) -> Result<BTreeMap<String, Secret>> {
    let variables = list.into_variables().into_iter();
    variables
        .map(|variable| match variable.value {
            Some(value) => Ok((variable.key, value)),
            None => {
                let why = "the reply has a variable without a value";
                Err(Error::new(ErrorKind::Decode, why).with_effect(Effect::None))
            }
        })
        .collect()
}

impl Services {
    /// The traffic of a service in the last 24 hours, by the hour:
    /// `GET /v1/services/metrics/{name}`. It takes the name, not the id; a name that no service has
    /// is one without traffic.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that could not stand in a
    /// path, [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn metrics(&self, name: impl Into<String>) -> Call<ServiceMetrics> {
        self.metrics_of(name.into(), Ok((None, None)))
    }

    /// The traffic of a service between two points in time:
    /// `GET /v1/services/metrics/{name}?from=…&to=…`.
    ///
    /// # Errors
    /// As [`metrics`](Self::metrics), and
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a time before 1970.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn metrics_between(
        &self,
        name: impl Into<String>,
        from: SystemTime,
        to: SystemTime,
    ) -> Call<ServiceMetrics> {
        let window = millis(from).and_then(|from| Ok((Some(from), Some(millis(to)?))));
        self.metrics_of(name.into(), window)
    }

    fn metrics_of(
        &self,
        name: String,
        window: Result<(Option<i64>, Option<i64>)>,
    ) -> Call<ServiceMetrics> {
        let op = Op::GetServiceMetrics;
        let cluster = self.client.cluster_id();
        let checked = crate::id::check("name of a service", &name).and(window);
        match checked {
            Err(error) => self.client.refused(op, error),
            Ok((from, to)) => self
                .client
                .call(op, move |raw| async move {
                    raw.get_service_metrics(&name, cluster.as_deref(), from, to)
                        .await
                })
                .map(Single::into_inner),
        }
    }
}

/// Milliseconds since 1970, as the control plane takes times in a query.
pub(super) fn millis(at: SystemTime) -> Result<i64> {
    let since = at.duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .ok_or_else(|| Error::invalid_request("the time lies before 1970 or too far ahead"))
}
