//! Writes the formats that were asked for, each whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use podcov_report::formats::{Document, Format};
use podcov_report::{Error, Report};

use crate::error::CommandError;
use crate::run_directory;
use crate::settings::{Output, Settings};
use crate::terminal::Terminal;

/// Writes them.
pub fn write(report: &Report<'_>, settings: &Settings, terminal: &Terminal) -> Result<(), CommandError> {
    let document = Document { report, baseline: settings.baseline.as_ref(), rows: settings.rows };
    for Output { format, path } in &settings.outputs {
        match path {
            Some(path) => write_file(&document, *format, path, terminal)?,
            None => write_to_standard_output(&document, *format, terminal)?,
        }
    }
    Ok(())
}

fn write_file(
    document: &Document<'_>,
    format: Format,
    path: &Path,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    let (Some(name), Some(directory)) = (path.file_name().and_then(|name| name.to_str()), path.parent())
    else {
        return Err(CommandError::usage(format!("{} is no name for a file", path.display())));
    };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    fs::create_dir_all(directory).map_err(|error| cannot_write(path, error))?;
    let mut has_no_data = false;
    let written = run_directory::write_whole(directory, name, |file| match document.write(format, file) {
        Err(Error::NoData) => {
            has_no_data = true;
            Err(io::Error::other(Error::NoData))
        }
        written => written.map_err(io::Error::other),
    });
    if has_no_data {
        // What an earlier report left there would be taken for this one.
        return say_no_data(format, path, terminal);
    }
    written?;
    terminal.step("written", &format!("{} as {}", path.display(), format.as_str()), "");
    Ok(())
}

fn say_no_data(format: Format, path: &Path, terminal: &Terminal) -> Result<(), CommandError> {
    let format = format.as_str();
    let removed = match fs::remove_file(path) {
        Ok(()) => "; the earlier one is removed",
        Err(error) if error.kind() == io::ErrorKind::NotFound => "",
        Err(error) => return Err(cannot_write(path, error)),
    };
    let path = path.display();
    terminal.warning(&format!(
        "{path} is not written: there is no data, and {format} could only say 0 %{removed}"
    ));
    Ok(())
}

fn write_to_standard_output(
    document: &Document<'_>,
    format: Format,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    let mut failure = None;
    let mut output = io::BufWriter::new(terminal.standard_output());
    match document.write(format, &mut output).and_then(|()| Ok(output.flush()?)) {
        Ok(()) => {}
        Err(Error::NoData) => {
            let format = format.as_str();
            terminal.warning(&format!("no {format} is written: there is no data, and it could only say 0 %"));
        }
        Err(error) => failure = Some(error),
    }
    match failure {
        None => Ok(()),
        Some(Error::Write(error)) => Err(crate::terminal::cannot_write(error)),
        Some(error) => Err(CommandError::failure("cannot write to standard output").caused_by(error)),
    }
}

fn cannot_write(path: &Path, error: io::Error) -> CommandError {
    CommandError::failure(format!("cannot write {}", path.display())).caused_by(error)
}
