//! Which images the pods of workloads really run: a name alone may have come to mean another image.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Connection, Error, Workload, pod_record::statuses, rollout::living_pods};

/// The IDs that nodes tell of each image, by the name that containers use.
pub type RunningImages = BTreeMap<String, BTreeSet<String>>;

/// The images of the pods that the workloads have now.
pub async fn running_images(connection: &Connection, workloads: &[Workload]) -> Result<RunningImages, Error> {
    let mut images = RunningImages::new();
    for workload in workloads {
        for pod in living_pods(connection, workload).await? {
            let specification = pod.spec.as_ref();
            let containers = specification.map(|spec| spec.containers.as_slice()).unwrap_or_default();
            let init_containers = specification.and_then(|spec| spec.init_containers.as_deref());
            for container in containers.iter().chain(init_containers.unwrap_or_default()) {
                // The status names the image in the node's words, which need not be those of the manifest.
                let status = statuses(&pod).find(|status| status.name == container.name);
                let id = status.map(|status| status.image_id.as_str()).filter(|id| !id.is_empty());
                if let (Some(image), Some(id)) = (&container.image, id) {
                    images.entry(image.clone()).or_default().insert(id.to_owned());
                }
            }
        }
    }
    Ok(images)
}
