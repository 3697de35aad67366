//! Real modules of the Go module proxy, of different shapes: the figures and lines of a report are those of
//! `go tool cover`, whatever the sources are like.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::go::{self, Release};
use crate::place::Place;

/// A module, and what of it is tested.
struct Module {
    path: &'static str,
    version: &'static str,
    packages: &'static [&'static str],
    mode: &'static str,
}

const fn module(
    path: &'static str,
    version: &'static str,
    packages: &'static [&'static str],
    mode: &'static str,
) -> Module {
    Module { path, version, packages, mode }
}

#[test]
fn generic_code_is_as_go_tool_cover_says() {
    compare(&module("github.com/google/btree", "v1.1.3", &["."], "count"));
}

#[test]
fn a_module_with_a_version_in_its_path_is_as_go_tool_cover_says() {
    compare(&module("github.com/hashicorp/golang-lru/v2", "v2.0.7", &["./..."], "atomic"));
}

#[test]
#[ignore = "long: ten modules are downloaded, built and tested"]
fn modules_of_every_shape_are_as_go_tool_cover_says() {
    for shape in [
        // A file that only some systems build.
        module("github.com/google/uuid", "v1.6.0", &["."], "set"),
        // Nested modules, one of them inside another.
        module("github.com/pelletier/go-toml/v2", "v2.2.3", &["./..."], "count"),
        // Large functions, no package below.
        module("gopkg.in/yaml.v3", "v3.0.1", &["."], "count"),
        // Many small packages.
        module(
            "golang.org/x/text",
            "v0.21.0",
            &["./cases", "./language", "./unicode/...", "./transform"],
            "atomic",
        ),
        // Generics.
        module("github.com/google/btree", "v1.1.3", &["."], "set"),
        // A version in the path, nested packages.
        module("github.com/hashicorp/golang-lru/v2", "v2.0.7", &["./..."], "count"),
        module("github.com/cespare/xxhash/v2", "v2.3.0", &["."], "atomic"),
        // cgo.
        module("github.com/DataDog/zstd", "v1.5.6", &["."], "set"),
        // Build tags, a file for each system.
        module("github.com/mattn/go-isatty", "v0.0.20", &["."], "set"),
        // Generated code.
        module(
            "google.golang.org/protobuf",
            "v1.36.5",
            &["./types/known/...", "./encoding/protowire"],
            "count",
        ),
    ] {
        compare(&shape);
    }
}

fn compare(module: &Module) {
    let place = Place::new();
    let checkout = check_out(module, &place);
    let profile = place.path("unit.out");
    let output = Command::new("go")
        .args(["test", "-count=1", "-short", "-covermode", module.mode])
        .arg(format!("-coverprofile={}", profile.display()))
        .args(module.packages)
        .current_dir(&checkout)
        .envs([("GOFLAGS", "-mod=mod"), ("GOWORK", "off")])
        .output()
        .unwrap();
    // That a test of it fails here is not what is asked.
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let blocks = fs::read_to_string(&profile).unwrap_or_default().lines().count();
    assert!(blocks > 1, "{}: {said}", module.path);

    let arguments = [
        "report",
        "unit.out",
        "--source",
        "checkout",
        "--format",
        "json=report.json",
        "--format",
        "func=func.txt",
    ];
    let ended = place.podcov(arguments.into_iter().chain(["--ignore-comments=false"])).with_code(0);
    assert!(!ended.errors.contains("warning"), "{}: {}", module.path, ended.errors);

    let total = go::cover_total(Release::Newest, &checkout, &profile);
    assert_eq!(place.text("func.txt").split_whitespace().last(), Some(total.as_str()), "{}", module.path);
    let ours =
        lines_of_document(&serde_json::from_slice(&fs::read(place.path("report.json")).unwrap()).unwrap());
    let theirs = lines_of_page(&checkout, &profile, &place.path("cover.html"));
    assert!(ours.values().map(BTreeMap::len).sum::<usize>() > 5, "{}: {ours:?}", module.path);
    for (file, lines) in &theirs {
        let own = ours.get(file).unwrap_or_else(|| panic!("{} {file} is not in the report", module.path));
        let differing: Vec<_> = own
            .keys()
            .chain(lines.keys())
            .filter(|line| own.get(line) != lines.get(line))
            .map(|line| (line, own.get(line), lines.get(line)))
            .collect();
        assert!(differing.is_empty(), "{} {file}: line, of podcov, of Go: {differing:?}", module.path);
    }
    assert_eq!(ours.len(), theirs.len(), "{}", module.path);
}

/// A copy that may be written to: what is in the module cache may not.
fn check_out(module: &Module, place: &Place) -> PathBuf {
    let query = format!("{}@{}", module.path, module.version);
    let output =
        Command::new("go").args(["mod", "download", "-json", &query]).current_dir("/").output().unwrap();
    let downloaded: Value = serde_json::from_slice(&output.stdout).unwrap();
    let directory = downloaded["Dir"].as_str().unwrap_or_else(|| panic!("{query}: {downloaded}"));
    let checkout = place.path("checkout");
    let copied =
        Command::new("cp").args(["-r", "--no-preserve=mode", directory]).arg(&checkout).status().unwrap();
    assert!(copied.success());
    checkout
}

/// Largest count of each executable line, and whether a part of the line did not run.
type Lines = BTreeMap<u64, (u64, bool)>;

fn lines_of_document(document: &Value) -> BTreeMap<String, Lines> {
    let packages = document["packages"].as_array().unwrap();
    let files = packages.iter().flat_map(|package| package["files"].as_array().unwrap());
    let lines = |file: &Value| {
        let mut lines = Lines::new();
        for stretch in file["lines"].as_array().unwrap() {
            for line in stretch["first"].as_u64().unwrap()..=stretch["last"].as_u64().unwrap() {
                lines
                    .insert(line, (stretch["hits"].as_u64().unwrap(), stretch["partial"].as_bool().unwrap()));
            }
        }
        lines
    };
    files.map(|file| (file["name"].as_str().unwrap().to_owned(), lines(file))).collect()
}

/// The same, from the colours of the page of `go tool cover -html`.
fn lines_of_page(checkout: &Path, profile: &Path, page: &Path) -> BTreeMap<String, Lines> {
    let flags = [format!("-html={}", profile.display()), format!("-o={}", page.display())];
    let status =
        Command::new("go").args(["tool", "cover"]).args(flags).current_dir(checkout).status().unwrap();
    assert!(status.success());
    let page = fs::read_to_string(page).unwrap();
    let names = page.split("<option value=\"file").skip(1).map(|option| {
        let name = option.split_once('>').unwrap().1.split_once("</option>").unwrap().0;
        name.rsplit_once(" (").unwrap().0.to_owned()
    });
    let texts = page.split("<pre class=\"file\"").skip(1).map(|text| {
        let text = text.split_once('>').unwrap().1;
        lines_of_colours(text.split_once("</pre>").unwrap().0)
    });
    names.zip(texts).collect()
}

/// `title` has the count.
fn lines_of_colours(mut text: &str) -> Lines {
    let mut counts = BTreeMap::<u64, Vec<u64>>::new();
    let (mut line, mut open) = (1, Vec::<u64>::new());
    while let Some(character) = text.chars().next() {
        if let Some(rest) = text.strip_prefix("<span class=\"cov") {
            let title = rest.split_once("title=\"").unwrap().1;
            let (count, rest) = title.split_once("\">").unwrap();
            open.push(count.parse().unwrap());
            text = rest;
        } else if let Some(rest) = text.strip_prefix("</span>") {
            open.pop();
            text = rest;
        } else {
            if let Some(count) = open.last() {
                counts.entry(line).or_default().push(*count);
            }
            line += u64::from(character == '\n');
            text = &text[character.len_utf8()..];
        }
    }
    let state = |counts: Vec<u64>| {
        let most = counts.iter().copied().max().unwrap();
        (most, most > 0 && counts.contains(&0))
    };
    counts.into_iter().map(|(line, counts)| (line, state(counts))).collect()
}
