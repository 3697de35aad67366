//! What a process is, what it runs, and what it finds where GOCOVERDIR points: why it does or does not leave coverage data.
//!
//! Everything is read from `/proc`, without a shell or any other program in its container. Nothing is decided here.

mod directory;
mod program;

use std::fs::File;

use go_binary::Executable;
use podcov_agent_protocol::Examination;

use self::directory::directory;
use crate::proc_files::{ProcFiles, status_field};
use crate::process_memory::ProcessMemory;
use crate::{FileSource, LiveAddress, Memory, Process, ProcessId, Reason};

const VARIABLE: &[u8] = b"GOCOVERDIR=";
/// Linux itself has no limit but memory.
const LONGEST_ENVIRONMENT: u64 = 8 << 20;
/// Of a text that is told; no path is longer.
const LONGEST_TEXT: usize = 4096;
const NOT_GO: &str = "it is not a program of Go's";
const SIGTERM: u32 = 15;
/// capabilities(7)
const CAP_DAC_OVERRIDE: u32 = 1;

/// Looks at a process.
pub fn examine(process: ProcessId) -> Result<Examination, Reason> {
    let files = ProcFiles(process);
    let status = files.status()?;
    let numbers = |name: &str| -> Vec<u32> {
        let fields = status_field(&status, name).unwrap_or_default().split_whitespace();
        fields.filter_map(|number| number.parse().ok()).collect()
    };
    // Real, effective, saved, and that of file systems.
    let last = |name: &str| numbers(name).last().copied().unwrap_or(u32::MAX);
    let (user, mut groups) = (last("Uid"), vec![last("Gid")]);
    groups.extend(numbers("Groups"));
    let mask = |name: &str| {
        let mask = status_field(&status, name).and_then(|mask| u64::from_str_radix(mask, 16).ok());
        mask.unwrap_or(0)
    };
    let overrides = mask("CapEff") & (1 << CAP_DAC_OVERRIDE) != 0;
    let environment = environment(files)?;
    let setting = environment.split(|byte| *byte == 0).find_map(|pair| pair.strip_prefix(VARIABLE));
    let setting = setting.filter(|value| !value.is_empty());
    let directory = setting.map(|path| directory(files, path, user, &groups, overrides)).transpose()?;
    let executable = File::open(files.path("exe")).map_err(|error| files.refused("exe", error))?;
    let executable = FileSource::new(executable).ok().and_then(|source| Executable::read(source).ok());
    let executable = executable.filter(|it| matches!(it.module_data_location(), Ok(Some(_))));
    let has_termination = |name: &str| mask(name) & (1 << (SIGTERM - 1)) != 0;
    let (go_program, counted) = match &executable {
        Some(executable) => {
            let attached = Process::attach(process).map_err(|error| error.reason);
            let program = program::program(executable, &attached).map_err(|error| error.to_string());
            (program, program::counted(attached).map_err(|reason| reason.in_full()))
        }
        None => (Err(NOT_GO.to_owned()), Err(NOT_GO.to_owned())),
    };
    Ok(Examination {
        process_id: process.0.get(),
        own_id: files.own_id().unwrap_or(process.0.get()),
        program: printable(files.executable_name().as_bytes()),
        is_go: executable.is_some(),
        user,
        groups,
        handles_termination: match &executable {
            // One that asked for it to be ignored does not end by it.
            Some(_) if has_termination("SigIgn") => Some(false),
            Some(executable) => program::waits_for_termination(files, executable),
            None => None,
        },
        setting: setting.map(printable),
        directory,
        command_line: command_line(files)?,
        catches_termination: has_termination("SigCgt"),
        go_program,
        counted,
    })
}

/// Its words, as long as a text may be in all.
fn command_line(files: ProcFiles) -> Result<Vec<String>, Reason> {
    let mut length = 0;
    let words = files.arguments()?.into_iter().map(|word| printable(&word));
    Ok(words
        .take_while(|word| {
            length += word.len() + 1;
            length <= LONGEST_TEXT
        })
        .collect())
}

/// Its variables as it was started with them. The file is its user's; CAP_SYS_PTRACE alone is enough for its memory.
fn environment(files: ProcFiles) -> Result<Vec<u8>, Reason> {
    let denied = match files.read("environ", LONGEST_ENVIRONMENT) {
        Err(denied @ Reason::Denied(_)) => denied,
        read => return read,
    };
    let (begin, end) = files.stat()?.environment;
    let length = end.saturating_sub(begin).min(LONGEST_ENVIRONMENT);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    let read = ProcessMemory::open(files)?.read(LiveAddress(begin), &mut bytes);
    // Without permission, it has no place.
    if length == 0 || read.is_err() { Err(denied) } else { Ok(bytes) }
}

/// Text from a container cannot steer the terminal, and does not fill memory.
fn printable(text: &[u8]) -> String {
    let characters = String::from_utf8_lossy(text);
    let plain = |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
    characters.chars().map(plain).take(LONGEST_TEXT).collect()
}
