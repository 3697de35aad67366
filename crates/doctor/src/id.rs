//! The names of diagnoses. They are stable: pages, scripts and people refer to them.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! ids {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// What can be found. Each has a page in docs/diagnoses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Id {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Id {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that does not change.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

ids! {
    /// No Go program: nothing that Go's coverage could be in.
    NotAGoBinary = "not-a-go-binary",
    /// Built without `-cover`.
    NotInstrumented = "not-instrumented",
    /// `-coverpkg` does not match the main package: the program counts, and never writes.
    MainNotCovered = "main-not-covered",
    /// Packages of the program's own module are not covered.
    PackagesNotCovered = "packages-not-covered",
    /// Built by file name: the package is called `command-line-arguments`.
    BuiltFromFileArguments = "built-from-file-arguments",
    /// Built as a library of C programs: Go's main, whose end writes counters, is not what ends them.
    BuiltAsLibrary = "built-as-library",
    /// For another system than containers run.
    WrongPlatform = "wrong-platform",
    /// `-cover` is set where `go build` does not see it.
    CoverageFlagNotPassed = "coverage-flag-not-passed",
    /// What GOFLAGS says is replaced by the command line, or by a later setting.
    GoflagsOverridden = "goflags-overridden",
    /// No GOCOVERDIR where the program runs.
    GocoverdirUnset = "gocoverdir-unset",
    /// GOCOVERDIR is set on a container that does not run the program.
    GocoverdirOnAnotherContainer = "gocoverdir-on-another-container",
    /// GOCOVERDIR is a relative path.
    GocoverdirRelative = "gocoverdir-relative",
    /// The directory in GOCOVERDIR is not there; Go does not create it.
    DirectoryMissing = "directory-missing",
    /// The program's user cannot write to the directory.
    DirectoryNotWritable = "directory-not-writable",
    /// The directory is on a file system that nobody can write to.
    ReadOnlyFileSystem = "read-only-file-system",
    /// The volume has no space left.
    VolumeFull = "volume-full",
    /// The directory is on the container's own file system, and ends with it.
    DataOnContainerFilesystem = "data-on-container-filesystem",
    /// The hostPath is not the node's mount of a host directory.
    NodePathNotMounted = "node-path-not-mounted",
    /// Two paths that should be the same are not.
    PathMismatch = "path-mismatch",
    /// The program still runs: counters come at its end.
    StillRunning = "still-running",
    /// SIGTERM ends the program without counters.
    SigtermUnhandled = "sigterm-unhandled",
    /// The program was killed before it wrote counters.
    KilledBeforeFlush = "killed-before-flush",
    /// The program took longer to end than it was given.
    GracePeriodExceeded = "grace-period-exceeded",
    /// The kernel killed the program, which took more memory than its limit.
    OutOfMemory = "out-of-memory",
    /// A panic or a fatal error ended the program.
    Panicked = "panicked",
    /// PID 1 is a shell, which does not pass signals on.
    ShellSwallowsSignals = "shell-swallows-signals",
    /// The program ended by itself, without writing.
    ExitedWithoutFlush = "exited-without-flush",
    /// The pod runs another image than the one that was built.
    ImageIsStale = "image-is-stale",
    /// There is no coverage data at all.
    NoData = "no-data",
    /// Meta-data without counters.
    CountersMissing = "counters-missing",
    /// Counters without their meta-data.
    OrphanCounters = "orphan-counters",
    /// Files that were never completed.
    TemporaryFilesLeft = "temporary-files-left",
    /// Data of several counter modes.
    MixedModes = "mixed-modes",
    /// Data of several builds of one program.
    MixedBuilds = "mixed-builds",
    /// A file that cannot be read as what its name says.
    DamagedFile = "damaged-file",
    /// Data below the directory, where Go's tools do not look.
    DataInSubdirectories = "data-in-subdirectories",
    /// Several readings of one process, which would be added up.
    CumulativeSnapshots = "cumulative-snapshots",
    /// Pod Security refuses the pod.
    PodSecurityForbids = "pod-security-forbids",
    /// Something could not be looked at.
    CouldNotLook = "could-not-look",
    /// Static linking is not the cause.
    HarmlessStaticLinking = "harmless-static-linking",
    /// Stripping is not the cause.
    HarmlessStripping = "harmless-stripping",
    /// `-trimpath` is not the cause.
    HarmlessTrimpath = "harmless-trimpath",
    /// `-a` and `-installsuffix` are not the cause.
    HarmlessRebuildAll = "harmless-rebuild-all",
    /// Copying the binary between stages is not the cause.
    HarmlessMultiStageCopy = "harmless-multi-stage-copy",
    /// A base image without a shell is not the cause.
    HarmlessDistroless = "harmless-distroless",
    /// A user other than root is not the cause.
    HarmlessNonroot = "harmless-nonroot",
    /// The binary has coverage, and main is covered.
    Instrumented = "instrumented",
    /// The way from the program to where the data is looked for is whole.
    PathComplete = "path-complete",
    /// Meta-data and counters belong together and can be read.
    DataComplete = "data-complete",
}

impl Id {
    /// The id of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|id| id.name() == name)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
