//! The documented Role is enough, and each missing verb is named.

use std::{fs, path::Path};

use podcov_e2e::{
    cluster::{self, KUBECONFIG},
    namespace::Namespace,
    podcov::Podcov,
    repository,
    workload::{container, deployment, pod, pod_spec, workload},
};

/// The documented Role, as it stands in `docs/rbac.md`.
fn documented_role() -> String {
    documented_roles()[0].clone()
}

/// That, and the one of the namespace in which others are read.
fn documented_roles() -> [String; 2] {
    let text = fs::read_to_string(repository().join("docs/rbac.md")).expect("the document is there");
    let blocks = text.split("```yaml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split_once("```").expect("the block ends").0);
    // Rules alone are those that a doctor needs, a part of the first Role.
    let roles: Vec<String> =
        blocks.filter(|block| block.starts_with("apiVersion:")).map(str::to_owned).collect();
    roles.try_into().expect("it has two Roles")
}

/// A kubeconfig of a service account that may do what the Role says.
fn restricted(namespace: &Namespace, role: &str, directory: &Path) -> String {
    let name = namespace.name();
    cluster::apply(name, role);
    cluster::run(&["create", "serviceaccount", "-n", name, "tester"]);
    let account = format!("--serviceaccount={name}:tester");
    cluster::run(&["create", "rolebinding", "-n", name, "podcov", "--role=podcov", &account]);
    let token = cluster::run(&["create", "token", "-n", name, "tester", "--duration=1h"]);
    let path = directory.join("kubeconfig").display().to_string();
    fs::copy(&*KUBECONFIG, &path).expect("it can be copied");
    let credentials = format!("--token={}", token.trim());
    cluster::run(&["config", "--kubeconfig", &path, "set-credentials", "tester", &credentials]);
    cluster::run(&["config", "--kubeconfig", &path, "set-context", "--current", "--user=tester"]);
    path
}

#[test]
fn the_documented_role_is_enough_for_every_kind() {
    let namespace = Namespace::new("rbac");
    let spec = pod_spec(&[container("probe", 8080, &[])]);
    for kind in ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"] {
        namespace.start(&workload(kind, &kind.to_ascii_lowercase(), 1, &spec));
    }
    namespace.start(&pod("bare", &spec));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let kubeconfig = restricted(&namespace, &documented_role(), directory.path());
    Podcov::new("run", namespace.name())
        .arguments(["--all", "--yes", "--kubeconfig", &kubeconfig, "--", "true"])
        .run()
        .ends_with(0);
    namespace.assert_untouched();
}

#[test]
fn a_missing_permission_is_named_with_verb_and_resource() {
    let namespace = Namespace::new("forbidden");
    namespace.start(&deployment("probe", 1, &[]));
    let role = documented_role();
    let without_update = role.replace("\"update\"", "\"patch\"");
    assert_ne!(role, without_update, "the Role has the verb update");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let kubeconfig = restricted(&namespace, &without_update, directory.path());
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--kubeconfig", &kubeconfig, "--", "true"])
        .run()
        .ends_with(1)
        .says("cannot update resource \"deployments\"")
        .says("Hint: docs/rbac.md");
    namespace.assert_untouched();
}

#[test]
fn the_documented_roles_are_enough_to_read_pods_that_were_never_prepared() {
    let (namespace, attach) = (Namespace::new("rbac-attached"), Namespace::new("rbac-attached-node"));
    attach.admit_everything();
    namespace.start(&deployment("probe", 1, &[]));
    let [role, attach_role] = documented_roles();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let kubeconfig = restricted(&namespace, &role, directory.path());
    let snapshot = || {
        // That of the nodes may not be asked for.
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        let attach = ["--attach-namespace", attach.name(), "--arch", architecture];
        let podcov = Podcov::new("snapshot", namespace.name()).arguments(["deploy/probe", "--yes"]);
        podcov.arguments(["--kubeconfig", &kubeconfig]).arguments(attach).run()
    };
    snapshot()
        .ends_with(1)
        .says(&format!(
            "cannot list resource \"pods\" in API group \"\" in the namespace \"{}\"",
            attach.name()
        ))
        .says("Hint: docs/rbac.md");
    cluster::apply(attach.name(), &attach_role);
    let account = format!("--serviceaccount={}:tester", namespace.name());
    let binding = ["create", "rolebinding", "-n", attach.name(), "podcov", "--role=podcov-attach", &account];
    cluster::run(&binding);
    snapshot().ends_with(0).reports("1 of 1 pod, 1 of 1 process");
}
