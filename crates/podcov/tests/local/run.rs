//! `podcov run --exec … -- TEST`, from the first service to the report.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use podcov_wait as wait;
use serde_json::json;

use crate::go::{self, Release};
use crate::place::{self, Place, free_address, processes};

#[test]
fn the_shop_measures_as_gos_own_tools_do_with_the_newest_go() {
    the_shop_measures_as_gos_own_tools_do(Release::Newest);
}

#[test]
fn the_shop_measures_as_gos_own_tools_do_with_the_oldest_go() {
    the_shop_measures_as_gos_own_tools_do(Release::Oldest);
}

fn the_shop_measures_as_gos_own_tools_do(release: Release) {
    let place = Place::new();
    go::compile_shop_tests();
    let [api, worker] = [free_address(), free_address()];
    let coverage = place.path("coverage");
    let ended = place
        .start_in(
            &go::shop(),
            [
                "run",
                "--exec",
                &format!("{} --listen {api}", go::shop_service(release, "api")),
                "--exec",
                &format!("SHOP_API=http://{api} {} --listen {worker}", go::shop_service(release, "worker")),
                "--ready",
                &format!("api=http://{api}/readyz"),
                "--ready",
                &format!("worker={worker}"),
                "--output-dir",
                coverage.to_str().unwrap(),
                "--",
                "env",
                &format!("SHOP_API_URL=http://{api}"),
                &format!("SHOP_WORKER_URL=http://{worker}"),
                "go",
                "test",
                "-count=1",
                "./e2e/...",
            ],
        )
        .end()
        .with_code(0)
        .printing(&["2 of 2 programs, 2 of 2 processes", "api", "worker", "both", "of statements"])
        .saying(&["✓ started", "✓ instrumented", "✓ tests", "passed"]);

    let data = |name: &str| coverage.join("data").join(name);
    let (api_data, worker_data) = (vec![data("api")], vec![data("worker")]);
    let all = go::data_directories(&coverage.join("data"));
    assert_eq!(all, [data("api"), data("worker")]);
    let profile = coverage.join("coverage.txt");
    assert_eq!(go::blocks(&profile), go::textfmt(release, &all));

    let (built_by, packages) = (go::built_by(&go::shop_service(release, "api")), go::packages(release, &all));
    let number = built_by.trim_start_matches("go");
    let ended = ended.saying(&[&format!("Go {number}, atomic, {} packages", packages.len())]);

    let record = place.record();
    for capture in record["captures"].as_array().unwrap() {
        assert_eq!(capture["processes"][0]["go_version"], built_by, "{}", ended.errors);
    }
    let percent = |figures: &serde_json::Value| format!("{:.1}%", figures["percent"].as_f64().unwrap());
    let summary = &record["summary"];
    assert_eq!(percent(summary), go::covdata_total(release, &all));
    assert_eq!(cover_total(release, &go::shop(), &all), go::cover_total(release, &go::shop(), &profile));
    let figures = |name: &str| {
        let workloads = summary["workloads"].as_array().unwrap();
        workloads.iter().find(|figures| figures["workload"] == name).unwrap()
    };
    assert_eq!(percent(figures("api")), go::covdata_total(release, &api_data));
    assert_eq!(percent(figures("worker")), go::covdata_total(release, &worker_data));
    for figures in [summary, figures("api"), figures("worker")] {
        let shown = percent(figures).replace('%', " %");
        assert!(ended.output.contains(&shown), "{shown} is not in {}", ended.output);
    }

    assert!(record["finished"].is_string());
    assert_eq!(record["tests"]["exit_code"], 0);
    assert_eq!(record["tests"]["command"][2], format!("SHOP_WORKER_URL=http://{worker}"));
    for (capture, name) in record["captures"].as_array().unwrap().iter().zip(["api", "worker"]) {
        assert_eq!(capture["origin"]["name"], name);
        assert_eq!(capture["directory"], format!("data/{name}"));
        assert_eq!(capture["outcome"], json!({ "state": "heard" }));
        assert_eq!(capture["processes_captured"], 1);
    }
    assert_eq!(record["set_aside"], json!([]));
    let page = fs::read_to_string(coverage.join("index.html")).unwrap();
    assert!(page.contains("internal/orders/service.go"));
    assert!(place.sources_in_the_page().contains("func NewService"), "no sources");
    assert!(place.text("coverage/logs/api.log").contains("listening"));
}

#[test]
fn literals_outside_of_functions_count_as_in_covdata() {
    let place = Place::new();
    let address = free_address();
    let service = format!("GREETED=world {} serve {address} graceful", go::program());
    let url = format!("http://{address}/greeting");
    let test = [go::program(), "get", &url];
    run(&place, &[&service], &["--ready", &address], &test).with_code(0).printing(&["hello world"]);

    let data = [place.path("coverage/data/program")];
    let percent = place.record()["summary"]["percent"].as_f64().unwrap();
    assert_eq!(format!("{percent:.1}%"), go::covdata_total(Release::Newest, &data));
    let profile = place.path("coverage/coverage.txt");
    assert_eq!(go::blocks(&profile), go::textfmt(Release::Newest, &data));
    let sources = go::program_sources();
    assert_eq!(
        go::cover_total(Release::Newest, &sources, &profile),
        cover_total(Release::Newest, &sources, &data)
    );
}

/// What cover -func says of the profile that covdata textfmt makes. It leaves out literals outside of functions,
/// which covdata and go test -cover count.
fn cover_total(release: Release, sources: &Path, data: &[PathBuf]) -> String {
    let blocks: Vec<String> = go::textfmt(release, data).into_iter().collect();
    let profile = tempfile::NamedTempFile::new().unwrap();
    fs::write(profile.path(), format!("mode: atomic\n{}\n", blocks.join("\n"))).unwrap();
    go::cover_total(release, sources, profile.path())
}

#[test]
fn podcov_ends_with_the_exit_code_of_the_tests_and_reports_all_the_same() {
    let place = Place::new();
    run(&place, &[&graceful()], &[], &["sh", "-c", "exit 42"])
        .with_code(42)
        .saying(&["✗ tests", "failed, exit code 42"])
        .printing(&["1 of 1 program, 1 of 1 process", "of statements"]);
    assert_eq!(place.record()["tests"]["exit_code"], 42);
    assert!(place.path("coverage/index.html").exists());

    run(&place, &[&graceful()], &[], &["sh", "-c", "kill -KILL $$"]).with_code(128 + 9);
    assert!(place.record()["tests"]["exit_code"].is_null());
}

#[test]
fn failed_tests_say_more_than_missing_data() {
    let place = Place::new();
    let abrupt = serve("abrupt");
    run(&place, &[&abrupt], &[], &["sh", "-c", "exit 4"]).with_code(4);
}

#[test]
fn a_service_that_ignores_sigterm_is_killed_and_keeps_its_counters() {
    let place = Place::new();
    let stubborn = serve("stubborn");
    // Until it answers, it may not ignore it yet.
    let options = ["--ready", &stubborn_address(&stubborn), "--stop-timeout", "200ms"];
    run(&place, &[&stubborn, &graceful_as("helper")], &options, &["true"])
        .with_code(0)
        .printing(&["2 of 2 programs, 2 of 2 processes"]);
    assert_eq!(processes(&stubborn_address(&stubborn)), Vec::<i32>::new());
    let process = &place.record()["captures"][0]["processes"][0];
    assert_eq!((&process["ending"]["signal"], &process["read_at"]), (&9.into(), &"end".into()));
}

#[test]
fn a_service_that_does_not_handle_sigterm_keeps_its_counters() {
    let place = Place::new();
    run(&place, &[&serve("abrupt")], &[], &["true"]).with_code(0).printing(&["1 of 1 process"]);
    assert!(place.record()["summary"]["percent"].as_f64() > Some(0.0));
}

#[test]
fn a_service_without_coverage_is_named_before_the_tests_run() {
    let place = Place::new();
    let address = free_address();
    let service = format!("{} serve {address} graceful", go::program_without_coverage());
    let options = ["--ready", &address];
    run(&place, &[&service], &options, &["touch", "tests-ran"]).with_code(1).saying(&[
        "Error: plain runs without coverage",
        "rebuild it with go build -cover",
        "listening",
    ]);
    assert!(!place.path("tests-ran").exists());

    let options = ["--ready", &address, "--allow-incomplete"];
    run(&place, &[&service], &options, &["touch", "tests-ran"])
        .with_code(0)
        .saying(&["! warning", "plain runs without coverage"])
        .printing(&["no coverage data", "which is not 0 %"]);
    assert!(place.path("tests-ran").exists());
}

#[test]
fn a_service_that_fails_during_the_tests_is_named_with_its_log() {
    let place = Place::new();
    let address = free_address();
    let service = format!("{} serve {address} graceful", go::program());
    let tests = ["--", go::program(), "signals"];
    let podcov = place.start(["run", "--exec", &service, "--ready", &address].into_iter().chain(tests));
    wait::until("the tests run", || podcov.output().contains("waiting"));
    Command::new(go::program()).args(["get", &format!("http://{address}/exit?code=9")]).output().unwrap();
    podcov.wait_for_error("program ended during the tests with exit code 9");
    podcov.signal(Signal::SIGTERM);
    podcov
        .end()
        .with_code(143)
        .saying(&["logs/program.log", "exit was asked for"])
        .printing(&["! program ended during the tests with exit code 9", "1 of 1 process"]);
}

#[test]
fn services_of_one_program_are_told_apart() {
    let place = Place::new();
    run(&place, &[&graceful(), &graceful()], &[], &["true"]).with_code(0).printing(&[
        "2 of 2 programs",
        "program ",
        "program-2",
    ]);
    let data = [place.path("coverage/data/program"), place.path("coverage/data/program-2")];
    assert_eq!(go::data_directories(&place.path("coverage/data")), data);
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &data));
}

#[test]
fn services_behind_a_shell_are_stopped_with_it() {
    let place = Place::new();
    let address = free_address();
    let service = format!("sh -c '{} serve {address} graceful; true'", go::program());
    run(&place, &[&service], &["--ready", &address], &["true"])
        .with_code(0)
        .printing(&["1 of 1 program, 1 of 1 process"]);
    assert_eq!(processes(&address), Vec::<i32>::new());
}

#[test]
fn commands_that_cannot_be_started_are_named_before_anything_is_touched() {
    let place = Place::new();
    fs::write(place.path("plain-text"), "no program").unwrap();
    let service = graceful();
    let cases = [
        (&*service, "no-such-tests", 127, "there is no `no-such-tests` on PATH"),
        (&*service, "./no-such-tests.sh", 127, "there is no `./no-such-tests.sh`"),
        (&*service, "./plain-text", 126, "`./plain-text` is not executable"),
        (&*service, "/tmp", 126, "`/tmp` is a directory"),
        ("no-such-service --flag", "true", 127, "there is no `no-such-service` on PATH"),
        ("./plain-text", "true", 126, "`./plain-text` is not executable"),
        ("api 'unfinished", "true", 2, "ends within quotes"),
        ("NAME=value", "true", 2, "names no program"),
    ];
    for (service, test, code, message) in cases {
        run(&place, &[service], &[], &[test]).with_code(code).saying(&[message]);
    }
    place.podcov(["run", "--exec", &service]).with_code(2).saying(&["-- <TEST>..."]);
    place.podcov(["run", "--", "true"]).with_code(2).saying(&["there is nothing to measure"]);
    assert!(!place.path("coverage").exists());
}

#[test]
fn a_service_that_the_system_refuses_to_start_is_named_with_the_reason() {
    let place = Place::new();
    fs::write(place.path("broken"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(place.path("broken"), fs::Permissions::from_mode(0o755)).unwrap();
    run(&place, &["./broken"], &[], &["true"]).with_code(1).saying(&[
        "broken ended with exit code 126 before it was ready",
        "cannot start ./broken",
        "No such file",
    ]);
    run(&place, &[&graceful()], &[], &["./broken"]).with_code(126).saying(&["cannot start `./broken`"]);
    assert!(place.record()["finished"].is_string());
}

#[test]
fn standard_output_is_the_record_alone_when_a_program_reads_it() {
    let place = Place::new();
    let ended = run(&place, &[&graceful()], &["--output", "json"], &["echo", "from the tests"])
        .with_code(0)
        .saying(&["from the tests", "✓ collected"]);
    let printed: serde_json::Value = serde_json::from_str(&ended.output).unwrap();
    assert_eq!(printed, place.record());
}

#[test]
fn quiet_leaves_the_result_and_what_is_wrong() {
    let place = Place::new();
    let ended = run(&place, &[&graceful()], &["--quiet"], &["true"]).with_code(0).printing(&["✓ collected"]);
    assert_eq!(ended.errors, "");
    let without = format!("{} serve {} graceful", go::program_without_coverage(), free_address());
    run(&place, &[&without], &["--quiet", "--output", "json", "--allow-incomplete"], &["true"])
        .with_code(0)
        .saying(&["✗ program plain: no data"]);
}

#[test]
fn an_earlier_run_is_replaced_and_anything_else_is_not() {
    let place = Place::new();
    run(&place, &[&graceful_as("first")], &[], &["true"]).with_code(0);
    run(&place, &[&graceful_as("second")], &[], &["true"]).with_code(0);
    assert_eq!(go::data_directories(&place.path("coverage/data")), [place.path("coverage/data/second")]);

    fs::create_dir(place.path("precious")).unwrap();
    fs::write(place.path("precious/thesis.txt"), "years of work").unwrap();
    run(&place, &[&graceful()], &["-o", "precious"], &["true"]).with_code(1).saying(&[
        "precious is not a run directory of podcov",
        "it holds thesis.txt",
        "-o DIR",
    ]);
    assert_eq!(place.text("precious/thesis.txt"), "years of work");
}

#[test]
fn two_runs_do_not_share_a_directory() {
    let place = Place::new();
    let address = free_address();
    let first =
        place.start(["run", "--exec", &graceful(), "--", go::program(), "serve", &address, "graceful"]);
    first.wait_for_error("✓ instrumented");
    run(&place, &[&graceful()], &[], &["true"])
        .with_code(1)
        .saying(&["another podcov is writing to coverage"]);
    first.signal(Signal::SIGTERM);
    first.end().with_code(128 + 15);
}

/// Runs podcov on services and tests.
fn run(place: &Place, services: &[&str], options: &[&str], tests: &[&str]) -> place::Ended {
    let services = services.iter().flat_map(|service| ["--exec", service]);
    let arguments = ["run"].into_iter().chain(services).chain(options.iter().copied()).chain(["--"]);
    place.podcov(arguments.chain(tests.iter().copied()))
}

fn graceful() -> String {
    serve("graceful")
}

fn serve(ending: &str) -> String {
    format!("{} serve {} {ending}", go::program(), free_address())
}

/// A graceful service that goes by another name.
fn graceful_as(name: &str) -> String {
    let program = Path::new(go::program());
    let link = program.with_file_name(name);
    // Another test may have made it just now. It holds wherever the directory is moved to.
    let _ = std::os::unix::fs::symlink(program.file_name().unwrap(), &link);
    format!("{} serve {} graceful", link.display(), free_address())
}

fn stubborn_address(service: &str) -> String {
    service.split_whitespace().nth(2).unwrap().to_owned()
}
