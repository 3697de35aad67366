//! `podcov doctor --try`: which of the arguments are tried, and that the user agrees to what is made for it.

use std::path::Path;

use podcov_cluster::{Connection, Leftovers};
use podcov_doctor::Facts;

use super::{Argument, Cluster, entries, look_at};
use crate::attached::{LEFT_BEHIND, remove_leftovers};
use crate::consent;
use crate::error::CommandError;
use crate::examine::{self, TrialCluster, Tried};
use crate::interrupt::Interrupt;
use crate::terminal::Terminal;

/// Tries what can be tried, and looks at the rest.
pub async fn try_all(
    arguments: &[String],
    cluster: &Cluster,
    is_agreed: bool,
    terminal: &Terminal,
) -> Result<Facts, CommandError> {
    let interrupt = Interrupt::install()?;
    let mut facts = Facts::default();
    let connection = interrupt.or(Connection::open(&cluster.options)).await?;
    let connection: TrialCluster = connection.map_err(|error| CommandError::failure(error).to_string());
    let mut tried = Vec::new();
    if cluster.selects() {
        let connection = connection.as_ref().map_err(|reason| CommandError::failure(reason.clone()))?;
        match examine::select(connection, cluster.selector.as_deref()).await {
            Ok(targets) => tried.extend(targets.into_iter().map(Tried::Workload)),
            Err(error) => examine::lose("the workloads", error, &mut facts),
        }
    }
    let here = [".".to_owned()];
    let arguments = if arguments.is_empty() && !cluster.selects() { &here[..] } else { arguments };
    for text in arguments {
        match to_try(Argument::infer(text).0) {
            Ok(argument) => tried.push(argument),
            Err(argument) => look_at(argument, cluster, &mut facts, &mut Vec::new()).await,
        }
    }
    let mut lines: Vec<String> = tried.iter().flat_map(|it| it.described(&connection)).collect();
    lines.dedup();
    if !lines.is_empty() {
        let request = consent::Request {
            why: "--try runs programs",
            lines: &lines,
            introduction: "podcov makes, and takes away again,",
            question: "Run them?",
            hints: &["podcov doctor without --try runs nothing"],
        };
        consent::agree(&request, is_agreed, terminal)?;
        interrupt.or(forget_earlier_trials(&connection, terminal)).await?;
    }
    for it in &tried {
        let _progress = terminal.progress("trying", &it.name());
        match it.run(&connection, &interrupt).await {
            Ok(experiments) => facts.experiments.extend(experiments),
            Err(error) => examine::lose(&it.name(), error, &mut facts),
        }
        interrupt.check()?;
    }
    Ok(facts)
}

/// Not worth an error: nothing that is tried needs it.
async fn forget_earlier_trials(cluster: &TrialCluster, terminal: &Terminal) {
    for name in examine::remove_abandoned(cluster).await {
        terminal.step("deleted", &name, LEFT_BEHIND);
    }
    if let Ok(connection) = cluster
        && let Err(error) = remove_leftovers(connection, Leftovers::abandoned, terminal).await
    {
        terminal.warning(&format!("what an earlier podcov may have left could not be deleted: {error}"));
    }
}

/// What an argument is when it is to be run; itself, if it cannot be.
fn to_try(argument: Argument) -> Result<Tried, Argument> {
    match argument {
        Argument::Binary(path) => Ok(Tried::Program(path)),
        Argument::Image(name) => Ok(Tried::Image(name)),
        Argument::Workload(target) => Ok(Tried::Workload(target)),
        Argument::Project(path) | Argument::Data(path) if has_go_files(&path) => Ok(Tried::Package(path)),
        other => Err(other),
    }
}

fn has_go_files(path: &Path) -> bool {
    let entries = entries(path).unwrap_or_default();
    entries.iter().any(|(path, kind)| kind.is_file() && path.extension().is_some_and(|it| it == "go"))
}
