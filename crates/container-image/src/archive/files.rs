//! The files of an archive by name: those of a directory, or of a tar archive, which is read only once and in leaps.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::blob::Blob;
use crate::compression::Compression;
use crate::file_system::{DeadEnd, Directory, Node, Tree, node_of, resolve};
use crate::path::printable;
use crate::tar::{TarError, TarKind, TarReader};
use crate::{Error, ImagePath, Limits, temporary};

/// Of an archive with an image for each layer three, and some more. A file system has more.
const MAX_FILES: usize = 10_000;

pub(super) enum Files {
    Directory(PathBuf),
    Tar { archive: String, blob: Blob, tree: Tree },
}

impl Files {
    pub(super) fn open(name: &str, path: &Path, limits: &Limits) -> Result<Self, Error> {
        let unreadable = |source| Error::unreadable(name, source);
        if path == Path::new("-") {
            let blob = temporary::spool(name, io::stdin().lock(), limits.stored_bytes)?;
            return Self::of_blob(name, &blob, limits);
        }
        let kind = fs::metadata(path).map_err(unreadable)?;
        if kind.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let file = File::open(path).map_err(unreadable)?;
        let blob = if kind.is_file() {
            Blob::of(file).map_err(unreadable)?
        } else {
            temporary::spool(name, file, limits.stored_bytes)? // a pipe
        };
        Self::of_blob(name, &blob, limits)
    }

    pub(super) fn of_blob(name: &str, blob: &Blob, limits: &Limits) -> Result<Self, Error> {
        let unreadable = |source| Error::unreadable(name, source);
        let blob = match Compression::of(blob).map_err(unreadable)? {
            Compression::None => blob.clone(),
            _ => temporary::unpack(name, blob, limits.unpacked(blob.length()))?,
        };
        let tree = read_tree(name, &blob)?;
        Ok(Self::Tar { archive: name.to_owned(), blob, tree })
    }

    /// A regular file. Links within a tar archive are followed: older engines store a layer once, and link to it.
    pub(super) fn get(&self, name: &str) -> Result<Option<Blob>, Error> {
        match self {
            Self::Directory(directory) => file_in(directory, name),
            Self::Tar { archive, blob, tree } => match resolve(tree, name.as_bytes()) {
                Ok((_, Node::Regular(file))) => {
                    let section = blob.section(file.offset(), file.size);
                    let cut = || Error::unreadable(archive, io::ErrorKind::UnexpectedEof.into());
                    section.map(Some).ok_or_else(cut)
                }
                Ok(_) | Err(DeadEnd::Missing(_) | DeadEnd::NotADirectory(_)) => Ok(None),
                Err(reason) => Err(Error::lookup(name.as_bytes(), reason)),
            },
        }
    }
}

fn file_in(directory: &Path, name: &str) -> Result<Option<Blob>, Error> {
    let outside = || {
        Error::not_an_image(
            directory.display().to_string(),
            format!("it names {:?}", printable(name.as_bytes())),
        )
    };
    // Names are in the archive's own documents.
    let relative = ImagePath::of_entry(name.as_bytes()).map_err(|_| outside())?;
    let relative = str::from_utf8(relative.as_relative_bytes()).map_err(|_| outside())?;
    if relative.contains(['\\', ':']) && cfg!(windows) {
        return Err(outside());
    }
    let path = directory.join(relative);
    let unreadable = |source| Error::unreadable(path.display().to_string(), source);
    match fs::metadata(&path) {
        Ok(kind) if kind.is_file() => File::open(&path).and_then(Blob::of).map(Some).map_err(unreadable),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error)),
    }
}

fn read_tree(name: &str, blob: &Blob) -> Result<Tree, Error> {
    let invalid = |error| match error {
        TarError::Read(source) => Error::unreadable(name, source),
        error @ TarError::Header { .. } => Error::not_an_image(name, error.to_string()),
    };
    let mut tree = Tree::new();
    let mut archive = TarReader::new(blob.reader());
    while let Some(entry) = archive.next_entry().map_err(invalid)? {
        let bad_name = || Error::not_an_image(name, format!("it has a file {:?}", printable(&entry.name)));
        let path = ImagePath::of_entry(&entry.name).map_err(|_| bad_name())?;
        if tree.len() > MAX_FILES {
            return Err(Error::not_an_image(name, format!("it has more than {MAX_FILES} files")));
        }
        let node = match entry.kind {
            TarKind::HardLink => {
                let target = ImagePath::of_entry(&entry.link).map_err(|_| bad_name())?;
                tree.get(&target).cloned().ok_or_else(bad_name)?
            }
            _ => node_of(&entry, 0),
        };
        let mut parent = path.split().map(|(parent, _)| parent);
        while let Some(directory) = parent.filter(|directory| *directory != ImagePath::ROOT) {
            parent = directory.split().map(|(parent, _)| parent);
            tree.entry(directory).or_insert(Node::Directory(Directory::IMPLIED));
        }
        if path != ImagePath::ROOT {
            tree.insert(path, node);
        }
    }
    Ok(tree)
}
