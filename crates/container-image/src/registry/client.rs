//! Gets a document or a blob of one repository: logs in where the registry asks for it, and follows it elsewhere.

use std::time::Duration;

use hyper::header::{ACCEPT, AUTHORIZATION, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use url::{Host, Url};

use super::authentication::{self, Challenge};
use super::tls::{self, Tls};
use crate::credentials::{self, Stored};
use crate::http::{Address, HttpError, Proxy, Request, Response, Server};
use crate::reference::split_port;
use crate::{Environment, Error, Reference};

const PATIENCE: Duration = Duration::from_mins(1);
/// Blobs are often kept by a storage service, which may have its own ideas.
const MAX_REDIRECTS: usize = 5;

/// Where images of Docker Hub really are.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

#[derive(Debug)]
pub(super) struct Client {
    environment: Environment,
    reference: Reference,
    /// Of the repository, with a slash at the end.
    base: Url,
    tls: Tls,
    authorization: Option<HeaderValue>,
    /// Where the credentials were found that were used.
    credentials_from: Option<String>,
}

impl Client {
    pub(super) fn new(
        environment: &Environment,
        insecure: &[String],
        reference: &Reference,
    ) -> Result<Self, Error> {
        let registry = reference.registry();
        let certificates = tls::directories(environment, registry);
        let is_plain = insecure.iter().any(|name| name == registry)
            || (is_this_machine(registry) && certificates.is_empty());
        let scheme = if is_plain { "http" } else { "https" };
        let host = if registry == DOCKER_HUB.0 { DOCKER_HUB.1 } else { registry };
        let base = format!("{scheme}://{host}/v2/{}/", reference.repository());
        let base = Url::parse(&base).map_err(|_| Error::BadReference {
            reference: reference.to_string(),
            reason: "its registry is no host name",
        })?;
        let tls = Tls::new(certificates);
        Ok(Self {
            environment: environment.clone(),
            reference: reference.clone(),
            base,
            tls,
            authorization: None,
            credentials_from: None,
        })
    }

    pub(super) fn registry(&self) -> &str {
        self.reference.registry()
    }

    pub(super) fn failed(&self, error: HttpError) -> Error {
        Error::Http(self.registry().to_owned(), error)
    }

    /// `path` is below the repository.
    pub(super) async fn get(&mut self, path: &str, accept: Option<&str>) -> Result<Response, Error> {
        let url = self.base.join(path).map_err(|error| self.answer(error.to_string()))?;
        let mut response = self.follow(url.clone(), accept).await?;
        if response.status.as_u16() == 401 {
            self.log_in(&response).await?;
            response = self.follow(url, accept).await?;
        }
        match response.status.as_u16() {
            200 => Ok(response),
            401 | 403 => Err(self.unauthorized()),
            404 if path.starts_with("manifests/") => Err(Error::NotInRegistry(self.reference.to_string())),
            404 => Err(Error::MissingBlob { what: self.reference.to_string(), blob: path.to_owned() }),
            status => Err(Error::RegistryRefused {
                registry: self.registry().to_owned(),
                what: format!("{path} of {}", self.reference),
                status,
                message: response.message().await,
            }),
        }
    }

    async fn follow(&mut self, mut url: Url, accept: Option<&str>) -> Result<Response, Error> {
        for _ in 0..=MAX_REDIRECTS {
            let mut request = Request::get(request_target(&url));
            if let Some(accept) = accept {
                let accept = HeaderValue::from_str(accept).map_err(|error| self.answer(error.to_string()))?;
                request.headers.push((ACCEPT, accept));
            }
            // Whoever else the registry sends us to learns no credentials.
            if url.origin() == self.base.origin() {
                request.headers.extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
            }
            let response = self.send(&url, request).await?;
            if !matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let location = response.header(LOCATION).unwrap_or_default();
            url = url.join(location).map_err(|_| self.answer(format!("it redirects to {location:?}")))?;
        }
        Err(self.answer(format!("it redirects more than {MAX_REDIRECTS} times")))
    }

    /// To the registry, or to where it says. Never without encryption, unless the registry itself has none.
    pub(super) async fn send(&mut self, url: &Url, request: Request) -> Result<Response, Error> {
        let tls = match url.scheme() {
            "https" => Some(self.tls.configuration()?),
            "http" if self.base.scheme() == "http" => None,
            _ => return Err(self.answer(format!("it leads to {url}, which is not encrypted"))),
        };
        let host = url.host_str().ok_or_else(|| self.answer(format!("it leads to {url}")))?.to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let proxy = tls.as_ref().and_then(|_| Proxy::for_host(&self.environment, &host));
        let server = Server { address: Address::Tcp { host, port, tls, proxy }, patience: PATIENCE };
        let failed = |error| Error::Http(url.host_str().unwrap_or_default().to_owned(), error);
        server.send(request).await.map_err(failed)
    }

    pub(super) fn answer(&self, reason: impl Into<String>) -> Error {
        Error::RegistryAnswer { registry: self.registry().to_owned(), reason: reason.into() }
    }

    pub(super) fn unauthorized(&self) -> Error {
        Error::Unauthorized {
            registry: self.registry().to_owned(),
            image: self.reference.to_string(),
            credentials: self.credentials_from.clone(),
        }
    }

    /// Does what the registry asks for, with credentials if there are any.
    async fn log_in(&mut self, response: &Response) -> Result<(), Error> {
        let challenges = response.headers.get_all(WWW_AUTHENTICATE);
        let challenges = challenges.iter().filter_map(|value| Challenge::read(value.to_str().ok()?));
        let challenges: Vec<Challenge> = challenges.collect();
        let (environment, registry) = (self.environment.clone(), self.registry().to_owned());
        let repository = self.reference.repository().to_owned();
        let stored = crate::image::blocking(move || credentials::find(&environment, &registry, &repository));
        let Stored { credentials, from } = stored.await?;
        self.credentials_from = from;
        let bearer = challenges.iter().find(|challenge| challenge.is("bearer"));
        let basic = challenges.iter().any(|challenge| challenge.is("basic"));
        self.authorization = match bearer {
            Some(challenge) => Some(authentication::bearer(self, challenge, credentials).await?),
            None if basic => credentials.as_ref().and_then(authentication::basic),
            None => return Err(self.answer("it wants a login of a kind that is not known")),
        };
        Ok(())
    }

    pub(super) fn repository(&self) -> &str {
        self.reference.repository()
    }
}

/// Path and query.
pub(super) fn request_target(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

fn is_this_machine(registry: &str) -> bool {
    match Host::parse(split_port(registry).0) {
        Ok(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}
