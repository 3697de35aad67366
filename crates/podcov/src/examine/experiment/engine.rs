//! The container engine of this machine, by its command: what is made with it is removed with its value.

use std::path::Path;
use std::process::{Command, Stdio};

use super::trial_name::TrialName;

/// As users find what was made for a trial.
pub const LABEL: &str = "podcov.dev/role=trial";
const REPOSITORY: &str = "podcov.dev/trial";
const PREFIX: &str = "podcov.dev/trial:";
/// Where the program is in an image of nothing else.
const PROGRAM: &str = "program";

/// Docker, else Podman.
pub fn engine() -> Result<&'static str, String> {
    let found = ["docker", "podman"].into_iter().find(|engine| which::which(engine).is_ok());
    found.ok_or_else(|| "there is neither docker nor podman on the PATH".to_owned())
}

/// What a command of the engine prints; its words if it fails.
pub fn output(command: &mut Command) -> Result<String, String> {
    let result = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if result.status.success() {
        return Ok(String::from_utf8_lossy(&result.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&result.stderr).trim().to_owned())
}

/// A name of an image in the engine.
pub struct TrialImage {
    engine: &'static str,
    name: TrialName,
}

impl Drop for TrialImage {
    fn drop(&mut self) {
        silently(Command::new(self.engine).args(["rmi", "--force", self.name()]));
    }
}

impl TrialImage {
    fn named() -> Result<Self, String> {
        Ok(Self { engine: engine()?, name: TrialName::new(PREFIX)? })
    }

    /// Those that podcovs of this machine have left which were killed.
    pub fn abandoned(engine: &'static str) -> Vec<Self> {
        let list = ["images", REPOSITORY, "--format", "{{.Repository}}:{{.Tag}}"];
        let names = output(Command::new(engine).args(list)).unwrap_or_default();
        let names = names.lines().filter_map(|name| TrialName::abandoned(PREFIX, name));
        names.map(|name| Self { engine, name }).collect()
    }

    /// What the engine calls it.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// An image of a program that needs nothing else, run by a user other than root.
    pub fn of_program(program: &Path) -> Result<Self, String> {
        let image = Self::named()?;
        let mut archive = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        pack(program, archive.as_file_mut()).map_err(|error| error.to_string())?;
        let mut command = Command::new(image.engine);
        command.args(["import", "--change", &format!("ENTRYPOINT [\"/{PROGRAM}\"]")]);
        command.args(["--change", "USER 65532:65532"]);
        output(command.arg(archive.path()).arg(image.name()))?;
        Ok(image)
    }

    /// Another name of an image.
    pub fn of_image(name: &str) -> Result<Self, String> {
        let image = Self::named()?;
        output(Command::new(image.engine).args(["tag", name, image.name()]))?;
        Ok(image)
    }

    /// What may be on a node.
    pub fn copy_on(&self, node: &str) -> NodeImage {
        NodeImage { engine: self.engine, node: node.to_owned(), name: self.name().to_owned() }
    }

    /// The same on a node that is a container of this engine.
    pub fn on_node(&self, node: &str) -> Result<NodeImage, String> {
        let copy = self.copy_on(node);
        let mut save = Command::new(self.engine)
            .args(["save", self.name()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let archive = save.stdout.take().ok_or("docker save gives nothing")?;
        let mut load = Command::new(self.engine);
        load.args(["exec", "--interactive", node, "ctr", "--namespace=k8s.io", "images", "import", "-"]);
        let loaded = load.stdin(archive).output();
        let saved = save.wait();
        let loaded = loaded.map_err(|error| error.to_string())?;
        if !loaded.status.success() {
            return Err(String::from_utf8_lossy(&loaded.stderr).trim().to_owned());
        }
        saved.map(|_| copy).map_err(|error| error.to_string())
    }
}

/// An image on a node of kind.
pub struct NodeImage {
    engine: &'static str,
    node: String,
    name: String,
}

impl Drop for NodeImage {
    fn drop(&mut self) {
        let mut command = Command::new(self.engine);
        command.args(["exec", &self.node, "ctr", "--namespace=k8s.io", "images", "rm", &self.name]);
        silently(&mut command);
    }
}

pub fn silently(command: &mut Command) {
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// A file system of the program, and a directory for temporary files.
fn pack(program: &Path, archive: &mut std::fs::File) -> std::io::Result<()> {
    let mut archive = tar::Builder::new(archive);
    let mut directory = tar::Header::new_gnu();
    directory.set_entry_type(tar::EntryType::Directory);
    directory.set_size(0);
    directory.set_mode(0o1777);
    archive.append_data(&mut directory, "tmp/", std::io::empty())?;
    let mut file = std::fs::File::open(program)?;
    let mut header = tar::Header::new_gnu();
    header.set_size(file.metadata()?.len());
    header.set_mode(0o755);
    archive.append_data(&mut header, PROGRAM, &mut file)?;
    archive.finish()
}
