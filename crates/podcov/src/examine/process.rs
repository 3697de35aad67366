//! What the processes of a container tell, whichever machine they were looked at on.
//!
//! Owns which of them is the one that is meant.

use podcov_agent_protocol::{
    Counted as Seen, CoverageFiles, Directory, Examination, GoProgram, ProgramCoverage,
};
use podcov_container_image::is_shell;
use podcov_doctor::facts::Binary;
use podcov_doctor::facts::binary::{self as program, Contents, Coverage};
use podcov_doctor::facts::running_workload::{
    Answer, Counted, Files, ProcessDirectory, ProcessFacts, ProcessPlace, ShellProcess, Unknown,
};
use podcov_doctor::{Evidence, Known};

/// The processes of a container, as far as they could be looked at.
pub struct Processes {
    pub examined: Vec<Examination>,
    /// Why one could not be.
    pub refused: Option<String>,
}

/// What the Go program among the processes of a container tells. `node` is where, none for this machine.
pub fn facts(processes: Processes, node: Option<&str>, go_program: Option<&str>) -> Answer<ProcessFacts> {
    let Processes { mut examined, refused } = processes;
    // The one with the lowest number of its own namespace began the container.
    examined.sort_by_key(|found| found.own_id);
    let missed = |otherwise: &str| Unknown::because(refused.unwrap_or_else(|| otherwise.to_owned()));
    let Some(first) = examined.first() else { return Err(missed("they have ended")) };
    let is_wanted = |found: &&Examination| go_program.is_none_or(|path| found.program == path);
    // Whatever starts it, one that writes is the one that is meant.
    let writes = |found: &&Examination| {
        found.go_program.as_ref().is_ok_and(|program| program.coverage == ProgramCoverage::WithMain)
    };
    let of_go = || examined.iter().filter(|found| found.is_go);
    let found = of_go().filter(writes).find(is_wanted).or_else(|| of_go().find(writes));
    let Some(found) = found.or_else(|| of_go().find(is_wanted)).or_else(|| of_go().next()) else {
        return Err(missed("none of its processes is a Go program"));
    };
    let place =
        |found: &Examination| ProcessPlace { number: found.process_id, node: node.map(str::to_owned) };
    let unknown = |reason: &String| Unknown::because(reason);
    let counted = |counted: &Seen| Counted { functions: counted.functions, ran: counted.ran };
    let program = found.go_program.as_ref();
    Ok(ProcessFacts {
        place: place(found),
        shell: is_deaf_shell(first).then(|| ShellProcess {
            place: place(first),
            program: first.program.clone(),
            command_line: first.command_line.join(" "),
        }),
        program: program.map(|it| binary(&found.program, it, &place(found))).map_err(unknown),
        counted: found.counted.as_ref().map(counted).map_err(unknown),
        setting: found.setting.clone(),
        waits_for_termination: found.handles_termination,
        user: found.user,
        directory: found.directory.as_ref().map(directory).transpose(),
    })
}

/// The kernel does not let SIGTERM end the first process that has no handler for it, and nobody else gets it.
fn is_deaf_shell(first: &Examination) -> bool {
    let is_named = first.command_line.first().is_some_and(|word| is_shell(word));
    !first.is_go && !first.catches_termination && (is_named || is_shell(&first.program))
}

fn binary(name: &str, found: &GoProgram, place: &ProcessPlace) -> Binary {
    let file = place.file("exe");
    let place = format!("build information, {file}");
    let text = |text: &String| Known::from_option(Some(text.clone()).filter(|text| !text.is_empty()), &place);
    let (sign, seen_in) = &found.coverage_seen;
    let program = program::GoProgram {
        go_version: text(&found.go_version),
        main_package: text(&found.main_package),
        main_module: text(&found.main_module),
        cover_setting: match found.cover_setting {
            Some(setting) => Known::found(setting, &place),
            None => Known::unknown("Go records -cover from 1.23 on"),
        },
        coverage: match found.coverage {
            ProgramCoverage::WithMain => Coverage::WithMain,
            ProgramCoverage::WithoutMain => Coverage::WithoutMain,
            ProgramCoverage::Nothing => Coverage::Nothing,
            ProgramCoverage::NoHook => Coverage::NoHook,
        },
        coverage_seen: Evidence::new(sign, format!("{seen_in}, {file}")),
        platform: ("linux".to_owned(), found.architecture.clone()),
        is_stripped: found.is_stripped,
        is_static: found.is_static,
        is_position_independent: found.is_position_independent,
        settings: Vec::new(),
        packages: Known::unknown("of a process, its packages are not looked at"),
    };
    Binary { name: name.to_owned(), chain: None, contents: Contents::Go(Box::new(program)) }
}

fn directory(found: &Directory) -> Answer<ProcessDirectory> {
    Ok(match found {
        Directory::Unreachable(reason) => {
            return Err(Unknown::because(format!("podcov may not go there: {reason}")));
        }
        Directory::Missing(reason) => ProcessDirectory::Missing(reason.clone()),
        Directory::NotADirectory => ProcessDirectory::NotADirectory,
        Directory::There(state) => ProcessDirectory::There {
            owner: format!("{:o} {}:{}", state.mode, state.user, state.group),
            lets_create: state.lets_create,
            is_read_only: state.is_read_only,
            free_bytes: state.free_bytes,
            free_files: state.free_files,
            is_of_container: state.mount_point == "/",
            files: state.files.map(files),
        },
    })
}

fn files(found: CoverageFiles) -> Files {
    let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
    Files {
        metadata: count(found.metadata),
        counters: count(found.counters),
        temporary: count(found.temporary),
    }
}
