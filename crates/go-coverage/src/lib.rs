//! Go's coverage data: read, merged, and written as a text profile.
//!
//! Pure: bytes in, values out. No file is opened, nothing is printed, and no Go toolchain is needed. Bytes that are
//! not what they should be give an [`Error`] with an offset and a reason, never a panic and never an allocation out of
//! proportion to the input.
//!
//! # The files
//!
//! A program that was built with `go build -cover` leaves two kinds of files in its `GOCOVERDIR`. All numbers are
//! little-endian. *uleb* is ULEB128, a *string table* is a uleb number of strings, and each string a uleb length and
//! its bytes.
//!
//! `covmeta.HASH`, the **meta-data file**, says what the program consists of. It is the same for every run:
//!
//! | bytes | |
//! |---|---|
//! | 56 | header: magic `\0cvm`, `u32` version (1), `u64` length of the file, `u64` number of packages, the 16-byte hash, `u32` offset and `u32` length of the string table, `u8` counter mode (1 set, 2 count, 3 atomic), `u8` granularity (1 per block, 2 per function), 6 of padding |
//! | 8 + 8 each | the packages' offsets, then their lengths |
//! | … | the file's string table, which is empty |
//! | … | the packages |
//!
//! A package stands for itself, and offsets in it count from its beginning: `u32` length, `u32` indices of its name,
//! import path and module path in its string table, 16-byte hash, 4 of padding, `u32` number of strings, `u32` number
//! of functions, a `u32` offset for each of them, the string table, the functions. A function is all uleb: number of
//! units, index of its name, index of its file, for each unit start line, start column, end line, end column and
//! number of statements, then whether it is a literal outside of any function.
//!
//! `covcounters.HASH.PID.NANOSECONDS`, the **counter file**, says what ran in one process:
//!
//! | bytes | |
//! |---|---|
//! | 32 | header: magic `\0cwm`, `u32` version (1), the hash of the meta-data, `u8` flavor (1 raw `u32`, 2 uleb), `u8` big-endian (0), 6 of padding |
//! | 16 | segment: `u64` number of functions, `u32` length of the string table, `u32` length of the arguments |
//! | … | string table; arguments: a uleb number of pairs of indices, key and value, padded to 4 bytes |
//! | … | for each function that ran: number of counters, index of the package, index of the function, the counters |
//! | 16 | footer: magic, 4 of padding, `u32` number of segments so far, 4 of padding |
//!
//! The **hash** joins the two. Go makes it of the meta-data by MD5 (up to 1.23) or FNV-128a (from 1.24). It is
//! compared where files are read, and made anew where one is written.
//!
//! Sources: `internal/coverage/defs.go`, `encodemeta`, `encodecounter`, `decodemeta`, `decodecounter` and `cformat`
//! in the Go repository, and files written by Go 1.22 to 1.27.
//!
//! # Example
//!
//! ```
//! use go_coverage::{CounterFile, Error, Merger, MetaDataFile};
//!
//! let mut merger = Merger::new();
//! let damaged = merger.add_metadata(b"\0cvm\x01\0\0\0");
//! assert_eq!(damaged, Err(Error::Truncated { offset: 8, what: "the length of the file" }));
//! assert!(merger.finish().is_empty());
//! ```

mod adder;
mod arguments;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod counters;
mod counts;
mod course;
mod cursor;
mod digest;
mod encode;
mod error;
mod hash;
mod join;
mod merge;
mod metadata;
mod pattern;
mod profile;
mod set_operations;
mod text;
mod text_profile;
mod totals;
mod uleb128;

pub use adder::Adder;
pub use arguments::{Arguments, RunArguments};
pub use counters::{CounterFile, CounterFlavor, FunctionCounters, Segment};
pub use counts::{Counts, ProgramCounts, Programs};
pub use digest::HashFunction;
pub use encode::{CounterFileWriter, PackageBuilder, metadata_file, program_metadata_file};
pub use error::Error;
pub use hash::{MetaDataHash, ParseHashError};
pub use join::{Join, join_profiles};
pub use merge::Merger;
pub use metadata::{CounterGranularity, FunctionMetaData, MetaDataFile, PackageMetaData};
pub use pattern::PackagePattern;
pub use profile::{CounterMode, Function, Package, Profile, Totals, Unit};
pub use text::{package_text, text_header, write_text};
pub use text_profile::TextProfile;
pub use totals::block_totals;
