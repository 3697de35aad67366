//! An interactive shell on a terminal, with a job below a supervisor.

use std::io::{BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podcov_wait as wait;

use crate::program::{children, executable, is_stopped};
use crate::supervised::Place;

const CONTROL_C: &str = "\x03";
const CONTROL_Z: &str = "\x1a";
const CONTROL_BACKSLASH: &str = "\x1c";

/// An interactive shell on a terminal of its own.
struct Terminal {
    script: Child,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    fn open(place: &Place) -> Self {
        let mut script = Command::new("script")
            // Not every shell that runs this replaces itself by it unasked, and the tests look at `script`'s child.
            .args(["--quiet", "--flush", "--command", "exec bash --norc --noprofile -i", "/dev/null"])
            .env("PS1", "$ ")
            .env("COUNTERS", place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut output, copy) = (BufReader::new(script.stdout.take().unwrap()), Arc::clone(&shown));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                copy.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        Self { script, shown }
    }

    fn write(&mut self, text: &str) {
        self.script.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    #[track_caller]
    fn until_shown(&self, text: &str) {
        wait::until(&format!("{text:?} on the terminal, which shows {}", self.shown()), || {
            self.shown().contains(text)
        });
    }

    /// The status of the last job, as the shell has it.
    #[track_caller]
    fn status(&mut self) -> i32 {
        // So that what is shown is not what was typed.
        self.write("echo sta''tus=$?=\n");
        self.until_shown("status=");
        let shown = wait::until_some("the whole line", || {
            let shown = self.shown();
            let rest = shown.split_once("status=")?.1;
            Some(rest.split_once('=')?.0.to_owned())
        });
        shown.parse().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Whatever still runs on this terminal is hung up.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// Starts a job, and returns the supervisor and its program.
fn start(terminal: &mut Terminal, place: &Place, how: &str) -> (i32, i32) {
    terminal.write(&(place.command(&[], &[executable(), how]).join(" ") + "\n"));
    terminal.until_shown("ready");
    let program = place.log().processes()[0];
    let shell = children(terminal.script.id().cast_signed())[0];
    let supervisor = children(shell)[0];
    (supervisor, program)
}

#[test]
fn control_z_stops_both_and_fg_continues_both() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    let (supervisor, program) = start(&mut terminal, &place, "busy-wait");
    for round in 1..=2 {
        terminal.write(CONTROL_Z);
        wait::until("both to stop", || is_stopped(supervisor) && is_stopped(program));
        wait::until("the shell to see it", || terminal.shown().matches("Stopped").count() == round);
        terminal.write("fg\n");
        wait::until("both to go on", || !is_stopped(supervisor) && !is_stopped(program));
    }
    terminal.write(CONTROL_C);
    assert_eq!(terminal.status(), 130);
    place.log().assert_whole();
}

#[test]
fn bg_continues_both() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    let (supervisor, program) = start(&mut terminal, &place, "busy-wait");
    terminal.write(CONTROL_Z);
    wait::until("both to stop", || is_stopped(supervisor) && is_stopped(program));
    terminal.until_shown("Stopped");
    terminal.write("bg\n");
    wait::until("both to go on", || !is_stopped(supervisor) && !is_stopped(program));
    terminal.write("kill -s TERM %1; wait %1\n");
    assert_eq!(terminal.status(), 143);
    place.log().assert_whole();
}

#[test]
fn a_stop_signal_to_the_supervisor_stops_both() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    let (supervisor, program) = start(&mut terminal, &place, "busy-wait");
    kill(Pid::from_raw(supervisor), Signal::SIGTSTP).unwrap();
    wait::until("both to stop", || is_stopped(supervisor) && is_stopped(program));
    terminal.until_shown("Stopped");
    // Only the supervisor is continued, and tells its program.
    kill(Pid::from_raw(supervisor), Signal::SIGCONT).unwrap();
    wait::until("both to go on", || !is_stopped(supervisor) && !is_stopped(program));
    kill(Pid::from_raw(supervisor), Signal::SIGTERM).unwrap();
    wait::until_some("the end", || place.log().all("ended").first().map(|_| ()));
    place.log().assert_whole();
}

#[test]
fn what_is_not_followed_stops_with_its_supervisor_too() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    let words = place.command(&[], &[executable(), "busy-wait"]).join(" ");
    terminal.write(&format!("{} refuse-ptrace {words}\n", executable()));
    terminal.until_shown("ready");
    let supervisor = children(children(terminal.script.id().cast_signed())[0])[0];
    let program = children(supervisor)[0];
    terminal.write(CONTROL_Z);
    wait::until("both to stop", || is_stopped(supervisor) && is_stopped(program));
    terminal.until_shown("Stopped");
    terminal.write("fg\n");
    wait::until("both to go on", || !is_stopped(supervisor) && !is_stopped(program));
    terminal.write(CONTROL_C);
    assert_eq!(terminal.status(), 130);
    assert!(place.log().only("ended").ends_with(" not followed"), "{:?}", place.log());
}

#[test]
fn a_key_signals_the_program_once() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    start(&mut terminal, &place, "signals");
    terminal.write(CONTROL_C);
    terminal.until_shown("got 2");
    terminal.write(CONTROL_BACKSLASH);
    terminal.until_shown("got 3");
    // It catches the signal, so it does not stop, and nor does its supervisor.
    terminal.write(CONTROL_Z);
    terminal.until_shown("got 20");
    let supervisor = children(children(terminal.script.id().cast_signed())[0])[0];
    kill(Pid::from_raw(supervisor), Signal::SIGTERM).unwrap();
    assert_eq!(terminal.status(), 0);
    for signal in ["got 2\r", "got 3\r", "got 20\r", "got 15\r"] {
        assert_eq!(terminal.shown().matches(signal).count(), 1, "{signal}: {}", terminal.shown());
    }
    assert!(!terminal.shown().contains("and "), "{}", terminal.shown());
}

#[test]
fn the_program_reads_from_the_terminal() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    terminal.write(
        &(place.command(&[], &["bash", "-c", "'read line; echo got-$line; exit 3'"]).join(" ") + "\n"),
    );
    wait::until("the program", || !place.log().processes().is_empty());
    terminal.write("words\n");
    terminal.until_shown("got-words");
    assert_eq!(terminal.status(), 3);
}

#[test]
fn a_shell_below_a_supervisor_has_job_control() {
    let place = Place::new();
    let mut terminal = Terminal::open(&place);
    let shell = place.command(&[], &["bash", "--norc", "--noprofile", "-i"]).join(" ");
    terminal.write(&format!("PS1='inner> ' {shell}\n"));
    terminal.until_shown("inner> ");
    terminal.write(&format!("{} busy-wait\n", executable()));
    terminal.until_shown("ready");
    let program = *place.log().processes().last().unwrap();
    terminal.write(CONTROL_Z);
    wait::until("the stop", || is_stopped(program));
    terminal.until_shown("Stopped");
    terminal.write("fg\n");
    wait::until("the program to go on", || !is_stopped(program));
    terminal.write(CONTROL_C);
    assert_eq!(terminal.status(), 130);
    terminal.write("exit 5\n");
    wait::until_some("the end of the inner shell", || place.log().all("ended").first().map(|_| ()));
    place.log().assert_whole();
}
