//! A container's command line: known or not, put under the agent's supervision, and put back.

use std::collections::BTreeMap;

use podcov_agent_protocol::{AGENT_ARGUMENT_SUPERVISE, AGENT_EXECUTABLE};
use podcov_container_image::{CommandLine, ImageConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::undo::Before;

const COMMAND: &str = "command";
const ARGUMENTS: &str = "args";

/// What containers run, as far as their manifests do not say it.
#[derive(Clone, Debug, Default)]
pub struct EntryPoints {
    /// What counts as a container's `command`, by its name.
    pub named: BTreeMap<String, Vec<String>>,
    /// The configuration of each image, as containers name it, or why it is not known.
    pub images: BTreeMap<String, Result<ImageConfig, String>>,
}

impl EntryPoints {
    /// The words that a container runs, as its `command` would have to say them; or why they are not known.
    pub(super) fn words_of(&self, name: &str, container: &Map<String, Value>) -> Result<Vec<String>, String> {
        let command = match self.named.get(name) {
            Some(words) => words.clone(),
            None => texts(container, COMMAND)?,
        };
        let arguments = texts(container, ARGUMENTS)?;
        let said_by_image =
            if command.is_empty() { self.image_of(container)?.clone() } else { ImageConfig::default() };
        CommandLine::of_container(&command, &arguments, &said_by_image)
            .map(|line| line.pod_words())
            .ok_or_else(|| "neither its manifest nor its image names a program".to_owned())
    }

    fn image_of(&self, container: &Map<String, Value>) -> Result<&ImageConfig, String> {
        let name = container.get("image").and_then(Value::as_str).ok_or("it names no image")?;
        self.images
            .get(name)
            .ok_or_else(|| format!("image {name} was not looked at"))?
            .as_ref()
            .map_err(Clone::clone)
    }
}

/// Whether the manifest itself says what the container runs.
pub(super) fn is_said(container: &Map<String, Value>) -> bool {
    has_words(container, COMMAND)
}

/// An empty list is the same as none.
fn has_words(container: &Map<String, Value>, key: &str) -> bool {
    container.get(key).is_some_and(|list| !list.is_null() && list != &json!([]))
}

/// Whether the container starts podcov's agent.
pub(super) fn runs_agent(container: &Map<String, Value>) -> bool {
    container.get(COMMAND).and_then(|command| command.get(0)).and_then(Value::as_str)
        == Some(AGENT_EXECUTABLE)
}

fn texts(container: &Map<String, Value>, key: &str) -> Result<Vec<String>, String> {
    let list = match container.get(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(list) => list.as_array(),
    };
    let texts = list.and_then(|list| list.iter().map(|word| word.as_str().map(str::to_owned)).collect());
    texts.ok_or_else(|| format!("its {key} is no list of texts"))
}

/// The command line that was there before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CommandLineUndo {
    command: Before,
    /// None where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arguments: Option<Value>,
}

/// Has the agent run these words.
pub(super) fn supervise(container: &mut Map<String, Value>, words: Vec<String>) -> CommandLineUndo {
    let agent = [AGENT_EXECUTABLE, AGENT_ARGUMENT_SUPERVISE, "--"].map(str::to_owned);
    let command: Vec<String> = agent.into_iter().chain(words).collect();
    let command = container.insert(COMMAND.to_owned(), json!(command)).map_or(Before::Absent, Before::Value);
    // Empty and not away: arguments that a manifest leaves out stay in an object that it is applied to.
    let arguments =
        has_words(container, ARGUMENTS).then(|| container.insert(ARGUMENTS.to_owned(), json!([]))).flatten();
    CommandLineUndo { command, arguments }
}

/// Puts the former command line back. Somebody else's later one stays.
pub(super) fn restore(container: &mut Map<String, Value>, undo: &CommandLineUndo) {
    if !runs_agent(container) {
        return;
    }
    match &undo.command {
        Before::Value(command) => drop(container.insert(COMMAND.to_owned(), command.clone())),
        Before::Absent => drop(container.shift_remove(COMMAND)),
    }
    if let Some(arguments) = &undo.arguments
        && !has_words(container, ARGUMENTS)
    {
        container.insert(ARGUMENTS.to_owned(), arguments.clone());
    }
}
