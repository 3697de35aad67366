//! What a Go executable says of itself.
//!
//! Build information, the platform, whether it is instrumented for coverage, and where the runtime keeps what a reader
//! of the running program needs. Stripped, position-independent and static executables will do, and those without
//! section headers.
//!
//! Pure: bytes in, values out, from anything that can be read at an offset ([`ByteSource`]). Of a file of 100 MB a few
//! tables are read; what has to be searched is read piece by piece. Bytes that are not what they should be give an
//! [`Error`] with an offset and a reason, never a panic and never an allocation without a limit.
//!
//! ELF of 64 bits, little-endian, amd64 and arm64: what runs in containers.
//!
//! # Example
//!
//! ```
//! use go_binary::{Error, Executable};
//!
//! let script = b"#!/bin/sh\nexec /bin/api\n".as_slice();
//! let refused = Executable::read(script).err().map(|error| error.to_string());
//! assert_eq!(refused.as_deref(), Some("not an ELF file but a script"));
//! ```
//!
//! `cargo run --example describe -- FILE` prints everything about an executable.

mod build_info;
mod elf;
mod error;
mod executable;
mod instrumentation;
mod module_data;
mod packages;
mod place;
mod scan;
mod signals;
mod source;
mod symbols;

pub use build_info::{BuildInfo, GoVersion, Module};
pub use elf::{Architecture, FileKind, Section, Segment};
pub use error::Error;
pub use executable::Executable;
pub use instrumentation::{Evidence, Instrumentation};
pub use module_data::{ModuleData, ModuleDataLocation, begins_function_table};
pub use packages::ModulePackages;
pub use place::{Found, Place, VirtualAddress};
pub use scan::words;
pub use source::ByteSource;
