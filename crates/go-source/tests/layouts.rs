//! Checkouts as they are laid out in practice, and names that are not to be trusted.

#![allow(clippy::unwrap_used, reason = "what a test calls may panic like the test")]

use std::fs;
use std::path::{Path, PathBuf};

use go_source::{Missing, Sources};

/// A checkout with the given files; `.git` marks its top.
struct Checkout {
    directory: tempfile::TempDir,
}

impl Checkout {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join(".git")).unwrap();
        let checkout = Self { directory };
        for (name, text) in files {
            let path = checkout.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    fn sources(&self, root: &str) -> Sources {
        Sources::discover_with_module_cache(&self.path(root), Some(&self.path("cache"))).unwrap()
    }

    fn assert_found(&self, root: &str, file: &str, expected: &str) {
        let found = self.sources(root).find(file).unwrap_or_else(|missing| panic!("{file}: {missing:?}"));
        assert_eq!(found.path, self.path(expected), "{file}");
        assert_eq!(found.text, fs::read_to_string(self.path(expected)).unwrap());
    }

    fn missing(&self, root: &str, file: &str) -> Missing {
        self.sources(root).find(file).expect_err(file)
    }
}

#[test]
fn a_file_is_found_by_the_module_path_from_anywhere_in_the_module() {
    let shop = Checkout::new(&[
        ("go.mod", "module example.com/shop\n"),
        ("main.go", "package main\n"),
        ("internal/cart/cart.go", "package cart\n"),
        ("e2e/shop_test.go", "package e2e\n"),
    ]);
    for root in ["", "internal", "e2e"] {
        shop.assert_found(root, "example.com/shop/main.go", "main.go");
        shop.assert_found(root, "example.com/shop/internal/cart/cart.go", "internal/cart/cart.go");
    }
}

#[test]
fn a_version_suffix_is_part_of_the_module_path() {
    let shop = Checkout::new(&[
        ("go.mod", "module \"example.com/shop/v2\" // the second\n"),
        ("cart/cart.go", "package cart // 2\n"),
        ("v3/go.mod", "module example.com/shop/v3\n"),
        ("v3/cart/cart.go", "package cart // 3\n"),
    ]);
    shop.assert_found("", "example.com/shop/v2/cart/cart.go", "cart/cart.go");
    shop.assert_found("", "example.com/shop/v3/cart/cart.go", "v3/cart/cart.go");
    let missing = shop.missing("", "example.com/shop/cart/cart.go");
    assert!(missing.reason.contains("example.com/shop/v2"), "{missing:?}");
}

#[test]
fn nested_modules_are_found_below_and_above() {
    let shop = Checkout::new(&[
        ("go.mod", "module example.com/shop\n"),
        ("api/api.go", "package api\n"),
        ("e2e/go.mod", "module example.com/shop/e2e\n"),
        ("e2e/e2e.go", "package e2e\n"),
        ("tools/go.mod", "module example.com/elsewhere\n"),
        ("tools/tool.go", "package tools\n"),
    ]);
    shop.assert_found("", "example.com/shop/e2e/e2e.go", "e2e/e2e.go");
    shop.assert_found("", "example.com/elsewhere/tool.go", "tools/tool.go");
    shop.assert_found("e2e", "example.com/shop/api/api.go", "api/api.go");
    shop.missing("", "example.com/shop/tools/tool.go");
}

#[test]
fn a_repository_without_a_module_at_its_top_has_those_below() {
    let shop = Checkout::new(&[
        ("services/api/go.mod", "module example.com/api\n"),
        ("services/api/api.go", "package api\n"),
        ("services/.cache/go.mod", "module example.com/hidden\n"),
        ("services/.cache/x.go", "package x\n"),
        ("testdata/go.mod", "module example.com/data\n"),
        ("testdata/x.go", "package x\n"),
        ("web/node_modules/go.mod", "module example.com/node\n"),
        ("web/node_modules/x.go", "package x\n"),
    ]);
    shop.assert_found("", "example.com/api/api.go", "services/api/api.go");
    for file in ["example.com/hidden/x.go", "example.com/data/x.go", "example.com/node/x.go"] {
        assert!(shop.missing("", file).reason.ends_with(": example.com/api"), "{file}");
    }
    // Who names testdata means it.
    shop.assert_found("testdata", "example.com/data/x.go", "testdata/x.go");
}

#[test]
fn a_workspace_leads_to_its_modules_and_replacements() {
    let shop = Checkout::new(&[
        ("work/go.work", "go 1.26\nuse (\n\t.\n\t../api\n)\nreplace example.com/money => ../forks/money\n"),
        ("work/go.mod", "module example.com/work\n"),
        ("work/work.go", "package work\n"),
        ("api/go.mod", "module example.com/api\n"),
        ("api/api.go", "package api\n"),
        ("forks/money/money.go", "package money\n"),
    ]);
    shop.assert_found("work", "example.com/api/api.go", "api/api.go");
    shop.assert_found("work", "example.com/money/money.go", "forks/money/money.go");
}

#[test]
fn a_replaced_module_is_found_where_it_was_taken_from() {
    let shop = Checkout::new(&[
        (
            "shop/go.mod",
            "module example.com/shop\nrequire example.com/money v1.0.0\nreplace example.com/money => ../money\n\
             replace example.com/clock v1.0.0 => example.com/Fork/clock v1.0.1\n",
        ),
        ("money/go.mod", "module example.com/a-fork-of-money\n"),
        ("money/money.go", "package money // fork\n"),
        ("cache/example.com/money@v1.0.0/money.go", "package money // original\n"),
        ("cache/example.com/!fork/clock@v1.0.1/clock.go", "package clock\n"),
    ]);
    shop.assert_found("shop", "example.com/money/money.go", "money/money.go");
    shop.assert_found("shop", "example.com/clock/clock.go", "cache/example.com/!fork/clock@v1.0.1/clock.go");
}

#[test]
fn dependencies_are_found_vendored_then_in_the_module_cache() {
    let shop = Checkout::new(&[
        (
            "go.mod",
            "module example.com/shop\nrequire (\n\tgithub.com/Acme/vendored v1.0.0\n\tgithub.com/Acme/loaded v1.0.0\n\
             \tgithub.com/Acme/absent v1.0.0 // indirect\n)\n",
        ),
        ("vendor/github.com/Acme/vendored/a.go", "package vendored\n"),
        ("cache/github.com/!acme/vendored@v1.0.0/a.go", "package other\n"),
        ("cache/github.com/!acme/loaded@v1.0.0/sub/a.go", "package sub\n"),
    ]);
    shop.assert_found("", "github.com/Acme/vendored/a.go", "vendor/github.com/Acme/vendored/a.go");
    shop.assert_found("", "github.com/Acme/loaded/sub/a.go", "cache/github.com/!acme/loaded@v1.0.0/sub/a.go");
    assert!(shop.missing("", "github.com/Acme/absent/a.go").reason.contains("go mod download"));
}

#[test]
fn of_two_modules_with_one_path_the_nearer_is_taken_and_equals_are_refused() {
    let shop = Checkout::new(&[
        ("a/go.mod", "module example.com/shop\n"),
        ("a/x.go", "package a\n"),
        ("b/go.mod", "module example.com/shop\n"),
        ("b/x.go", "package b\n"),
    ]);
    shop.assert_found("b", "example.com/shop/x.go", "b/x.go");
    let missing = shop.missing("", "example.com/shop/x.go");
    assert_eq!(missing.candidates, [shop.path("a/x.go"), shop.path("b/x.go")]);
}

#[test]
fn two_services_may_require_the_same_version() {
    let shop = Checkout::new(&[
        ("a/go.mod", "module example.com/a\nrequire example.com/lib v1.0.0\n"),
        ("b/go.mod", "module example.com/b\nrequire example.com/lib v1.0.0\n"),
        ("cache/example.com/lib@v1.0.0/lib.go", "package lib\n"),
    ]);
    shop.assert_found("", "example.com/lib/lib.go", "cache/example.com/lib@v1.0.0/lib.go");
}

#[test]
fn an_absolute_path_is_taken_as_it_is_or_by_its_end() {
    let shop = Checkout::new(&[
        ("go.mod", "module example.com/shop\n"),
        ("top.go", "package main\n"),
        ("cmd/api/main.go", "package main // api\n"),
        ("cmd/worker/main.go", "package main // worker\n"),
        ("cmd/only.go", "package cmd\n"),
    ]);
    let here = shop.path("cmd/api/main.go");
    shop.assert_found("", here.to_str().unwrap(), "cmd/api/main.go");
    shop.assert_found("", "/no/such/src/cmd/worker/main.go", "cmd/worker/main.go");
    shop.assert_found("", "/no/such/top.go", "top.go");
    let ambiguous = shop.missing("", "/no/such/main.go");
    assert_eq!(ambiguous.candidates.len(), 2, "{ambiguous:?}");
    let by_name_only = shop.missing("", "/no/such/only.go");
    assert_eq!(by_name_only.candidates, [shop.path("cmd/only.go")]);
    assert_eq!(shop.missing("", "/no/such/file.go").candidates, [] as [&Path; 0]);
}

#[test]
fn a_hostile_name_leads_nowhere() {
    let shop = Checkout::new(&[
        ("secret.go", "package secret\n"),
        ("secret", "text\n"),
        ("shop/go.mod", "module example.com/shop\nrequire ../../x v1\nrequire example.com/y ../v1\n"),
        ("shop/x.go", "package shop\n"),
        ("shop/x.go.y", "grammar\n"),
    ]);
    let absolute = shop.path("shop/../secret.go");
    let outside_the_rules = shop.path("secret");
    for file in [
        "example.com/shop/../secret.go",
        "example.com/shop/./x.go",
        "example.com/shop//x.go",
        "example.com/shop/..\\secret.go",
        "example.com/shop/x.go\0",
        "example.com/shop/\0.go",
        "../secret.go",
        "/../secret.go",
        "",
        "/",
        absolute.to_str().unwrap(),
    ] {
        let missing = shop.missing("shop", file);
        assert!(missing.reason.contains("not one that Go gives"), "{file:?}: {missing:?}");
    }
    for file in ["secret", ".go", "example.com/shop/x.go.y", outside_the_rules.to_str().unwrap()] {
        let missing = shop.missing("shop", file);
        assert!(missing.reason.contains("no Go file"), "{file:?}: {missing:?}");
    }
}

#[test]
fn what_is_no_readable_text_is_not_shown() {
    let shop =
        Checkout::new(&[("go.mod", "module example.com/shop\n"), ("directory.go/x.go", "package x\n")]);
    fs::File::create(shop.path("huge.go")).unwrap().set_len(1 << 30).unwrap();
    fs::write(shop.path("latin.go"), b"// caf\xe9\n").unwrap();
    assert!(shop.missing("", "example.com/shop/huge.go").reason.contains("larger than"));
    assert!(shop.missing("", "example.com/shop/latin.go").reason.contains("not UTF-8"));
    assert!(shop.missing("", "example.com/shop/directory.go").reason.contains("no such file"));
}

#[test]
fn a_file_of_another_version_is_recognised() {
    let shop = Checkout::new(&[("go.mod", "module m\n"), ("x.go", "package x\n\nfunc F() {}\n")]);
    let file = shop.sources("").find("m/x.go").unwrap();
    assert_eq!(file.check_positions([(1, 1), (3, 10), (3, 12), (4, 1)]), Ok(()));
    for (position, told) in
        [((3, 13), "line 3 has 11 columns"), ((5, 1), "it has 4 lines"), ((0, 1), ""), ((1, 0), "")]
    {
        let reason = file.check_positions([(1, 1), position]).unwrap_err().reason;
        assert!(reason.contains("not the version that was built") && reason.contains(told), "{reason}");
    }
}

#[test]
fn a_source_directory_that_is_not_there_is_an_error() {
    let checkout = Checkout::new(&[("file", "")]);
    assert!(Sources::discover(&checkout.path("absent")).is_err());
    assert!(
        Sources::discover(&checkout.path("file")).unwrap_err().to_string().contains("is not a directory")
    );
    assert_eq!(Sources::default().find("m/x.go").unwrap_err().reason, "no source directory was searched");
}

#[test]
fn a_module_file_that_makes_no_sense_is_told() {
    let checkout = Checkout::new(&[("go.mod", "hello\n"), ("x.go", "package x\n")]);
    let sources = checkout.sources("");
    assert!(matches!(sources.problems(), [problem, ..] if problem.contains("names no module")));
    assert!(sources.find("m/x.go").unwrap_err().reason.contains("no go.mod"));
}
