//! Docker and Podman on this machine, through the part of their API that both have: images, and which process a
//! container is.

mod address;
mod container;

pub use container::{Container, ContainerMount, find_container};

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::archive::Archive;
use crate::config::Inspected;
use crate::http::{HttpError, Request, Response, Server};
use crate::image::{Layers, blocking};
use crate::manifest::check_platform;
use crate::{Attempt, Digest, Digests, Environment, Error, Image, Limits, Platform, temporary};

/// An engine may pack all layers before it sends the first byte.
const PATIENCE: Duration = Duration::from_mins(10);

/// One that may or may not answer.
#[derive(Clone, Debug)]
struct Engine {
    /// As users write it.
    address: String,
    server: Server,
}

/// An image that an engine has.
#[derive(Debug)]
pub(crate) struct EngineImage {
    engine: Engine,
    id: String,
    config_digest: Option<Digest>,
}

/// The image of the first engine that has it.
pub(crate) async fn find(
    environment: &Environment,
    image: &str,
    wanted: &Platform,
    limits: &Limits,
) -> Result<Image, Error> {
    check_name(image)?;
    match first(environment, async |engine| engine.inspect(image, None, limits).await).await? {
        Search::Found(engine, inspected) => engine.image(image, inspected, wanted, limits).await,
        Search::Nowhere { engines, unanswered } => {
            Err(Error::NotInEngine { image: image.to_owned(), engines, unanswered })
        }
    }
}

/// What came of asking all engines for something.
enum Search<Answer> {
    /// By the first that has it.
    Found(Engine, Answer),
    Nowhere {
        /// Those that were asked.
        engines: Vec<String>,
        /// Those that are there and did not answer.
        unanswered: Vec<Attempt>,
    },
}

/// Asks one engine after the other. That none answers is an error.
async fn first<Answer>(
    environment: &Environment,
    ask: impl AsyncFn(&Engine) -> Result<Option<Answer>, Error>,
) -> Result<Search<Answer>, Error> {
    let mut unanswered = Vec::new();
    let mut engines = Vec::new();
    for engine in address::engines(environment)? {
        match ask(&engine).await {
            Ok(Some(answer)) => return Ok(Search::Found(engine, answer)),
            Ok(None) => engines.push(engine.address),
            Err(Error::Http(address, error @ (HttpError::Connect(_) | HttpError::Timeout(_)))) => {
                unanswered.push(Attempt { address, reason: reason(&error) });
            }
            Err(error) => return Err(error),
        }
    }
    if engines.is_empty() {
        return Err(Error::NoEngine(unanswered));
    }
    // Most machines have but one engine.
    unanswered.retain(|attempt| attempt.reason != NOT_THERE);
    Ok(Search::Nowhere { engines, unanswered })
}

/// The name becomes part of a path.
fn check_name(image: &str) -> Result<(), Error> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@-".contains(&byte);
    if image.is_empty()
        || !image.bytes().all(is_good)
        || image.split('/').any(|part| matches!(part, "" | "." | ".."))
    {
        let reason = "it is neither a name nor an ID";
        return Err(Error::BadReference { reference: image.to_owned(), reason });
    }
    Ok(())
}

const NOT_THERE: &str = "it does not exist";

fn reason(error: &HttpError) -> String {
    use std::io::ErrorKind;
    match error {
        HttpError::Connect(error) => match error.kind() {
            ErrorKind::NotFound => NOT_THERE.to_owned(),
            ErrorKind::PermissionDenied => "no permission".to_owned(),
            ErrorKind::ConnectionRefused => "nobody listens".to_owned(),
            _ => error.to_string(),
        },
        other => other.to_string(),
    }
}

impl Engine {
    async fn get(&self, path: String) -> Result<Response, Error> {
        // Without a version in it, which is the current one of every engine.
        self.server.send(Request::get(path)).await.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: HttpError) -> Error {
        Error::Http(self.address.clone(), error)
    }

    async fn refused(&self, what: String, response: Response) -> Error {
        Error::EngineRefused {
            engine: self.address.clone(),
            what,
            status: response.status.as_u16(),
            message: response.message().await,
        }
    }

    async fn inspect(
        &self,
        image: &str,
        platform: Option<&Platform>,
        limits: &Limits,
    ) -> Result<Option<Inspected>, Error> {
        let mut path = format!("/images/{image}/json");
        if let Some(platform) = platform {
            let Platform { os, architecture, variant } = platform;
            let mut value = serde_json::json!({ "os": os, "architecture": architecture });
            if !variant.is_empty() {
                value["variant"] = variant.as_str().into();
            }
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("platform", &value.to_string())
                .finish();
            path = format!("{path}?{query}");
        }
        self.document(path, format!("image {image}"), limits).await
    }

    /// What the engine says of something; none if it does not have it.
    async fn document<Document: DeserializeOwned>(
        &self,
        path: String,
        what: String,
        limits: &Limits,
    ) -> Result<Option<Document>, Error> {
        let response = self.get(path).await?;
        if response.status.as_u16() == 404 {
            return Ok(None);
        }
        if !response.status.is_success() {
            return Err(self.refused(what, response).await);
        }
        let bytes = response.bytes(limits.document_bytes).await.map_err(|error| self.failed(error))?;
        let said = format!("what {} says of {what}", self.address);
        serde_json::from_slice(&bytes).map(Some).map_err(|source| Error::json(said, source))
    }

    async fn image(
        self,
        name: &str,
        mut inspected: Inspected,
        wanted: &Platform,
        limits: &Limits,
    ) -> Result<Image, Error> {
        // An engine that keeps images as registries do may have it for several platforms, and shows one.
        let is_other = inspected.descriptor.is_some() && !inspected.platform().serves(wanted);
        if is_other && let Ok(Some(other)) = self.inspect(name, Some(wanted), limits).await {
            inspected = other;
        }
        check_platform(name, &inspected.platform(), wanted)?;
        let digests = inspected.digests();
        let repository_digests = inspected.repository_digests();
        let id = inspected.id.clone();
        check_name(&id)?;
        Ok(Image {
            name: name.to_owned(),
            config: inspected.into_config(),
            digests,
            repository_digests,
            layers: Layers::Engine(EngineImage { engine: self, id, config_digest: digests.config }),
            limits: limits.clone(),
        })
    }
}

impl Inspected {
    fn repository_digests(&self) -> Vec<Digest> {
        self.repo_digests.iter().filter_map(|name| name.rsplit('@').next()?.parse().ok()).collect()
    }

    /// What the ID is depends on how the engine keeps images.
    fn digests(&self) -> Digests {
        match &self.descriptor {
            Some(descriptor)
                if descriptor.media_type.contains("index") || descriptor.media_type.contains("list") =>
            {
                Digests { index: Some(descriptor.digest), ..Digests::default() }
            }
            Some(descriptor) => Digests { manifest: Some(descriptor.digest), ..Digests::default() },
            None => {
                let digits = self.id.strip_prefix("sha256:").unwrap_or(&self.id);
                Digests { config: Digest::from_hexadecimal(digits), ..Digests::default() }
            }
        }
    }
}

impl EngineImage {
    /// Has the engine pack the image, and finds it in there. By ID: the name may mean another one by now.
    pub(crate) async fn save(self, name: &str, platform: &Platform, limits: &Limits) -> Result<Image, Error> {
        let response = self.engine.get(format!("/images/{}/get", self.id)).await?;
        if !response.status.is_success() {
            return Err(self.engine.refused(format!("image {name}"), response).await);
        }
        let what = format!("{name} as {} saves it", self.engine.address);
        let (blob, _) =
            temporary::download(&self.engine.address, &what, response, limits.stored_bytes).await?;
        let (platform, limits) = (platform.clone(), limits.clone());
        blocking(move || {
            let image = Archive::of_blob(&what, &blob, &limits)?.image(None, &platform, &limits)?;
            if let (Some(expected), Some(found)) = (self.config_digest, image.digests.config) {
                Error::if_other_digest(&format!("the configuration of {what}"), expected, found)?;
            }
            Ok(image)
        })
        .await
    }
}
