//! Manifests and indexes: which configuration and layers an image has, and which image is for which platform.
//!
//! Owns their forms, of OCI and of Docker. Fetching what they point to is others'.

use serde::{Deserialize, Serialize};

use crate::path::printable;
use crate::{Digest, Error, Platform};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// What a registry is asked for.
pub(crate) const ACCEPTED: [&str; 4] = [OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST];

/// Points to a blob or a manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    annotations: Option<Annotations>,
}

#[derive(Clone, Debug, Deserialize)]
struct Annotations {
    #[serde(rename = "org.opencontainers.image.ref.name")]
    reference_name: Option<String>,
    #[serde(rename = "io.containerd.image.name")]
    containerd_name: Option<String>,
    #[serde(rename = "vnd.docker.reference.type")]
    docker_type: Option<String>,
}

impl Descriptor {
    /// The names that an archive's index gives it, the whole one first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let annotations = self.annotations.as_ref();
        let names = annotations.map(|names| [&names.containerd_name, &names.reference_name]);
        names.into_iter().flatten().flatten().map(String::as_str)
    }

    /// Provenance and the like, which builders put beside the images.
    fn is_attestation(&self) -> bool {
        self.platform.as_ref().is_some_and(Platform::is_unknown)
            || self.annotations.as_ref().is_some_and(|annotations| annotations.docker_type.is_some())
    }
}

/// An image for one platform.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

/// What a manifest's bytes are.
#[derive(Debug)]
pub(crate) enum Parsed {
    Manifest(Box<Manifest>),
    Index(Vec<Descriptor>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<u32>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

impl Parsed {
    /// `media_type` is what whoever pointed here said of it. `what` names the image in errors.
    pub(crate) fn read(what: &str, media_type: &str, bytes: &[u8]) -> Result<Self, Error> {
        let document: Document = serde_json::from_slice(bytes).map_err(|source| Error::json(what, source))?;
        if document.schema_version == Some(1) {
            let reason =
                "its manifest has Docker's first schema; pull and push it again with a current engine";
            return Err(Error::not_an_image(what, reason));
        }
        let own_type = document.media_type.as_deref().unwrap_or(media_type);
        // What could be read either way would be one image here and another elsewhere.
        match (document.manifests, document.config, document.layers) {
            (Some(manifests), None, None) if !matches!(own_type, OCI_MANIFEST | DOCKER_MANIFEST) => {
                Ok(Self::Index(manifests))
            }
            (None, Some(config), Some(layers)) if !matches!(own_type, OCI_INDEX | DOCKER_INDEX) => {
                if !matches!(&config.media_type[..], OCI_CONFIG | DOCKER_CONFIG) {
                    let kind = document.artifact_type.unwrap_or(config.media_type);
                    return Err(Error::not_an_image(what, format!("it is {}", printable(kind.as_bytes()))));
                }
                if let Some(layer) = layers.iter().find(|layer| !is_layer(&layer.media_type)) {
                    let kind = printable(layer.media_type.as_bytes());
                    return Err(Error::not_an_image(what, format!("one of its layers is {kind}")));
                }
                Ok(Self::Manifest(Box::new(Manifest { config, layers })))
            }
            _ => Err(Error::not_an_image(what, "its manifest is neither that of an image nor an index")),
        }
    }
}

/// The manifest that containerd writes for an image that it imports from what `docker save` wrote, which has none.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Imported {
    schema_version: u32,
    media_type: &'static str,
    config: ImportedBlob,
    layers: Vec<ImportedBlob>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImportedBlob {
    media_type: &'static str,
    digest: String,
    size: u64,
}

impl ImportedBlob {
    fn new(media_type: &'static str, (digest, size): (Digest, u64)) -> Self {
        Self { media_type, digest: digest.to_string(), size }
    }
}

/// The digest of that manifest, of the digests and sizes of the configuration and the uncompressed layers.
pub(crate) fn digest_when_imported(
    config: (Digest, u64),
    layers: impl Iterator<Item = (Digest, u64)>,
) -> Option<Digest> {
    let manifest = Imported {
        schema_version: 2,
        media_type: DOCKER_MANIFEST,
        config: ImportedBlob::new(DOCKER_CONFIG, config),
        layers: layers.map(|layer| ImportedBlob::new(DOCKER_LAYER, layer)).collect(),
    };
    serde_json::to_vec(&manifest).ok().map(|bytes| Digest::of(&bytes))
}

/// A tar archive, however compressed. Not what is encrypted.
fn is_layer(media_type: &str) -> bool {
    let plain = media_type.split('+').next().unwrap_or_default();
    !media_type.contains("+encrypted")
        && matches!(
            plain.strip_suffix(".gzip").or_else(|| plain.strip_suffix(".zstd")).unwrap_or(plain),
            "application/vnd.oci.image.layer.v1.tar"
                | "application/vnd.oci.image.layer.nondistributable.v1.tar"
                | "application/vnd.docker.image.rootfs.diff.tar"
                | "application/vnd.docker.image.rootfs.foreign.diff.tar"
        )
}

/// The manifest in an index that is for a platform.
pub(crate) fn choose<'a>(
    image: &str,
    manifests: &'a [Descriptor],
    wanted: &Platform,
) -> Result<&'a Descriptor, Error> {
    let images = || manifests.iter().filter(|manifest| !manifest.is_attestation());
    let serving = images().find(|manifest| manifest.platform.as_ref().is_some_and(|it| it.serves(wanted)));
    if let Some(manifest) = serving {
        return Ok(manifest);
    }
    // Tools that build for one platform leave it out. The configuration says it, and is checked.
    match (images().next(), images().nth(1)) {
        (Some(only), None) if only.platform.is_none() => Ok(only),
        _ => Err(Error::NoSuchPlatform {
            image: image.to_owned(),
            wanted: wanted.to_string(),
            present: images()
                .map(|manifest| {
                    manifest.platform.as_ref().map_or("one not named".to_owned(), Platform::to_string)
                })
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// Checks that a configuration is for a platform. Old tools leave it out.
pub(crate) fn check_platform(image: &str, found: &Platform, wanted: &Platform) -> Result<(), Error> {
    if (found.os.is_empty() && found.architecture.is_empty()) || found.serves(wanted) {
        return Ok(());
    }
    let (wanted, present) = (wanted.to_string(), printable(found.to_string().as_bytes()));
    Err(Error::NoSuchPlatform { image: image.to_owned(), wanted, present })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn descriptor(media_type: &str, more: &str) -> String {
        format!(r#"{{"mediaType":"{media_type}","digest":"{DIGEST}","size":7{more}}}"#)
    }

    fn reason(document: &str) -> String {
        Parsed::read("it", "", document.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_could_be_an_index_or_an_image_is_neither() {
        let config = descriptor(OCI_CONFIG, "");
        let both = format!(r#"{{"schemaVersion":2,"manifests":[],"config":{config},"layers":[]}}"#);
        assert!(reason(&both).contains("neither"), "{}", reason(&both));
        let misnamed = format!(r#"{{"mediaType":"{OCI_INDEX}","config":{config},"layers":[]}}"#);
        assert!(reason(&misnamed).contains("neither"));
        let misnamed = format!(r#"{{"mediaType":"{OCI_MANIFEST}","manifests":[]}}"#);
        assert!(reason(&misnamed).contains("neither"));
    }

    #[test]
    fn a_helm_chart_is_no_image() {
        let config = descriptor("application/vnd.cncf.helm.config.v1+json", "");
        let chart = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#);
        assert_eq!(
            reason(&chart),
            "it is not a container image: it is application/vnd.cncf.helm.config.v1+json"
        );
    }

    #[test]
    fn an_encrypted_layer_is_named() {
        let layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "");
        let config = descriptor(OCI_CONFIG, "");
        let image = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#);
        assert!(reason(&image).contains("tar+gzip+encrypted"), "{}", reason(&image));
    }

    #[test]
    fn every_media_type_of_a_layer_is_known() {
        for layer in [
            "application/vnd.oci.image.layer.v1.tar",
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "application/vnd.docker.image.rootfs.diff.tar.zstd",
        ] {
            assert!(is_layer(layer), "{layer}");
        }
        assert!(!is_layer("application/vnd.in-toto+json"));
    }

    /// As containerd 1.7.24 named an image that `kind load docker-image` brought, and had written it.
    #[test]
    fn an_imported_image_has_the_digest_that_containerd_gives_it() {
        let digest = |digits: &str| Digest::from_hexadecimal(digits).unwrap();
        let config = (digest("562875726ceb65394445fc5df11804e78cdc2f466f0929141411e114e8aca90e"), 2639);
        let layers = [
            (digest("476c8ad50ad9d1dd44e3e588980e38437741332e399a4264e510eae3fb0bafb6"), 2_601_984),
            (digest("3e080ca117cbb5c5e756ab1b8108637ad1e856d2f827ca6fc72496790c541336"), 36864),
            (digest("7135f72aae896efcab47b784158eae258919a9727994ffe9d63929207e3ca73e"), 1_059_328),
            (digest("084b4d2056455a175176d9dce0417f7044da65a333c4e6d74838dabed4e0c956"), 3584),
        ];
        let named = "f9cfef4e01022e34598dc943998ab901272859f7a48a2fc6c3df71760511cfa6";
        assert_eq!(digest_when_imported(config, layers.into_iter()), Some(digest(named)));
    }

    #[test]
    fn attestations_are_no_platforms() {
        let manifests = [
            descriptor(OCI_MANIFEST, r#","platform":{"os":"linux","architecture":"amd64"}"#),
            descriptor(OCI_MANIFEST, r#","platform":{"os":"linux","architecture":"arm64"}"#),
            descriptor(OCI_MANIFEST, r#","platform":{"os":"unknown","architecture":"unknown"}"#),
        ];
        let manifests: Vec<Descriptor> =
            manifests.iter().map(|manifest| serde_json::from_str(manifest).unwrap()).collect();
        let error = choose("shop/api", &manifests, &Platform::linux("s390x")).unwrap_err();
        assert_eq!(error.to_string(), "shop/api is not for linux/s390x; it is for: linux/amd64, linux/arm64");
        let chosen = choose("shop/api", &manifests, &Platform::linux("arm64")).unwrap();
        assert_eq!(chosen.platform, Some(Platform::linux("arm64")));
    }
}
