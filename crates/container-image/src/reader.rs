//! The places where images are, as a caller asks them.

use std::path::Path;

use crate::archive::Archive;
use crate::image::blocking;
use crate::{Environment, Error, Image, Limits, Platform, Reference, engine, registry};

/// Finds images.
#[derive(Clone, Debug, Default)]
pub struct ImageReader {
    environment: Environment,
    insecure_registries: Vec<String>,
    limits: Limits,
}

impl ImageReader {
    /// With the engines, certificates and credentials of an environment.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self { environment, ..Self::default() }
    }

    /// Registries, as `HOST[:PORT]`, that are asked without encryption. Those of this machine are anyway, unless there
    /// are certificates for them.
    #[must_use]
    pub fn with_insecure_registries(mut self, registries: Vec<String>) -> Self {
        self.insecure_registries = registries;
        self
    }

    /// With other limits than the usual.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// An image of Docker or Podman on this machine: `DOCKER_HOST`, else the first of Docker's context, `CONTAINER_HOST`
    /// and the usual sockets that has it. `image` is a name or an ID, as the engine knows it.
    pub async fn from_engine(&self, image: &str, platform: &Platform) -> Result<Image, Error> {
        engine::find(&self.environment, image, platform, &self.limits).await
    }

    /// An image of a registry, with the credentials that `docker login` or `podman login` stored, if there are any.
    pub async fn from_registry(&self, image: &Reference, platform: &Platform) -> Result<Image, Error> {
        registry::find(&self.environment, &self.insecure_registries, image, platform, &self.limits).await
    }

    /// An image in a file of `docker save` or `podman save`, or in an OCI layout, which may be a directory; files may be
    /// compressed, and `-` is the standard input. `image` chooses among several by name.
    pub async fn from_archive(
        &self,
        path: &Path,
        image: Option<&str>,
        platform: &Platform,
    ) -> Result<Image, Error> {
        let (path, image) = (path.to_owned(), image.map(str::to_owned));
        let (platform, limits) = (platform.clone(), self.limits.clone());
        blocking(move || Archive::open(&path, &limits)?.image(image.as_deref(), &platform, &limits)).await
    }
}
