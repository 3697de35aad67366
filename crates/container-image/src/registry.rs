//! Images in registries: the distribution API, of which three requests are needed.
//!
//! Owns which manifest, configuration and layers to fetch. How a request gets through is [`client`]'s.

mod authentication;
mod client;
mod tls;

use crate::archive::MAX_INDEXES;
use crate::file_system::StoredLayer;
use crate::image::{Layers, read_config};
use crate::manifest::{ACCEPTED, Descriptor, Parsed, choose};
use crate::{Digest, Digests, Environment, Error, Image, Limits, Platform, Reference, temporary};
use client::Client;

/// An image of a registry, of which the layers are still there.
#[derive(Debug)]
pub(crate) struct RegistryImage {
    client: Client,
    /// And their digests as tar archives.
    layers: Vec<(Descriptor, Digest)>,
}

pub(crate) async fn find(
    environment: &Environment,
    insecure: &[String],
    reference: &Reference,
    wanted: &Platform,
    limits: &Limits,
) -> Result<Image, Error> {
    let mut client = Client::new(environment, insecure, reference)?;
    let name = reference.to_string();
    let mut digests = Digests::default();
    let mut selector = reference.selector();
    let mut expected = reference.digest();
    for _ in 0..=MAX_INDEXES {
        let path = format!("manifests/{selector}");
        let response = client.get(&path, Some(&ACCEPTED.join(", "))).await?;
        let media_type = response.header(hyper::header::CONTENT_TYPE).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_owned();
        let bytes = response.bytes(limits.document_bytes).await.map_err(|error| client.failed(error))?;
        let digest = Digest::of(&bytes);
        if let Some(expected) = expected {
            Error::if_other_digest(&format!("the manifest of {name}"), expected, digest)?;
        }
        match Parsed::read(&name, &media_type, &bytes)? {
            Parsed::Index(manifests) => {
                digests.index = digests.index.or(Some(digest));
                let chosen = choose(&name, &manifests, wanted)?.digest;
                selector = chosen.to_string();
                expected = Some(chosen);
            }
            Parsed::Manifest(manifest) => {
                digests.manifest = Some(digest);
                digests.config = Some(manifest.config.digest);
                let bytes = client.document(&manifest.config, limits).await?;
                let expected = Some(manifest.config.digest);
                let stored = read_config(&name, &bytes, expected, manifest.layers.len(), wanted, limits)?;
                let layers = manifest.layers.into_iter().zip(stored.layers).collect();
                let layers = Layers::Registry(Box::new(RegistryImage { client, layers }));
                return Ok(Image {
                    name,
                    config: stored.config,
                    digests,
                    repository_digests: Vec::new(),
                    layers,
                    limits: limits.clone(),
                });
            }
        }
    }
    Err(Error::not_an_image(name, "it is an index of indexes of indexes"))
}

impl RegistryImage {
    pub(crate) async fn download(mut self, name: &str, limits: &Limits) -> Result<Vec<StoredLayer>, Error> {
        let mut stored = Vec::new();
        for (number, (layer, unpacked_digest)) in self.layers.iter().enumerate() {
            let what = format!("layer {} of {} of {name}", number + 1, self.layers.len());
            if layer.size > limits.stored_bytes {
                return Err(Error::too_large(what, limits.stored_bytes));
            }
            let response = self.client.get(&format!("blobs/{}", layer.digest), None).await?;
            let (blob, found) =
                temporary::download(self.client.registry(), &what, response, layer.size).await?;
            Error::if_other_digest(&what, layer.digest, found)?;
            // Checked just now, while it came.
            stored.push(StoredLayer { blob, digest: None, unpacked_digest: *unpacked_digest });
        }
        Ok(stored)
    }
}

impl Client {
    async fn document(&mut self, descriptor: &Descriptor, limits: &Limits) -> Result<Vec<u8>, Error> {
        let response = self.get(&format!("blobs/{}", descriptor.digest), None).await?;
        response.bytes(limits.document_bytes).await.map_err(|error| self.failed(error))
    }
}
