//! Where things are in a prepared pod, and how the agent is called.

use crate::process_record::is_process_record_name;

/// Mount path of the agent's ConfigMap, in the sidecar and in supervised containers.
pub const AGENT_DIRECTORY: &str = "/podcov/bin";
/// The agent itself.
pub const AGENT_EXECUTABLE: &str = "/podcov/bin/agent";
/// `agent keep --deadline-seconds=N CONTAINER…`: the sidecar's main process.
pub const AGENT_ARGUMENT_KEEP: &str = "keep";
/// `agent attach`: joins standard input and output to the keeper's socket.
pub const AGENT_ARGUMENT_ATTACH: &str = "attach";
/// `agent supervise -- PROGRAM ARGUMENT…`: a container's main process, which runs what would have been that.
pub const AGENT_ARGUMENT_SUPERVISE: &str = "supervise";
/// `agent wait`: the main process of a pod that reads others on its node. It does nothing.
pub const AGENT_ARGUMENT_WAIT: &str = "wait";
/// `agent snapshot CONTAINER-ID…`: reads the processes of containers of the node.
pub const AGENT_ARGUMENT_SNAPSHOT: &str = "snapshot";
/// `agent examine CONTAINER-ID…`: looks at the processes of containers of the node, and at where GOCOVERDIR points.
pub const AGENT_ARGUMENT_EXAMINE: &str = "examine";
/// How long the keeper waits, once told to end, for its data to be taken.
pub const KEEP_DEADLINE_FLAG: &str = "--deadline-seconds";
/// How the keeper exits when its deadline passed and not everything was taken; 0 when everything was.
pub const EXIT_DEADLINE: i32 = 4;
/// Mount path of the whole data volume in the sidecar; each container's files are in a directory of its name.
pub const SIDECAR_DATA_DIRECTORY: &str = "/podcov/data";
/// The agent's own directory in the data volume. No container can have this name.
pub const STATE_DIRECTORY: &str = "/podcov/data/.agent";
/// The keeper's socket.
pub const SOCKET: &str = "/podcov/data/.agent/socket";
/// Mount path of a container's own part of the data volume in that container: its GOCOVERDIR.
pub const CONTAINER_DIRECTORY: &str = "/podcov/coverage";

/// Below a directory with coverage data: what supervised processes write themselves. Used where nothing better is.
pub const OWN_FILES_DIRECTORY: &str = ".own";
/// Below a directory with coverage data: what supervised processes that live have counted so far.
pub const LATEST_DIRECTORY: &str = ".latest";

/// Below a directory with coverage data: requests to read all processes now, each an empty file.
pub const REQUESTS_DIRECTORY: &str = ".requests";

const HASH_LENGTH: usize = 32;

/// Whether a name is one that Go gives to meta-data: `covmeta.<32 hex digits>`.
#[must_use]
pub fn is_metadata_file_name(name: &str) -> bool {
    name.strip_prefix("covmeta.").is_some_and(is_hash)
}

/// Whether a name is one that Go gives to finished coverage data: meta-data, or
/// `covcounters.<32 hex digits>.<process id>.<nanoseconds>`.
#[must_use]
pub fn is_coverage_file_name(name: &str) -> bool {
    is_metadata_file_name(name)
        || name.strip_prefix("covcounters.").is_some_and(|rest| {
            let mut parts = rest.split('.');
            parts.next().is_some_and(is_hash)
                && parts.next().is_some_and(is_decimal)
                && parts.next().is_some_and(is_decimal)
                && parts.next().is_none()
        })
}

/// Whether the keeper hands over files of this name: coverage data, and the records of processes.
#[must_use]
pub fn is_kept_file_name(name: &str) -> bool {
    is_coverage_file_name(name) || is_process_record_name(name)
}

fn is_hash(text: &str) -> bool {
    text.len() == HASH_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(crate) fn is_decimal(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn names_that_go_gives_are_recognised() {
        assert!(is_coverage_file_name(&format!("covmeta.{HASH}")));
        assert!(is_coverage_file_name(&format!("covcounters.{HASH}.1.1700000000000000000")));
    }

    #[test]
    fn names_that_could_leave_a_directory_are_refused() {
        for name in [
            format!("covmeta.{HASH}/.."),
            format!("covcounters.{HASH}.1.1/../../x"),
            format!("tmp.covmeta.{HASH}"),
            format!("covcounters.{HASH}.1"),
            format!("covcounters.{HASH}.1.2.3"),
            "covmeta.".to_owned(),
            "..".to_owned(),
        ] {
            assert!(!is_coverage_file_name(&name), "{name}");
        }
    }
}
