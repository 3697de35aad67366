//! A directory with sources: its Dockerfiles, kind configurations and manifests.

use std::fs;
use std::path::Path;

use podcov_doctor::facts::NotSeen;
use podcov_doctor::facts::kind_configuration::HostDirectory;
use podcov_doctor::{Facts, Hop, Known, dockerfile as format};

use super::argument::{is_dockerfile, is_yaml};
use super::manifests;

/// No Dockerfile that a person wrote has more.
const MOST_BYTES: u64 = 4 << 20;
/// Where manifests are, by custom.
const PLACES: [&str; 8] = ["", "deploy", "deployments", "k8s", "kubernetes", "manifests", "build", "docker"];

pub(super) fn look(directory: &Path, facts: &mut Facts) {
    let before = seen(facts);
    for place in PLACES {
        let entries = super::entries(&directory.join(place)).unwrap_or_default();
        for (path, _) in entries.into_iter().filter(|(_, kind)| kind.is_file()) {
            let path = path.strip_prefix("./").map(Path::to_owned).unwrap_or(path);
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if is_dockerfile(name) {
                dockerfile(&path, facts);
            } else if is_yaml(name) {
                look_at_yaml(&path, facts);
            }
        }
    }
    if before == seen(facts) {
        facts.not_seen.push(NotSeen {
            subject: directory.display().to_string(),
            hop: Hop::Build,
            reason: "no Dockerfile, no kind configuration and no manifests in it".to_owned(),
            fix: Some("podcov doctor PATH…    # the binary, the image, or the data directory".to_owned()),
        });
    }
}

fn seen(facts: &Facts) -> usize {
    facts.dockerfiles.len() + facts.kind_configurations.len() + facts.workloads.len()
}

/// There is much YAML that is none of ours: charts, workflows. What is, is told by its first words.
fn look_at_yaml(path: &Path, facts: &mut Facts) {
    let mut own = Facts::default();
    manifests::read_file(path, &mut own);
    facts.workloads.append(&mut own.workloads);
    facts.kind_configurations.append(&mut own.kind_configurations);
}

pub(super) fn dockerfile(path: &Path, facts: &mut Facts) {
    match super::read_text(path, MOST_BYTES) {
        Ok(text) => {
            let mut file = format::parse(&path.display().to_string(), &text);
            file.module = module(path);
            facts.dockerfiles.push(file);
        }
        Err(reason) => facts.not_seen.push(super::not_seen(path, Hop::Build, reason)),
    }
}

/// The module beside a Dockerfile, which most often is what it builds.
fn module(path: &Path) -> Option<String> {
    let beside = path.with_file_name("go.mod");
    let text = super::read_text(&beside, MOST_BYTES).ok()?;
    let module = text.lines().find_map(|line| line.trim().strip_prefix("module"))?;
    let module = module.split("//").next().unwrap_or_default();
    Some(module.trim().trim_matches('"').to_owned())
}

/// Who may write to the directories of this machine that a kind cluster mounts.
pub(super) fn add_host_directories(facts: &mut Facts) {
    let nodes = facts.kind_configurations.iter_mut().flat_map(|cluster| &mut cluster.nodes);
    for mount in nodes.flat_map(|node| &mut node.extra_mounts) {
        mount.host_directory = host_directory(&mount.host_path);
    }
}

#[cfg(unix)]
fn host_directory(path: &str) -> Known<HostDirectory> {
    use std::os::unix::fs::MetadataExt;
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Known::found(
            HostDirectory { path: path.to_owned(), user: metadata.uid(), mode: metadata.mode() & 0o7777 },
            path,
        ),
        Ok(_) => Known::unknown(format!("{path} is no directory")),
        Err(error) => Known::unknown(error.to_string()),
    }
}

/// Docker runs in a machine of its own there.
#[cfg(not(unix))]
fn host_directory(path: &str) -> Known<HostDirectory> {
    let _ = fs::metadata(path);
    Known::unknown("the host of the cluster is another machine")
}
