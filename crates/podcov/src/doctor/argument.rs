//! What an argument of `podcov doctor` is: told from what is there, then from its form.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use podcov_cluster::{Kind, Target};
use podcov_container_image::Reference;

use crate::commands::covdata::archive::Compression;

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    Binary(PathBuf),
    Dockerfile(PathBuf),
    /// A kind configuration, manifests, or both.
    Manifests(PathBuf),
    StandardInput,
    /// A directory of coverage data, or an archive of one.
    Data(PathBuf),
    /// A directory with sources.
    Project(PathBuf),
    Image(String),
    /// An OCI layout or archive, or what `docker save` writes.
    ImageArchive(PathBuf),
    Workload(Target),
    /// It is nothing that could be looked at.
    Nothing {
        subject: String,
        reason: String,
    },
}

/// Of a file, so much tells what it is.
const BEGINNING: u64 = 4096;

impl Argument {
    /// What it is, and what else it could have been.
    pub fn infer(text: &str) -> (Self, Option<String>) {
        if text == "-" {
            return (Self::StandardInput, None);
        }
        let path = Path::new(text);
        let target = target(text);
        if path.exists() {
            let also = target.map(|target| {
                format!(
                    "{text} is taken for the path, not for {} {}; ./ before a path tells them apart",
                    target.kind, target.name
                )
            });
            return (Self::of_path(path), also);
        }
        if let Some(target) = target {
            return (Self::Workload(target), None);
        }
        let looks_like_a_path = text.starts_with(['.', '/', '~'])
            || [".yaml", ".yml", ".json", ".tar", ".tgz"].iter().any(|end| text.ends_with(end));
        if !looks_like_a_path && text.parse::<Reference>().is_ok() {
            return (Self::Image(text.to_owned()), None);
        }
        let reason = "there is no such file, and it names neither a workload nor an image".to_owned();
        (Self::Nothing { subject: text.to_owned(), reason }, None)
    }

    fn of_path(path: &Path) -> Self {
        let beginning = if path.is_dir() { Ok(Vec::new()) } else { beginning(path) };
        match beginning {
            Ok(_) if path.is_dir() => of_directory(path),
            Ok(bytes) => of_file(path, &bytes),
            Err(reason) => Self::Nothing { subject: path.display().to_string(), reason },
        }
    }
}

fn target(text: &str) -> Option<Target> {
    let (kind, _) = text.split_once('/')?;
    Kind::from_argument(kind).and_then(|_| text.parse().ok())
}

fn beginning(path: &Path) -> Result<Vec<u8>, String> {
    // A pipe or a device would keep its reader waiting.
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is neither a file nor a directory".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(BEGINNING).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn of_directory(path: &Path) -> Argument {
    if path.join("oci-layout").is_file() {
        return Argument::ImageArchive(path.to_owned());
    }
    let entries = super::entries(path).unwrap_or_default();
    let is_project = entries.iter().filter(|(_, kind)| kind.is_file()).any(|(entry, _)| {
        let name = name(entry);
        name == "go.mod" || is_dockerfile(name) || is_yaml(name)
    });
    if is_project { Argument::Project(path.to_owned()) } else { Argument::Data(path.to_owned()) }
}

fn of_file(path: &Path, beginning: &[u8]) -> Argument {
    let owned = path.to_owned();
    if beginning.get(257..262) == Some(b"ustar") || Compression::of(beginning).is_some() {
        return if is_image_archive(path, beginning) {
            Argument::ImageArchive(owned)
        } else {
            Argument::Data(owned)
        };
    }
    if beginning.contains(&0) {
        return Argument::Binary(owned);
    }
    let text = String::from_utf8_lossy(beginning);
    match name(path) {
        name if is_dockerfile(name) => Argument::Dockerfile(owned),
        name if is_yaml(name) => Argument::Manifests(owned),
        _ if text.lines().any(|line| line.starts_with("apiVersion:") || line.starts_with("kind:")) => {
            Argument::Manifests(owned)
        }
        _ if text.lines().any(|line| line.starts_with("FROM ")) => Argument::Dockerfile(owned),
        // What it is instead is said there.
        _ => Argument::Binary(owned),
    }
}

/// The index of an image is at either end of its archive: all names are looked at, and no contents.
fn is_image_archive(path: &Path, beginning: &[u8]) -> bool {
    let names = || -> std::io::Result<bool> {
        let file = File::open(path)?;
        let plain: Box<dyn Read> = match Compression::of(beginning) {
            Some(compression) => compression.decompress(BufReader::new(file))?,
            None => Box::new(file),
        };
        let mut archive = tar::Archive::new(plain);
        for entry in archive.entries()? {
            let is_index = entry?.path().is_ok_and(|path| {
                ["manifest.json", "index.json", "oci-layout"]
                    .iter()
                    .any(|name| path.as_ref() == Path::new(name))
            });
            if is_index {
                return Ok(true);
            }
        }
        Ok(false)
    };
    names().unwrap_or(false)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

pub(super) fn is_dockerfile(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_named = |base: &str| {
        lower == base || lower.starts_with(&format!("{base}.")) || lower.ends_with(&format!(".{base}"))
    };
    (is_named("dockerfile") || is_named("containerfile")) && !lower.ends_with(".dockerignore")
}

pub(super) fn is_yaml(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".yaml", ".yml"].iter().any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tar of empty files, compressed by gzip.
    fn archive(names: &[&str]) -> Vec<u8> {
        let compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(compressed);
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            archive.append_data(&mut header, name, std::io::empty()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn archives_are_told_by_the_names_in_them_also_when_compressed() {
        let directory = tempfile::tempdir().unwrap();
        let write = |bytes: &[u8]| {
            let path = directory.path().join("x.tgz");
            std::fs::write(&path, bytes).unwrap();
            Argument::infer(path.to_str().unwrap()).0
        };
        assert!(matches!(write(&archive(&["layer.tar", "manifest.json"])), Argument::ImageArchive(_)));
        assert!(matches!(write(&archive(&["data/covmeta.0"])), Argument::Data(_)));
    }

    #[test]
    fn arguments_are_told_by_what_is_there_and_then_by_their_form() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Argument::infer(path.to_str().unwrap()).0
        };
        assert!(matches!(write("api", b"\x7fELF\x02\x01\x01\0"), Argument::Binary(_)));
        assert!(matches!(write("Dockerfile.e2e", b"FROM x\n"), Argument::Dockerfile(_)));
        assert!(matches!(write("build", b"FROM x\n"), Argument::Dockerfile(_)));
        assert!(matches!(write("kind.yaml", b"kind: Cluster\n"), Argument::Manifests(_)));
        assert!(matches!(write("rendered", b"---\napiVersion: v1\n"), Argument::Manifests(_)));
        assert!(matches!(Argument::infer(directory.path().to_str().unwrap()).0, Argument::Project(_)));
        let empty = directory.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        assert!(matches!(Argument::infer(empty.to_str().unwrap()).0, Argument::Data(_)));
        assert!(matches!(Argument::infer("deploy/api").0, Argument::Workload(_)));
        assert!(matches!(Argument::infer("registry.local/shop/api:1").0, Argument::Image(_)));
        assert!(matches!(Argument::infer("./nothing").0, Argument::Nothing { .. }));
        assert!(matches!(Argument::infer("-").0, Argument::StandardInput));
    }
}
