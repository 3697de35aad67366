//! For tests, and to try it by hand: runs a program under supervision, writes what the observer is told to a file, a
//! line for each call, and ends as the program did.
#![allow(clippy::unwrap_used, reason = "a test's program that cannot go on has failed")]

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsString;
    use std::fmt;
    use std::fs::{self, File, OpenOptions};
    use std::io::Write;
    use std::os::unix::fs::FileExt;
    use std::path::{Path, PathBuf};
    use std::process::{Command, ExitStatus};
    use std::time::Duration;

    use podcov_process_supervision::{
        Descendants, Exit, NotFollowed, Observer, Options, ProcessId, Signals, Supervisor, ThreadId,
    };

    const USAGE: &str =
        "usage: podcov-supervise [--log=FILE] [--leave] [--tick=MILLISECONDS] [--ends-with-supervisor]
       [--counters=DIRECTORY] -- PROGRAM [ARGUMENT]...";

    pub fn main() {
        let signals = Signals::take().unwrap();
        let mut arguments = std::env::args_os().skip(1);
        let mut log = Log { file: None, descendants: Descendants::WaitFor, counters: PathBuf::new() };
        let mut options = Options::default();
        for argument in arguments.by_ref() {
            let argument = argument.into_string().expect(USAGE);
            match argument.split_once('=').unwrap_or((&argument, "")) {
                ("--log", file) => {
                    log.file = Some(OpenOptions::new().create(true).append(true).open(file).unwrap());
                }
                ("--leave", _) => log.descendants = Descendants::Leave,
                ("--tick", milliseconds) => {
                    options.tick = Some(Duration::from_millis(milliseconds.parse().expect(USAGE)));
                }
                ("--ends-with-supervisor", _) => options.program_ends_with_supervisor = true,
                ("--counters", directory) => log.counters = directory.into(),
                ("--", _) => break,
                _ => panic!("{USAGE}"),
            }
        }
        let words: Vec<OsString> = arguments.collect();
        let (program, arguments) = words.split_first().expect(USAGE);
        let mut command = Command::new(program);
        command.args(arguments);
        match Supervisor::start(command, options, signals, log) {
            Ok(supervisor) => {
                let (ending, mut log) = supervisor.run();
                let followed = if ending.was_followed { "followed" } else { "not followed" };
                log.line(format_args!("ended {} {followed}", ending.status));
                drop(log);
                ending.imitate();
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                eprintln!("{error}: {cause}");
                std::process::exit(127);
            }
        }
    }

    struct Log {
        file: Option<File>,
        descendants: Descendants,
        counters: PathBuf,
    }

    impl Log {
        fn line(&mut self, line: fmt::Arguments<'_>) {
            if let Some(file) = &mut self.file {
                // One call each, so that a reader sees whole lines.
                file.write_all(format!("{line}\n").as_bytes()).unwrap();
            }
        }

        fn memory(&self, process: ProcessId, memory_of: i32) -> String {
            if self.file.is_none() {
                return String::new();
            }
            let memory =
                if has_elf_header(memory_of).unwrap_or_default() { "readable" } else { "unreadable" };
            match counter(&self.counters, process, memory_of) {
                Some(value) => format!("{memory} {value}"),
                None => memory.to_owned(),
            }
        }
    }

    impl Observer for Log {
        fn program_image(&mut self, process: ProcessId) {
            let program = fs::read_link(format!("/proc/{process}/exe")).unwrap_or_default();
            let name = program.file_name().unwrap_or_default().display().to_string();
            self.line(format_args!("image {process} {name}"));
        }

        fn about_to_exec(&mut self, process: ProcessId, memory_of: ThreadId) {
            let memory = self.memory(process, memory_of.0);
            self.line(format_args!("exec {process} {memory}"));
        }

        fn exiting(&mut self, process: ProcessId, exit: Exit) {
            let memory = self.memory(process, exit.memory_of.0);
            let finality = if exit.is_final { "" } else { " not final" };
            self.line(format_args!("exiting {process} {}{finality}: {memory}", exit.status));
        }

        fn gone(&mut self, process: ProcessId, status: ExitStatus) {
            self.line(format_args!("gone {process} {status}"));
        }

        fn not_followed(&mut self, process: ProcessId, why: NotFollowed) {
            self.line(format_args!("not-followed {process} {why}"));
        }

        fn program_ended(&mut self, status: ExitStatus, living: &[ProcessId]) -> Descendants {
            self.line(format_args!("program-ended {status} {}", living.len()));
            self.descendants
        }

        fn left(&mut self, process: ProcessId) {
            let memory = self.memory(process, process.0);
            self.line(format_args!("left {process} {memory}"));
        }

        fn tick(&mut self) {
            self.line(format_args!("tick"));
        }
    }

    fn has_elf_header(memory_of: i32) -> Option<bool> {
        let maps = fs::read_to_string(format!("/proc/{memory_of}/maps")).ok()?;
        let start = u64::from_str_radix(maps.split_once('-')?.0, 16).ok()?;
        let mut header = [0; 4];
        File::open(format!("/proc/{memory_of}/mem")).ok()?.read_exact_at(&mut header, start).ok()?;
        Some(&header == b"\x7fELF")
    }

    /// The variable whose address the process left in a file; twice, since it has to have its last value.
    fn counter(directory: &Path, process: ProcessId, memory_of: i32) -> Option<String> {
        let address = fs::read_to_string(directory.join(process.to_string())).ok()?;
        let address = u64::from_str_radix(address.trim().trim_start_matches("0x"), 16).ok()?;
        let memory = File::open(format!("/proc/{memory_of}/mem")).ok()?;
        let read = || {
            let mut value = [0; 8];
            memory.read_exact_at(&mut value, address).ok().map(|()| u64::from_le_bytes(value))
        };
        let first = read()?;
        std::thread::sleep(Duration::from_millis(2));
        Some(if read()? == first { format!("counter={first}") } else { "counter=moving".to_owned() })
    }
}
