//! What is built and run with each Go release, and which of its tools are asked.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::Extent;
use crate::calls::calls;
use crate::rewriter;
use crate::scenario::Scenario;
use crate::toolchain::{Toolchain, copy_directory, files_under, output, replace_in_file, run, testdata};

pub struct Recipe {
    go: Toolchain,
    work: PathBuf,
    covdata: PathBuf,
}

impl Recipe {
    /// Works in the directory `work`, and leaves the scenarios and covdata in `result` there.
    pub fn new(release: &'static str, work: PathBuf) -> Self {
        let source = work.join("source");
        copy_directory(&testdata().join("programs"), &source);
        for directory in ["bin", "result/scenarios"] {
            fs::create_dir_all(work.join(directory)).unwrap();
        }
        let go = Toolchain::new(release, source);
        let covdata = work.join("result/covdata");
        // Go builds some tools when they are used first, and throws them away when they are not used any more.
        fs::copy(go.go(["tool", "-n", "covdata"]).trim(), &covdata).unwrap();
        Self { go, work, covdata }
    }

    pub fn cook(&self, extent: Extent) {
        for mode in ["set", "count", "atomic"] {
            self.two_programs(mode);
        }
        self.type_parameters_and_closures();
        self.test_binaries();
        if extent == Extent::Complete {
            self.unusual_directories();
            self.two_builds();
            self.other_ways_to_build();
            self.other_ways_to_choose_packages();
            self.with_c();
            self.go_test();
            self.after_covdata_merge();
            self.written_by_gos_writer();
        }
    }

    fn scenario(&self, name: &str) -> Scenario {
        Scenario::at(self.work.join("result/scenarios").join(name))
    }

    fn data(&self, scenario: &str, directory: &str) -> PathBuf {
        self.scenario(scenario).directory().join("data").join(directory)
    }

    fn executable(&self, flags: &[&str], program: &str, name: &str) -> PathBuf {
        let executable = self.work.join("bin").join(name);
        self.go.build(flags, program, &executable);
        executable
    }

    /// Two programs that share packages, each run several times, in a directory each; and one of them in two
    /// directories.
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

        let twice = format!("{mode}-in-two-directories");
        for arguments in [&["add"][..], &["discount", "add"]] {
            run(&api, &self.data(&twice, "first"), arguments);
        }
        for arguments in [&["remove"][..], &["add", "add"]] {
            run(&api, &self.data(&twice, "second"), arguments);
        }
        self.ask_go(&twice, Some(&self.go));

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

    fn type_parameters_and_closures(&self) {
        let stock = self.executable(&["-covermode=count", "-coverpkg=./..."], "./cmd/stock", "stock");
        for arguments in [&["dozen", "gross"][..], &["gross", "score", "dozen"]] {
            run(&stock, &self.data("closures", "first"), arguments);
        }
        run(&stock, &self.data("closures", "second"), &["score"]);
        self.ask_go("closures", Some(&self.go));
    }

    fn test_binaries(&self) {
        let cart = self.test_binary("cart");
        let directory = self.data("test-binary", "all");
        fs::create_dir_all(&directory).unwrap();
        let argument = format!("-test.gocoverdir={}", directory.display());
        for _ in 0..2 {
            output(Command::new(&cart).arg(&argument).current_dir(&self.go.source), &[0]);
        }
        self.ask_go("test-binary", Some(&self.go));

        // A test binary that is another program when it is told to be one: it writes as programs do.
        let stock = self.test_binary("stock");
        let directory = self.data("test-binary-as-program", "all");
        fs::create_dir_all(&directory).unwrap();
        for unit in ["dozen", "gross"] {
            output(Command::new(&stock).env("GOCOVERDIR", &directory).env("STOCK_UNIT", unit), &[0]);
        }
        self.ask_go("test-binary-as-program", Some(&self.go));
    }

    fn test_binary(&self, package: &str) -> PathBuf {
        let binary = self.work.join("bin").join(format!("{package}.test"));
        let package = format!("./internal/{package}");
        let compile = ["test", "-c", "-cover", "-covermode=atomic", "-coverpkg=./...", "-o"].map(OsStr::new);
        self.go.go(compile.into_iter().chain([binary.as_os_str(), package.as_ref()]));
        binary
    }

    /// What covdata looks past, and modes that it does not join in a profile.
    fn unusual_directories(&self) {
        for mode in ["set", "count", "atomic"] {
            copy_directory(&self.data(mode, "api"), &self.data("mixed-modes", mode));
        }
        self.ask_go("mixed-modes", None);

        let directory = self.data("with-other-files", "all");
        copy_directory(&self.data("count", "api"), &directory);
        copy_directory(&self.data("count", "worker"), &directory.join("below"));
        for file in files_under(&self.data("count", "worker")) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("covcounters.") {
                fs::copy(&file, directory.join(&name)).unwrap();
            } else {
                // As the runtime calls a file before it is complete.
                fs::copy(&file, directory.join(format!("tmp.{name}"))).unwrap();
            }
        }
        fs::write(directory.join("covcounters"), "").unwrap();
        fs::write(directory.join("notes.txt"), "covmeta").unwrap();
        self.ask_go("with-other-files", Some(&self.go));
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

    fn other_ways_to_choose_packages(&self) {
        let own_packages = self.executable(&[], "./cmd/api", "api-own-packages");
        run(&own_packages, &self.data("own-packages", "all"), &["add", "limits"]);
        self.ask_go("own-packages", Some(&self.go));

        let others = ["-coverpkg=./...,fmt,strconv,unicode/utf8,os", "-covermode=atomic"];
        let others = self.executable(&others, "./cmd/api", "api-standard-library");
        run(&others, &self.data("standard-library", "all"), &["add", "panic", "discount"]);
        self.ask_go("standard-library", Some(&self.go));
    }

    /// Programs that consist of C, too: their own or that of the race detector.
    fn with_c(&self) {
        for (scenario, program, flags) in [
            ("cgo", "native", &["-covermode=count", "-coverpkg=./..."][..]),
            ("race", "worker", &["-race", "-coverpkg=./..."]),
        ] {
            let executable = self.work.join("bin").join(scenario);
            self.go.build_with_cgo(flags, &format!("./cmd/{program}"), &executable);
            for arguments in [&[][..], &["plum", "cherry"]] {
                run(&executable, &self.data(scenario, "all"), arguments);
            }
            self.ask_go(scenario, Some(&self.go));
        }
    }

    fn go_test(&self) {
        for (scenario, flags) in [("go-test", &[][..]), ("go-test-all-packages", &["-coverpkg=./..."])] {
            let directory = self.data(scenario, "all");
            fs::create_dir_all(&directory).unwrap();
            let argument = format!("-test.gocoverdir={}", directory.display());
            let command = ["test", "-count=1", "-vet=off", "-cover"].iter().chain(flags);
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
            let target = format!("-o={}", directory.display());
            output(Command::new(&self.covdata).arg("merge").args(flags).args([input, &target]), &[0]);
            self.ask_go(scenario, Some(&self.go));
        }
    }

    /// What the format allows and no program writes.
    fn written_by_gos_writer(&self) {
        let rewrite = rewriter::build(&self.go, &self.work.join("rewrite"));
        let files = files_under(&self.data("atomic", "api"));
        let (metadata, counters): (Vec<_>, Vec<_>) =
            files.iter().partition(|file| file.file_name().unwrap().to_string_lossy().starts_with("covmeta"));
        let counters_name = counters[0].file_name().unwrap().to_string_lossy().into_owned();
        for (scenario, hows) in [
            ("raw-numbers", &["raw"][..]),
            ("overflow", &["large", "raw", "raw"]),
            ("several-segments", &["segments"]),
        ] {
            let directory = self.data(scenario, "all");
            fs::create_dir_all(&directory).unwrap();
            fs::copy(metadata[0], directory.join(metadata[0].file_name().unwrap())).unwrap();
            for (number, how) in hows.iter().enumerate() {
                let target = directory.join(format!("{counters_name}{number}"));
                let arguments = [how.as_ref(), target.as_os_str()];
                let inputs = counters.iter().map(|file| file.as_os_str());
                output(Command::new(&rewrite).args(arguments.into_iter().chain(inputs)), &[0]);
            }
            if scenario != "several-segments" {
                self.ask_go(scenario, Some(&self.go));
            }
        }
        self.copy_answers_for_segments();
    }

    /// Go reads the first segment only. What it says of the files that they were made from is what is meant.
    fn copy_answers_for_segments(&self) {
        let [separate, segments] = ["separate-files", "several-segments"].map(|name| self.scenario(name));
        copy_directory(&self.data("atomic", "api"), &self.data("separate-files", "all"));
        self.ask_go("separate-files", Some(&self.go));
        for (call, answer) in separate.answers() {
            if ["percent", "func", "pkglist", "textfmt"].contains(&call.subcommand) {
                answer.save(&segments.answer_directory(&call.name));
            }
        }
        fs::copy(separate.directory().join("cover-func"), segments.directory().join("cover-func")).unwrap();
    }

    /// Lets Go's tools read a scenario, and keeps what they say. cover needs the sources that the blocks are of.
    fn ask_go(&self, scenario: &str, source: Option<&Toolchain>) {
        let scenario = self.scenario(scenario);
        for call in calls(&scenario.inputs()) {
            let written = self.work.join("written");
            let answer = call.make(Command::new(&self.covdata), scenario.directory(), &written);
            answer.save(&scenario.answer_directory(&call.name));
            fs::remove_dir_all(&written).unwrap();
        }
        if let Some(source) = source {
            let text: &Path = &scenario.answer_directory("textfmt").join("files/profile");
            let printed = source.go(["tool", "cover", &format!("-func={}", text.display())]);
            fs::write(scenario.directory().join("cover-func"), printed).unwrap();
        }
    }
}
