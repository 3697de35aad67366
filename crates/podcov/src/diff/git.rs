//! git, run as a child: what a repository says of its commits and of its working tree.
//!
//! Owns how git is called: nothing in a repository's files chooses a program, no name is taken for an option, and the
//! user's settings do not change what is printed. What comes out is untrusted all the same.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::CommandError;

/// More than any review looks at; a patch is held in memory.
const LARGEST_OUTPUT: u64 = 256 << 20;
const LONGEST_MESSAGE: u64 = 16 << 10;

/// The branches that a change usually starts from, if nothing else says so.
const USUAL_BASES: [&str; 4] = ["origin/main", "origin/master", "main", "master"];

/// A working tree of git.
#[derive(Clone, Debug)]
pub struct Repository {
    root: PathBuf,
}

/// The whole name of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitId(String);

impl CommitId {
    /// As much of it as people need.
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

/// How git ended that could not do what it was asked.
struct Failed {
    code: Option<i32>,
    message: String,
}

impl Repository {
    /// The one that `directory` is in.
    pub fn around(directory: &Path) -> Result<Self, CommandError> {
        let root = run(directory, ["rev-parse", "--show-toplevel"])?;
        match root {
            Ok(root) => Ok(Self { root: path(root.trim_ascii_end()) }),
            Err(Failed { message, .. }) if message.contains("dubious ownership") => {
                Err(CommandError::failure(format!(
                    "git does not trust the repository around {}",
                    directory.display()
                ))
                .caused_by(message)
                .hint(format!(
                    "if you do, say so: git config --global --add safe.directory {}",
                    std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()).display()
                )))
            }
            Err(Failed { message, .. }) => {
                Err(CommandError::failure(format!("{} is in no working tree of git", directory.display()))
                    .caused_by(message)
                    .hint("name the checkout with --source DIR")
                    .hint("or say what has changed without git: diff -ruN OLD NEW | podcov diff --patch -"))
            }
        }
    }

    /// The directory that git's paths are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commit that a revision stands for, such as a branch.
    pub fn commit(&self, revision: &str) -> Result<CommitId, CommandError> {
        if let Some(commit) = self.find(revision)? {
            return Ok(commit);
        }
        let error = CommandError::failure(format!("git knows no commit {revision}"));
        let remote = revision.strip_prefix("origin/").filter(|branch| !branch.starts_with('-'));
        Err(match remote {
            _ if self.is_shallow()? => self.shallow(error),
            Some(branch) => error.hint(format!("bring it here: git fetch origin {branch}")),
            None => {
                error.hint("name a branch, a tag or a commit; a branch of the remote is called origin/NAME")
            }
        })
    }

    /// The branch that a change usually starts from: what the remote calls its default, or one with a usual name.
    pub fn usual_base(&self) -> Result<String, CommandError> {
        let default = self.read(["rev-parse", "--abbrev-ref", "--verify", "--quiet", "origin/HEAD"])?;
        if let Ok(name) = default {
            let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
            if !name.is_empty() && name != "origin/HEAD" {
                return Ok(name);
            }
        }
        for name in USUAL_BASES {
            if self.find(name)?.is_some() {
                return Ok(name.to_owned());
            }
        }
        Err(CommandError::failure(format!(
            "no base to compare with: there is no origin/HEAD and no {}",
            USUAL_BASES.join(", ")
        ))
        .hint("name the branch that the change is for: --base BRANCH")
        .hint("a clone of one branch has no other: git fetch origin BRANCH, then --base FETCH_HEAD"))
    }

    /// Where the histories of two commits parted.
    pub fn merge_base(
        &self,
        one: &CommitId,
        other: &CommitId,
        names: (&str, &str),
    ) -> Result<CommitId, CommandError> {
        let found = self.read(["merge-base", &one.0, &other.0])?;
        if let Some(commit) = found.ok().and_then(|output| commit_id(&output)) {
            return Ok(commit);
        }
        let error = CommandError::failure(format!("{} and {} have no common commit", names.0, names.1));
        Err(if self.is_shallow()? {
            self.shallow(error)
        } else {
            error.hint("name a base with --base, or two commits with --range A..B")
        })
    }

    /// The patch from one commit to another, or to the working tree as it is.
    pub fn diff(&self, from: &CommitId, to: Option<&CommitId>) -> Result<Vec<u8>, CommandError> {
        let mut arguments = vec!["diff", &from.0];
        arguments.splice(1..1, DIFF_FLAGS);
        arguments.extend(to.map(|to| to.0.as_str()));
        arguments.push("--");
        self.expect(arguments, "compare the commits")
    }

    /// Files that git does not know yet and does not ignore, relative to the root.
    pub fn untracked(&self) -> Result<Vec<String>, CommandError> {
        let output = self.expect(["ls-files", "--others", "--exclude-standard", "-z"], "list new files")?;
        let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// What a file says in a commit; none if it is not text, or not there.
    pub fn text(&self, commit: &CommitId, path: &str) -> Result<Option<String>, CommandError> {
        let object = format!("{}:{path}", commit.0);
        let blob = self.read(["cat-file", "blob", &object])?;
        Ok(blob.ok().and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    fn find(&self, revision: &str) -> Result<Option<CommitId>, CommandError> {
        let object = format!("{revision}^{{commit}}");
        let found = self.read(["rev-parse", "--verify", "--quiet", "--end-of-options", &object])?;
        Ok(found.ok().and_then(|output| commit_id(&output)))
    }

    fn is_shallow(&self) -> Result<bool, CommandError> {
        let answer = self.read(["rev-parse", "--is-shallow-repository"])?;
        Ok(answer.is_ok_and(|answer| answer.trim_ascii() == b"true"))
    }

    fn shallow(&self, error: CommandError) -> CommandError {
        error
            .caused_by(format!("{} is a shallow clone, which lacks older commits", self.root.display()))
            .hint("bring them here: git fetch --unshallow origin")
            .hint("with GitHub's actions/checkout, set fetch-depth: 0")
    }

    fn read<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Result<Vec<u8>, Failed>, CommandError> {
        run(&self.root, arguments)
    }

    fn expect<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
        what: &str,
    ) -> Result<Vec<u8>, CommandError> {
        self.read(arguments)?.map_err(|Failed { code, message }| {
            let code = code.map_or_else(String::new, |code| format!(" (exit code {code})"));
            CommandError::failure(format!("git cannot {what}{code}")).caused_by(message)
        })
    }
}

/// Whatever the user has set: these paths, no colour, no other program.
const DIFF_FLAGS: [&str; 13] = [
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--find-renames",
    "--unified=0",
    "--inter-hunk-context=0",
    "-O/dev/null",
    "--submodule=short",
    "--ignore-submodules=dirty",
    "--diff-algorithm=histogram",
];

fn run<'a>(
    directory: &Path,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<Result<Vec<u8>, Failed>, CommandError> {
    let git = which::which("git").map_err(|error| {
        CommandError::failure("there is no `git` on PATH, which says what has changed")
            .caused_by(error)
            .hint("install git, or say what has changed without it: podcov diff --patch FILE")
    })?;
    let cannot = |error: std::io::Error| CommandError::failure("cannot run git").caused_by(error);
    let mut command = Command::new(git);
    // A file system monitor is a program; one that the repository is set up with is not started for this.
    command.args([
        "--no-pager",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.quotePath=true",
        "-c",
        "diff.orderFile=",
    ]);
    command.arg("-C").arg(directory).args(arguments.into_iter().map(OsStr::new));
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0");
    command.env_remove("GIT_DIFF_OPTS").env_remove("GIT_EXTERNAL_DIFF");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(cannot)?;
    let messages = child.stderr.take();
    let messages = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut messages) = messages {
            let _ = messages.by_ref().take(LONGEST_MESSAGE).read_to_end(&mut text);
            // git would wait for ever for a reader that does not come.
            let _ = std::io::copy(&mut messages, &mut std::io::sink());
        }
        String::from_utf8_lossy(&text).trim().to_owned()
    });
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LARGEST_OUTPUT + 1).read_to_end(&mut output).map_err(cannot)?;
    }
    let status = child.wait().map_err(cannot)?;
    let message = messages.join().unwrap_or_default();
    if output.len() as u64 > LARGEST_OUTPUT {
        return Err(CommandError::failure("the change is larger than 256 MiB")
            .hint("compare with a nearer commit: --base COMMIT"));
    }
    if status.success() {
        return Ok(Ok(output));
    }
    Ok(Err(Failed { code: status.code(), message }))
}

/// 40 hexadecimal digits, or 64 where the repository uses SHA-256.
fn commit_id(output: &[u8]) -> Option<CommitId> {
    let text = str::from_utf8(output).ok()?.lines().next()?;
    let is_id = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| CommitId(text.to_owned()))
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
