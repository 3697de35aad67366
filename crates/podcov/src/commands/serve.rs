//! `podcov serve`: a local page that follows a run directory.

use std::path::PathBuf;

use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::finish;
use crate::interrupt::Interrupt;
use crate::serve::{self, Server};
use crate::settings::Settings;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  podcov serve                   follows the run in ./coverage, on a port that is free
  podcov serve coverage --open   and opens a browser
  podcov serve --port 8095       on a port of your choice

The address is printed on standard output. Only this machine is answered. Ctrl-C ends it.";

/// Show a run in the browser while it goes on.
///
/// The page is that of the report, with the numbers that the run directory has now: it changes when they do, and says how
/// old they are. This may run beside the podcov whose run it is. The directory need not be there yet, and may be replaced
/// by that of another run.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// The directory of the run.
    #[arg(value_name = "DIR", default_value = "coverage")]
    directory: PathBuf,

    /// The port on 127.0.0.1; 0 is one that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,

    /// Open the page in the browser.
    #[arg(long)]
    open: bool,

    /// The checkout with the sources of the programs.
    #[arg(long, value_name = "DIR", default_value = ".")]
    source: PathBuf,
}

/// Runs the command.
pub async fn run(args: ServeArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    finish::check_source(&args.source)?;
    let settings = Settings::of_checkout(&args.source)?;
    let interrupt = Interrupt::install()?;
    let server = Server::bind(args.port).await?;
    let address = server.address();
    terminal.data(&format!("{address}\n"))?;
    let directory = args.directory.display();
    terminal.step("following", &directory.to_string(), "Ctrl-C ends");
    if args.open {
        open(&address, terminal);
    }
    let (following, shown) = serve::follow(args.directory, settings);
    tokio::select! {
        // To stop is the only way for this to end, and no failure.
        _ = interrupt.requested() => Ok(ExitCode::Success),
        () = server.answer(shown) => Ok(ExitCode::Success),
        result = following => result.map(|()| ExitCode::Success),
    }
}

fn open(address: &str, terminal: &Terminal) {
    let (program, arguments): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/c", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let started = std::process::Command::new(program)
        .args(arguments)
        .arg(address)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if let Err(error) = started {
        terminal.warning(&format!("no browser was opened: {program}: {error}"));
    }
}
