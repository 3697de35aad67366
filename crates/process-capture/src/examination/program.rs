//! What a Go program and its counters tell: whether coverage is in it, whether it counts, whether it waits for SIGTERM.

use go_binary::{Executable, FileKind, Instrumentation};
use podcov_agent_protocol::{Counted, GoProgram, ProgramCoverage};

use super::printable;
use crate::proc_files::ProcFiles;
use crate::process::load_bias;
use crate::process_memory::ProcessMemory;
use crate::{FileSource, Memory, Process, Reason};

const SIGTERM: u32 = 15;

/// Of the program that is in the executable, and the process that runs it.
pub(super) fn program(
    executable: &Executable<FileSource>,
    process: &Result<Process, Reason>,
) -> Result<GoProgram, go_binary::Error> {
    let info = executable.build_info()?;
    let instrumentation = executable.instrumentation(info.as_ref())?;
    let info = info.map(|found| found.value);
    let (coverage, (sign, place)) = match (&instrumentation, process.as_ref().map(Process::counter_bytes)) {
        // Of a position-independent program without symbols, only its memory tells.
        (Instrumentation::NoHook, Ok(Some(bytes))) => {
            let seen = (format!("{bytes} bytes of counters"), "the memory of the process".to_owned());
            (ProgramCoverage::WithoutMain, seen)
        }
        (Instrumentation::NoHook, Err(Reason::NotInstrumented { .. })) => (
            ProgramCoverage::Nothing,
            ("0 bytes of counters".to_owned(), "the memory of the process".to_owned()),
        ),
        (Instrumentation::WithMain { .. }, _) => (ProgramCoverage::WithMain, instrumentation.seen()),
        (Instrumentation::WithoutMain { .. }, _) => (ProgramCoverage::WithoutMain, instrumentation.seen()),
        (Instrumentation::Nothing { .. }, _) => (ProgramCoverage::Nothing, instrumentation.seen()),
        (Instrumentation::NoHook, _) => (ProgramCoverage::NoHook, instrumentation.seen()),
    };
    let text = |text: Option<&str>| printable(text.unwrap_or_default().as_bytes());
    Ok(GoProgram {
        go_version: text(info.as_ref().map(|info| info.go_version.as_str())),
        main_package: text(info.as_ref().map(|info| info.main_package.as_str())),
        main_module: text(info.as_ref().and_then(|info| Some(info.main_module.as_ref()?.path.as_str()))),
        cover_setting: info.as_ref().and_then(go_binary::BuildInfo::cover),
        coverage,
        coverage_seen: (printable(sign.as_bytes()), printable(place.as_bytes())),
        architecture: executable.architecture().as_str().to_owned(),
        is_stripped: executable.is_stripped(),
        is_static: executable.is_static(),
        is_position_independent: executable.kind() == FileKind::PositionIndependentExecutable,
    })
}

/// How much of the program has run.
pub(super) fn counted(process: Result<Process, Reason>) -> Result<Counted, Reason> {
    let snapshot = process?.snapshot().map_err(|error| error.reason)?;
    let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
    let packages = snapshot.program().metadata().packages();
    Ok(Counted {
        functions: number(packages.map(|package| package.functions().count()).sum()),
        ran: number(snapshot.counters().functions().count()),
    })
}

/// Whether Go's runtime was asked for SIGTERM, which the kernel's masks do not tell.
pub(super) fn waits_for_termination(files: ProcFiles, executable: &Executable<FileSource>) -> Option<bool> {
    if executable.signal_notification().ok()?.is_none() {
        return Some(false);
    }
    let wanted = executable.wanted_signals().ok()??;
    let memory = ProcessMemory::open(files).ok()?;
    let bias = load_bias(files, executable, &memory, files.stat().ok()?.start_of_code).ok()?;
    let mut mask = [0; 4];
    memory.read(bias.live(wanted), &mut mask).ok()?;
    Some(u32::from_le_bytes(mask) & (1 << SIGTERM) != 0)
}
