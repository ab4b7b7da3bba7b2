//! Domains of an application: list, create, verify, connect and delete.

use super::client::check_no_whitespace;
use super::{ApplicationHandle, ChildHandle, Domain, DomainId, Page};
use crate::call::Call;
use crate::error::Error;
use crate::raw::nodion::{Op, types};

/// The domains of an application; returned by [`ApplicationHandle::domains`].
#[derive(Clone, Debug)]
pub struct Domains {
    application: ApplicationHandle,
}

/// A handle on a domain; returned by [`ApplicationHandle::domain`].
pub type DomainHandle = ChildHandle<DomainId>;

impl ApplicationHandle {
    /// The domains of the application. Does no I/O.
    pub fn domains(&self) -> Domains {
        Domains {
            application: self.clone(),
        }
    }

    /// A handle on a domain, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn domain(&self, id: impl TryInto<DomainId, Error: Into<Error>>) -> DomainHandle {
        ChildHandle::new(self, id)
    }
}

impl Domains {
    /// Lists all domains, including the subdomain that the platform assigned:
    /// `GET /v1/applications/{id}/domains`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn list(&self) -> Call<Page<Domain>> {
        self.application
            .call(Op::ListDomains, |raw, id| async move {
                let list = raw.list_domains(id.as_str()).await?.into_inner();
                Ok(Page::whole(list.domains))
            })
    }

    /// Creates a domain: `POST /v1/applications/{id}/domains`.
    ///
    /// To serve the application at the domain, verify it, connect it and deploy:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder().in_process();
    /// # let application = sandbox.nodion()?.application(sandbox.nodion_access().application_id);
    /// let domain = application.domains().create("www.example.com").await?;
    /// println!("set this TXT record: {:?}", domain.verification_code);
    /// // After the TXT record has propagated:
    /// application.domain(&domain.id).verify().await?;
    /// application.domain(&domain.id).connect().await?;
    /// application.deploy().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the name is empty or contains whitespace
    /// or a control character.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn create(&self, name: impl Into<String>) -> Call<Domain> {
        let domain_name = name.into();
        self.application
            .call(Op::CreateDomain, |raw, id| async move {
                check_no_whitespace("domain name", &domain_name)?;
                let body = types::DomainCreate::new(domain_name);
                let envelope = raw.create_domain(id.as_str(), &body).await?;
                Ok(envelope.into_inner().domain)
            })
    }
}

impl DomainHandle {
    /// Verifies the domain by its TXT record in the DNS:
    /// `POST /v1/applications/{id}/domains/{domain_id}/verify`.
    ///
    /// Returns the domain, or `None` if the response, which is undocumented, does not contain it.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn verify(&self) -> Call<Option<Domain>> {
        self.call(Op::VerifyDomain, |raw, application, id| async move {
            let reply = raw.verify_domain(application.as_str(), id.as_str());
            Ok(reply.await?.into_inner().into_inner())
        })
    }

    /// Connects the verified domain to the application:
    /// `POST /v1/applications/{id}/domains/{domain_id}/connect`.
    ///
    /// The domain takes effect with the next deployment. Returns the domain, or `None` if the response,
    /// which is undocumented, does not contain it.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn connect(&self) -> Call<Option<Domain>> {
        self.call(Op::ConnectDomain, |raw, application, id| async move {
            let reply = raw.connect_domain(application.as_str(), id.as_str());
            Ok(reply.await?.into_inner().into_inner())
        })
    }

    /// Deletes the domain:
    /// `DELETE /v1/applications/{id}/domains/{domain_id}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the domain does not exist or was already deleted.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-domains/>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteDomain, |raw, application, id| async move {
            let deletion = raw.delete_domain(application.as_str(), id.as_str());
            Ok(deletion.await?.into_inner().check()?)
        })
    }
}
