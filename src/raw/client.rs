//! The public client around a generated one.

/// Declares a platform as a type, its public client on the shared transport, and the hooks that lead the
/// generated client through the pipeline. `PROFILE` must be in scope.
macro_rules! client {
    ($(#[$doc:meta])* $platform:ident, $raw:ident, $settings:ty) => {
        /// The platform, as a type.
        #[derive(Clone, Copy, Debug)]
        pub enum $platform {}

        impl crate::transport::config::sealed::Sealed for $platform {
            fn profile() -> &'static crate::transport::profile::Profile {
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

        impl crate::transport::config::Platform for $platform {
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
                    // It waits in the scope.
                    Some(_) => Err(progenitor_client::Error::Custom("it failed".to_owned())),
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
            /// A call of one operation. `run` gets the generated client; it checks arguments, makes one
            /// request and converts the reply.
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

            /// The generated client on the same transport: every operation of the spec, positional
            /// arguments, no conversions. Exempt from semver. Its calls go through
            /// [`raw::sending`](crate::raw::sending).
            #[cfg(feature = "raw")]
            pub fn raw(&self) -> crate::raw::$raw::Client {
                Self::raw_on(&self.scope)
            }

            /// How the buckets of this client's account stand, for a dashboard or a log; none where the
            /// platform documents no rate or pacing is off.
            pub fn pacing(&self) -> Vec<crate::pacing::PaceState> {
                self.scope.transport.pacer.state()
            }

            /// The base URL without a slash at its end.
            pub fn base_url(&self) -> &str {
                &self.scope.transport.base_url
            }

            /// A call to an endpoint that has no wrapper, with the same options, credentials, limits
            /// and errors as every other call. The reply is JSON; text becomes a JSON string.
            ///
            /// `path` is appended to the base URL as it is and must begin with `/`. A query goes
            /// through [`Call::query`](crate::Call::query), a body through
            /// [`Call::json`](crate::Call::json).
            ///
            /// # Errors
            /// Those of every call; [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)
            /// for a path that leads out of the base URL.
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
