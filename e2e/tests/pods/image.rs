//! One image with the programs of all builds, and a shell with what it needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use podcov_e2e::{engine, output};
use podcov_go_programs::Covered;

use crate::builds::Build;

const SHELL: &str = "/bin/sh";
/// The same layers for the same programs: an image that did not change is not loaded again.
const DOCKERFILE: &str = "FROM scratch\nCOPY files /\nENV PATH=/bin\nUSER 65532:65532\n";

/// Builds the image, and puts it on every node. Returns its name.
pub fn image(tag: &str, builds: &[Build]) -> String {
    let context = tempfile::tempdir().unwrap();
    let files = context.path().join("files");
    for (number, build) in builds.iter().enumerate() {
        for covered in [Covered::Program, Covered::WithoutMain] {
            copy(&build.executable(covered), &files, &path(number, covered));
        }
    }
    copy(Path::new(SHELL), &files, SHELL);
    for library in libraries() {
        copy(&library, &files, library.to_str().unwrap());
    }
    let name = format!("podcov-endings:{tag}");
    engine::build(&name, context.path(), DOCKERFILE, &[]);
    engine::load(&[&name]);
    name
}

/// Where the program of a build is.
pub fn path(build: usize, covered: Covered) -> String {
    format!("/programs/{build}-{covered:?}")
}

/// By another process: a file that this one writes could not be executed while any test forks.
fn copy(from: &Path, root: &Path, to: &str) {
    let target = root.join(to.trim_start_matches('/'));
    output(Command::new("install").args(["-D", "--mode=0555"]).arg(from.canonicalize().unwrap()).arg(target));
}

/// Also for programs that are position-independent, which the system's loader starts.
fn libraries() -> BTreeSet<PathBuf> {
    let text = output(Command::new("ldd").arg(SHELL));
    let words = text.split_whitespace().filter(|word| word.starts_with('/'));
    words.map(PathBuf::from).collect()
}
