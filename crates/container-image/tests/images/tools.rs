//! The engine, Go programs, and what both say of an image.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;

use podcov_container_image::{Digest, Environment, Error, FileSystem, ImageReader, Node, Platform};

/// Says on standard error, past the test harness, that a test was not run.
pub fn skip(test: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {reason}");
}

/// Whether there is an engine; says so if there is none.
pub fn has_engine(test: &str) -> bool {
    let engine = Command::new("docker").args(["info", "--format", "{{.ServerVersion}}"]).output();
    let answers = engine.is_ok_and(|output| output.status.success());
    if !answers {
        skip(test, "no container engine answers to `docker info`");
    }
    answers
}

/// A command's standard output. It has to succeed.
pub fn output(command: &mut Command) -> Vec<u8> {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}{}", text(&stdout), text(&stderr));
    stdout
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

pub fn docker(arguments: &[&str]) -> String {
    text(&output(Command::new("docker").args(arguments)))
}

/// A program of `tests/go`, built once.
pub fn go_program(name: &'static str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("container-image-programs");
    BUILT.get_or_init(|| {
        std::fs::create_dir_all(&directory).unwrap();
        let mut build = Command::new("go");
        build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go")).env("CGO_ENABLED", "0");
        output(build.args(["build", "-buildvcs=false", "-trimpath", "-o"]).arg(&directory).arg("./..."));
    });
    directory.join(name)
}

pub fn crane(arguments: &[&str]) -> String {
    text(&output(Command::new(go_program("registry")).arg("crane").args(arguments)))
}

/// A registry of `tests/go`. It ends with its standard input.
pub struct Registry {
    pub address: String,
    process: Child,
    input: Option<ChildStdin>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.input.take());
        self.process.wait().unwrap();
    }
}

impl Registry {
    pub fn serve(arguments: &[&str]) -> Self {
        let mut command = Command::new(go_program("registry"));
        command.arg("serve").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { address: address.trim().to_owned(), input: process.stdin.take(), process }
    }

    pub fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }
}

/// An image with several layers that hide and replace each other's files. Built once.
pub fn shape_image() -> &'static str {
    const TAG: &str = "podcov-container-image-test:shape";
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        build_image(
            TAG,
            r#"FROM scratch
COPY shape /app/shape
RUN ["/app/shape", "create"]
RUN ["/app/shape", "change"]
RUN ["/app/shape", "remove"]
ENV PATH=/nowhere:relative:/app GREETING="a b=c"
WORKDIR /data
USER 65532:65532
ENTRYPOINT ["shape", "--flag=a b"]
CMD ["serve", ""]
STOPSIGNAL SIGINT
"#,
        );
    });
    TAG
}

pub fn build_image(tag: &str, dockerfile: &str) {
    let context = tempfile::tempdir().unwrap();
    std::fs::copy(go_program("shape"), context.path().join("shape")).unwrap();
    std::fs::write(context.path().join("Dockerfile"), dockerfile).unwrap();
    output(Command::new("docker").args(["build", "--quiet", "--tag", tag]).arg(context.path()));
}

/// With the engine of this process's environment and nothing else of the user.
pub fn reader() -> ImageReader {
    ImageReader::new(environment())
}

pub fn environment() -> Environment {
    let engine = std::env::var("DOCKER_HOST").ok();
    let engine = engine.iter().map(|address| ("DOCKER_HOST", address.as_str()));
    Environment::of_variables("/", engine)
}

pub fn local() -> Platform {
    Platform::of_local_engine()
}

/// An error with its causes, in one line.
pub fn story(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What a path is: its kind, and the digest of the contents or the link's text.
pub type Listing = BTreeMap<Vec<u8>, String>;

/// Those that an engine puts into every container.
fn is_of_engine(path: &[u8]) -> bool {
    let first = path.split(|byte| *byte == b'/').find(|part| !part.is_empty());
    first.is_none_or(|first| [&b"dev"[..], b"proc", b"sys", b"etc", b".dockerenv"].contains(&first))
}

/// The final file system as `docker export` writes it, read by another tar reader than ours.
pub fn exported(image: &str) -> Listing {
    let container = docker(&["create", image]);
    let archive = output(Command::new("docker").args(["export", &container]));
    docker(&["rm", &container]);
    listing_of_tar(&archive)
}

pub fn listing_of_tar(archive: &[u8]) -> Listing {
    let mut listing = Listing::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = [b"/", entry.path_bytes().as_ref()].concat();
        let path = path.strip_suffix(b"/").unwrap_or(&path).to_vec();
        if is_of_engine(&path) {
            continue;
        }
        let link = entry.link_name_bytes().unwrap_or_default().into_owned();
        let what = match entry.header().entry_type() {
            tar::EntryType::Regular => {
                let mut contents = Vec::new();
                entry.read_to_end(&mut contents).unwrap();
                let mode = entry.header().mode().unwrap() & 0o7777;
                format!("{mode:o} {} {}", contents.len(), Digest::of(&contents))
            }
            tar::EntryType::Link => listing[&[b"/", &link[..]].concat()].clone(),
            tar::EntryType::Symlink => format!("-> {}", link.escape_ascii()),
            tar::EntryType::Directory => {
                let header = entry.header();
                let mode = header.mode().unwrap() & 0o7777;
                format!("directory {mode:o} {}:{}", header.uid().unwrap(), header.gid().unwrap())
            }
            _ => "special".to_owned(),
        };
        listing.insert(path, what);
    }
    listing
}

/// The same of what was read here.
pub fn listing(files: &FileSystem) -> Listing {
    let of = |path: &podcov_container_image::ImagePath, node: &Node| match node {
        Node::Regular(file) => {
            let mut contents = Vec::new();
            files.contents(path, file).unwrap().read_to_end(&mut contents).unwrap();
            assert_eq!(contents.len() as u64, file.size);
            format!("{:o} {} {}", file.mode, contents.len(), Digest::of(&contents))
        }
        Node::SymbolicLink(target) => format!("-> {}", target.escape_ascii()),
        Node::Directory(directory) => {
            format!("directory {:o} {}:{}", directory.mode, directory.user, directory.group)
        }
        Node::Special => "special".to_owned(),
    };
    assert_same_contents_when_visited(files);
    let entries = files.entries().map(|(path, node)| (path.to_bytes(), of(path, node)));
    entries.filter(|(path, _)| !is_of_engine(path)).collect()
}

/// All at once gives what one after the other does, also where only a part of a file is read.
fn assert_same_contents_when_visited(files: &FileSystem) {
    let mut visited = 0;
    let visit = |path: &podcov_container_image::ImagePath, file: &_, contents: &mut dyn Read| {
        let (mut beginning, mut alone) = (Vec::new(), Vec::new());
        let length = if visited % 2 == 0 { u64::MAX } else { 3 };
        contents.take(length).read_to_end(&mut beginning)?;
        files.contents(path, file).unwrap().take(length).read_to_end(&mut alone)?;
        assert!(beginning == alone, "{path}");
        visited += 1;
        Ok(())
    };
    files.visit_contents(|_, _| true, visit).unwrap();
    let distinct = files.regular_files().count();
    assert!(visited > 0 && visited <= distinct);
}

/// Fails with the first differences, which are few, not with both lists.
pub fn assert_same(found: &Listing, expected: &Listing) {
    let line = |(path, what): (&Vec<u8>, &String)| format!("{} {what}", path.escape_ascii());
    let missing = expected.iter().filter(|(path, what)| found.get(*path) != Some(what)).map(line);
    let surplus = found.iter().filter(|(path, what)| expected.get(*path) != Some(what)).map(line);
    let (missing, surplus): (Vec<_>, Vec<_>) = (missing.collect(), surplus.collect());
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:#?}\nsurplus: {surplus:#?}");
    assert!(!found.is_empty());
}
