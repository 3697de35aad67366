//! Containers of engines: which process one is.

use std::num::NonZeroU32;

use serde::Deserialize;

use super::{Search, first};
use crate::{Environment, Error, Limits};

/// A container, as its engine describes it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The address of its engine.
    pub engine: String,
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its name, whatever it was asked for by.
    pub name: String,
    /// The engine's word, such as `running`, `paused` or `exited`.
    pub status: String,
    /// Its first process, as numbered where the engine runs; none if it has ended, or not begun.
    pub process: Option<NonZeroU32>,
    /// Directories and files of the engine's machine that it was given.
    pub mounts: Vec<ContainerMount>,
}

/// What a container was given of the engine's machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerMount {
    /// Where it is on that machine.
    pub source: String,
    /// Where it is in the container.
    pub destination: String,
    /// Whether the container may change it.
    pub is_writable: bool,
}

#[derive(Deserialize)]
struct Inspected {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "State")]
    state: State,
    #[serde(rename = "Mounts", default)]
    mounts: Option<Vec<Mount>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Mount {
    #[serde(rename = "Type")]
    kind: String,
    source: String,
    destination: String,
    #[serde(rename = "RW")]
    is_writable: bool,
}

#[derive(Deserialize)]
struct State {
    #[serde(rename = "Status", default)]
    status: String,
    #[serde(rename = "Pid", default)]
    process: u32,
}

/// The container of the first engine that has it. `container` is a name or an ID, which may be shortened.
pub async fn find_container(environment: &Environment, container: &str) -> Result<Container, Error> {
    // It becomes part of a path.
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !container.bytes().all(is_good) || container.trim_matches('.').is_empty() {
        return Err(Error::BadContainer(container.to_owned()));
    }
    let limits = Limits::default();
    let path = format!("/containers/{container}/json");
    let what = format!("container {container}");
    let ask = async |engine: &super::Engine| -> Result<Option<Inspected>, Error> {
        engine.document(path.clone(), what.clone(), &limits).await
    };
    match first(environment, ask).await? {
        Search::Found(engine, Inspected { id, name, state, mounts }) => Ok(Container {
            engine: engine.address,
            id,
            // Docker's names begin so, for links between containers.
            name: name.trim_start_matches('/').to_owned(),
            status: state.status,
            process: NonZeroU32::new(state.process),
            mounts: mounts.into_iter().flatten().filter_map(bound).collect(),
        }),
        Search::Nowhere { engines, unanswered } => {
            Err(Error::NoContainer { container: container.to_owned(), engines, unanswered })
        }
    }
}

/// What is of the machine, and no volume of the engine's.
fn bound(mount: Mount) -> Option<ContainerMount> {
    let Mount { kind, source, destination, is_writable } = mount;
    (kind == "bind").then_some(ContainerMount { source, destination, is_writable })
}
