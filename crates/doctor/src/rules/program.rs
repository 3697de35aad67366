//! Whether a program can write coverage data, as far as that matters to what runs it.

use super::finding::{Seen, error};
use crate::facts::binary::{Binary, Contents, Coverage, GoProgram};
use crate::{Diagnosis, Id};

/// Of the program that `subject` runs.
pub(super) fn of(subject: &str, binary: &Binary) -> Vec<Diagnosis> {
    let found = match &binary.contents {
        Contents::Go(program) => of_go(subject, binary, program),
        Contents::NotGo(what) => Some(
            error(Id::NotAGoBinary, subject, "it runs a program that Go did not build")
                .seen(&binary.name, what, "the file")
                .fix("name the container whose program is to be covered"),
        ),
        Contents::Unknown(_) | Contents::NotRead => None,
    };
    found.into_iter().collect()
}

fn of_go(subject: &str, binary: &Binary, program: &GoProgram) -> Option<Diagnosis> {
    let main = program.main_package.value().map_or("MAIN", String::as_str);
    let diagnosis = match program.coverage {
        Coverage::WithMain => return None,
        Coverage::WithoutMain => error(
            Id::MainNotCovered,
            subject,
            "-coverpkg leaves out the main package: the program counts, and never writes, without a word",
        )
        .fix(format!("go build -cover -coverpkg=./...,{main}")),
        Coverage::Nothing | Coverage::NoHook => error(
            Id::NotInstrumented,
            subject,
            "the program was built without coverage: -cover did not reach the go build that made it",
        )
        .fix(
            "in the stage of the Dockerfile that builds, after its FROM:\n  ARG GOFLAGS\n  RUN go build -cover -coverpkg=./... …",
        ),
    };
    let seen = &program.coverage_seen;
    let diagnosis = diagnosis.seen(&binary.name, &seen.value, &seen.read_from);
    Some(diagnosis.fact("-cover", &program.cover_setting).fact("main package", &program.main_package))
}
