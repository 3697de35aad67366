//! Renders a report of coverage data, for the browser test and for work on the page's design:
//! `render SOURCES OUTPUT [--hostile] [--kinds] [--tests] LABEL=COVDATA_DIRECTORY...`. The record of the run is made
//! up. With `--kinds` each label is a kind of test, and with `--tests` a test. Without a label the run lost everything.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufWriter;
use std::path::Path;

use go_coverage::{Function, Merger, Package, Profile, Unit};
use go_source::Sources;
use podcov_report::run::{
    Capture, Ending, LossReason, Origin, Outcome, Process, ReadAt, Run, SCHEMA_VERSION, SetAside, Tests, Way,
};
use podcov_report::tests::{BlockTests, FileTests, TESTS_SCHEMA_VERSION, Test, TestMapping};
use podcov_report::{Report, Section, SourceFiles, Versions, html, summary};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut flag = |name: &str| {
        let position = arguments.iter().position(|argument| argument == name);
        position.map(|position| arguments.remove(position)).is_some()
    };
    let (is_hostile, has_kinds, has_tests) = (flag("--hostile"), flag("--kinds"), flag("--tests"));
    let [source_directory, output, labelled @ ..] = arguments.as_slice() else {
        return Err(
            "usage: render SOURCES OUTPUT [--hostile] [--kinds] [--tests] LABEL=COVDATA_DIRECTORY...".into(),
        );
    };
    let labelled: Vec<(&str, &Path)> = labelled
        .iter()
        .filter_map(|part| part.split_once('='))
        .map(|(label, directory)| (label, Path::new(directory)))
        .collect();
    let directories: Vec<&Path> = labelled.iter().map(|(_, directory)| *directory).collect();

    let mut sections = Vec::new();
    if !labelled.is_empty() {
        sections.push(("all", merge(&directories)?));
    }
    let mut kinds = Vec::new();
    if has_kinds {
        for (label, directory) in &labelled {
            kinds.push((*label, merge(&[directory])?));
        }
    }
    let mapping = if has_tests { Some(mapping(&labelled)?) } else { None };
    if labelled.len() > 1 && !has_kinds {
        for (label, directory) in &labelled {
            sections.push((*label, merge(&[directory])?));
        }
    }
    let mut run = run(&labelled);
    if labelled.is_empty() {
        let detail = "no file in the volume".to_owned();
        run.captures.push(pod("deployment/api", 0, Outcome::Lost { reason: LossReason::NoData, detail }));
    }
    if is_hostile {
        // Together the kinds are everything, so one has it, too.
        let first_kind = kinds.first_mut().map(|(_, profile)| profile);
        add_hostile(&mut run, sections.iter_mut().map(|(_, profile)| profile).chain(first_kind));
    }

    let sources = Sources::discover(Path::new(source_directory))?;
    let files = SourceFiles::look_up(&sources, sections.iter().map(|(_, profile)| profile));
    let sections = sections.into_iter().map(|(label, profile)| Section::new(label, profile)).collect();
    let kinds = kinds.into_iter().map(|(label, profile)| Section::new(label, profile)).collect();
    let report = Report {
        run: &run,
        sections,
        kinds,
        files: &files,
        versions: &Versions::default(),
        tests: mapping.as_ref(),
    };
    for line in summary(&report) {
        eprintln!("{line}");
    }
    let output = Path::new(output);
    fs::create_dir_all(output)?;
    html(&report, &mut BufWriter::new(fs::File::create(output.join("index.html"))?))?;
    if let Some(everything) = report.sections.first() {
        let mut text = BufWriter::new(fs::File::create(output.join("coverage.txt"))?);
        go_coverage::write_text(everything.profile(), &mut text)?;
    }
    for kind in &report.kinds {
        let name = format!("kind-{}.txt", kind.label);
        let mut text = BufWriter::new(fs::File::create(output.join(name))?);
        go_coverage::write_text(kind.profile(), &mut text)?;
    }
    Ok(())
}

/// Each label is a test.
fn mapping(labelled: &[(&str, &Path)]) -> Result<TestMapping, Box<dyn std::error::Error>> {
    let mut files = BTreeMap::<String, BTreeMap<[u32; 4], Vec<u32>>>::new();
    let mut tests = Vec::new();
    for ((label, directory), number) in labelled.iter().zip(0..) {
        for function in merge(&[directory])?.functions() {
            let blocks = files.entry(function.file.clone()).or_default();
            for unit in function.units.iter().filter(|unit| unit.count > 0) {
                let place = [unit.start_line, unit.start_column, unit.end_line, unit.end_column];
                let known = blocks.entry(place).or_default();
                if known.last() != Some(&number) {
                    known.push(number);
                }
            }
        }
        tests.push(Test {
            name: (*label).to_owned(),
            members: Vec::new(),
            directory: None,
            seconds: 1.5,
            notes: Vec::new(),
        });
    }
    let files = files.into_iter().map(|(file, blocks)| FileTests {
        file,
        blocks: blocks
            .into_iter()
            .map(|([start_line, start_column, end_line, end_column], tests)| BlockTests {
                start_line,
                start_column,
                end_line,
                end_column,
                tests,
            })
            .collect(),
    });
    Ok(TestMapping { schema_version: TESTS_SCHEMA_VERSION, tests, files: files.collect() })
}

fn merge(directories: &[&Path]) -> Result<Profile, Box<dyn std::error::Error>> {
    let mut merger = Merger::new();
    for prefix in ["covmeta.", "covcounters."] {
        for directory in directories {
            for entry in fs::read_dir(directory)? {
                let entry = entry?;
                if !entry.file_name().to_string_lossy().starts_with(prefix) {
                    continue;
                }
                let bytes = fs::read(entry.path())?;
                if prefix == "covmeta." {
                    merger.add_metadata(&bytes)?;
                } else {
                    merger.add_counters(&bytes)?;
                }
            }
        }
    }
    merger.finish().pop().ok_or_else(|| "no coverage data".into())
}

fn pod(workload: &str, number: usize, outcome: Outcome) -> Capture {
    let pod = format!("{}-7d9c5b-{number}", workload.rsplit('/').next().unwrap_or(workload));
    let processes_captured = u32::from(outcome == Outcome::Heard);
    Capture {
        origin: Origin::Pod {
            namespace: "shop".to_owned(),
            workload: workload.to_owned(),
            pod: pod.clone(),
            pod_uid: format!("uid-{pod}"),
            container: "service".to_owned(),
            restart: 0,
        },
        directory: format!("data/{pod}/service"),
        way: Way::Supervised,
        processes_started: 1,
        processes_captured,
        bytes: 412_345 * u64::from(processes_captured),
        outcome,
        processes: vec![Process {
            process_id: 1,
            program: "/service".to_owned(),
            go_version: Some("go1.26.8".to_owned()),
            started: "2026-11-03T09:12:50Z".to_owned(),
            way: (processes_captured > 0).then_some(Way::Supervised),
            read_at: (processes_captured > 0).then_some(ReadAt::End),
            ending: Some(if processes_captured > 0 { Ending::ExitCode(0) } else { Ending::Signal(9) }),
            detail: None,
        }],
        diagnosis: None,
    }
}

fn run(labelled: &[(&str, &Path)]) -> Run {
    Run {
        schema_version: SCHEMA_VERSION,
        id: "2026-11-03-k7f2".to_owned(),
        podcov_version: env!("CARGO_PKG_VERSION").to_owned(),
        started: "2026-11-03T09:12:44Z".to_owned(),
        finished: Some("2026-11-03T09:17:40Z".to_owned()),
        tests: Some(Tests {
            command: ["go", "test", "-count=1", "./e2e/..."].map(str::to_owned).to_vec(),
            exit_code: Some(0),
            seconds: 293.2,
            interrupted: false,
        }),
        captures: labelled
            .iter()
            .enumerate()
            .map(|(number, (label, _))| pod(label, number, Outcome::Heard))
            .collect(),
        set_aside: Vec::new(),
        excluded: Vec::new(),
        inputs: Vec::new(),
        notes: Vec::new(),
        summary: None,
    }
}

/// What a page has to endure: names made of markup, sources that are missing or of another version, losses.
fn add_hostile<'a>(run: &mut Run, profiles: impl Iterator<Item = &'a mut Profile>) {
    let markup = "</script><img src=x onerror=alert(1)>\u{202e}";
    run.notes.push(format!("SHOP_LISTEN was set to {markup}"));
    run.set_aside.push(SetAside {
        file: "data/api-7d9c5b-0/service/covcounters.0".to_owned(),
        reason: "premature end of file on read".to_owned(),
    });
    let killed = Outcome::Lost {
        reason: LossReason::Killed,
        detail: format!("exit code 137 (OOMKilled), last words {markup}"),
    };
    run.captures.push(pod("deployment/api", 3, killed));
    let unit = |line, count| Unit {
        start_line: line,
        start_column: 2,
        end_line: line + 3,
        end_column: 3,
        statements: 2,
        count,
    };
    let function = |name: &str, file: &str| Function {
        name: name.to_owned(),
        file: file.to_owned(),
        is_literal: false,
        units: vec![unit(90_010, 0), unit(90_020, 3)],
    };
    let mut other_version = None;
    for profile in profiles {
        // The same one of every profile.
        let first = profile.functions().next().map(|first| first.file.clone());
        let other_version = other_version.get_or_insert(first);
        let mut functions = vec![function("Hostile", &format!("zz.example/{markup}/{markup}.go"))];
        functions.extend(other_version.iter().map(|file| function("Newer", file)));
        let gone = vec![function("*T.Gone", "zz.example/gone/gone.go")];
        for (import_path, functions) in [(markup, functions), ("gone", gone)] {
            profile.packages.push(Package { import_path: format!("zz.example/{import_path}"), functions });
        }
    }
}
