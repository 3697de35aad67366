//! Any YAML: what can be read as a pod's spec or as a kind configuration is judged without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podcov_doctor::facts::{KindConfiguration, Workload, pod_spec::PodSpec};
use podcov_doctor::{Facts, examine};
use serde_json::Value;

fuzz_target!(|text: &str| {
    let Ok(documents) = serde_saphyr::from_multiple::<Value>(text) else { return };
    let mut facts = Facts::default();
    for document in documents {
        let spec = document.pointer("/spec/template/spec").unwrap_or(&document).clone();
        if let Ok(spec) = serde_json::from_value::<PodSpec>(spec) {
            facts.workloads.push(Workload { name: "deployment api".to_owned(), spec, ..Workload::default() });
        }
        if let Ok(configuration) = serde_json::from_value::<KindConfiguration>(document) {
            facts.kind_configurations.push(configuration);
        }
    }
    let _ = examine(&facts);
});
