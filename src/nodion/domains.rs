//! The domains of an application: added, verified by the DNS, connected.

use super::client::check_word;
use super::{ApplicationHandle, Domain, DomainId, Page};
use crate::call::Call;
use crate::error::Error;
use crate::id::{CheckedId, checked};
use crate::raw::nodion::{Op, types};

impl ApplicationHandle {
    /// The domains of the application. It does no I/O.
    pub fn domains(&self) -> Domains {
        Domains {
            application: self.clone(),
        }
    }

    /// A handle on a domain: verify, connect and delete it. It does no I/O.
    pub fn domain<I>(&self, id: I) -> DomainHandle
    where
        I: TryInto<DomainId>,
        I::Error: Into<Error>,
    {
        DomainHandle {
            application: self.clone(),
            id: checked(id),
        }
    }
}

/// The domains of an application; made by [`ApplicationHandle::domains`].
#[derive(Clone, Debug)]
pub struct Domains {
    application: ApplicationHandle,
}

impl Domains {
    /// All domains, the one that the platform gave to the application among them:
    /// `GET /v1/applications/{id}/domains`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn list(&self) -> Call<Page<Domain>> {
        let id = self.application.id.clone();
        self.application
            .client
            .call(Op::ListDomains, move |raw| async move {
                let list = raw.list_domains(id?.as_str()).await?.into_inner();
                Ok(Page::whole(list.domains))
            })
    }

    /// Adds a domain: `POST /v1/applications/{id}/domains`. What it takes until it leads to the
    /// application:
    ///
    /// ```no_run
    /// # async fn example(application: deploykit::nodion::ApplicationHandle) -> deploykit::Result<()> {
    /// let domain = application.domains().add("www.example.com").await?;
    /// println!("a TXT record with {:?}", domain.verification_code); // put it into the DNS, then
    /// application.domain(&domain.id).verify().await?;
    /// application.domain(&domain.id).connect().await?;
    /// application.deploy().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that is empty or contains a
    /// space,
    /// [`Rejected`](crate::ErrorKind::Rejected) for one that is no full domain, and as
    /// [`list`](Self::list).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn add(&self, name: impl Into<String>) -> Call<Domain> {
        let (id, domain_name) = (self.application.id.clone(), name.into());
        let client = &self.application.client;
        client.call(Op::CreateDomain, |raw| async move {
            check_word("name of the domain", &domain_name)?;
            let body = types::DomainCreate { domain_name };
            Ok(raw
                .create_domain(id?.as_str(), &body)
                .await?
                .into_inner()
                .domain)
        })
    }
}

/// A handle on a domain; made by [`ApplicationHandle::domain`].
#[derive(Clone, Debug)]
pub struct DomainHandle {
    application: ApplicationHandle,
    id: CheckedId<DomainId>,
}

impl DomainHandle {
    /// Has the platform look for the domain's code in the DNS:
    /// `POST /v1/applications/{id}/domains/{domain_id}/verify`, without a body.
    ///
    /// The answer is the domain. Its form is not documented as far as is known: `None` if there is no
    /// domain in it.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) with the platform's reasons for a 400,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application or domain, and as
    /// [`Domains::list`].
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn verify(&self) -> Call<Option<Domain>> {
        let (application, id) = (self.application.id.clone(), self.id.clone());
        let client = &self.application.client;
        client.call(Op::VerifyDomain, move |raw| async move {
            let answer = raw
                .verify_domain(application?.as_str(), id?.as_str())
                .await?;
            Ok(answer.into_inner().into_inner())
        })
    }

    /// Connects the verified domain, from the next deployment on:
    /// `POST /v1/applications/{id}/domains/{domain_id}/connect`, without a body. The answer is as with
    /// [`verify`](Self::verify).
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn connect(&self) -> Call<Option<Domain>> {
        let (application, id) = (self.application.id.clone(), self.id.clone());
        let client = &self.application.client;
        client.call(Op::ConnectDomain, move |raw| async move {
            let answer = raw
                .connect_domain(application?.as_str(), id?.as_str())
                .await?;
            Ok(answer.into_inner().into_inner())
        })
    }

    /// Takes the domain from the application: `DELETE /v1/applications/{id}/domains/{domain_id}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), the second time too; and as [`Domains::list`].
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn delete(&self) -> Call<()> {
        let (application, id) = (self.application.id.clone(), self.id.clone());
        let client = &self.application.client;
        client.call(Op::DeleteDomain, move |raw| async move {
            let deletion = raw
                .delete_domain(application?.as_str(), id?.as_str())
                .await?;
            Ok(deletion.into_inner().check()?)
        })
    }
}
