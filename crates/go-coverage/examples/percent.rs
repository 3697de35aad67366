//! Prints what `go tool covdata percent -i=DIRECTORY` prints: the percentage of statements that ran, per package.
//! With `--text`, prints the text profile instead.
//!
//! ```console
//! $ cargo run -p go-coverage --example percent -- path/to/GOCOVERDIR
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs, io};

use go_coverage::{Merger, write_text};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let text = arguments.first().is_some_and(|argument| argument == "--text");
    let directories = arguments.split_off(usize::from(text));

    let mut merger = Merger::new();
    // Counters can be added once their meta-data is known.
    for file in files(&directories, "covmeta.")? {
        merger.add_metadata(&fs::read(file)?)?;
    }
    for file in files(&directories, "covcounters.")? {
        if let Err(error) = merger.add_counters(&fs::read(&file)?) {
            eprintln!("{}: {error}", file.display());
        }
    }
    for profile in merger.finish() {
        if text {
            write_text(&profile, &mut io::BufWriter::new(io::stdout().lock()))?;
            continue;
        }
        for package in &profile.packages {
            if let Some(percent) = package.totals().percent() {
                println!("\t{}\t\tcoverage: {percent:.1}% of statements", package.import_path);
            }
        }
    }
    Ok(())
}

fn files(directories: &[String], prefix: &str) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for directory in directories {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
