//! The directory of a run (`coverage/`): its layout, its record `run.json`, and (`lock`) who may write to it.
//!
//! Owns every path in it and the guarantee that `run.json` is whole at any moment: a podcov that is killed
//! leaves a valid record of an unfinished run. What the captured files mean is [`crate::coverage_data`]'s.
//!
//! ```text
//! coverage/
//!   run.json        the record: what was observed, how complete it is, the figures
//!   coverage.txt    the merged profile in Go's text format; coverage-MODE.txt where counter modes are mixed
//!   index.html      the report
//!   data/<workload>/<pod>/<container>-<restart>/cov*     as Go wrote them, from pods
//!   data/<name>/cov*                                     from local programs
//!   snapshot/                                            what running processes had counted when they were read
//!   tests.json                                           which tests ran what
//!   tests/<test>/cov*                                    what each test ran
//!   logs/<name>.log                                      output of services that podcov started
//! ```

mod lock;
mod tests;

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind as IoErrorKind, Write};
use std::path::{Path, PathBuf};

use podcov_report::run::{Capture, Run, SCHEMA_VERSION};

use crate::error::CommandError;
use crate::terminal::Terminal;
use lock::{ADDING, LOCK, adding, lock, lock_to_append, occupied};

pub use lock::{is_added_to, is_written_to};
pub use tests::{TESTS, TESTS_RECORD, read_tests};

const RECORD: &str = "run.json";
const PROFILE: &str = "coverage.txt";
const PAGE: &str = "index.html";
const DATA: &str = "data";
const LOGS: &str = "logs";
const SNAPSHOT: &str = "snapshot";
/// A run directory that this process may write to.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    run: Run,
    _lock: File,
}

/// What is at the path of a run directory before a run.
enum Existing {
    Nothing,
    Finished(Box<Run>),
    Unfinished(Box<Run>),
    Foreign { why: String },
}

impl RunDirectory {
    /// A fresh directory for a new run. A run that ended there is replaced, one that did not is moved aside,
    /// and anything else is refused.
    pub fn create(path: &Path, terminal: &Terminal) -> Result<Self, CommandError> {
        loop {
            if let Existing::Foreign { why } = existing(path)? {
                return Err(foreign(path, &why));
            }
            fs::create_dir_all(path).map_err(|error| cannot("create", path, error))?;
            let lock = lock(path)?;
            if is_added_to(path) {
                return Err(occupied("podcov exec --append runs a program for", path));
            }
            match existing(path)? {
                Existing::Nothing => return Self::started(path, new_run(), lock),
                Existing::Finished(_) => {
                    remove_results(path)?;
                    return Self::started(path, new_run(), lock);
                }
                Existing::Unfinished(run) => {
                    let aside = move_aside(path, &run.id)?;
                    terminal.warning(&format!(
                        "{} holds a run that did not end ({}); moved to {}",
                        path.display(),
                        run.started,
                        aside.display()
                    ));
                }
                Existing::Foreign { why } => return Err(foreign(path, &why)),
            }
        }
    }

    /// The run at `path`, to go on with it; none when there is no run.
    pub fn open(path: &Path) -> Result<Option<Self>, CommandError> {
        if !path.join(RECORD).is_file() {
            return Ok(None);
        }
        let lock = lock(path)?;
        match existing(path)? {
            Existing::Finished(run) | Existing::Unfinished(run) => {
                Ok(Some(Self { path: path.to_owned(), run: *run, _lock: lock }))
            }
            Existing::Nothing => Ok(None),
            Existing::Foreign { why } => Err(foreign(path, &why)),
        }
    }

    /// The run at `path`, or a new one, to add to it. Others may be adding to it as well: each holds it only
    /// for as long as it takes to write to it, and waits for the others.
    pub fn append(path: &Path) -> Result<Self, CommandError> {
        if let Existing::Foreign { why } = existing(path)? {
            return Err(foreign(path, &why));
        }
        fs::create_dir_all(path).map_err(|error| cannot("create", path, error))?;
        let lock = lock_to_append(path)?;
        match existing(path)? {
            Existing::Nothing => Self::started(path, new_run(), lock),
            Existing::Finished(run) | Existing::Unfinished(run) => {
                Ok(Self { path: path.to_owned(), run: *run, _lock: lock })
            }
            Existing::Foreign { why } => Err(foreign(path, &why)),
        }
    }

    fn started(path: &Path, run: Run, lock: File) -> Result<Self, CommandError> {
        let directory = Self { path: path.to_owned(), run, _lock: lock };
        // Nothing was captured that a machine could lose which stops now: nobody waits for the disk.
        let record = directory.record()?;
        write_whole(path, RECORD, |file| file.write_all(record.as_bytes()))?;
        Ok(directory)
    }

    /// For as long as it is kept, nobody takes the run for one that nothing will be added to.
    pub fn adding(&self) -> Result<File, CommandError> {
        adding(&self.path)
    }

    /// As the user named it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The record as it will be saved next.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The record, to be changed and then saved.
    pub fn run_mut(&mut self) -> &mut Run {
        &mut self.run
    }

    /// Writes `run.json`: whole or not at all, and on the disk when this returns.
    pub fn save(&self) -> Result<(), CommandError> {
        let record = self.record()?;
        write_file(&self.path, RECORD, record.as_bytes())
    }

    /// The same with what a run that goes on has captured so far, of which its end knows better.
    pub fn save_captures_so_far(&self, captures: Vec<Capture>) -> Result<(), CommandError> {
        let run = Run { captures, ..self.run.clone() };
        write_file(&self.path, RECORD, text_of(&run)?.as_bytes())
    }

    /// The text of `run.json`.
    pub fn record(&self) -> Result<String, CommandError> {
        text_of(&self.run)
    }

    /// Marks the run as ended, and saves.
    pub fn finish(&mut self) -> Result<(), CommandError> {
        self.run.finished = Some(now());
        self.save()
    }

    /// Creates the covdata directory of a local program.
    pub fn program_directory(&self, name: &str) -> Result<PathBuf, CommandError> {
        self.directory(&[DATA, &as_component(name)])
    }

    /// Creates the covdata directory of one start of a container of a pod.
    pub fn container_directory(
        &self,
        workload: &str,
        pod: &str,
        container: &str,
        restart: u32,
    ) -> Result<PathBuf, CommandError> {
        let container = format!("{container}-{restart}");
        self.directory(&[DATA, &as_component(workload), &as_component(pod), &as_component(&container)])
    }

    /// Creates the covdata directory of one execution of a local program, within the program's.
    pub fn execution_directory(&self, name: &str) -> Result<PathBuf, CommandError> {
        self.directory(&[DATA, &as_component(name), &new_id()])
    }

    /// Where the output of a service goes that podcov starts.
    pub fn log_file(&self, name: &str) -> Result<PathBuf, CommandError> {
        Ok(self.directory(&[LOGS])?.join(format!("{}.log", as_component(name))))
    }

    /// Creates the directory that later snapshots of the same processes are compared with.
    pub fn snapshot_directory(&self) -> Result<PathBuf, CommandError> {
        self.directory(&[SNAPSHOT])
    }

    /// Where all captured data is.
    pub fn data_directory(&self) -> PathBuf {
        data_directory_of(&self.path)
    }

    /// `path` as the record names it: relative to the run directory, with `/` as separator.
    pub fn relative(&self, path: &Path) -> String {
        relative(&self.path, path)
    }

    /// Writes the profile in Go's text format; one of several carries its counter mode in its name.
    pub fn write_profile(
        &self,
        mode: Option<&str>,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<PathBuf, CommandError> {
        let name = mode.map_or_else(|| PROFILE.to_owned(), profile_of_mode);
        write_whole(&self.path, &name, write)
    }

    /// Removes the profiles of an earlier report, whose counter modes may have been others.
    pub fn remove_profiles(&self) -> Result<(), CommandError> {
        profiles().try_for_each(|name| remove(&self.path.join(name)))
    }

    /// Writes the report; returns its path.
    pub fn write_page(
        &self,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<PathBuf, CommandError> {
        write_whole(&self.path, PAGE, write)
    }

    fn directory(&self, components: &[&str]) -> Result<PathBuf, CommandError> {
        let path = self.path.join(components.iter().collect::<PathBuf>());
        fs::create_dir_all(&path).map_err(|error| cannot("create", &path, error))?;
        Ok(path)
    }
}

fn text_of(run: &Run) -> Result<String, CommandError> {
    let mut text = serde_json::to_string_pretty(run)
        .map_err(|error| CommandError::failure("cannot write the record of the run").caused_by(error))?;
    text.push('\n');
    Ok(text)
}

/// Where the run at `path` has all captured data.
pub fn data_directory_of(path: &Path) -> PathBuf {
    path.join(DATA)
}

/// `path` as the record of the run in `directory` names it.
pub fn relative(directory: &Path, path: &Path) -> String {
    let relative = match path.strip_prefix(directory) {
        Ok(inside) => inside.to_owned(),
        Err(_) => from_to(directory, path),
    };
    relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

/// The record of a run that is at `path`; none when it is no run directory.
pub fn read_record(path: &Path) -> Result<Option<Run>, CommandError> {
    match existing(path)? {
        Existing::Finished(run) | Existing::Unfinished(run) => Ok(Some(*run)),
        Existing::Nothing | Existing::Foreign { .. } => Ok(None),
    }
}

/// Where the run at `path` keeps what later snapshots are compared with.
pub fn snapshot_directory_of(path: &Path) -> PathBuf {
    path.join(SNAPSHOT)
}

/// Writes a file of a run: whole or not at all, and on the disk when this returns.
pub fn write_file(directory: &Path, name: &str, contents: &[u8]) -> Result<(), CommandError> {
    let written = replace(directory, name, |mut file| {
        file.write_all(contents)?;
        file.sync_all()
    });
    written.map(drop)
}

/// Writes a part of a report: whole or not at all. It can be made again, so nobody waits for the disk. Returns its path.
pub fn write_whole(
    directory: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<PathBuf, CommandError> {
    replace(directory, name, |file| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.flush()
    })
}

fn replace(
    directory: &Path,
    name: &str,
    write: impl FnOnce(File) -> std::io::Result<()>,
) -> Result<PathBuf, CommandError> {
    let path = directory.join(name);
    let temporary = directory.join(format!(".{name}.tmp"));
    let written = File::create(&temporary).and_then(write).and_then(|()| fs::rename(&temporary, &path));
    written.map_err(|error| cannot("write", &path, error))?;
    Ok(path)
}

/// The present moment as records have it: RFC 3339, UTC, seconds.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

/// The record of a run that begins now.
pub fn new_run() -> Run {
    Run {
        schema_version: SCHEMA_VERSION,
        id: new_id(),
        podcov_version: env!("CARGO_PKG_VERSION").to_owned(),
        started: now(),
        finished: None,
        tests: None,
        captures: Vec::new(),
        set_aside: Vec::new(),
        excluded: Vec::new(),
        inputs: Vec::new(),
        notes: Vec::new(),
        summary: None,
    }
}

/// Unique enough for runs that share a cluster, sorted by time, and valid as a Kubernetes label.
pub fn new_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    let random = RandomState::new().hash_one(std::process::id());
    format!("{time}-{:08x}", random & 0xffff_ffff)
}

fn existing(path: &Path) -> Result<Existing, CommandError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(Existing::Nothing),
        Err(error) if error.kind() == IoErrorKind::NotADirectory => {
            return Ok(Existing::Foreign { why: "it is not a directory".to_owned() });
        }
        Err(error) => return Err(cannot("read", path, error)),
    };
    // In this order: the record is the first that another podcov writes, and it may begin just now.
    let foreign_entry = first_foreign_entry(entries);
    match fs::read(path.join(RECORD)) {
        Ok(text) => Ok(match serde_json::from_slice::<Run>(&text) {
            Ok(run) if run.schema_version != SCHEMA_VERSION => {
                Existing::Foreign { why: format!("its run.json is of podcov {}", run.podcov_version) }
            }
            Ok(run) if run.finished.is_some() => Existing::Finished(Box::new(run)),
            Ok(run) => Existing::Unfinished(Box::new(run)),
            Err(error) => Existing::Foreign { why: format!("its run.json is not podcov's: {error}") },
        }),
        Err(error) if error.kind() == IoErrorKind::NotFound => Ok(foreign_entry
            .map_or(Existing::Nothing, |name| Existing::Foreign { why: format!("it holds {name}") })),
        Err(error) => Err(cannot("read", &path.join(RECORD), error)),
    }
}

fn first_foreign_entry(entries: fs::ReadDir) -> Option<String> {
    let own = |name: &str| [LOCK, ADDING].contains(&name) || name == format!(".{RECORD}.tmp");
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).find(|name| !own(name))
}

fn foreign(path: &Path, why: &str) -> CommandError {
    let path = path.display();
    CommandError::failure(format!("{path} is not a run directory of podcov and is not empty: {why}"))
        .hint("name another directory with -o DIR; podcov replaces only what it wrote")
}

/// Everything that podcov writes but the record, which is replaced last.
fn remove_results(path: &Path) -> Result<(), CommandError> {
    let results = [DATA, LOGS, SNAPSHOT, TESTS, TESTS_RECORD, PAGE].map(str::to_owned);
    results.into_iter().chain(profiles()).try_for_each(|name| remove(&path.join(name)))
}

fn profiles() -> impl Iterator<Item = String> {
    let by_mode = ["set", "count", "atomic"].into_iter().map(profile_of_mode);
    std::iter::once(PROFILE.to_owned()).chain(by_mode)
}

fn profile_of_mode(mode: &str) -> String {
    format!("coverage-{mode}.txt")
}

fn remove(path: &Path) -> Result<(), CommandError> {
    // Of a link, the link is removed and not what it leads to.
    let removed =
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != IoErrorKind::NotFound => Err(cannot("remove", path, error)),
        _ => Ok(()),
    }
}

fn move_aside(path: &Path, id: &str) -> Result<PathBuf, CommandError> {
    let absolute = std::path::absolute(path).map_err(|error| cannot("find", path, error))?;
    let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let aside = path.with_file_name(format!("{name}-{id}"));
    fs::rename(path, &aside).map_err(|error| {
        cannot("move aside", path, error).hint("it holds a run that did not end; name another with -o DIR")
    })?;
    Ok(aside)
}

fn cannot(what: &str, path: &Path, error: std::io::Error) -> CommandError {
    CommandError::failure(format!("cannot {what} {}", path.display())).caused_by(error)
}

/// The way from one directory to a file or directory outside it.
fn from_to(from: &Path, to: &Path) -> PathBuf {
    let (Ok(from), Ok(to)) = (fs::canonicalize(from), fs::canonicalize(to)) else { return to.to_owned() };
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    if shared == 0 {
        return to;
    }
    let up = from.components().skip(shared).map(|_| Path::new(".."));
    let down = to.components().skip(shared).map(|component| component.as_os_str().as_ref());
    up.chain(down).collect()
}

/// A name as one component of a path, whatever is in it.
fn as_component(name: &str) -> String {
    let keep = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let component: String =
        name.chars().map(|character| if keep(character) { character } else { '-' }).collect();
    if component.trim_matches('.').is_empty() { "-".to_owned() } else { component }
}
