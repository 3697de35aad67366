//! Manifests of workloads that run the probe.

use serde_json::{Value, json};

use crate::image::IMAGES;

/// A container with the probe, as a careful user writes it.
pub fn container(name: &str, port: u16, arguments: &[&str]) -> Value {
    let listen = format!("-listen=:{port}");
    let arguments: Vec<&str> = [&[listen.as_str()], arguments].concat();
    json!({
        "name": name,
        "image": IMAGES.probe,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "ports": [{"containerPort": port}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": port}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        },
    })
}

/// A pod with these containers.
pub fn pod_spec(containers: &[Value]) -> Value {
    json!({
        "automountServiceAccountToken": false,
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": containers,
    })
}

/// A workload of any kind that has a pod template; its containers listen at 8080 and above.
pub fn workload(kind: &str, name: &str, replicas: u32, pod_spec: &Value) -> Value {
    let labels = json!({"app": name});
    let mut object = json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec},
        },
    });
    match kind {
        "DaemonSet" => {}
        "StatefulSet" => {
            object["spec"]["serviceName"] = json!(name);
            object["spec"]["replicas"] = json!(replicas);
        }
        _ => object["spec"]["replicas"] = json!(replicas),
    }
    object
}

/// A Deployment of one container with the probe.
pub fn deployment(name: &str, replicas: u32, arguments: &[&str]) -> Value {
    workload("Deployment", name, replicas, &pod_spec(&[container(name, 8080, arguments)]))
}

/// A bare Pod.
pub fn pod(name: &str, pod_spec: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": pod_spec,
    })
}

/// A Service in front of the pods of a workload.
pub fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 8080}]},
    })
}

/// A test command that sends one request to a service through the API server.
pub fn request(namespace: &str, service: &str, path: &str) -> Vec<String> {
    let url = format!("/api/v1/namespaces/{namespace}/services/{service}:8080/proxy/{path}");
    ["kubectl", "get", "--raw", &url].map(str::to_owned).to_vec()
}
