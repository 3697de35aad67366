//! What the programs that are measured were built with, in one line: `Go 1.26.8, atomic, 12 packages`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use go_coverage::MetaDataFile;
use podcov_report::go_version;

use crate::terminal;

/// The line, from what built them as far as it is known, and from their meta-data files.
pub fn describe(go_versions: impl IntoIterator<Item = String>, metadata: &[PathBuf]) -> String {
    let mut modes = BTreeSet::new();
    let mut packages = BTreeSet::new();
    // Each program has the same file wherever it runs.
    let mut known = BTreeSet::new();
    for path in metadata.iter().filter(|path| known.insert(path.file_name())) {
        let Ok(bytes) = std::fs::read(path) else { continue };
        let Ok(metadata) = MetaDataFile::parse(&bytes) else { continue };
        modes.insert(metadata.mode().as_str().to_owned());
        packages.extend(metadata.packages().map(|package| package.import_path().to_owned()));
    }
    let go_versions: BTreeSet<String> = go_versions.into_iter().map(|version| go_version(&version)).collect();
    let mut parts: Vec<String> =
        [go_versions, modes].into_iter().filter(|names| !names.is_empty()).map(joined).collect();
    parts.push(terminal::count(packages.len(), "package"));
    parts.join(", ")
}

fn joined(names: BTreeSet<String>) -> String {
    names.into_iter().collect::<Vec<_>>().join(" and ")
}

/// What built the programs with coverage that a process has started.
#[cfg(target_os = "linux")]
pub fn go_versions(process: u32) -> Vec<String> {
    use go_binary::Executable;
    use podcov_process_capture::{FileSource, ProcessId, descendants};

    let version = |process: ProcessId| {
        let file = std::fs::File::open(format!("/proc/{process}/exe")).ok()?;
        let build = Executable::read(FileSource::new(file).ok()?).ok()?.build_info().ok()??.value;
        (build.cover() != Some(false)).then(|| build.go_version.as_str().to_owned())
    };
    let processes = ProcessId::new(process).and_then(|process| descendants(process).ok());
    processes.unwrap_or_default().into_iter().filter_map(version).collect()
}

/// Processes are not looked at here.
#[cfg(not(target_os = "linux"))]
pub fn go_versions(_process: u32) -> Vec<String> {
    Vec::new()
}
