//! Executables of the programs in `testdata/live` and `testdata/endings`, built with any release in any way. Owns how
//! each is built; what they do is the tests' affair.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::toolchain::{Toolchain, files_under, output, testdata};

/// How an executable is linked, and what is taken out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Linking {
    /// As `go build` does.
    Plain,
    /// `-ldflags='-s -w'`.
    Stripped,
    /// CGO_ENABLED=0, `-ldflags='-s -w -extldflags -static'`, `-trimpath`.
    Static,
    /// `-buildmode=pie`.
    PositionIndependent,
    /// `-buildmode=pie -ldflags='-s -w'`.
    StrippedPositionIndependent,
    /// By the C compiler, not stripped.
    External,
    /// By the C compiler, static and stripped.
    ExternalStatic,
    /// By the C compiler, position-independent and stripped.
    ExternalPositionIndependent,
    /// By the C compiler, position-independent, static and stripped.
    StaticPositionIndependent,
    /// Stripped, and its section headers removed.
    NoSectionHeaders,
    /// Position-independent, stripped, and its section headers removed.
    NoSectionHeadersPositionIndependent,
}

impl Linking {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Plain,
        Self::Stripped,
        Self::Static,
        Self::PositionIndependent,
        Self::StrippedPositionIndependent,
        Self::External,
        Self::ExternalStatic,
        Self::ExternalPositionIndependent,
        Self::StaticPositionIndependent,
        Self::NoSectionHeaders,
        Self::NoSectionHeadersPositionIndependent,
    ];

    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::Stripped | Self::NoSectionHeaders => &["-ldflags=-s -w"],
            Self::Static => &["-ldflags=-s -w -extldflags -static", "-trimpath"],
            Self::PositionIndependent => &["-buildmode=pie"],
            Self::StrippedPositionIndependent | Self::NoSectionHeadersPositionIndependent => {
                &["-buildmode=pie", "-ldflags=-s -w"]
            }
            Self::External => &["-ldflags=-linkmode=external"],
            Self::ExternalStatic => &["-ldflags=-s -w -linkmode=external -extldflags=-static"],
            Self::ExternalPositionIndependent => &["-buildmode=pie", "-ldflags=-s -w -linkmode=external"],
            Self::StaticPositionIndependent => {
                &["-buildmode=pie", "-ldflags=-s -w -linkmode=external -extldflags=-static-pie"]
            }
        }
    }

    /// Whether the C compiler links it.
    #[must_use]
    pub const fn is_external(self) -> bool {
        matches!(
            self,
            Self::External
                | Self::ExternalStatic
                | Self::ExternalPositionIndependent
                | Self::StaticPositionIndependent
        )
    }

    const fn has_section_headers(self) -> bool {
        !matches!(self, Self::NoSectionHeaders | Self::NoSectionHeadersPositionIndependent)
    }
}

/// What of the program is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Covered {
    /// The main package and the one that works.
    Program,
    /// The program and the parts of the standard library that start before main, whose numbers are hard-coded.
    ProgramAndRuntime,
    /// The program, which has a variable that does harm to its counters up to Go 1.26.
    ProgramWithHugeVariable,
    /// Only the package that works: Go then writes nothing.
    WithoutMain,
    /// The same package, in the binary of its tests: `go test -c`.
    Tests,
    /// `go build` without `-cover`.
    Nothing,
}

/// A module of `testdata`, which is a main package, the package `work`, and others that are not covered.
#[derive(Clone, Copy)]
struct Module(&'static str);

const LIVE: Module = Module("live");
const ENDINGS: Module = Module("endings");

/// An executable of one of the programs.
#[derive(Clone, Copy, Debug, Hash)]
pub struct LiveProgram {
    /// What `GOTOOLCHAIN` is set to.
    pub release: &'static str,
    /// `set`, `count` or `atomic`.
    pub mode: &'static str,
    /// How it is linked.
    pub linking: Linking,
    /// What is covered.
    pub covered: Covered,
}

impl LiveProgram {
    /// Builds the program that works when it is told to, for this machine, unless the cache has it.
    #[must_use]
    pub fn executable(self, cache: &Path) -> PathBuf {
        LIVE.executable(self, "", cache)
    }

    /// Builds it for a `GOARCH`, without the C compiler.
    #[must_use]
    pub fn executable_for(self, architecture: &str, cache: &Path) -> PathBuf {
        LIVE.executable(self, architecture, cache)
    }

    /// Builds the program that ends as it is told to, in the same way.
    #[must_use]
    pub fn executable_of_endings(self, cache: &Path) -> PathBuf {
        ENDINGS.executable(self, "", cache)
    }

    /// Builds that for a `GOARCH`, without the C compiler; for this machine if that is empty.
    #[must_use]
    pub fn executable_of_endings_for(self, architecture: &str, cache: &Path) -> PathBuf {
        ENDINGS.executable(self, architecture, cache)
    }
}

impl Module {
    fn executable(self, program: LiveProgram, architecture: &str, cache: &Path) -> PathBuf {
        let Self(name) = self;
        let file = cache.join(format!("{name}-{architecture}-{:016x}", self.key(program)));
        if !file.exists() {
            let lock = File::create(file.with_extension("lock")).unwrap();
            lock.lock().unwrap();
            if !file.exists() {
                let work = file.with_extension("work");
                self.build(program, architecture, &work);
                fs::rename(&work, &file).unwrap();
            }
        }
        file
    }

    fn build(self, program: LiveProgram, architecture: &str, executable: &Path) {
        let LiveProgram { release, mode, linking, covered } = program;
        let go = Toolchain::new(release, self.directory());
        let mut command = go.command_in(&go.source);
        let (subcommand, package): (&[&str], _) = match covered {
            Covered::Tests => (&["test", "-c", "-vet=off"], "./work"),
            _ => (&["build"], "."),
        };
        command.args(subcommand).args(linking.flags()).arg("-o").arg(executable);
        if linking.is_external() {
            command.env("CGO_ENABLED", "1");
        }
        if !architecture.is_empty() {
            command.env("GOARCH", architecture);
        }
        if covered != Covered::Nothing {
            command.args(["-cover", "-covermode", mode, "-coverpkg", &self.packages(covered)]);
        }
        if covered == Covered::ProgramWithHugeVariable {
            command.arg("-tags=huge");
        }
        output(command.arg(package), &[0]);
        if !linking.has_section_headers() {
            remove_section_headers(executable);
        }
    }

    fn packages(self, covered: Covered) -> String {
        let main = format!("example.com/{}", self.0);
        let work = format!("{main}/work");
        match covered {
            Covered::Program | Covered::ProgramWithHugeVariable => format!("{main},{work}"),
            Covered::ProgramAndRuntime => {
                format!("{main},{work},runtime,internal/abi,internal/bytealg,strconv")
            }
            Covered::WithoutMain | Covered::Tests => work,
            Covered::Nothing => String::new(),
        }
    }

    fn key(self, program: LiveProgram) -> u64 {
        let mut hasher = DefaultHasher::new();
        let version = Toolchain::new(program.release, testdata()).go(["env", "GOVERSION"]);
        (program, version, include_str!("live.rs")).hash(&mut hasher);
        for file in files_under(&self.directory()) {
            (&file, fs::read(&file).unwrap()).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn directory(self) -> PathBuf {
        testdata().join(self.0)
    }
}

/// As `strip --strip-section-headers`, which older binutils do not have.
fn remove_section_headers(executable: &Path) {
    let mut bytes = fs::read(executable).unwrap();
    bytes[0x28..0x30].fill(0);
    bytes[0x3c..0x40].fill(0);
    fs::write(executable, bytes).unwrap();
}

/// Calls the go command of the installed release.
#[must_use]
pub fn installed_go(arguments: &[&str]) -> String {
    output(Command::new("go").args(arguments).env("GOTOOLCHAIN", "local"), &[0])
}
