//! One layer, read and laid over those below it.
//!
//! A layer is first read for itself, and then laid over: as on an overlay file system, which is what containers get.
//! So links of lower layers do not move files of higher ones, and whiteouts hide lower layers only, wherever in the
//! layer they stand.

use std::collections::BTreeSet;
use std::io;

use super::lookup::{self, DeadEnd};
use super::{Directory, Node, RegularFile, StoredLayer, Tree, remove_below};
use crate::compression::{LimitPassed, Unpacked};
use crate::digest::HashingReader;
use crate::path::{BadName, MAX_BYTES, components, printable};
use crate::tar::{ByReading, TarEntry, TarError, TarKind, TarReader};
use crate::{Digest, Error, ImagePath, Limits};

/// Why a layer cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// Its bytes cannot be read or unpacked.
    #[error("cannot unpack it")]
    Unpack(#[source] io::Error),
    /// It is no tar archive.
    #[error("it is no valid tar archive: at byte {position}, {reason}")]
    Tar {
        /// Where the header is.
        position: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It unpacks to absurdly many bytes: a decompression bomb.
    #[error("its {stored} bytes unpack to more than {limit} bytes")]
    Bomb {
        /// Bytes as it is stored.
        stored: u64,
        /// Bytes that were allowed.
        limit: u64,
    },
    /// The stored bytes are others than the manifest says, or the unpacked ones than the configuration says.
    #[error("its digest is {found}, not {expected}")]
    OtherDigest {
        /// What was promised.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// A name would lead out of the image.
    #[error("the name {0:?} leads out of its directory")]
    Traversal(String),
    /// A name is longer than Linux takes.
    #[error("a name in it is of {0} bytes")]
    LongName(usize),
    /// A whiteout of nothing, or of its own directory.
    #[error("the whiteout {0:?} names no file")]
    Whiteout(String),
    /// A hard link to what is not there, or no file.
    #[error("{name:?} is a hard link to {target:?}, which is no file of the image")]
    HardLink {
        /// The link.
        name: String,
        /// What it links to.
        target: String,
    },
    /// Symbolic links that lead to each other, in the way of a file.
    #[error("{0:?} is below links that lead to each other")]
    LinkLoop(String),
    /// More entries than an image may have.
    #[error("the image has more than {0} entries")]
    TooManyEntries(usize),
    /// More bytes of names than an image may have.
    #[error("the names in the image are of more than {0} bytes")]
    TooManyNames(u64),
}

impl From<TarError> for LayerError {
    fn from(error: TarError) -> Self {
        match error {
            TarError::Read(source) => Self::Unpack(source),
            TarError::Header { position, reason } => Self::Tar { position, reason },
        }
    }
}

/// What is left of the limits for the index.
pub(crate) struct Budget<'a> {
    limits: &'a Limits,
    entries: usize,
    name_bytes: u64,
}

impl<'a> Budget<'a> {
    pub(crate) const fn new(limits: &'a Limits) -> Self {
        Self { limits, entries: limits.entries, name_bytes: limits.name_bytes }
    }

    fn take(&mut self, bytes: usize) -> Result<(), LayerError> {
        let entries = self.entries.checked_sub(1);
        self.entries = entries.ok_or(LayerError::TooManyEntries(self.limits.entries))?;
        let name_bytes = self.name_bytes.checked_sub(bytes as u64);
        self.name_bytes = name_bytes.ok_or(LayerError::TooManyNames(self.limits.name_bytes))?;
        Ok(())
    }
}

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// What the file system aufs keeps for itself.
const AUFS: &[u8] = b".wh..wh.";

/// Reads a layer and lays it over `lower`.
pub(crate) fn apply(
    lower: &mut Tree,
    number: usize,
    stored: &StoredLayer,
    limits: &Limits,
    budget: &mut Budget<'_>,
) -> Result<(), LayerError> {
    if let Some(expected) = stored.digest {
        let found = HashingReader::new(stored.blob.reader()).finish().map_err(LayerError::Unpack)?;
        same_digest(expected, found)?;
    }
    let limit = limits.unpacked(stored.blob.length());
    read(lower, number, stored, limit, budget)
        .map_err(|error| match error {
            LayerError::Unpack(source) if LimitPassed::is_in(&source) => {
                LayerError::Bomb { stored: stored.blob.length(), limit }
            }
            other => other,
        })?
        .lay_over(lower);
    Ok(())
}

fn read(
    lower: &Tree,
    number: usize,
    stored: &StoredLayer,
    limit: u64,
    budget: &mut Budget<'_>,
) -> Result<Layer, LayerError> {
    let unpacked = Unpacked::new(&stored.blob, limit).map_err(LayerError::Unpack)?;
    let mut archive = TarReader::new(ByReading(HashingReader::new(unpacked)));
    let mut layer = Layer { number, ..Layer::default() };
    while let Some(entry) = archive.next_entry()? {
        layer.add(lower, &entry, budget)?;
    }
    let found = archive.into_inner().0.finish().map_err(LayerError::Unpack)?;
    same_digest(stored.unpacked_digest, found)?;
    Ok(layer)
}

fn same_digest(expected: Digest, found: Digest) -> Result<(), LayerError> {
    if expected == found { Ok(()) } else { Err(LayerError::OtherDigest { expected, found }) }
}

/// What one layer has, and what it hides.
#[derive(Default)]
struct Layer {
    number: usize,
    tree: Tree,
    /// What is not there any more.
    whiteouts: BTreeSet<ImagePath>,
    /// Directories of which nothing from below is left.
    opaque: BTreeSet<ImagePath>,
    /// Directories that it only has something in: they stay as they are below.
    implied: BTreeSet<ImagePath>,
}

impl Layer {
    fn add(&mut self, lower: &Tree, entry: &TarEntry, budget: &mut Budget<'_>) -> Result<(), LayerError> {
        let name = || printable(&entry.name);
        let is_of_aufs = |component: &[u8]| component.starts_with(AUFS) && component != OPAQUE;
        if entry.kind == TarKind::Unknown || components(&entry.name).any(is_of_aufs) {
            return Ok(());
        }
        if entry.link.len() > MAX_BYTES {
            return Err(LayerError::LongName(entry.link.len()));
        }
        let path = entry_path(&entry.name)?;
        let Some((parent, base)) = path.split() else { return Ok(()) }; // `./`
        let parent = self.directory(&parent, &entry.name, budget)?;
        budget.take(parent.as_relative_bytes().len() + 1 + base.len() + entry.link.len())?;
        if base == OPAQUE {
            self.opaque.insert(parent);
            return Ok(());
        }
        let mut path = parent;
        if let Some(hidden) = base.strip_prefix(WHITEOUT) {
            if matches!(hidden, b"" | b"." | b"..") {
                return Err(LayerError::Whiteout(name()));
            }
            path.push(hidden);
            self.whiteouts.insert(path);
            return Ok(());
        }
        path.push(base);
        let node = self.node(lower, entry)?;
        self.put(path, node);
        Ok(())
    }

    /// A directory that comes twice keeps what is in it. Anything else replaces what was there.
    fn put(&mut self, path: ImagePath, node: Node) {
        if !node.is_directory() || !self.tree.get(&path).is_some_and(Node::is_directory) {
            remove_below(&mut self.tree, &path);
        }
        self.implied.remove(&path);
        self.tree.insert(path, node);
    }

    fn node(&self, lower: &Tree, entry: &TarEntry) -> Result<Node, LayerError> {
        match entry.kind {
            TarKind::HardLink => self.linked(lower, entry).cloned(),
            _ => Ok(node_of(entry, self.number)),
        }
    }

    /// The file that a hard link names: one that came before, or of a lower layer.
    fn linked<'a>(&'a self, lower: &'a Tree, entry: &TarEntry) -> Result<&'a Node, LayerError> {
        let target = entry_path(&entry.link)?;
        let node = self.tree.get(&target).or_else(|| lower.get(&target));
        // Through links in this layer, as when it is unpacked.
        let node = node.or_else(|| {
            let (parent, base) = target.split()?;
            let (mut path, _) = lookup::resolve(&self.tree, &parent.to_bytes()).ok()?;
            path.push(base);
            self.tree.get(&path)
        });
        node.filter(|node| !node.is_directory()).ok_or_else(|| LayerError::HardLink {
            name: printable(&entry.name),
            target: printable(&entry.link),
        })
    }

    /// The directory in which an entry is: made if it is not there, and found through the links of this layer.
    fn directory(
        &mut self,
        directory: &ImagePath,
        name: &[u8],
        budget: &mut Budget<'_>,
    ) -> Result<ImagePath, LayerError> {
        let mut here = ImagePath::ROOT;
        for component in components(directory.as_relative_bytes()) {
            here = self.subdirectory(&here, component, name, budget)?;
        }
        Ok(here)
    }

    fn subdirectory(
        &mut self,
        parent: &ImagePath,
        component: &[u8],
        name: &[u8],
        budget: &mut Budget<'_>,
    ) -> Result<ImagePath, LayerError> {
        // More than one is to be made only behind a link, and a path of that length has no more.
        for _ in 0..MAX_BYTES {
            match lookup::resolve_from(&self.tree, parent.clone(), component) {
                Ok((path, Node::Directory(_))) => return Ok(path),
                // A file in the place of a directory gives way.
                Ok((path, _)) | Err(DeadEnd::NotADirectory(path) | DeadEnd::Missing(path)) => {
                    budget.take(path.as_relative_bytes().len())?;
                    self.implied.insert(path.clone());
                    self.tree.insert(path, Node::Directory(Directory::IMPLIED));
                }
                Err(DeadEnd::TooManyLinks) => return Err(LayerError::LinkLoop(printable(name))),
                Err(DeadEnd::TooLong) => break,
            }
        }
        Err(LayerError::LongName(name.len()))
    }

    fn lay_over(self, lower: &mut Tree) {
        for directory in &self.opaque {
            remove_below(lower, directory);
        }
        for path in &self.whiteouts {
            remove_below(lower, path);
            lower.remove(path);
        }
        for (path, node) in self.tree {
            // Directories are joined; anything else hides what it is over.
            let joined = node.is_directory() && lower.get(&path).is_some_and(Node::is_directory);
            if joined && self.implied.contains(&path) {
                continue;
            }
            if !joined {
                remove_below(lower, &path);
            }
            lower.insert(path, node);
        }
    }
}

/// What an entry is by itself: a hard link is nothing.
pub(crate) fn node_of(entry: &TarEntry, layer: usize) -> Node {
    match entry.kind {
        TarKind::Regular => Node::Regular(RegularFile {
            size: entry.size,
            mode: entry.mode,
            layer,
            offset: entry.offset,
            is_sparse: entry.is_sparse,
        }),
        TarKind::Directory => {
            Node::Directory(Directory { mode: entry.mode, user: entry.user, group: entry.group })
        }
        TarKind::SymbolicLink => Node::SymbolicLink(entry.link.clone()),
        TarKind::Special | TarKind::Unknown | TarKind::HardLink => Node::Special,
    }
}

fn entry_path(name: &[u8]) -> Result<ImagePath, LayerError> {
    ImagePath::of_entry(name).map_err(|reason| match reason {
        BadName::Traversal => LayerError::Traversal(printable(name)),
        BadName::TooLong => LayerError::LongName(name.len()),
    })
}

impl Error {
    pub(super) fn layer(image: &str, number: usize, of: usize, source: LayerError) -> Self {
        Self::Layer { image: image.to_owned(), number: number + 1, of, source }
    }
}
