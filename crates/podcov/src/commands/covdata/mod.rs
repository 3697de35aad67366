//! `podcov covdata`: what `go tool covdata` does, with its flags, its output and its files.
//!
//! Owns the command line. Where the data comes from is `inputs`', adding it up `merged`'s; each kind of result has a
//! module of its own. docs/covdata.md lists where podcov differs from Go on purpose.

pub mod archive;
mod dump;
mod figures;
mod go_flags;
mod inputs;
mod merged;
mod set_operations;
mod written;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;

pub use go_flags::normalize;

use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  podcov covdata percent -i=coverdata/api,coverdata/worker --total
  podcov covdata textfmt -i=coverdata -o=coverage.txt --recursive
  podcov covdata merge -i=unit,e2e.tar.zst -o=merged
  kubectl exec deploy/api -- tar cz /coverage | podcov covdata func -i=-

Flags are written as Go writes them (-pkg=net/...), or with two dashes.";

/// Read, merge and convert coverage data, as go tool covdata does.
///
/// The same commands and flags, the same output and files, without a Go toolchain. What cannot be used is named, the
/// rest is used, and the exit code is then 3.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CovdataArgs {
    #[command(subcommand)]
    command: CovdataCommand,
}

// As with Go's flags, the last of several counts.
#[derive(Debug, clap::Subcommand)]
#[command(args_override_self = true)]
enum CovdataCommand {
    /// Print the percentage of statements that ran, for each package.
    Percent(PercentArgs),
    /// Print the percentage of statements that ran, for each function.
    Func(FuncArgs),
    /// Print the import paths of all packages.
    Pkglist(InputArgs),
    /// Convert the data to a text profile, which go tool cover reads.
    Textfmt(TextfmtArgs),
    /// Merge data files: one counter file for each program.
    Merge(MergeArgs),
    /// Take from the first directory what ran in the second.
    Subtract(OutputArgs),
    /// Keep of the first directory what ran in all others as well.
    Intersect(IntersectArgs),
    /// Print everything, for people to read.
    Debugdump(DebugdumpArgs),
}

/// Where the data comes from, and which part of it is meant.
#[derive(Clone, Debug, clap::Args)]
pub struct InputArgs {
    /// Directories, separated by commas. Also archives of them (.tar, .tgz, .tar.zst) and text profiles of go test; -
    /// is one of these on standard input.
    #[arg(short, long, alias = "i", value_name = "INPUTS", value_parser = NonEmptyStringValueParser::new())]
    input: String,

    /// Only packages that match a pattern, such as example.com/shop/...; several are separated by commas.
    #[arg(long, value_name = "PATTERNS", default_value = "", hide_default_value = true)]
    pub pkg: String,

    /// Leave out packages that match a pattern; may be repeated, or separated by commas.
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub exclude: Vec<String>,

    /// Look into the directories below the inputs as well.
    #[arg(short, long)]
    pub recursive: bool,

    /// Fail at the first file that cannot be used.
    #[arg(long)]
    pub strict: bool,

    #[command(flatten)]
    ignored: IgnoredArgs,
}

impl InputArgs {
    /// In the order in which they were given.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = PathBuf> + use<> {
        self.input.split(',').map(PathBuf::from).collect::<Vec<_>>().into_iter()
    }
}

/// What go tool covdata has for its own developers.
#[derive(Clone, Debug, clap::Args)]
struct IgnoredArgs {
    /// Accepted for scripts that pass it to go tool covdata, and ignored.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    cpuprofile: Option<PathBuf>,

    /// Accepted and ignored.
    #[arg(long, value_name = "FILE", hide = true)]
    memprofile: Option<PathBuf>,

    /// Accepted and ignored.
    #[arg(long, value_name = "RATE", hide = true)]
    memprofilerate: Option<u64>,

    /// Accepted and ignored.
    #[arg(short, long = "v", value_name = "LEVEL", hide = true)]
    verbose: Option<u64>,

    /// Accepted and ignored.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide = true,
        value_parser = go_flags::parse_bool)]
    hw: Option<bool>,
}

#[derive(Debug, clap::Args)]
struct PercentArgs {
    #[command(flatten)]
    input: InputArgs,

    /// Write a text profile as well.
    #[arg(short, long = "o", value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print the percentage of all packages together at the end.
    #[arg(long)]
    total: bool,

    /// Print a JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct FuncArgs {
    #[command(flatten)]
    input: InputArgs,

    /// Print a JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct TextfmtArgs {
    #[command(flatten)]
    input: InputArgs,

    /// Where the text profile goes; - is standard output.
    #[arg(short, long = "o", value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, clap::Args)]
struct OutputArgs {
    #[command(flatten)]
    input: InputArgs,

    /// The directory that the files go to. It is made if it is not there.
    #[arg(short, long = "o", value_name = "DIR")]
    output: PathBuf,
}

#[derive(Debug, clap::Args)]
struct MergeArgs {
    #[command(flatten)]
    output: OutputArgs,

    /// Merge different programs to one: functions that they share are there once.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL",
        value_parser = go_flags::parse_bool)]
    pcombine: Option<bool>,
}

#[derive(Debug, clap::Args)]
struct IntersectArgs {
    #[command(flatten)]
    output: OutputArgs,

    /// Keep what ran in any process of each directory. go tool covdata keeps what ran in all processes of the others.
    #[arg(long)]
    by_directory: bool,
}

#[derive(Debug, clap::Args)]
struct DebugdumpArgs {
    #[command(flatten)]
    input: InputArgs,

    /// Only functions that ran.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL",
        value_parser = go_flags::parse_bool)]
    live: Option<bool>,
}

/// Runs the command.
pub fn run(args: &CovdataArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    match &args.command {
        CovdataCommand::Percent(args) => figures::percent(args, terminal),
        CovdataCommand::Func(args) => figures::func(args, terminal),
        CovdataCommand::Pkglist(args) => figures::pkglist(args, terminal),
        CovdataCommand::Textfmt(args) => figures::textfmt(args, terminal),
        CovdataCommand::Merge(args) => written::merge(args, terminal),
        CovdataCommand::Subtract(args) => set_operations::subtract(args, terminal),
        CovdataCommand::Intersect(args) => set_operations::intersect(args, terminal),
        CovdataCommand::Debugdump(args) => dump::debugdump(args, terminal),
    }
}
