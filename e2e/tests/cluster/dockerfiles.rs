//! What is said of a Dockerfile agrees with what is said of the image that the engine really builds by it.

use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use podcov_e2e::base::BASES;
use podcov_e2e::datastorage::{build, dockerfile};
use podcov_e2e::doctor::doctor;

const ARGUMENT: &str = "FROM golang:1.26 AS build\nARG GOFLAGS\n";

/// In the Dockerfile of the original report, this instead of the argument, and these flags of go build.
fn written(instead: &str, flags: &str) -> String {
    let text = dockerfile();
    assert!(text.contains(ARGUMENT) && text.contains("go build "));
    let text = text.replace(ARGUMENT, instead);
    text.replace("go build ", &format!("go build {flags} "))
}

#[test]
fn a_dockerfile_foretells_the_image_that_is_built_by_it() {
    LazyLock::force(&BASES);
    let from = "FROM golang:1.26 AS build\n";
    for (name, instead, flags, of_file, of_image) in [
        ("healthy", format!("{from}ARG GOFLAGS=-cover\n"), "", None, None),
        ("env", format!("{from}ENV GOFLAGS=\"-cover -coverpkg=./...\"\n"), "", None, None),
        ("no-flag", from.to_owned(), "", Some("not-instrumented"), Some("not-instrumented")),
        (
            "libraries",
            from.to_owned(),
            "-cover -coverpkg=./internal/...",
            Some("main-not-covered"),
            Some("main-not-covered"),
        ),
        (
            "name",
            from.to_owned(),
            "-cover -coverpkg=datastorage",
            Some("main-not-covered"),
            Some("main-not-covered"),
        ),
        (
            "before-from",
            format!("ARG GOFLAGS=-cover\n{from}"),
            "",
            Some("coverage-flag-not-passed"),
            Some("not-instrumented"),
        ),
        (
            "other-stage",
            format!("FROM golang:1.26 AS tools\nARG GOFLAGS=-cover\n{from}"),
            "",
            Some("coverage-flag-not-passed"),
            Some("not-instrumented"),
        ),
        (
            "other-variable",
            format!("{from}ARG COVERAGE_FLAGS=-cover\n"),
            "",
            Some("coverage-flag-not-passed"),
            Some("not-instrumented"),
        ),
        ("without-quotes", format!("{from}ENV GOFLAGS=-cover -coverpkg=./...\n"), "", None, None),
        (
            "without-quotes-lost",
            format!("{from}ARG GOFLAGS=-trimpath -cover\n"),
            "",
            Some("coverage-flag-not-passed"),
            Some("not-instrumented"),
        ),
        (
            "replaced",
            format!("{from}ARG GOFLAGS=-cover\nENV GOFLAGS=-mod=mod\n"),
            "",
            Some("goflags-overridden"),
            Some("not-instrumented"),
        ),
    ] {
        let text = written(&instead, flags);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("Dockerfile");
        fs::write(&path, &text).expect("it is written");
        fs::write(directory.path().join("go.mod"), "module example.com/datastorage\n")
            .expect("it is written");
        let read = doctor("default", &[path.to_str().expect("a plain path")]);
        assert_eq!(read.ids("error"), Vec::from_iter(of_file), "{name}, as it is read: {read:?}");

        let tag = format!("podcov-dockerfile:{name}");
        build(&tag, &text, &[]);
        let built = doctor("default", &[&tag]);
        assert_eq!(built.ids("error"), Vec::from_iter(of_image), "{name}, as it is built: {built:?}");
        // Built by file name, both say so.
        for found in [&read, &built] {
            let says_so = found.ids("warning").contains(&"built-from-file-arguments");
            assert!(says_so || of_file.is_some(), "{name}: {found:?}");
        }
        let _ = Command::new("docker").args(["rmi", &tag]).output();
    }
}
