//! What the containers of workloads run, where only their images say it: asked of this machine's container engine,
//! then of the registry.
//!
//! A name may have come to mean another image. Where pods of the workloads run, only the very image that they run
//! is believed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::join_all;
use podcov_cluster::{
    RunningImages, Workload,
    injection::{CapturedContainer, EntryPoints},
    running_images,
};
use podcov_container_image::{
    Digest, Environment, Error, Image, ImageConfig, ImageReader, Platform, Reference,
};

use super::{Cluster, cluster_error, error::printable, options::container_choice};
use crate::{
    cli::{Capture, PrepareArgs},
    error::CommandError,
};

/// For the description of an image.
const ENGINE_TIMEOUT: Duration = Duration::from_secs(5);
const REGISTRY_TIMEOUT: Duration = Duration::from_secs(10);
/// For an engine to pack an image.
const SAVE_TIMEOUT: Duration = Duration::from_secs(30);

impl Cluster<'_> {
    /// What the containers of these workloads run.
    pub(super) async fn entry_points(
        &self,
        workloads: &[Workload],
        architecture: Option<&str>,
        prepare: &PrepareArgs,
    ) -> Result<EntryPoints, CommandError> {
        let choice = container_choice(prepare);
        let containers = workloads.iter().map(|workload| workload.captured_containers(&choice));
        let containers = containers.collect::<Result<Vec<_>, _>>().map_err(cluster_error)?.concat();
        self.watching.begin("looking", "at the images of the workloads");
        let found = self.interrupt.or(async {
            let running = running_images(&self.connection, workloads).await.map_err(cluster_error)?;
            find(&containers, &running, architecture, prepare).await
        });
        let found = found.await;
        self.watching.end();
        found?
    }
}

/// The entry points that the user named, and those of the images of all other containers that need one.
pub async fn find(
    containers: &[CapturedContainer],
    running: &RunningImages,
    architecture: Option<&str>,
    prepare: &PrepareArgs,
) -> Result<EntryPoints, CommandError> {
    let named = named(containers, prepare)?;
    if prepare.capture == Capture::Files {
        return Ok(EntryPoints::default());
    }
    let unnamed = containers.iter().filter(|container| !named.contains_key(&container.name));
    let images: BTreeSet<&String> =
        unnamed.filter_map(|container| container.entry_point_in.as_ref()).collect();
    let places = Places {
        reader: ImageReader::new(Environment::of_this_process()),
        platform: Platform::linux(architecture.unwrap_or("amd64")),
        running,
    };
    let answers = join_all(images.into_iter().map(|image| places.ask(image))).await;
    Ok(EntryPoints { named, images: answers.into_iter().collect() })
}

/// The entry points that the user named, by container.
fn named(
    containers: &[CapturedContainer],
    prepare: &PrepareArgs,
) -> Result<BTreeMap<String, Vec<String>>, CommandError> {
    let mut named = BTreeMap::new();
    for (container, words) in &prepare.entry_points {
        let reason = if prepare.capture == Capture::Files {
            "--capture files supervises none"
        } else if !containers.iter().any(|known| &known.name == container) {
            "no such container is captured"
        } else if named.insert(container.clone(), words.clone()).is_some() {
            "it is named more than once"
        } else {
            continue;
        };
        return Err(CommandError::usage(format!("--entrypoint {container}: {reason}")));
    }
    Ok(named)
}

/// Where images are looked for.
struct Places<'a> {
    reader: ImageReader,
    platform: Platform,
    running: &'a RunningImages,
}

impl Places<'_> {
    async fn ask(&self, name: &str) -> (String, Result<ImageConfig, String>) {
        let answer = match self.ask_engine(name).await {
            Ok(config) => Ok(config),
            // No registry knows it by the digest that it was given on the nodes.
            Err(reason) if self.running.contains_key(name) && self.ids(name).all(was_loaded) => Err(reason),
            Err(first) => self.ask_registry(name).await.map_err(|second| format!("{first}; {second}")),
        };
        (name.to_owned(), answer.map_err(|reason| printable(&reason)))
    }

    async fn ask_engine(&self, name: &str) -> Result<ImageConfig, String> {
        let image = within(ENGINE_TIMEOUT, self.reader.from_engine(name, &self.platform)).await?;
        let config = image.config().clone();
        if self.is_the_one(name, |digest| image.has_digest(digest))
            || self.is_the_one_that_was_loaded(name, image).await?
        {
            return Ok(config);
        }
        Err(self.is_another("the container engine", name))
    }

    async fn ask_registry(&self, name: &str) -> Result<ImageConfig, String> {
        let reference: Reference = name.parse().map_err(one_line)?;
        let image = within(REGISTRY_TIMEOUT, self.reader.from_registry(&reference, &self.platform)).await?;
        if self.is_the_one(name, |digest| image.has_digest(digest)) {
            return Ok(image.config().clone());
        }
        Err(self.is_another("the registry", name))
    }

    fn ids(&self, name: &str) -> impl Iterator<Item = &str> {
        self.running.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Whether every pod runs this image, as far as there are pods.
    fn is_the_one(&self, name: &str, has_digest: impl Fn(Digest) -> bool) -> bool {
        self.ids(name).all(|id| digest_of(id).is_some_and(&has_digest))
    }

    /// Nodes give an image that was loaded from an engine a digest that the engine does not know.
    async fn is_the_one_that_was_loaded(&self, name: &str, image: Image) -> Result<bool, String> {
        if !self.ids(name).all(was_loaded) {
            return Ok(false);
        }
        let digests = within(SAVE_TIMEOUT, image.digests_when_saved()).await?;
        Ok(self.is_the_one(name, |digest| digests.contains(digest)))
    }

    fn is_another(&self, place: &str, name: &str) -> String {
        let ids: Vec<&str> = self.ids(name).collect();
        format!("{name} of {place} is not known to be the image that the pods run, {}", ids.join(", "))
    }
}

async fn within<T>(time: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    match tokio::time::timeout(time, work).await {
        Ok(result) => result.map_err(one_line),
        Err(_) => Err(format!("no answer within {} s", time.as_secs())),
    }
}

fn one_line(error: Error) -> String {
    CommandError::failure(error).to_string()
}

/// The digest in what a node calls an image: `sha256:…`, `shop.example/api@sha256:…`, also with `docker://` before it,
/// or the digits alone.
fn digest_of(id: &str) -> Option<Digest> {
    let digits = id.rsplit(['@', ':', '/']).next()?;
    format!("sha256:{digits}").parse().ok()
}

/// containerd's name for an image that came as an archive: `docker.io/library/import-2026-01-31@sha256:…`.
fn was_loaded(id: &str) -> bool {
    let name = id.split('@').next().unwrap_or_default();
    name.rsplit('/').next().is_some_and(|last| last.starts_with("import-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "f9cfef4e01022e34598dc943998ab901272859f7a48a2fc6c3df71760511cfa6";

    #[test]
    fn a_digest_is_found_in_every_node_s_spelling() {
        let expected = format!("sha256:{DIGITS}").parse().ok();
        for id in [
            format!("sha256:{DIGITS}"),
            format!("docker://sha256:{DIGITS}"),
            format!("docker-pullable://shop.example:5000/api@sha256:{DIGITS}"),
            format!("docker.io/library/import-2026-01-31@sha256:{DIGITS}"),
            DIGITS.to_owned(),
        ] {
            assert_eq!(digest_of(&id), expected, "{id}");
        }
        assert_eq!(digest_of("shop.example/api:latest"), None);
        assert_eq!(digest_of(""), None);
    }

    #[test]
    fn an_image_of_another_digest_is_not_believed() {
        let digest: Digest = format!("sha256:{DIGITS}").parse().unwrap();
        let is_its = |other| other == digest;
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let own = format!("sha256:{DIGITS}");
        let other = own.replace("f9cf", "0000");
        let running: RunningImages = [
            ("same".to_owned(), ids(&[&own])),
            ("other".to_owned(), ids(&[&other])),
            ("both".to_owned(), ids(&[&own, &other])),
            ("unreadable".to_owned(), ids(&["?"])),
        ]
        .into();
        let reader = ImageReader::new(Environment::default());
        let places = Places { reader, platform: Platform::linux("amd64"), running: &running };
        assert!(places.is_the_one("same", is_its));
        assert!(places.is_the_one("of no pod", is_its));
        for name in ["other", "both", "unreadable"] {
            assert!(!places.is_the_one(name, is_its), "{name}");
        }
    }

    #[test]
    fn loaded_images_are_told_by_their_name() {
        assert!(was_loaded("docker.io/library/import-2026-01-31@sha256:00"));
        assert!(!was_loaded("docker.io/library/api@sha256:00"));
        assert!(!was_loaded("sha256:00"));
    }
}
