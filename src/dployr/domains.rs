//! Domains of one's own, in front of a service.

use super::client::{Given, check_text, given};
use super::shapes::PAGING;
use super::{Client, Domain, DomainName, DomainServing, Page};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::page::{Ask, paged};
use crate::raw::dployr::{Op, types};

/// A domain to lead to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is registered until it is given to a client"]
pub struct NewDomain {
    domain: String,
    service_name: String,
}

impl NewDomain {
    /// Leads this domain, without scheme and path, to the service of this name. The control plane takes
    /// a name here, and no id.
    pub fn new(domain: impl Into<String>, service_name: impl Into<String>) -> Self {
        Self {
            domain: domain.into(),
            service_name: service_name.into(),
        }
    }

    fn into_raw(self, cluster_id: Result<String>) -> Result<types::DomainCreate> {
        check_domain(&self.domain)?;
        check_text("name of the service", &self.service_name)?;
        Ok(types::DomainCreate {
            domain: self.domain,
            cluster_id: cluster_id?,
            service_name: self.service_name,
        })
    }
}

/// The domains of a cluster; made by [`Client::domains`].
#[derive(Clone, Debug)]
#[must_use = "nothing is requested before `list` is awaited"]
pub struct Domains {
    client: Client,
    ask: Ask,
}

impl Domains {
    /// Registers a domain for a service: `POST /v1/domains`. The reply has the records that the owner of
    /// the domain has to set in the DNS; [`verify`](DomainHandle::verify) then makes it work.
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
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
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for what is no domain, for an empty name and
    /// from a client without a cluster, [`NotFound`](crate::ErrorKind::NotFound) without such a service,
    /// [`Conflict`](crate::ErrorKind::Conflict) for a domain of others.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn create(&self, new: NewDomain) -> Call<Domain> {
        let cluster = self.client.required_cluster();
        self.client.invoke(Op::CreateDomain, |raw| async move {
            let reply = raw.create_domain(&new.into_raw(cluster)?).await?;
            Ok(reply.into_inner().0)
        })
    }

    paged!("domains");

    /// One page of the domains of the client's cluster, the newest first: `GET /v1/domains`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a page or a size of zero,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn list(&self) -> Call<Page<Domain>> {
        let client = self.client.clone();
        Call::paged(PAGING, self.ask, move |ask| {
            let cluster = client.cluster_id();
            client.invoke(Op::ListDomains, move |raw| async move {
                let (page, size) = ask.parameters()?;
                let list = raw.list_domains(cluster.as_deref(), page, size).await?;
                Ok(list.into_inner().into_page_of(ask))
            })
        })
    }
}

/// A handle on a domain; made by [`Client::domain`].
#[derive(Clone, Debug)]
pub struct DomainHandle {
    client: Client,
    name: Given<DomainName>,
}

impl DomainHandle {
    /// The domain, and as long as it is not verified the records to set: `GET /v1/domains/{domain}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) for a domain
    /// of others.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn get(&self) -> Call<Domain> {
        let name = self.name.clone();
        self.client.invoke(Op::GetDomain, |raw| async move {
            let reply = raw.get_domain(name?.as_str()).await?;
            Ok(reply.into_inner().0)
        })
    }

    /// Has the server look for the TXT record, and makes the domain work if it is there:
    /// `POST /v1/domains/{domain}/verify`.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) (422) when the record is not there: a new one takes a
    /// while to be seen everywhere. [`NotFound`](crate::ErrorKind::NotFound),
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a domain of others.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn verify(&self) -> Call<()> {
        let name = self.name.clone();
        self.client.invoke(Op::VerifyDomain, |raw| async move {
            raw.verify_domain(name?.as_str()).await?;
            Ok(())
        })
    }

    /// Takes the domain away from its service: `DELETE /v1/domains/{domain}`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/domains.ts>
    pub fn delete(&self) -> Call<()> {
        let name = self.name.clone();
        self.client.invoke(Op::DeleteDomain, |raw| async move {
            raw.delete_domain(name?.as_str()).await?;
            Ok(())
        })
    }

    /// Whether the service behind the domain is up: `GET /v1/status?domain=…`, without a token. Domains
    /// that the server gives out itself (`web-one.dployr.run`) count, too.
    ///
    /// **It wakes a service that sleeps**, so it is no plain read and is not repeated.
    ///
    /// # Errors
    /// Those of every call. A domain that leads nowhere is none: it is the state
    /// [`NotFound`](super::DomainState::NotFound).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/index.ts>
    pub fn status(&self) -> Call<DomainServing> {
        let (name, client) = (self.name.clone(), self.client.without_token());
        client.invoke(Op::GetDomainStatus, |raw| async move {
            let reply = raw.get_domain_status(name?.as_str()).await?;
            Ok(reply.into_inner().0)
        })
    }
}

/// Refuses what cannot be a domain, such as a URL. What is one the server knows better.
pub(super) fn check_domain(domain: &str) -> Result<()> {
    check_text("domain", domain)?;
    if domain.contains(['/', ':', '@', '?', '#']) || domain.chars().any(char::is_whitespace) {
        return Err(Error::invalid_request(
            "the domain is more than a domain: it takes one without scheme, port and path",
        ));
    }
    Ok(())
}

impl Client {
    /// The domains of the client's cluster: register and list them. It does no I/O.
    pub fn domains(&self) -> Domains {
        Domains {
            client: self.clone(),
            ask: Ask::default(),
        }
    }

    /// A handle on a domain, such as `app.example.com`. It does no I/O.
    pub fn domain(&self, name: impl TryInto<DomainName, Error: Into<Error>>) -> DomainHandle {
        DomainHandle {
            client: self.clone(),
            name: given(name),
        }
    }
}
