//! What a container image says of itself. Its binaries are facts of their own, with the image's name as their chain.

use crate::Known;

/// An image of an engine, a registry or an archive.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// As it was named.
    pub name: String,
    /// Which workload or program it belongs to, if known.
    pub chain: Option<String>,
    /// The digest of its configuration or manifest.
    pub digest: Known<String>,
    /// ENTRYPOINT.
    pub entry_point: Known<Vec<String>>,
    /// CMD.
    pub command: Known<Vec<String>>,
    /// USER, as it is written.
    pub user: Known<String>,
    /// GOCOVERDIR in ENV.
    pub gocoverdir: Known<String>,
    /// Whether there is a shell.
    pub has_shell: Known<bool>,
    /// The paths of Go executables in it.
    pub go_binaries: Known<Vec<String>>,
    /// The executable that the entry point starts, past a shell or an init, and whether it is there.
    pub program: Known<String>,
    /// A directory that GOCOVERDIR names, as the image has it.
    pub directory: Known<Directory>,
}

/// A directory of an image, or in a running container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Where it is.
    pub path: String,
    /// The numeric owner.
    pub user: u32,
    /// The numeric group.
    pub group: u32,
    /// The permission bits.
    pub mode: u32,
}
