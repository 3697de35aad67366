//! Containers whose processes this machine does not show: they are looked at from their nodes, if the user agrees.
//!
//! Owns for which of them that is worth a question, and that what was not seen says why, and what would tell.

use podcov_cluster::{Connection, ContainerAnswer, Question, RunningPod};
use podcov_doctor::facts::running_workload::{Answer, ContainerFacts, ProcessFacts, Unknown};
use podcov_doctor::{Facts, Hop, Id, rules};

use super::process::{self, Processes};
use super::workload;
use crate::attached::{self, Answers, AttachArgs, Wording};
use crate::error::{CommandError, ErrorKind};
use crate::interrupt::Interrupt;
use crate::terminal::Terminal;

const WORDING: Wording<'static> = Wording {
    which: "the processes of pods",
    introduction: "To look at their processes, podcov creates, and takes away again,",
    hints: &["podcov doctor without it says unknown where a process would tell"],
};

/// A container that runs, and whose processes were not seen.
#[derive(Clone, Debug)]
pub struct Unseen {
    /// Of which facts.
    pub subject: String,
    /// Its pod, with no other container.
    pub pod: RunningPod,
    /// What its image starts, if that is known and Go's.
    pub go_program: Option<String>,
}

/// Looks where no cause was found, and a process would tell; everywhere, if nobody has to be asked.
pub async fn look(
    connection: &Connection,
    unseen: &[Unseen],
    args: &AttachArgs,
    facts: &mut Facts,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    let wanted: Vec<&Unseen> = unseen.iter().filter(|it| args.yes || is_missed(it, facts)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let interrupt = Interrupt::install()?;
    let pods: Vec<RunningPod> = wanted.iter().map(|it| it.pod.clone()).collect();
    let answers = async {
        let attachment = attached::plan(connection, &interrupt, &pods, args).await?;
        let question = Question::Processes;
        let mut answers =
            attached::read(&attachment, question, &WORDING, args.yes, &interrupt, terminal).await?;
        Ok::<_, CommandError>(
            wanted.iter().map(|it| (*it, answer(&mut answers, &it.pod))).collect::<Vec<_>>(),
        )
    };
    let found: Vec<(&Unseen, Answer<ProcessFacts>)> = match answers.await {
        Ok(answers) => answers.into_iter().map(|(it, answer)| (it, process(it, answer))).collect(),
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted(_)) => return Err(error),
        Err(error) => {
            let unknown = Unknown { reason: error.to_string(), how: how(args) };
            wanted.iter().map(|it| (*it, Err(unknown.clone()))).collect()
        }
    };
    for (it, process) in found {
        for container in containers(facts).filter(|container| container.subject == it.subject) {
            workload::set_process(container, process.clone());
        }
    }
    Ok(())
}

fn containers(facts: &mut Facts) -> impl Iterator<Item = &mut ContainerFacts> {
    facts.running_workloads.iter_mut().flat_map(|workload| &mut workload.containers)
}

/// Nothing else tells what is wrong with it, nor that it is none of those that matter.
fn is_missed(unseen: &Unseen, facts: &Facts) -> bool {
    let found = facts.running_workloads.iter().flat_map(rules::running_pod::of_workload);
    found
        .filter(|it| it.id == Id::CouldNotLook && it.hop == Hop::Process)
        .any(|it| it.subject == unseen.subject)
}

fn how(args: &AttachArgs) -> String {
    if args.yes {
        "podcov doctor --yes --attach-namespace kube-system, or another namespace that admits such a pod"
            .to_owned()
    } else {
        "podcov doctor --yes, which looks through a pod on the node for a moment; or podcov doctor --try, which \
         sees how a pod ends"
            .to_owned()
    }
}

fn answer(answers: &mut Answers<'_>, pod: &RunningPod) -> Result<ContainerAnswer, String> {
    let container = pod.containers.first().ok_or("it does not run any more")?;
    answers.take(container).map(|(_, answer)| answer)
}

fn process(unseen: &Unseen, answer: Result<ContainerAnswer, String>) -> Answer<ProcessFacts> {
    let answer = answer.map_err(Unknown::because)?;
    let refused = answer.not_read.into_iter().next().map(|it| it.why);
    let processes = Processes { examined: answer.examined, refused };
    process::facts(processes, unseen.pod.node.as_deref(), unseen.go_program.as_deref())
}
