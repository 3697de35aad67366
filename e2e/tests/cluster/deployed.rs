//! The table of what is deployed to be diagnosed, for the tests that do it, and for the page that says so.

use podcov_e2e::repository;

/// A symptom that a live workload really has.
struct Deployed {
    name: &'static str,
    /// The number of the symptom.
    row: u32,
    how: &'static str,
    cause: &'static str,
}

const fn deployed(row: u32, name: &'static str, cause: &'static str, how: &'static str) -> Deployed {
    Deployed { name, row, how, cause }
}

const DEPLOYED: &[Deployed] = &[
    deployed(
        1,
        "original-without-main",
        "main-not-covered",
        "the original report, with -coverpkg of libraries only",
    ),
    deployed(1, "inside-plain", "not-instrumented", "looked at from its node: a program without coverage"),
    deployed(
        1,
        "inside-without-main",
        "main-not-covered",
        "looked at from its node: -coverpkg of libraries only",
    ),
    deployed(
        3,
        "original-flags-lost",
        "not-instrumented",
        "the original report, with GOFLAGS lost between stages",
    ),
    deployed(10, "stale", "image-is-stale", "the tag was built again, and not loaded"),
    deployed(11, "unset", "gocoverdir-unset", "no GOCOVERDIR"),
    deployed(11, "elsewhere", "gocoverdir-on-another-container", "GOCOVERDIR on the proxy beside it"),
    deployed(13, "as-root", "could-not-look", "runAsNonRoot and user 0, so that the container never starts"),
    deployed(14, "forbidden", "pod-security-forbids", "hostPath, in a namespace that enforces restricted"),
    deployed(15, "missing", "directory-missing", "GOCOVERDIR=/nowhere"),
    deployed(
        15,
        "inside-missing",
        "directory-missing",
        "looked at from its node: a directory that is not in the volume",
    ),
    deployed(
        16,
        "relative",
        "gocoverdir-relative",
        "GOCOVERDIR=coverdata, and the program changes its directory",
    ),
    deployed(
        17,
        "original-root-owned",
        "directory-not-writable",
        "the original report, with a directory that belongs to root",
    ),
    deployed(
        17,
        "inside-not-writable",
        "directory-not-writable",
        "looked at from its node: a hostPath that belongs to root",
    ),
    deployed(18, "read-only", "read-only-file-system", "the volume is mounted read-only"),
    deployed(18, "on-root", "read-only-file-system", "readOnlyRootFilesystem, and no volume at GOCOVERDIR"),
    deployed(
        18,
        "inside-read-only",
        "read-only-file-system",
        "looked at from its node: GOCOVERDIR=/proc/sys",
    ),
    deployed(19, "full", "volume-full", "an emptyDir with a sizeLimit, which the program has filled"),
    deployed(19, "inside-full", "volume-full", "looked at from its node: an emptyDir in memory that is full"),
    deployed(21, "unmounted", "node-path-not-mounted", "hostPath of type Directory, which the node has not"),
    deployed(
        22,
        "original-not-mounted",
        "node-path-not-mounted",
        "the original report, with a hostPath that is not mounted in the node",
    ),
    deployed(
        30,
        "original-deaf",
        "sigterm-unhandled",
        "the original report, with a program that does not handle SIGTERM",
    ),
    deployed(
        30,
        "inside-deaf",
        "sigterm-unhandled",
        "looked at from its node: a program that does not ask os/signal for SIGTERM",
    ),
    deployed(
        30,
        "inside-unheard",
        "sigterm-unhandled",
        "looked at from its node: a program without os/signal",
    ),
    deployed(31, "memory", "out-of-memory", "the program exhausts its memory limit"),
    deployed(31, "killed", "killed-before-flush", "the program kills itself by SIGKILL"),
    deployed(31, "in-shell", "shell-swallows-signals", "an image whose entry point is a shell"),
    deployed(
        31,
        "inside-in-shell",
        "shell-swallows-signals",
        "looked at from its node: a shell is the first process",
    ),
    deployed(
        31,
        "original-drain",
        "grace-period-exceeded",
        "the original report, with a drain longer than the grace period",
    ),
    deployed(33, "panic", "panicked", "the program panics"),
    deployed(34, "vanish", "exited-without-flush", "the program ends by syscall.Exit"),
    deployed(38, "on-container", "data-on-container-filesystem", "GOCOVERDIR=/etc, as root"),
];

/// The id that it has to get, and no other.
pub fn cause(name: &str) -> &'static str {
    let found = DEPLOYED.iter().find(|it| it.name == name);
    found.unwrap_or_else(|| panic!("{name} is in the table")).cause
}

#[test]
fn the_table_of_what_is_deployed_is_up_to_date() {
    let path = repository().join("docs/diagnoses/README.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (begin, end) = ("<!-- begin: deployed cases -->\n", "<!-- end: deployed cases -->\n");
    let (before, rest) = page.split_once(begin).expect("the table begins");
    let (_, after) = rest.split_once(end).expect("the table ends");
    let line = |it: &Deployed| {
        format!("| {row} | {how} | [{id}]({id}.md) |\n", row = it.row, how = it.how, id = it.cause)
    };
    let lines: String = DEPLOYED.iter().map(line).collect();
    let expected =
        format!("{before}{begin}| Row | What is deployed | Id |\n|---|---|---|\n{lines}{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).expect("the page is written");
    } else {
        assert_eq!(
            page, expected,
            "refresh it: UPDATE_DOCS=1 cargo test -p podcov-e2e --test cluster deployed"
        );
    }
}
