//! An executable, and everything that it is asked. Owns the source; each question reads what it needs.

use std::ops::Range;

use crate::elf::{Architecture, FileKind, Headers, Section, Segment};
use crate::module_data::{self, ModuleData, ModuleDataLocation};
use crate::{
    BuildInfo, ByteSource, Error, Found, Instrumentation, ModulePackages, Place, VirtualAddress, build_info,
    instrumentation, packages, signals, symbols,
};

/// The list of packages' meta-data: from Go 1.23, and before.
const META_DATA_LISTS: [&str; 2] = ["internal/coverage/rtcov.Meta", "runtime.covMeta"];

/// An ELF executable. Only its headers have been read.
pub struct Executable<Source> {
    source: Source,
    headers: Headers,
}

impl<Source: ByteSource> Executable<Source> {
    /// Reads the headers.
    pub fn read(source: Source) -> Result<Self, Error> {
        let headers = Headers::read(&source)?;
        Ok(Self { source, headers })
    }

    /// The processor that it is for.
    #[must_use]
    pub const fn architecture(&self) -> Architecture {
        self.headers.architecture
    }

    /// The operating system, as in `GOOS`, as far as the header tells: Linux and most others write 0. `GOOS` in the
    /// build information is exact.
    #[must_use]
    pub const fn operating_system(&self) -> &'static str {
        match self.headers.operating_system_abi {
            0 | 3 => "linux",
            2 => "netbsd",
            6 => "solaris",
            9 => "freebsd",
            12 => "openbsd",
            _ => "unknown",
        }
    }

    /// How it is loaded.
    #[must_use]
    pub const fn kind(&self) -> FileKind {
        self.headers.kind
    }

    /// Whether it runs without a dynamic linker and libraries.
    #[must_use]
    pub const fn is_static(&self) -> bool {
        !self.headers.has_interpreter && !matches!(self.headers.kind, FileKind::SharedObject)
    }

    /// Whether it has no symbol table (`-ldflags=-s`, or strip).
    #[must_use]
    pub fn is_stripped(&self) -> bool {
        !symbols::has_table(&self.headers.sections)
    }

    /// The packages of the main module that are in it, as its symbols tell; none where it has no symbols.
    pub fn module_packages(&self, info: &BuildInfo) -> Result<Option<ModulePackages>, Error> {
        packages::of_module(self, info)
    }

    /// What is loaded into memory.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.headers.segments
    }

    /// The parts that have names; none where the section headers were removed.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.headers.sections
    }

    /// Where the program headers are in the file.
    #[must_use]
    pub fn program_headers(&self) -> Range<u64> {
        self.headers.program_table.clone()
    }

    /// What was given to [`read`](Self::read).
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The build information. None means that Go did not build it, or that it was taken out.
    pub fn build_info(&self) -> Result<Option<Found<BuildInfo>>, Error> {
        build_info::find(&self.source, self.sections(), self.segments())
    }

    /// Whether it was built with coverage. `build_info` is what [`build_info`](Self::build_info) returned.
    pub fn instrumentation(&self, build_info: Option<&Found<BuildInfo>>) -> Result<Instrumentation, Error> {
        instrumentation::instrumentation(self, build_info)
    }

    /// Where the part of Go's runtime is that writes coverage data. It is there if, and only if, the main package is
    /// covered.
    pub fn coverage_hook(&self) -> Result<Option<Place>, Error> {
        instrumentation::hook(self)
    }

    /// Where the function of `os/signal` is with which programs ask for signals. None means that SIGTERM ends the
    /// program at once, and with it its counters.
    pub fn signal_notification(&self) -> Result<Option<Place>, Error> {
        signals::notify(self)
    }

    /// Where the running program keeps which signals it asked for: bit N of the number of 32 bits there for signal N.
    /// Only the symbol table tells.
    pub fn wanted_signals(&self) -> Result<Option<VirtualAddress>, Error> {
        signals::wanted(self)
    }

    /// How to find the module data. None means that Go did not build it.
    pub fn module_data_location(&self) -> Result<Option<ModuleDataLocation>, Error> {
        module_data::locate(&self.source, self.sections(), self.segments())
    }

    /// The module data as the file has them. In a position-independent executable they may not be filled in yet; none
    /// if that is so.
    pub fn module_data(&self) -> Result<Option<Found<ModuleData>>, Error> {
        let Some(location) = self.module_data_location()? else { return Ok(None) };
        let value = module_data::read_from_file(&self.source, self.segments(), &location)?;
        let (ModuleDataLocation::At { place, .. } | ModuleDataLocation::PointsTo { place, .. }) = location;
        Ok(value.map(|value| Found { value, place }))
    }

    /// The variable that lists the meta-data of all packages, where the symbol table tells. It begins with a slice.
    pub fn meta_data_list(&self) -> Result<Option<Found<VirtualAddress>>, Error> {
        let found = symbols::look_up(&self.source, self.sections(), META_DATA_LISTS)?;
        let found = META_DATA_LISTS.into_iter().zip(found);
        let mut found = found.filter_map(|(name, symbol)| Some((name, symbol?)));
        Ok(found
            .next()
            .map(|(name, address)| Found { value: address, place: Place::Symbol { name, address } }))
    }

    /// The section that an offset of the file is in, if there is one.
    pub(crate) fn place_of(&self, offset: u64) -> Place {
        let section = self.sections().iter().find(|section| {
            let within = offset.checked_sub(section.offset);
            !section.is_empty_in_file && within.is_some_and(|within| within < section.size)
        });
        match section {
            Some(section) => Place::Section { name: section.name.clone(), offset },
            None => Place::Segment { offset },
        }
    }
}
