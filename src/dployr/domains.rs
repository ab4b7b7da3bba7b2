//! Custom domains of services.

use super::client::check_text;
use super::shapes::PAGING;
use super::{Client, Domain, DomainName, DomainServing, Handle, Page};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::page::{PageRequest, paged};
use crate::raw::dployr::{Op, types};

/// A domain to register for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "does nothing until passed to a client"]
pub struct NewDomain {
    domain: String,
    service_name: String,
}

impl NewDomain {
    /// A domain, without scheme and path, for the service with this name (not its id).
    pub fn new(domain: impl Into<String>, service_name: impl Into<String>) -> Self {
        Self {
            domain: domain.into(),
            service_name: service_name.into(),
        }
    }

    fn into_raw(self, cluster_id: Result<String>) -> Result<types::DomainCreate> {
        check_domain(&self.domain)?;
        check_text("name of the service", &self.service_name)?;
        let (domain, service) = (self.domain, self.service_name);
        Ok(types::DomainCreate::new(domain, cluster_id?, service))
    }
}

/// The domains of a cluster; returned by [`Client::domains`].
#[derive(Clone, Debug)]
#[must_use = "does nothing until `list` is awaited"]
pub struct Domains {
    client: Client,
    page_request: PageRequest,
}

impl Domains {
    /// Registers a domain for a service: `POST /v1/domains`.
    ///
    /// Set the DNS records of the response, and then [`verify`](DomainHandle::verify) the domain.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let dployr = deploykit::testing::Recorder::new().dployr_builder().cluster("c-1").build()?;
    /// use deploykit::dployr::NewDomain;
    /// let new = NewDomain::new("app.example.com", "web-one");
    /// let domain = dployr.domains().create(new).await?;
    /// for record in domain.records.iter().chain(&domain.verification) {
    ///     println!("{:?} {:?} {:?}", record.name, record.type_, record.value);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid domain, an empty name, and a
    /// client without a cluster, [`NotFound`](crate::ErrorKind::NotFound) for an unknown service, and
    /// [`Conflict`](crate::ErrorKind::Conflict) for another user's domain.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn create(&self, new: NewDomain) -> Call<Domain> {
        let cluster = self.client.required_cluster();
        self.client.call(Op::CreateDomain, |raw| async move {
            let reply = raw.create_domain(&new.into_raw(cluster)?).await?;
            Ok(reply.into_inner().0)
        })
    }

    paged!("domains");

    /// Lists one page of the domains, the newest first: `GET /v1/domains`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for page 0 or page size 0,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn list(&self) -> Call<Page<Domain>> {
        let client = self.client.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let cluster = client.cluster_parameter();
            client.call(Op::ListDomains, move |raw| async move {
                let (page, size) = page_request.parameters()?;
                let list = raw.list_domains_with(|options| {
                    (options.page, options.page_size) = (page, size);
                    options.cluster_id = cluster.as_deref();
                });
                Ok(list.await?.into_inner().into_page_of(page_request))
            })
        })
    }
}

/// A handle on a domain; returned by [`Client::domain`].
pub type DomainHandle = Handle<DomainName>;

impl DomainHandle {
    /// Reads the domain, with the DNS records to set until it is verified: `GET /v1/domains/{domain}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) for another
    /// user's domain.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn get(&self) -> Call<Domain> {
        self.call(Op::GetDomain, |raw, name| async move {
            Ok(raw.get_domain(name.as_str()).await?.into_inner().0)
        })
    }

    /// Verifies the TXT record and activates the domain: `POST /v1/domains/{domain}/verify`.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) (422) without the record. A new record takes a while to
    /// become visible. [`NotFound`](crate::ErrorKind::NotFound),
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's domain.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn verify(&self) -> Call<()> {
        self.call(Op::VerifyDomain, |raw, name| async move {
            raw.verify_domain(name.as_str()).await?;
            Ok(())
        })
    }

    /// Removes the domain from its service: `DELETE /v1/domains/{domain}`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteDomain, |raw, name| async move {
            raw.delete_domain(name.as_str()).await?;
            Ok(())
        })
    }

    /// Reads whether the service behind the domain is up: `GET /v1/status?domain=…`, without a token.
    ///
    /// **Wakes a sleeping service**, so it is not retried. Also accepts domains that the server assigned
    /// (`web-one.dployr.run`). An unknown domain is not an error: its state is
    /// [`NotFound`](super::DomainState::NotFound).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/status.ts>
    pub fn status(&self) -> Call<DomainServing> {
        let (name, client) = (self.id.clone(), self.client.without_token());
        client.call(Op::GetDomainStatus, |raw| async move {
            Ok(raw.get_domain_status(name?.as_str()).await?.into_inner().0)
        })
    }
}

/// Rejects text with a scheme, a port, a path or a space. The server checks the rest.
pub(super) fn check_domain(domain: &str) -> Result<()> {
    check_text("domain", domain)?;
    if domain.contains(['/', ':', '@', '?', '#']) || domain.chars().any(char::is_whitespace) {
        return Err(Error::invalid_request(
            "the domain contains a scheme, a port, a path or a space",
        ));
    }
    Ok(())
}

impl Client {
    /// The domains of the client's cluster. Does no I/O.
    pub fn domains(&self) -> Domains {
        Domains {
            client: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on a domain, such as `app.example.com`. Does no I/O.
    ///
    /// Calls reject an invalid domain.
    pub fn domain(&self, name: impl TryInto<DomainName, Error: Into<Error>>) -> DomainHandle {
        Handle::new(self, name)
    }
}
