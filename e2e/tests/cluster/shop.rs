//! The main job on the example system, held against Go's own tools; and the classic path without podcov's help.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use podcov_e2e::{
    cluster,
    image::IMAGES,
    namespace::Namespace,
    output,
    podcov::{Outcome, Podcov},
    repository, until_within,
    workload::{container, deployment, pod_spec, request, service, workload},
};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_mins(2);

/// Every directory that holds meta-data.
fn covdata_directories(directory: &Path) -> Vec<PathBuf> {
    let holds_metadata =
        |path: &PathBuf| path.file_name()?.to_str()?.starts_with("covmeta.").then(|| path.clone());
    let parents = podcov_e2e::files(directory)
        .iter()
        .filter_map(|path| holds_metadata(path)?.parent().map(Path::to_owned))
        .collect::<BTreeSet<_>>();
    parents.into_iter().collect()
}

fn covdata(command: &str, directory: &Path, arguments: &[&str]) -> String {
    let directories: Vec<String> =
        covdata_directories(directory).iter().map(|path| path.display().to_string()).collect();
    let input = format!("-i={}", directories.join(","));
    output(Command::new("go").args(["tool", "covdata", command, &input]).args(arguments))
}

/// The blocks of a text profile with their counts; Go's order of them is not fixed.
fn blocks(profile: &str) -> BTreeMap<&str, u64> {
    let lines = profile.lines().skip(1).filter_map(|line| {
        let (block, count) = line.rsplit_once(' ')?;
        Some((block, count.parse().expect("a count")))
    });
    lines.collect()
}

fn assert_equal_to_gos_own(outcome: &Outcome, module: &Path) {
    let run = outcome.run_directory();
    let expected = run.join("expected.txt");
    covdata("textfmt", &run.join("data"), &["-o", &expected.display().to_string()]);
    let ours = fs::read_to_string(run.join("coverage.txt")).expect("there is a profile");
    let gos = fs::read_to_string(&expected).expect("covdata wrote a profile");
    assert_eq!(ours.lines().next(), gos.lines().next(), "the counter mode");
    assert_eq!(blocks(&ours), blocks(&gos));

    let total = |profile: &Path| {
        let profile = format!("-func={}", profile.display());
        let text = output(Command::new("go").current_dir(module).args(["tool", "cover", &profile]));
        text.lines().last().map(str::to_owned)
    };
    assert_eq!(total(&run.join("coverage.txt")), total(&expected));

    // The headline counts every statement of the profile once.
    let (mut statements, mut covered) = (0, 0);
    for (block, count) in blocks(&gos) {
        let number: u64 = block.rsplit(' ').next().and_then(|text| text.parse().ok()).expect("statements");
        statements += number;
        covered += if count > 0 { number } else { 0 };
    }
    let summary = &outcome.record()["summary"];
    assert_eq!((&summary["statements"], &summary["covered"]), (&json!(statements), &json!(covered)));
}

#[test]
fn the_shop_is_covered_and_afterwards_as_it_was() {
    std::sync::LazyLock::force(&IMAGES);
    let namespace = Namespace::new("shop");
    let shop = repository().join("examples/shop");
    let manifests = fs::read_to_string(shop.join("manifests/shop.yaml")).expect("the manifests are there");
    cluster::apply(namespace.name(), &manifests);
    cluster::run(&["rollout", "status", "-n", namespace.name(), "deployment/api", "deployment/worker"]);
    let before = ["deployment/api", "deployment/worker"].map(|name| namespace.as_written(name));

    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/api", "deploy/worker", "--source"])
        .arguments([&shop])
        .arguments(["--", "go", "-C"])
        .arguments([&shop])
        .arguments(["test", "-count=1", "./e2e/..."])
        .variable("SHOP_NAMESPACE", namespace.name())
        .run()
        .ends_with(0)
        .says("instrumented   api (1 pod), worker (2 pods)")
        .reports("3 of 3 pods, 3 of 3 processes");

    assert_equal_to_gos_own(&outcome, &shop);
    let after = ["deployment/api", "deployment/worker"].map(|name| namespace.as_written(name));
    assert_eq!(before, after);
    namespace.assert_untouched();

    let percent = outcome.record()["summary"]["percent"].as_f64().expect("a percentage");
    assert!((50.0..100.0).contains(&percent), "{percent} % of the shop");
    let page = fs::read_to_string(outcome.run_directory().join("index.html")).expect("there is a page");
    assert!(page.contains("internal/orders"));
    keep_for_the_browser(&outcome.run_directory());
}

/// The page of a real run is looked at in a browser, by another step of the tests.
fn keep_for_the_browser(run: &Path) {
    let Some(directory) = std::env::var_os("PODCOV_E2E_KEEP_RUN").map(PathBuf::from) else { return };
    fs::create_dir_all(&directory).expect("the directory can be made");
    for file in ["index.html", "coverage.txt", "run.json"] {
        fs::copy(run.join(file), directory.join(file)).expect("it can be copied");
    }
}

#[test]
fn binaries_of_the_oldest_go_are_covered_too() {
    let namespace = Namespace::new("oldest-go");
    let mut probe = deployment("probe", 2, &[]);
    probe["spec"]["template"]["spec"]["containers"][0]["image"] = json!(IMAGES.probe_of_oldest_go);
    namespace.start(&probe);
    namespace.apply(&service("probe"));
    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--source"])
        .arguments([repository().join("e2e/probe")])
        .arguments(["--"])
        .arguments(request(namespace.name(), "probe", "work"))
        .run()
        .ends_with(0)
        .reports("2 of 2 pods, 2 of 2 processes");
    assert_equal_to_gos_own(&outcome, &repository().join("e2e/probe"));
    let functions = covdata("func", &outcome.run_directory().join("data"), &[]);
    let of = |name: &str| functions.lines().find(|line| line.contains(name)).map(str::to_owned);
    assert!(of("worked").is_some_and(|line| line.ends_with("100.0%")), "{functions}");
    assert!(of("fill").is_some_and(|line| line.ends_with("0.0%")), "{functions}");
}

#[test]
fn the_classic_path_with_a_host_path_ends_in_a_report() {
    const NAME: &str = "e2e-classic";
    let namespace = Namespace::new("classic");
    namespace.admit_everything();
    // Mapped to /coverdata on every node by script/cluster.
    let host = Path::new("/tmp/podcov-coverdata").join(NAME);
    let _ = fs::remove_dir_all(&host);
    fs::create_dir_all(&host).expect("the directory can be made");
    output(Command::new("chmod").arg("0777").arg(&host));

    let mut probe = container("probe", 8080, &[]);
    probe["env"] = json!([{"name": "GOCOVERDIR", "value": "/coverdata"}]);
    probe["volumeMounts"] = json!([{"name": "coverdata", "mountPath": "/coverdata"}]);
    let mut spec = pod_spec(&[probe]);
    spec["volumes"] = json!([{
        "name": "coverdata",
        "hostPath": {"path": format!("/coverdata/{NAME}"), "type": "Directory"},
    }]);
    namespace.start(&workload("Deployment", "probe", 1, &spec));
    cluster::run(&["scale", "-n", namespace.name(), "deployment/probe", "--replicas=0"]);
    until_within("the probe's pods are gone", PATIENCE, || {
        let pods: Value = namespace.get(&["pods", "-l", "app=probe"]);
        pods["items"].as_array().is_some_and(Vec::is_empty)
    });

    let outcome = Podcov::bare(["report"])
        .arguments([&host])
        .arguments(["--source"])
        .arguments([repository().join("e2e/probe")])
        .run()
        .ends_with(0);
    let percent = outcome.record()["summary"]["percent"].as_f64().expect("a percentage");
    let gos = covdata("percent", &host, &[]);
    assert!(gos.contains(&format!("coverage: {percent:.1}% of statements")), "{percent} is not in {gos}");
    let _ = fs::remove_dir_all(&host);
}
