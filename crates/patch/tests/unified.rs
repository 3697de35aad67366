//! Patches that real git and real diff write, and ones that nobody should.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fmt::Write;
use std::process::Command;

use podcov_patch::{Change, Error, FileChange, Kind, Patch};
use support::Repository;

/// A numbered line each, so that none is like another.
fn lines(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().fold(String::new(), |mut text, number| {
        writeln!(text, "line {number}").unwrap();
        text
    })
}

fn parse(patch: &[u8]) -> Patch {
    Patch::parse(patch).unwrap_or_else(|error| panic!("{error} in\n{}", String::from_utf8_lossy(patch)))
}

#[track_caller]
fn file<'a>(patch: &'a Patch, name: &str) -> &'a FileChange {
    let found =
        patch.files.iter().find(|file| file.new_path.as_deref().or(file.old_path.as_deref()) == Some(name));
    found.unwrap_or_else(|| panic!("{name} is not in {patch:#?}"))
}

fn changed(file: &FileChange) -> Vec<u32> {
    file.lines.ranges().cloned().flatten().collect()
}

/// Everything that git can do to a file, in one commit.
fn everything() -> Repository {
    let repository = Repository::new();
    let long = lines(1..=60);
    for name in ["plain.go", "moved/old.go", "copied.go", "mode.go", "with space.go", "na\u{ef}ve\t\"q\".go"]
    {
        repository.write(name, &long);
    }
    repository.write("removed.go", lines(100..=140));
    repository.write("no-end.go", "a\nb\nc");
    repository.write("windows.go", long.replace('\n', "\r\n"));
    repository.write("binary.bin", [0, 1, 2, 255, 0]);
    repository.write("a/main.go", &long);
    repository.write("looks-like-a-patch.go", "-- old\nx\n++ new\n@@ -1 +1 @@\n");
    repository.commit();
    let edited = format!("new first\n{}new middle\n{}", lines(1..=20), lines(25..=60));
    for name in ["plain.go", "copied.go", "with space.go", "na\u{ef}ve\t\"q\".go", "a/main.go"] {
        repository.write(name, &edited);
    }
    repository.write("copy.go", format!("{long}one more\n"));
    repository.git(&["mv", "moved/old.go", "new.go"]);
    repository.write("new.go", long.replace("line 30\n", "another\n"));
    repository.git(&["rm", "--quiet", "removed.go"]);
    repository.git(&["update-index", "--chmod=+x", "mode.go"]);
    repository.git(&["config", "core.fileMode", "false"]);
    repository.write("no-end.go", "a\nb\nc\nd");
    repository.write("windows.go", long.replace("line 30\n", "another\nand one\n").replace('\n', "\r\n"));
    repository.write("binary.bin", [0, 1, 2, 254, 0]);
    repository.write("added.go", lines(200..=240));
    repository.write("empty.go", "");
    repository.write("looks-like-a-patch.go", "-- older\nx\n++ newer\n@@ -1,9 +1,9 @@\n");
    repository.commit();
    repository
}

const FORMS: [&[&str]; 9] = [
    &["diff", "-M", "HEAD~1", "HEAD"],
    &["diff", "-M", "-U0", "HEAD~1", "HEAD"],
    &["diff", "-C", "--find-copies-harder", "-U99", "HEAD~1", "HEAD"],
    &["diff", "-M", "--binary", "HEAD~1", "HEAD"],
    &["diff", "-M", "--no-prefix", "HEAD~1", "HEAD"],
    &["-c", "diff.mnemonicPrefix=true", "diff", "-M", "HEAD~1", "HEAD"],
    &["-c", "core.quotePath=false", "diff", "-M", "--full-index", "HEAD~1", "HEAD"],
    &["show", "-M", "HEAD"],
    &["format-patch", "-M", "--stdout", "HEAD~1"],
];

#[test]
fn the_changed_lines_are_those_that_git_blames_on_the_commit() {
    let repository = everything();
    for form in FORMS {
        let patch = parse(&repository.git(form));
        for name in [
            "plain.go",
            "new.go",
            "with space.go",
            "na\u{ef}ve\t\"q\".go",
            "no-end.go",
            "windows.go",
            "a/main.go",
            "looks-like-a-patch.go",
            "added.go",
        ] {
            assert_eq!(changed(file(&patch, name)), repository.new_lines(name), "{name} in {form:?}");
        }
        assert_eq!(changed(file(&patch, "windows.go")), [30, 31], "{form:?}");
        assert_eq!(changed(file(&patch, "no-end.go")), [3, 4], "{form:?}");
    }
}

#[test]
fn what_happens_to_a_file_is_told() {
    let repository = everything();
    for form in FORMS {
        let patch = parse(&repository.git(form));
        let told = |name: &str| {
            let file = file(&patch, name);
            (file.change, file.old_path.as_deref().unwrap_or("-").to_owned(), file.kind)
        };
        let text = |change, old: &str| (change, old.to_owned(), Kind::Text);
        assert_eq!(told("plain.go"), text(Change::Modified, "plain.go"), "{form:?}");
        assert_eq!(told("new.go"), text(Change::Renamed, "moved/old.go"), "{form:?}");
        assert_eq!(told("added.go"), text(Change::Added, "-"), "{form:?}");
        assert_eq!(told("empty.go"), text(Change::Added, "-"), "{form:?}");
        assert_eq!(told("removed.go"), text(Change::Removed, "removed.go"), "{form:?}");
        assert_eq!(told("mode.go"), text(Change::Modified, "mode.go"), "{form:?}");
        assert_eq!(told("binary.bin"), (Change::Modified, "binary.bin".to_owned(), Kind::Binary), "{form:?}");
        assert!(file(&patch, "mode.go").lines.is_empty(), "{form:?}");
        assert!(file(&patch, "removed.go").lines.is_empty(), "{form:?}");
        assert_eq!(file(&patch, "removed.go").new_path, None, "{form:?}");
        assert!(patch.files.iter().all(|file| file.is_of_git), "{form:?}");
    }
    let patch = parse(&repository.git(FORMS[2]));
    let copy = file(&patch, "copy.go");
    assert_eq!((copy.change, changed(copy)), (Change::Copied, vec![61]));
}

#[test]
fn a_submodule_has_no_lines() {
    let inner = Repository::new();
    inner.write("x.go", "x\n");
    inner.commit();
    let repository = Repository::new();
    repository.write("y.go", "y\n");
    repository.commit();
    let url = inner.path("");
    repository.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        url.to_str().unwrap(),
        "inner",
    ]);
    repository.commit();
    let patch = parse(&repository.git(&["diff", "HEAD~1", "HEAD"]));
    let inner = file(&patch, "inner");
    assert_eq!((inner.kind, inner.lines.is_empty()), (Kind::Submodule, true));
}

#[test]
fn plain_diffs_are_read_too() {
    let place = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("old/cart.go", lines(1..=9)),
        ("new/cart.go", lines([1, 2, 3, 77, 5, 6, 7, 8, 9, 10])),
        ("old/gone.go", lines(1..=3)),
        ("new/fresh.go", lines(1..=3)),
        ("old/x.bin", "\0old".to_owned()),
        ("new/x.bin", "\0new".to_owned()),
    ] {
        let path = place.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let diff = |flags: &str| {
        let mut command = Command::new("diff");
        command.args([flags, "old", "new"]).env("LC_ALL", "C").current_dir(place.path());
        command.output().expect("these tests need diff").stdout
    };
    let patch = parse(&diff("-ruN"));
    let cart = file(&patch, "new/cart.go");
    assert_eq!((changed(cart), cart.old_path.as_deref()), (vec![4, 10], Some("old/cart.go")));
    assert!(!cart.is_of_git);
    assert_eq!(changed(file(&patch, "new/fresh.go")), [1, 2, 3]);
    assert_eq!(file(&patch, "new/x.bin").kind, Kind::Binary);

    let patch = parse(&diff("-ru"));
    assert_eq!(changed(file(&patch, "new/cart.go")), [4, 10]);
    assert_eq!(file(&patch, "new/fresh.go").kind, Kind::NotShown);
}

#[test]
fn a_patch_that_is_cut_off_gives_a_part_or_an_error_but_nothing_else() {
    let repository = everything();
    for form in FORMS {
        let bytes = repository.git(form);
        let whole = parse(&bytes);
        for end in 0..bytes.len() {
            let Ok(part) = Patch::parse(&bytes[..end]) else { continue };
            assert!(part.files.len() <= whole.files.len());
            let Some((_, complete)) = part.files.split_last() else { continue };
            assert_eq!(complete, &whole.files[..complete.len()], "cut at {end} of {form:?}");
        }
    }
    let cut = b"--- a/x.go\n+++ b/x.go\n@@ -1,2 +1,2 @@\n x\n-y\n";
    assert_eq!(Patch::parse(cut), Err(Error::Truncated { line: 3 }));
}

#[test]
fn what_is_not_understood_is_an_error_with_its_line() {
    let names = "--- a/x.go\n+++ b/x.go\n";
    let with_hunk = |hunk: &str| Patch::parse(format!("{names}{hunk}").as_bytes());
    let line_of = |result: Result<Patch, Error>| match result {
        Err(Error::Malformed { line, .. }) => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(line_of(with_hunk("@@ -1 +1 @@\n-x\n+y\n+z\n")), 6);
    assert_eq!(line_of(with_hunk("@@ -1 +1 @@\n-x\n-y\n")), 5);
    assert_eq!(line_of(with_hunk("@@ -1 +1 @@\nx\n")), 4);
    assert_eq!(line_of(with_hunk("@@ -1 +x @@\n")), 3);
    assert_eq!(line_of(with_hunk("@@ -1 +-1 @@\n")), 3);
    assert_eq!(line_of(with_hunk("@@ -1 +4294967295,2 @@\n")), 3);
    assert_eq!(line_of(with_hunk("@@ -0,0 +5 @@\n+x\n@@ -0,0 +4 @@\n+y\n")), 6);
    assert_eq!(line_of(Patch::parse(b"@@ -1 +1 @@\n-x\n+y\n")), 1);
    assert_eq!(line_of(Patch::parse(b"\ndiff --git a/old.go b/newer.go\n")), 2);
    assert_eq!(line_of(Patch::parse(b"--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n")), 2);
    assert_eq!(with_hunk(""), Err(Error::Truncated { line: 1 }));
    assert_eq!(Patch::parse(b"hello\n"), Err(Error::NotAPatch));
    assert_eq!(Patch::parse(b"x\ndiff --cc x.go\n"), Err(Error::Combined { line: 2 }));
    assert_eq!(Patch::parse(b"\n \n"), Ok(Patch::default()));
    // No room for as many lines as it speaks of is made before they are there.
    assert_eq!(with_hunk("@@ -0,0 +1,4294967294 @@\n+x\n"), Err(Error::Truncated { line: 3 }));
}

#[test]
fn one_long_line_is_read_in_one_go() {
    for line in ["diff --git a/", "--- \"a/\\", "Only in ", "Binary files ", "@@ -1 +1 "] {
        let hostile = format!("{line}{}\n", " b/x\\".repeat(400_000));
        let started = std::time::Instant::now();
        let _ = Patch::parse(hostile.as_bytes());
        // A quadratic way through it would take hours.
        assert!(started.elapsed().as_secs() < 60, "{line}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(0_u8.., 0..300)) {
        let _ = Patch::parse(&bytes);
    }

    #[test]
    fn any_lines_of_a_patch_are_read_without_a_panic(
        lines in proptest::collection::vec("(diff --git |--- |\\+\\+\\+ |@@ -[0-9],?[0-9]? \\+[0-9],?[0-9]? @@|\\+|-| |rename to |\"a/)[ab/\\\\\"0-7]{0,6}", 0..20),
    ) {
        if let Ok(patch) = Patch::parse(lines.join("\n").as_bytes()) {
            for file in patch.files {
                proptest::prop_assert!(file.old_path.is_some() || file.new_path.is_some());
            }
        }
    }
}
