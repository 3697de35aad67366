//! Base images named as those that Dockerfiles name, made of what this machine has: no registry is needed.
//!
//! They have what builds and programs need, and nothing more.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::{engine, output};

/// Makes sure that the engine has both; those that are there already, real or imitated, stay.
pub static BASES: LazyLock<()> = LazyLock::new(|| {
    provide("golang:1.26", golang);
    provide(SHELL, shell);
    provide("gcr.io/distroless/static-debian12:nonroot", distroless);
});

/// An image with a shell and nothing else.
pub const SHELL: &str = "podcov-shell:latest";

fn provide(tag: &str, fill: fn(&Path) -> String) {
    let found = Command::new("docker").args(["image", "inspect", "--format", "{{.Id}}", tag]).output();
    if found.is_ok_and(|found| found.status.success()) {
        return;
    }
    let context = tempfile::tempdir().expect("a temporary directory");
    let dockerfile = fill(context.path());
    engine::build(tag, context.path(), &dockerfile, &[]);
}

/// A shell, and the Go that is on the PATH, with the packages compiled that the services need.
fn golang(context: &Path) -> String {
    let go_root = output(Command::new("go").args(["env", "GOROOT"]));
    let root = context.join("root");
    add_shell(&root);
    let go = root.join("usr/local/go");
    for part in ["bin", "pkg/tool", "pkg/include", "src", "lib", "go.env", "VERSION"] {
        let from = Path::new(go_root.trim()).join(part);
        if from.exists() {
            let to = go.join(part);
            std::fs::create_dir_all(to.parent().expect("it is below the root")).expect("it is made");
            output(Command::new("cp").arg("-r").arg(from).arg(to));
        }
    }
    "FROM scratch
COPY root /
ENV PATH=/usr/local/go/bin:/bin GOTOOLCHAIN=local GOPATH=/go GOCACHE=/cache CGO_ENABLED=0
WORKDIR /tmp
RUN go build flag log os/signal time
"
    .to_owned()
}

fn shell(context: &Path) -> String {
    add_shell(&context.join("root"));
    "FROM scratch\nCOPY root /\nENV PATH=/bin\n".to_owned()
}

/// That of this machine, with its libraries.
fn add_shell(root: &Path) {
    let shell = std::fs::canonicalize("/bin/sh").expect("there is a shell");
    copy(&shell, &root.join("bin/sh"));
    for library in libraries(&shell) {
        // As the program names it, whatever links are in the way here.
        copy(&library, &root.join(library.strip_prefix("/").expect("it is absolute")));
    }
}

/// An empty root but for users and a few directories.
fn distroless(context: &Path) -> String {
    let users =
        "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n";
    std::fs::write(context.join("passwd"), users).expect("it is written");
    "FROM scratch
COPY passwd /etc/passwd
WORKDIR /home/nonroot
USER 65532
"
    .to_owned()
}

/// The shared libraries of a program, and what loads them.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let listed = Command::new("ldd").arg(program).output().expect("ldd starts");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().expect("it is below a directory")).expect("it is made");
    std::fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}
