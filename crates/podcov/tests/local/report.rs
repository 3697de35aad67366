//! `podcov report DIR…` on data that is there, sound or not.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::go::{self, Release, measure};
use crate::place::Place;

const HASH: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn directories_are_searched_recursively_and_their_parts_shown() {
    let place = Place::new();
    let shop = go::shop_service(Release::Newest, "api");
    measure(go::program(), &["exit", "0"], &place.path("coverdata/node-1/deep/below"));
    measure(go::program(), &["print", "x"], &place.path("coverdata/node-1"));
    measure(&shop, &["--help"], &place.path("coverdata/node-2"));
    fs::write(place.path("coverdata/README"), "not data").unwrap();
    let before = listing(&place.path("coverdata"));
    place.podcov(["report", "coverdata", "--source", go::shop().to_str().unwrap()]).with_code(0).printing(&[
        "node-1",
        "node-2",
        "both",
        "of statements",
        "coverage/index.html",
    ]);

    let data = go::data_directories(&place.path("coverdata"));
    assert_eq!(data.len(), 3);
    let profile = place.path("coverage/coverage.txt");
    assert_eq!(go::blocks(&profile), go::textfmt(Release::Newest, &data));
    let summary = &place.record()["summary"];
    assert_eq!(percent(summary), go::covdata_total(Release::Newest, &data));
    assert_eq!(summary["workloads"][1]["workload"], "node-2");
    assert_eq!(percent(&summary["workloads"][1]), go::covdata_total(Release::Newest, &data[2..]));
    assert_eq!(listing(&place.path("coverdata")), before, "the data was changed");
    assert!(place.sources_in_the_page().contains("func run(ctx context.Context"), "no sources");
}

#[test]
fn several_directories_are_one_report_and_none_counts_twice() {
    let place = Place::new();
    for directory in ["integration", "e2e"] {
        measure(go::program(), &["exit", "0"], &place.path(directory));
    }
    place
        .podcov(["report", "integration", "./e2e", "e2e", ".//e2e/", "-o", "merged"])
        .with_code(0)
        .printing(&["2 of 2 processes", "integration", "e2e", "merged/index.html"]);
    let data = [place.path("integration"), place.path("e2e")];
    assert_eq!(go::blocks(&place.path("merged/coverage.txt")), go::textfmt(Release::Newest, &data));
}

#[test]
fn metadata_and_counters_may_be_in_directories_apart() {
    let place = Place::new();
    let (all, data) = (place.path("all"), place.path("data"));
    measure(go::program(), &["exit", "0"], &all);
    measure(go::program(), &["exit", "0"], &data.join("counters"));
    fs::create_dir(data.join("programs")).unwrap();
    let [metadata] = go::files(&data.join("counters"), "covmeta.").try_into().unwrap();
    fs::rename(&metadata, data.join("programs").join(metadata.file_name().unwrap())).unwrap();
    place.podcov(["report", "data"]).with_code(0);
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &[all]));
}

#[test]
fn counter_modes_are_not_mixed() {
    let place = Place::new();
    measure(go::program(), &["exit", "0"], &place.path("data/atomic"));
    measure(go::program_in_mode_set(), &["exit", "0"], &place.path("data/set"));
    place.podcov(["report", "data"]).with_code(0);
    for mode in ["atomic", "set"] {
        let profile = place.path("coverage").join(format!("coverage-{mode}.txt"));
        assert!(fs::read_to_string(&profile).unwrap().starts_with(&format!("mode: {mode}\n")));
        assert_eq!(go::blocks(&profile), go::textfmt(Release::Newest, &[place.path("data").join(mode)]));
    }
    assert!(!place.path("coverage/coverage.txt").exists());
}

#[test]
fn damaged_files_are_named_and_the_rest_is_reported() {
    let place = Place::new();
    let (sound, damaged) = (place.path("sound"), place.path("damaged"));
    measure(go::program(), &["exit", "0"], &sound);
    measure(go::program(), &["exit", "0"], &damaged);
    measure(go::program(), &["print", "x"], &damaged);
    // The second one is cut in the middle.
    let counters = go::files(&damaged, "covcounters.");
    let size = |path: &&PathBuf| path.metadata().unwrap().len();
    let cut = counters.iter().max_by_key(size).unwrap();
    let length = cut.metadata().unwrap().len();
    File::options().write(true).open(cut).unwrap().set_len(length / 2).unwrap();

    let name = format!("damaged/{}", cut.file_name().unwrap().to_str().unwrap());
    place.podcov(["report", "damaged"]).with_code(3).printing(&["✗ set aside", &name]);
    assert_eq!(place.record()["set_aside"][0]["file"], format!("../{name}"));
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &[sound]));
    place.podcov(["report", "damaged", "--allow-incomplete"]).with_code(0).printing(&["✗ set aside", &name]);
}

#[test]
fn hostile_files_are_set_aside_and_harm_nobody() {
    let place = Place::new();
    let (sound, data) = (place.path("sound"), place.path("data"));
    measure(go::program(), &["exit", "0"], &sound);
    measure(go::program(), &["exit", "0"], &data);
    let hash = |last: char| HASH[1..].to_owned() + &last.to_string();
    let write = |name: String, bytes: &[u8]| fs::write(data.join(name), bytes).unwrap();
    write(format!("covmeta.{HASH}"), b"garbage");
    write(format!("covmeta.{}", hash('a')), b"");
    // A header that claims to be of the largest length, with as many packages.
    write(format!("covmeta.{}", hash('b')), &[b"\0cvm\x01\0\0\0".as_slice(), &[0xff; 48]].concat());
    write(format!("covcounters.{HASH}.1.2"), &[0xff; 4096]);
    // A terabyte that takes no room on the disk.
    File::create(data.join(format!("covcounters.{HASH}.3.4"))).unwrap().set_len(1 << 40).unwrap();
    let pipe = Command::new("mkfifo").arg(data.join(format!("covcounters.{HASH}.5.6"))).status().unwrap();
    assert!(pipe.success());

    let ended = place.podcov(["report", "data"]).with_code(3);
    let set_aside = place.record()["set_aside"].as_array().unwrap().clone();
    assert_eq!(set_aside.len(), 5, "{set_aside:#?}");
    for file in &set_aside {
        let name = file["file"].as_str().unwrap();
        assert!(ended.output.contains(&format!("set aside {name}: ")), "{name} is not in {}", ended.output);
    }
    assert!(ended.output.contains("1099511627776 bytes are more than any coverage data has"));
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &[sound]));
}

#[test]
fn links_are_not_followed_and_said() {
    let place = Place::new();
    let data = place.path("data");
    let sound = place.path("sound");
    measure(go::program(), &["exit", "0"], &data);
    measure(go::program(), &["exit", "0"], &sound);
    symlink(&data, data.join("loop")).unwrap();
    symlink("/", data.join("root")).unwrap();
    symlink("itself", data.join("itself")).unwrap();
    symlink("/etc/passwd", data.join(format!("covmeta.{HASH}"))).unwrap();
    place.podcov(["report", "data"]).with_code(0).printing(&["1 of 1 process", "! not followed: 4 links"]);
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &[sound]));
    // The one that is named is followed: it was meant.
    symlink("data", place.path("link")).unwrap();
    place.podcov(["report", "link"]).with_code(0).printing(&["1 of 1 process"]);
}

#[test]
fn names_that_could_drive_the_terminal_or_the_page_do_not() {
    let place = Place::new();
    let name = "<script>alert(1)\u{1b}[2J\n&amp;";
    measure(go::program(), &["exit", "0"], &place.path("data").join(name));
    measure(go::program(), &["exit", "0"], &place.path("data/other"));
    let ended = place.podcov(["report", "data"]).with_code(0);
    assert!(!ended.output.contains('\u{1b}'), "{}", ended.output);
    assert!(!place.text("coverage/index.html").contains("<script>alert"), "markup in the page");
}

#[test]
fn the_reason_for_no_data_is_said() {
    let place = Place::new();
    fs::create_dir_all(place.path("empty/within")).unwrap();
    fs::write(place.path("empty/README"), "not data").unwrap();
    place.podcov(["report", "empty"]).with_code(1).saying(&[
        "Error: there is no coverage data in empty",
        "looked at 2 directories and 1 file",
        "Hint: Go writes it to the directory in GOCOVERDIR",
        "go build -cover",
    ]);
    place.podcov(["report", "nowhere"]).with_code(1).saying(&["cannot read nowhere", "No such file"]);
    place
        .podcov(["report", "empty/README"])
        .with_code(1)
        .saying(&["empty/README is neither a directory nor a text profile"]);

    measure(go::program(), &["exit", "0"], &place.path("counters"));
    fs::remove_file(&go::files(&place.path("counters"), "covmeta.")[0]).unwrap();
    place
        .podcov(["report", "counters"])
        .with_code(1)
        .saying(&["1 counter file in counters, but no meta-data"]);

    fs::create_dir(place.path("unfinished")).unwrap();
    fs::write(place.path("unfinished/tmp.covmeta.0123"), "").unwrap();
    place
        .podcov(["report", "unfinished"])
        .with_code(1)
        .saying(&["1 tmp.cov* file never completed", "disk was full"]);
    assert!(!place.path("coverage").exists());
}

#[test]
fn metadata_without_counters_is_not_said_to_be_0_percent() {
    let place = Place::new();
    let silent = place.path("data/silent");
    measure(go::program(), &["exit", "0"], &silent);
    fs::remove_file(&go::files(&silent, "covcounters.")[0]).unwrap();
    let ended =
        place.podcov(["report", "data"]).with_code(1).saying(&["no counters", "which is not 0 %", "SIGTERM"]);
    assert!(!ended.output.contains("0.0 %"));

    let shop = go::shop_service(Release::Newest, "api");
    measure(&shop, &["--help"], &place.path("data/heard"));
    let ended = place
        .podcov(["report", "data"])
        .with_code(3)
        .printing(&["1 of 2 programs", "has no counters: its process still runs, or was killed"]);
    let silent = &place.record()["summary"]["workloads"][1];
    assert_eq!((&silent["workload"], &silent["percent"]), (&json!("silent"), &json!(null)));
    assert!(!ended.output.contains("silent    0.0"), "{}", ended.output);
}

#[test]
fn the_record_is_printed_for_programs() {
    let place = Place::new();
    measure(go::program(), &["exit", "0"], &place.path("data"));
    let ended = place.podcov(["report", "data", "--output", "json"]).with_code(0).saying(&["✓ collected"]);
    let printed: serde_json::Value = serde_json::from_str(&ended.output).unwrap();
    assert_eq!(printed, place.record());
    assert_eq!(percent(&printed["summary"]), go::covdata_total(Release::Newest, &[place.path("data")]));
    assert_eq!(printed["captures"][0]["directory"], "../data");
}

#[test]
fn a_report_never_goes_among_its_data() {
    let place = Place::new();
    measure(go::program(), &["exit", "0"], &place.path("data"));
    for output in ["data", "data/report", "."] {
        place
            .podcov(["report", "data", "-o", output])
            .with_code(2)
            .saying(&["among the data in data", "name a directory apart from the data with -o DIR"]);
    }
    place.podcov(["report", "."]).with_code(2).saying(&["coverage, among the data in ."]);
    assert_eq!(fs::read_dir(place.path("data")).unwrap().count(), 2);
}

#[test]
fn the_report_of_a_run_is_refreshed_in_place_and_keeps_its_record() {
    let place = Place::new();
    place.podcov(["exec", "--", go::program(), "exit", "0"]).with_code(0);
    let before = place.record();
    fs::remove_file(place.path("coverage/index.html")).unwrap();
    fs::remove_file(place.path("coverage/coverage.txt")).unwrap();
    place.podcov(["report", "coverage"]).with_code(0).printing(&["1 of 1 program, 1 of 1 process"]);
    let after = place.record();
    for field in ["id", "started", "captures", "summary"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let data = [place.path("coverage/data/program")];
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &data));
    assert!(place.path("coverage/index.html").exists());
}

#[test]
fn runs_are_merged_under_the_names_they_gave() {
    let place = Place::new();
    let shop = go::shop_service(Release::Newest, "worker");
    place.podcov(["exec", "-o", "one", "--", go::program(), "exit", "0"]).with_code(0);
    place.podcov(["exec", "-o", "two", "--", &shop, "--help"]).with_code(0);
    place.podcov(["report", "one", "two", "-o", "merged"]).with_code(0).printing(&[
        "2 of 2 programs",
        "program",
        "worker",
        "both",
    ]);
    let data = [place.path("one/data/program"), place.path("two/data/worker")];
    assert_eq!(go::blocks(&place.path("merged/coverage.txt")), go::textfmt(Release::Newest, &data));
    place.podcov(["report", "merged"]).with_code(0).printing(&["2 of 2 programs"]);
    assert_eq!(go::blocks(&place.path("merged/coverage.txt")), go::textfmt(Release::Newest, &data));
}

fn percent(figures: &serde_json::Value) -> String {
    format!("{:.1}%", figures["percent"].as_f64().unwrap())
}

/// Every file below a directory, with its content.
fn listing(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                pending.push(path);
            } else {
                files.push((path.clone(), fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}
