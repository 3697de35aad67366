//! From a command to its ending. Owns the tracer's thread.

use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, process};

use nix::sys::prctl;

use crate::doorbell::Doorbell;
use crate::ending::Ending;
use crate::error::Error;
use crate::launch;
use crate::living::LivingProcesses;
use crate::observer::Observer;
use crate::signals::Signals;
use crate::tracer::{Start, Tracer};

/// What can be chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How often the observer's [`Observer::tick`] is called.
    pub tick: Option<Duration>,
    /// The program gets SIGTERM when this process is killed, and else runs on. The kernel means the thread that calls
    /// [`Supervisor::start`]: it has to live as long as the program.
    pub program_ends_with_supervisor: bool,
}

/// The parent of one program that runs. There can be one in a process, and it waits for all children of that process.
///
/// Dropped without [`Supervisor::run`], it goes on until the program has ended, or this process has.
#[derive(Debug)]
pub struct Supervisor<O> {
    tracer: JoinHandle<(Ending, O)>,
    living: LivingProcesses,
    /// Given back when the tracer has ended, by the thread that waited for it.
    signals: Arc<Signals>,
}

impl<O: Observer> Supervisor<O> {
    /// Starts the program. It gets the standard streams, the environment, the working directory and the process group
    /// that the command says; everything else is as if this process had become the program.
    ///
    /// Where the program may not be traced, it runs all the same, and the observer is told why it is not followed.
    pub fn start(
        mut command: Command,
        options: Options,
        signals: Signals,
        observer: O,
    ) -> Result<Self, Error> {
        let program = command.get_program().display().to_string();
        let failed = |source| Error::Tracer { program: program.clone(), source };
        // PID 1 inherits orphans anyway, and an older system may not know it.
        let _ = prctl::set_child_subreaper(true);
        let obstacle = launch::obstacle();
        let gate =
            launch::prepare(&mut command, &signals, options.program_ends_with_supervisor).map_err(failed)?;

        let sources: Vec<_> = [signals.as_fd()].into_iter().chain(observer.wake_source()).collect();
        let doorbell = Doorbell::install(&sources).map_err(failed)?;
        let (signals, living) = (Arc::new(signals), LivingProcesses::default());
        let (started, verdict) = channel();
        let start = Start { gate, obstacle, verdict, tick: options.tick };
        let tracer = Tracer::new(observer, living.clone(), Arc::clone(&signals), doorbell);
        let tracer = thread::Builder::new()
            .name("tracer".to_owned())
            .spawn(move || tracer.run(start))
            .map_err(failed)?;
        match spawn(command, &started) {
            Ok(()) => Ok(Self { tracer, living, signals }),
            Err(source) => {
                // It ends because nothing was started.
                let _ = tracer.join();
                Err(Error::Start { program, source })
            }
        }
    }

    /// The processes that live, for other threads.
    #[must_use]
    pub fn living(&self) -> LivingProcesses {
        self.living.clone()
    }

    /// Waits until the program has ended, and those that it left behind, too, if the observer wants that.
    #[must_use]
    pub fn run(self) -> (Ending, O) {
        let ended = self.tracer.join();
        drop(self.signals);
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Starts the program, and tells the tracer whether it could be executed. The command is dropped first, and with it
/// the child's end of the line: without a child, the tracer waits for nobody.
fn spawn(mut command: Command, started: &Sender<bool>) -> io::Result<()> {
    let child: io::Result<process::Child> = command.spawn();
    drop(command);
    let _ = started.send(child.is_ok());
    child.map(drop)
}
