//! What can go wrong with an image, in words that name it, and the next step where there is one.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::file_system::LayerError;
use crate::http::HttpError;
use crate::path::printable;
use crate::{Digest, ImagePath};

/// Why an image, or a file of it, cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text names no image.
    #[error("{reference:?} is no name of an image: {reason}")]
    BadReference {
        /// The text as given.
        reference: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The text is no platform.
    #[error("{0:?} is no platform; one is linux/amd64")]
    BadPlatform(String),
    /// The text is no digest.
    #[error("{0:?} is no digest: sha256 and 64 lower-case hexadecimal digits are one")]
    BadDigest(String),

    /// No engine answers on this machine.
    #[error("no container engine answers; tried {}", list(.0))]
    NoEngine(
        /// Where, and why not.
        Vec<Attempt>,
    ),
    /// The address of an engine that was set cannot be used.
    #[error("cannot use the engine's address {address:?} of {said_by}: {reason}")]
    EngineAddress {
        /// The address.
        address: String,
        /// A variable or a file.
        said_by: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The engines that answer do not have the image.
    #[error("no image {image} in {}{}", engines.join(", nor in "), not_asked(unanswered))]
    NotInEngine {
        /// The image.
        image: String,
        /// Those that were asked.
        engines: Vec<String>,
        /// Those that are there and did not answer.
        unanswered: Vec<Attempt>,
    },
    /// The text names no container.
    #[error("{0:?} is neither a name nor an ID of a container")]
    BadContainer(String),
    /// The engines that answer do not have the container.
    #[error("no container {container} in {}{}", engines.join(", nor in "), not_asked(unanswered))]
    NoContainer {
        /// The container.
        container: String,
        /// Those that were asked.
        engines: Vec<String>,
        /// Those that are there and did not answer.
        unanswered: Vec<Attempt>,
    },
    /// An engine answered with an error.
    #[error("the engine at {engine} cannot give {what}: {message} (status {status})")]
    EngineRefused {
        /// Its address.
        engine: String,
        /// The image or the container.
        what: String,
        /// HTTP's.
        status: u16,
        /// The engine's words.
        message: String,
    },

    /// The registry does not have the image.
    #[error("no image {0} in its registry")]
    NotInRegistry(String),
    /// The registry wants other credentials, or the image does not exist: registries do not say which.
    #[error(
        "{registry} does not let {} read {image}, or has no such image; `docker login {registry}` stores credentials",
        credentials.as_deref().map_or_else(|| "anybody".to_owned(), |from| format!("the user of {from}"))
    )]
    Unauthorized {
        /// The registry.
        registry: String,
        /// The image.
        image: String,
        /// Where the credentials are from; none if there were none.
        credentials: Option<String>,
    },
    /// The registry answered with an error.
    #[error("{registry} cannot give {what}: {message} (status {status})")]
    RegistryRefused {
        /// The registry.
        registry: String,
        /// The image or the blob.
        what: String,
        /// HTTP's.
        status: u16,
        /// The registry's words.
        message: String,
    },
    /// What the registry says about how to log in, or where a blob is, cannot be followed.
    #[error("cannot follow the answer of {registry}: {reason}")]
    RegistryAnswer {
        /// The registry.
        registry: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file with credentials cannot be used.
    #[error("cannot use the credentials in {}: {reason}", file.display())]
    Credentials {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The program that keeps credentials failed.
    #[error("{helper}, which {} names for {registry}, failed: {reason}", file.display())]
    CredentialHelper {
        /// The program.
        helper: String,
        /// The configuration that names it.
        file: PathBuf,
        /// The registry.
        registry: String,
        /// Its words.
        reason: String,
    },
    /// Certificates cannot be used.
    #[error("cannot use the certificates {0}")]
    Certificates(String, #[source] Box<dyn std::error::Error + Send + Sync>),

    /// A request to an engine or a registry failed.
    #[error("no answer from {0}")]
    Http(String, #[source] HttpError),

    /// The archive has several images, and none was named.
    #[error("{archive} has several images: {}; name one", listed(present))]
    SeveralImages {
        /// The archive.
        archive: String,
        /// Their names.
        present: Vec<String>,
    },
    /// The archive has no image of that name.
    #[error("no image {image} in {archive}; it has {}", listed(present))]
    NotInArchive {
        /// The name asked for.
        image: String,
        /// The archive.
        archive: String,
        /// The names there are.
        present: Vec<String>,
    },
    /// It is something else than an image.
    #[error("{what} is not a container image: {reason}")]
    NotAnImage {
        /// A file, or the name of an image.
        what: String,
        /// What it is instead.
        reason: String,
    },
    /// The image is for other platforms.
    #[error("{image} is not for {wanted}; it is for: {present}")]
    NoSuchPlatform {
        /// The image.
        image: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        present: String,
    },
    /// A blob that the manifest names is not there.
    #[error("{what} is incomplete: it has no {blob}")]
    MissingBlob {
        /// The archive or the image.
        what: String,
        /// The blob.
        blob: String,
    },
    /// A document of the image cannot be understood.
    #[error("{what} is not the JSON that it has to be")]
    Json {
        /// Which.
        what: String,
        /// Where it is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// Something is larger than anything sensible.
    #[error("{what} is of more than {limit} bytes, which are allowed")]
    TooLarge {
        /// What.
        what: String,
        /// Bytes.
        limit: u64,
    },
    /// The image has absurdly many layers.
    #[error("{image} has {layers} layers; {limit} are allowed")]
    TooManyLayers {
        /// The image.
        image: String,
        /// How many.
        layers: usize,
        /// How many may be.
        limit: usize,
    },
    /// Bytes are not those that were asked for.
    #[error("{what} has the digest {found}, not {expected}")]
    OtherDigest {
        /// What.
        what: String,
        /// What was promised.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// A layer cannot be used.
    #[error("layer {number} of {of} of {image} cannot be used")]
    Layer {
        /// The image.
        image: String,
        /// From 1, the lowest.
        number: usize,
        /// How many there are.
        of: usize,
        /// Why.
        #[source]
        source: LayerError,
    },
    /// A file of this machine, or one of the image, cannot be read.
    #[error("cannot read {what}")]
    Unreadable {
        /// Which.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What is downloaded or unpacked cannot be kept.
    #[error("cannot keep the image in the temporary directory {}", directory.display())]
    Temporary {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },

    /// There is no such file in the image.
    #[error("no {0} in the image")]
    NoSuchFile(ImagePath),
    /// A part of a path is no directory.
    #[error("{0} of the image is no directory")]
    NotADirectory(ImagePath),
    /// Symbolic links that lead to each other.
    #[error("{0} of the image leads through too many symbolic links")]
    TooManyLinks(String),
    /// The path is longer than a path may be.
    #[error("a path of {0} bytes is too long")]
    LongPath(usize),
    /// It is a directory or a device.
    #[error("{0} of the image is no regular file")]
    NotAFile(ImagePath),
    /// It is stored as a sparse file, which no image builder does.
    #[error("{0} of the image is stored as a sparse file, which cannot be read")]
    SparseFile(ImagePath),
    /// The program is not in the image.
    #[error("no executable {program:?} in the image; looked for {searched}")]
    NoSuchExecutable {
        /// As it was asked for.
        program: String,
        /// Where it could be.
        searched: String,
    },
}

/// An engine's address that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The address.
    pub address: String,
    /// Why nobody answers there.
    pub reason: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.address, self.reason)
    }
}

fn list(attempts: &[Attempt]) -> String {
    attempts.iter().map(Attempt::to_string).collect::<Vec<_>>().join(", ")
}

fn not_asked(attempts: &[Attempt]) -> String {
    if attempts.is_empty() { String::new() } else { format!("; not asked: {}", list(attempts)) }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none with a name".to_owned() } else { names.join(", ") }
}

impl Error {
    pub(crate) fn unreadable(what: impl Into<String>, source: io::Error) -> Self {
        Self::Unreadable { what: what.into(), source }
    }

    pub(crate) fn too_large(what: impl Into<String>, limit: u64) -> Self {
        Self::TooLarge { what: what.into(), limit }
    }

    pub(crate) fn not_an_image(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::NotAnImage { what: what.into(), reason: reason.into() }
    }

    pub(crate) fn json(what: impl Into<String>, source: serde_json::Error) -> Self {
        Self::Json { what: what.into(), source }
    }

    pub(crate) fn temporary(source: io::Error) -> Self {
        Self::Temporary { directory: std::env::temp_dir(), source }
    }

    pub(crate) fn if_other_digest(what: &str, expected: Digest, found: Digest) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        Err(Self::OtherDigest { what: what.to_owned(), expected, found })
    }

    pub(crate) fn lookup(path: &[u8], reason: crate::file_system::DeadEnd) -> Self {
        use crate::file_system::DeadEnd;
        match reason {
            DeadEnd::Missing(path) => Self::NoSuchFile(path),
            DeadEnd::NotADirectory(path) => Self::NotADirectory(path),
            DeadEnd::TooManyLinks => Self::TooManyLinks(printable(path)),
            DeadEnd::TooLong => Self::LongPath(path.len()),
        }
    }
}
