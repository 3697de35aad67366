//! What covdata is asked about each scenario, and what it, or what replaces it, answers. Owns how an answer is kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::toolchain::files_under;

/// A pattern of packages, and two of them.
const PATTERNS: [(&str, &str); 3] = [
    ("", ""),
    ("-pkg", "-pkg=example.com/shop/internal/..."),
    ("-pkgs", "-pkg=example.com/shop/internal/cart,command-line-arguments"),
];

/// One call of covdata, to be made where its scenario is.
#[derive(Clone, Debug)]
pub struct Call {
    /// Unique among the calls of a scenario.
    pub name: String,
    /// As `merge`.
    pub subcommand: &'static str,
    flags: Vec<String>,
    output: Output,
}

#[derive(Clone, Copy, Debug)]
enum Output {
    Printed,
    File,
    Directory,
}

/// How a call ended and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// What was printed.
    pub stdout: Vec<u8>,
    /// What was printed as an error.
    pub stderr: String,
    /// The files that were written, by name, apart from the time in the names of counter files.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// All calls for these directories.
pub fn calls(inputs: &[String]) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut add = |subcommand: &'static str, suffix: &str, inputs: &[String], flags: &[&str], output| {
        let flags = flags.iter().filter(|flag| !flag.is_empty()).map(|flag| (*flag).to_owned());
        calls.push(Call {
            name: format!("{subcommand}{suffix}"),
            subcommand,
            flags: std::iter::once(format!("-i={}", inputs.join(","))).chain(flags).collect(),
            output,
        });
    };
    for (suffix, pattern) in PATTERNS {
        for subcommand in ["percent", "func", "pkglist"] {
            add(subcommand, suffix, inputs, &[pattern], Output::Printed);
        }
        add("textfmt", suffix, inputs, &[pattern], Output::File);
    }
    add("percent", "-o", inputs, &[], Output::File);
    let (_, packages) = PATTERNS[1];
    for (suffix, flags) in [("", [].as_slice()), ("-live", &["-live"]), ("-pkg", &[packages])] {
        add("debugdump", suffix, inputs, flags, Output::Printed);
    }
    for (suffix, pattern) in PATTERNS {
        add("merge", suffix, inputs, &[pattern], Output::Directory);
        add("merge", &format!("-pcombine{suffix}"), inputs, &["-pcombine", pattern], Output::Directory);
        add("intersect", suffix, inputs, &[pattern], Output::Directory);
        if let [_, _] = inputs {
            add("subtract", suffix, inputs, &[pattern], Output::Directory);
        }
    }
    if let [first, second] = inputs {
        let reversed = [second.clone(), first.clone()];
        add("subtract", "-reversed", &reversed, &[], Output::Directory);
        add("intersect", "-reversed", &reversed, &[], Output::Directory);
    }
    calls
}

impl Call {
    /// Makes the call.
    ///
    /// - `command`: covdata, or what replaces it, without arguments of the call.
    /// - `directory`: that of the scenario.
    /// - `output`: a directory that is made for what is written.
    #[must_use]
    pub fn make(&self, mut command: Command, directory: &Path, output: &Path) -> Answer {
        fs::create_dir_all(output).unwrap();
        command.current_dir(directory).env_remove("GOCOVERDIR").arg(self.subcommand).args(&self.flags);
        match self.output {
            Output::Printed => {}
            Output::File => drop(command.arg(format!("-o={}", output.join("profile").display()))),
            Output::Directory => drop(command.arg(format!("-o={}", output.display()))),
        }
        Answer::of(command, output)
    }
}

impl Answer {
    /// Runs a command that writes to the directory `output`.
    #[must_use]
    pub fn of(mut command: Command, output: &Path) -> Self {
        let ended = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let name = |file: &Path| file.strip_prefix(output).unwrap().display().to_string();
        Self {
            code: ended.status.code(),
            stdout: ended.stdout,
            stderr: String::from_utf8(ended.stderr).unwrap(),
            files: files_under(output)
                .iter()
                .map(|file| (without_time(&name(file)), fs::read(file).unwrap()))
                .collect(),
        }
    }

    /// Whether Go's own tool fell over, so that there is nothing to compare with.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        self.code == Some(2) && self.stderr.starts_with("panic: ")
    }

    pub(crate) fn save(&self, directory: &Path) {
        fs::create_dir_all(directory.join("files")).unwrap();
        let code = self.code.map(|code| code.to_string()).unwrap_or_default();
        fs::write(directory.join("code"), code).unwrap();
        fs::write(directory.join("stdout"), &self.stdout).unwrap();
        fs::write(directory.join("stderr"), &self.stderr).unwrap();
        for (name, bytes) in &self.files {
            fs::write(directory.join("files").join(name), bytes).unwrap();
        }
    }

    pub(crate) fn load(directory: &Path) -> Self {
        let files = directory.join("files");
        Self {
            code: fs::read_to_string(directory.join("code")).unwrap().parse().ok(),
            stdout: fs::read(directory.join("stdout")).unwrap(),
            stderr: fs::read_to_string(directory.join("stderr")).unwrap(),
            files: files_under(&files)
                .iter()
                .map(|file| (file.file_name().unwrap().display().to_string(), fs::read(file).unwrap()))
                .collect(),
        }
    }
}

/// The name of a counter file as if it had been written at the beginning of time. Other names stay.
#[must_use]
pub fn without_time(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((rest, time)) if name.starts_with("covcounters.") && time.parse::<u64>().is_ok() => {
            format!("{rest}.0")
        }
        _ => name.to_owned(),
    }
}
