//! The command line: its tree, the options that commands share, and the name it answers by.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style, Styles};
use clap::builder::{Resettable, Str};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::error::{CommandError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::settings::{Settings, SettingsArgs};
use crate::terminal::Terminal;

const STYLES: Styles = Styles::styled()
    .header(Style::new().bold())
    .usage(Style::new().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  podcov run -n shop deploy/api deploy/worker -- go test ./e2e/...
  podcov run --exec './bin/api --listen :8080' --ready :8080 -- go test ./e2e/...
  podcov report ./coverdata

The report is written to coverage/index.html, the profile for Go's tools to coverage/coverage.txt.";

/// Positional arguments stand where clap puts them, whatever group of options they are declared with.
pub const ARGUMENTS: Resettable<Str> = Resettable::Reset;

/// Code coverage of Go services that run in Kubernetes pods, collected during end-to-end tests.
///
/// The services are built with `go build -cover`. podcov prepares them, runs the tests, collects what every
/// process counted, puts everything back, and reports what the tests ran and what is missing.
#[derive(Debug, Parser)]
#[command(name = "podcov", version, styles = STYLES, after_help = EXAMPLES, disable_help_subcommand = true)]
#[command(max_term_width = 110)]
pub struct Cli {
    /// Show only warnings, losses, errors, and the result.
    #[arg(short, long, global = true)]
    quiet: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<commands::run::RunArgs>),
    Exec(commands::exec::ExecArgs),
    Mark(commands::mark::MarkArgs),
    Snapshot(commands::snapshot::SnapshotArgs),
    Report(commands::report::ReportArgs),
    Serve(commands::serve::ServeArgs),
    Diff(commands::diff::DiffArgs),
    Doctor(commands::doctor::DoctorArgs),
    Inject(commands::inject::InjectArgs),
    Eject(commands::eject::EjectArgs),
    Collect(commands::collect::CollectArgs),
    Covdata(commands::covdata::CovdataArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
}

/// Which cluster, and which workloads in it.
#[derive(Clone, Debug, Args)]
pub struct ClusterArgs {
    /// Workloads, as kubectl names them: deploy/api, statefulset/db, daemonset/agent, replicaset/x, pod/x.
    #[arg(value_name = "TARGET", help_heading = ARGUMENTS)]
    pub targets: Vec<String>,

    #[command(flatten)]
    pub options: ClusterOptions,
}

/// Which cluster, and the workloads of it that are not named.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster options")]
pub struct ClusterOptions {
    /// The namespace of the workloads. By default the context's.
    #[arg(short, long)]
    pub namespace: Option<String>,

    /// The kubeconfig context to use.
    #[arg(long)]
    pub context: Option<String>,

    /// The kubeconfig file to use.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// All workloads with these labels, such as app=api.
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub selector: Option<String>,

    /// All workloads of the namespace.
    #[arg(long)]
    pub all: bool,
}

impl ClusterArgs {
    /// Whether they name anything.
    pub fn names_workloads(&self) -> bool {
        !self.targets.is_empty() || self.options.selector.is_some() || self.options.all
    }
}

/// How workloads are prepared.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster options")]
pub struct PrepareArgs {
    /// Only the container of this name in every pod; may be repeated. By default all of them.
    #[arg(short = 'c', long = "container", value_name = "NAME")]
    pub containers: Vec<String>,

    /// How counters are read: from the memory of programs that the agent starts (supervised), which holds for any
    /// ending, or from the files that Go writes at exit. auto supervises where the entry point is known.
    #[arg(long, value_enum, default_value_t, value_name = "WAY")]
    pub capture: Capture,

    /// What a container runs, quoted as for a shell, where neither its manifest nor its image can tell. Counts as
    /// its command; its args are kept. May be repeated.
    #[arg(long = "entrypoint", value_name = "CONTAINER=COMMAND", value_parser = parse_entry_point)]
    pub entry_points: Vec<(String, Vec<String>)>,

    /// Take over workloads that another run has prepared.
    #[arg(long)]
    pub force: bool,

    /// Do not ask before bare pods are recreated.
    #[arg(short, long)]
    pub yes: bool,

    /// How long prepared workloads may take until they are ready, such as 90s or 5m.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration)]
    pub timeout: Duration,

    /// The image of the sidecar. By default the application's own: nothing is pulled.
    #[arg(long)]
    pub image: Option<String>,

    /// The architecture of the nodes. By default it is asked of the cluster; amd64 if that is not allowed.
    #[arg(long, value_parser = ["amd64", "arm64"])]
    pub arch: Option<String>,

    /// The most that a pod's data may take, such as 64Mi. By default as much as the node has.
    #[arg(long, value_name = "QUANTITY")]
    pub data_limit: Option<String>,

    /// Keep the data of pods in their memory instead of on the node's disk.
    #[arg(long)]
    pub data_in_memory: bool,
}

/// Ways to read the counters in pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Capture {
    /// Supervised where the entry point is known, files elsewhere.
    #[default]
    Auto,
    /// Supervised, or an error where the entry point is not known.
    Supervised,
    /// Files, and commands stay as they are.
    Files,
}

/// How data is collected from pods.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster options")]
pub struct CollectionArgs {
    /// How long the data of a pod that ends is waited for, and kept in it.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    pub collect_timeout: Duration,
}

/// What becomes of the data.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Report options")]
pub struct ReportOptions {
    /// Where the data, the report and run.json go. An earlier run that ended there is replaced.
    #[arg(short, long, value_name = "DIR", default_value = "coverage")]
    pub output_dir: PathBuf,

    /// What is printed on standard output: a summary, or the document run.json.
    #[arg(long, value_enum, default_value_t)]
    pub output: OutputFormat,

    /// The checkout with the sources of the services.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub source: PathBuf,

    /// Succeed although data that was expected is missing. It is named all the same.
    #[arg(long)]
    pub allow_incomplete: bool,

    #[command(flatten)]
    args: SettingsArgs,

    /// What all of that and the settings file come to.
    #[arg(skip)]
    pub settings: Settings,
}

impl ReportOptions {
    /// Reads the settings file.
    pub fn settle(&mut self, matches: &ArgMatches) -> Result<(), CommandError> {
        let args = std::mem::take(&mut self.args);
        self.settings = args.resolve(&mut self.source, &mut self.output_dir, matches)?;
        if self.output == OutputFormat::Json && self.settings.writes_to_standard_output() {
            return Err(CommandError::usage("both --output json and a format would go to standard output")
                .hint("name a file for the format, such as --format json=FILE"));
        }
        Ok(())
    }
}

/// Forms of the result on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A summary for people.
    #[default]
    Text,
    /// The document run.json.
    Json,
}

/// Reads `90s`, `5m`, `1m30s`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    parsed
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "a duration is a number with a unit, such as 90s or 5m".to_owned())
}

/// Reads `api=/app/server --port 80`.
fn parse_entry_point(text: &str) -> Result<(String, Vec<String>), String> {
    let example = || "a container and its command, such as api='/app/server --port 80'".to_owned();
    let (container, command) = text.split_once('=').ok_or_else(example)?;
    let words = shlex::split(command).ok_or("a quote is not closed")?;
    if container.is_empty() || words.is_empty() { Err(example()) } else { Ok((container.to_owned(), words)) }
}

/// Everything: reads the arguments, does what they say, prints what came of it.
pub fn main() -> ExitCode {
    let arguments = commands::covdata::normalize(std::env::args_os().collect());
    let quiet_until_read = Terminal::new(true);
    let (terminal, result) = match parse(&arguments) {
        Ok((mut cli, matches)) => {
            let terminal = Terminal::new(cli.quiet);
            let settled = cli.command.settle(&matches);
            let result = settled.and_then(|()| run(cli.command, &terminal));
            (terminal, result)
        }
        Err(error) => {
            let result = answer(&error, &quiet_until_read);
            (quiet_until_read, result)
        }
    };
    result.unwrap_or_else(|error| {
        terminal.error(&error);
        error.kind().exit_code()
    })
}

/// The whole tree, named as it was called.
pub fn command() -> clap::Command {
    named(Cli::command(), std::env::args_os().next().as_deref())
}

fn parse(arguments: &[OsString]) -> Result<(Cli, ArgMatches), clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    Ok((cli, matches))
}

impl Command {
    /// Joins what was said on the command line with the settings file, where the command has a report.
    fn settle(&mut self, matches: &ArgMatches) -> Result<(), CommandError> {
        let Some((_, matches)) = matches.subcommand() else { return Ok(()) };
        match self {
            Self::Run(args) => args.report.settle(matches),
            Self::Snapshot(args) => args.report.settle(matches),
            Self::Collect(args) => args.report.settle(matches),
            Self::Eject(args) => args.report.settle(matches),
            Self::Report(args) => args.settle(matches),
            _ => Ok(()),
        }
    }
}

fn run(command: Command, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    match command {
        Command::Run(args) => commands::block_on(commands::run::run(*args, terminal)),
        Command::Exec(args) => commands::block_on(commands::exec::run(args, terminal)),
        Command::Mark(args) => commands::block_on(commands::mark::run(args, terminal)),
        Command::Snapshot(args) => commands::block_on(commands::snapshot::run(args, terminal)),
        Command::Doctor(args) => commands::block_on(commands::doctor::run(args, terminal)),
        Command::Report(args) => commands::report::run(&args, terminal),
        Command::Serve(args) => commands::block_on(commands::serve::run(args, terminal)),
        Command::Diff(args) => commands::diff::run(&args, terminal),
        Command::Inject(args) => commands::block_on(commands::inject::run(args, terminal)),
        Command::Eject(args) => commands::block_on(commands::eject::run(args, terminal)),
        Command::Collect(args) => commands::block_on(commands::collect::run(args, terminal)),
        Command::Covdata(args) => commands::covdata::run(&args, terminal),
        Command::Completions(args) => commands::completions::run(&args, terminal),
        Command::Man(args) => commands::man::run(&args, terminal),
    }
}

/// What clap has to say: help and version are data, the rest is an error in the command line.
fn answer(error: &clap::Error, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let text = error.render().ansi().to_string();
    if error.use_stderr() {
        terminal.block(text.trim_end());
        return Ok(ErrorKind::Usage.exit_code());
    }
    terminal.data(&text).map(|()| ExitCode::Success)
}

/// kubectl starts the plugin `kubectl-podcov`; its user typed `kubectl podcov`, and reads that.
fn named(command: clap::Command, program: Option<&OsStr>) -> clap::Command {
    let is_plugin =
        program.is_some_and(|path| Path::new(path).file_stem() == Some("kubectl-podcov".as_ref()));
    if !is_plugin {
        return command;
    }
    with_plugin_examples(command).bin_name("kubectl podcov")
}

fn with_plugin_examples(command: clap::Command) -> clap::Command {
    let examples = command.get_after_help().map(|text| text.ansi().to_string());
    let command = command.mut_subcommands(with_plugin_examples);
    match examples {
        Some(text) => command.after_help(text.replace("  podcov ", "  kubectl podcov ")),
        None => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn entry_points_are_split_as_a_shell_does() {
        let words = ["/app/server", "--name", "a b", "--set=x=y"].map(str::to_owned).to_vec();
        let parsed = parse_entry_point("api=/app/server --name 'a b' --set=x=y");
        assert_eq!(parsed, Ok(("api".to_owned(), words)));
        for wrong in ["api", "api=", "=/app", "api='/app"] {
            assert!(parse_entry_point(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1m30s"), Ok(Duration::from_secs(90)));
        for wrong in ["5", "-5s", "soon", ""] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
