//! The final file system of an image: its layers laid over each other, as an overlay file system does it.
//!
//! Owns the index, which is in memory, and what is asked of it. Contents stay where the layers are stored; one is
//! unpacked again up to a file that is read. Reading a layer into an index is [`layer`]'s.

mod layer;
mod lookup;

pub use layer::LayerError;
pub(crate) use layer::node_of;
pub(crate) use lookup::{DeadEnd, resolve};

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::ops::Bound;

use crate::blob::Blob;
use crate::compression::Unpacked;
use crate::path::components;
use crate::{Digest, Error, ImagePath, Limits};
use layer::Budget;

/// As many as Linux follows.
const MAX_LINKS: usize = 40;

/// One layer, stored on this machine.
#[derive(Clone, Debug)]
pub(crate) struct StoredLayer {
    pub(crate) blob: Blob,
    /// Of the blob as it is stored, where that is known.
    pub(crate) digest: Option<Digest>,
    /// Of the tar archive in it.
    pub(crate) unpacked_digest: Digest,
}

/// What a path in an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A file with contents.
    Regular(RegularFile),
    /// A directory, and who may do what in it.
    Directory(Directory),
    /// A symbolic link, and what it says. Nothing was checked about it.
    SymbolicLink(Vec<u8>),
    /// A device or a pipe.
    Special,
}

impl Node {
    const fn is_directory(&self) -> bool {
        matches!(self, Self::Directory(_))
    }
}

/// Who may do what in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Permissions, with the sticky bit and its like.
    pub mode: u32,
    /// The user who owns it, by number.
    pub user: u64,
    /// Its group, by number.
    pub group: u64,
}

impl Directory {
    /// As engines make one that no layer has, but something is in.
    pub(crate) const IMPLIED: Self = Self { mode: 0o755, user: 0, group: 0 };

    /// Whether a user may create files in it, who is no superuser and in this group only.
    #[must_use]
    pub const fn lets_create(&self, user: u64, group: u64) -> bool {
        let shift = if self.user == user {
            6
        } else if self.group == group {
            3
        } else {
            0
        };
        // Write, and search: Go creates a file and renames it.
        (self.mode >> shift) & 0o3 == 0o3
    }
}

/// A file with contents. Hard links to one file are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegularFile {
    /// Its length in bytes.
    pub size: u64,
    /// Permissions, with the set-user-ID bit and its like.
    pub mode: u32,
    layer: usize,
    offset: u64,
    is_sparse: bool,
}

impl RegularFile {
    /// Where its contents are in its archive.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether anybody may execute it.
    #[must_use]
    pub const fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

/// Paths and what they are. What is below a directory is next to each other: its path, a slash, and more.
pub(crate) type Tree = BTreeMap<ImagePath, Node>;

/// The files of an image.
#[derive(Debug)]
pub struct FileSystem {
    layers: Vec<StoredLayer>,
    tree: Tree,
    limits: Limits,
}

impl FileSystem {
    /// Reads all layers, the lowest first, and checks their digests.
    pub(crate) fn read(image: &str, layers: Vec<StoredLayer>, limits: Limits) -> Result<Self, Error> {
        let mut tree = Tree::new();
        let mut budget = Budget::new(&limits);
        for (number, stored) in layers.iter().enumerate() {
            layer::apply(&mut tree, number, stored, &limits, &mut budget)
                .map_err(|source| Error::layer(image, number, layers.len(), source))?;
        }
        Ok(Self { layers, tree, limits })
    }

    /// Everything but the root, sorted by bytes.
    pub fn entries(&self) -> impl Iterator<Item = (&ImagePath, &Node)> {
        self.tree.iter()
    }

    /// The files with contents.
    pub fn regular_files(&self) -> impl Iterator<Item = (&ImagePath, &RegularFile)> {
        self.entries().filter_map(|(path, node)| match node {
            Node::Regular(file) => Some((path, file)),
            _ => None,
        })
    }

    /// Where a path leads, when all symbolic links are followed, and what is there. As in a container, no link leads out
    /// of the image: the root's `..` is the root. A path that does not begin with a slash begins at the root.
    pub fn resolve(&self, path: impl AsRef<[u8]>) -> Result<(ImagePath, &Node), Error> {
        let path = path.as_ref();
        resolve(&self.tree, path).map_err(|reason| Error::lookup(path, reason))
    }

    /// The contents of a file; symbolic links are followed. The layer that has it is unpacked up to it.
    pub fn open(&self, path: impl AsRef<[u8]>) -> Result<FileReader, Error> {
        let (path, node) = self.resolve(path)?;
        let Node::Regular(file) = node else { return Err(Error::NotAFile(path)) };
        self.contents(&path, file)
    }

    /// The contents of a file that [`Self::regular_files`] or [`Self::resolve`] gave.
    pub fn contents(&self, path: &ImagePath, file: &RegularFile) -> Result<FileReader, Error> {
        if file.is_sparse {
            return Err(Error::SparseFile(path.clone()));
        }
        let unreadable = |source| Error::unreadable(path.to_string(), source);
        let mut layer = self.unpacked(path, file)?;
        let skipped = io::copy(&mut (&mut layer).take(file.offset), &mut io::sink()).map_err(unreadable)?;
        if skipped < file.offset {
            return Err(unreadable(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(FileReader { layer, left: file.size })
    }

    /// The layer of a file, from its beginning.
    fn unpacked(&self, path: &ImagePath, file: &RegularFile) -> Result<Unpacked, Error> {
        let blob = &self.layers.get(file.layer).ok_or_else(|| Error::NotAFile(path.clone()))?.blob;
        Unpacked::new(blob, self.limits.unpacked(blob.length()))
            .map_err(|source| Error::unreadable(path.to_string(), source))
    }

    /// Hands out the contents of the files that are wanted, each once and each layer unpacked once, in the order of the
    /// layers. `visit` need not read all. Sparse files are passed over.
    pub fn visit_contents(
        &self,
        wanted: impl Fn(&ImagePath, &RegularFile) -> bool,
        mut visit: impl FnMut(&ImagePath, &RegularFile, &mut dyn Read) -> io::Result<()>,
    ) -> Result<(), Error> {
        let mut files: Vec<_> =
            self.regular_files().filter(|(path, file)| !file.is_sparse && wanted(path, file)).collect();
        files.sort_by_key(|(_, file)| (file.layer, file.offset));
        files.dedup_by_key(|(_, file)| (file.layer, file.offset));
        let mut layer = None;
        for (path, file) in files {
            let unreadable = |source| Error::unreadable(path.to_string(), source);
            let (unpacked, position) = match &mut layer {
                Some((number, unpacked, position)) if *number == file.layer => (unpacked, position),
                _ => {
                    let unpacked = self.unpacked(path, file)?;
                    let (_, unpacked, position) = layer.insert((file.layer, unpacked, 0_u64));
                    (unpacked, position)
                }
            };
            let gap = file.offset.saturating_sub(*position);
            let skipped = io::copy(&mut unpacked.take(gap), &mut io::sink()).map_err(unreadable)?;
            let mut contents = unpacked.take(file.size);
            visit(path, file, &mut contents).map_err(unreadable)?;
            *position += skipped + file.size - contents.limit();
        }
        Ok(())
    }

    /// The file that a program's name means in a container, as the runtime looks it up: a name with a slash from the
    /// working directory, another one in the directories of `search_path` (the value of the container's PATH; none for
    /// the usual one). Directories that are not absolute are passed over: the runtime refuses what it finds there.
    pub fn find_executable(
        &self,
        program: &str,
        working_directory: &str,
        search_path: Option<&str>,
    ) -> Result<(ImagePath, &RegularFile), Error> {
        let search_path = search_path.unwrap_or(DEFAULT_PATH);
        let candidates: Vec<String> = if program.starts_with('/') {
            vec![program.to_owned()]
        } else if program.contains('/') {
            vec![format!("{working_directory}/{program}")]
        } else {
            let directories = search_path.split(':').filter(|directory| directory.starts_with('/'));
            directories.map(|directory| format!("{directory}/{program}")).collect()
        };
        let found = candidates.iter().find_map(|candidate| match self.resolve(candidate) {
            Ok((path, Node::Regular(file))) if file.is_executable() => Some((path, file)),
            _ => None,
        });
        found.filter(|_| !program.is_empty()).ok_or_else(|| Error::NoSuchExecutable {
            program: program.to_owned(),
            searched: candidates.join(", "),
        })
    }
}

/// What the runtimes of Docker and Kubernetes take where neither image nor pod has one.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The contents of a file, from the beginning. Ends with an error where the layer ends too early.
pub struct FileReader {
    layer: Unpacked,
    left: u64,
}

impl fmt::Debug for FileReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FileReader").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.layer.read(buffer.get_mut(..length).unwrap_or_default())?;
        if read == 0 && length > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// The paths below a directory.
fn below(directory: &ImagePath) -> (Bound<ImagePath>, Bound<ImagePath>) {
    if *directory == ImagePath::ROOT {
        return (Bound::Unbounded, Bound::Unbounded);
    }
    let with = |end: u8| ImagePath::from_relative_bytes([directory.as_relative_bytes(), &[end]].concat());
    (Bound::Excluded(with(b'/')), Bound::Excluded(with(b'/' + 1)))
}

/// Takes away what is below a directory.
fn remove_below(tree: &mut Tree, directory: &ImagePath) {
    let doomed: Vec<ImagePath> = tree.range(below(directory)).map(|(path, _)| path.clone()).collect();
    for path in doomed {
        tree.remove(&path);
    }
}
