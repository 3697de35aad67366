//! A Go package as a program: built as containers run it, with the flags that the environment and the module have.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::interrupt::Interrupt;

use super::{LOOK_INTERVAL, STOPPED};

/// Without libraries, unless the user wants them: images may have none.
const CGO: &str = "CGO_ENABLED";

/// `go build -cover`, to a file of this directory.
pub fn build(package: &Path, to: &Path, interrupt: &Interrupt) -> Result<(), String> {
    let log = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let output = log.reopen().map_err(|error| error.to_string())?;
    let mut command = Command::new("go");
    command.args(["build", "-cover", "-o"]).arg(to).arg(".").current_dir(package);
    command.env("GOOS", "linux");
    if std::env::var_os(CGO).is_none() {
        command.env(CGO, "0");
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).spawn();
    let mut child = child.map_err(|error| format!("cannot start go: {error}"))?;
    loop {
        if interrupt.is_requested() {
            let _ = child.kill();
            let _ = child.wait();
            return Err(STOPPED.to_owned());
        }
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(_) => {
                let text = std::fs::read_to_string(log.path()).unwrap_or_default();
                return Err(format!("go build: {}", text.trim()));
            }
            None => std::thread::sleep(LOOK_INTERVAL),
        }
    }
}
