//! A process whose counters are read: opened once, asked as often as one likes.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use go_binary::{Executable, Instrumentation, VirtualAddress};
use go_coverage::RunArguments;

use crate::address::{LoadBias, Memory};
use crate::proc_files::ProcFiles;
use crate::process_memory::ProcessMemory;
use crate::{
    Denial, Error, FileSource, Module, ProcessId, ProcessKey, Program, Reason, Snapshot, find_module,
    read_program,
};

/// How long the list of packages has to stay as it is where main, with which it would end, is not covered.
const SETTLING: Duration = Duration::from_millis(20);

/// A process, with what is known of it so far. It has two files open, and may move between threads.
pub struct Process {
    files: ProcFiles,
    key: ProcessKey,
    memory: ProcessMemory,
    executable: Executable<FileSource>,
    bias: LoadBias,
    /// Where code begins: another place after the process became another program.
    start_of_code: u64,
    arguments: Arc<RunArguments>,
    module: Option<Module>,
    program: Option<Arc<Program>>,
}

impl Process {
    /// Opens a process, from the moment on that it is the program that is to be read (after `exec`) and up to its end,
    /// a stop at `PTRACE_EVENT_EXIT` included. While the kernel is still loading it, this gives [`Reason::Starting`].
    pub fn attach(process: ProcessId) -> Result<Self, Error> {
        Self::open(ProcFiles(process)).map_err(|reason| Error { process, reason })
    }

    /// Reads the counters. As long as not all packages are initialised, this gives [`Reason::Starting`].
    pub fn snapshot(&mut self) -> Result<Snapshot, Error> {
        let process = self.files.0;
        self.read().map_err(|reason| Error { process, reason })
    }

    /// Tells it from every other process.
    #[must_use]
    pub const fn key(&self) -> ProcessKey {
        self.key
    }

    /// What it runs.
    #[must_use]
    pub const fn executable(&self) -> &Executable<FileSource> {
        &self.executable
    }

    /// How many bytes its counters take; none as long as they were not found.
    #[must_use]
    pub fn counter_bytes(&self) -> Option<u64> {
        let module = self.module.as_ref()?;
        Some(module.counters.end.saturating_sub(module.counters.start))
    }

    /// What [`Reason::NoModuleData`] means of a process that is not starting any more: that it has no counters, if its
    /// executable has neither the code that writes coverage data nor a sign of counters.
    #[must_use]
    pub fn explain_no_module_data(&self) -> Reason {
        let build_info = self.executable.build_info().unwrap_or_default();
        match self.executable.instrumentation(build_info.as_ref()) {
            Ok(Instrumentation::Nothing { .. } | Instrumentation::NoHook) => {
                Reason::NotInstrumented { executable: self.files.executable_name() }
            }
            _ => Reason::NoModuleData,
        }
    }

    /// Whether it is still there, and has not ended. It may have become another program.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.files.stat().is_ok_and(|stat| stat.start_time == self.key.start_time && !stat.has_ended())
    }

    fn open(files: ProcFiles) -> Result<Self, Reason> {
        let stat = files.stat()?;
        if stat.has_ended() {
            return Err(Reason::Gone);
        }
        let memory = ProcessMemory::open(files)?;
        let file = File::open(files.path("exe")).and_then(FileSource::new);
        let file = file.map_err(|error| match error.kind() {
            // The rules for a process were passed when its memory was opened.
            io::ErrorKind::PermissionDenied => Reason::Denied(Denial::ExecutableNotReadable),
            _ => files.refused("exe", error),
        })?;
        let executable = Executable::read(file).map_err(|error| not_go(files, error))?;
        if executable.module_data_location().map_err(Reason::Executable)?.is_none() {
            return Err(Reason::NotGo { executable: files.executable_name() });
        }
        let bias = load_bias(files, &executable, &memory, stat.start_of_code)?;
        let arguments = RunArguments {
            program: files.arguments()?,
            operating_system: b"linux".to_vec(),
            architecture: executable.architecture().as_str().into(),
        };
        let own_id = files.own_id().unwrap_or(files.0.0.get());
        let mut process = Self {
            files,
            key: ProcessKey {
                id: files.0,
                own_id,
                start_time: stat.start_time,
                start_of_stack: stat.start_of_stack,
            },
            memory,
            executable,
            bias,
            start_of_code: stat.start_of_code,
            arguments: Arc::new(arguments),
            module: None,
            program: None,
        };
        match process.find_module() {
            // It may have only just started; snapshot looks again.
            Ok(()) | Err(Reason::NoModuleData) => Ok(process),
            Err(reason) => Err(reason),
        }
    }

    fn find_module(&mut self) -> Result<(), Reason> {
        if self.module.is_none() {
            let module =
                find_module(&self.executable, &self.memory, self.bias)?.ok_or(Reason::NoModuleData)?;
            if module.is_without_counters() {
                return Err(Reason::NotInstrumented { executable: self.files.executable_name() });
            }
            self.module = Some(module);
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Snapshot, Reason> {
        self.check_program()?;
        self.find_module()?;
        let Self { module: Some(module), memory, .. } = self else { return Err(Reason::NoModuleData) };
        let program = match &self.program {
            Some(program) if program.is_current(memory)? => program.clone(),
            _ => Arc::new(resolve(&self.executable, module, memory)?),
        };
        let counters = program.read_counters(module, memory)?;
        self.program = Some(program.clone());
        Ok(Snapshot {
            process: self.key,
            program,
            arguments: self.arguments.clone(),
            taken: SystemTime::now(),
            counters,
        })
    }

    /// The file of a process's memory stays with the program; for calls the number of the process is all there is.
    fn check_program(&self) -> Result<(), Reason> {
        if matches!(self.memory, ProcessMemory::File(_)) {
            return Ok(());
        }
        let stat = self.files.stat()?;
        let is_same = (stat.start_time, stat.start_of_code) == (self.key.start_time, self.start_of_code);
        if is_same { Ok(()) } else { Err(Reason::Gone) }
    }
}

fn not_go(files: ProcFiles, error: go_binary::Error) -> Reason {
    match error {
        go_binary::Error::NotElf { .. } => Reason::NotGo { executable: files.executable_name() },
        error => Reason::Executable(error),
    }
}

fn resolve(
    executable: &Executable<FileSource>,
    module: &Module,
    memory: &impl Memory,
) -> Result<Program, Reason> {
    if let Some(program) = read_program(module, memory, true)? {
        return Ok(program);
    }
    if ends_with_main(executable).map_err(Reason::Executable)? {
        return Err(Reason::Starting);
    }
    let program = read_program(module, memory, false)?.ok_or(Reason::Starting)?;
    std::thread::sleep(SETTLING);
    if program.is_current(memory)? { Ok(program) } else { Err(Reason::Starting) }
}

/// Whether main is the last package to be initialised: what writes the data is there, and it is no test binary, whose
/// main the go command makes, and does not cover. Up to Go 1.23 test binaries do not say what they are.
fn ends_with_main(executable: &Executable<FileSource>) -> Result<bool, go_binary::Error> {
    let is_program = executable.build_info()?.is_some_and(|info| {
        let main_package = info.value.main_package;
        !main_package.is_empty() && main_package.strip_suffix(".test").is_none()
    });
    Ok(is_program && executable.coverage_hook()?.is_some())
}

/// How far the executable was moved: the program headers are in the process's memory as they are in the file.
pub(crate) fn load_bias(
    files: ProcFiles,
    executable: &Executable<FileSource>,
    memory: &impl Memory,
    start_of_code: u64,
) -> Result<LoadBias, Reason> {
    let headers = executable.program_headers();
    let segments = executable.segments();
    let linked = segments.iter().find_map(|segment| {
        let within =
            headers.start.checked_sub(segment.offset).filter(|within| *within < segment.file_size)?;
        Some(VirtualAddress(segment.address.0.wrapping_add(within)))
    });
    let code = segments.iter().filter(|segment| segment.executable).map(|segment| segment.address.0).min();
    // Neither is there while the kernel is still loading the program. The vector belongs to the user of the process; with capabilities alone, only the other is readable.
    let by_vector = files.program_headers().ok().flatten().zip(linked).map(|(live, linked)| (live, linked.0));
    let by_code = (start_of_code > 1).then_some(start_of_code).zip(code);
    let lowest = (start_of_code > 1)
        .then_some(start_of_code)
        .zip(segments.iter().map(|segment| segment.address.0).min());
    let candidates = [by_vector, by_code, lowest].into_iter().flatten();
    let mut biases = candidates.map(|(live, linked)| LoadBias(live.wrapping_sub(linked))).peekable();
    if biases.peek().is_none() {
        return Err(Reason::Starting);
    }
    let Some(linked) = linked else {
        // Nothing to compare with: the headers are not loaded.
        return biases.next().ok_or(Reason::Starting);
    };
    let mut on_file = vec![0; usize::try_from(headers.end - headers.start).unwrap_or_default()];
    go_binary::ByteSource::read(executable.source(), headers.start, &mut on_file)
        .map_err(|source| Reason::System { path: files.path("exe").display().to_string(), source })?;
    let mut live = vec![0; on_file.len()];
    let mut last_error = None;
    for bias in biases {
        match memory.read(bias.live(linked), &mut live) {
            Ok(()) if live == on_file => return Ok(bias),
            Ok(()) => {}
            Err(error) => last_error = Some((bias.live(linked), error)),
        }
    }
    Err(match last_error {
        Some((address, error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
            Reason::Memory { address, source: error }
        }
        // It became another program in the meantime.
        _ => Reason::Gone,
    })
}
