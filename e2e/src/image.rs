//! Images of real Go programs, built once for each run of the tests and loaded onto the nodes.

use std::{fs, path::Path, process::Command, sync::LazyLock};

use crate::base::{BASES, SHELL};
use crate::{engine, output, repository};

/// What the oldest release is that podcov is tested with.
const OLDEST_GO: &str = "go1.22.12";

/// The shop and the probes.
pub static IMAGES: LazyLock<Images> = LazyLock::new(Images::build);

/// Names of the images on the nodes.
#[derive(Debug)]
pub struct Images {
    /// The probe, `go build -cover` with the Go on the PATH.
    pub probe: &'static str,
    /// The same with the oldest Go.
    pub probe_of_oldest_go: &'static str,
    /// The same without `-cover`.
    pub probe_without_coverage: &'static str,
}

/// The probe behind a shell.
pub static IN_SHELL: LazyLock<InShell> = LazyLock::new(InShell::build);

/// Names of the images on the nodes.
#[derive(Debug)]
pub struct InShell {
    /// The shell stays, and does nothing at SIGTERM.
    pub deaf: &'static str,
    /// The shell stays, and has a trap that tells the program.
    pub with_trap: &'static str,
    /// The program takes the shell's place.
    pub replaced: &'static str,
}

impl InShell {
    fn build() -> Self {
        LazyLock::force(&BASES);
        let images = Self {
            deaf: "podcov-probe:in-shell",
            with_trap: "podcov-probe:in-shell-with-trap",
            replaced: "podcov-probe:exec",
        };
        for (tag, script) in [
            (images.deaf, "cd / && /probe -listen=:8080; echo done"),
            (images.with_trap, "trap 'kill $child' TERM; /probe -listen=:8080 & child=$!; wait; wait $child"),
            (images.replaced, "cd / && exec /probe -listen=:8080"),
        ] {
            let context = tempfile::tempdir().expect("a temporary directory");
            let dockerfile = format!(
                "FROM {probe} AS probe\nFROM {SHELL}\nCOPY --from=probe /probe /probe\nUSER 65532:65532\nENTRYPOINT {script}\n",
                probe = IMAGES.probe,
            );
            engine::build(tag, context.path(), &dockerfile, &[]);
        }
        let tags = [images.deaf, images.with_trap, images.replaced];
        engine::load(&tags);
        images
    }
}

impl Images {
    fn build() -> Self {
        let images = Self {
            probe: "podcov-probe:newest",
            probe_of_oldest_go: "podcov-probe:oldest",
            probe_without_coverage: "podcov-probe:plain",
        };
        let probe = repository().join("e2e/probe");
        let dockerfile = probe.join("Dockerfile");
        let covered = ["-cover", "-covermode=atomic"];
        image(images.probe, &probe, ".", "local", &covered, "probe", &dockerfile);
        image(images.probe_of_oldest_go, &probe, ".", OLDEST_GO, &["-cover"], "probe", &dockerfile);
        image(images.probe_without_coverage, &probe, ".", "local", &[], "probe", &dockerfile);

        let shop = repository().join("examples/shop");
        let dockerfile = shop.join("Dockerfile.binary");
        let covered = ["-cover", "-covermode=atomic", "-coverpkg=./..."];
        image("shop-api:dev", &shop, "./cmd/api", "local", &covered, "api", &dockerfile);
        image("shop-worker:dev", &shop, "./cmd/worker", "local", &covered, "worker", &dockerfile);
        let tags = [
            images.probe,
            images.probe_of_oldest_go,
            images.probe_without_coverage,
            "shop-api:dev",
            "shop-worker:dev",
        ];
        engine::load(&tags);
        images
    }
}

fn image(
    tag: &str,
    module: &Path,
    package: &str,
    toolchain: &str,
    flags: &[&str],
    binary: &str,
    dockerfile: &Path,
) {
    let context = tempfile::tempdir().expect("a temporary directory");
    output(
        Command::new("go")
            .current_dir(module)
            .env("CGO_ENABLED", "0")
            .env("GOTOOLCHAIN", toolchain)
            .arg("build")
            .args(flags)
            .arg("-o")
            .arg(context.path().join(binary))
            .arg(package),
    );
    let dockerfile = fs::read_to_string(dockerfile).expect("the Dockerfile is there");
    engine::build(tag, context.path(), &dockerfile, &[&format!("SERVICE={binary}")]);
}
