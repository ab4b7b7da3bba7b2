//! Generated clients, one per platform, and the macro for the public clients.
//!
//! The generated clients are public with the feature `raw`. To change one, edit `specs/<platform>.yaml`.

macro_rules! generated {
    ($($feature:literal $name:ident $file:literal $op:literal)*) => {$(
        /// The generated client of this platform.
        #[cfg(feature = $feature)]
        #[allow(missing_docs, unused, clippy::all, clippy::pedantic, rustdoc::all)]
        pub mod $name {
            include!(concat!(env!("OUT_DIR"), $file));
            include!(concat!(env!("OUT_DIR"), $op));
        }
    )*};
}

generated! {
    "nexlayer" nexlayer "/nexlayer.rs" "/nexlayer_op.rs"
    "dployr" dployr "/dployr.rs" "/dployr_op.rs"
    "nodion" nodion "/nodion.rs" "/nodion_op.rs"
    "edgegap" edgegap "/edgegap.rs" "/edgegap_op.rs"
}

/// Allows secrets in the request of a generated client.
///
/// Without it, secrets would be redacted, so the request is rejected before it is sent.
///
/// ```no_run
/// # #[cfg(feature = "dployr")]
/// # async fn example(dployr: deploykit::dployr::Client, body: deploykit::raw::dployr::types::LoginRequest) {
/// let raw = dployr.raw();
/// let reply = deploykit::raw::with_secrets(raw.login(&body)).await;
/// # }
/// ```
#[cfg(feature = "raw")]
pub fn with_secrets<'a, T>(
    call: impl Future<Output = T> + Send + 'a,
) -> impl Future<Output = T> + Send + 'a
where
    T: 'a,
{
    crate::secret::ExposingFuture::new(Box::pin(call))
}

/// Declares the platform type, the public client, and the hooks that send the generated client's
/// requests through the pipeline. `PROFILE` must be in scope.
macro_rules! client {
    ($(#[$doc:meta])* $platform:ident, $raw:ident, $settings:ty) => {
        /// The platform, as a type parameter.
        #[derive(Clone, Copy, Debug)]
        pub enum $platform {}

        impl crate::transport::platform::sealed::Sealed for $platform {
            fn profile() -> &'static crate::transport::platform::Profile {
                &PROFILE
            }

            fn assemble(
                transport: std::sync::Arc<crate::transport::Transport>,
                settings: $settings,
            ) -> Client {
                Client {
                    scope: crate::transport::Scope::new(transport),
                    settings,
                }
            }
        }

        impl crate::transport::platform::Platform for $platform {
            type Settings = $settings;
            type Client = Client;
        }

        impl progenitor_client::ClientHooks<crate::transport::Scope> for crate::raw::$raw::Client {
            async fn pre<E>(
                &self,
                request: &mut reqwest::Request,
                info: &progenitor_client::OperationInfo,
            ) -> Result<(), progenitor_client::Error<E>> {
                self.inner
                    .prepare(request, info.operation_id)
                    .map_err(|stop| progenitor_client::Error::Custom(stop.to_owned()))
            }

            async fn exec(
                &self,
                request: reqwest::Request,
                info: &progenitor_client::OperationInfo,
            ) -> reqwest::Result<reqwest::Response> {
                // Boxed, so that the futures of all operations stay small.
                Ok(Box::pin(self.inner.execute(request, info.operation_id)).await)
            }

            async fn post<E>(
                &self,
                _: &reqwest::Result<reqwest::Response>,
                _: &progenitor_client::OperationInfo,
            ) -> Result<(), progenitor_client::Error<E>> {
                match self.inner.state().error {
                    // The caller takes the error itself from the scope.
                    Some(_) => Err(progenitor_client::Error::Custom("the call failed".to_owned())),
                    None => Ok(()),
                }
            }
        }

        $(#[$doc])*
        #[derive(Clone)]
        pub struct Client {
            scope: crate::transport::Scope,
            settings: $settings,
        }

        impl Client {
            /// A call of one operation. `run` checks the arguments, sends one request with the generated
            /// client, and converts the response.
            pub(crate) fn call<T, F, R>(&self, op: crate::raw::$raw::Op, run: F) -> crate::Call<T>
            where
                T: Send + 'static,
                F: FnOnce(crate::raw::$raw::Client) -> R + Send + 'static,
                R: std::future::Future<Output = Result<T, crate::call::Stop>> + Send + 'static,
            {
                crate::Call::new(self.scope_of(op), move |scope| async move {
                    let result = run(Self::raw_on(&scope)).await;
                    result.map_err(|stop| stop.into_error(&scope))
                })
            }

            pub(crate) fn scope_of(&self, op: crate::raw::$raw::Op) -> crate::transport::Scope {
                self.scope.to(op.info())
            }

            pub(crate) fn raw_on(scope: &crate::transport::Scope) -> crate::raw::$raw::Client {
                crate::raw::$raw::Client {
                    baseurl: scope.transport.base_url.clone(),
                    client: scope.transport.http.clone(),
                    inner: scope.clone(),
                }
            }

            /// The generated client, with every operation of the spec, on the same transport.
            ///
            /// Required arguments are positional, and a method `…_with` also takes the optional parameters.
            /// Responses are not converted. It is exempt from semver. Wrap calls that contain secrets in
            /// [`raw::with_secrets`](crate::raw::with_secrets).
            #[cfg(feature = "raw")]
            pub fn raw(&self) -> crate::raw::$raw::Client {
                Self::raw_on(&self.scope)
            }

            /// State of the rate-limit buckets of this client's account.
            ///
            /// Empty if the platform documents no rate limit or pacing is off.
            pub fn pacing(&self) -> Vec<crate::pacing::PaceState> {
                self.scope.transport.pacer.state()
            }

            /// The base URL, without a trailing slash.
            pub fn base_url(&self) -> &str {
                &self.scope.transport.base_url
            }

            /// Calls an endpoint that has no wrapper.
            ///
            /// Credentials, limits and options of this client apply. The response is JSON; text becomes a
            /// JSON string.
            ///
            /// `path` must begin with `/` and is appended to the base URL without changes. Add a query
            /// with [`Call::query`](crate::Call::query) and a body with
            /// [`Call::json`](crate::Call::json).
            ///
            /// # Errors
            /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if `path` leads out of the base URL.
            pub fn request(&self, method: http::Method, path: &str) -> crate::Call<serde_json::Value> {
                crate::call::request(self.scope.fresh(), method, path)
            }
        }

        impl std::fmt::Debug for Client {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct("Client")
                    .field("transport", &self.scope.transport)
                    .field("settings", &self.settings)
                    .finish()
            }
        }
    };
}
pub(crate) use client;

/// Declares `Handle`, a handle on one resource of the platform with this raw client.
macro_rules! handle {
    ($raw:ident) => {
        /// A handle on one resource, by its id.
        ///
        /// Creating a handle sends nothing. Its calls reject an invalid id.
        #[derive(Clone, Debug)]
        pub struct Handle<I> {
            pub(crate) client: Client,
            pub(crate) id: crate::id::CheckedId<I>,
        }

        impl<I: Clone + Send + 'static> Handle<I> {
            pub(crate) fn new(
                client: &Client,
                id: impl TryInto<I, Error: Into<crate::Error>>,
            ) -> Self
            where
                I: crate::id::Id,
            {
                Self {
                    client: client.clone(),
                    id: crate::id::checked(id),
                }
            }

            /// A call of one operation, with the checked id.
            pub(crate) fn call<T, F, R>(&self, op: crate::raw::$raw::Op, run: F) -> crate::Call<T>
            where
                T: Send + 'static,
                F: FnOnce(crate::raw::$raw::Client, I) -> R + Send + 'static,
                R: Future<Output = Result<T, crate::call::Stop>> + Send + 'static,
            {
                let id = self.id.clone();
                self.client
                    .call(op, |raw| async move { run(raw, id?).await })
            }
        }
    };
}
pub(crate) use handle;
