//! Programs that are really built, with the Go on the PATH, and what is said of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ids, lay_out};

/// A program that is not as it should be.
pub struct Program {
    /// The number of the symptom.
    pub row: &'static str,
    pub how: &'static str,
    pub id: &'static str,
    /// Whether data may be there all the same.
    is_warning: bool,
    made_by: &'static [&'static str],
}

/// The first one is as it should be.
const HEALTHY: &[&str] = &["go", "build", "-cover", "-coverpkg=./...", "-o", "program", "./cmd/api"];

pub const PROGRAMS: &[Program] = &[
    Program {
        row: "1",
        how: "program that is built without coverage",
        id: "not-instrumented",
        is_warning: false,
        made_by: &["go", "build", "-o", "program", "./cmd/api"],
    },
    Program {
        row: "1",
        how: "program, stripped and static, with -coverpkg of libraries only",
        id: "main-not-covered",
        is_warning: false,
        made_by: &[
            "go",
            "build",
            "-cover",
            "-coverpkg=./internal/...",
            "-ldflags=-s -w -extldflags \"-static\"",
            "-o",
            "program",
            "./cmd/api",
        ],
    },
    Program {
        row: "4",
        how: "program with -coverpkg of main only",
        id: "packages-not-covered",
        is_warning: true,
        made_by: &["go", "build", "-cover", "-coverpkg=./cmd/api", "-o", "program", "./cmd/api"],
    },
    Program {
        row: "6",
        how: "program that is built from main.go by name",
        id: "built-from-file-arguments",
        is_warning: true,
        made_by: &["go", "build", "-cover", "-coverpkg=./...", "-o", "program", "./cmd/api/main.go"],
    },
    Program {
        row: "-",
        how: "program that is not written in Go",
        id: "not-a-go-binary",
        is_warning: false,
        made_by: &["cp", "/bin/true", "program"],
    },
];

/// A module whose main package uses another one, which is not inlined.
fn module() -> tempfile::TempDir {
    let work = "package work\n\nvar Switch = 1\n\n//go:noinline\nfunc Work() {\n\tif Switch > 1 {\n\t\tprintln(Switch)\n\t}\n}\n";
    let main = "package main\n\nimport \"example.com/shop/internal/work\"\n\nfunc main() { work.Work() }\n";
    lay_out(&[
        ("go.mod", "module example.com/shop\n\ngo 1.22\n".to_owned()),
        ("cmd/api/main.go", main.to_owned()),
        ("internal/work/work.go", work.to_owned()),
    ])
}

fn make(words: &[&str], module: &Path) -> PathBuf {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(module).env_remove("GOFLAGS").env("CGO_ENABLED", "0");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    module.join("program")
}

/// Whether it leaves data, as Go writes it.
fn leaves_counters(program: &Path) -> bool {
    let directory = tempfile::tempdir().unwrap();
    assert!(Command::new(program).env("GOCOVERDIR", directory.path()).status().unwrap().success());
    let names = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.into_iter().any(|name| name.to_str().unwrap().starts_with("covcounters."))
}

#[test]
fn programs_that_leave_nothing_or_less_get_their_id_and_no_other() {
    let module = module();
    let examine = |words: &[&str]| {
        let program = make(words, module.path());
        let output = super::doctor(module.path(), &["./program", "--output", "json"]);
        (ids(&output), output.status.code(), leaves_counters(&program))
    };
    assert_eq!(examine(HEALTHY), (Vec::new(), Some(0), true));
    for Program { how, id, is_warning, made_by, .. } in PROGRAMS {
        let expected = (vec![(*id).to_owned()], Some(i32::from(!is_warning)), *is_warning);
        assert_eq!(examine(made_by), expected, "{how}");
    }
}
