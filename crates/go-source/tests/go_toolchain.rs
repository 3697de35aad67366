//! Go itself is asked where its packages are, and what it calls their files.

#![allow(clippy::unwrap_used, reason = "what a test calls may panic like the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use go_source::Sources;

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// What `go` prints. The environment keeps it from the network and from another toolchain.
fn go(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("go")
        .args(arguments)
        .current_dir(directory)
        .env_remove("GOFLAGS")
        .env("GOWORK", "")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .output()
        .expect("these tests need a Go toolchain");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const EVERY_FILE: &str =
    "{{if not .Standard}}{{range .GoFiles}}{{$.ImportPath}}/{{.}}\t{{$.Dir}}/{{.}}\n{{end}}{{end}}";

#[test]
fn every_file_of_a_workspace_is_where_go_says() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    write(
        &root,
        &[
            ("go.work", "go 1.21\n\nuse (\n\t./shop\n\t./lib\n)\n"),
            (
                "shop/go.mod",
                "module \"example.com/shop/v2\"\n\ngo 1.21\n\nrequire (\n\texample.com/money v1.0.0\n)\n\nreplace example.com/money => ../third/money\n",
            ),
            (
                "shop/main.go",
                "package main\n\nimport (\n\t_ \"example.com/lib\"\n\t_ \"example.com/lib/deep\"\n\
                 \t_ \"example.com/money\"\n\t_ \"example.com/shop/v2/internal/cart\"\n)\n\nfunc main() {}\n",
            ),
            ("shop/internal/cart/cart.go", "package cart\n"),
            ("lib/go.mod", "module example.com/lib\n\ngo 1.21\n"),
            ("lib/lib.go", "package lib\n"),
            ("lib/deep/deep.go", "package deep\n"),
            ("third/money/go.mod", "module example.com/money\n\ngo 1.21\n"),
            ("third/money/money.go", "package money\n"),
        ],
    );
    let listed = go(&root.join("shop"), &["list", "-deps", "-f", EVERY_FILE, "."]);
    let listed: BTreeMap<&str, PathBuf> = listed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(file, path)| (file, PathBuf::from(path)))
        .collect();
    assert_eq!(listed.len(), 5, "{listed:?}");
    for start in ["shop", "shop/internal/cart", "."] {
        let sources = Sources::discover_with_module_cache(&root.join(start), None).unwrap();
        for (file, path) in &listed {
            assert_eq!(sources.find(file).unwrap().path, *path, "{file} from {start}");
        }
    }
}

#[test]
fn files_named_by_a_real_program_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    write(
        &root,
        &[
            ("go.mod", "module example.com/shop\n\ngo 1.21\n"),
            (
                "cmd/shop/main.go",
                "package main\n\nimport \"example.com/shop/cart\"\n\nfunc main() { cart.Add() }\n",
            ),
            ("cart/cart.go", "package cart\n\nfunc Add() {\n\tprintln()\n}\n"),
        ],
    );
    // By package path, and by file name: then main.go gets an absolute path.
    for (target, main) in [("./cmd/shop", "example.com/shop/cmd/shop/main.go"), ("./cmd/shop/main.go", "/")] {
        let data = root.join("data");
        fs::create_dir_all(&data).unwrap();
        go(&root, &["build", "-cover", "-trimpath", "-coverpkg=./...", "-o", "program", target]);
        let ended = Command::new(root.join("program")).env("GOCOVERDIR", &data).status().unwrap();
        assert!(ended.success());
        go(&root, &["tool", "covdata", "textfmt", "-i=data", "-o=profile.txt"]);
        let profile = fs::read_to_string(root.join("profile.txt")).unwrap();
        let files: Vec<&str> =
            profile.lines().skip(1).filter_map(|line| Some(line.rsplit_once(':')?.0)).collect();
        assert!(files.iter().any(|file| file.starts_with(main)), "{files:?}");
        assert!(files.contains(&"example.com/shop/cart/cart.go"), "{files:?}");
        let sources = Sources::discover_with_module_cache(&root, None).unwrap();
        for file in files {
            let expected = if file.contains("cart") { "cart/cart.go" } else { "cmd/shop/main.go" };
            assert_eq!(sources.find(file).unwrap().path, root.join(expected), "{file}");
        }
        fs::remove_dir_all(&data).unwrap();
    }
}
