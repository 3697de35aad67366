//! What podcov says of itself.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::place::Place;

#[test]
fn help_names_the_commands_with_examples() {
    let place = Place::new();
    let ended = place.podcov(["--help"]).with_code(0).printing(&[
        "Usage: podcov [OPTIONS] <COMMAND>",
        "podcov run -n shop deploy/api deploy/worker -- go test ./e2e/...",
    ]);
    assert_eq!(ended.errors, "");
    for command in ["run", "exec", "snapshot", "report", "inject", "eject", "collect", "completions", "man"] {
        ended
            .output
            .find(&format!("\n  {command} "))
            .unwrap_or_else(|| panic!("{command} is not in the help"));
        place.podcov([command, "--help"]).with_code(0).printing(&[&format!("Usage: podcov {command}")]);
    }
    for (command, example) in [
        ("run", "podcov run --exec './bin/api --listen :8080'"),
        ("exec", "podcov exec -- ./bin/migrate --dry-run"),
        ("snapshot", "podcov snapshot process/4711"),
        ("report", "podcov report ./coverdata"),
    ] {
        place.podcov([command, "--help"]).printing(&["Examples:", example]);
    }
}

#[test]
fn kubectls_plugin_answers_to_its_own_name() {
    let place = Place::new();
    let plugin = place.path("kubectl-podcov");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_podcov"), &plugin).unwrap();
    let call = |arguments: &[&str]| {
        let mut command = Command::new(&plugin);
        command.args(arguments).current_dir(place.path(""));
        place.start_command(command).end()
    };
    call(&["--help"])
        .with_code(0)
        .printing(&["Usage: kubectl podcov", "  kubectl podcov run -n shop deploy/api"]);
    call(&["run", "--help"]).with_code(0).printing(&["Usage: kubectl podcov run"]);
    call(&["report", "--no-such-flag"]).with_code(2).saying(&["Usage: kubectl podcov report"]);

    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command.arg0("kubectl-podcov").arg("--help");
    place.start_command(command).end().with_code(0).printing(&["Usage: kubectl podcov"]);
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused_on_standard_error() {
    let place = Place::new();
    for (arguments, message) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["report"][..], "there is nothing to report on"),
        (&["run", "--exec", "true", "deploy/api", "--", "true"][..], "cannot be used with"),
        (&["run", "--exec", "true", "--stop-timeout", "5", "--", "true"][..], "a number with a unit"),
        (
            &["report", "--source", "/no/such/checkout", "."][..],
            "--source /no/such/checkout is not a directory",
        ),
    ] {
        let ended = place.podcov(arguments).with_code(2).saying(&[message]);
        assert_eq!(ended.output, "");
    }
}

#[test]
fn the_version_is_data() {
    let ended = Place::new().podcov(["--version"]).with_code(0);
    assert_eq!(ended.output, concat!("podcov ", env!("CARGO_PKG_VERSION"), "\n"));
}
