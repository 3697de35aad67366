//! What `podcov covdata` does beyond `go tool covdata`: other inputs, other outputs, and what is wrong with the data.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    reason = "a test that cannot go on has failed; small texts"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Real data of a program, and what covdata of the same release made of it.
fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/coverage/go1.26.8")
}

fn expected_text() -> String {
    fs::read_to_string(sample().join("textfmt")).unwrap()
}

fn data_files(prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(sample()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix)).collect();
    files.sort();
    files
}

fn podcov() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command.arg("covdata");
    command
}

fn run(arguments: &[&str]) -> Output {
    podcov().args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A copy of the data files in a directory below another.
fn copy() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let nested = place.path().join("pods/api-7d9");
    fs::create_dir_all(&nested).unwrap();
    for file in data_files("cov") {
        fs::copy(&file, nested.join(file.file_name().unwrap())).unwrap();
    }
    (place, nested)
}

fn shell(script: &str, place: &Path) {
    let status = Command::new("bash").args(["-euc", script]).current_dir(place).status().unwrap();
    assert!(status.success(), "{script}");
}

#[test]
fn directories_below_are_read_only_if_that_is_asked_for() {
    let (place, _) = copy();
    let input = format!("-i={}", place.path().display());
    let output = run(&["textfmt", &input, "-o=-"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no coverage data in") && stderr(&output).contains("--recursive"));
    assert_eq!(stdout(&output), "");
    assert_eq!(stdout(&run(&["textfmt", &input, "-o=-", "--recursive"])), expected_text());
}

#[test]
fn archives_of_every_kind_are_read_as_their_directories() {
    let (place, _) = copy();
    shell("tar cf a.tar pods; tar czf a.tgz pods; tar cf - pods | zstd -q -o a.tar.zst", place.path());
    for archive in ["a.tar", "a.tgz", "a.tar.zst"] {
        let path = place.path().join(archive);
        let output = run(&["textfmt", &format!("-i={}", path.display()), "-o=-"]);
        assert_eq!(stdout(&output), expected_text(), "{archive}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{archive}");

        let from_stdin = podcov()
            .args(["textfmt", "-i=-", "-o=-"])
            .stdin(fs::File::open(&path).unwrap())
            .output()
            .unwrap();
        assert_eq!(stdout(&from_stdin), expected_text(), "{archive}: {}", stderr(&from_stdin));
    }
}

#[test]
fn a_cut_off_archive_is_an_error() {
    let (place, _) = copy();
    shell("tar czf a.tgz pods; head -c 300 a.tgz > cut.tgz", place.path());
    let output = run(&["percent", &format!("-i={}", place.path().join("cut.tgz").display())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot take the coverage data out of"), "{}", stderr(&output));
}

#[test]
fn an_archive_cannot_write_outside_of_its_place() {
    let (place, _) = copy();
    let script = "tar cf evil.tar --absolute-names --transform 's,^pods,../../../evil-podcov,' pods";
    shell(script, place.path());
    let output = run(&["textfmt", &format!("-i={}", place.path().join("evil.tar").display()), "-o=-"]);
    assert_eq!(stdout(&output), expected_text());
    let temporary = std::env::temp_dir();
    for directory in [place.path(), &temporary, temporary.parent().unwrap()] {
        assert!(!directory.join("evil-podcov").exists());
    }
}

#[test]
fn text_profiles_are_added_to_data_files() {
    let place = tempfile::tempdir().unwrap();
    let text = place.path().join("unit.txt");
    fs::write(&text, expected_text()).unwrap();
    let both = format!("-i={},{}", sample().display(), text.display());
    let output = run(&["textfmt", &both, "-o=-"]);
    let doubled: String = expected_text()
        .lines()
        .map(|line| match line.rsplit_once(' ') {
            Some((_, mode)) if line.starts_with("mode: ") => format!("mode: {mode}\n"),
            Some((block, count)) if !expected_text().starts_with("mode: set") => {
                format!("{block} {}\n", count.parse::<u32>().unwrap() * 2)
            }
            _ => format!("{line}\n"),
        })
        .collect();
    assert_eq!(stdout(&output), doubled, "{}", stderr(&output));

    let alone = run(&["textfmt", &format!("-i={}", text.display()), "-o=-"]);
    assert_eq!(stdout(&alone), expected_text(), "{}", stderr(&alone));
    let merged = run(&["merge", &both, &format!("-o={}", place.path().join("merged").display())]);
    assert_eq!(merged.status.code(), Some(2));
    assert!(stderr(&merged).contains("a text profile cannot become data files"));
}

#[test]
fn a_total_is_that_of_all_packages() {
    let input = format!("-i={}", sample().display());
    let lines = stdout(&run(&["percent", &input, "--total"]));
    let total = lines.lines().last().unwrap().to_owned();
    let of_func = stdout(&run(&["func", &input]));
    let percent = of_func.lines().last().unwrap().rsplit('\t').next().unwrap().to_owned();
    assert_eq!(total, format!("total\t\tcoverage: {percent} of statements"));
}

#[test]
fn excluded_packages_are_left_out() {
    let input = format!("-i={}", sample().display());
    let all = stdout(&run(&["pkglist", &input]));
    let excluded = all.lines().next().unwrap();
    let rest = stdout(&run(&["pkglist", &input, "--exclude", excluded]));
    assert_eq!(format!("{excluded}\n{rest}"), all);
    let nothing = run(&["pkglist", &input, "-pkg=./..."]);
    assert_eq!(stdout(&nothing), "");
    assert!(stderr(&nothing).contains("patterns match import paths"), "{}", stderr(&nothing));
}

#[test]
fn json_says_what_the_lines_say() {
    let input = format!("-i={}", sample().display());
    let percent: serde_json::Value =
        serde_json::from_slice(&run(&["percent", &input, "--json"]).stdout).unwrap();
    let lines: String = percent["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let percent = package["totals"]["percent"].as_f64().unwrap();
            format!(
                "\t{}\t\tcoverage: {percent:.1}% of statements\n",
                package["importPath"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(lines, stdout(&run(&["percent", &input])));

    let func: serde_json::Value = serde_json::from_slice(&run(&["func", &input, "--json"]).stdout).unwrap();
    let functions = func["functions"].as_array().unwrap();
    let text = stdout(&run(&["func", &input]));
    assert_eq!(functions.len() + 1, text.lines().count());
    for (function, line) in functions.iter().zip(text.lines()) {
        let place = format!("{}:{}:", function["file"].as_str().unwrap(), function["line"]);
        assert!(line.starts_with(&place), "{line} {place}");
        assert!(line.contains(function["name"].as_str().unwrap()), "{line}");
    }
    assert_eq!(func["total"], percent["total"]);
}

#[test]
fn a_damaged_file_is_named_and_the_rest_is_used() {
    let (_place, data) = copy();
    let whole = data_files("covcounters.").into_iter().next().unwrap();
    let name = whole.file_name().unwrap().to_str().unwrap().to_owned() + "9";
    let bytes = fs::read(whole).unwrap();
    fs::write(data.join(&name), &bytes[..bytes.len() - 20]).unwrap();
    let input = format!("-i={}", data.display());

    let output = run(&["textfmt", &input, "-o=-"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(stdout(&output), expected_text());
    assert!(stderr(&output).contains(&name) && stderr(&output).contains("offset"), "{}", stderr(&output));

    let strict = run(&["textfmt", &input, "-o=-", "--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    assert_eq!(stdout(&strict), "");
    assert!(stderr(&strict).contains(&name), "{}", stderr(&strict));
}

#[test]
fn counters_under_the_name_of_another_program_are_refused() {
    let (_place, data) = copy();
    let whole = data_files("covcounters.").into_iter().next().unwrap();
    let name = format!("covcounters.{}.1.2", "0".repeat(32));
    fs::copy(whole, data.join(&name)).unwrap();
    let output = run(&["textfmt", &format!("-i={}", data.display()), "-o=-"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(stdout(&output), expected_text());
    assert!(stderr(&output).contains("named after the program 0000"), "{}", stderr(&output));
}

#[test]
fn counters_alone_are_no_data() {
    let (_place, data) = copy();
    for file in data_files("covmeta.") {
        fs::remove_file(data.join(file.file_name().unwrap())).unwrap();
    }
    let output = run(&["percent", &format!("-i={}", data.display())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("counters need the covmeta file"), "{}", stderr(&output));
}

#[test]
fn what_is_no_data_is_an_error() {
    let mut child = podcov()
        .args(["percent", "-i=-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("standard input is no directory"), "{}", stderr(&output));
}
