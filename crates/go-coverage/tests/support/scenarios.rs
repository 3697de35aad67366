//! What is built and run with each Go release, and what Go's own tools say about it. Everything is kept under cargo's
//! directory for temporary files, by the contents of what it was made from.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, process};

use super::toolchain::{Toolchain, copy_directory, files_under, output, replace_in_file, run, testdata};

/// Coverage data of real programs, and what Go's tools print for it.
pub struct Scenario {
    pub name: String,
    directory: PathBuf,
}

impl Scenario {
    /// The directories with data, as they are given to `go tool covdata -i`.
    pub fn directories(&self) -> Vec<PathBuf> {
        let mut directories: Vec<_> =
            fs::read_dir(self.directory.join("data")).unwrap().map(|entry| entry.unwrap().path()).collect();
        directories.sort();
        directories
    }

    /// What a tool printed: `textfmt`, `percent`, `func` and `pkglist` of covdata, `cover-func`.
    /// None if it cannot read the data.
    pub fn printed(&self, tool: &str) -> Option<String> {
        fs::read_to_string(self.directory.join(tool)).ok()
    }
}

/// Everything for one release. Takes a minute the first time.
pub fn prepare(release: &'static str) -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("go-programs-{:016x}", key(release)));
    if !root.exists() {
        let work = root.with_extension(process::id().to_string());
        Recipe::new(release, work.clone()).cook();
        // Another process may have done the same in the meantime. Then its result stays.
        let _ = fs::rename(work.join("scenarios"), &root);
        fs::remove_dir_all(&work).unwrap();
    }
    let mut scenarios: Vec<_> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|directory| Scenario { name: directory.file_name().unwrap().display().to_string(), directory })
        .collect();
    scenarios.sort_by(|one, other| one.name.cmp(&other.name));
    scenarios
}

fn key(release: &'static str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let version = Toolchain::new(release, testdata()).go(["env", "GOVERSION"]);
    (version, include_str!("scenarios.rs"), include_str!("toolchain.rs")).hash(&mut hasher);
    for directory in ["programs", "tools"] {
        for file in files_under(&testdata().join(directory)) {
            (&file, fs::read(&file).unwrap()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

struct Recipe {
    go: Toolchain,
    work: PathBuf,
}

impl Recipe {
    fn new(release: &'static str, work: PathBuf) -> Self {
        let source = work.join("source");
        copy_directory(&testdata().join("programs"), &source);
        for directory in ["bin", "scenarios"] {
            fs::create_dir_all(work.join(directory)).unwrap();
        }
        Self { go: Toolchain::new(release, source), work }
    }

    fn cook(&self) {
        for mode in ["set", "count", "atomic"] {
            self.two_programs(mode);
        }
        self.two_builds();
        self.other_ways_to_build();
        self.tests();
        self.after_covdata_merge();
        self.written_by_gos_writer();
    }

    fn data(&self, scenario: &str, directory: &str) -> PathBuf {
        self.work.join("scenarios").join(scenario).join("data").join(directory)
    }

    fn executable(&self, flags: &[&str], program: &str, name: &str) -> PathBuf {
        let executable = self.work.join("bin").join(name);
        self.go.build(flags, program, &executable);
        executable
    }

    /// Two programs that share packages, each run several times, in a directory each.
    fn two_programs(&self, mode: &str) {
        let flags = [format!("-covermode={mode}"), "-coverpkg=./...".to_owned()];
        let flags = flags.each_ref().map(String::as_str);
        let api = self.executable(&flags, "./cmd/api", &format!("api-{mode}"));
        let worker = self.executable(&flags, "./cmd/worker", &format!("worker-{mode}"));
        for arguments in [&[][..], &["add"], &["add", "remove"], &["discount", "panic", "unknown", "add"]] {
            run(&api, &self.data(mode, "api"), arguments);
        }
        for arguments in [&[][..], &["longer"]] {
            run(&worker, &self.data(mode, "worker"), arguments);
        }
        self.ask_go(mode, Some(&self.go));

        let never_ran = format!("{mode}-without-counters");
        for file in files_under(&self.data(mode, "")) {
            let name = file.file_name().unwrap();
            if name.to_string_lossy().starts_with("covmeta") {
                let directory = self.data(&never_ran, "all");
                fs::create_dir_all(&directory).unwrap();
                fs::copy(&file, directory.join(name)).unwrap();
            }
        }
        self.ask_go(&never_ran, Some(&self.go));
    }

    /// The same packages before and after changes, in one profile.
    fn two_builds(&self) {
        let flags = ["-covermode=count", "-coverpkg=./..."];
        let before = self.executable(&flags, "./cmd/api", "api-before");

        let price = "internal/price/price.go";
        let changed = self.changed_copy(
            "changed",
            &[
                (price, "\treturn 0\n", "\tif item == \"\" {\n\t\treturn -1\n\t}\n\treturn 0\n"),
                (price, "total > 100 {\n", "total > 90 {\n\t\ttotal++\n"),
                ("internal/cart/cart.go", "if one > other {", "if other < one {"),
            ],
        );
        let after = self.work.join("bin/api-changed");
        changed.build(&flags, "./cmd/api", &after);
        run(&before, &self.data("two-builds", "before"), &["add", "discount"]);
        run(&after, &self.data("two-builds", "after"), &["discount", "discount"]);
        // The blocks of the two are not those of either source.
        self.ask_go("two-builds", None);

        let renamed = self.changed_copy(
            "renamed",
            &[("internal/price/round.go", "Rounded", "Lowered"), ("cmd/api/main.go", "Rounded", "Lowered")],
        );
        let after = self.work.join("bin/api-renamed");
        renamed.build(&flags, "./cmd/api", &after);
        run(&before, &self.data("renamed-function", "before"), &["discount"]);
        run(&after, &self.data("renamed-function", "after"), &["add"]);
        self.ask_go("renamed-function", Some(&renamed));
    }

    fn changed_copy(&self, name: &str, changes: &[(&str, &str, &str)]) -> Toolchain {
        let copy = Toolchain::new(self.go.release(), self.work.join(name));
        copy_directory(&self.go.source, &copy.source);
        for (file, from, to) in changes {
            replace_in_file(&copy.source.join(file), from, to);
        }
        copy
    }

    fn other_ways_to_build(&self) {
        let own_packages = self.executable(&[], "./cmd/api", "api-own-packages");
        run(&own_packages, &self.data("own-packages", "all"), &["add", "limits"]);
        self.ask_go("own-packages", Some(&self.go));

        let others = ["-coverpkg=./...,fmt,strconv,unicode/utf8,os", "-covermode=atomic"];
        let others = self.executable(&others, "./cmd/api", "api-standard-library");
        run(&others, &self.data("standard-library", "all"), &["add", "panic", "discount"]);
        self.ask_go("standard-library", Some(&self.go));

        // Two programs whose package is called command-line-arguments.
        for (file, name) in [("scripts/report/main.go", "report"), ("cmd/tiny/main.go", "tiny")] {
            let executable = self.executable(&["-covermode=count"], file, name);
            run(&executable, &self.data("command-line-arguments", name), &["world"]);
            run(&executable, &self.data("command-line-arguments", name), &[]);
        }
        self.ask_go("command-line-arguments", Some(&self.go));

        let generated = self.executable(&["-coverpkg=./..."], "./cmd/calculator", "calculator");
        run(&generated, &self.data("line-directives", "all"), &["1+2", "3"]);
        // The sources that the lines name do not exist.
        self.ask_go("line-directives", None);

        let toolexec =
            format!("-toolexec={}", testdata().canonicalize().unwrap().join("tools/perfunction").display());
        let flags = [&toolexec, "-coverpkg=./...", "-covermode=count"];
        let per_function = self.executable(&flags, "./cmd/api", "api-per-function");
        run(&per_function, &self.data("per-function", "all"), &["add", "add"]);
        // A unit then is a whole function, literals in it included, and cover looks for blocks.
        self.ask_go("per-function", Some(&self.go));
    }

    fn tests(&self) {
        let binary = self.work.join("bin/cart.test");
        let compile =
            ["test", "-c", "-cover", "-covermode=atomic", "-coverpkg=./...", "-o"].map(AsRef::as_ref);
        self.go.go(compile.into_iter().chain([binary.as_os_str(), "./internal/cart".as_ref()]));
        let directory = self.data("test-binary", "all");
        fs::create_dir_all(&directory).unwrap();
        let argument = format!("-test.gocoverdir={}", directory.display());
        for _ in 0..2 {
            output(process::Command::new(&binary).arg(&argument).current_dir(&self.go.source), &[0]);
        }
        self.ask_go("test-binary", Some(&self.go));

        for (scenario, flags) in [("go-test", &[][..]), ("go-test-all-packages", &["-coverpkg=./..."])] {
            let directory = self.data(scenario, "all");
            fs::create_dir_all(&directory).unwrap();
            let argument = format!("-test.gocoverdir={}", directory.display());
            let command = ["test", "-count=1", "-cover"].iter().chain(flags);
            self.go.go(command.copied().chain(["./internal/...", "-args", &argument]));
            self.ask_go(scenario, Some(&self.go));
        }
    }

    fn after_covdata_merge(&self) {
        let input = format!("-i={}", self.data("atomic", "api").display());
        let both = format!("{input},{}", self.data("atomic", "worker").display());
        for (scenario, input, flags) in
            [("merged", &input, &[][..]), ("merged-programs", &both, &["-pcombine"])]
        {
            let directory = self.data(scenario, "all");
            fs::create_dir_all(&directory).unwrap();
            let output = format!("-o={}", directory.display());
            let command = ["tool", "covdata", "merge"].iter().chain(flags);
            self.go.go(command.copied().chain([input.as_str(), &output]));
            self.ask_go(scenario, Some(&self.go));
        }
    }

    /// What the format allows and no program writes.
    fn written_by_gos_writer(&self) {
        let rewrite = self.rewriter();
        let files = files_under(&self.data("atomic", "api"));
        let (metadata, counters): (Vec<_>, Vec<_>) =
            files.iter().partition(|file| file.file_name().unwrap().to_string_lossy().starts_with("covmeta"));
        let counters_name = counters[0].file_name().unwrap().to_string_lossy().into_owned();
        for (scenario, hows) in [
            ("raw-numbers", &["raw"][..]),
            ("overflow", &["large", "raw"]),
            ("several-segments", &["segments"]),
        ] {
            let directory = self.data(scenario, "all");
            fs::create_dir_all(&directory).unwrap();
            fs::copy(metadata[0], directory.join(metadata[0].file_name().unwrap())).unwrap();
            for (number, how) in hows.iter().enumerate() {
                let target = directory.join(format!("{counters_name}{number}"));
                let arguments = [how.as_ref(), target.as_os_str()];
                let inputs = counters.iter().map(|file| file.as_os_str());
                output(process::Command::new(&rewrite).args(arguments.into_iter().chain(inputs)), &[0]);
            }
            if scenario != "several-segments" {
                self.ask_go(scenario, Some(&self.go));
            }
        }
        // Go reads the first segment only. What it says of the files that they were made from is what is meant.
        let separate = self.data("separate-files", "all");
        copy_directory(&self.data("atomic", "api"), &separate);
        self.ask_go("separate-files", Some(&self.go));
        for tool in ["textfmt", "percent", "func", "pkglist", "cover-func"] {
            let scenario = |name| self.work.join("scenarios").join(name).join(tool);
            fs::copy(scenario("separate-files"), scenario("several-segments")).unwrap();
        }
    }

    fn rewriter(&self) -> PathBuf {
        let source = self.work.join("rewrite");
        let library = PathBuf::from(self.go.go(["env", "GOROOT"]).trim()).join("src/internal/coverage");
        for package in
            ["", "decodecounter", "encodecounter", "slicereader", "slicewriter", "stringtab", "uleb128"]
        {
            let target = source.join("internal/coverage").join(package);
            fs::create_dir_all(&target).unwrap();
            for entry in fs::read_dir(library.join(package)).unwrap() {
                let file = entry.unwrap().path();
                let name = file.file_name().unwrap().to_string_lossy().into_owned();
                if file.is_file()
                    && file.extension().is_some_and(|extension| extension == "go")
                    && !name.ends_with("_test.go")
                {
                    fs::write(target.join(name), own_imports(&file)).unwrap();
                }
            }
        }
        fs::write(source.join("go.mod"), "module rewrite\n\ngo 1.22\n").unwrap();
        fs::write(source.join("main.go"), own_imports(&testdata().join("tools/rewrite.go"))).unwrap();
        self.go.go_in(&source, ["build", "-o", "rewrite", "."]);
        source.join("rewrite")
    }

    /// Lets Go's tools read a scenario, and keeps what they print. cover needs the sources that the blocks are of.
    fn ask_go(&self, scenario: &str, source: Option<&Toolchain>) {
        let directory = self.work.join("scenarios").join(scenario);
        let inputs: Vec<_> = Scenario { name: String::new(), directory: directory.clone() }
            .directories()
            .iter()
            .map(|directory| directory.display().to_string())
            .collect();
        let input = format!("-i={}", inputs.join(","));
        let text = directory.join("textfmt");
        self.go.go(["tool", "covdata", "textfmt", &input, &format!("-o={}", text.display())]);
        for tool in ["percent", "func", "pkglist"] {
            let printed = self.go.go(["tool", "covdata", tool, &input]);
            fs::write(directory.join(tool), printed).unwrap();
        }
        if let Some(source) = source {
            let printed = source.go(["tool", "cover", &format!("-func={}", text.display())]);
            fs::write(directory.join("cover-func"), printed).unwrap();
        }
    }
}

/// The sources of a standard library package, as a part of another module.
fn own_imports(file: &Path) -> String {
    fs::read_to_string(file).unwrap().replace("\"internal/coverage", "\"rewrite/internal/coverage")
}
