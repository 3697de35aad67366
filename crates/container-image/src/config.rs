//! The configuration of an image: what its containers run, unless something else is said.
//!
//! Owns both ways it is written: as a blob of the image (OCI and Docker alike), and as an engine tells it.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::{Digest, Error, Platform};

/// What a container of the image runs, where, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageConfig {
    /// The program and its first arguments. Empty where the image has none.
    #[serde(deserialize_with = "words")]
    pub entrypoint: Vec<String>,
    /// Further arguments; the whole command line of an image without entry point.
    #[serde(deserialize_with = "words", rename = "Cmd")]
    pub command: Vec<String>,
    /// The user, as `65532` or `nobody:nogroup`. Empty for root.
    #[serde(deserialize_with = "or_default")]
    pub user: String,
    /// Where it is started. Empty for the root.
    #[serde(deserialize_with = "or_default", rename = "WorkingDir")]
    pub working_directory: String,
    /// `NAME=VALUE`.
    #[serde(deserialize_with = "or_default", rename = "Env")]
    pub environment: Vec<String>,
    /// The signal that ends it. Empty for SIGTERM.
    #[serde(deserialize_with = "or_default")]
    pub stop_signal: String,
    /// Directories that each container gets a volume for.
    #[serde(deserialize_with = "keys")]
    pub volumes: Vec<String>,
    /// What the image runs on.
    #[serde(skip)]
    pub platform: Platform,
}

impl ImageConfig {
    /// A variable of [`Self::environment`]. The last one counts.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let value = |pair: &'_ String| pair.split_once('=').is_some_and(|(key, _)| key == name);
        self.environment.iter().rev().find(|pair| value(pair))?.split_once('=').map(|(_, value)| value)
    }
}

/// A configuration as it is stored, and the digests of the layers as tar archives.
pub(crate) struct StoredConfig {
    pub(crate) config: ImageConfig,
    pub(crate) layers: Vec<Digest>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(flatten)]
    platform: Platform,
    config: Option<ImageConfig>,
    rootfs: Option<RootFileSystem>,
}

#[derive(Deserialize)]
struct RootFileSystem {
    #[serde(deserialize_with = "or_default", default)]
    diff_ids: Vec<Digest>,
}

impl StoredConfig {
    pub(crate) fn read(what: &str, bytes: &[u8]) -> Result<Self, Error> {
        let document: Document = serde_json::from_slice(bytes).map_err(|source| Error::json(what, source))?;
        let Some(root_file_system) = document.rootfs else {
            return Err(Error::not_an_image(what, "its configuration names no layers"));
        };
        let config = ImageConfig { platform: document.platform, ..document.config.unwrap_or_default() };
        Ok(Self { config, layers: root_file_system.diff_ids })
    }
}

/// What an engine says of an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Inspected {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) platform: EnginePlatform,
    #[serde(deserialize_with = "or_default", default)]
    config: ImageConfig,
    /// `REPOSITORY@DIGEST` of each repository that it was pulled from or pushed to.
    #[serde(deserialize_with = "or_default", default)]
    pub(crate) repo_digests: Vec<String>,
    /// Where the engine keeps images as a registry does. Then the ID is this one's.
    pub(crate) descriptor: Option<InspectedDescriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InspectedDescriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
}

/// A platform in the engine's spelling.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EnginePlatform {
    #[serde(deserialize_with = "or_default", default)]
    os: String,
    #[serde(deserialize_with = "or_default", default)]
    architecture: String,
    #[serde(deserialize_with = "or_default", default)]
    variant: String,
}

impl Inspected {
    pub(crate) fn platform(&self) -> Platform {
        let EnginePlatform { os, architecture, variant } = &self.platform;
        Platform { os: os.clone(), architecture: architecture.clone(), variant: variant.clone() }
    }

    pub(crate) fn into_config(self) -> ImageConfig {
        ImageConfig { platform: self.platform(), ..self.config }
    }
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Of a map whose values say nothing.
fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[expect(clippy::zero_sized_map_values, reason = "a set is read from a list")]
    let map: Option<BTreeMap<String, IgnoredAny>> = Option::deserialize(deserializer)?;
    Ok(map.unwrap_or_default().into_keys().collect())
}

/// A list, or what Docker also takes for one: a single text, or nothing.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        List(Vec<String>),
        One(String),
    }
    Ok(match Option::deserialize(deserializer)? {
        Some(Words::List(list)) => list,
        Some(Words::One(one)) => vec![one],
        None => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_the_same_as_null() {
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let nulls = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"Entrypoint":null,"Cmd":null,"Env":null,"User":null}},
            "rootfs":{{"type":"layers","diff_ids":["{digest}"]}}}}"#
        );
        let read = StoredConfig::read("it", nulls.as_bytes()).unwrap();
        let platform = Platform::linux("amd64");
        assert_eq!(read.config, ImageConfig { platform, ..ImageConfig::default() });
        assert_eq!(read.layers.len(), 1);
        let without = r#"{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":null}}"#;
        assert_eq!(StoredConfig::read("it", without.as_bytes()).unwrap().config, read.config);
    }

    #[test]
    fn what_names_no_layers_is_no_image() {
        let chart = r#"{"name":"shop","version":"0.1.0","apiVersion":"v2"}"#;
        assert!(matches!(StoredConfig::read("it", chart.as_bytes()), Err(Error::NotAnImage { .. })));
    }

    #[test]
    fn the_last_variable_of_a_name_counts() {
        let environment = ["PATH=/bin", "HOME=/", "PATH=/app=x", "PATHS"].map(str::to_owned).to_vec();
        let config = ImageConfig { environment, ..ImageConfig::default() };
        assert_eq!(config.variable("PATH"), Some("/app=x"));
        assert_eq!(config.variable("PATHS"), None);
    }
}
