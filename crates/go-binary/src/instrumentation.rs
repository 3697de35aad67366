//! Whether an executable was built with coverage, and whether it can write its own data.

use crate::scan::find;
use crate::{BuildInfo, ByteSource, Error, Executable, Found, Place, symbols};

/// Part of a message of `internal/coverage/cfile` (`runtime/coverage` up to Go 1.22). The linker leaves it out unless
/// main's initialisation calls the hook that contains it.
const HOOK_MESSAGE: &[u8] = b"no coverage data emitted";
const COUNTERS: [&str; 2] = ["runtime.covctrs", "runtime.ecovctrs"];

/// What is known about coverage of an executable.
///
/// Certain are the hook, where its message is found, and the counters, where the symbols or the module data are in the
/// file. A program that has the words of the message in a text of its own would look as if it had the hook. A test
/// binary (`go test -c -cover`) has the hook, and its main package is the one that the go command makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instrumentation {
    /// The main package is covered: the program writes meta-data when it starts, and counters when it ends.
    WithMain {
        /// Where the hook's message is.
        hook: Place,
    },
    /// Packages are covered, but not main: the program counts, and never writes (`-coverpkg` does not match main).
    WithoutMain {
        /// What tells that there is coverage.
        evidence: Evidence,
    },
    /// No package is covered.
    Nothing {
        /// What tells.
        evidence: Evidence,
    },
    /// There is no hook. Whether packages are covered cannot be told from the file: its module data
    /// are only filled in when it is loaded, and it has neither symbols nor, before Go 1.23, a setting that tells.
    NoHook,
}

/// What tells whether packages are covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The setting `-cover` in the build information.
    BuildInfo(Place),
    /// The bytes that all counters take: 0 where no package is covered.
    Counters(Found<u64>),
}

impl Instrumentation {
    /// What tells, and where that was seen: for people.
    #[must_use]
    pub fn seen(&self) -> (String, String) {
        match self {
            Self::WithMain { hook } => ("the hook that writes coverage data".to_owned(), hook.to_string()),
            Self::WithoutMain { evidence } | Self::Nothing { evidence } => match evidence {
                Evidence::BuildInfo(place) => ("the setting -cover".to_owned(), place.to_string()),
                Evidence::Counters(found) => {
                    (format!("{} bytes of counters", found.value), found.place.to_string())
                }
            },
            Self::NoHook => {
                ("no hook that writes coverage data".to_owned(), "all read-only segments".to_owned())
            }
        }
    }
}

pub(crate) fn instrumentation<Source: ByteSource>(
    executable: &Executable<Source>,
    build_info: Option<&Found<BuildInfo>>,
) -> Result<Instrumentation, Error> {
    if let Some(hook) = hook(executable)? {
        return Ok(Instrumentation::WithMain { hook });
    }
    // The counters themselves are better evidence than what the go command was told.
    let evidence = match counters(executable)? {
        Some(found) => Some((found.value > 0, Evidence::Counters(found))),
        None => {
            build_info.and_then(|info| Some((info.value.cover()?, Evidence::BuildInfo(info.place.clone()))))
        }
    };
    Ok(match evidence {
        Some((true, evidence)) => Instrumentation::WithoutMain { evidence },
        Some((false, evidence)) => Instrumentation::Nothing { evidence },
        None => Instrumentation::NoHook,
    })
}

/// Where the hook's message is among what is loaded and never changes.
pub(crate) fn hook<Source: ByteSource>(executable: &Executable<Source>) -> Result<Option<Place>, Error> {
    for segment in executable.segments().iter().filter(|segment| !segment.writable) {
        if let Some(offset) = find(executable.source(), segment.file_range(), HOOK_MESSAGE)? {
            return Ok(Some(executable.place_of(offset)));
        }
    }
    Ok(None)
}

/// How many bytes the counters take, where the file tells.
fn counters<Source: ByteSource>(executable: &Executable<Source>) -> Result<Option<Found<u64>>, Error> {
    if let [Some(start), Some(end)] = symbols::look_up(executable.source(), executable.sections(), COUNTERS)?
    {
        let place = Place::Symbol { name: COUNTERS[0], address: start };
        return Ok(Some(Found { value: end.0.saturating_sub(start.0), place }));
    }
    let Some(module) = executable.module_data()? else { return Ok(None) };
    let value = module.value.counters.end - module.value.counters.start;
    Ok(Some(Found { value, place: module.place }))
}
