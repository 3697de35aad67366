//! A service as the question that podcov began with has it: built in a multi-stage Dockerfile with `GOFLAGS` as an
//! argument, by file name, static, on a base without a shell; in ways that each have one thing broken.

use std::process::Command;
use std::sync::LazyLock;

use crate::base::BASES;
use crate::{engine, output, repository};

/// The images, built and loaded once.
pub static IMAGES: LazyLock<Images> = LazyLock::new(Images::build);

/// Names of the images on the nodes.
#[derive(Debug)]
pub struct Images {
    /// As it should be.
    pub good: &'static str,
    /// `ARG GOFLAGS` is in another stage than `go build`.
    pub flags_lost: &'static str,
    /// `-coverpkg` does not match main.
    pub without_main: &'static str,
    /// Nothing waits for SIGTERM.
    pub deaf: &'static str,
}

const FLAGS: &str = "GOFLAGS=-cover -covermode=atomic -coverpkg=./...";

impl Images {
    fn build() -> Self {
        LazyLock::force(&BASES);
        let images = Self {
            good: "datastorage:good",
            flags_lost: "datastorage:flags-lost",
            without_main: "datastorage:without-main",
            deaf: "datastorage:deaf",
        };
        build(images.good, &dockerfile(), &[FLAGS]);
        build(images.flags_lost, &dockerfile_with_lost_flags(), &[FLAGS]);
        let without_main = "GOFLAGS=-cover -covermode=atomic -coverpkg=example.com/datastorage/internal/...";
        build(images.without_main, &dockerfile(), &[without_main]);
        build(images.deaf, &dockerfile(), &[FLAGS, "TAGS=deaf"]);
        let tags = [images.good, images.flags_lost, images.without_main, images.deaf];
        engine::load(&tags);
        images
    }
}

/// The Dockerfile as it should be.
pub fn dockerfile() -> String {
    std::fs::read_to_string(repository().join("e2e/datastorage/Dockerfile")).expect("the Dockerfile is there")
}

/// An argument before the first stage is that of no stage.
pub fn dockerfile_with_lost_flags() -> String {
    let good = dockerfile();
    let within = "FROM golang:1.26 AS build\nARG GOFLAGS\n";
    assert!(good.contains(within));
    good.replace(within, "ARG GOFLAGS\nFROM golang:1.26 AS build\n")
}

/// Builds the sources by this Dockerfile.
pub fn build(tag: &str, dockerfile: &str, arguments: &[&str]) {
    let context = tempfile::tempdir().expect("a temporary directory");
    let sources = repository().join("e2e/datastorage/.");
    output(Command::new("cp").arg("-r").arg(sources).arg(context.path()));
    engine::build(tag, context.path(), dockerfile, arguments);
}
