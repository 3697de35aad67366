//! Container images, read without running them: from the engine of this machine, a registry, or an archive.
//!
//! [`ImageReader`] finds an [`Image`], of which it reads the configuration alone: what a container of it runs is
//! [`CommandLine`]. [`Image::into_file_system`] fetches the layers and gives the [`FileSystem`], in which files are
//! listed, looked up and read.
//!
//! Images come from strangers. Every blob is checked against its digest, no link leads out of the image, and what is
//! absurdly large is refused by name ([`Limits`]). Memory grows with the names of the files, never with their contents.
//! What a place has to keep for that is in unnamed temporary files.
//!
//! [`find_container`] says which process a container of an engine is.
//!
//! Finding and fetching is asynchronous, for tokio; a [`FileSystem`] is asked without.

mod archive;
mod blob;
mod compression;
mod config;
mod credentials;
mod digest;
mod engine;
mod entry_point;
mod environment;
mod error;
mod file_system;
mod http;
mod image;
mod limits;
mod manifest;
mod path;
mod platform;
mod reader;
mod reference;
mod registry;
mod tar;
mod temporary;

pub use config::ImageConfig;
pub use digest::Digest;
pub use engine::{Container, ContainerMount, find_container};
pub use entry_point::{CommandLine, SaidBy, ShellForm, is_shell};
pub use environment::Environment;
pub use error::{Attempt, Error};
pub use file_system::{Directory, FileReader, FileSystem, LayerError, Node, RegularFile};
pub use http::HttpError;
pub use image::{Digests, Image};
pub use limits::Limits;
pub use path::ImagePath;
pub use platform::Platform;
pub use reader::ImageReader;
pub use reference::Reference;
