//! Which processes a container of this machine is, and why it is none.

use podcov_container_image::{Container, Environment, Error, find_container};
use podcov_process_capture::{ProcessId, Reason, is_of_container, processes_of_container};

use crate::error::CommandError;

/// A container that runs here.
pub struct Found {
    pub name: String,
    pub processes: Vec<ProcessId>,
}

/// The processes of a container. An error says why there are none, and the next step.
pub async fn find(name: &str) -> Result<Found, String> {
    let container = find_container(&Environment::of_this_process(), name).await.map_err(explain)?;
    let Some(first) = container.process.and_then(|process| ProcessId::new(process.get())) else {
        return Err(format!("it does not run: {} says that it is {}", container.engine, container.status));
    };
    match is_of_container(first, &container.id) {
        Ok(true) => {}
        Ok(false) | Err(Reason::Gone) => return Err(elsewhere(&container)),
        Err(reason) => return Err(reason.to_string()),
    }
    match processes_of_container(first) {
        Ok(processes) => Ok(Found { name: container.name, processes }),
        Err(error) => Err(format!("cannot list its processes: {error}")),
    }
}

fn elsewhere(container: &Container) -> String {
    format!(
        "it runs, but not among the processes of this machine: the engine at {} is in a virtual machine, as Docker Desktop \
         is, or on another host, or podcov is in a container; run podcov where the engine runs",
        container.engine
    )
}

fn explain(error: Error) -> String {
    let step = match &error {
        Error::NoContainer { .. } => "; docker ps lists those that run",
        Error::NoEngine(attempts) if attempts.iter().any(|attempt| attempt.reason == "no permission") => {
            "; run podcov as root, or as a user who may use the engine"
        }
        Error::NoEngine(_) => "; DOCKER_HOST names another place",
        _ => "",
    };
    format!("{}{step}", CommandError::failure(error))
}
