//! `podcov inject -f` and `podcov eject -f`: manifests in, manifests out. No cluster is contacted.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use podcov_cluster::{
    RunningImages,
    manifest::{self, Manifests},
};

use super::{
    cluster_error, entry_points,
    options::{agent_named, container_choice, injection, run_id},
};
use crate::{
    cli::{CollectionArgs, PrepareArgs},
    error::CommandError,
    exit_code::ExitCode,
    interrupt::Interrupt,
    run_directory::new_id,
    terminal::Terminal,
};

/// More than any cluster would take in one object, many times over.
const LARGEST_STREAM: u64 = 256 << 20;

/// Prints the manifests with capture in every workload.
pub async fn inject(
    files: &[PathBuf],
    prepare: &PrepareArgs,
    collection: &CollectionArgs,
    terminal: &Terminal,
) -> Result<ExitCode, CommandError> {
    let run = run_id(&new_id())?;
    let agent = agent_named(prepare.arch.as_deref())?;
    let stream = read(files)?;
    let containers =
        manifest::captured_containers(&stream, &container_choice(prepare)).map_err(cluster_error)?;
    let interrupt = Interrupt::install()?;
    let running = RunningImages::new();
    let entry_points = entry_points::find(&containers, &running, prepare.arch.as_deref(), prepare);
    let entry_points = interrupt.or(entry_points).await??;
    let injection = injection(&run, prepare, collection, entry_points);
    let changed = manifest::inject(&stream, &injection, agent).map_err(cluster_error)?;
    if changed.changed.is_empty() {
        return Err(CommandError::failure("no workload in the manifests")
            .hint("workloads are Deployments, StatefulSets, DaemonSets, ReplicaSets and Pods"));
    }
    let subjects =
        changed.changed.iter().zip(&changed.ways).map(|(object, ways)| format!("{object} ({ways})"));
    print(&changed, "instrumented", &subjects.collect::<Vec<_>>(), terminal)?;
    terminal.hint("apply with kubectl apply --server-side -f -: the agent is too large for the annotation of a client-side apply");
    Ok(ExitCode::Success)
}

/// Prints the manifests as they were before.
pub fn eject(files: &[PathBuf], terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let changed = manifest::eject(&read(files)?).map_err(cluster_error)?;
    print(&changed, "put back", &changed.changed, terminal)?;
    Ok(ExitCode::Success)
}

fn print(
    manifests: &Manifests,
    word: &str,
    subjects: &[String],
    terminal: &Terminal,
) -> Result<(), CommandError> {
    for note in &manifests.notes {
        terminal.warning(note);
    }
    terminal.data(&manifests.text)?;
    let subject = if subjects.is_empty() { "nothing".to_owned() } else { subjects.join(", ") };
    terminal.step(word, &subject, "");
    Ok(())
}

fn read(files: &[PathBuf]) -> Result<String, CommandError> {
    let mut stream = String::new();
    for file in files {
        let text = read_one(file).map_err(|error| {
            CommandError::failure(format!("cannot read {}", file.display())).caused_by(error)
        })?;
        stream.push_str("---\n");
        stream.push_str(&text);
        stream.push('\n');
    }
    Ok(stream)
}

fn read_one(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().take(LARGEST_STREAM).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(file)?.take(LARGEST_STREAM).read_to_string(&mut text)?;
    }
    Ok(text)
}
