//! What the cluster says of pods, up to the moment at which they are gone.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use podcov_e2e::cluster;
use serde_json::{Deserializer, Value};

/// Follows the pods of a namespace. Ends with its value.
pub struct Watch {
    child: Child,
    seen: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Watch {
    pub fn start(namespace: &str) -> Self {
        let mut kubectl = cluster::kubectl();
        kubectl.args(["get", "pods", "-n", namespace, "--watch", "--output-watch-events", "-o", "json"]);
        let mut child = kubectl.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let events =
            Deserializer::from_reader(BufReader::new(child.stdout.take().unwrap())).into_iter::<Value>();
        let seen = Arc::<Mutex<BTreeMap<_, _>>>::default();
        let known = Arc::clone(&seen);
        std::thread::spawn(move || {
            for mut event in events.map_while(Result::ok) {
                let pod = event["object"].take();
                let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                known.lock().unwrap().insert(name, pod);
            }
        });
        Self { child, seen }
    }

    /// A field of a pod, as it was last seen.
    pub fn pod(&self, name: &str, pointer: &str) -> Option<String> {
        self.seen.lock().unwrap().get(name)?.pointer(pointer)?.as_str().map(str::to_owned)
    }

    /// The ID of a container that has started.
    pub fn id(&self, pod: &str, container: &str) -> Option<String> {
        let status = self.status(pod, container)?;
        let has_started = ["running", "terminated"].iter().any(|state| status["state"].get(state).is_some());
        let id = status["containerID"].as_str().filter(|_| has_started)?;
        id.split_once("://").map(|(_, id)| id.to_owned())
    }

    /// How a container has ended.
    pub fn exit_code(&self, pod: &str, container: &str) -> Option<i32> {
        let status = self.status(pod, container)?;
        status.pointer("/state/terminated/exitCode")?.as_i64()?.try_into().ok()
    }

    fn status(&self, pod: &str, container: &str) -> Option<Value> {
        let seen = self.seen.lock().unwrap();
        let statuses = seen.get(pod)?.pointer("/status/containerStatuses")?.as_array()?;
        statuses.iter().find(|status| status["name"] == container).cloned()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
