//! Real modules of the Go module proxy, of different shapes: the figures and lines of a report are those of Go's own tools,
//! whatever the sources are like. That a module has the shape that a test names is asked of its sources and of Go.

mod checkout;
mod lines;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::go::measure;
use checkout::Checkout;

/// Depends on [`MULTIERR`].
const ZAP: &str = "go.uber.org/zap@v1.27.0";
const MULTIERR: &str = "go.uber.org/multierr";

#[test]
fn generic_code_is_as_go_tool_cover_says() {
    let btree = Checkout::of("github.com/google/btree@v1.1.3");
    assert!(btree.source("btree_generic.go").contains("type BTreeG[T any]"));
    compare(&btree, &btree.test("count", &[], &["."]));
}

#[test]
fn a_module_with_a_version_in_its_path_is_as_go_tool_cover_says() {
    let lru = Checkout::of("github.com/hashicorp/golang-lru/v2@v2.0.7");
    assert!(lru.go(&["list", "-m"]).ends_with("/v2"));
    compare(&lru, &lru.test("atomic", &[], &["./..."]));
}

#[test]
fn files_that_some_systems_build_are_as_go_tool_cover_says() {
    for (module, other) in [
        ("github.com/mattn/go-isatty@v0.0.20", "isatty_windows.go"),
        ("github.com/google/uuid@v1.6.0", "node_js.go"),
    ] {
        let checkout = Checkout::of(module);
        assert!(checkout.go(&["list", "-f", "{{.IgnoredGoFiles}}"]).contains(other));
        compare(&checkout, &checkout.test("set", &[], &["."]));
    }
}

#[test]
fn a_vendored_dependency_is_as_go_tool_cover_says() {
    let zap = Checkout::of(ZAP);
    zap.go(&["mod", "vendor"]);
    assert_eq!(zap.directory_of(MULTIERR), zap.path("vendor").join(MULTIERR));
    compare(&zap, &zap.test("count", &["./zapcore", MULTIERR], &["./zapcore"]));
}

#[test]
fn a_dependency_in_the_module_cache_is_as_go_tool_cover_says() {
    let zap = Checkout::of(ZAP);
    assert!(zap.directory_of(MULTIERR).starts_with(zap.go(&["env", "GOMODCACHE"])));
    compare(&zap, &zap.test("atomic", &["./zapcore", MULTIERR], &["./zapcore"]));
}

#[test]
fn a_replaced_dependency_is_as_go_tool_cover_says() {
    let zap = Checkout::of(ZAP);
    let fork = zap.add("go.uber.org/multierr@v1.11.0", "forks/errors");
    zap.go(&["mod", "edit", &format!("-replace={MULTIERR}=./forks/errors")]);
    assert_eq!(zap.directory_of(MULTIERR), fork);
    compare(&zap, &zap.test("count", &["./zapcore", MULTIERR], &["./zapcore"]));
}

#[test]
fn nested_modules_of_a_workspace_are_as_go_tool_cover_says() {
    let zap = Checkout::of(ZAP);
    let nested = zap.add("go.uber.org/zap/exp@v0.3.0", "exp");
    zap.go(&["work", "init", ".", "./exp"]);
    let modules = zap.go(&["list", "-m", "-f", "{{.Dir}}"]);
    assert_eq!(modules.lines().map(Path::new).collect::<Vec<_>>(), [&zap.path(""), &nested]);
    compare(&zap, &zap.test("count", &["./zapcore", "./exp/..."], &["./zapcore", "./exp/..."]));
}

/// The go tools name what a parser generator's `//line` directives name, and `go tool cover` then refuses the profile.
#[test]
fn line_directives_count_as_go_tool_covdata_says_and_other_files_are_as_go_tool_cover_says() {
    let lua = Checkout::of("github.com/yuin/gopher-lua@v1.1.1");
    assert!(lua.source("parse/parser.go").contains("\n//line parser.go.y:"));
    let (program, data) = (lua.place.path("glua"), lua.place.path("data"));
    lua.go(&["build", "-cover", "-coverpkg=./...", "-o", program.to_str().unwrap(), "./cmd/glua"]);
    measure(program.to_str().unwrap(), &["-e", "local t = {} for i = 1, 9 do t[i] = i end"], &data);
    let input = format!("-i={}", data.display());
    let profile = lua.place.path("profile.out");
    lua.go(&["tool", "covdata", "textfmt", &input, &format!("-o={}", profile.display())]);
    assert!(!lua.accepts(&["tool", "cover", &format!("-func={}", profile.display())]));

    let reported = report(&lua, "data");
    let func = lua.go(&["tool", "covdata", "func", &input]);
    assert_eq!(lua.place.text("func.txt").trim(), func);
    let of_go_files = lua.place.path("go.out");
    fs::write(&of_go_files, without_other_languages(&profile)).unwrap();
    let go_files = |lines: BTreeMap<String, _>| lines.into_iter().filter(|(file, _)| is_go(file)).collect();
    lines::assert_equal(&go_files(reported.lines), &lua.lines(&of_go_files));
    assert!(reported.errors.contains("2 of 31 files"), "{}", reported.errors);
    assert!(reported.errors.contains("named by a //line directive"), "{}", reported.errors);
}

#[test]
#[ignore = "long: C is compiled"]
fn cgo_is_as_go_tool_cover_says() {
    let zstd = Checkout::of("github.com/DataDog/zstd@v1.5.6");
    assert!(zstd.go(&["list", "-f", "{{.CgoFiles}}"]).contains("zstd.go"));
    compare(&zstd, &zstd.test("set", &[], &["."]));
}

#[test]
#[ignore = "long: large modules are downloaded, built and tested"]
fn generated_code_is_as_go_tool_cover_says() {
    let protobuf = Checkout::of("google.golang.org/protobuf@v1.36.5");
    let generated = protobuf.source("types/known/timestamppb/timestamp.pb.go");
    assert!(generated.contains("\n// Code generated by protoc-gen-go. DO NOT EDIT.\n"));
    compare(&protobuf, &protobuf.test("count", &[], &["./types/known/...", "./encoding/protowire"]));
}

#[test]
#[ignore = "long: large modules are downloaded, built and tested"]
fn assembly_many_packages_and_large_functions_are_as_go_tool_cover_says() {
    let hash = Checkout::of("github.com/cespare/xxhash/v2@v2.3.0");
    assert!(hash.go(&["list", "-f", "{{.SFiles}}"]).contains("xxhash_amd64.s"));
    compare(&hash, &hash.test("atomic", &[], &["."]));

    let text = Checkout::of("golang.org/x/text@v0.21.0");
    assert!(text.go(&["list", "./unicode/..."]).lines().count() > 4);
    compare(&text, &text.test("atomic", &[], &["./cases", "./language", "./unicode/...", "./transform"]));

    for (module, packages) in
        [("gopkg.in/yaml.v3@v3.0.1", "."), ("github.com/pelletier/go-toml/v2@v2.2.3", "./...")]
    {
        let checkout = Checkout::of(module);
        compare(&checkout, &checkout.test("set", &[], &[packages]));
    }
}

/// What podcov says of some data.
struct Reported {
    lines: BTreeMap<String, lines::Lines>,
    errors: String,
}

fn report(checkout: &Checkout, data: &str) -> Reported {
    let formats = ["--format", "json=report.json", "--format", "func=func.txt"];
    // What comments leave out of podcov's figures is in Go's.
    let flags = ["report", data, "--source", "checkout", "--ignore-comments=false"];
    let ended = checkout.place.podcov(flags.iter().chain(&formats)).with_code(0);
    let document: Value = serde_json::from_str(&checkout.place.text("report.json")).unwrap();
    Reported { lines: lines::of_document(&document), errors: ended.errors }
}

/// Fails unless podcov and `go tool cover` say the same of a text profile.
fn compare(checkout: &Checkout, profile: &Path) {
    let reported = report(checkout, profile.to_str().unwrap());
    assert!(!reported.errors.contains("warning"), "{}", reported.errors);
    let func = checkout.go(&["tool", "cover", &format!("-func={}", profile.display())]);
    let total = |text: &str| text.split_whitespace().last().map(str::to_owned);
    assert_eq!(total(&checkout.place.text("func.txt")), total(&func));
    lines::assert_equal(&reported.lines, &checkout.lines(profile));
}

fn without_other_languages(profile: &Path) -> String {
    let text = fs::read_to_string(profile).unwrap();
    let is_of_go = |line: &&str| {
        line.starts_with("mode: ") || line.rsplit_once(':').is_some_and(|(file, _)| is_go(file))
    };
    text.lines().filter(is_of_go).flat_map(|line| [line, "\n"]).collect()
}

fn is_go(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "go")
}
