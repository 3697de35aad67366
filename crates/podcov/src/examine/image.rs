//! Images: which Go programs are in one, what a container of it runs, and where that could write.

use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::time::Duration;

use podcov_container_image::{
    CommandLine, Digest, Environment, FileSystem, Image, ImageConfig, ImagePath, ImageReader, Node, Platform,
    Reference, is_shell,
};
use podcov_doctor::facts::examined_image::Script;
use podcov_doctor::facts::running_workload::{ImageDirectory, Unknown};
use podcov_doctor::facts::{self, Binary};

use super::program::{self, Program};
use crate::error::CommandError;

/// For the description of an image.
const ENGINE_TIMEOUT: Duration = Duration::from_secs(5);
const REGISTRY_TIMEOUT: Duration = Duration::from_secs(30);
/// No Go program is smaller.
const LEAST_PROGRAM: u64 = 256 << 10;
/// No program is larger.
const MOST_PROGRAM: u64 = 4 << 30;
/// No script that starts a program is longer.
const MOST_SCRIPT: u64 = 256 << 10;
const SHELLS: [&str; 4] = ["/bin/sh", "/bin/bash", "/bin/ash", "/busybox/sh"];

/// Where an image is.
#[derive(Clone, Debug)]
pub enum ImageSource {
    /// In a file of `docker save`, or an OCI layout.
    Archive(PathBuf),
    /// In the engine of this machine; else in its registry.
    Name(String),
}

/// An image that was looked into.
#[derive(Debug)]
pub struct ExaminedImage {
    pub config: ImageConfig,
    files: FileSystem,
    programs: Vec<Program>,
}

/// What the doctor is to know of an image.
pub async fn image(source: &ImageSource, platform: &Platform) -> Result<facts::ExaminedImage, CommandError> {
    let reader = ImageReader::new(Environment::of_this_process());
    let (name, found) = match source {
        ImageSource::Archive(path) => {
            let found = reader.from_archive(path, None, platform).await;
            (path.display().to_string(), found.map_err(CommandError::failure)?)
        }
        ImageSource::Name(name) => (name.clone(), find(&reader, name, platform).await?),
    };
    let image = ExaminedImage::open(found).await.map_err(CommandError::failure)?;
    Ok(image.facts(&format!("image {name}"), &[], &[]))
}

async fn find(reader: &ImageReader, name: &str, platform: &Platform) -> Result<Image, CommandError> {
    let first = within(ENGINE_TIMEOUT, reader.from_engine(name, platform)).await;
    let reason = match first {
        Ok(image) => return Ok(image),
        Err(reason) => reason,
    };
    let reference: Reference = name.parse().map_err(CommandError::failure)?;
    let second = within(REGISTRY_TIMEOUT, reader.from_registry(&reference, platform)).await;
    second.map_err(|second| {
        CommandError::failure(format!("cannot find image {name}")).caused_by(format!("{reason}; {second}"))
    })
}

async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, podcov_container_image::Error>>,
) -> Result<T, String> {
    match tokio::time::timeout(time, work).await {
        Ok(result) => result.map_err(|error| CommandError::failure(error).to_string()),
        Err(_) => Err(format!("no answer within {} s", time.as_secs())),
    }
}

/// The image that pods run, as far as this machine's engine has it under the name that they give it.
#[derive(Debug)]
pub enum LocalImage {
    /// It is the same.
    Same(Box<ExaminedImage>),
    /// It is another one, of this identity.
    Other(String),
}

/// Looks for the image of this name and identity, which is what a node calls it.
pub async fn local(name: &str, id: Option<&str>, platform: &Platform) -> Result<LocalImage, Unknown> {
    let reader = ImageReader::new(Environment::of_this_process());
    let ask = || within(ENGINE_TIMEOUT, reader.from_engine(name, platform));
    let known = ask().await.map_err(Unknown::because)?;
    if let Some(id) = id {
        let digest = digest_of(id).ok_or_else(|| Unknown::because(format!("{id} has no digest")))?;
        let digests = known.digests();
        if !known.has_digest(digest) {
            let saved = known.digests_when_saved().await;
            let saved = saved.map_err(|error| Unknown::because(CommandError::failure(error).to_string()))?;
            if !saved.contains(digest) {
                let own = saved.imported.or(digests.config).or(digests.manifest).or(saved.config);
                return Ok(LocalImage::Other(own.map_or_else(|| name.to_owned(), |own| own.to_string())));
            }
        }
    }
    let image = ask().await.map_err(Unknown::because)?;
    let opened = ExaminedImage::open(image).await;
    let opened = opened.map_err(|error| Unknown::because(CommandError::failure(error).to_string()))?;
    Ok(LocalImage::Same(Box::new(opened)))
}

/// `sha256:…`, `shop.example/api@sha256:…`, `docker://sha256:…`, or the digits alone.
fn digest_of(id: &str) -> Option<Digest> {
    let digits = id.rsplit(['@', ':', '/']).next()?;
    format!("sha256:{digits}").parse().ok()
}

impl ExaminedImage {
    async fn open(image: Image) -> Result<Self, podcov_container_image::Error> {
        let config = image.config().clone();
        let files = image.into_file_system().await?;
        let examined = tokio::task::spawn_blocking(move || {
            let programs = programs(&files)?;
            Ok(Self { config, files, programs })
        });
        match examined.await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// What a container runs that has these words in its specification.
    pub fn command_line(&self, command: &[String], args: &[String]) -> Option<CommandLine> {
        CommandLine::of_container(command, args, &self.config)
    }

    /// The program that a container with these words starts, whether a shell is in between or not.
    pub fn started(
        &self,
        command: &[String],
        args: &[String],
    ) -> Result<(String, Option<&Program>), Unknown> {
        let line = self.command_line(command, args).ok_or_else(|| Unknown::because("it runs nothing"))?;
        let find = |program: &str| {
            let path = self.config.variable("PATH");
            self.files.find_executable(program, &self.config.working_directory, path)
        };
        let (path, _) = find(line.program())
            .map_err(|error| Unknown::because(CommandError::failure(error).to_string()))?;
        let path = path.to_string();
        if let Some(program) = self.programs.iter().find(|program| program.binary.name == path) {
            return Ok((path, Some(program)));
        }
        // What a script starts is among its words.
        let script = self.script(&line).map(|script| script.text).unwrap_or_default();
        let words = || script.split(|letter: char| letter.is_whitespace() || "\"';&|".contains(letter));
        let is_named = |program: &&Program| {
            let own = &program.binary.name;
            words().any(|word| word.rsplit('/').next() == own.rsplit('/').next())
        };
        let mut candidates: Vec<&Program> = self.programs.iter().filter(is_named).collect();
        if candidates.is_empty() {
            candidates = self.programs.iter().collect();
        }
        match candidates[..] {
            [program] => Ok((program.binary.name.clone(), Some(program))),
            _ => Ok((path, None)),
        }
    }

    /// The Go program that a container with these words starts, as a file of this machine.
    pub fn program_file(
        &self,
        command: &[String],
        args: &[String],
    ) -> Result<(Binary, tempfile::TempPath), String> {
        match self.started(command, args) {
            Ok((path, Some(program))) => Ok((program.binary.clone(), self.extract(&path)?)),
            Ok((path, None)) => Err(format!("{path} is not a Go program")),
            Err(unknown) => Err(unknown.reason),
        }
    }

    /// A file of the image as one of this machine, which can be executed.
    fn extract(&self, path: &str) -> Result<tempfile::TempPath, String> {
        let mut contents = self.files.open(path).map_err(|error| CommandError::failure(error).to_string())?;
        let mut file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        io::copy(&mut contents, &mut file).map_err(|error| error.to_string())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let permissions = std::fs::Permissions::from_mode(0o755);
            file.as_file().set_permissions(permissions).map_err(|error| error.to_string())?;
        }
        Ok(file.into_temp_path())
    }

    /// The shell script that the command line is or names.
    pub fn script(&self, line: &CommandLine) -> Option<Script> {
        if let Some(form) = line.shell_form() {
            let place = "command line of the container".to_owned();
            return Some(Script { place, text: form.script.to_owned() });
        }
        let words: Vec<&str> = line.words().collect();
        let named = if is_shell(words.first()?) { words.get(1)? } else { words.first()? };
        let path = self.config.variable("PATH");
        let (path, file) = self.files.find_executable(named, &self.config.working_directory, path).ok()?;
        if file.size > MOST_SCRIPT {
            return None;
        }
        let mut text = String::new();
        self.files.contents(&path, file).ok()?.read_to_string(&mut text).ok()?;
        let interpreter = text.strip_prefix("#!")?.lines().next()?.trim();
        let is_shell = interpreter.split_whitespace().any(|word| word.ends_with("sh"));
        is_shell.then(|| Script { place: path.to_string(), text })
    }

    /// What is at a path, for a user, who may be named.
    pub fn directory(
        &self,
        path: &str,
        user: Option<u64>,
        group: Option<u64>,
    ) -> Result<ImageDirectory, Unknown> {
        let (own_user, own_group) = self.owner();
        let user = || user.or(own_user).ok_or_else(|| Unknown::because("the image's user has no number"));
        match self.files.resolve(path) {
            Ok((_, Node::Directory(directory))) => {
                let user = user()?;
                let group = group.or(own_group).unwrap_or(0);
                let lets_create = user == 0 || directory.lets_create(user, group);
                let owner = format!("{:o} {}:{}", directory.mode, directory.user, directory.group);
                Ok(ImageDirectory::There { owner, lets_create })
            }
            Ok(_) => Ok(ImageDirectory::NotADirectory),
            // Who starts a container makes a directory for each of its volumes.
            Err(_) if self.config.volumes.iter().any(|volume| volume.trim_end_matches('/') == path) => {
                Ok(ImageDirectory::There { owner: "755 0:0".to_owned(), lets_create: user()? == 0 })
            }
            Err(_) => Ok(ImageDirectory::Missing),
        }
    }

    /// User and group of the image, in numbers where they can be had.
    pub fn owner(&self) -> (Option<u64>, Option<u64>) {
        let (user, group) = match self.config.user.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (self.config.user.as_str(), None),
        };
        if user.is_empty() {
            return (Some(0), Some(0));
        }
        let (user, default_group) = match user.parse() {
            Ok(number) => (Some(number), None),
            Err(_) => {
                self.entry_of("/etc/passwd", user).map_or((None, None), |(user, group)| (Some(user), group))
            }
        };
        let named_group = group.and_then(|group| match group.parse() {
            Ok(number) => Some(number),
            Err(_) => self.entry_of("/etc/group", group).map(|(number, _)| number),
        });
        (user, named_group.or(default_group))
    }

    /// `name:x:number:number`
    fn entry_of(&self, file: &str, name: &str) -> Option<(u64, Option<u64>)> {
        let mut text = String::new();
        self.files.open(file).ok()?.take(MOST_SCRIPT).read_to_string(&mut text).ok()?;
        let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next().and_then(|field| field.parse().ok())))
    }

    fn facts(&self, subject: &str, command: &[String], args: &[String]) -> facts::ExaminedImage {
        let line = self.command_line(command, args);
        let setting = self.config.variable("GOCOVERDIR").filter(|value| !value.is_empty()).map(str::to_owned);
        facts::ExaminedImage {
            subject: subject.to_owned(),
            command_line: line.iter().flat_map(CommandLine::words).map(str::to_owned).collect(),
            script: line.as_ref().and_then(|line| self.script(line)),
            user: self.config.user.clone(),
            directory: setting.as_ref().map(|path| self.directory(path, None, None)),
            setting,
            has_shell: SHELLS.iter().any(|shell| self.files.resolve(shell).is_ok()),
            programs: self.programs.iter().map(|program| program.binary.clone()).collect(),
            started: self.started(command, args).map(|(path, _)| path),
        }
    }
}

/// The Go programs, by path.
fn programs(files: &FileSystem) -> Result<Vec<Program>, podcov_container_image::Error> {
    let mut found = Vec::new();
    let wanted = |_: &ImagePath, file: &podcov_container_image::RegularFile| {
        file.is_executable() && (LEAST_PROGRAM..MOST_PROGRAM).contains(&file.size)
    };
    files.visit_contents(wanted, |path, _, contents| {
        let mut magic = [0; 4];
        contents.read_exact(&mut magic)?;
        if magic != *b"\x7fELF" {
            return Ok(());
        }
        let mut file = tempfile::tempfile()?;
        io::copy(&mut (&magic[..]).chain(contents), &mut file)?;
        file.rewind()?;
        found.extend(program::examine(&path.to_string(), file)?);
        Ok(())
    })?;
    Ok(found)
}
