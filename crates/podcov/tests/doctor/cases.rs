//! The broken cases that files alone show, and their healthy twins.

/// The files of a case: their names and texts.
pub type Files = fn() -> Vec<(&'static str, String)>;

/// A broken case.
pub struct Case {
    /// The number of the symptom.
    pub row: &'static str,
    pub how: &'static str,
    pub id: &'static str,
    /// Whether data may be there all the same.
    pub is_warning: bool,
    pub files: Files,
    pub arguments: &'static [&'static str],
}

const fn error(
    row: &'static str,
    id: &'static str,
    how: &'static str,
    files: Files,
    arguments: &'static [&'static str],
) -> Case {
    Case { row, how, id, is_warning: false, files, arguments }
}

const fn warning(
    row: &'static str,
    id: &'static str,
    how: &'static str,
    files: Files,
    arguments: &'static [&'static str],
) -> Case {
    Case { row, how, id, is_warning: true, files, arguments }
}

const DOCKERFILE: &[&str] = &["Dockerfile"];
const POD: &[&str] = &["deploy.yaml"];
const CLUSTER: &[&str] = &["kind.yaml", "deploy.yaml"];

// The Dockerfile of the original report, healthy, with what runs it. The fuzzer begins with the same.
pub const BUILD: &str = include_str!("../../../doctor/fuzz/seeds/Dockerfile");

const DEPLOYMENT: &str = include_str!("../../../doctor/fuzz/seeds/deployment.yaml");

const KIND: &str = include_str!("../../../doctor/fuzz/seeds/kind.yaml");

const PATH: &str = "/tmp/podcov-no-such-directory";

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from:?}");
    text.replace(from, to)
}

fn dockerfile(from: &str, to: &str) -> Vec<(&'static str, String)> {
    vec![("Dockerfile", replaced(BUILD, from, to)), ("go.mod", "module example.com/shop\n".to_owned())]
}

fn deployment(from: &str, to: &str) -> Vec<(&'static str, String)> {
    vec![("deploy.yaml", replaced(DEPLOYMENT, from, to)), ("kind.yaml", KIND.to_owned())]
}

fn cluster(from: &str, to: &str) -> Vec<(&'static str, String)> {
    vec![("deploy.yaml", DEPLOYMENT.to_owned()), ("kind.yaml", replaced(KIND, from, to))]
}

const ARGUMENT: &str = "FROM golang:1.26 AS build\nARG GOFLAGS=-cover\n";

pub const CASES: &[Case] = &[
    error(
        "1",
        "not-instrumented",
        "Dockerfile whose go build gets no flag",
        || dockerfile("ARG GOFLAGS=-cover\n", ""),
        DOCKERFILE,
    ),
    error(
        "1",
        "main-not-covered",
        "Dockerfile with -coverpkg of libraries only",
        || dockerfile("go build ", "go build -coverpkg=./internal/... "),
        DOCKERFILE,
    ),
    error(
        "2",
        "main-not-covered",
        "Dockerfile with a name instead of an import path in -coverpkg",
        || dockerfile("go build ", "go build -coverpkg=api "),
        DOCKERFILE,
    ),
    error(
        "3",
        "coverage-flag-not-passed",
        "Dockerfile with ARG GOFLAGS before FROM only",
        || dockerfile(ARGUMENT, "ARG GOFLAGS=-cover\nFROM golang:1.26 AS build\n"),
        DOCKERFILE,
    ),
    error(
        "3",
        "coverage-flag-not-passed",
        "Dockerfile with ARG GOFLAGS in another stage",
        || dockerfile(ARGUMENT, "FROM golang:1.26 AS tools\nARG GOFLAGS=-cover\nFROM golang:1.26 AS build\n"),
        DOCKERFILE,
    ),
    warning(
        "3",
        "coverage-flag-not-passed",
        "Dockerfile with a value that lacks its quotes, and begins with -cover",
        || dockerfile("ARG GOFLAGS=-cover\n", "ENV GOFLAGS=-cover -coverpkg=./...\n"),
        DOCKERFILE,
    ),
    error(
        "3",
        "coverage-flag-not-passed",
        "Dockerfile with a value that lacks its quotes, so that -cover is lost",
        || dockerfile("ARG GOFLAGS=-cover\n", "ARG GOFLAGS=-trimpath -cover\n"),
        DOCKERFILE,
    ),
    error(
        "1",
        "not-instrumented",
        "Dockerfile whose go build gets no coverage flag, whatever its tags and version are",
        || {
            let text = replaced(BUILD, "ARG GOFLAGS=-cover\n", "ARG TAGS\nARG VERSION\n");
            let flags = "go build -tags=\"${TAGS}\" -ldflags \"-X main.version=$VERSION\" ";
            vec![("Dockerfile", replaced(&text, "go build ", flags))]
        },
        DOCKERFILE,
    ),
    error(
        "3",
        "coverage-flag-not-passed",
        "Dockerfile with the flags in a variable that go does not read",
        || dockerfile("ARG GOFLAGS=-cover\n", "ARG COVERAGE_FLAGS=-cover\n"),
        DOCKERFILE,
    ),
    error(
        "5",
        "goflags-overridden",
        "Dockerfile whose ENV replaces the ARG",
        || dockerfile("ARG GOFLAGS=-cover\n", "ARG GOFLAGS=-cover\nENV GOFLAGS=-mod=mod\n"),
        DOCKERFILE,
    ),
    warning(
        "5",
        "goflags-overridden",
        "Dockerfile with -coverpkg both in GOFLAGS and on the command line",
        || {
            let text = replaced(BUILD, "ARG GOFLAGS=-cover\n", "ARG GOFLAGS=-coverpkg=all\n");
            vec![("Dockerfile", replaced(&text, "go build ", "go build -coverpkg=./... "))]
        },
        DOCKERFILE,
    ),
    warning(
        "6",
        "built-from-file-arguments",
        "Dockerfile that builds main.go by name",
        || dockerfile("./cmd/api\n", "./cmd/api/main.go\n"),
        DOCKERFILE,
    ),
    error(
        "31",
        "shell-swallows-signals",
        "Dockerfile whose entry point is a script of several commands",
        || dockerfile("ENTRYPOINT [\"/api\"]", "ENTRYPOINT migrate && /api"),
        DOCKERFILE,
    ),
    error(
        "31",
        "shell-swallows-signals",
        "manifest with sh -c of several commands",
        || deployment("command: [/api]", "command: [sh, -c, \"migrate; /api\"]"),
        CLUSTER,
    ),
    error(
        "11",
        "gocoverdir-unset",
        "manifest without GOCOVERDIR",
        || deployment("        env: [{name: GOCOVERDIR, value: /coverage}]\n", ""),
        POD,
    ),
    error(
        "11",
        "gocoverdir-on-another-container",
        "manifest with GOCOVERDIR on the sidecar, and the volume in the program",
        || {
            let text = replaced(DEPLOYMENT, "        env: [{name: GOCOVERDIR, value: /coverage}]\n", "");
            let proxy = "{name: proxy, image: proxy:1, env: [{name: GOCOVERDIR, value: /coverage}]}";
            vec![("deploy.yaml", replaced(&text, "{name: proxy, image: proxy:1}", proxy))]
        },
        POD,
    ),
    error(
        "14",
        "pod-security-forbids",
        "stream with a namespace that enforces baseline, and a hostPath",
        || {
            let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}\n---\n";
            vec![("deploy.yaml", format!("{namespace}{DEPLOYMENT}"))]
        },
        POD,
    ),
    error(
        "16",
        "gocoverdir-relative",
        "manifest with a relative GOCOVERDIR",
        || deployment("value: /coverage", "value: coverage"),
        POD,
    ),
    warning(
        "17",
        "directory-not-writable",
        "manifest with a hostPath and a user other than root",
        || deployment("        command:", "        securityContext: {runAsUser: 65532}\n        command:"),
        CLUSTER,
    ),
    error(
        "17",
        "directory-not-writable",
        "the same, with a directory on the host that belongs to root",
        || {
            let [deployment, kind] = [DEPLOYMENT, KIND].map(|text| text.replace(PATH, "/usr/lib"));
            let user = "        securityContext: {runAsUser: 65532}\n        command:";
            vec![("deploy.yaml", replaced(&deployment, "        command:", user)), ("kind.yaml", kind)]
        },
        CLUSTER,
    ),
    error(
        "18",
        "read-only-file-system",
        "manifest with readOnlyRootFilesystem, and no volume at GOCOVERDIR",
        || {
            let mount = "        volumeMounts: [{name: coverage, mountPath: /coverage}]\n";
            deployment(mount, "        securityContext: {readOnlyRootFilesystem: true}\n")
        },
        POD,
    ),
    error(
        "18",
        "read-only-file-system",
        "manifest with a volume that is mounted read-only",
        || deployment("mountPath: /coverage}", "mountPath: /coverage, readOnly: true}"),
        CLUSTER,
    ),
    error(
        "18",
        "read-only-file-system",
        "kind configuration with a mount that is read-only",
        || cluster("extraMounts: [{", "extraMounts: [{readOnly: true, "),
        CLUSTER,
    ),
    error(
        "38",
        "data-on-container-filesystem",
        "manifest without a volume at GOCOVERDIR",
        || deployment("        volumeMounts: [{name: coverage, mountPath: /coverage}]\n", ""),
        POD,
    ),
    error(
        "21, 22",
        "node-path-not-mounted",
        "kind configuration without the mount",
        || {
            cluster(
                "  extraMounts: [{hostPath: /tmp/podcov-no-such-directory, containerPath: /tmp/podcov-no-such-directory}]\n",
                "",
            )
        },
        CLUSTER,
    ),
    error(
        "22",
        "node-path-not-mounted",
        "kind configuration with the mount on the control plane only",
        || cluster("- role: control-plane\n- role: worker\n", "- role: worker\n- role: control-plane\n"),
        CLUSTER,
    ),
    error(
        "22",
        "node-path-not-mounted",
        "kind configuration with a second worker that lacks the mount",
        || cluster("- role: control-plane\n", "- role: control-plane\n- role: worker\n"),
        CLUSTER,
    ),
    error(
        "22",
        "path-mismatch",
        "kind configuration with another containerPath than the volume's hostPath",
        || cluster("containerPath: /tmp/podcov-no-such-directory", "containerPath: /coverage"),
        CLUSTER,
    ),
    error(
        "22",
        "path-mismatch",
        "manifest with another mountPath than GOCOVERDIR",
        || deployment("mountPath: /coverage", "mountPath: /data/coverage"),
        CLUSTER,
    ),
    error(
        "32",
        "grace-period-exceeded",
        "manifest that gives no time to end",
        || deployment("terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 0"),
        CLUSTER,
    ),
];

/// What is whole, in the many forms that people write.
pub const HEALTHY: &[(&str, Files, &[&str])] = &[
    ("the Dockerfile of the report", || dockerfile(ARGUMENT, ARGUMENT), DOCKERFILE),
    (
        "ARG before FROM, declared again",
        || dockerfile(ARGUMENT, "ARG GOFLAGS=-cover\nFROM golang:1.26 AS build\nARG GOFLAGS\n"),
        DOCKERFILE,
    ),
    (
        "a stage that another one begins with",
        || {
            dockerfile(
                ARGUMENT,
                "FROM golang:1.26 AS base\nENV GOFLAGS=\"-cover -coverpkg=./...\"\nFROM base AS build\n",
            )
        },
        DOCKERFILE,
    ),
    (
        "flags in a variable that is used",
        || {
            let text = replaced(BUILD, "ARG GOFLAGS=-cover", "ARG COVERAGE_FLAGS=\"-cover -coverpkg=./...\"");
            vec![("Dockerfile", replaced(&text, "go build", "go build ${COVERAGE_FLAGS}"))]
        },
        DOCKERFILE,
    ),
    (
        "a here-document",
        || {
            let text = replaced(BUILD, "ARG GOFLAGS=-cover\n", "");
            vec![(
                "Dockerfile",
                replaced(&text, "RUN CGO", "RUN <<EOF\nset -e\nexport GOFLAGS=-cover\nCGO")
                    .replace("./cmd/api\n", "./cmd/api\nEOF\n"),
            )]
        },
        DOCKERFILE,
    ),
    ("a shell that hands over", || dockerfile("[\"/api\"]", "exec /api"), DOCKERFILE),
    (
        "a shell of busybox with one command",
        || {
            let text = replaced(BUILD, "gcr.io/distroless/static:nonroot", "alpine:3");
            vec![("Dockerfile", replaced(&text, "[\"/api\"]", "/api"))]
        },
        DOCKERFILE,
    ),
    ("the chain of the report", || deployment("name: api", "name: api"), CLUSTER),
    (
        "an emptyDir and a nonroot user with a read-only root",
        || {
            let text = replaced(
                DEPLOYMENT,
                "hostPath: {path: /tmp/podcov-no-such-directory, type: DirectoryOrCreate}",
                "emptyDir: {}",
            );
            let context = "        securityContext: {runAsUser: 65532, runAsNonRoot: true, readOnlyRootFilesystem: true}\n        command:";
            vec![("deploy.yaml", replaced(&text, "        command:", context))]
        },
        POD,
    ),
    (
        "fields that are null",
        || deployment("        command: [/api]", "        command: null\n        args:"),
        POD,
    ),
    ("one node", || cluster("- role: worker\n", ""), CLUSTER),
];

/// What files alone do not tell.
pub const UNDECIDED: &[(&str, Files, &[&str])] = &[
    (
        "flags in a variable that comes from outside",
        || {
            let text = replaced(BUILD, "ARG GOFLAGS=-cover\n", "ARG FLAGS\n");
            vec![("Dockerfile", replaced(&text, "go build ", "go build $FLAGS "))]
        },
        DOCKERFILE,
    ),
    (
        "a flag whose value comes from outside",
        || dockerfile("ARG GOFLAGS=-cover\n", "ARG GOFLAGS\n"),
        DOCKERFILE,
    ),
    (
        "a variable that comes from elsewhere",
        || {
            let variable = "env: [{name: GOCOVERDIR, value: /coverage}]";
            deployment(variable, "envFrom: [{configMapRef: {name: coverage}}]")
        },
        POD,
    ),
];
