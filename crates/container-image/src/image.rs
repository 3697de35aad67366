//! An image that was found: its configuration, and the way to its files.

use crate::config::StoredConfig;
use crate::engine::EngineImage;
use crate::file_system::StoredLayer;
use crate::manifest::check_platform;
use crate::registry::RegistryImage;
use crate::{Digest, Error, FileSystem, ImageConfig, Limits, Platform};

/// What is known of an image's identity. Not every place knows everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// Of the configuration: what Docker and the kubelet call the image's ID.
    pub config: Option<Digest>,
    /// Of the manifest for the platform.
    pub manifest: Option<Digest>,
    /// Of the index over all platforms.
    pub index: Option<Digest>,
    /// Of the manifest that containerd makes when it imports the image from what `docker save` wrote, which has none:
    /// what nodes call an image that `kind load` brought.
    pub imported: Option<Digest>,
}

impl Digests {
    /// Whether this is one of them.
    #[must_use]
    pub fn contains(&self, digest: Digest) -> bool {
        [self.config, self.manifest, self.index, self.imported].contains(&Some(digest))
    }
}

/// An image for one platform. So far only its configuration was read.
#[derive(Debug)]
pub struct Image {
    pub(crate) name: String,
    pub(crate) config: ImageConfig,
    pub(crate) digests: Digests,
    /// Those that registries have it under, where an engine remembers them: of manifests or indexes.
    pub(crate) repository_digests: Vec<Digest>,
    pub(crate) layers: Layers,
    pub(crate) limits: Limits,
}

/// Where the layers are.
#[derive(Debug)]
pub(crate) enum Layers {
    Stored(Vec<StoredLayer>),
    Registry(Box<RegistryImage>),
    Engine(EngineImage),
}

impl Image {
    /// What it was asked for as.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its containers run.
    #[must_use]
    pub const fn config(&self) -> &ImageConfig {
        &self.config
    }

    /// Its identity.
    #[must_use]
    pub const fn digests(&self) -> Digests {
        self.digests
    }

    /// Whether this is a digest of it, also of what an engine remembers to have pulled or pushed.
    #[must_use]
    pub fn has_digest(&self, digest: Digest) -> bool {
        self.digests.contains(digest) || self.repository_digests.contains(&digest)
    }

    /// Its identity, also in what an engine saves of it, which is what `kind load` and the like bring to nodes.
    ///
    /// Has the engine pack the whole image, as [`Self::into_file_system`] does.
    pub async fn digests_when_saved(self) -> Result<Digests, Error> {
        let Layers::Engine(image) = self.layers else { return Ok(self.digests) };
        let saved = image.save(&self.name, &self.config.platform, &self.limits).await?.digests;
        Ok(Digests {
            config: self.digests.config.or(saved.config),
            manifest: self.digests.manifest.or(saved.manifest),
            index: self.digests.index.or(saved.index),
            imported: saved.imported,
        })
    }

    /// Its files. Fetches the layers from where the image is, checks and reads them, which may take a while.
    ///
    /// Needs room for the stored layers in the temporary directory, unless the image is in an archive that is not
    /// compressed.
    pub async fn into_file_system(self) -> Result<FileSystem, Error> {
        let Self { name, config, limits, .. } = self;
        let layers = match self.layers {
            Layers::Stored(layers) => layers,
            Layers::Registry(image) => image.download(&name, &limits).await?,
            Layers::Engine(image) => match image.save(&name, &config.platform, &limits).await?.layers {
                Layers::Stored(layers) => layers,
                Layers::Registry(_) | Layers::Engine(_) => {
                    return Err(Error::not_an_image(name, "its layers are elsewhere"));
                }
            },
        };
        blocking(move || FileSystem::read(&name, layers, limits)).await
    }
}

/// Work on files, away from what waits for the network.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::unreadable("the image", std::io::ErrorKind::Interrupted.into())),
        },
    }
}

/// Checks a configuration's bytes and what they say against what the manifest and the caller want.
pub(crate) fn read_config(
    image: &str,
    bytes: &[u8],
    expected: Option<Digest>,
    layers: usize,
    wanted: &Platform,
    limits: &Limits,
) -> Result<StoredConfig, Error> {
    let what = format!("the configuration of {image}");
    if let Some(expected) = expected {
        Error::if_other_digest(&what, expected, Digest::of(bytes))?;
    }
    let stored = StoredConfig::read(&what, bytes)?;
    check_platform(image, &stored.config.platform, wanted)?;
    if layers > limits.layers {
        return Err(Error::TooManyLayers { image: image.to_owned(), layers, limit: limits.layers });
    }
    if stored.layers.len() != layers {
        let reason = format!("its manifest has {layers} layers, its configuration {}", stored.layers.len());
        return Err(Error::not_an_image(image, reason));
    }
    Ok(stored)
}
