//! Images in files: OCI layouts (a directory, or one in a tar archive), and what `docker save` writes.
//!
//! Both are read from where they lie. Only what is compressed as a whole, or comes through a pipe, is kept in a
//! temporary file. Never asks the network.

mod files;

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::blob::Blob;
use crate::file_system::StoredLayer;
use crate::image::{Layers, read_config};
use crate::manifest::{Descriptor, Manifest, Parsed, choose, digest_when_imported};
use crate::{Digest, Digests, Error, Image, Limits, Platform, Reference};
use files::Files;

/// An archive that was opened. Nothing of its images was read.
pub(crate) struct Archive {
    name: String,
    files: Files,
}

/// How deep an index may be in indexes.
pub(crate) const MAX_INDEXES: usize = 3;

/// An entry of `manifest.json`, which `docker save` writes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

impl Archive {
    pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Self, Error> {
        let name =
            if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
        Ok(Self { files: Files::open(&name, path, limits)?, name })
    }

    /// What an engine saved.
    pub(crate) fn of_blob(name: &str, blob: &Blob, limits: &Limits) -> Result<Self, Error> {
        Ok(Self { files: Files::of_blob(name, blob, limits)?, name: name.to_owned() })
    }

    /// The image of that name, or the only one.
    pub(crate) fn image(
        &self,
        image: Option<&str>,
        wanted: &Platform,
        limits: &Limits,
    ) -> Result<Image, Error> {
        // Engines write both. The OCI layout knows more digests, and several platforms.
        if let Some(index) = self.document("index.json", limits)? {
            return self.oci_image(&index, image, wanted, limits);
        }
        if let Some(manifest) = self.document("manifest.json", limits)? {
            return self.saved_image(&manifest, image, wanted, limits);
        }
        let reason = "it is neither an OCI layout nor of `docker save` (`docker export` writes files without an image)";
        Err(Error::not_an_image(&self.name, reason))
    }

    fn document(&self, name: &str, limits: &Limits) -> Result<Option<Vec<u8>>, Error> {
        let what = format!("{name} of {}", self.name);
        self.files.get(name)?.map(|blob| blob.document(&what, limits.document_bytes)).transpose()
    }

    fn oci_image(
        &self,
        index: &[u8],
        image: Option<&str>,
        wanted: &Platform,
        limits: &Limits,
    ) -> Result<Image, Error> {
        let what = format!("index.json of {}", self.name);
        let Parsed::Index(manifests) = Parsed::read(&what, "", index)? else {
            return Err(Error::not_an_image(&self.name, "its index.json is no index"));
        };
        let names = |manifest: &Descriptor| manifest.names().map(str::to_owned).collect();
        let mut manifests = self.select(manifests, image, names, |manifest| manifest.digest)?;
        // One image has an entry for each of its names.
        let mut seen = BTreeSet::new();
        manifests.retain(|manifest| seen.insert(manifest.digest));
        let name = image.unwrap_or(&self.name);
        let mut digests = Digests::default();
        let mut chosen = choose(name, &manifests, wanted)?.clone();
        for _ in 0..MAX_INDEXES {
            let what = format!("the manifest of {name}");
            let bytes = self.blob(&chosen)?.document(&what, limits.document_bytes)?;
            Error::if_other_digest(&what, chosen.digest, Digest::of(&bytes))?;
            match Parsed::read(name, &chosen.media_type, &bytes)? {
                Parsed::Manifest(manifest) => {
                    digests.manifest = Some(chosen.digest);
                    return self.oci_manifest(name, &manifest, digests, wanted, limits);
                }
                Parsed::Index(manifests) => {
                    digests.index = digests.index.or(Some(chosen.digest));
                    chosen = choose(name, &manifests, wanted)?.clone();
                }
            }
        }
        Err(Error::not_an_image(name, "it is an index of indexes of indexes"))
    }

    fn oci_manifest(
        &self,
        name: &str,
        manifest: &Manifest,
        mut digests: Digests,
        wanted: &Platform,
        limits: &Limits,
    ) -> Result<Image, Error> {
        let what = format!("the configuration of {name}");
        let bytes = self.blob(&manifest.config)?.document(&what, limits.document_bytes)?;
        let expected = manifest.config.digest;
        let stored = read_config(name, &bytes, Some(expected), manifest.layers.len(), wanted, limits)?;
        digests.config = Some(expected);
        let layers = manifest.layers.iter().zip(stored.layers).map(|(layer, unpacked_digest)| {
            Ok(StoredLayer { blob: self.blob(layer)?, digest: Some(layer.digest), unpacked_digest })
        });
        let layers = Layers::Stored(layers.collect::<Result<_, Error>>()?);
        Ok(Image {
            name: name.to_owned(),
            config: stored.config,
            digests,
            repository_digests: Vec::new(),
            layers,
            limits: limits.clone(),
        })
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Blob, Error> {
        let name = format!("blobs/sha256/{}", descriptor.digest.hexadecimal());
        let blob = self.file(&name)?;
        if blob.length() == descriptor.size {
            return Ok(blob);
        }
        let reason = format!("{name} has {} bytes instead of {}", blob.length(), descriptor.size);
        Err(Error::not_an_image(&self.name, reason))
    }

    fn file(&self, name: &str) -> Result<Blob, Error> {
        let blob = crate::path::printable(name.as_bytes());
        self.files.get(name)?.ok_or_else(|| Error::MissingBlob { what: self.name.clone(), blob })
    }

    fn saved_image(
        &self,
        manifest: &[u8],
        image: Option<&str>,
        wanted: &Platform,
        limits: &Limits,
    ) -> Result<Image, Error> {
        let what = format!("manifest.json of {}", self.name);
        let saved: Vec<Saved> = serde_json::from_slice(manifest).map_err(|error| Error::json(what, error))?;
        let names = |saved: &Saved| saved.repo_tags.clone().unwrap_or_default();
        let saved = self.select(saved, image, names, |saved| saved.config.clone())?;
        let name = image.unwrap_or(&self.name);
        let Some(saved) = saved.first() else {
            return Err(Error::not_an_image(&self.name, "its manifest.json has no image"));
        };
        let what = format!("the configuration of {name}");
        let bytes = self.file(&saved.config)?.document(&what, limits.document_bytes)?;
        let layers = saved.layers.as_deref().unwrap_or_default();
        let stored = read_config(name, &bytes, named_digest(&saved.config), layers.len(), wanted, limits)?;
        let layers = layers.iter().zip(stored.layers).map(|(layer, unpacked_digest)| {
            Ok(StoredLayer { blob: self.file(layer)?, digest: None, unpacked_digest })
        });
        let layers = layers.collect::<Result<Vec<_>, Error>>()?;
        let config = Digest::of(&bytes);
        let sizes = layers.iter().map(|layer| (layer.unpacked_digest, layer.blob.length()));
        let imported = digest_when_imported((config, bytes.len() as u64), sizes);
        let digests = Digests { config: Some(config), imported, ..Digests::default() };
        let layers = Layers::Stored(layers);
        Ok(Image {
            name: name.to_owned(),
            config: stored.config,
            digests,
            repository_digests: Vec::new(),
            layers,
            limits: limits.clone(),
        })
    }

    /// Those of the images that have the name, or all if they are one image.
    fn select<T, I: Ord>(
        &self,
        images: Vec<T>,
        name: Option<&str>,
        names: impl Fn(&T) -> Vec<String>,
        identity: impl Fn(&T) -> I,
    ) -> Result<Vec<T>, Error> {
        let tagged = images.iter().filter(|image| !names(image).is_empty());
        let is_one = tagged.map(identity).collect::<BTreeSet<I>>().len() <= 1;
        let present = || images.iter().flat_map(&names).collect::<BTreeSet<_>>().into_iter().collect();
        let Some(name) = name else {
            if is_one {
                return Ok(images);
            }
            return Err(Error::SeveralImages { archive: self.name.clone(), present: present() });
        };
        let is_it = |image: &T| names(image).iter().any(|present| is_same_name(present, name));
        if !images.iter().any(is_it) {
            return Err(Error::NotInArchive {
                image: name.to_owned(),
                archive: self.name.clone(),
                present: present(),
            });
        }
        Ok(images.into_iter().filter(is_it).collect())
    }
}

/// `api` is `docker.io/library/api:latest`.
fn is_same_name(present: &str, wanted: &str) -> bool {
    let whole = |name: &str| name.parse::<Reference>().ok();
    present == wanted || whole(present).is_some_and(|present| whole(wanted) == Some(present))
}

/// The digest that the name of a configuration's file is: `DIGITS.json`, `blobs/sha256/DIGITS`, `sha256:DIGITS`.
fn named_digest(file: &str) -> Option<Digest> {
    let name = file.rsplit(['/', ':']).next().unwrap_or_default();
    Digest::from_hexadecimal(name.strip_suffix(".json").unwrap_or(name))
}
